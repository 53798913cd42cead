package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// noise makes runs like those that were measured: 390 requests a second, log-normal latency around
// 10 ms, a level of each second that remembers the last one by 0.6, and a level of each run.
type noise struct {
	rng    *rand.Rand
	run    float64 // standard deviation of the logarithm between runs
	second float64 // and between seconds of one
}

func (n *noise) make(name string, seconds int, factor float64) *Run {
	r := named(name)
	level := n.run * n.rng.NormFloat64()
	next := n.machine()
	for range seconds {
		machine := next()
		r.Blocks = append(r.Blocks, n.block(factor*math.Exp(level+machine)))
	}
	return r
}

func named(name string) *Run {
	return &Run{Dir: name, ID: name, Schema: result.Schema, Validity: result.Valid, EndpointsOf: []string{"GET /"}, CPU: math.NaN(), Plan: plan.DefaultOpen()}
}

// machine gives the level of the machine, second by second, as a logarithm.
func (n *noise) machine() func() float64 {
	ar := n.second * n.rng.NormFloat64()
	return func() float64 {
		ar = 0.6*ar + math.Sqrt(1-0.36)*n.second*n.rng.NormFloat64()
		return ar
	}
}

func (n *noise) block(level float64) Block {
	h := &result.Histogram{}
	for range 390 {
		h.Record(time.Duration(level * math.Exp(0.3*n.rng.NormFloat64()) * 1e7))
	}
	return Block{Phase: plan.Steady, Seconds: 1, Parts: []Part{{Requests: 390, Completed: 390, Answered: 390, Corrected: h}}}
}

// pair makes both sides of a paired run: within each pair of blocks of 2 s the order is drawn, and whichever side has
// its turn meets the machine as it is then. The level of a run is that of a process, drawn anew at each start.
func (n *noise) pair(starts, pairs int, factor float64) (base, changed []*Run) {
	sides := [2]*Run{named("base"), named("new")}
	for start := range starts {
		levels := [2]float64{math.Exp(n.run * n.rng.NormFloat64()), factor * math.Exp(n.run*n.rng.NormFloat64())}
		machine := n.machine()
		for range pairs {
			first := n.rng.IntN(2)
			for _, side := range []int{first, first, 1 - first, 1 - first} {
				b := n.block(levels[side] * math.Exp(machine()))
				b.Span = start
				sides[side].Blocks = append(sides[side].Blocks, b)
			}
		}
	}
	return sides[:1], sides[1:]
}

// setting is a row of the table: so many runs a side, so different.
type setting struct {
	runs, seconds  int
	sd, effect     float64
	found, covered float64 // least share, of worse verdicts and of intervals that hold the truth; 0: not promised
	falsely        float64 // most verdicts other than the truth allows, of equal sides; 0: not promised
	paired         bool    // runs are starts of both programs in one run, and seconds those of both sides in each
}

func settings() []setting {
	return []setting{
		{1, 60, 0.03, 0, 0, 0.92, 0.05, false},
		{1, 60, 0.03, 0.20, 0.90, 0.92, 0, false},
		{1, 60, 0.03, 0.10, 0, 0.92, 0, false},
		{5, 60, 0.03, 0, 0, 0.92, 0.05, false},
		{5, 60, 0.03, 0.10, 0.90, 0.92, 0, false},
		{8, 60, 0.04, 0, 0, 0.92, 0.05, false},
		{8, 60, 0.04, 0.10, 0.95, 0.92, 0, false},
		{5, 24, 0.02, 0, 0, 0.93, 0.05, true},
		{5, 24, 0.02, 0.10, 0.80, 0.93, 0, true},
	}
}

func (s setting) String() string {
	if s.paired {
		return fmt.Sprintf("paired, %d starts × %d s", s.runs, s.seconds)
	}
	return fmt.Sprintf("%d × %d s", s.runs, s.seconds)
}

// shares are what came of a setting, of p99.
type shares struct{ worse, better, covered, plain float64 }

func (s setting) play(seed uint64, trials int) (out shares) {
	for i := range trials {
		n := &noise{rand.New(rand.NewPCG(seed, uint64(i))), s.sd, 0.05}
		var base, changed []*Run
		var o Options
		if s.paired {
			pairs := s.seconds / 4
			base, changed = n.pair(s.runs, pairs, 1+s.effect)
			o.Paired = &Paired{Restarts: s.runs, Rounds: s.runs, Pairs: s.runs * pairs, BlockS: 2}
		} else {
			for j := range s.runs {
				base = append(base, n.make(fmt.Sprint("base", j), s.seconds, 1))
				changed = append(changed, n.make(fmt.Sprint("new", j), s.seconds, 1+s.effect))
			}
		}
		c, err := Compare(base, changed, o)
		if err != nil {
			panic(err)
		}
		x := find(c, "p99")
		each := 1 / float64(trials)
		switch x.Verdict {
		case Worse:
			out.worse += each
		case Better:
			out.better += each
		}
		if float64(x.Low) <= s.effect && s.effect <= float64(x.High) {
			out.covered += each
		}
		if math.Abs(float64(x.Change)) > 0.05 { // what a plain delta with a limit of 5 % calls a change
			out.plain += each
		}
	}
	return out
}

func find(c *Comparison, metric string) *Cell {
	for i := range c.Cells {
		if c.Cells[i].Metric == metric && c.Cells[i].Endpoint == "" {
			return &c.Cells[i]
		}
	}
	return nil
}

// few is how many trials go test affords; the whole table is made by go generate.
const few = 9

func TestVerdictsOnSimulatedRunsAreAsOftenRightAsPromised(t *testing.T) {
	for i, s := range settings() {
		t.Run(fmt.Sprintf("%s at %.0f %% with %+.0f %%", s, 100*s.sd, 100*s.effect), func(t *testing.T) {
			t.Parallel()
			trials := few
			if s.runs > 1 {
				trials = few / 3
			}
			if testing.Short() {
				trials = 3
			}
			got := s.play(uint64(i+1), trials)
			slack := func(p float64) float64 { return 3 * math.Sqrt(p*(1-p)/float64(trials)) } // three deviations of a share
			if got.worse < s.found-slack(s.found) {
				t.Errorf("found %.3f, want %.2f", got.worse, s.found)
			}
			if got.covered < s.covered-slack(s.covered) {
				t.Errorf("covered %.3f, want %.2f", got.covered, s.covered)
			}
			if s.falsely > 0 && got.worse+got.better > s.falsely+slack(s.falsely) {
				t.Errorf("false %.3f, want at most %.2f", got.worse+got.better, s.falsely)
			}
		})
	}
}

//go:generate env COMPARE_TABLE=1 go test -run TestTheTableOfTheDocument -timeout 30m .

// The table in docs/compare.md: COMPARE_TABLE=1 plays it out and writes it, which takes minutes.
func TestTheTableOfTheDocumentIsPlayedOut(t *testing.T) {
	const page, begin, end = "../../docs/compare.md", "<!-- table by go generate -->\n", "<!-- end of table -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", page)
	}
	if os.Getenv("COMPARE_TABLE") != "1" {
		return
	}
	var b strings.Builder
	b.WriteString("\n| runs a side | sd of runs or starts | true change of p99 | comparisons | said worse | said better | interval holds the truth | a plain delta above 5 % |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	all := settings()
	outcomes := make([]shares, len(all))
	trials := func(s setting) int {
		switch {
		case s.paired:
			return 400
		case s.runs == 1:
			return 200
		}
		return 60
	}
	var wait sync.WaitGroup
	for i, s := range all {
		wait.Go(func() { outcomes[i] = s.play(uint64(1000+i), trials(s)) })
	}
	wait.Wait()
	for i, s := range all {
		got := outcomes[i]
		fmt.Fprintf(&b, "| %s | %.0f %% | %+.0f %% | %d | %.1f %% | %.1f %% | %.1f %% | %.1f %% |\n", s, 100*s.sd, 100*s.effect,
			trials(s), 100*got.worse, 100*got.better, 100*got.covered, 100*got.plain)
	}
	b.WriteString("\n")
	if err := os.WriteFile(page, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPercentilesAreOfAllRequestsAndNotAveragesOfPercentiles(t *testing.T) {
	make := func(name string, latency func(second, request int) time.Duration) *Run {
		r := &Run{Dir: name, ID: name, Schema: result.Schema, Validity: result.Valid, EndpointsOf: []string{"GET /"}, CPU: math.NaN(), Plan: plan.DefaultOpen()}
		for s := range 60 {
			h := &result.Histogram{}
			n := 1000
			if s%10 == 9 {
				n = 20 // a second in which little was answered
			}
			for i := range n {
				h.Record(latency(s, i))
			}
			r.Blocks = append(r.Blocks, Block{Phase: plan.Steady, Seconds: 1, Parts: []Part{{Requests: int64(n), Completed: int64(n), Corrected: h}}})
		}
		return r
	}
	// The average of base's p99 a second is (9·10 + 1·1000)/10 = 109 ms, and of new's 20 ms: "five times better". Of all
	// requests, one in 500 took 1 s: p99 is 10 ms, and new is twice as slow.
	base := make("base", func(s, _ int) time.Duration {
		if s%10 == 9 {
			return time.Second
		}
		return 10 * time.Millisecond
	})
	slower := make("new", func(int, int) time.Duration { return 20 * time.Millisecond })
	c, err := Compare([]*Run{base}, []*Run{slower}, Options{FailOn: []gate.Change{{Metric: gate.Percentile, Percentile: 99, Limit: 0.1}}})
	if err != nil {
		t.Fatal(err)
	}
	if x := find(c, "p99"); x.Verdict != Worse || math.Abs(float64(x.Change)-1) > 0.01 {
		t.Errorf("p99 is %s: %+v", x.Verdict, x)
	}
}
