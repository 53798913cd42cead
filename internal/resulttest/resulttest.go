// Package resulttest writes results whose figures a test says, where a real run's would depend on the machine. They are
// written by result.Writer and so are like any other on disk. It is for tests alone.
package resulttest

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Run says what a result holds: Rate requests due each second for Seconds, GET /, all answered, with a latency uniform
// between 0.9 and 1.1 of Latency.
type Run struct {
	Started time.Time
	Tags    map[string]string
	Rate    int
	Seconds int
	Latency time.Duration
	Seed    uint64 // of the spread
}

// Write writes r as dir.
func Write(t testing.TB, dir string, r Run) {
	t.Helper()
	if err := Make(dir, r); err != nil {
		t.Fatal(err)
	}
}

// Make is Write where no test is at hand, as in a command of a script.
func Make(dir string, r Run) error {
	p := plan.DefaultOpen()
	p.Host, p.Tags = "http://127.0.0.1:1", r.Tags
	p.Rate = plan.Rate{N: float64(r.Rate), Per: plan.Duration(time.Second)}
	p.RunTime = plan.Duration(time.Duration(r.Seconds) * time.Second)
	p.Targets = []plan.Target{{Method: "GET", URL: "/", Weight: 1}}
	meta := result.Meta{
		ID: filepath.Base(dir), StartedAt: r.Started, Plan: p, Endpoints: []plan.Endpoint{{Name: "GET /", Method: "GET", URL: "/"}},
		Phases:    []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: time.Duration(r.Seconds) * time.Second}},
		Generator: result.Generator{CPUs: 2},
	}
	w, err := result.Create(dir, meta)
	if err != nil {
		return err
	}
	b := result.NewBuilder(meta)
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	for i := range r.Seconds {
		h := &result.Histogram{}
		for range r.Rate {
			h.Record(time.Duration((0.9 + 0.2*rng.Float64()) * float64(r.Latency)))
		}
		n := int64(r.Rate)
		win := &result.Window{
			From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second, Name: plan.Steady, Offered: n, Sent: n, Ended: i == r.Seconds-1,
			Endpoints: []result.EndpointWindow{{Requests: n, Status: map[int]int64{200: n}, Raw: h, Corrected: h}},
		}
		if err := w.Window(win); err != nil {
			return err
		}
		b.Add(win)
	}
	if err := w.Close(); err != nil {
		return err
	}
	return w.Finish(b.Result(result.Final{Verdict: result.Verdict{Validity: result.Valid, ExitName: "passed"}}))
}
