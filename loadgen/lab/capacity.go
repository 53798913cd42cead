package lab

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

// Capacity is what one replica of the lab can do: Slots requests at a time, each for Service, the others waiting in
// order of arrival. Slots ÷ Service is its most requests per second. The zero value is the default task:
// [DefaultSlots] slots and the service time that makes them do autoscaling.DefaultTaskCapacity.
//
// A request that a client gives up keeps its place and its slot: that the work is done for nobody is part of what
// overload is.
type Capacity struct {
	Slots   int
	Service time.Duration // mean
	// Exponential makes service times exponential (M/M/k) instead of all the same (D/D/k).
	Exponential bool
	// Seed of the exponential service times. Each replica draws its own.
	Seed uint64
}

// DefaultSlots is 1: a task of a fraction of a CPU, which does one thing at a time. With more slots and the same
// capacity each answer would take that much longer, and the seed's users would never make their rate.
const DefaultSlots = 1

// MaxSlots bounds what the arithmetic of a queue costs for each request.
const MaxSlots = 1024

// PerSecond is the most requests per second that a replica can serve.
func (c Capacity) PerSecond() float64 {
	c = c.withDefaults()
	return float64(c.Slots) / c.Service.Seconds()
}

func (c Capacity) withDefaults() Capacity {
	if c.Slots == 0 {
		c.Slots = DefaultSlots
	}
	if c.Service == 0 && c.Slots > 0 {
		c.Service = time.Duration(float64(c.Slots) * float64(time.Second) / autoscaling.DefaultTaskCapacity)
	}
	return c
}

// limiter is a Capacity around the handler of one replica.
type limiter struct {
	slots      int
	began      time.Time
	healthPath string

	mu       sync.Mutex
	queue    *queue
	requests int64 // without health checks
}

func newLimiter(c Capacity, healthPath string, replica uint64) *limiter {
	c = c.withDefaults()
	var random *rand.Rand
	if c.Exponential {
		random = rand.New(rand.NewPCG(c.Seed, replica))
	}
	return &limiter{slots: c.Slots, began: time.Now(), healthPath: healthPath, queue: newQueue(c.Slots, c.Service, random)}
}

// wrap holds each request until its service ends. The balancer's health checks pass by: what a full queue does to them
// is a failure of its own kind, which the lab's capacity does not model. A client's GET of the same path is load like
// any other; it came through the balancer, which says so in X-Forwarded-For.
func (l *limiter) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == l.healthPath && r.Header["X-Forwarded-For"] == nil {
			next.ServeHTTP(w, r)
			return
		}
		timer := time.NewTimer(time.Until(l.began.Add(l.admit())))
		defer timer.Stop()
		select {
		case <-timer.C:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // nobody is there to answer; an empty 200 would be a lie all the same
		}
	})
}

func (l *limiter) admit() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	return l.queue.admit(time.Since(l.began))
}

// used is the slot time used until now as seconds of a whole replica: 1 is all slots for one second.
func (l *limiter) used() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.busy(time.Since(l.began)).Seconds() / float64(l.slots)
}

func (l *limiter) served() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}
