package lab

import (
	"math/rand/v2"
	"time"
)

// queue is the capacity of one replica as arithmetic: k slots that serve in order of arrival, each request for one
// service time. It knows no clock: instants are durations since any one moment, and never go back.
//
// Because service times are known when a request arrives, its whole future is too (Kiefer and Wolfowitz, "On the
// theory of queues with many servers", 1955): it starts when the first slot is free and ends one service time later.
// Nothing waits for another request's timer, so a timer that fires late makes that one answer late and takes no capacity.
type queue struct {
	free    []time.Duration // for each slot, when it has done all it was given; a heap, the earliest first
	given   time.Duration   // sum of all service times
	service time.Duration   // mean
	random  *rand.Rand      // nil: every service time is the mean
}

// newQueue is an idle queue. With random, service times are exponential.
func newQueue(slots int, service time.Duration, random *rand.Rand) *queue {
	return &queue{free: make([]time.Duration, slots), service: service, random: random}
}

// admit takes a request that arrives at now, and says when its service ends.
func (q *queue) admit(now time.Duration) (end time.Duration) {
	service := q.service
	if q.random != nil {
		service = time.Duration(q.random.ExpFloat64() * float64(q.service))
	}
	end = max(now, q.free[0]) + service
	q.given += service
	q.free[0] = end
	q.sink()
	return end
}

// sink restores the heap after its first slot has become free later.
func (q *queue) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.free); child++ {
			if q.free[child] < q.free[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		q.free[i], q.free[least] = q.free[least], q.free[i]
		i = least
	}
}

// busy is how much slot time has been used until now, which must not be before the last arrival. A slot that has work
// left at now works without a pause until that is done, so what is left is all that was given and not yet used.
func (q *queue) busy(now time.Duration) time.Duration {
	used := q.given
	for _, free := range q.free {
		used -= max(0, free-now)
	}
	return used
}
