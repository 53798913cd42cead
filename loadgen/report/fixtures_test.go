package report

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const (
	ms = time.Millisecond
	us = time.Microsecond
)

// sample is a run made up for a test, whole: windows, and the result that they add up to.
type sample struct {
	meta    result.Meta
	windows []*result.Window
	final   result.Final
	options Options
	summed  *result.Result
}

func (s *sample) result() *result.Result {
	if s.summed != nil {
		return s.summed
	}
	b := result.NewBuilder(s.meta)
	for _, w := range s.windows {
		b.Add(w)
	}
	f := s.final
	f.Health.Lag, f.Health.WaitedForSlot = result.SummaryOfLag(b.Lag()), result.SummaryOfLag(b.SlotWait())
	s.summed = b.Result(f)
	return s.summed
}

func (s *sample) each() iter.Seq2[*result.Window, error] {
	return func(yield func(*result.Window, error) bool) {
		for _, w := range s.windows {
			if !yield(w, nil) {
				return
			}
		}
	}
}

func (s *sample) input() Input {
	return Input{Result: s.result(), Windows: s.each(), Options: s.options}
}

// begin lays out a run's windows as the recorder does: a second each, cut where a phase ends. It
// stops at until, or after a drain of 40 ms when that is zero.
func begin(p plan.Plan, until time.Duration, names ...string) *sample {
	s := &sample{
		meta: result.Meta{
			ID: "20260304T050607Z-1f3a", StartedAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Plan: p, Phases: p.Phases(),
			Generator: result.Generator{
				Version: "1.2.3", Go: "go1.26.0", OS: "linux", Arch: "amd64", Hostname: "gen-1",
				CPUs: 8, CPULimit: 2, CPULimitSource: "cgroup v2", MemoryLimitBytes: 1 << 30, FileLimit: 65536,
			},
		},
		final: result.Final{
			Verdict: result.Verdict{Validity: result.Valid, ExitName: "passed"},
			Health: result.HealthSummary{
				CPU:     result.CPUSummary{UsedRatioMax: 0.311, UsedRatioMean: 0.1244, ThrottledRatio: 0, StealRatio: 0.0021},
				GCRatio: 0.0007, RSSMaxBytes: 38 << 20, OpenFilesMax: 71,
			},
		},
		options: Options{Dir: "loadgen-results/20260304T050607Z"},
	}
	for _, name := range names {
		s.meta.Endpoints = append(s.meta.Endpoints, plan.Endpoint{Name: name, Method: "GET", URL: p.Host + "/"})
	}
	phases := s.meta.Phases
	end := phases[len(phases)-1].From
	if until == 0 {
		until = end + 40*ms
	}
	for from, phase := time.Duration(0), 0; from < until; {
		to := min(from.Truncate(time.Second)+time.Second, until)
		if phase+1 < len(phases) {
			to = min(to, phases[phase+1].From)
		}
		if to > from {
			w := &result.Window{From: from, To: to, Phase: phase, Name: phases[phase].Name}
			for i := range s.meta.Endpoints {
				w.Endpoints = append(w.Endpoints, result.EndpointWindow{Endpoint: i})
			}
			s.windows = append(s.windows, w)
		}
		from = to
		if phase+1 < len(phases) && from == phases[phase+1].From {
			phase++
		}
	}
	return s
}

// done counts a success whose send was late by the lag and the wait for a slot.
func done(w *result.Window, endpoint int, raw, lag, wait time.Duration) {
	doneN(w, endpoint, 1, raw, lag, wait)
}

// doneN counts n successes that took the same.
func doneN(w *result.Window, endpoint int, n int64, raw, lag, wait time.Duration) {
	e := &w.Endpoints[endpoint]
	e.Requests += n
	e.BytesIn += 27 * n
	if e.Status == nil {
		e.Status = map[int]int64{}
	}
	e.Status[200] += n
	record(&e.Raw, raw, n)
	record(&e.Corrected, raw+lag+wait, n)
	record(&e.FirstByte, raw*9/10, n)
	record(&w.Lag, lag, n)
	if wait > 0 {
		record(&w.SlotWait, wait, n)
	}
	w.Sent += n
	w.Offered += n
}

// failed counts a failure at an instant of the window.
func failed(w *result.Window, endpoint int, at, after time.Duration, kind, message string) {
	e := &w.Endpoints[endpoint]
	e.Requests++
	e.Failures++
	record(&e.Failed, after, 1)
	record(&w.Lag, 100*us, 1)
	w.Sent++
	w.Offered++
	for i := range e.Errors {
		if x := &e.Errors[i]; x.Message == message {
			x.Count++
			x.First, x.Last = min(x.First, at), max(x.Last, at)
			return
		}
	}
	e.Errors = append(e.Errors, result.ErrorCount{Kind: kind, Message: message, Count: 1, First: at, Last: at})
}

func record(h **result.Histogram, d time.Duration, n int64) {
	if *h == nil {
		*h = &result.Histogram{}
	}
	(*h).RecordN(d, n)
}

// about is a latency around d with a tail, as services have.
func about(r *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.3*r.ExpFloat64()))
}

// users makes n users send, as the closed model does, at 7.7 requests a second each when steady.
func (s *sample) users(seed uint64, lag time.Duration) {
	r := rand.New(rand.NewPCG(seed, 4))
	for _, w := range s.windows {
		w.Users = int(min(w.To.Seconds()*s.meta.Plan.SpawnRate+1, float64(s.meta.Plan.Users)))
		n := int64(float64(w.Users) * 7.788 * w.Seconds())
		if w.Name == plan.Drain {
			n = 3
		}
		for left := n; left > 0; left -= 8 { // eight alike: the tests read percentiles, not a million records
			doneN(w, r.IntN(len(s.meta.Endpoints)), min(left, 8), about(r, 2*ms), about(r, lag), 0)
		}
		w.Connections = result.Connections{Reused: n}
	}
	for range s.meta.Plan.Users {
		record(&s.windows[0].Endpoints[0].Connect, about(r, 150*us), 1)
	}
	s.windows[0].Connections = result.Connections{Opened: int64(s.meta.Plan.Users), Reused: 1, ByAddress: map[string]int64{"127.0.0.1:8080": int64(s.meta.Plan.Users)}}
}

func seedPlan() plan.Plan {
	p := plan.Default()
	p.Host = "http://127.0.0.1:8080"
	p.Seed = 42
	return p
}

// The runs that goldens show.

func seedRun() *sample {
	s := begin(seedPlan(), 0, "GET /", "GET /health")
	s.users(1, 90*us)
	s.windows[0].ServedBy = map[string]int64{"api-7d4b": 34_000}
	s.windows[1].ServedBy = map[string]int64{"api-9c1e": 33_312}
	return s
}

func suspectRun() *sample {
	p := seedPlan()
	p.Host = "https://api.example.com"
	p.Thresholds = []string{"p(99)<50ms", "error_rate<1%"}
	p.Name, p.Tags = "nightly", map[string]string{"commit": "4e1f09", "branch": "main"}
	s := begin(p, 0, "GET /", "GET /health")
	s.users(2, 6*ms)
	s.windows[0].Connections.ByAddress = map[string]int64{"203.0.113.7:443": 50}
	s.final.Verdict.Validity = result.Suspect
	s.final.Verdict.Reasons = []result.Reason{
		{Code: "lag", Level: result.Suspect, Detail: "p99 of the generator's own lag was 14.2 ms (limit 10 ms): give it more CPU, or share the load among more generators"},
		{Code: "throttled", Level: result.Suspect, Detail: "the generator's control group held it back for 3.1 % of the time (limit 1 %): raise its CPU limit, or share the load among more generators"},
		{Code: "probe_unknown", Level: result.Valid, Detail: "could not be read, so that no rule was applied to it: steal"},
	}
	s.final.Health.CPU = result.CPUSummary{UsedRatioMax: 0.88, UsedRatioMean: 0.61, ThrottledRatio: 0.031, StealRatio: result.Unknown()}
	s.final.Thresholds = []result.Outcome{
		{Expression: "p(99)<50ms", Value: 21.4, Passed: true, Detail: "was 21.4 ms"},
		{Expression: "error_rate<1%", Value: 0, Passed: true, Detail: "was 0.00 % (0 of 68,796 requests)"},
	}
	return s
}

func invalidRun() *sample {
	p := seedPlan()
	p.Thresholds = []string{"p(99)<50ms"}
	s := begin(p, 0, "GET /", "GET /health")
	s.users(3, 80*ms)
	s.final.Verdict = result.Verdict{
		Validity: result.Invalid, ExitCode: 96, ExitName: "generator unhealthy",
		Reasons: []result.Reason{
			{Code: "lag", Level: result.Invalid, Detail: "p99 of the generator's own lag was 174 ms (limit 100 ms): give it more CPU, or share the load among more generators"},
			{Code: "cpu", Level: result.Invalid, Detail: "the generator used 95 % or more of the 0.25 CPUs that it may use (ECS task) in 151 of 180 s (limit 10 % of them): give it more CPU, or share the load among more generators"},
		},
	}
	s.final.Health.CPU = result.CPUSummary{UsedRatioMax: 1, UsedRatioMean: 0.97, ThrottledRatio: 0.31, StealRatio: 0.0021}
	s.meta.Generator.CPULimit, s.meta.Generator.CPULimitSource = 0.25, "ECS task"
	s.final.Thresholds = []result.Outcome{{Expression: "p(99)<50ms", Value: 181, Detail: "was 181 ms"}}
	return s
}

// interruptedRun was stopped by a person while part of the service was down.
func interruptedRun() *sample {
	p := seedPlan()
	p.Host = "http://orders.internal.example.com:8080"
	p.Thresholds = []string{"error_rate<1%", "{GET /health,phase:steady}:p(99)<20ms"}
	s := begin(p, 72*time.Second, "GET /", "GET /health")
	s.users(4, 90*us)
	r := rand.New(rand.NewPCG(5, 5))
	for _, w := range s.windows[20:40] {
		for range 4 {
			failed(w, 0, w.From+300*ms, about(r, 300*us), "connection_refused", "connection refused")
		}
		if w.From == 25*time.Second {
			failed(w, 1, w.From+700*ms, 10*time.Second, "timeout", "timeout after 10s")
		}
		failed(w, 1, w.From+100*ms, about(r, 3*ms), "status", "503 Service Unavailable")
	}
	w := s.windows[len(s.windows)-1]
	age := &result.Histogram{}
	age.RecordN(900*ms, 2)
	w.AddPart(&result.Part{Phase: w.Phase - 1, Sent: 2, Endpoints: []result.EndpointWindow{{Abandoned: 2, Unanswered: age, UnansweredRaw: age}}})
	w.AddEnd(&result.End{Phase: w.Phase - 1, Dropped: 1, OwnDrops: 1, Unanswered: 2})
	w.Ended = true
	w.Offered += 3
	s.windows[0].Connections.ByAddress = map[string]int64{"203.0.113.7:8080": 30, "203.0.113.9:8080": 20}
	s.windows[1].Connections.Retried = 3
	s.final.Interrupted, s.final.StoppedBy = true, "signal: interrupt"
	s.final.Verdict.ExitCode, s.final.Verdict.ExitName = 105, "interrupted"
	s.final.Thresholds = []result.Outcome{
		{Expression: "error_rate<1%", Value: 0.0039, Passed: true, Detail: "was 0.39 % (101 of 25,897 requests)"},
		{Expression: "{GET /health,phase:steady}:p(99)<20ms", Value: 4.8, Passed: true, Detail: "was 4.80 ms"},
	}
	s.final.Warnings = []string{"--csv: no more history: write out_stats_history.csv: no space left on device"}
	return s
}

// cappedRun is the server that holds everything for a second in each ten, behind ten slots.
func cappedRun() *sample {
	p := plan.DefaultOpen()
	p.Host, p.Rate, p.RunTime, p.MaxInFlight = "http://127.0.0.1:8080", plan.Rate{N: 200}, plan.Duration(time.Minute), 10
	s := begin(p, 0, "GET /")
	for i, w := range s.windows {
		for k := range 200 {
			if w.Name == plan.Drain {
				break
			}
			switch lag := time.Duration(k) * us; {
			case i%10 != 5:
				done(w, 0, 2*ms, lag, 0)
			case k < 10:
				done(w, 0, time.Second-time.Duration(k)*5*ms, lag, 0)
			default:
				done(w, 0, 2*ms, lag, time.Second-time.Duration(k)*5*ms)
			}
		}
	}
	s.final.Verdict.Validity = result.Suspect
	s.final.Verdict.Reasons = []result.Reason{{Code: "max_in_flight", Level: result.Suspect,
		Detail: "the cap was reached: max-in-flight made 9.4 % of the sends wait longer than 10 ms (limit 1 %), because the target answered too slowly; corrected latency holds the wait, raw latency does not"}}
	s.final.Thresholds = []result.Outcome{{Expression: "p(99)<100ms", Value: 900, Detail: "was 900 ms"}}
	s.final.Verdict.ExitCode, s.final.Verdict.ExitName = 99, "threshold failed"
	return s
}

// refusedRun had no listener: every request failed.
func refusedRun() *sample {
	p := seedPlan()
	p.Users, p.RunTime = 1, plan.Duration(5*time.Second)
	s := begin(p, 0, "GET /", "GET /health")
	for _, w := range s.windows {
		failed(w, 0, w.From+1*ms, 200*us, "connection_refused", "connection refused")
		failed(w, 1, w.From+2*ms, 300*us, "connection_refused", "connection refused")
	}
	return s
}

// emptyRun was cut before its first answer.
func emptyRun() *sample {
	s := begin(seedPlan(), 500*ms, "GET /", "GET /health")
	s.final.Verdict.Validity = result.Suspect
	s.final.Verdict.Reasons = []result.Reason{{Code: "nothing_sent", Level: result.Suspect, Detail: "nothing was sent, so the generator's timing is unknown"}, {Code: "cut", Level: result.Suspect, Detail: "the process ended before the run did"}}
	s.final.Health = result.HealthSummary{
		CPU:     result.CPUSummary{UsedRatioMax: result.Unknown(), UsedRatioMean: result.Unknown(), ThrottledRatio: result.Unknown(), StealRatio: result.Unknown()},
		GCRatio: result.Unknown(), RSSMaxBytes: result.Unknown(), OpenFilesMax: result.Unknown(),
	}
	s.final.Cut, s.final.Interrupted, s.final.StoppedBy = true, true, result.StoppedByCut
	s.final.Warnings = []string{"this run was cut: its process ended before the first interval was complete"}
	return s
}

// manyRun has 500 endpoints with names longer than a screen, stages, many replicas, and came from three generators.
func manyRun() *sample {
	p := seedPlan()
	p.Host = ""
	p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
	p.Stages = []plan.Stage{{Duration: plan.Duration(20 * time.Second), To: 1200}, {Duration: plan.Duration(time.Minute), To: 1200}, {Duration: plan.Duration(10 * time.Second), To: 0}}
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("GET /api/v2/tenants/{tenant}/warehouses/{warehouse}/shelves/{shelf}/articles/%03d/stock", i))
	}
	names[7] = "POST /login"
	s := begin(p, 0, names...)
	for i := range s.meta.Endpoints {
		s.meta.Endpoints[i].URL = fmt.Sprintf("https://shop-%d.example.com/x", i%3)
	}
	r := rand.New(rand.NewPCG(6, 6))
	for _, w := range s.windows {
		w.Users = 1200
		for range 100 {
			doneN(w, 12+r.IntN(488), 10, about(r, 40*ms), about(r, 200*us), 0)
		}
		for i := range 12 { // they have fewer requests than the others, and all of the errors
			done(w, i, about(r, 40*ms), about(r, 200*us), 0)
			failed(w, i, w.From+500*ms, about(r, 200*us), "status", fmt.Sprintf("5%02d Something Went Wrong", i))
		}
		w.ServedBy = map[string]int64{}
		for i := range 9 {
			w.ServedBy[fmt.Sprintf("arn:aws:ecs:eu-central-1:123456789012:task/shop/%032d", i)] = int64(100 + i)
		}
	}
	s.windows[0].Connections = result.Connections{Opened: 1200, Reused: 90_000, ByAddress: map[string]int64{}}
	for i := range 9 {
		s.windows[0].Connections.ByAddress[fmt.Sprintf("203.0.113.%d:443", i)] = int64(100 + i)
	}
	s.windows[3].Endpoints[1].Truncated = 2
	s.final.MergedFrom = []result.Source{
		{ID: "a", Hostname: "gen-1", Validity: result.Valid}, {ID: "b", Hostname: "gen-2", Validity: result.Suspect}, {ID: "c", Validity: result.Valid},
	}
	s.final.StoppedBy = "abort-on error_rate>50%: error_rate was 61 %"
	s.final.Verdict.Reasons = []result.Reason{{Code: "warning", Level: result.Valid, Detail: "7 names of endpoints share one line"}}
	s.final.Warnings = []string{"7 names of endpoints share one line"}
	s.final.Deliveries = []result.Delivery{{
		To: "CloudWatch, namespace LoadGen, service checkout", What: "datums", Sent: 1432, Lost: 12, Calls: 9, Retries: 2, Reason: "HTTP 503 until the run had to end",
	}}
	return s
}
