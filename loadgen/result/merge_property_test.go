package result

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

// unlike are runs of one load that went as differently as runs can: other shares, begins and ramps, some stopped by a
// signal, some cut, some on one host.
func unlike(t testing.TB, n int) (runs []*fakeRun, parts []*Opened) {
	rng := rand.New(rand.NewPCG(7, 11))
	dir := t.TempDir()
	for i := range n {
		load := smallLoad()
		load.seed, load.users, load.perSecond = uint64(i+1), 5+rng.IntN(30), 5+rng.IntN(20)
		load.start = fakeStart.Add(time.Duration(rng.IntN(3000)) * time.Millisecond)
		load.phases = []plan.Phase{
			{Name: plan.Ramp}, {Name: plan.Steady, From: time.Duration(1+rng.IntN(60)) * 100 * time.Millisecond}, {Name: plan.Drain, From: 8500 * time.Millisecond},
		}
		load.drain = time.Duration(100+rng.IntN(1500)) * time.Millisecond
		if i%4 == 3 { // all are there from the start
			load.phases = slices.Delete(load.phases, 0, 1)
			load.phases[0].From = 0
		}
		planned := load.phases
		if i%3 == 2 { // stopped on the way: the drain began before it was planned
			end := time.Duration(2000+rng.IntN(5000)) * time.Millisecond
			load.phases = slices.DeleteFunc(slices.Clone(planned), func(p plan.Phase) bool { return p.From >= end })
			load.phases = append(load.phases, plan.Phase{Name: plan.Drain, From: end})
		}
		r := load.run()
		// What ran is indexed as it was planned.
		index := func(at int) int {
			if at == len(load.phases)-1 {
				return len(planned) - 1
			}
			return at
		}
		for _, w := range r.windows {
			w.Phase = index(w.Phase)
		}
		r.meta.Phases, r.meta.Plan.RunTime = planned, plan.Duration(8500*time.Millisecond)
		r.meta.Plan.SpawnRate = float64(1+rng.IntN(9)) / 3
		r.meta.Generator.CPULimit = Reading(float64(1+rng.IntN(20)) / 10)
		r.meta.Generator.BootID = fmt.Sprint("host-", i%3)
		at := filepath.Join(dir, fmt.Sprint(i))
		whole := -1
		if i%5 == 4 {
			whole = 1 + rng.IntN(len(r.windows)-1)
		}
		r.write(t, at, whole)
		o, err := Open(at)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i%3 == 2 && whole < 0:
			o.Result.Interrupted, o.Result.StoppedBy = true, "signal: terminated"
		case i%6 == 1:
			o.Result.StoppedBy = "--abort-on error_rate<1%"
		}
		if whole < 0 {
			o.Result.Verdict.Validity = []Validity{Valid, Suspect, Invalid}[rng.IntN(3)]
		}
		runs, parts = append(runs, r), append(parts, o)
	}
	return runs, parts
}

// added is a sum that was written and read.
func (m *Merged) written(t testing.TB, dir, id string) *Opened {
	m.Meta.ID = id
	w, err := Create(dir, m.Meta)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(m.Meta)
	for win, err := range m.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		b.Add(win)
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(b.Result(m.Final)); err != nil {
		t.Fatal(err)
	}
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// figures is a result without what names a run and what is only words. Of several ways to word a list it keeps one.
func figures(t testing.TB, o *Opened) string {
	r := *o.Result
	r.ID, r.Warnings, r.Verdict.Reasons, r.Events = "", nil, nil, nil
	data, err := Encode(&r)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(string(data))
	for w, err := range o.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		w.Events = nil
		line, err := (&encoder{}).appendWindow(nil, w, w, o.Meta.names())
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(string(line) + string((&encoder{}).appendLog(nil, w, o.Meta.names())))
	}
	return text.String()
}

func firstUnlike(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			x, y, same := a[i], b[min(i, len(b)-1)], 0
			for same < min(len(x), len(y)) && x[same] == y[same] {
				same++
			}
			return fmt.Sprintf("line %d, from byte %d: %.300s\nwant %.300s", i+1, same, x[max(0, same-100):], y[max(0, same-100):])
		}
	}
	return "it is shorter"
}

func TestMergingIsTheSameInAnyOrderAndInAnySteps(t *testing.T) {
	t.Parallel()
	runs, all := unlike(t, 10)
	base := t.TempDir()
	dirs := 0
	rng := rand.New(rand.NewPCG(3, 1))
	cases := 16
	if testing.Short() {
		cases = 4
	}
	for range cases {
		dir := func() string { dirs++; return filepath.Join(base, fmt.Sprint(dirs)) }
		merge := func(parts []*Opened) *Opened {
			m, err := Merge(parts, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkApart(t, m)
			return m.written(t, dir(), "sum")
		}
		shuffled := func(parts []*Opened) []*Opened {
			parts = slices.Clone(parts)
			rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			return parts
		}
		order := shuffled(all)[:2+rng.IntN(3)]
		once := merge(order)
		want := figures(t, once)

		if got := figures(t, merge(shuffled(order))); got != want {
			t.Fatalf("in another order the sum is another: %s", firstUnlike(got, want))
		}
		cut := 1 + rng.IntN(len(order)-1)
		first := merge(order[:cut])
		first.Meta.ID = ""
		if got := figures(t, merge(append([]*Opened{first}, order[cut:]...))); got != want {
			t.Fatalf("in two steps the sum is another: %s", firstUnlike(got, want))
		}

		// And it is of all requests, whatever phases they ended up in.
		var phases int64
		for _, p := range once.Result.Phases {
			phases += p.Totals.Requests
		}
		var requests, written int64
		for _, p := range order {
			requests += p.Result.Totals.Requests
			if i := slices.Index(all, p); !p.Cut {
				written += int64(len(runs[i].requests))
			} else {
				written += p.Result.Totals.Requests
			}
		}
		if got := once.Result.Totals.Requests; got != requests || got != phases || got != written {
			t.Fatalf("%d requests, the parts have %d, the phases %d, and %d were made", got, requests, phases, written)
		}
		if err := os.RemoveAll(base); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoStoppedASumDoesNotDependOnTheOrder(t *testing.T) {
	part := func(id, by string, interrupted, cut bool) *Opened {
		load := smallLoad()
		o := &Opened{Dir: id, Meta: load.meta(), Cut: cut, Result: &Result{Interrupted: interrupted, StoppedBy: by, Verdict: Verdict{Validity: Valid}}}
		o.Meta.ID = id
		return o
	}
	whole, cut := part("1", "", false, false), part("2", StoppedByCut, true, true)
	signal, abort := part("3", "signal: interrupt", true, false), part("4", "--abort-on p(99)<1ms", false, false)
	for _, c := range []struct {
		why   string
		parts []*Opened
		by    string
	}{
		{"whole alone", []*Opened{whole}, ""},
		{"a signal goes before a cut: 105", []*Opened{cut, signal, whole}, "signal: interrupt"},
		{"a cut before a rule: 1", []*Opened{whole, abort, cut}, StoppedByCut},
		{"a rule before nothing: 99", []*Opened{whole, abort}, "--abort-on p(99)<1ms"},
		{"a signal before all", []*Opened{abort, cut, signal, whole}, "signal: interrupt"},
	} {
		for range 2 {
			m, err := Merge(c.parts, nil)
			if err != nil {
				t.Fatal(err)
			}
			if m.Final.StoppedBy != c.by || m.Final.Cut != slices.Contains(c.parts, cut) {
				t.Errorf("%s: stopped by %q, cut %v", c.why, m.Final.StoppedBy, m.Final.Cut)
			}
			slices.Reverse(c.parts)
		}
	}
}

func TestCPUsOfAHostCountOnce(t *testing.T) {
	part := func(id, boot string, cpus int, limit Reading) *Opened {
		o := &Opened{Meta: Meta{ID: id, Generator: Generator{BootID: boot, CPUs: cpus, CPULimit: limit}}, Result: &Result{}}
		return o
	}
	for _, c := range []struct {
		why   string
		parts []*Opened
		cpus  int
		limit Reading
	}{
		{"three on one host of 2 CPUs", []*Opened{part("1", "a", 2, 2), part("2", "a", 2, 2), part("3", "a", 2, 2)}, 2, 2},
		{"two with half a CPU each", []*Opened{part("1", "a", 2, 0.5), part("2", "a", 2, 0.5)}, 2, 1},
		{"two hosts", []*Opened{part("1", "a", 2, 2), part("2", "b", 4, 1.5)}, 6, 3.5},
		{"hosts that are not known are each their own", []*Opened{part("1", "", 2, 2), part("2", "", 2, 2)}, 4, 4},
		{"a limit that is not known", []*Opened{part("1", "a", 2, 2), part("2", "b", 2, Unknown())}, 4, Unknown()},
	} {
		g := sumGenerators(c.parts)
		if g.CPUs != c.cpus || g.CPULimit != c.limit && (g.CPULimit.Known() || c.limit.Known()) {
			t.Errorf("%s: %d CPUs, limit %v; want %d, %v", c.why, g.CPUs, g.CPULimit, c.cpus, c.limit)
		}
	}
}

func TestPlansAreComparedByWhatTheyMean(t *testing.T) {
	meaning := func(expression string) string {
		if expression == "p(99) < 0.05s" {
			return "p(99)<50ms"
		}
		return expression
	}
	for _, c := range []struct {
		why    string
		change func(*plan.Plan)
		alike  bool
	}{
		{"a threshold in other words", func(p *plan.Plan) { p.Thresholds = []string{"p(99) < 0.05s", "error_rate<1%"} }, true},
		{"in another order", func(p *plan.Plan) { p.Thresholds = []string{"error_rate<1%", "p(99)<50ms"} }, true},
		{"another threshold", func(p *plan.Plan) { p.Thresholds = []string{"p(99)<50ms"} }, false},
		{"a weight of 1 is none", func(p *plan.Plan) { p.Targets = slices.Clone(p.Targets); p.Targets[0].Weight = 1 }, true},
		{"a weight of 2", func(p *plan.Plan) { p.Targets = slices.Clone(p.Targets); p.Targets[0].Weight = 2 }, false},
		{"a header in lower case", func(p *plan.Plan) { p.Client.Header = map[string][]string{"x-a": {"1"}} }, true},
		{"a host with a slash at its end", func(p *plan.Plan) { p.Host += "/" }, true},
		{"an exit code of 0 says more than none", func(p *plan.Plan) { p.ExitCodeOnError = new(0) }, false},
	} {
		var parts []*Opened
		for i := range 2 {
			load := smallLoad()
			load.seed = uint64(i + 1)
			meta := load.meta()
			meta.Plan.Thresholds, meta.Plan.Client.Header = []string{"p(99)<50ms", "error_rate<1%"}, map[string][]string{"X-A": {"1"}}
			if i == 1 {
				c.change(&meta.Plan)
			}
			parts = append(parts, &Opened{Dir: fmt.Sprint("dir", i), Meta: meta, Result: &Result{Verdict: Verdict{Validity: Valid}}})
		}
		m, err := Merge(parts, meaning)
		if (err == nil) != c.alike {
			t.Errorf("%s: %v", c.why, err)
		}
		if err == nil && m.Meta.Plan.Thresholds[0] != "p(99)<50ms" {
			t.Errorf("%s: the sum's thresholds are %q, not as they were typed", c.why, m.Meta.Plan.Thresholds)
		}
	}
}
