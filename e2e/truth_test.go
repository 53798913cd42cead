//go:build e2e

package e2e

import (
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// These tests hold the whole way of a measurement, over real sockets and in real time, against servers whose
// behaviour is known. The same truths are shown exactly, in virtual time, by the tests of package attack.

// listen serves a handler on loopback.
func listen(t *testing.T, handler http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String()
}

// measured runs a plan until the generator was fit to measure it: on a machine that others use, a run whose own lag or
// CPU was out of bounds says nothing about the service, and its verdict says so. begin is called before each try.
func measured(t *testing.T, p plan.Plan, begin func()) *result.Result {
	t.Helper()
	for try := 1; ; try++ {
		begin()
		r := loadgen.Runner{Plan: p}
		res, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		fit := !slices.ContainsFunc(res.Verdict.Reasons, func(r result.Reason) bool {
			return r.Level != result.Valid && r.Code != "max_in_flight"
		})
		if fit && res.Health.Lag.P99 < 5 {
			return res
		}
		if try == 3 {
			t.Fatalf("the machine was not fit in %d tries: %+v, lag %+v", try, res.Verdict, res.Health.Lag)
		}
		t.Logf("try %d: %+v, lag %+v", try, res.Verdict, res.Health.Lag)
	}
}

// stall answers in 2 ms but holds everything for 1 s in each 10 s, from the fourth second on, so that no hold touches the
// end of a minute.
type stall struct{ start atomic.Int64 }

const (
	stallPeriod = 10 * time.Second
	stallFrom   = 4 * time.Second
	stallTo     = 5 * time.Second
	service     = 2 * time.Millisecond
)

func (s *stall) ServeHTTP(http.ResponseWriter, *http.Request) {
	s.start.CompareAndSwap(0, time.Now().UnixNano())
	if at := time.Duration(time.Now().UnixNano()-s.start.Load()) % stallPeriod; at >= stallFrom && at < stallTo {
		time.Sleep(stallTo - at)
	}
	time.Sleep(service)
}

// truth is what the stalling server's clients wait, sent at a rate into so many slots, first come first served: sorted.
func truth(rate float64, length time.Duration, slots int) []time.Duration {
	free := make([]time.Duration, slots)
	var waited []time.Duration
	for k := 0; ; k++ {
		due := time.Duration(float64(k) / rate * 1e9)
		if due >= length {
			slices.Sort(waited)
			return waited
		}
		slot := slices.Index(free, slices.Min(free))
		start := max(due, free[slot])
		if at := start % stallPeriod; at >= stallFrom && at < stallTo {
			start += stallTo - at
		}
		free[slot] = start + service
		waited = append(waited, free[slot]-due)
	}
}

func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*want {
		t.Errorf("%s: %.2f ms, truth %.2f ms, off by %+.1f %% where %.0f %% is allowed", what, got, want, 100*(got/want-1), 100*tolerance)
	} else {
		t.Logf("%s: %.2f ms, truth %.2f ms, off by %+.1f %%", what, got, want, 100*(got/want-1))
	}
}

func TestCorrectedPercentilesOfAStallingServerAreTheTruth(t *testing.T) {
	for _, row := range []struct {
		name     string
		inFlight int
	}{{"nothing holds a send back", plan.DefaultMaxInFlight}, {"the backlog leaves ten at a time", 10}} {
		t.Run(row.name, func(t *testing.T) {
			server := &stall{}
			p := plan.DefaultOpen()
			p.Host = listen(t, server)
			p.Rate, p.RunTime, p.MaxInFlight = plan.Rate{N: 200}, plan.Duration(time.Minute), row.inFlight
			res := measured(t, p, func() { server.start.Store(0) })

			want := truth(200, time.Minute, row.inFlight)
			at := func(q float64) float64 {
				return float64(want[int(math.Ceil(q*float64(len(want))))-1]) / float64(time.Millisecond)
			}
			got := res.Totals.Latency.Corrected
			within(t, "corrected p95", got.P95, at(0.95), 0.04)
			within(t, "corrected p99", got.P99, at(0.99), 0.02)
			within(t, "corrected p99.9", got.P999, at(0.999), 0.02)
			within(t, "corrected max", got.Max, at(1), 0.03)
			if got.P50 > 3 {
				t.Errorf("corrected p50 %.2f ms, want at most 3", got.P50)
			}
			if res.Totals.Requests != 12_000 || res.Totals.Failures != 0 {
				t.Errorf("requests %d, failures %d", res.Totals.Requests, res.Totals.Failures)
			}
			if row.inFlight == 10 && (res.Totals.Latency.Raw.P99 > 10 || res.Health.WaitedForSlot.Count == 0) {
				t.Errorf("raw p99 %.2f ms, %d waited: raw should show nothing of the stall", res.Totals.Latency.Raw.P99, res.Health.WaitedForSlot.Count)
			}
		})
	}
}

// hundredth is slow in exactly every hundredth request, and keeps its own books.
type hundredth struct {
	mu    sync.Mutex
	n     int
	paths map[string]int64
	spent time.Duration
}

func (h *hundredth) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n, h.paths, h.spent = 0, map[string]int64{}, 0
}

func (h *hundredth) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	start := time.Now()
	h.mu.Lock()
	h.n++
	slow := h.n%100 == 0
	h.paths["GET "+r.URL.Path]++
	h.mu.Unlock()
	if slow {
		time.Sleep(200 * time.Millisecond)
	} else {
		time.Sleep(2 * time.Millisecond)
	}
	h.mu.Lock()
	h.spent += time.Since(start)
	h.mu.Unlock()
}

func TestARareSlownessIsSeenAndEveryRequestIsCounted(t *testing.T) {
	server := &hundredth{}
	p := plan.DefaultOpen()
	p.Host = listen(t, server)
	p.Rate, p.RunTime = plan.Rate{N: 400}, plan.Duration(30*time.Second)
	p.Arrivals = plan.Poisson
	p.Thresholds = []string{"raw.p(99.5)<1s"} // for its value
	res := measured(t, p, server.reset)

	server.mu.Lock()
	defer server.mu.Unlock()
	within(t, "raw p99.5", float64(res.Thresholds[0].Value), 200, 0.02)
	own := float64(server.spent) / float64(server.n) / float64(time.Millisecond)
	if got := res.Totals.Latency.Raw.Mean; math.Abs(got-own) > 0.02*own+1 {
		t.Errorf("raw mean %.3f ms, the server's own record says %.3f ms", got, own)
	}
	for _, e := range res.Endpoints {
		if got, want := e.Requests+e.Abandoned+e.Retried, server.paths[e.Name]; got != want {
			t.Errorf("%s: requests %d + abandoned %d + retried %d, the server counted %d", e.Name, e.Requests, e.Abandoned, e.Retried, want)
		}
	}
}

func TestTheClosedModelKeepsTheRateOfItsFormula(t *testing.T) {
	p := plan.Default()
	p.Host = listen(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Millisecond) }))
	p.SpawnRate, p.RunTime = 50, plan.Duration(20*time.Second)
	res := measured(t, p, func() {})
	for _, phase := range res.Phases {
		if phase.Name != plan.Steady {
			continue
		}
		want := 50 / (0.125 + phase.Totals.Latency.Raw.Mean/1000)
		got := phase.Totals.RequestsPerSecond
		if phase.Totals.Requests < 5000 || math.Abs(got-want) > 0.03*want {
			t.Errorf("%d requests at %.1f/s, users ÷ (think + latency) = %.1f/s", phase.Totals.Requests, got, want)
		}
		t.Logf("%d requests at %.1f/s, formula %.1f/s", phase.Totals.Requests, got, want)
	}
}
