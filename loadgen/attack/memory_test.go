package attack

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/plan"
)

// heard is a script that sends the plan's first request and says that it was answered.
type heard struct{ answered *atomic.Int64 }

func (h heard) Next() Step      { return Step{} }
func (h heard) Answered(Answer) { h.answered.Add(1) }

// Counted, since times depend on the machine: what a user who thinks keeps beside a connection of the kernel's.
func TestAUserWhoThinksTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("5,000 connections")
	}
	// Half of what Locust takes. Some 2 KB are the user's; the rest is vegeta's workers, of which a burst makes as many as
	// are under way at once, and which stay.
	const users, most = 5000, 8 << 10
	if limit := openFiles(t); limit < users+200 {
		t.Skipf("%d descriptors", limit)
	}
	url := contract.OtherProcess(t)
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.StopTimeout = users, 4000, plan.Duration(2*time.Minute), 0
	p.Think = plan.Range{Min: plan.Duration(time.Minute), Max: plan.Duration(time.Minute)}
	var answered atomic.Int64
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := executeWith(Config{Plan: at(p, url), Script: func(int, *rand.Rand) Script { return heard{&answered} }}, nil, func(a *Attack) {
		for answered.Load() < users {
			time.Sleep(5 * ms) // real sockets, real time
		}
		runtime.GC()
		runtime.GC() // buffers that are kept for a while
		runtime.ReadMemStats(&after)
		a.Cut()
	})
	if r.failures > 0 || r.requests != users {
		t.Fatalf("%d requests, failures %v", r.requests, r.messages())
	}
	taken := int64(after.HeapAlloc+after.StackInuse) - int64(before.HeapAlloc+before.StackInuse)
	t.Logf("%d bytes a user", taken/users)
	if taken/users > most {
		t.Errorf("%d bytes a user, want at most %d", taken/users, most)
	}
}

// Counted likewise: what a request on a kept connection takes, vegeta's part included.
func TestARequestOfARunMakesFewAllocations(t *testing.T) {
	url := contract.OtherProcess(t)
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.Think, p.StopTimeout = 4, 1000, plan.Duration(time.Minute), plan.Range{}, plan.Duration(10*time.Second)
	const warm, n, most = 500, 4000, 20
	var before, after runtime.MemStats
	var answered atomic.Int64
	r := executeWith(Config{Plan: at(p, url), Script: nil}, nil, func(a *Attack) {
		until := func(sent int64) {
			for a.sent.Load() < sent {
				time.Sleep(ms) // real sockets, real time
			}
		}
		until(warm)
		runtime.ReadMemStats(&before)
		first := a.sent.Load()
		until(first + n)
		runtime.ReadMemStats(&after)
		answered.Store(a.sent.Load() - first)
		a.Stop()
	})
	r.balanced(t)
	each := float64(after.Mallocs-before.Mallocs) / float64(answered.Load())
	t.Logf("%.1f allocations a request", each)
	if each > most {
		t.Errorf("%.1f allocations a request, want at most %d: of these some 17 are vegeta's and its client's", each, most)
	}
}
