package attack

import (
	"container/heap"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"scalableappbackend/loadgen/plan"
)

// closedSchedule is a number of users over time: a heap of those who pause, by when they are due.
// Users join and leave where the plan's curve crosses their number, so that the ramp of a
// spawn rate, stages up and down, and a constant number are one mechanism.
type closedSchedule struct {
	plan    *plan.Ready
	newUser func(id int, random *rand.Rand) *user

	traced       plan.Sample
	load         *plan.Load
	holds        holds
	crossing     plan.Crossing // the next join or leave
	nextCrossing func() (plan.Crossing, bool)
	stop         func()
	more         bool

	present map[int]*user // by number: those who joined and did not leave
	joined  map[int]int   // how often a number joined: one that returns starts fresh
	pausing userHeap
	busy    map[*user]struct{}

	counted int64           // sends that were due before the last time offered was asked for, handed out or of users that left
	recent  []time.Duration // due times of the others
	gone    []leftover      // of users that left
}

func newClosedSchedule(p *plan.Ready, newUser func(id int, random *rand.Rand) *user) *closedSchedule {
	s := &closedSchedule{
		plan: p, newUser: newUser,
		present: map[int]*user{}, joined: map[int]int{}, busy: map[*user]struct{}{}, traced: p.Plan.Traced(),
	}
	s.follow(&p.Load, 0)
	return s
}

// follow takes up a load from an instant on.
func (s *closedSchedule) follow(l *plan.Load, from time.Duration) {
	s.load, s.holds = l, l.Holds
	s.nextCrossing, s.stop = iter.Pull(l.Present.Crossings())
	for s.crossing, s.more = s.nextCrossing(); s.more && s.crossing.At < from; {
		s.crossing, s.more = s.nextCrossing() // who has joined or left before
	}
}

func (s *closedSchedule) edit(at time.Duration, l *plan.Load) {
	s.advance(at)
	s.stop()
	s.follow(l, at)
}

func (s *closedSchedule) next(now, end time.Duration) (ticket, time.Duration, state) {
	s.advance(min(now+1, end))
	again := never
	if s.more && s.crossing.At < end {
		again = s.crossing.At
	}
	if len(s.pausing) > 0 {
		u := s.pausing[0]
		switch due := s.holds.instant(u.due); {
		case due >= end: // so are all others in the heap
		case due <= now:
			heap.Pop(&s.pausing)
			s.busy[u] = struct{}{}
			s.recent = append(s.recent, due)
			u.sends++
			traced := s.traced.Has(u.id, u.generation, u.sends)
			return ticket{user: u, step: u.script.Next(), due: due, ready: max(due, u.freed), traced: traced}, 0, handed
		default:
			again = min(again, due)
		}
	}
	if again == never && len(s.busy) == 0 { // one whose request ended before the end may not have told yet
		return ticket{}, 0, over
	}
	return ticket{}, again, wait
}

// advance lets users join and leave up to t, exclusive.
func (s *closedSchedule) advance(t time.Duration) {
	for s.more && s.crossing.At < t {
		s.cross(s.crossing)
		s.crossing, s.more = s.nextCrossing()
	}
}

func (s *closedSchedule) cross(c plan.Crossing) {
	if c.Join {
		u := s.newUser(c.User, plan.UserStream(s.plan.Plan.Seed, c.User, s.joined[c.User]))
		u.due, u.freed, u.generation = s.holds.active(c.At), c.At, s.joined[c.User]
		s.joined[c.User]++
		s.present[c.User] = u
		heap.Push(&s.pausing, u)
		return
	}
	u := s.present[c.User]
	delete(s.present, c.User)
	u.leaving = true
	if u.heapAt >= 0 {
		s.leave(u, u.due, c.At)
		heap.Remove(&s.pausing, u.heapAt)
		u.close()
	} else if pacing := time.Duration(s.plan.Plan.Pacing); pacing > 0 {
		s.leave(u, u.due+pacing, c.At)
	}
}

// leave keeps what a user that leaves at an instant was still to send: one request, or with pacing the beats from the
// next one on, which is in active time.
func (s *closedSchedule) leave(u *user, next, at time.Duration) {
	for due := range s.beats(next, at) {
		s.gone = append(s.gone, leftover{due: due, ready: s.readyFor(u, due), gone: true, left: at})
		s.recent = append(s.recent, due)
	}
}

// beats are the times before t at which a user is due, from its next one on, which is in active time.
func (s *closedSchedule) beats(next, t time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		pacing := time.Duration(s.plan.Plan.Pacing)
		for ; s.holds.instant(next) < t && yield(s.holds.instant(next)) && pacing > 0; next += pacing {
		}
	}
}

// readyFor is when a pausing user could have sent what was due; never of one that is busy.
func (s *closedSchedule) readyFor(u *user, due time.Duration) time.Duration {
	if u.heapAt < 0 || due > s.holds.instant(u.due) {
		return never // the beats before it would have come first
	}
	return max(due, u.freed)
}

func (s *closedSchedule) done(u *user, end time.Duration) time.Duration {
	delete(s.busy, u)
	if u.leaving {
		u.close()
		return never
	}
	u.freed = end
	if pacing := time.Duration(s.plan.Plan.Pacing); pacing > 0 {
		u.due += pacing // from when it was due, however late it was: no beat is skipped
	} else {
		u.due = s.holds.active(end) + plan.Think(u.random, s.plan.Plan.Think)
	}
	heap.Push(&s.pausing, u)
	return s.holds.instant(u.due)
}

func (s *closedSchedule) leftovers(t time.Duration) []leftover {
	s.advance(t)
	list := slices.Clone(s.gone)
	pacing := time.Duration(s.plan.Plan.Pacing)
	for _, u := range s.pausing {
		for due := range s.beats(u.due, t) {
			list = append(list, leftover{due: due, ready: s.readyFor(u, due)})
		}
	}
	for u := range s.busy {
		if u.leaving || pacing == 0 {
			continue
		}
		for due := range s.beats(u.due+pacing, t) {
			list = append(list, leftover{due: due, ready: never})
		}
	}
	return list
}

// overdue is how many of leftovers there are but for those of users that left.
func (s *closedSchedule) overdue(t time.Duration) (n int64) {
	s.advance(t)
	pacing := time.Duration(s.plan.Plan.Pacing)
	passed := s.holds.active(t)
	beats := func(from time.Duration) int64 {
		switch {
		case from >= passed:
			return 0
		case pacing == 0:
			return 1
		default:
			return int64((passed - from + pacing - 1) / pacing)
		}
	}
	for _, u := range s.pausing {
		n += beats(u.due)
	}
	if pacing > 0 {
		for u := range s.busy {
			if !u.leaving {
				n += beats(u.due + pacing)
			}
		}
	}
	return n
}

// offered counts what was handed out, what was left by users that are gone, and what is overdue: a closed plan's
// sends are known only as they come due.
func (s *closedSchedule) offered(t time.Duration) int64 {
	overdue := s.overdue(t) // first: users may leave something
	later := s.recent[:0]
	for _, due := range s.recent {
		if due >= t {
			later = append(later, due)
		}
	}
	s.counted += int64(len(s.recent) - len(later))
	s.recent = later
	return s.counted + overdue
}

// users is the plan's: user k, counted from 0, takes part while the level is above k.
func (s *closedSchedule) users(t time.Duration) int { return int(math.Ceil(s.load.Curve.At(t - 1))) }

func (s *closedSchedule) close() {
	s.stop()
	for _, u := range s.pausing {
		u.close()
	}
}

// userHeap orders pausing users by when they are due; of two at the same instant the lower number goes first.
type userHeap []*user

func (h userHeap) Len() int { return len(h) }
func (h userHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].id < h[j].id
}
func (h userHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i, j
}
func (h *userHeap) Push(x any) {
	u := x.(*user)
	u.heapAt = len(*h)
	*h = append(*h, u)
}
func (h *userHeap) Pop() any {
	old := *h
	u := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	u.heapAt = -1
	return u
}
