package compare

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"scalableappbackend/loadgen/result"
)

func paired(starts, pairs int) Options {
	return Options{Paired: &Paired{Restarts: starts, Rounds: starts, Pairs: starts * pairs, BlockS: 2}}
}

func TestPairedSidesAreComparedRoundByRound(t *testing.T) {
	for _, row := range []struct {
		factor float64
		want   Verdict
		why    string
	}{
		{1, NoMatter, "the same"}, {1.2, Worse, "slower"}, {0.8, Better, "faster"},
	} {
		n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.3} // the machine moves by 30 % from second to second
		base, changed := n.pair(5, 8, row.factor)
		c := mustCompare(t, base, changed, paired(5, 8))
		x := find(c, "p50")
		if x.Verdict != row.want && !(row.want == NoMatter && x.Verdict == CannotTell && math.Abs(float64(x.Change)) < 0.05) {
			t.Errorf("%v (%s) is %s, want %s: %s", row.factor, row.why, x.Verdict, row.want, x.seen())
		}
		if len(c.Base) != 1 || len(c.New) != 1 || !strings.Contains(c.Method, "started 5 times") {
			t.Errorf("%+v of %d and %d", c.Method, len(c.Base), len(c.New))
		}
	}
}

// Whatever the machine does to a whole round is in neither side's difference.
func TestWhatHitsBothSidesOfARoundIsInNoInterval(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0, 0}
	sides := [2]*Run{named("base"), named("new")}
	for round := range 5 {
		for range 4 {
			for _, side := range sides {
				b := n.block(float64(1 + round)) // each round is slower than the one before
				b.Span = round
				side.Blocks = append(side.Blocks, b)
			}
		}
	}
	x := find(mustCompare(t, sides[:1], sides[1:], paired(5, 2)), "p50")
	if x.Verdict != NoMatter {
		t.Errorf("p50 is %s: %s", x.Verdict, x.seen())
	}
	apart := mustCompare(t, sides[0].rounds(), sides[1].rounds(), Options{Force: true})
	if x := find(apart, "p50"); x.Verdict != CannotTell {
		t.Errorf("as runs of their own: %s: %s", x.Verdict, x.seen())
	}
}

func TestHostsThatWereNotRestartedAreAllowedWhatStartsDifferBy(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0, 0.02}
	base, changed := n.pair(10, 3, 1.03)
	o := paired(10, 3)
	restarted := find(mustCompare(t, base, changed, o), "p50")
	o.Paired.Restarts = 0
	c := mustCompare(t, base, changed, o)
	once := find(c, "p50")
	width := func(x *Cell) float64 { return math.Log1p(float64(x.High)) - math.Log1p(float64(x.Low)) }
	if least := 2 * 1.96 * math.Sqrt2 * ProcessSpread; width(once) < least || width(restarted) > least {
		t.Errorf("intervals %s of one start and %s of ten, want 2 %% a side in the first alone", once.interval(), restarted.interval())
	}
	if !strings.Contains(c.Method, "of which there was one") {
		t.Error(c.Method)
	}
}

func TestARoundThatOnlyOneSideCameToIsNotCompared(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.02}
	base, changed := n.pair(4, 3, 1)
	changed[0].Blocks = changed[0].Blocks[:len(changed[0].Blocks)-1]
	c := mustCompare(t, base, changed, paired(4, 3))
	all := find(c, "rps")
	if math.Abs(float64(all.Base)-390) > 0.01 {
		t.Errorf("rps %+v", all)
	}
	base[0].Blocks, changed[0].Blocks = base[0].Blocks[:12], changed[0].Blocks[:11]
	if _, err := Compare(base, changed, paired(4, 3)); err == nil || !strings.Contains(err.Error(), "1 of the rounds, want 2 at least") {
		t.Errorf("%v", err)
	}
}

func TestAPercentileOfFewRequestsARoundIsNotTold(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.02}
	base, changed := n.pair(5, 1, 2)
	c := mustCompare(t, base, changed, paired(5, 1))
	if x := find(c, "p99.9"); x.Verdict != CannotTell || !strings.Contains(x.Why, "requests of a round lie beyond it") {
		t.Errorf("p99.9 of 780 requests a round is %s: %s", x.Verdict, x.Why)
	}
	if x := find(c, "p99"); x.Verdict != Worse {
		t.Errorf("p99 is %s: %s", x.Verdict, x.Why)
	}
}

func TestAPairedRunOfAnInvalidGeneratorHasNoVerdict(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.02}
	base, changed := n.pair(5, 3, 2)
	if c := mustCompare(t, base, changed, paired(5, 3)); !c.Failed(false) {
		t.Fatal("twice as slow is no regression")
	}
	for _, r := range []*Run{base[0], changed[0]} {
		r.Validity, r.Reasons = result.Invalid, []result.Reason{{Code: "lag", Level: result.Invalid, Detail: "it lagged"}}
		r.StoppedBy = "signal: interrupt"
	}
	c := mustCompare(t, base, changed, paired(5, 3))
	if c.Failed(false) || !c.Failed(true) || c.Verdict != CannotTell || c.Validity != result.Invalid {
		t.Errorf("%s", c.Headline())
	}
	for _, x := range c.Cells {
		if x.Verdict != CannotTell {
			t.Errorf("%s is %s", x.Metric, x.Verdict)
		}
	}
	// The generator is one, and so is the run.
	if got := strings.Join(c.Warnings, "|"); got != "the generator is INVALID: it lagged|the run was stopped early, and its whole rounds are compared: signal: interrupt" {
		t.Errorf("%s", got)
	}
	if base[0].Validity != result.Invalid {
		t.Error("the run that was given was changed")
	}
}

func TestAComparisonIsReadBackAsItWasWritten(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.02}
	base, changed := n.pair(5, 3, 1.2)
	c := mustCompare(t, base, changed, paired(5, 3))
	for _, format := range Formats() {
		var data, first, again bytes.Buffer
		if err := Write(&data, "json", c); err != nil {
			t.Fatal(err)
		}
		back, err := Decode(&data)
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(&first, format, c); err != nil {
			t.Fatal(err)
		}
		if err := Write(&again, format, back); err != nil {
			t.Fatal(err)
		}
		if first.String() != again.String() {
			t.Errorf("%s differs:\n%s\n%s", format, first.String(), again.String())
		}
	}
	for text, want := range map[string]string{"x": "not JSON", "{}": `schema "", want loadgen/compare/v1`, `{"schema":"loadgen/compare/v9"}`: "loadgen/compare/v9"} {
		if _, err := Decode(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// A side that answered nothing at all is told of, and is no reason to say that failures differ.
func TestASideInWhichNothingWasDueIsToldOf(t *testing.T) {
	n := &noise{rand.New(rand.NewPCG(3, 3)), 0.005, 0.02}
	base, changed := n.pair(5, 3, 1)
	for i := range changed[0].Blocks {
		changed[0].Blocks[i].Parts = []Part{{}}
	}
	c := mustCompare(t, base, changed, paired(5, 3))
	if x := find(c, "p99"); x.Why != "nothing was measured of it on the side of new" {
		t.Errorf("p99: %s", x.Why)
	}
}
