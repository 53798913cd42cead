package compare

import (
	"path/filepath"
	"testing"
	"time"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// latencies are n of the same length.
func latencies(n int64, d time.Duration) *result.Histogram {
	h := &result.Histogram{}
	h.RecordN(d, n)
	return h
}

// A service that stops answering must not look better for it.
func TestWhatWasNeverAnsweredCountsWhereItWasDue(t *testing.T) {
	fast := latencies(10, time.Millisecond)
	answered := func(n int64) []result.EndpointWindow {
		h := latencies(n, time.Millisecond)
		return []result.EndpointWindow{{Requests: n, Raw: h, Corrected: h, Status: map[int]int64{200: n}}}
	}
	windows := []*result.Window{
		{From: 0, To: time.Second, Name: plan.Steady, Offered: 10, Sent: 10, Endpoints: answered(10)},
		{From: time.Second, To: 2 * time.Second, Name: plan.Steady, Offered: 18, Sent: 15, Endpoints: answered(10)},
	}
	drain := &result.Window{From: 2 * time.Second, To: 3 * time.Second, Phase: 1, Name: plan.Drain, Ended: true}
	late := answered(2)
	late[0].Abandoned, late[0].Unanswered, late[0].UnansweredRaw = 3, latencies(3, time.Second), latencies(3, time.Second)
	drain.AddPart(&result.Part{Phase: 0, Endpoints: late})
	drain.AddEnd(&result.End{Phase: 0, Dropped: 3, Unanswered: 6, UnansweredAges: latencies(3, 2*time.Second)})
	windows = append(windows, drain)

	p := plan.DefaultOpen()
	p.Host, p.Rate, p.RunTime = "http://127.0.0.1:1", plan.Rate{N: 14}, plan.Duration(2*time.Second)
	meta := result.Meta{
		ID: "run", StartedAt: time.Unix(1e9, 0), Plan: p, Endpoints: []plan.Endpoint{{Name: "GET /"}},
		Phases: []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: 2 * time.Second}},
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := result.Create(dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	b := result.NewBuilder(meta)
	for _, x := range windows {
		b.Add(x)
		if err := w.Window(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(b.Result(result.Final{Verdict: result.Verdict{Validity: result.Valid}})); err != nil {
		t.Fatal(err)
	}
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	run, err := Read(o)
	if err != nil {
		t.Fatal(err)
	}
	all, one := sampleOf(run, scope{}), sampleOf(run, scope{endpoint: "GET /"})
	if got := all.value(Metric{Kind: gate.ErrorRate}); got != 6.0/28 {
		t.Errorf("error_rate %v, want 6 unanswered of 28 that were due", got)
	}
	if got := one.value(Metric{Kind: gate.ErrorRate}); got != 3.0/25 {
		t.Errorf("error_rate of the endpoint %v, want 3 of 25: what was never sent is of no endpoint", got)
	}
	if got := all.value(Metric{Kind: gate.RPS}); got != 10 {
		t.Errorf("rps %v, want the 20 that completed in 2 s", got)
	}
	if got := all.value(Metric{Kind: gate.Percentile, Percentile: 99}); got < 1990 {
		t.Errorf("p99 %v ms, want the age of what was never answered", got)
	}
	if got := one.value(Metric{Kind: gate.Percentile, Percentile: 50}); got > 1.1*float64(fast.Max().Milliseconds()) {
		t.Errorf("p50 %v ms, want that of the answers", got)
	}
}
