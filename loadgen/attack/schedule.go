package attack

import "time"

// ticket is one send: who, what, and when it should leave.
type ticket struct {
	user    *user
	request int           // index into Ready.Requests
	due     time.Duration // intended send
	ready   time.Duration // due, or the later instant at which a slot became free for it
}

// schedule decides what is sent when. It has no clock and no lock: the pacer calls it under its own
// lock and tells it the time. Times are on the run's clock, and nothing due at or after end is ever handed out.
type schedule interface {
	// next hands out the earliest send that is due by now. Without one it says when to ask
	// again, never if only a completion can bring the next; over when there will be none.
	next(now, end time.Duration) (t ticket, again time.Duration, state state)
	// done takes back a user whose request ended, and reports whether a send may now be due earlier than next said.
	done(u *user, end time.Duration) (sooner bool)
	// unsent is how many sends due before t were not handed out; own is how many of them
	// no slot or user was busy for, so that the generator itself left them behind.
	unsent(t time.Duration) (total, own int64)
	// offered is how many sends were due before t in all, handed out or not; t never falls from call to call.
	offered(t time.Duration) int64
	// active is how many users take part (closed), or 0.
	active() int
	// close ends the connections of all users.
	close()
}

type state int

const (
	handed state = iota
	wait
	over
)
