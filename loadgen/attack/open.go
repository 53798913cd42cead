package attack

import (
	"time"

	"scalableappbackend/loadgen/plan"
)

// openSchedule follows a curve of requests a second. A user here is a slot: a connection with its
// cookies. The latest one to become idle is reused first, so that there are as many as were needed at once.
type openSchedule struct {
	due     *plan.Due
	newUser func(id int) *user

	queue []time.Duration // due times drawn and not handed out, in order

	// planned draws the same due times once more, for counting what was offered; plannedAt is its next.
	planned   *plan.Due
	plannedAt time.Duration
	plannedOK bool
	count     int64

	traced plan.Sample
	handed uint64 // sends

	idle    []*user
	created int
	limit   int

	// freed holds, for each free slot, since when it is free, earliest first: a ring of limit
	// entries. The k-th send that has to wait gets the k-th slot that becomes free.
	freed      []time.Duration
	head, free int
}

func newOpenSchedule(p *plan.Ready, newUser func(id int) *user) *openSchedule {
	s := &openSchedule{
		due:     plan.NewDue(p.Curve, p.Plan.Arrivals, p.Plan.Seed),
		newUser: newUser,
		limit:   p.Plan.MaxInFlight,
		freed:   make([]time.Duration, p.Plan.MaxInFlight),
		free:    p.Plan.MaxInFlight,
		planned: plan.NewDue(p.Curve, p.Plan.Arrivals, p.Plan.Seed),
		traced:  p.Plan.Traced(),
	}
	s.plannedAt, s.plannedOK = s.planned.Next()
	return s
}

// peek returns the due time at an index of the queue, drawing as many as it takes.
func (s *openSchedule) peek(i int) (time.Duration, bool) {
	for len(s.queue) <= i {
		at, ok := s.due.Next()
		if !ok {
			return 0, false
		}
		s.queue = append(s.queue, at)
	}
	return s.queue[i], true
}

func (s *openSchedule) next(now, end time.Duration) (ticket, time.Duration, state) {
	due, ok := s.peek(0)
	switch {
	case !ok || due >= end:
		return ticket{}, 0, over
	case due > now:
		return ticket{}, due, wait
	case s.free == 0:
		return ticket{}, never, wait
	}
	u := s.slot()
	t := ticket{user: u, step: u.script.Next(), due: due, ready: max(due, s.freed[s.head]), traced: s.traced.Has(0, 0, s.handed)}
	s.handed++
	s.head = (s.head + 1) % s.limit
	s.free--
	s.queue = s.queue[1:]
	return t, 0, handed
}

func (s *openSchedule) slot() *user {
	if n := len(s.idle); n > 0 {
		u := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return u
	}
	s.created++
	return s.newUser(s.created - 1)
}

func (s *openSchedule) done(u *user, end time.Duration) time.Duration {
	s.idle = append(s.idle, u)
	s.freed[(s.head+s.free)%s.limit] = end
	s.free++
	if due, ok := s.peek(0); ok && s.free == 1 {
		return due // the pacer may be waiting for just this slot
	}
	return never
}

func (s *openSchedule) leftovers(t time.Duration) []leftover {
	var list []leftover
	for due, ok := s.peek(0); ok && due < t; due, ok = s.peek(len(list)) {
		l := leftover{due: due, ready: never}
		if n := len(list); n < s.free {
			l.ready = max(due, s.freed[(s.head+n)%s.limit])
		}
		list = append(list, l)
	}
	return list
}

func (s *openSchedule) offered(t time.Duration) int64 {
	for s.plannedOK && s.plannedAt < t {
		s.count++
		s.plannedAt, s.plannedOK = s.planned.Next()
	}
	return s.count
}

func (s *openSchedule) edit(at time.Duration, l *plan.Load) {
	// At most one request is drawn and not handed out: see next.
	if s.due.Edit(l.Curve, at) && len(s.queue) > 0 {
		s.queue = s.queue[:len(s.queue)-1]
	}
	if s.planned.Edit(l.Curve, at) || !s.plannedOK {
		s.plannedAt, s.plannedOK = s.planned.Next()
	}
}

func (s *openSchedule) users(time.Duration) int { return 0 }

func (s *openSchedule) close() {
	for _, u := range s.idle {
		u.close()
	}
}
