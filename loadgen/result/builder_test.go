package result

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
)

// tally counts the requests of a run that are asked for: the obvious way to any figure.
func (r *fakeRun) tally(of func(fakeRequest) bool) *EndpointWindow {
	e := &EndpointWindow{}
	for _, x := range r.requests {
		if of(x) {
			e.countRequest(x)
		}
	}
	return e
}

func TestAResultIsWhatItsRequestsAddUpTo(t *testing.T) {
	r := smallLoad().run()
	got := r.builder().Result(r.final())

	loaded := func(x fakeRequest) bool { return r.meta.Phases[x.in].Name != plan.Drain }
	check := func(name string, got Stats, of, inRate func(fakeRequest) bool, seconds float64, abandoned, unanswered int64) {
		t.Helper()
		e := r.tally(of)
		e.Abandoned = abandoned
		rate := float64(r.tally(inRate).Requests) / seconds
		mustEqual(t, got, e.stats(r.meta.StartedAt, rate, missed{&unanswered, new(int64(0))}))
	}
	check("totals", got.Totals.Stats, func(fakeRequest) bool { return true }, loaded, 30, 1, 3)
	for i, e := range got.Endpoints {
		var abandoned int64
		if i == 0 {
			abandoned = 1
		}
		check(e.Name, e.Stats, func(x fakeRequest) bool { return x.endpoint == i }, func(x fakeRequest) bool { return x.endpoint == i && loaded(x) }, 30, abandoned, abandoned)
	}
	spans := []struct{ from, to float64 }{{0, 9.8}, {9.8, 30}, {30, 31.3}}
	for i, p := range got.Phases {
		if p.FromS != spans[i].from || p.ToS != spans[i].to || p.Name != r.meta.Phases[i].Name {
			t.Errorf("phase %d is %s from %v to %v", i, p.Name, p.FromS, p.ToS)
		}
		var abandoned, unanswered int64
		if p.Name == plan.Steady { // the last in which something was due
			abandoned, unanswered = 1, 3
		}
		check(p.Name, p.Totals, func(x fakeRequest) bool { return x.phase == i },
			func(x fakeRequest) bool { return x.in == i && p.Name != plan.Drain }, spans[i].to-spans[i].from, abandoned, unanswered)
		if p.Name == plan.Drain && (p.Totals.Requests != 0 || p.Totals.RequestsPerSecond != 0) {
			t.Errorf("the drain has %d requests of its own", p.Totals.Requests)
		}
	}

	sent := int64(len(r.requests)) + 1
	if got.Totals.Sent != sent || Known(got.Totals.Dropped) != 3 || Known(got.Totals.OwnDrops) != 1 || got.Totals.Offered != sent+3 {
		t.Errorf("offered %d, sent %d, dropped %d; want %d sent", got.Totals.Offered, got.Totals.Sent, Known(got.Totals.Dropped), sent)
	}
	if len(got.Warnings) != 0 {
		t.Errorf("warnings %q of a run whose counts add up", got.Warnings)
	}
	var clamped int64
	for _, w := range r.windows {
		clamped += w.Clamped
	}
	if b := r.builder(); b.Clamped() != clamped || clamped == 0 {
		t.Errorf("%d clamped, want %d", b.Clamped(), clamped)
	}
	if got.DurationS != 31.3 || !got.EndedAt.Equal(fakeStart.Add(31300*time.Millisecond)) || got.IntervalS != 1 {
		t.Errorf("duration %v, end %v, interval %v", got.DurationS, got.EndedAt, got.IntervalS)
	}
	if len(got.Events) != 4 || got.Events[1].TS != 9.8 || !got.Events[1].At.Equal(fakeStart.Add(9800*time.Millisecond)) {
		t.Errorf("events %+v", got.Events)
	}
	var opened, served int64
	for _, x := range r.requests {
		if x.connect > 0 {
			opened++
		}
		if x.servedBy == "task-a" {
			served++
		}
	}
	if got.Connections.Opened != opened || got.Connections.ByAddress["10.0.0.1:80"] != opened || got.ServedBy["task-a"] != served {
		t.Errorf("connections %+v, served by %v; want %d opened and %d of task-a", got.Connections, got.ServedBy, opened, served)
	}
}

// Of requests with a trace the same is kept as of all, from the windows and from the files; without a trace there is nothing.
func TestExemplarsAreTheExamplesAmongRequestsWithATrace(t *testing.T) {
	load := smallLoad()
	if plain := load.run(); plain.builder().Result(plain.final()).Exemplars != nil {
		t.Error("exemplars where no request had a trace")
	}
	load.traced = true
	r := load.run()
	got := r.builder().Result(r.final())
	var successes []time.Duration
	for i, x := range r.requests {
		if i%5 == 4 && x.kind == "" {
			successes = append(successes, x.corrected)
		}
	}
	slices.SortFunc(successes, func(a, b time.Duration) int { return int(b - a) })
	for i, x := range got.Exemplars.Slowest {
		if x.LatencyMS != milliseconds(successes[i]) || len(x.TraceID) != 32 {
			t.Errorf("exemplar %d is %+v, want one of %v ms", i, x, milliseconds(successes[i]))
		}
	}
	if len(got.Exemplars.Slowest) != MaxExamples || len(got.Exemplars.Failed) == 0 {
		t.Errorf("%d slow and %d failed exemplars", len(got.Exemplars.Slowest), len(got.Exemplars.Failed))
	}
	for _, x := range got.Exemplars.Failed {
		if x.Error == "" || len(x.TraceID) != 32 {
			t.Errorf("%+v", x)
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	r.write(t, dir, -1)
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := o.Builder()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, b.Result(r.final()).Exemplars, got.Exemplars)
}

func TestTheExamplesAreTheSlowestAndTheFirstFailures(t *testing.T) {
	r := smallLoad().run()
	got := r.builder().Result(r.final())

	var successes []time.Duration
	failures := map[string]int{}
	var failed int
	for _, x := range r.requests {
		if x.kind == "" {
			successes = append(successes, x.corrected)
			continue
		}
		if key := fmt.Sprint(x.endpoint, x.message); failures[key] < 3 && failed < MaxExamples {
			failures[key]++
			failed++
		}
	}
	slices.SortFunc(successes, func(a, b time.Duration) int { return int(b - a) })
	if len(got.Slowest) != MaxExamples {
		t.Fatalf("%d slowest, want %d", len(got.Slowest), MaxExamples)
	}
	for i, x := range got.Slowest {
		if x.LatencyMS != milliseconds(successes[i]) {
			t.Errorf("slowest %d took %v ms, want %v", i, x.LatencyMS, milliseconds(successes[i]))
		}
	}
	if len(got.FailedExamples) != failed || failed < 10 {
		t.Errorf("%d failed examples, want %d", len(got.FailedExamples), failed)
	}
	for _, x := range got.FailedExamples {
		if x.Error == "" || x.At.Before(fakeStart) {
			t.Errorf("failed example %+v", x)
		}
	}
}

func TestSelectionsCoverWhatWasDueInAnEndpointAPhaseBothOrTheRun(t *testing.T) {
	load := smallLoad()
	// Two steady phases with a ramp between, as stages give them: a name stands for all of its phases.
	load.phases = []plan.Phase{{Name: plan.Steady}, {Name: plan.Ramp, From: 5 * time.Second}, {Name: plan.Steady, From: 8500 * time.Millisecond}, {Name: plan.Drain, From: 12 * time.Second}}
	r := load.run()
	b := r.builder()
	for _, tt := range []struct {
		endpoint, phase string
		seconds         float64
		of              func(fakeRequest) bool
		completed       func(fakeRequest) bool
	}{
		{"", "", 12, func(fakeRequest) bool { return true }, func(x fakeRequest) bool { return x.in != 3 }},
		{"GET /", "", 12, func(x fakeRequest) bool { return x.endpoint == 0 }, func(x fakeRequest) bool { return x.in != 3 && x.endpoint == 0 }},
		{"", plan.Steady, 8.5, func(x fakeRequest) bool { return x.phase == 0 || x.phase == 2 }, func(x fakeRequest) bool { return x.in == 0 || x.in == 2 }},
		{"GET /health", plan.Ramp, 3.5, func(x fakeRequest) bool { return x.phase == 1 && x.endpoint == 1 }, func(x fakeRequest) bool { return x.in == 1 && x.endpoint == 1 }},
		{"", plan.Drain, 1.3, func(x fakeRequest) bool { return x.phase == 3 }, func(x fakeRequest) bool { return x.in == 3 }},
	} {
		name := fmt.Sprintf("{%s,%s}", tt.endpoint, tt.phase)
		s, ok := b.Select(tt.endpoint, tt.phase)
		if !ok {
			t.Fatalf("%s: not known", name)
		}
		want := r.tally(tt.of)
		if math.Abs(s.Seconds-tt.seconds) > 1e-9 {
			t.Errorf("%s: %v s, want %v", name, s.Seconds, tt.seconds)
		}
		if !s.Raw.Equal(want.Raw) || !s.Corrected.Equal(want.Corrected) || !s.Failed.Equal(want.Failed) || !s.FirstByte.Equal(want.FirstByte) || !s.Connect.Equal(want.Connect) {
			t.Errorf("%s: histograms differ from those of its requests", name)
		}
		if s.Requests != want.Requests || s.Failures != want.Failures || s.Status[503] != want.Status[503] || s.BytesIn != want.BytesIn {
			t.Errorf("%s: counts %+v", name, s.EndpointWindow)
		}
		if got, want := s.RequestsPerSecond(), float64(r.tally(tt.completed).Requests)/tt.seconds; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v requests/s, want %v", name, got, want)
		}
	}
}

func TestSelectionsOfWhatThePlanDoesNotKnowAreToldFromThoseWithoutData(t *testing.T) {
	b := NewBuilder(smallLoad().meta())
	for _, tt := range []struct {
		endpoint, phase string
		known           bool
	}{
		{"", "", true}, {"GET /", plan.Steady, true}, {"GET /", plan.Drain, true},
		{"GET /other", "", false}, {"", "stead", false}, {"GET /other", plan.Steady, false},
	} {
		s, known := b.Select(tt.endpoint, tt.phase)
		if known != tt.known {
			t.Errorf("{%s,%s}: known is %v", tt.endpoint, tt.phase, known)
		}
		if s.Requests != 0 || s.RequestsPerSecond() != 0 || s.Corrected.Count() != 0 {
			t.Errorf("{%s,%s}: figures without data", tt.endpoint, tt.phase)
		}
	}
}

func TestARunThatWasStoppedEarlyCountsItsRateUntilThen(t *testing.T) {
	r := smallLoad().run()
	b := NewBuilder(r.meta)
	var requests int64
	for _, w := range r.windows {
		if w.From >= 12*time.Second {
			break
		}
		w := *w
		if w.From >= 11*time.Second { // the stop came at 11 s: what follows is the drain
			w.Phase, w.Name = 2, plan.Drain
		} else {
			for _, e := range w.Endpoints {
				requests += e.Requests
			}
		}
		b.Add(&w)
	}
	got := b.Result(Final{Interrupted: true, StoppedBy: "SIGTERM"})
	if want := roundTo(float64(requests)/11, 1e6); got.Totals.RequestsPerSecond != want {
		t.Errorf("%v requests/s, want %v", got.Totals.RequestsPerSecond, want)
	}
	if len(got.Phases) != 3 || got.Phases[1].ToS != 11 || got.Phases[2].FromS != 11 || got.Phases[2].ToS != 12 {
		t.Errorf("phases %+v", got.Phases)
	}
}

func TestAPhaseThatTheRunDidNotComeToIsNotInTheResult(t *testing.T) {
	r := smallLoad().run()
	b := NewBuilder(r.meta)
	b.Add(r.windows[0])
	last := *r.windows[len(r.windows)-1]
	last.From, last.To = time.Second, 2*time.Second
	b.Add(&last)
	var names []string
	for _, p := range b.Result(Final{}).Phases {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{plan.Ramp, plan.Drain}) {
		t.Errorf("phases %q, want ramp and drain", names)
	}
}

func TestCountsThatDoNotAddUpAreSaid(t *testing.T) {
	r := smallLoad().run()
	for _, tt := range []struct {
		final Final
		spoil func(*Window)
		want  string
	}{
		{Final{}, func(*Window) {}, ""},
		{Final{}, func(w *Window) { w.Offered++ }, "sends came due"},
		{Final{}, func(w *Window) { w.Sent++; w.Offered++ }, "completed and"},
		{Final{}, func(w *Window) { w.AddEnd(&End{Cut: 1}) }, "unanswered"},
		{Final{Cut: true}, func(w *Window) { w.Sent++; w.Offered++ }, ""},
	} {
		b := NewBuilder(r.meta)
		for i, w := range r.windows {
			w := *w
			if i == 3 {
				tt.spoil(&w)
			}
			b.Add(&w)
		}
		warnings := b.Result(tt.final).Warnings
		if tt.want == "" && len(warnings) > 0 || tt.want != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], tt.want)) {
			t.Errorf("%+v: warnings %q, want %q", tt.final, warnings, tt.want)
		}
	}
}

// group adds up neighbouring windows of a phase, some at a time.
func group(t *rapid.T, windows []*Window) []*Window {
	var grouped []*Window
	for _, w := range windows {
		n := len(grouped)
		if n > 0 && grouped[n-1].Phase == w.Phase && rapid.Bool().Draw(t, "together") {
			grouped[n-1].follow(w)
			continue
		}
		own := &Window{From: w.From, Phase: w.Phase, Name: w.Name}
		own.follow(w)
		grouped = append(grouped, own)
	}
	return grouped
}

func TestAResultDoesNotDependOnHowWindowsWereGrouped(t *testing.T) {
	t.Parallel()
	load := smallLoad()
	load.phases, load.perSecond = seedPhases(11*time.Second), 100 // failures enough for their examples to be full early
	r := load.run()
	want := r.builder().Result(r.final())
	before, err := json.Marshal(r.windows)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := NewBuilder(r.meta)
		for _, w := range group(t, r.windows) {
			b.Add(w)
		}
		got := b.Result(r.final())
		if d, found, err := differ(got, want); err != nil || found {
			t.Fatalf("field %s is %s, want %s (%v)", d.path, d.a, d.b, err)
		}
	})
	if after, _ := json.Marshal(r.windows); string(after) != string(before) {
		t.Error("adding windows changed them: sinks share them")
	}
}

func TestFirstFailuresKeepTheSameOfPartsAsOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Example {
			return Example{Error: rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}).Draw(t, "error"), At: time.Duration(rapid.Int64().Draw(t, "at"))}
		}), rapid.SampledFrom([]int{0, 60}).Draw(t, "at least"), 120).Draw(t, "all")
		want := firstFailures(slices.Clone(all))

		var kept []Example
		for rest := all; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "part")
			kept = firstFailures(append(kept, firstFailures(slices.Clone(rest[:n]))...))
			rest = rest[n:]
		}
		if !slices.Equal(kept, want) {
			t.Fatalf("kept %v, want %v", kept, want)
		}
		// The obvious way: one after the other.
		of := map[string]int{}
		var obvious []Example
		for _, x := range all {
			if of[x.Error]++; of[x.Error] <= 3 && len(obvious) < 20 {
				obvious = append(obvious, x)
			}
		}
		if !slices.Equal(want, obvious) {
			t.Fatalf("kept %v, want %v", want, obvious)
		}
	})
}

func TestTheSlowestAreTheSameInWhateverOrderTheyCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Example {
			return Example{
				Latency: time.Duration(rapid.IntRange(1, 3).Draw(t, "µs")) * time.Microsecond, At: time.Duration(rapid.IntRange(1, 5).Draw(t, "at")),
				Endpoint: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "endpoint"), ServedBy: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "served by"),
			}
		}), 0, 60).Draw(t, "all")
		want := slowest(slices.Clone(all))
		if got := slowest(rapid.Permutation(all).Draw(t, "order")); !slices.Equal(got, want) {
			t.Fatalf("kept %v, want %v", got, want)
		}
	})
}

func TestNamesFromOutsideAreBoundedAndNoneIsLost(t *testing.T) {
	b := NewBuilder(smallLoad().meta())
	for i := range 1000 {
		at := time.Duration(i) * time.Second
		b.Add(&Window{
			From: at, To: at + time.Second, Name: plan.Ramp, ServedBy: map[string]int64{fmt.Sprint("request-", i): 1, "task": 2},
			Connections: Connections{ByAddress: map[string]int64{fmt.Sprint("10.0.0.", i): 1}},
		})
	}
	r := b.Result(Final{})
	for name, counts := range map[string]map[string]int64{"served_by": r.ServedBy, "by_address": r.Connections.ByAddress} {
		var sum int64
		for _, n := range counts {
			sum += n
		}
		if len(counts) > MaxNames+1 || counts[OtherName] == 0 || sum < 1000 {
			t.Errorf("%s: %d names, %d of others, %d in all", name, len(counts), counts[OtherName], sum)
		}
	}
	if r.ServedBy["task"] != 2000 {
		t.Errorf("task answered %d, want 2000", r.ServedBy["task"])
	}
}

func TestAResultHasNoNullsButForWhatNobodyCounted(t *testing.T) {
	meta := Meta{StartedAt: fakeStart, Plan: plan.Plan{Model: plan.Closed}}
	data, err := Encode(NewBuilder(meta).Result(Final{Verdict: Verdict{Validity: Valid}}))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		name, value, _ := strings.Cut(strings.Trim(line, " ,"), ": ")
		uncounted := []string{`"unanswered"`, `"cut"`, `"dropped"`, `"own_drops"`}
		if value == "null" && !strings.Contains(name, "limit") && !slices.Contains(uncounted, name) {
			t.Errorf("null in result.json: %s", strings.TrimSpace(line))
		}
	}
}

func TestABuildersResultIsTheCallersToChange(t *testing.T) {
	r := smallLoad().run()
	b := r.builder()
	first := b.Result(r.final())
	want, err := Encode(first)
	if err != nil {
		t.Fatal(err)
	}
	first.ServedBy["x"] = 1
	first.Connections.ByAddress["x"] = 1
	first.Endpoints[0].Status["x"] = 1
	first.Warnings = append(first.Warnings, "x")
	again, err := Encode(b.Result(r.final()))
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(want) {
		t.Error("changing a result changed the next one")
	}
}

func TestFiveHundredEndpointsFitInTwoHundredMegabytes(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("makes a day of latencies")
	}
	const endpoints, limit = 500, 200 << 20
	// 24 h at 390 requests/s are 67,000 for each endpoint, of a distribution with the median and the
	// p99 of the seed's run (3.5 and 29 ms). They come in parts, so that memory grows as it does in a run.
	load := smallLoad()
	load.endpoints, load.perSecond, load.phases, load.drain = 1, 17_000, []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: 4 * time.Second}}, 0
	load.median, load.flawless = 3400*time.Microsecond, true
	parts := load.run().windows
	few := smallLoad().run().windows[0].Endpoints[0]
	load.endpoints, load.phases = endpoints, seedPhases(24*time.Hour)
	meta := load.meta()

	before := heap()
	b := NewBuilder(meta)
	add := func(phase int, e EndpointWindow) {
		p := meta.Phases[phase]
		w := &Window{From: p.From, To: p.From + time.Second, Phase: phase, Name: p.Name}
		for i := range endpoints {
			e.Endpoint = i
			w.Endpoints = append(w.Endpoints, e)
		}
		b.Add(w)
	}
	add(0, few)
	add(1, few)
	for _, part := range parts {
		add(1, part.Endpoints[0])
	}
	add(2, few)
	used := heap() - before
	each, _ := b.Select(meta.Endpoints[0].Name, plan.Steady)
	t.Logf("%d endpoints of %d distinct latencies each take %d MB", endpoints, each.Corrected.packed.Populated(), used>>20)
	if used > limit {
		t.Errorf("%d MB, want at most %d", used>>20, limit>>20)
	}
	runtime.KeepAlive(b)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkAddingASecondOfFiveHundredEndpoints(b *testing.B) {
	load := smallLoad()
	load.endpoints, load.perSecond = 500, 2000
	r := load.run()
	builder := r.builder()
	b.ReportAllocs()
	for b.Loop() {
		builder.Add(r.windows[15])
	}
}
