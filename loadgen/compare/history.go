package compare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/stats"
)

// changeLevel is how rarely a series without a change may be said to have one.
const changeLevel = 0.01

// History is the same load's results over time.
type History struct {
	runs   []*Run
	series []series
	Gates  []Gate // of Options.FailOn with a Last, judged on the newest run
}

type series struct {
	metric  Metric
	values  []float64
	changes []int // indices of the first run of each new level
}

// NewHistory puts runs in the order of time, and finds where a figure changed its level. Runs that
// are Unlike are refused, unless Options.Force.
func NewHistory(runs []*Run, o Options) (*History, error) {
	h := &History{runs: slices.Clone(runs)}
	slices.SortFunc(h.runs, byStart)
	if err := Unlike(h.runs); err != nil && !o.Force {
		return nil, err
	}
	metrics := []Metric{{gate.Percentile, 50}, {gate.Percentile, 99}, {Kind: gate.RPS}, {Kind: gate.ErrorRate}}
	for _, m := range metrics {
		s := series{metric: m, values: h.values(m, scope{})}
		s.changes = stats.ChangePoints(scaledAll(m, s.values), changeLevel)
		h.series = append(h.series, s)
	}
	var errs []error
	for _, f := range o.FailOn {
		if f.Last == 0 {
			errs = append(errs, &input.Error{Field: "--fail-on", Got: f.String(), Want: f.Subject() + " within its last 20 runs: of a history alone there is no base"})
			continue
		}
		h.Gates = append(h.Gates, h.judge(f))
	}
	return h, errors.Join(errs...)
}

func (h *History) values(m Metric, s scope) (all []float64) {
	for _, r := range h.runs {
		all = append(all, sampleOf(r, s).value(m))
	}
	return all
}

func scaledAll(m Metric, values []float64) (all []float64) {
	for _, v := range values {
		x := m.scaled(v)
		if math.IsNaN(x) {
			x = 0
		}
		all = append(all, x)
	}
	return all
}

// judge asks whether the newest run lies where another run of the level of those before it is to be
// expected: the prediction interval of 95 %, mean ± t·s·√(1 + 1/n), on the bad side.
func (h *History) judge(f gate.Change) Gate {
	m := Metric{f.Metric, f.Percentile}
	values := h.values(m, scope{f.Endpoint, f.Phase})
	newest := values[len(values)-1]
	before := values[max(0, len(values)-1-f.Last) : len(values)-1]
	g := Gate{Expression: f.String(), Outcome: Unknown}
	var x []float64
	for _, v := range before {
		if s := m.scaled(v); !math.IsNaN(s) {
			x = append(x, s)
		}
	}
	at := m.scaled(newest)
	if len(x) < gate.LeastHistory || math.IsNaN(at) {
		g.Seen = fmt.Sprintf("%d runs before the newest tell too little; need ≥ %d", len(x), gate.LeastHistory)
		return g
	}
	n := float64(len(x))
	half := stats.TQuantile((1+Confidence)/2, n-1) * math.Sqrt(stats.Variance(x)*(1+1/n))
	low, high := stats.Mean(x)-half, stats.Mean(x)+half
	back := math.Exp
	if m.Kind == gate.ErrorRate {
		back = func(v float64) float64 { return v }
	}
	g.Seen = fmt.Sprintf("%s, where %d runs before it let %s to %s be expected", h.figure(m, newest), len(x), h.figure(m, back(low)), h.figure(m, back(high)))
	g.Outcome = Passed
	if m.Kind == gate.RPS && at < low-1e-12 || m.Kind != gate.RPS && at > high+1e-12 {
		g.Outcome = Failed
	}
	return g
}

func (h *History) figure(m Metric, v float64) string {
	x := Cell{Unit: "ms"}
	switch m.Kind {
	case gate.RPS:
		x.Unit = "1/s"
	case gate.ErrorRate:
		x.Unit, v = "ratio", max(v, 0)
	}
	return x.figure(Number(v))
}

// Failed reports whether a gate of the history failed; strict counts those that cannot tell.
func (h *History) Failed(strict bool) bool { return (&Comparison{Gates: h.Gates}).Failed(strict) }

// Text draws each figure over the runs, oldest first, and names the runs at which it changed its level.
func (h *History) Text(w io.Writer) error {
	var b strings.Builder
	first, last := h.runs[0], h.runs[len(h.runs)-1]
	fmt.Fprintf(&b, "%d runs from %s to %s\n\n", len(h.runs), first.Started.UTC().Format(time.DateTime), last.Started.UTC().Format(time.DateTime))
	for _, s := range h.series {
		low, high := slices.Min(s.values), slices.Max(s.values)
		line := make([]rune, len(s.values))
		marks := []rune(strings.Repeat(" ", len(s.values)))
		for i, v := range s.values {
			bars := []rune("▁▂▃▄▅▆▇█")
			line[i] = bars[0]
			if high > low {
				line[i] = bars[int((v-low)/(high-low)*float64(len(bars)-1)+0.5)]
			}
		}
		for _, i := range s.changes {
			marks[i] = '^'
		}
		fmt.Fprintf(&b, "%-11s %s  %s to %s\n", s.metric, string(line), h.figure(s.metric, low), h.figure(s.metric, high))
		if len(s.changes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%-11s %s\n", "", strings.TrimRight(string(marks), " "))
		for _, i := range s.changes {
			level := func(from, to int) string { return h.figure(s.metric, stats.Mean(s.values[from:to])) }
			from, to := before(s.changes, i), after(s.changes, i, len(s.values))
			fmt.Fprintf(&b, "%-11s change at %s: mean of the runs before %s, from it %s\n", "", h.runs[i].label(), level(from, i), level(i, to))
		}
	}
	for _, g := range h.Gates {
		fmt.Fprintf(&b, "\n%s   %s   %s\n", gateWord(g.Outcome), g.Expression, g.Seen)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func before(changes []int, i int) int {
	at := slices.Index(changes, i)
	if at == 0 {
		return 0
	}
	return changes[at-1]
}

func after(changes []int, i, end int) int {
	if at := slices.Index(changes, i); at+1 < len(changes) {
		return changes[at+1]
	}
	return end
}

// label is what people know a run by.
func (r *Run) label() string {
	if commit := r.Tags["commit"]; commit != "" {
		return commit + " (" + r.Dir + ")"
	}
	return r.Dir
}

// CSV writes time, commit and each figure of each run, oldest first: times as RFC 3339, latencies in ms,
// rates in 1/s, shares as ratios. Other programs find change points in it, Apache Otava for one.
func (h *History) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"time", "commit"}
	for _, s := range h.series {
		head = append(head, s.metric.String())
	}
	_ = out.Write(head) // Flush's error is its
	for i, r := range h.runs {
		row := []string{r.Started.UTC().Format(time.RFC3339), r.Tags["commit"]}
		for _, s := range h.series {
			row = append(row, strconv.FormatFloat(s.values[i], 'g', 6, 64))
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// Calibration is what runs of one build say of the noise of a machine.
type Calibration struct {
	runs int
	rows []calibrated
	// Of all pairs of runs as one against one, how many were called different in something gated.
	pairs, called int
}

type calibrated struct {
	metric Metric
	sd     float64 // of logarithms, between runs
	need   [3]int  // runs a side for each of effects
}

func effects() [3]float64 { return [3]float64{0.05, 0.10, 0.20} }

// Calibrate compares runs of one build with each other. It wants five at least.
func Calibrate(runs []*Run) (*Calibration, error) {
	if len(runs) < gate.LeastHistory {
		return nil, &input.Error{Field: "--calibrate", Want: fmt.Sprintf("%d results: want %d at least, all of one build", len(runs), gate.LeastHistory)}
	}
	if err := Unlike(runs); err != nil {
		return nil, err
	}
	c := &Calibration{runs: len(runs)}
	for _, m := range Metrics() {
		if m.Kind == gate.ErrorRate {
			continue
		}
		var values []float64
		for _, r := range runs {
			values = append(values, m.scaled(sampleOf(r, scope{}).value(m)))
		}
		row := calibrated{metric: m, sd: math.Sqrt(stats.Variance(values))}
		for i, e := range effects() {
			row.need[i] = RunsFor(e, row.sd)
		}
		c.rows = append(c.rows, row)
	}
	for i := range runs {
		for j := range i {
			r, err := Compare([]*Run{runs[j]}, []*Run{runs[i]}, Options{})
			if err != nil {
				return nil, err
			}
			c.pairs++
			if r.Verdict == Worse || r.Verdict == Better {
				c.called++
			}
		}
	}
	return c, nil
}

// Text writes the calibration.
func (c *Calibration) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs of one build. Of their %d pairs, compared one against one, %d were called different.\n\n", c.runs, c.pairs, c.called)
	fmt.Fprintf(&b, "%-8s  %12s  %s\n", "figure", "run-to-run", "runs a side that find a change of 5 %, 10 %, 20 % nine times in ten")
	for _, r := range c.rows {
		fmt.Fprintf(&b, "%-8s  %10.1f %%", r.metric, 100*r.sd)
		for _, n := range r.need {
			text := strconv.Itoa(n)
			if n >= 1000 {
				text = "≥ 1000"
			}
			fmt.Fprintf(&b, "  %6s", text)
		}
		b.WriteString("\n")
	}
	if sd := c.gatedSD(); sd > DefaultAllowance {
		fmt.Fprintf(&b, "\nRuns differ by more than the %.3g %% that one run a side allows for: give --history with these results, or several runs a side.\n", 100*DefaultAllowance)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Calibration) gatedSD() float64 {
	for _, r := range c.rows {
		if r.metric == (Metric{gate.Percentile, 99}) {
			return r.sd
		}
	}
	return 0
}
