package lab

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// erlangC is the probability that a request must wait in an M/M/k queue (Erlang 1917), by the recursion of Erlang B.
func erlangC(k int, rho float64) float64 {
	load := rho * float64(k)
	blocked := 1.0
	for i := 1; i <= k; i++ {
		blocked = load * blocked / (float64(i) + load*blocked)
	}
	return blocked / (1 - rho*(1-blocked))
}

func TestExponentialServiceIsAnMMkQueue(t *testing.T) {
	const service = 20 * time.Millisecond
	for _, tt := range []struct {
		k   int
		rho float64
	}{{4, 0.5}, {4, 0.7}, {8, 0.7}, {16, 0.6}} {
		q := newQueue(tt.k, service, rand.New(rand.NewPCG(1, 2)))
		arrivals := rand.New(rand.NewPCG(3, 4))
		between := service.Seconds() / (tt.rho * float64(tt.k))
		const warmUp, n = 10_000, 400_000
		var now, response float64
		waited, began := 0, time.Duration(0)
		for i := range warmUp + n {
			now += arrivals.ExpFloat64() * between
			at := time.Duration(now * float64(time.Second))
			if i == warmUp {
				began = at
			}
			waits := q.free[0] > at
			end := q.admit(at)
			if i >= warmUp {
				response += (end - at).Seconds()
				if waits {
					waited++
				}
			}
		}
		end := time.Duration(now * float64(time.Second))
		c := erlangC(tt.k, tt.rho)
		mu := 1 / service.Seconds()
		for what, got := range map[string][2]float64{
			"mean time in system": {response / n, 1/mu + c/(float64(tt.k)*mu*(1-tt.rho))},
			"share that waits":    {float64(waited) / n, c},
			"slots in use":        {(q.busy(end)).Seconds() / (float64(tt.k) * end.Seconds()), tt.rho},
		} {
			if math.Abs(got[0]/got[1]-1) > 0.05 {
				t.Errorf("M/M/%d at %.0f %%: %s %.5f, want %.5f within 5 %%", tt.k, 100*tt.rho, what, got[0], got[1])
			}
		}
		if began >= end {
			t.Fatal("nothing was measured")
		}
	}
}

func TestEqualServiceIsExact(t *testing.T) {
	const service = 100 * time.Millisecond
	for _, tt := range []struct {
		k       int
		between time.Duration
		i       int // the i-th request, from 0
		want    time.Duration
		why     string
	}{
		{1, service, 99, service, "a slot that is always just free makes nobody wait"},
		{2, service / 2, 99, service, "two slots take twice as many"},
		{1, 0, 0, service, "of a burst the first is served at once"},
		{1, 0, 9, 10 * service, "and each of the others behind the one before"},
		{4, 0, 3, service, "four at a time"},
		{4, 0, 4, 2 * service, "the fifth waits for the first"},
		{1, service / 2, 10, service + 5*service, "at twice the capacity the wait grows by half a service time each"},
	} {
		q := newQueue(tt.k, service, nil)
		var got time.Duration
		for i := range tt.i + 1 {
			at := time.Duration(i) * tt.between
			got = q.admit(at) - at
		}
		if got != tt.want {
			t.Errorf("%d slots, request %d each %s: %s, want %s: %s", tt.k, tt.i, tt.between, got, tt.want, tt.why)
		}
	}
}

// The oracle keeps every slot's intervals of work and looks for the slot that is free first in all of them.
func TestQueueIsFirstComeFirstServedOverAllSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(t, "slots")
		q := newQueue(k, time.Duration(rapid.IntRange(1, 50).Draw(t, "service")), nil)
		free := make([]time.Duration, k)
		var work [][2]time.Duration
		now := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now += time.Duration(rapid.IntRange(0, 30).Draw(t, "gap"))
			first := slices.Index(free, slices.Min(free))
			start := max(now, free[first])
			free[first] = start + q.service
			work = append(work, [2]time.Duration{start, free[first]})
			if got := q.admit(now); got != free[first] {
				t.Fatalf("ends at %d, want %d", got, free[first])
			}
			at := now + time.Duration(rapid.IntRange(0, 20).Draw(t, "look"))
			busy := time.Duration(0)
			for _, w := range work {
				busy += max(0, min(w[1], at)-w[0])
			}
			if got := q.busy(at); got != busy {
				t.Fatalf("at %d busy for %d, want %d", at, got, busy)
			}
		}
	})
}
