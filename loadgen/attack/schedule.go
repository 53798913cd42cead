package attack

import (
	"time"

	"scalableappbackend/loadgen/plan"
)

// ticket is one send: who, what, and when it should leave.
type ticket struct {
	user  *user
	step  Step
	due   time.Duration // intended send
	ready time.Duration // due, or the later instant at which a slot became free for it

	traced bool
}

// leftover is a send that was due and never handed out.
type leftover struct {
	due   time.Duration
	ready time.Duration // when its user or slot was free for it; never when none was
	gone  bool          // its user left by plan, before it could be sent
	left  time.Duration // when, if it did
}

// schedule decides what is sent when. It has no clock and no lock: the pacer calls it under its own
// lock and tells it the time. Times are on the run's clock, and nothing due at or after end is ever handed out.
type schedule interface {
	// next hands out the earliest send that is due by now. Without one it says when to ask
	// again, never if only a completion can bring the next; over when there will be none.
	next(now, end time.Duration) (t ticket, again time.Duration, state state)
	// done takes back a user whose request ended, and says when a send is due because of it, never when none is.
	done(u *user, end time.Duration) (due time.Duration)
	// leftovers are the sends due before t that were not handed out.
	leftovers(t time.Duration) []leftover
	// offered is how many sends were due before t in all, handed out or not; t never falls from call to call.
	offered(t time.Duration) int64
	// users is how many users took part just before t (closed), or 0.
	users(t time.Duration) int
	// edit goes on by another load, which is the same before at. Nothing that is due at or after at may have been handed out.
	edit(at time.Duration, l *plan.Load)
	// close ends the connections of all users.
	close()
}

type state int

const (
	handed state = iota
	wait
	over
)
