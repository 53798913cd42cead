package result

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

// fakeRun is a run as a recorder would have told it, with every one of its requests kept.
type fakeRun struct {
	meta     Meta
	windows  []*Window
	requests []fakeRequest
	dropped  int64
}

type fakeRequest struct {
	endpoint, phase, in       int // the phases in which it was due, and in which it completed
	sent, end                 time.Duration
	raw, corrected            time.Duration
	firstByte, connect        time.Duration
	status                    int
	kind, message, servedBy   string // kind is empty for a success
	bytesIn                   int64
	retried, truncated, moved bool
}

// fakeLoad says what to make up.
type fakeLoad struct {
	seed      uint64
	endpoints int
	perSecond int
	phases    []plan.Phase // the last is the drain
	drain     time.Duration
	start     time.Time
	users     int
	median    time.Duration
	flawless  bool // no failures and other rare things
	traced    bool // each fifth request carries a trace
}

var fakeStart = time.Date(2025, 11, 24, 8, 0, 0, 123_456_789, time.UTC)

func seedPhases(load time.Duration) []plan.Phase {
	return []plan.Phase{{Name: plan.Ramp}, {Name: plan.Steady, From: 9800 * time.Millisecond}, {Name: plan.Drain, From: load}}
}

// smallLoad is half a minute with everything that a run can show.
func smallLoad() fakeLoad {
	return fakeLoad{seed: 1, endpoints: 3, perSecond: 40, phases: seedPhases(30 * time.Second), drain: 1300 * time.Millisecond, start: fakeStart, users: 50, median: 3 * time.Millisecond}
}

func (l fakeLoad) meta() Meta {
	m := Meta{
		ID: fmt.Sprintf("run-%d", l.seed), StartedAt: l.start, Phases: l.phases,
		Plan: plan.Default(),
		Generator: Generator{
			Version: "v1.2.3", Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 2, CPULimit: 1.5, CPULimitSource: "cgroup v2",
			MemoryLimitBytes: Unknown(), FileLimit: 1024, Hostname: fmt.Sprintf("generator-%d", l.seed),
		},
	}
	m.Plan.Host, m.Plan.Users, m.Plan.Seed = "http://127.0.0.1:8080", l.users, l.seed
	m.Plan.RunTime = plan.Duration(m.planned())
	names := []string{"GET /", "GET /health", "POST /items/{id}?a=b&c, 100 %|ü"}
	for i := range l.endpoints {
		name := fmt.Sprintf("GET /path/%d", i)
		if i < len(names) {
			name = names[i]
		}
		m.Endpoints = append(m.Endpoints, plan.Endpoint{Name: name, Method: "GET", URL: "http://127.0.0.1:8080/" + fmt.Sprint(i)})
	}
	return m
}

func (l fakeLoad) run() *fakeRun {
	r := &fakeRun{meta: l.meta(), dropped: 3}
	rng := rand.New(rand.NewPCG(l.seed, 42))
	load := r.meta.planned()
	end := load + l.drain
	var slow []Example
	for from := time.Duration(0); from < end; {
		w := l.window(from, end)
		requests := int(math.Round(float64(l.perSecond) * w.Seconds()))
		if w.Name == plan.Drain {
			requests /= 8
		}
		for range requests {
			x := l.request(rng, w)
			if w.Phase > 0 && (w.Name == plan.Drain || rng.IntN(10) == 0) {
				x.phase = w.Phase - 1
			}
			r.requests = append(r.requests, x)
			r.count(w, x)
			example := Example{At: x.sent, Endpoint: r.meta.Endpoints[x.endpoint].Name, Status: x.status, Latency: x.corrected, ServedBy: x.servedBy, Error: x.message, Retried: x.retried}
			if l.traced && len(r.requests)%5 == 0 {
				example.TraceID = fmt.Sprintf("%032x", len(r.requests))
			}
			if traced := example; traced.TraceID != "" && x.kind != "" {
				traced.Latency = x.raw
				w.Exemplars.Failed = append(w.Exemplars.Failed, traced)
			} else if traced.TraceID != "" {
				w.Exemplars.Slowest = append(w.Exemplars.Slowest, traced)
			}
			if x.kind != "" {
				example.Latency = x.raw
				w.FailedExamples = append(w.FailedExamples, example)
			} else if len(slow) < MaxExamples || example.Latency > slow[MaxExamples-1].Latency {
				w.Slowest = append(w.Slowest, example)
				slow = append(slow, example)
				slices.SortStableFunc(slow, func(a, b Example) int { return cmp.Compare(b.Latency, a.Latency) })
				slow = slow[:min(len(slow), MaxExamples)]
			}
		}
		w.Offered = int64(requests)
		w.Users, w.InFlight = l.users, rng.IntN(l.users+1)
		w.Clamped = int64(rng.IntN(2))
		if from == r.meta.Phases[w.Phase].From {
			w.Events = append(w.Events, Event{from, EventPhase, w.Name})
		}
		if w.To == w.To.Truncate(time.Second) {
			w.Health = append(w.Health, Health{
				CPU: Reading(rng.Float64() / 10), Throttled: 0, Steal: Reading(rng.Float64() / 1e4), GC: Reading(rng.Float64() / 1e3),
				RSS: Reading(20e6 + rng.IntN(1e6)), OpenFiles: Unknown(),
			})
		}
		if w.From == 3*time.Second {
			w.Standstill = Standstill{Freezes: 2, Longest: 35 * time.Millisecond, Frozen: 47123 * time.Microsecond, Jumps: 1, Jumped: -12 * time.Millisecond}
		}
		if w.To == end {
			last, age := w.Phase-1, &Histogram{}
			age.Record(time.Second)
			// Sent, and unanswered at the end of the drain; and three that were never sent.
			w.AddPart(&Part{Phase: last, Sent: 1, Endpoints: []EndpointWindow{{Abandoned: 1, Unanswered: age, UnansweredRaw: age}}})
			w.AddEnd(&End{Phase: last, Dropped: 2, Unanswered: 3, UnansweredAges: Sum(age, age)})
			w.AddEnd(&End{Phase: 0, Dropped: 1, OwnDrops: 1})
			w.Ended = true
			w.Offered += 1 + r.dropped
			w.Events = append(w.Events, Event{end, EventWarning, "1 request was abandoned"})
		}
		r.windows = append(r.windows, w)
		from = w.To
	}
	return r
}

// window is the one that begins at an instant: to the next whole second, or where a phase ends.
func (l fakeLoad) window(from, end time.Duration) *Window {
	w := &Window{From: from, To: min(from.Truncate(time.Second)+time.Second, end)}
	for i, p := range l.phases {
		if p.From <= from {
			w.Phase, w.Name = i, p.Name
		} else {
			w.To = min(w.To, p.From)
			break
		}
	}
	return w
}

func (l fakeLoad) request(rng *rand.Rand, w *Window) fakeRequest {
	lognormal := func(median time.Duration, sigma float64) time.Duration {
		return time.Duration(float64(median) * math.Exp(sigma*rng.NormFloat64()))
	}
	x := fakeRequest{
		endpoint: rng.IntN(l.endpoints), phase: w.Phase, in: w.Phase, end: w.From + time.Duration(rng.Int64N(int64(w.To-w.From))),
		status: 200, servedBy: "task-" + string(rune('a'+rng.IntN(3))), bytesIn: int64(30 + rng.IntN(10)),
	}
	x.raw = lognormal(l.median, 0.25)
	if rng.Float64() < 0.1 {
		x.raw = lognormal(l.median*5/2, 1)
	}
	x.corrected = x.raw + time.Duration(rng.ExpFloat64()*float64(100*time.Microsecond))
	x.firstByte = x.raw * 9 / 10
	x.sent = max(x.end-x.raw, 0)
	if rng.Float64() < 0.1 {
		x.connect = lognormal(400*time.Microsecond, 0.3)
	}
	switch n := rng.IntN(100); {
	case l.flawless:
	case n == 0:
		x.status, x.kind, x.message = 503, "status", "503 Service Unavailable"
	case n == 1:
		x.status, x.kind, x.message, x.servedBy, x.bytesIn = 0, "connection_refused", "connection refused", "", 0
	case n == 2:
		x.retried = true
	case n == 3:
		x.truncated = true
	case n == 4:
		x.moved = true
	}
	return x
}

// count counts a request in the window in which it ended.
func (r *fakeRun) count(w *Window, x fakeRequest) {
	p := Part{Phase: x.phase, Sent: 1, Lag: &Histogram{}}
	p.endpoint(x.endpoint).countRequest(x)
	p.Lag.Record(x.corrected - x.raw)
	if x.connect > 0 {
		w.Connections.Opened++
		addCounts(&w.Connections.ByAddress, map[string]int64{"10.0.0.1:80": 1})
	} else {
		w.Connections.Reused++
	}
	if x.retried {
		w.Connections.Retried++
	}
	if x.servedBy != "" {
		addCounts(&w.ServedBy, map[string]int64{x.servedBy: 1})
	}
	if x.moved {
		p.SlotWait = p.Lag
	}
	w.AddPart(&p)
}

func (e *EndpointWindow) countRequest(x fakeRequest) {
	record := func(h **Histogram, d time.Duration) {
		if *h == nil {
			*h = &Histogram{}
		}
		(*h).Record(d)
	}
	e.Requests++
	e.BytesIn += x.bytesIn
	e.BytesOut += 5
	if x.status != 0 {
		if e.Status == nil {
			e.Status = map[int]int64{}
		}
		e.Status[x.status]++
	}
	for _, flag := range []struct {
		is bool
		n  *int64
	}{{x.retried, &e.Retried}, {x.truncated, &e.Truncated}, {x.moved, &e.Redirects}} {
		if flag.is {
			*flag.n++
		}
	}
	if x.connect > 0 {
		record(&e.Connect, x.connect)
	}
	if x.kind != "" {
		e.Failures++
		e.addError(ErrorCount{x.kind, x.message, 1, x.end, x.end})
		record(&e.Failed, x.raw)
		return
	}
	record(&e.Raw, x.raw)
	record(&e.Corrected, x.corrected)
	record(&e.FirstByte, x.firstByte)
}

// final is how every fake run ends.
func (r *fakeRun) final() Final {
	return Final{
		Verdict: Verdict{Validity: Valid, ExitName: "passed"},
		Health: HealthSummary{
			Lag: LagSummary{P50: 0.1, P99: 0.5, Max: 1, Count: 1}, CPU: CPUSummary{UsedRatioMax: 0.1, UsedRatioMean: 0.05, StealRatio: Unknown()},
			GCRatio: 0.001, RSSMaxBytes: 21e6, OpenFilesMax: Unknown(), Unknown: []string{"open_files"},
		},
		Thresholds: []Outcome{{Expression: "p(99)<50ms", Value: 31.2, Passed: true, Detail: "31.2 ms"}},
	}
}

func (r *fakeRun) builder() *Builder {
	b := NewBuilder(r.meta)
	for _, w := range r.windows {
		b.Add(w)
	}
	return b
}

// write keeps the run in a directory, up to a number of windows; all of them and result.json when
// until is negative.
func (r *fakeRun) write(t testing.TB, dir string, until int) {
	t.Helper()
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	for i, win := range r.windows {
		if i == until {
			return // as a killed process leaves it: nothing is closed
		}
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(r.builder().Result(r.final())); err != nil {
		t.Fatal(err)
	}
}

// mustEqual compares two values as JSON and names the first field that differs.
func mustEqual(t testing.TB, got, want any) {
	t.Helper()
	d, found, err := differ(got, want)
	if err != nil {
		t.Fatal(err)
	}
	if found {
		t.Fatalf("field %s is %s, want %s", d.path, d.a, d.b)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
