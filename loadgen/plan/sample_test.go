package plan

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sampleOf(seed uint64, ratio float64) Sample {
	p := Default()
	p.Seed, p.Client.TraceRatio = seed, ratio
	return p.Traced()
}

// Of n independent draws with probability p some p·n belong to a sample: within 6 standard deviations, but once in
// 500 million times.
func TestASampleHasItsShareOfEachUsersRequestsAndOfThoseOfARate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(0, MaxSeed).Draw(t, "seed")
		ratio := rapid.SampledFrom([]float64{0.01, 0.1, 0.5, 0.9}).Draw(t, "ratio")
		s := sampleOf(seed, ratio)
		const n = 20_000
		count := func(has func(i int) bool) float64 {
			var hits float64
			for i := range n {
				if has(i) {
					hits++
				}
			}
			return hits
		}
		for name, got := range map[string]float64{
			"one user's":                 count(func(i int) bool { return s.Has(3, 0, uint64(i)) }),
			"many users' first":          count(func(i int) bool { return s.Has(i, 0, 1) }),
			"one user's of generations":  count(func(i int) bool { return s.Has(0, i, 1) }),
			"of seeds beside each other": count(func(i int) bool { return sampleOf((seed+uint64(i))&MaxSeed, ratio).Has(0, 0, 1) }),
		} {
			if sigma := math.Sqrt(n * ratio * (1 - ratio)); math.Abs(got-n*ratio) > 6*sigma {
				t.Fatalf("%s requests: %v of %d, want %v ± %.0f", name, got, n, n*ratio, 6*sigma)
			}
		}
	})
}

func TestASampleIsTheSameEachTimeAndGrowsWithItsShare(t *testing.T) {
	few, many, none, all := sampleOf(7, 0.1), sampleOf(7, 0.3), sampleOf(7, 0), sampleOf(7, 1)
	for i := range uint64(5000) {
		if few.Has(1, 2, i) != sampleOf(7, 0.1).Has(1, 2, i) {
			t.Fatalf("request %d is in it, or not", i)
		}
		if few.Has(1, 2, i) && !many.Has(1, 2, i) {
			t.Fatalf("request %d is in a tenth and not in three", i)
		}
		if none.Has(1, 2, i) || !all.Has(1, 2, i) {
			t.Fatalf("request %d is in none, or not in all", i)
		}
	}
	if !none.Empty() || all.Empty() || few.Empty() {
		t.Error("only a share of 0 is empty")
	}
	has := false
	if n := testing.AllocsPerRun(100, func() { has = none.Has(1, 2, 3) || few.Has(1, 2, 3) }); n != 0 {
		t.Errorf("%v allocations (%v)", n, has)
	}
}

func TestTracesThatCannotBeAreRefused(t *testing.T) {
	for _, tt := range []struct {
		why   string
		ratio float64
		own   http.Header // of the client
		of    http.Header // of a target
		want  string
	}{
		{"a share", 0.01, nil, nil, ""},
		{"all", 1, nil, nil, ""},
		{"one's own trace", 0, http.Header{"traceparent": {"00-…"}}, nil, ""},
		{"more than all", 1.01, nil, nil, `client.trace_ratio "1.01": want a share of the requests, 0 to 1, e.g. 0.01`},
		{"less than none", -0.1, nil, nil, `client.trace_ratio "-0.1": want a share of the requests, 0 to 1, e.g. 0.01`},
		{"no number", math.NaN(), nil, nil, `client.trace_ratio "NaN": want a share of the requests, 0 to 1, e.g. 0.01`},
		{"two traces", 0.01, http.Header{"traceparent": {"00-…"}}, nil, "client.header.Traceparent: is written by --trace-ratio: leave one of them out"},
		{"two traces of a target", 0.01, nil, http.Header{"X-AMZN-Trace-Id": {"Root=1-…"}}, "targets[0].header.X-Amzn-Trace-Id: is written by --trace-ratio: leave one of them out"},
	} {
		p := Default()
		p.Host, p.Client.TraceRatio, p.Client.Header = "http://api.test", tt.ratio, tt.own
		p.Targets[0].Header = tt.of
		err := p.Validate()
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(got, tt.want) {
			t.Errorf("%s: %v, want %q", tt.why, err, tt.want)
		}
	}
}
