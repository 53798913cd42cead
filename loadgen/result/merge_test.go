package result

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
)

// opened writes a run and opens it.
func opened(t testing.TB, r *fakeRun, until int) *Opened {
	t.Helper()
	dir := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d", r.meta.ID, len(r.windows)))
	r.write(t, dir, until)
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// merge adds up what Merged yields, as a command would.
func (m *Merged) sum(t testing.TB) *Result {
	t.Helper()
	b := NewBuilder(m.Meta)
	for w, err := range m.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		b.Add(w)
	}
	return b.Result(m.Final)
}

// shares are runs of one load on several generators, which differ in users and so in where the ramp ends.
func shares(n int) []*fakeRun {
	var runs []*fakeRun
	for i := range n {
		load := smallLoad()
		load.seed, load.users, load.start = uint64(i+1), 10+i, fakeStart.Add(time.Duration(i)*10*time.Millisecond)
		load.phases, load.perSecond = seedPhases(11*time.Second), 20
		load.phases[1].From -= time.Duration(i) * 170 * time.Millisecond
		load.drain += time.Duration(i) * 100 * time.Millisecond
		runs = append(runs, load.run())
	}
	return runs
}

func TestAMergedResultIsTheOneOfAllRequests(t *testing.T) {
	runs := shares(3)
	var parts []*Opened
	all := &fakeRun{}
	for _, r := range runs {
		parts = append(parts, opened(t, r, -1))
		all.requests = append(all.requests, r.requests...)
	}
	m, err := Merge(parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := m.sum(t)

	// Bucket by bucket, endpoint by endpoint and phase by phase.
	b := NewBuilder(m.Meta)
	for w, err := range m.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		b.Add(w)
	}
	for i, e := range m.Meta.Endpoints {
		for j, p := range m.Meta.Phases {
			s, _ := b.Select(e.Name, p.Name)
			want := all.tally(func(x fakeRequest) bool {
				in := phaseAt(m.phases, x.end)
				if x.phase != x.in { // due in an earlier phase, as far as the sum has left it
					in = min(in, x.phase)
				}
				return x.endpoint == i && in == j
			})
			if !s.Raw.Equal(want.Raw) || !s.Corrected.Equal(want.Corrected) || !s.Failed.Equal(want.Failed) || !s.FirstByte.Equal(want.FirstByte) || !s.Connect.Equal(want.Connect) {
				t.Errorf("%s in %s: the histograms are not those of all requests", e.Name, p.Name)
			}
			if s.Requests != want.Requests || s.Failures != want.Failures || s.BytesIn != want.BytesIn || s.Retried != want.Retried {
				t.Errorf("%s in %s: counts %+v", e.Name, p.Name, s.EndpointWindow)
			}
		}
	}
	if got.Totals.Requests != int64(len(all.requests)) || got.Totals.Abandoned != 3 || Known(got.Totals.Dropped) != 9 || got.Totals.Offered != got.Totals.Sent+9 {
		t.Errorf("totals %+v", got.Totals)
	}
	if want := "phases began at different times in the parts; in the sum each begins with the last of them, exact to one interval of 1s: steady at 10s, in the parts at 9.46s to 9.8s"; !slices.Equal(got.Warnings, []string{want}) {
		t.Errorf("warnings %q, want %q", got.Warnings, want)
	}
	if want := parts[2].Result.DurationS; got.DurationS != want {
		t.Errorf("duration %v, want that of the longest, %v", got.DurationS, want)
	}
	if got.Phases[0].ToS != 10 || got.Phases[1].FromS != 10 || got.Phases[1].ToS != 11 {
		t.Errorf("phases %+v", got.Phases)
	}
	if got.Plan.Users != 10+11+12 || got.Plan.SpawnRate != 15 || got.Plan.MaxInFlight != 0 {
		t.Errorf("plan %+v", got.Plan)
	}
	g := got.Generator
	if g.Hostname != "generator-1, generator-2, generator-3" || g.CPUs != 6 || g.CPULimit != 4.5 || g.Version != "v1.2.3" || g.MemoryLimitBytes.Known() || g.FileLimit != 1024 {
		t.Errorf("generator %+v", g)
	}
	if got.ID != "" || !got.StartedAt.Equal(fakeStart) || len(got.MergedFrom) != 3 || got.MergedFrom[2].ID != "run-3" || got.MergedFrom[2].Hostname != "generator-3" {
		t.Errorf("id %q, start %v, merged from %+v", got.ID, got.StartedAt, got.MergedFrom)
	}
	if n := len(got.Events); n != 4+2 { // phases from one, the warning of each
		t.Errorf("%d events: %+v", n, got.Events)
	}
}

func TestMergingKResultsIsOneHistogramOfAllSamples(t *testing.T) {
	t.Parallel()
	// Written once: the property is about which windows meet which.
	var runs []*fakeRun
	var all []*Opened
	for i, r := range shares(4) {
		if i%2 == 1 {
			r.meta.Plan.Users = 0 // as a share may be
		}
		runs = append(runs, r)
		all = append(all, opened(t, r, -1))
	}
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "order")[:rapid.IntRange(1, 4).Draw(t, "parts")]
		var parts []*Opened
		want := &fakeRun{}
		for _, i := range order {
			part := *all[i]
			part.Meta.Plan.Users = 5
			parts = append(parts, &part)
			want.requests = append(want.requests, runs[i].requests...)
		}
		m, err := Merge(parts, nil)
		if err != nil {
			t.Fatal(err)
		}
		var sum EndpointWindow
		from := time.Duration(-1)
		for w, err := range m.Windows() {
			if err != nil {
				t.Fatal(err)
			}
			if w.From < from {
				t.Fatalf("the window from %v comes after one from %v", w.From, from)
			}
			from = w.From
			for i := range w.Endpoints {
				sum.add(&w.Endpoints[i])
			}
		}
		e := want.tally(func(fakeRequest) bool { return true })
		if !sum.Raw.Equal(e.Raw) || !sum.Corrected.Equal(e.Corrected) || !sum.Failed.Equal(e.Failed) || !sum.FirstByte.Equal(e.FirstByte) {
			t.Fatal("the sum differs from one histogram of all samples")
		}
	})
}

func TestAMergedResultIsWrittenAndReadAsAnyOther(t *testing.T) {
	t.Parallel()
	var parts []*Opened
	for _, r := range shares(3) {
		parts = append(parts, opened(t, r, -1))
	}
	m, err := Merge(parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Meta.ID = "sum"
	dir := filepath.Join(t.TempDir(), "merged")
	w, err := Create(dir, m.Meta)
	if err != nil {
		t.Fatal(err)
	}
	for win, err := range m.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(m.sum(t)); err != nil {
		t.Fatal(err)
	}
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := o.Builder()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, b.Result(m.Final), o.Result)

	// And merged again with another: every generator is named, and none counts twice.
	fourth := smallLoad()
	fourth.seed, fourth.phases = 4, seedPhases(11*time.Second)
	again, err := Merge([]*Opened{o, opened(t, fourth.run(), -1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range again.sum(t).MergedFrom {
		ids = append(ids, s.ID)
	}
	if !slices.Equal(ids, []string{"run-1", "run-4", "run-2", "run-3"}) {
		t.Errorf("merged from %q", ids)
	}
	if _, err := Merge([]*Opened{parts[1], o}, nil); err == nil || !strings.HasSuffix(err.Error(), "hold the same run, run-2") {
		t.Errorf("a part and the sum that it is in: error %v", err)
	}
}

func TestUsersAndRequestsInFlightAddUpAndHealthIsTheWorst(t *testing.T) {
	a := &Window{From: 0, To: time.Second, Users: 3, InFlight: 1, Health: []Health{{CPU: 0.1, GC: Unknown(), RSS: 5, OpenFiles: Unknown()}}}
	b := &Window{From: 0, To: time.Second, Users: 4, InFlight: 2, Health: []Health{{CPU: 0.3, GC: 0.2, RSS: Unknown(), OpenFiles: Unknown()}, {CPU: 0.9}}}
	a.join(b)
	if a.Users != 7 || a.InFlight != 3 {
		t.Errorf("%d users, %d in flight", a.Users, a.InFlight)
	}
	h := a.Health
	if len(h) != 2 || h[0].CPU != 0.3 || h[0].GC != 0.2 || h[0].RSS != 5 || h[0].OpenFiles.Known() || h[1].CPU != 0.9 {
		t.Errorf("health %+v", h)
	}
}

func TestTheVerdictIsTheWorstWithEverybodysReasons(t *testing.T) {
	runs := shares(3)
	var parts []*Opened
	for i, r := range runs {
		o := opened(t, r, -1)
		o.Result.Verdict = [...]Verdict{
			{Validity: Valid},
			{Validity: Invalid, Reasons: []Reason{{"gc", Suspect, "GC 2 %"}, {"lag", Invalid, "lag p99 200 ms"}}},
			{Validity: Suspect, Reasons: []Reason{{"cpu", Suspect, "CPU 85 %"}}},
		}[i]
		parts = append(parts, o)
	}
	parts[1].Result.Warnings = []string{"something"}
	parts[0].Result.Deliveries = []Delivery{{To: "here", What: "datums", Sent: 7, Calls: 2}}
	parts[1].Result.Deliveries = []Delivery{{To: "here", What: "datums", Sent: 5, Lost: 3, Calls: 9, Retries: 4, Reason: "refused"}, {To: "there", What: "lines", Sent: 1}}
	parts[2].Result.Interrupted, parts[2].Result.StoppedBy = true, "SIGTERM"
	m, err := Merge(parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := m.Final
	if f.Verdict.Validity != Invalid || len(f.Verdict.Reasons) != 3 || f.Verdict.Reasons[0].Detail != "generator-2: lag p99 200 ms" || f.Verdict.Reasons[2].Detail != "generator-3: CPU 85 %" {
		t.Errorf("verdict %+v", f.Verdict)
	}
	if !f.Interrupted || f.StoppedBy != "SIGTERM" || len(f.Warnings) != 2 || f.Warnings[0] != "generator-2: something" {
		t.Errorf("final %+v", f)
	}
	if want := []Delivery{{"here", "datums", 12, 3, 11, 4, "refused"}, {"there", "lines", 1, 0, 0, 0, ""}}; !slices.Equal(f.Deliveries, want) {
		t.Errorf("deliveries %+v, want %+v", f.Deliveries, want)
	}
	if f.MergedFrom[1].Validity != Invalid {
		t.Errorf("merged from %+v", f.MergedFrom)
	}
}

func TestGeneratorsThatBeganApartAreAddedUpWithAWarning(t *testing.T) {
	load := smallLoad()
	load.phases = seedPhases(11 * time.Second)
	early := load.run()
	load.seed, load.start = 2, fakeStart.Add(3200*time.Millisecond)
	late := load.run()
	m, err := Merge([]*Opened{opened(t, late, -1), opened(t, early, -1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := m.sum(t)
	if want := "generator-2 began 3.2s after the first generator: its times count from its own start"; !slices.Equal(got.Warnings, []string{want}) {
		t.Errorf("warnings %q, want %q", got.Warnings, want)
	}
	if !got.StartedAt.Equal(fakeStart) {
		t.Errorf("started at %v, want when the first did", got.StartedAt)
	}
	// A single request's time of day stays true, and that of an error.
	lateErrors := late.builder().Result(late.final()).Totals.Errors
	for _, e := range got.Totals.Errors {
		i := slices.IndexFunc(lateErrors, func(x ErrorJSON) bool { return x.Message == e.Message })
		earlyErrors := early.builder().Result(early.final()).Totals.Errors
		j := slices.IndexFunc(earlyErrors, func(x ErrorJSON) bool { return x.Message == e.Message })
		if i < 0 || j < 0 {
			t.Fatalf("%s: not in both runs made up for this test", e.Message)
		}
		first, last := earlyErrors[j].FirstAt, earlyErrors[j].LastAt
		if x := lateErrors[i].FirstAt; x.Before(first) {
			first = x
		}
		if x := lateErrors[i].LastAt; x.After(last) {
			last = x
		}
		if !e.FirstAt.Equal(first) || !e.LastAt.Equal(last) {
			t.Errorf("%s from %v to %v, want %v to %v", e.Message, e.FirstAt, e.LastAt, first, last)
		}
	}
	want := late.builder().Result(late.final()).Slowest[0]
	i := slices.IndexFunc(got.Slowest, func(x ExampleJSON) bool { return x.LatencyMS == want.LatencyMS && x.Endpoint == want.Endpoint })
	if i < 0 || !got.Slowest[i].At.Equal(want.At) {
		t.Errorf("the late generator's slowest request was at %v; in the sum %+v", want.At, got.Slowest)
	}
}

func TestACutPartIsAddedUpAsFarAsItGoes(t *testing.T) {
	runs := shares(2)
	m, err := Merge([]*Opened{opened(t, runs[0], -1), opened(t, runs[1], 5)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := m.sum(t)
	if !m.Final.Cut || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "generator-2: this run was cut") {
		t.Errorf("cut %v, warnings %q", m.Final.Cut, got.Warnings)
	}
	if got.Verdict.Validity != Suspect {
		t.Errorf("verdict %+v", got.Verdict)
	}
}

func TestAPhaseOfASumBeginsWhenThatOfTheLastPartHas(t *testing.T) {
	t.Parallel()
	second := time.Second
	for _, c := range []struct {
		why    string
		phases [][]plan.Phase // of each part
		want   []Phase
	}{
		{"the same everywhere, also within an interval", [][]plan.Phase{
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 3200 * time.Millisecond}, {Name: plan.Drain, From: 10500 * time.Millisecond}},
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 3200 * time.Millisecond}, {Name: plan.Drain, From: 10500 * time.Millisecond}},
		}, []Phase{{Name: plan.Ramp, ToS: 3.2}, {Name: plan.Steady, FromS: 3.2, ToS: 10.5}, {Name: plan.Drain, FromS: 10.5, ToS: 11.8}}},
		{"17 and 16 users at 5 a second", [][]plan.Phase{
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 3200 * time.Millisecond}, {Name: plan.Drain, From: 10 * second}},
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 3 * second}, {Name: plan.Drain, From: 10 * second}},
		}, []Phase{{Name: plan.Ramp, ToS: 4}, {Name: plan.Steady, FromS: 4, ToS: 10}, {Name: plan.Drain, FromS: 10, ToS: 11.3}}},
		{"the last one begins at the end of an interval", [][]plan.Phase{
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 8 * second}, {Name: plan.Drain, From: 10 * second}},
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 3 * second}, {Name: plan.Drain, From: 10 * second}},
		}, []Phase{{Name: plan.Ramp, ToS: 8}, {Name: plan.Steady, FromS: 8, ToS: 10}, {Name: plan.Drain, FromS: 10, ToS: 11.3}}},
		{"one's ramp lasts to the end, another has none, the third has all phases", [][]plan.Phase{
			{{Name: plan.Ramp}, {Name: plan.Drain, From: 9500 * time.Millisecond}},
			{{Name: plan.Steady}, {Name: plan.Drain, From: 11 * second}},
			{{Name: plan.Ramp}, {Name: plan.Steady, From: 4 * second}, {Name: plan.Drain, From: 11 * second}},
		}, []Phase{{Name: plan.Ramp, ToS: 10}, {Name: plan.Steady, FromS: 10, ToS: 11}, {Name: plan.Drain, FromS: 11, ToS: 12.3}}},
	} {
		var parts []*Opened
		for i, phases := range c.phases {
			load := smallLoad()
			load.seed, load.phases = uint64(i+1), phases
			parts = append(parts, opened(t, load.run(), -1))
			parts[i].Meta.Plan = parts[0].Meta.Plan
		}
		m, err := Merge(parts, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkApart(t, m)
		got := m.sum(t)
		var phases []Phase
		for _, p := range got.Phases {
			phases = append(phases, Phase{Name: p.Name, FromS: p.FromS, ToS: p.ToS})
		}
		if fmt.Sprint(phases) != fmt.Sprint(c.want) {
			t.Errorf("%s: phases %v, want %v", c.why, phases, c.want)
		}
		if told := len(got.Warnings) > 0; told != (c.why != "the same everywhere, also within an interval") {
			t.Errorf("%s: warnings %q", c.why, got.Warnings)
		}
	}
}

// checkApart fails where windows of a sum come out of order, lie over one another, or over the begin of a phase.
func checkApart(t failing, m *Merged) {
	until, phase := time.Duration(0), 0
	for w, err := range m.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		if w.From < until || w.To <= w.From || w.Phase < phase {
			t.Errorf("a window from %v to %v of phase %d after %v of phase %d", w.From, w.To, w.Phase, until, phase)
		}
		until, phase = w.To, w.Phase
		if m.Meta.Phases[w.Phase].Name != w.Name {
			t.Errorf("the window from %v is of %s and has the index of %s", w.From, w.Name, m.Meta.Phases[w.Phase].Name)
		}
		if phaseAt(m.phases, w.To-1) != w.Phase {
			t.Errorf("the window from %v to %v of phase %d reaches into another", w.From, w.To, w.Phase)
		}
	}
}

type failing interface {
	Errorf(string, ...any)
	Fatal(...any)
}

func TestTheSumsPlanHasEverybodysLoad(t *testing.T) {
	parts := func(change ...func(*plan.Plan)) []*Opened {
		var parts []*Opened
		for _, c := range change {
			o := &Opened{}
			o.Meta.Plan.Stages = []plan.Stage{{Duration: 5, To: 10}}
			c(&o.Meta.Plan)
			parts = append(parts, o)
		}
		return parts
	}
	given := parts(
		func(p *plan.Plan) { p.Rate, p.MaxInFlight = plan.Rate{N: 10, Per: plan.Duration(time.Second)}, 100 },
		func(p *plan.Plan) { p.Rate, p.MaxInFlight = plan.Rate{N: 20, Per: plan.Duration(time.Second)}, 200 },
	)
	got := sumPlans(given)
	if got.Rate != (plan.Rate{N: 30, Per: plan.Duration(time.Second)}) || got.MaxInFlight != 300 || got.Stages[0].To != 20 {
		t.Errorf("plan %+v", got)
	}
	if given[0].Meta.Plan.Stages[0].To != 10 {
		t.Error("the first part's plan was changed")
	}
	got = sumPlans(parts(
		func(p *plan.Plan) { p.Rate = plan.Rate{N: 10} },
		func(p *plan.Plan) { p.Rate = plan.Rate{N: 3000, Per: plan.Duration(time.Minute)} },
	))
	if got.Rate != (plan.Rate{N: 60}) {
		t.Errorf("rate %v, want 60 a second", got.Rate)
	}
}

func TestAGeneratorWithoutARampFitsThoseThatHaveOne(t *testing.T) {
	all := seedPhases(time.Minute)
	for _, tt := range []struct {
		part []string
		want []int
	}{
		{[]string{plan.Ramp, plan.Steady, plan.Drain}, []int{0, 1, 2}},
		{[]string{plan.Steady, plan.Drain}, []int{1, 2}},
		{[]string{plan.Ramp, plan.Drain}, []int{0, 2}},
		{[]string{plan.Steady, plan.Ramp, plan.Drain}, nil},
		{[]string{plan.Steady, plan.Steady, plan.Drain}, nil},
	} {
		var part []plan.Phase
		for _, name := range tt.part {
			part = append(part, plan.Phase{Name: name})
		}
		got, ok := alignPhases(all, part)
		if ok != (tt.want != nil) || !slices.Equal(got, tt.want) {
			t.Errorf("%q among %v: %v, %v", tt.part, all, got, ok)
		}
	}
}

func TestResultsOfOtherLoadsAreRefusedWithTheField(t *testing.T) {
	open := func(p *plan.Plan) { *p = plan.DefaultOpen(); p.Rate = plan.Rate{N: 100} }
	staged := func(p *plan.Plan) { p.Stages = []plan.Stage{{Duration: 5, To: 10}, {Duration: 6, To: 0}} }
	for _, tt := range []struct {
		both, change func(*plan.Plan)
		want         string // empty: they may differ in it
	}{
		{nil, func(p *plan.Plan) { p.Seed = 99; p.Name = "b"; p.Tags = map[string]string{"a": "b"} }, ""},
		{nil, func(p *plan.Plan) { p.Users = 17; p.SpawnRate = 1.5 }, ""},
		{open, func(p *plan.Plan) { p.Rate = plan.Rate{N: 3000, Per: plan.Duration(time.Minute)}; p.MaxInFlight = 5 }, ""},
		{staged, func(p *plan.Plan) { p.Stages[0].To = 3 }, ""},
		{staged, func(p *plan.Plan) { p.Stages[1].To = 3 }, "plan field stages[1].to differs: 0 and 1"},
		{staged, func(p *plan.Plan) { p.Stages[1].Duration = 7 }, `plan field stages[1].duration differs: "6ns" and "7ns"`},
		{staged, func(p *plan.Plan) { p.Stages = p.Stages[:1] }, `plan field stages[1] differs: {"duration":"6ns","to":0} and nothing`},
		{nil, open, `plan field arrivals differs: nothing and "uniform"`},
		{nil, func(p *plan.Plan) { p.RunTime++ }, `plan field run_time differs: `},
		{nil, func(p *plan.Plan) { p.Think.Max++ }, `plan field think differs: "50ms..200ms" and `},
		{nil, func(p *plan.Plan) { p.Client.Timeout++ }, `plan field client.timeout differs: "10s" and "10.000000001s"`},
		{nil, func(p *plan.Plan) { p.Targets = slices.Clone(p.Targets); p.Targets[1].URL = "/other" }, `plan field targets[1].url differs: "/health" and "/other"`},
		{nil, func(p *plan.Plan) { p.Host = "http://other" }, `plan field host differs: `},
	} {
		var parts []*Opened
		for i := range 2 {
			load := smallLoad()
			load.seed = uint64(i + 1)
			meta := load.meta()
			if tt.both != nil {
				tt.both(&meta.Plan)
			}
			if i == 1 {
				tt.change(&meta.Plan)
			}
			parts = append(parts, &Opened{Dir: fmt.Sprint("dir", i), Meta: meta, Result: &Result{Verdict: Verdict{Validity: Valid}}})
		}
		_, err := Merge(parts, nil)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%v: want these to fit", err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "merge: dir0 and dir1: "+tt.want)):
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

func TestResultsThatCannotBeAddedUpAreRefused(t *testing.T) {
	part := func(change func(*Opened)) *Opened {
		load := smallLoad()
		load.seed = 2
		o := &Opened{Dir: "b", Meta: load.meta(), Result: &Result{}}
		change(o)
		return o
	}
	first := &Opened{Dir: "a", Meta: smallLoad().meta(), Result: &Result{}}
	older := &Opened{Dir: "a", Meta: smallLoad().meta(), Result: &Result{}}
	older.Meta.Schema = SchemaV1
	for _, tt := range []struct {
		parts []*Opened
		want  string
	}{
		{nil, "merge: want at least one result"},
		{[]*Opened{first, part(func(o *Opened) { o.Meta.ID = first.Meta.ID })}, "merge: a and b hold the same run, run-1"},
		{[]*Opened{first, part(func(o *Opened) { o.Meta.Phases = nil })}, "merge: a and b: b: no plan.json"},
		{[]*Opened{first, part(func(o *Opened) { o.Meta.Interval = time.Hour })}, "merge: a and b: interval differs: 0s and 1h0m0s"},
		{[]*Opened{first, part(func(o *Opened) { o.Meta.Endpoints[1].Name = "x" })}, `merge: a and b: endpoints[1].Name differs: "GET /health" and "x"`},
		{[]*Opened{older, part(func(*Opened) {})}, "merge: a and b: versions differ: loadgen/result/v1 and loadgen/result/v2, whose figures do not mean the same"},
		{[]*Opened{first, part(func(o *Opened) { o.Meta.Phases[0].Name = "other" })}, "merge: b: its phases are others than those of the rest"},
	} {
		if _, err := Merge(tt.parts, nil); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
