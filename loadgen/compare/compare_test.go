package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func side3(seed uint64, factor float64) []*Run {
	n := &noise{rand.New(rand.NewPCG(seed, 9)), 0.005, 0.02}
	name := string(rune('a' + seed))
	return []*Run{n.make(name+"1", 30, factor), n.make(name+"2", 30, factor), n.make(name+"3", 30, factor)}
}

func failing(runs []*Run, share float64) []*Run {
	for _, r := range runs {
		for i := range r.Blocks {
			p := &r.Blocks[i].Parts[0]
			p.Failures = int64(share * float64(p.Requests))
		}
	}
	return runs
}

func mustCompare(t *testing.T, base, new []*Run, o Options) *Comparison {
	t.Helper()
	c, err := Compare(base, new, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheVerdictIsWhatTheIntervalSays(t *testing.T) {
	for _, row := range []struct {
		factor float64
		want   Verdict
		why    string
	}{
		{1, NoMatter, "the same"},
		{1.2, Worse, "all of the interval is beyond 5 %"},
		{0.8, Better, "faster"},
		{1.02, NoMatter, "slower for sure, and less than matters"},
	} {
		c := mustCompare(t, side3(1, 1), side3(2, row.factor), Options{})
		if x := find(c, "p99"); x.Verdict != row.want {
			t.Errorf("%v (%s) is %s, want %s: %s", row.factor, row.why, x.Verdict, row.want, x.seen())
		}
		if failed := c.Failed(false); failed != (row.want == Worse) {
			t.Errorf("%v fails: %v", row.factor, failed)
		}
	}
}

func TestFailingFastIsNotFaster(t *testing.T) {
	c := mustCompare(t, side3(1, 1), failing(side3(2, 0.5), 0.1), Options{})
	if x := find(c, "p99"); x.Verdict != CannotTell || !strings.Contains(x.Why, "failures differ") {
		t.Errorf("p99 is %s: %s", x.Verdict, x.Why)
	}
	if x := find(c, "error_rate"); x.Verdict != Worse {
		t.Errorf("error_rate is %s", x.Verdict)
	}
	if c.Verdict != Worse || !c.Failed(false) {
		t.Errorf("the verdict is %s", c.Verdict)
	}
}

func TestAChangeWithinWhatFailOnAllowsPasses(t *testing.T) {
	c := mustCompare(t, side3(1, 1), side3(2, 1.1), Options{FailOn: []gate.Change{{Metric: gate.Percentile, Percentile: 99, Limit: 0.2}}})
	if c.Failed(true) || find(c, "p99").Verdict != Worse {
		t.Errorf("%+v", c.Gates)
	}
}

func TestOneRunGatesNothingWhereItIsShortNorItsP999(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(1, 1)), 0, 0.02}
	o := Options{FailOn: []gate.Change{{Metric: gate.Percentile, Percentile: 99, Limit: 0.1}, {Metric: gate.Percentile, Percentile: 99.9, Limit: 0.1}}}
	for _, row := range []struct {
		seconds int
		want    [2]string
	}{{20, [2]string{Unknown, Unknown}}, {40, [2]string{Failed, Unknown}}} {
		c := mustCompare(t, []*Run{n.make("a", row.seconds, 1)}, []*Run{n.make("b", row.seconds, 2)}, o)
		for i, g := range c.Gates {
			if g.Outcome != row.want[i] {
				t.Errorf("%d s: %+v, want %s", row.seconds, g, row.want[i])
			}
		}
	}
}

func TestUnlikeRunsAreRefusedWithTheDifferenceNamed(t *testing.T) {
	for want, change := range map[string]func(*Run){
		"plan field rate differs":           func(r *Run) { r.Plan.Rate = plan.Rate{N: 7} },
		"plan field client.timeout differs": func(r *Run) { r.Plan.Client.Timeout = 1 },
		"schema differs":                    func(r *Run) { r.Schema = "loadgen/result/v0" },
		"generator field cpus differs":      func(r *Run) { r.Generator.CPUs = 64 },
		"generator field cpu_limit differs": func(r *Run) { r.Generator.CPULimit = 9 },
		"is INVALID":                        func(r *Run) { r.Validity = result.Invalid },
		"was cut":                           func(r *Run) { r.Cut = true },
		"was stopped early: signal":         func(r *Run) { r.StoppedBy = "signal: interrupt" },
		"both hold the same run":            func(r *Run) { r.ID = "b1" },
	} {
		changed := side3(2, 1)
		change(changed[0])
		if _, err := Compare(side3(1, 1), changed, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if c := mustCompare(t, side3(1, 1), changed, Options{Force: true}); !strings.Contains(strings.Join(c.Warnings, " "), want) {
			t.Errorf("forced, it warns of %q", c.Warnings)
		}
	}
}

func TestWhatDoesNotChangeTheLoadMayDiffer(t *testing.T) {
	changed := side3(2, 1)
	for _, r := range changed {
		r.Plan.Seed, r.Plan.Name, r.Plan.Tags, r.Plan.Host = 7, "x", map[string]string{"commit": "1"}, "http://other:81"
		r.Plan.Thresholds = []string{"p(99)<1s"}
	}
	mustCompare(t, side3(1, 1), changed, Options{})
}

func TestASuspectRunIsComparedWithAWarningThatNamesIt(t *testing.T) {
	changed := side3(2, 1)
	changed[1].Validity = result.Suspect
	changed[1].Reasons = []result.Reason{{Code: "freeze", Level: result.Suspect, Detail: "the generator stood still for 2 s"}}
	c := mustCompare(t, side3(1, 1), changed, Options{})
	if !strings.Contains(strings.Join(c.Warnings, "\n"), changed[1].Dir+" is SUSPECT: freeze: the generator stood still for 2 s") {
		t.Errorf("%q", c.Warnings)
	}
}

func TestFewRunsThatCannotTellSayHowManyWould(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(4, 4)), 0.08, 0.02}
	c := mustCompare(t, []*Run{n.make("a", 30, 1), n.make("b", 30, 1)}, []*Run{n.make("c", 30, 1), n.make("d", 30, 1)}, Options{})
	if !strings.Contains(c.Gates[0].Seen, "need ≥ ") {
		t.Errorf("%+v", c.Gates[0])
	}
	if n := RunsFor(0.1, 0.03); n < 3 || n > 5 {
		t.Errorf("%d runs find 10 %% at 3 %%", n)
	}
}

func TestEveryFormatHasTheVerdict(t *testing.T) {
	c := mustCompare(t, side3(1, 1), side3(2, 1.3), Options{})
	for format, want := range map[string][]string{
		"text":     {"WORSE   p99 +", "FAILED      p99>5%"},
		"markdown": {"### ❌ Performance: worse\n", "├", "the check fails**: p99 latency rose by **31.0 %**", "where the limit is `p99>5%`"},
		"json":     {`"verdict": "worse"`, `"outcome": "failed"`},
		"junit":    {`failures="1"`, `name="p99&gt;5%"`},
	} {
		var b strings.Builder
		if err := Write(&b, format, c); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", format, w, b.String())
			}
		}
		if format == "json" && !json.Valid([]byte(b.String())) {
			t.Error("no JSON")
		}
	}
}

func TestAHistoryMarksTheRunAtWhichALevelChanged(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(5, 5)), 0.02, 0.02}
	var runs []*Run
	for i := range 16 {
		factor := 1.0
		if i >= 8 {
			factor = 1.3
		}
		r := n.make("run"+string(rune('a'+i)), 5, factor)
		r.Started = r.Started.AddDate(0, 0, i)
		runs = append(runs, r)
	}
	h, err := NewHistory(runs, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := h.Write(&b, "text"); err != nil || !strings.Contains(b.String(), "change at runi:") {
		t.Errorf("%v\n%s", err, b.String())
	}
	last := gate.Change{Metric: gate.Percentile, Percentile: 99, Last: 8}
	for _, row := range []struct {
		until int
		want  string
	}{{8, Passed}, {9, Failed}, {5, Unknown}} {
		h, err := NewHistory(runs[:row.until], nil, Options{FailOn: []gate.Change{last}})
		if err != nil || h.Gates[0].Outcome != row.want {
			t.Errorf("%d runs: %v %+v, want %s", row.until, err, h.Gates, row.want)
		}
	}
}

func TestCalibrationTellsTheNoiseAndWhatItTakes(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(6, 6)), 0.03, 0.02}
	var runs []*Run
	for i := range 6 {
		runs = append(runs, n.make(string(rune('a'+i)), 30, 1))
	}
	c, err := Calibrate(runs)
	if err != nil {
		t.Fatal(err)
	}
	if sd := c.gatedSD(); sd < 0.01 || sd > 0.07 || c.pairs != 15 {
		t.Errorf("%+v", c)
	}
	if _, err := Calibrate(runs[:4]); err == nil {
		t.Error("four are enough")
	}
}

// A comment on a pull request is read by people who never saw the program: the sentence and the table say what the
// check decides, and nothing that a name holds becomes Markdown or fills the comment.
func TestTheMarkdownOfAComparisonSaysWhatTheCheckDecides(t *testing.T) {
	limit := []gate.Change{{Metric: gate.Percentile, Percentile: 99, Limit: 0.2}}
	rps := []gate.Change{{Metric: gate.RPS, Limit: 0.1}}
	slow := func(runs []*Run) []*Run { // a third fewer answers
		for _, r := range runs {
			for i := range r.Blocks {
				r.Blocks[i].Parts[0].Completed = r.Blocks[i].Parts[0].Completed * 2 / 3
			}
		}
		return runs
	}
	for _, row := range []struct {
		why       string
		new       []*Run
		failOn    []gate.Change
		want, not string
	}{
		{"beyond the limit", side3(2, 1.3), limit, "**New is worse, and the check fails**: p99 latency rose by **31.0 %**, where the limit is `p99>20%`.", "passes"},
		{"worse, and allowed", side3(2, 1.1), limit, "### ⚠️ Performance: worse, within what the check allows\n", "❌"},
		{"what falls", slow(side3(2, 1)), rps, "requests per second fell by **33.3 %**", "rose"},
		{"the same", side3(2, 1), limit, "### ✅ Performance: no difference that matters\n", "Also worse"},
		{"unasked", side3(2, 1.3), []gate.Change{{Metric: gate.ErrorRate, Limit: 0.01}}, "Also worse, but not part of the check: p50 latency +", "❌"},
	} {
		c := mustCompare(t, side3(1, 1), row.new, Options{FailOn: row.failOn})
		if text := c.markdown(); !strings.Contains(text, row.want) || strings.Contains(text, row.not) {
			t.Errorf("%s: want %q and no %q in\n%s", row.why, row.want, row.not, text)
		}
	}
	short := &noise{rand.New(rand.NewPCG(1, 1)), 0, 0.02}
	c := mustCompare(t, []*Run{short.make("a", 20, 1)}, []*Run{short.make("b", 20, 1)}, Options{FailOn: limit})
	if text := c.markdown(); !strings.Contains(text, "\n- ❔ p99 latency, limit `p99>20%`: new is one run of 20 s; want 30 s at least.") {
		t.Errorf("why it cannot be told is not said:\n%s", text)
	}
	for i := range 2000 {
		c.Cells = append(c.Cells, Cell{Endpoint: fmt.Sprintf("GET /%d|`@all`<b>", i), Metric: "p99", Unit: "ms"})
	}
	text := c.markdown()
	if !strings.Contains(text, "1887 more rows") || len(text) > 60_000 || !strings.Contains(text, "| `GET /0\\|'@all'<b>` |") {
		t.Errorf("%d bytes:\n%s", len(text), text[len(text)-2000:])
	}
}
