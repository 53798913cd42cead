package pair

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

const ms = time.Millisecond

// programMode, in the environment, makes this test binary a program that is measured.
const programMode = "PAIR_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if mode := os.Getenv(programMode); mode != "" {
		act(mode, os.Args[1:])
		return
	}
	// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// act serves on $PORT and says who it is; with the argument "mortal" for a second and a half, with "deaf" not at all.
func act(_ string, args []string) {
	fmt.Println("starting", args)
	switch {
	case slices.Contains(args, "deaf"):
		time.Sleep(time.Minute)
	case slices.Contains(args, "mortal"):
		time.AfterFunc(1500*ms, func() { fmt.Println("out of memory"); os.Exit(4) })
	}
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Served-By", fmt.Sprint(os.Getpid()))
	})))
}

// network is services in virtual time, by host, each of which takes its time and counts.
type network map[string]*service

type service struct {
	takes time.Duration
	count atomic.Int64
}

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	s := n[r.URL.Host]
	s.count.Add(1)
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

func (n network) of(side int) *service { return n[names()[side]] }

func networkOf(base, next time.Duration) network {
	return network{"base": {takes: base}, "new": {takes: next}}
}

// writer keeps a side in a directory.
type writer struct {
	dir string
	*result.Writer
}

func (w *writer) Start(meta *result.Meta) (err error) {
	w.Writer, err = result.Prepare(w.dir, *meta)
	return err
}

// brief is a paired run of hosts in blocks of 100 ms, kept below dir.
func brief(n network, dir string) Config {
	p := plan.DefaultOpen()
	p.Host, p.Rate, p.RunTime, p.Seed = "http://new", plan.Rate{N: 200}, plan.Duration(2*time.Second), 1
	return Config{
		Plan: p, Services: [2]Service{{Host: "http://base"}, {Host: "http://new"}}, Block: 100 * ms, Judge: calm.Judge, Transport: n,
		Sinks: [2][]result.Sink{{&writer{dir: filepath.Join(dir, "base")}}, {&writer{dir: filepath.Join(dir, "new")}}},
	}
}

func mustRun(t *testing.T, c Config) *Outcome {
	t.Helper()
	out, err := Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inBubble is mustRun in virtual time.
func inBubble(t *testing.T, c Config) (out *Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { out = mustRun(t, c) })
	return out
}

func open(t *testing.T, dir string) *result.Opened {
	t.Helper()
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if differs := o.Audit(); differs != "" {
		t.Error(differs)
	}
	return o
}

// One service answers after the other's turn has begun, and its answers are its own all the same.
func TestEachSideLeavesAResultWhoseBooksAreThoseOfItsService(t *testing.T) {
	for _, model := range []plan.Model{plan.Open, plan.Closed} {
		t.Run(string(model), func(t *testing.T) {
			dir := t.TempDir()
			slow := 130 * ms
			if model == plan.Closed {
				slow = 40 * ms // users who wait for longer than a block would ask the other one for nothing
			}
			n := networkOf(2*ms, slow)
			c := brief(n, dir)
			if model == plan.Closed {
				c.Plan.Model, c.Plan.Rate, c.Plan.Users, c.Plan.SpawnRate, c.Plan.Think = plan.Closed, plan.Rate{}, 20, 40, plan.Range{Min: plan.Duration(20 * ms), Max: plan.Duration(40 * ms)}
				c.Plan.Arrivals, c.Plan.MaxInFlight = "", 0
			}
			out := inBubble(t, c)
			for i, name := range names() {
				o := open(t, filepath.Join(dir, name))
				r := o.Result
				if n := n.of(i).count.Load(); r.Totals.Requests+r.Totals.Abandoned != n || n == 0 {
					t.Errorf("%s: %d requests and %d abandoned, and the service saw %d", name, r.Totals.Requests, r.Totals.Abandoned, n)
				}
				if len(r.Warnings) > 0 {
					t.Errorf("%s: %v", name, r.Warnings)
				}
				if fmt.Sprint(r.Verdict) != fmt.Sprint(out.Sides[i].Verdict) {
					t.Errorf("%s: verdict %v, and %v is kept", name, out.Sides[i].Verdict, r.Verdict)
				}
				if got := r.Totals.Latency.Corrected.P50; i == New && got < float64(slow/ms)-1 || i == Base && got > 3 {
					t.Errorf("%s: p50 %v ms", name, got)
				}
				at := time.Duration(0)
				for w, err := range o.Windows() {
					if err != nil {
						t.Fatal(err)
					}
					if w.From != at {
						t.Errorf("%s: a window begins at %v where the one before ended at %v", name, w.From, at)
					}
					at = w.To
				}
				warm := 200 * ms // one pair
				if model == plan.Closed {
					warm = 600 * ms // 20 users at 40/s take 500 ms
				}
				if want := time.Second + warm/2; at != want {
					t.Errorf("%s: %v on its clock, want %v", name, at, want)
				}
				if n := len(r.Phases); n != 12 { // warm-up, ten rounds, drain
					t.Errorf("%s: %d phases", name, n)
				}
			}
			x := out.Comparison.Cells[0]
			if x.Metric != "p50" || x.Change < 0.5 || x.Verdict != compare.Worse {
				t.Errorf("%v against 2 ms: %+v", slow, x)
			}
		})
	}
}

func TestAnOpenRateIsSharedOutToTheRequest(t *testing.T) {
	out := inBubble(t, brief(networkOf(ms, ms), t.TempDir()))
	for _, r := range out.Sides {
		for _, p := range r.Phases[:11] {
			if p.Totals.Requests != 20 {
				t.Errorf("%s from %v: %d requests, want 20 in 100 ms at 200/s", p.Name, p.FromS, p.Totals.Requests)
			}
		}
	}
	for _, x := range out.Comparison.Cells {
		if x.Metric == "rps" && x.Endpoint == "" && x.Verdict != compare.NoMatter {
			t.Errorf("rps: %+v", x)
		}
	}
}

func programs(t *testing.T, dir string, base, next string) Config {
	t.Helper()
	self := "'" + os.Args[0] + "' "
	c := brief(nil, dir)
	c.Transport = nil
	c.Plan.Host = "http://127.0.0.1"
	c.Services = [2]Service{{Command: self + base}, {Command: self + next}}
	c.Env = append(os.Environ(), programMode+"=on")
	return c
}

func TestProgramsAreStartedAnewForEachRound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := mustRun(t, programs(t, dir, "one", "two"))
	for i, name := range names() {
		r := open(t, filepath.Join(dir, name)).Result
		if len(r.ServedBy) < DefaultRestarts {
			t.Errorf("%s was served by %v, want %d processes", name, r.ServedBy, DefaultRestarts)
		}
		starts := 0
		for _, e := range r.Events {
			if e.Type == EventStart {
				starts++
			}
		}
		if starts != DefaultRestarts {
			t.Errorf("%s: %d events of a start", name, starts)
		}
		if n := strings.Count(string(out.Output[i]), "starting ["); n != DefaultRestarts {
			t.Errorf("%s: output of %d starts: %s", name, n, out.Output[i])
		}
	}
	if p := out.Comparison.Paired; p.Restarts != DefaultRestarts || p.Pairs != 10 {
		t.Errorf("%+v", p)
	}
}

func TestAProgramThatDiesEndsTheRunWithWhatWasMeasured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := programs(t, dir, "one", "mortal")
	c.Plan.RunTime = plan.Duration(20 * time.Second)
	out, err := Run(t.Context(), c)
	bad, ok := errors.AsType[*ProgramError](err)
	if !ok || bad.Side != New || !strings.Contains(err.Error(), "exit status 4; its last lines: starting [mortal] | out of memory") {
		t.Fatalf("%v, want the program's end", err)
	}
	for i, name := range names() {
		r := open(t, filepath.Join(dir, name)).Result
		if r.Totals.Requests == 0 || r.Verdict.ExitCode != 1 || r.Interrupted || !strings.Contains(r.StoppedBy, "exit status 4") {
			t.Errorf("%s: %d requests, %+v, stopped by %q", name, r.Totals.Requests, r.Verdict, r.StoppedBy)
		}
		if out.Sides[i] == nil {
			t.Errorf("%s: no result", name)
		}
	}
}

func TestAProgramThatIsNeverReadyLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := programs(t, dir, "one", "deaf")
	c.StartupGrace = 500 * ms
	out, err := Run(t.Context(), c)
	bad, ok := errors.AsType[*ProgramError](err)
	if out != nil || !ok || bad.Side != New || !strings.Contains(err.Error(), "did not listen on") {
		t.Fatalf("%v, %v", out, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("%v is left", entries)
	}
}

func TestAnInterruptedRunKeepsBothSidesAndComparesWholeRounds(t *testing.T) {
	dir := t.TempDir()
	c := brief(networkOf(ms, ms), dir)
	var out *Outcome
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(1050*ms, func() { cancel(errors.New("signal: interrupt")) })
		var err error
		if out, err = Run(ctx, c); err != nil {
			t.Fatal(err)
		}
	})
	for _, name := range names() {
		r := open(t, filepath.Join(dir, name)).Result
		if !r.Interrupted || r.StoppedBy != "signal: interrupt" || r.Verdict.ExitCode != 105 || r.Totals.Requests == 0 {
			t.Errorf("%s: %+v, stopped by %q, %d requests", name, r.Verdict, r.StoppedBy, r.Totals.Requests)
		}
	}
	if out.Comparison == nil || !strings.Contains(strings.Join(out.Comparison.Warnings, " "), "its whole rounds are compared: signal: interrupt") {
		t.Errorf("%+v (%s)", out.Comparison, out.Why)
	}
}

func TestTheGeneratorIsJudgedOnceOfAllStarts(t *testing.T) {
	t.Parallel()
	c := programs(t, t.TempDir(), "one", "two")
	judged := 0
	c.Judge = func(e validity.Evidence) (result.Validity, []result.Reason) {
		judged++
		if e.Offered != 600 || e.Lag.Count() != 600 || e.Load < 3*time.Second-ms { // 3 s at 200/s: five pairs of warm-up and ten
			t.Errorf("evidence of %d sends, %d lags in %v", e.Offered, e.Lag.Count(), e.Load)
		}
		return result.Invalid, []result.Reason{{Code: "test", Level: result.Invalid, Detail: "so it is"}}
	}
	out := mustRun(t, c)
	if judged != 1 || out.Sides[Base].Verdict.Validity != result.Invalid || out.Sides[New].Verdict.ExitCode != 96 {
		t.Errorf("judged %d times: %+v", judged, out.Sides[New].Verdict)
	}
	if out.Comparison.Verdict != compare.CannotTell || out.Comparison.Failed(false) {
		t.Errorf("a measurement that is INVALID has the verdict %s", out.Comparison.Verdict)
	}
}

func TestThresholdsAreTheNewSides(t *testing.T) {
	c := brief(networkOf(ms, 30*ms), t.TempDir())
	c.Plan.Thresholds = []string{"{phase:steady}:p(50)<20ms"}
	out := inBubble(t, c)
	if n := len(out.Sides[Base].Thresholds); n > 0 {
		t.Errorf("base has %d thresholds", n)
	}
	if all := out.Sides[New].Thresholds; len(all) != 1 || all[0].Passed || out.Sides[New].Verdict.ExitCode != 99 {
		t.Errorf("new has %+v", all)
	}
}

func TestWhatCannotBePairedIsRefused(t *testing.T) {
	for _, row := range []struct {
		field  string
		change func(*Config)
	}{
		{"start", func(c *Config) { c.Services = [2]Service{{}, {Command: "new"}} }},
		{"base_start", func(c *Config) { c.Services = [2]Service{{Command: "old"}, {}} }},
		{"start", func(c *Config) { c.Services = [2]Service{{Command: "old"}, {Command: "'new"}} }},
		{"base_host", func(c *Config) { c.Services[Base].Host = "" }},
		{"base_host", func(c *Config) { c.Services[Base].Host = "ftp://a" }},
		{"base_host", func(c *Config) { c.Services[Base].Host = plan.Embedded }},
		{"restarts", func(c *Config) { c.Restarts = 4 }},
		{"restarts", func(c *Config) { c.Restarts = 101 }},
		{"run_time", func(c *Config) { c.Plan.RunTime = plan.Duration(999 * ms) }},
		{"run_time", func(c *Config) { // a pair for each start
			c.Services, c.Restarts, c.Plan.RunTime = [2]Service{{Command: "old"}, {Command: "new"}}, 10, plan.Duration(1900*ms)
		}},
		{"block", func(c *Config) { c.Block = 99 * ms }},
		{"stages", func(c *Config) { c.Plan.Stages = []plan.Stage{{Duration: plan.Duration(time.Minute), To: 9}} }},
		{"abort_on", func(c *Config) { c.Plan.AbortOn = "p(99)<1s" }},
		{"targets[0]", func(c *Config) { c.Plan.Targets = []plan.Target{{Method: "GET", URL: "http://a/"}} }},
		{"thresholds[0]", func(c *Config) { c.Plan.Thresholds = []string{"{GET /nowhere}:p(99)<1s"} }},
		{"fail_on", func(c *Config) {
			c.Compare.FailOn = []gate.Change{{Endpoint: "GET /nowhere", Metric: gate.RPS, Limit: 1}}
		}},
		{"fail_on", func(c *Config) { c.Compare.FailOn = []gate.Change{{Metric: gate.RPS, Last: 20}} }},
	} {
		c := brief(nil, t.TempDir())
		row.change(&c)
		out, err := Run(t.Context(), c)
		if _, ok := errors.AsType[*loadgen.InputError](err); !ok || out != nil {
			t.Errorf("%s: %v, %v", row.field, out, err)
			continue
		}
		if !slices.ContainsFunc(input.Errors(err), func(e *input.Error) bool { return e.Field == row.field && !strings.HasPrefix(e.Want, "want want") }) {
			t.Errorf("%v, want one of %s", err, row.field)
		}
	}
}

func TestTheRunIsCutIntoPairsThatMeetBothSidesAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := brief(nil, "").withDefaults()
		c.Plan.Seed = rapid.Uint64Range(1, plan.MaxSeed).Draw(t, "seed")
		c.Restarts = rapid.IntRange(5, 12).Draw(t, "restarts")
		if rapid.Bool().Draw(t, "programs") {
			c.Services = [2]Service{{Command: "a"}, {Command: "b"}}
		}
		pairs := rapid.IntRange(c.Restarts, 60).Draw(t, "pairs")
		c.Plan.RunTime = plan.Duration(pairs)*plan.Duration(2*c.Block) + plan.Duration(rapid.Int64Range(0, int64(2*c.Block)-1).Draw(t, "rest"))
		l := c.layOut()
		if l.pairs != pairs {
			t.Fatalf("%d pairs, want %d", l.pairs, pairs)
		}
		phases := l.phases()
		var clocks [2]time.Duration
		phase, measured, rounds := 0, [2]int{}, 0
		least, most := math.MaxInt, 0
		ahead := 0 // how many pairs more begin with new than with base
		for _, s := range l.starts {
			blocks := l.blocks(s, &clocks, &phase)
			at := time.Duration(0)
			for i, b := range blocks {
				if i%2 == 0 && blocks[i+1].side == b.side || b.from != at {
					t.Fatalf("blocks %d: %+v", i, blocks)
				}
				if b.at < phases[b.phase].From || b.at+b.length > phases[b.phase+1].From {
					t.Fatalf("block %+v is outside of its phase from %v", b, phases[b.phase])
				}
				if phases[b.phase].Name == plan.Steady {
					measured[b.side]++
				}
				at += b.length
			}
			if at != l.length(s) {
				t.Fatalf("%v of blocks in %v", at, l.length(s))
			}
			for _, r := range s.rounds {
				rounds, least, most = rounds+1, min(least, len(r)), max(most, len(r))
				own := 0
				for _, first := range r {
					own += 2*first - 1
				}
				if ahead += own; own < -1 || own > 1 || ahead < -1 || ahead > 1 {
					t.Fatalf("%d pairs more of a round begin with new, %d of all: %v", own, ahead, l.starts)
				}
			}
		}
		if measured[0] != pairs || measured[1] != pairs || rounds != l.rounds || rounds < 5 || least < 1 || most-least > 1 {
			t.Fatalf("%v blocks in %d rounds of %d to %d", measured, rounds, least, most)
		}
		if clocks[0] != clocks[1] || clocks[0] != phases[len(phases)-1].From {
			t.Fatalf("the clocks end at %v, the phases at %v", clocks, phases[len(phases)-1].From)
		}
	})
}

func TestTheOrderWithinPairsIsTheSeeds(t *testing.T) {
	firsts := func(seed uint64) string {
		c := brief(nil, "").withDefaults()
		c.Plan.Seed, c.Plan.RunTime = seed, plan.Duration(20*time.Second)
		return fmt.Sprint(c.layOut().starts[0].rounds)
	}
	one := firsts(1)
	if one != firsts(1) || one == firsts(2) || !strings.Contains(one, "0") || !strings.Contains(one, "1") {
		t.Errorf("%s and %s", one, firsts(2))
	}
}
