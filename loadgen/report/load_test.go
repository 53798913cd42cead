package report

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func TestTheLoadIsSaidAsItWasAskedFor(t *testing.T) {
	const minute = plan.Duration(time.Minute)
	for _, row := range []struct {
		change func(*plan.Plan)
		urls   []string
		want   string
	}{
		{func(p *plan.Plan) {}, nil, "50 users for 3m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { p.Users, p.RunTime = 1, 90*minute }, nil, "1 user for 1h30m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { p.Users = 5000; p.Host = plan.Embedded }, nil, "5,000 users for 3m on the embedded server"},
		{func(p *plan.Plan) { p.Stages = []plan.Stage{{Duration: minute, To: 80}, {Duration: minute, To: 0}} }, nil, "up to 80 users in 2 stages for 2m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { p.Users = 90; p.Stages = []plan.Stage{{Duration: minute, To: 10}} }, nil, "up to 90 users in 1 stage for 1m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { *p = open(p.Host, plan.Rate{N: 200}) }, nil, "200 requests/s for 3m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { *p = open(p.Host, plan.Rate{N: 30, Per: minute}); p.Arrivals = plan.Poisson }, nil, "0.5 requests/s (Poisson) for 3m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) {
			*p = open(p.Host, plan.Rate{})
			p.Stages = []plan.Stage{{Duration: minute, To: 375}}
		}, nil, "up to 375 requests/s in 1 stage for 1m on http://127.0.0.1:8080"},
		{func(p *plan.Plan) { p.Host = "" }, []string{"https://a.example/x", "https://a.example/y"}, "50 users for 3m on https://a.example"},
		{func(p *plan.Plan) { p.Host = "" }, []string{"https://b.example/", "https://a.example/", "http://c.example"}, "50 users for 3m on http://c.example and 2 more hosts"},
		{func(p *plan.Plan) { p.Host = "" }, []string{"${BASE}/x"}, "50 users for 3m on 2 targets"},
	} {
		r := &result.Result{Plan: seedPlan()}
		row.change(&r.Plan)
		if r.Plan.Users > 1000 {
			r.Plan.SpawnRate = 100
		}
		r.DurationS = r.Plan.Length().Seconds()
		for _, u := range row.urls {
			r.Endpoints = append(r.Endpoints, result.Endpoint{URL: u})
		}
		if got := load(r); got != row.want {
			t.Errorf("got  %q\nwant %q", got, row.want)
		}
	}
}

func TestALoadThatDidNotComeToItsHeightClaimsWhatItReached(t *testing.T) {
	const minute = plan.Duration(time.Minute)
	stages := []plan.Stage{{Duration: minute, To: 100}, {Duration: minute, To: 0}}
	for _, row := range []struct {
		change  func(*plan.Plan)
		ran     time.Duration
		stopped string
		want    string // begins the headline
		warning string
	}{
		{func(p *plan.Plan) {}, 3 * time.Minute, "", "50 users for 3m on ", ""},
		{func(p *plan.Plan) {}, 6 * time.Second, "Ctrl-C", "30 of 50 users for 6s of 3m on ", "users 30 of 50: the ramp did not finish"},
		{func(p *plan.Plan) {}, 6400 * time.Millisecond, "Ctrl-C", "32 of 50 users for 6.4s of 3m on ", "users 32 of 50: the ramp did not finish"},
		{func(p *plan.Plan) {}, 10 * time.Second, "Ctrl-C", "50 users for 10s of 3m on ", ""},
		{func(p *plan.Plan) {}, 100 * time.Millisecond, "Ctrl-C", "1 of 50 users for 100ms of 3m on ", "users 1 of 50: the ramp did not finish"},
		{func(p *plan.Plan) { p.SpawnRate, p.RunTime = 1, plan.Duration(20*time.Second) }, 20 * time.Second, "", "20 of 50 users for 20s on ", "users 20 of 50: the ramp did not finish"},
		{func(p *plan.Plan) { p.Users, p.Stages = 0, stages }, 30 * time.Second, "Ctrl-C", "up to 50 of 100 users in 2 stages for 30s of 2m on ", "users 50 of 100: the ramp did not finish"},
		{func(p *plan.Plan) { p.Users, p.Stages = 0, stages }, 90 * time.Second, "Ctrl-C", "up to 100 users in 2 stages for 1m30s of 2m on ", ""},
		{func(p *plan.Plan) { *p = open(p.Host, plan.Rate{}); p.Stages = stages }, 15 * time.Second, "Ctrl-C", "up to 25 of 100 requests/s in 2 stages for 15s of 2m on ", "requests/s 25 of 100: the ramp did not finish"},
		{func(p *plan.Plan) { p.Edits = []plan.Edit{{At: 20 * time.Second, Field: plan.EditUsers, Value: 80}} }, 3 * time.Minute, "", "up to 80 users for 3m on ", ""},
		{func(p *plan.Plan) { p.Edits = []plan.Edit{{At: 4 * time.Second, Field: plan.EditUsers, Value: 10}} }, 3 * time.Minute, "", "up to 20 users for 3m on ", ""},
		{func(p *plan.Plan) { *p = open(p.Host, plan.Rate{N: 40}) }, 5 * time.Second, "Ctrl-C", "40 requests/s for 5s of 3m on ", ""},
	} {
		r := &result.Result{Plan: seedPlan(), StoppedBy: row.stopped, Interrupted: row.stopped != "", DurationS: row.ran.Seconds()}
		row.change(&r.Plan)
		r.Phases = []result.Phase{{Name: plan.Ramp, ToS: r.DurationS}, {Name: plan.Drain, FromS: r.DurationS, ToS: r.DurationS + 0.01}}
		r.DurationS += 0.01
		if got := load(r); !strings.HasPrefix(got, row.want) {
			t.Errorf("after %v: %q, want %q", row.ran, got, row.want)
		}
		if got := strings.Join(warnings(r), "\n"); got != row.warning {
			t.Errorf("after %v: warning %q, want %q", row.ran, got, row.warning)
		}
	}
}

func TestLimitsAreReadAsSentences(t *testing.T) {
	for expression, want := range map[string]string{
		"p(99)<50ms":                         "p(99) < 50 ms",
		"{GET /,phase:steady}:p(95)<=1000ms": "{GET /,phase:steady}:p(95) <= 1000 ms",
		"{GET /a<b>=c}:error_rate<1%":        "{GET /a<b>=c}:error_rate < 1 %",
		"rps>=370":                           "rps >= 370",
		"within(50ms)>=99%":                  "within(50ms) >= 99 %",
		"bytes_in<1MiB":                      "bytes_in < 1 MiB",
		"healthy==running at steady":         "healthy == running at steady",
		"time_under_provisioned<=4m41s":      "time_under_provisioned <= 4m41s",
		"scale_in_path==6,5,4,3,2":           "scale_in_path == 6,5,4,3,2",
		"back_to_min_within<=30m":            "back_to_min_within <= 30m",
		"nothing of the kind":                "nothing of the kind",
		"":                                   "",
		"<":                                  "<",
	} {
		if got := spaced(expression); got != want {
			t.Errorf("%q is read %q, want %q", expression, got, want)
		}
	}
}

func open(host string, rate plan.Rate) plan.Plan {
	p := plan.DefaultOpen()
	p.Host, p.Rate = host, rate
	return p
}

func TestAGapIsSaidWithItsCause(t *testing.T) {
	latency := func(p50, p95, p99 float64) result.Latency {
		return result.Latency{P50: p50, P95: p95, P99: p99, P999: p99, Max: p99, Count: 1000}
	}
	none := result.LagSummary{}
	for _, row := range []struct {
		raw, corrected result.Latency
		lag, slot      result.LagSummary
		pacing         bool
		want           string // parts of the sentence; none: no sentence
		why            string
	}{
		{latency(2, 4, 5), latency(2.1, 4.1, 5.2), result.LagSummary{P99: 0.2, Max: 1, Count: 9}, none, false, "", "the same, but for a timer"},
		{latency(0.2, 0.3, 0.4), latency(0.6, 0.9, 1.3), result.LagSummary{P99: 0.9, Max: 1, Count: 9}, none, false, "", "three times as much, and less than a millisecond"},
		{latency(200, 300, 400), latency(210, 320, 450), result.LagSummary{P99: 50, Max: 60, Count: 9}, none, false, "", "50 ms, and a ninth"},
		{latency(2, 3, 5), latency(2, 480, 904), result.LagSummary{P99: 0.2, Max: 1, Count: 9}, result.LagSummary{P99: 893, Max: 899, Count: 1140}, false,
			"corrected p99 is 904 ms, raw 5.00 ms|1,140 sends waited for a slot at --max-in-flight 10 (p99 893 ms): the target was slower than the load", "the cap"},
		{latency(2, 30, 500), latency(2, 90, 510), none, result.LagSummary{P99: 80, Max: 90, Count: 70}, false,
			"corrected p95 is 90.0 ms, raw 30.0 ms|70 sends", "raw has a tail of its own"},
		{latency(2, 3, 1500), latency(2, 3, 9000), none, none, true, "answers took longer than --pacing 1s", "users who are behind"},
		{latency(2, 3, 5), latency(2, 3, 900), none, none, false, "their user or slot was not free", "what is not known is not made up"},
		{result.Latency{}, result.Latency{}, none, none, false, "", "nothing succeeded"},
	} {
		r := &result.Result{Plan: seedPlan()}
		r.Plan.Model, r.Plan.MaxInFlight = plan.Open, 10
		if row.pacing {
			r.Plan.Model = plan.Closed
			r.Plan.Pacing = plan.Duration(time.Second)
		}
		r.Totals.Latency.Raw, r.Totals.Latency.Corrected = row.raw, row.corrected
		r.Health.Lag, r.Health.WaitedForSlot = row.lag, row.slot
		got := gap(r)
		if (got == "") != (row.want == "") {
			t.Errorf("%s: says %q, want %q", row.why, got, row.want)
		}
		for part := range strings.SplitSeq(row.want, "|") {
			if absent, found := strings.CutPrefix(part, "!"); found == strings.Contains(got, strings.TrimPrefix(part, "!")) {
				t.Errorf("%s: says %q, want %q (%v %s)", row.why, got, part, found, absent)
			}
		}
	}
}
