package attack

import (
	"math/rand/v2"
	"time"
)

// user sends one request at a time, over connections of its own and with cookies of its own: a
// user of the closed model, a slot of the open one.
type user struct {
	id     int
	sender sender

	// Of the schedule, under the pacer's lock.
	script  Script
	random  *rand.Rand    // its choices
	due     time.Duration // of the next send, or of the one under way; in active time, see holds
	freed   time.Duration // when it could send again
	heapAt  int
	leaving bool

	generation int    // how often a user of its number joined before
	sends      uint64 // of this generation
}

func (a *Attack) newUser(id int, random *rand.Rand) *user {
	return &user{id: id, heapAt: -1, random: random, script: a.scripts(id, random), sender: a.newSender(id)}
}

func (u *user) close() { u.sender.close() }
