package attack

import (
	"slices"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"scalableappbackend/loadgen/plan"
)

// pacer is the vegeta.Pacer of both models. It waits inside Pace, because only there can a wait be
// shortened, by a completion or a stop, and because vegeta forgets the time that Pace returns.
type pacer struct {
	clock func() time.Duration
	queue chan<- ticket

	mu       sync.Mutex
	alarm    alarm
	schedule schedule
	plan     plan.Plan     // with the edits so far
	end      time.Duration // sends due at or after it are not made
	stopped  bool          // before the plan's end
	halted   bool          // nothing is sent any more, due or not
	latest   time.Duration // the last due time that was handed out
	armed    time.Duration // when the alarm rings, while Pace waits; 0 when it rings at once
}

var _ vegeta.Pacer = (*pacer)(nil)

// Pace blocks until a send is due, queues its ticket and returns; stop is true when none will come.
func (p *pacer) Pace(time.Duration, uint64) (time.Duration, bool) {
	for {
		p.mu.Lock()
		p.armed = 0
		now := p.clock()
		if p.halted {
			p.mu.Unlock()
			return 0, true
		}
		t, again, state := p.schedule.next(now, p.end)
		switch {
		case state == handed:
			p.latest = max(p.latest, t.due)
			p.mu.Unlock()
			p.queue <- t // before the tick, so that a worker never waits for its ticket
			return 0, false
		case state == over && now >= p.end:
			p.mu.Unlock()
			return 0, true
		case state == over:
			again = p.end
		case now < p.end:
			again = min(again, p.end)
		}
		p.arm(again, now)
		p.mu.Unlock()
		p.alarm.wait()
	}
}

// arm lets the alarm ring at an instant; what has been reached lets it ring at once.
func (p *pacer) arm(at, now time.Duration) {
	if p.armed = at; at <= now {
		p.armed = 0
	}
	p.alarm.set(at - now)
}

// rouse lets the alarm ring at once.
func (p *pacer) rouse() { p.arm(0, 0) }

// Rate is for vegeta's interface only; nothing reads it.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// done takes back a user whose request ended. It wakes Pace no sooner than there is something to send: a process that
// sleeps between two sends pays for each time that it wakes. Setting the alarm is a system call, waking it several.
func (p *pacer) done(u *user, end time.Duration) {
	p.mu.Lock()
	due := p.schedule.done(u, end)
	now := p.clock()
	if now >= p.end {
		due = now // it may have been the last
	}
	if due < p.armed {
		p.arm(due, now)
	}
	p.mu.Unlock()
}

// stop ends sending now, unless it has ended, and returns when that is: what was handed out was due before.
func (p *pacer) stop() (end time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.end = min(p.end, max(p.clock(), p.latest+1))
	p.rouse()
	return p.end
}

// edit changes the plan from now on. revise is told before anything that is due by the new plan can be handed out.
func (p *pacer) edit(edits []plan.Edit, revise func(Revision)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.clock() + 1 // whatever was handed out, or has been counted, was due before
	if p.stopped || p.halted || at >= p.end {
		return ErrEnded
	}
	edits = slices.Clone(edits)
	for i := range edits {
		edits[i].At = at
	}
	edited, err := p.plan.Edited(edits...)
	if err != nil {
		return err
	}
	l := edited.Load()
	p.plan, p.end = edited, l.End()
	p.schedule.edit(at, &l)
	revise(Revision{At: at, Edits: edits, Plan: edited, Load: l})
	p.rouse()
	return nil
}

// ending is when sending ends, as it is planned by now.
func (p *pacer) ending() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

// halt ends all sending, and returns the sends that were due before end and stay unmade. It must be called
// before requests under way are cut, while it can be told whether a slot was free for them.
func (p *pacer) halt(end time.Duration) []leftover {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halted = true
	p.rouse()
	return p.schedule.leftovers(end)
}
