package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/stats"
)

// changeLevel is how rarely a series without a change may be said to have one.
const changeLevel = 0.01

// History is the same load's results over time: that of the newest run.
type History struct {
	runs   []*Run
	series []series
	Gates  []Gate   // of Options.FailOn with a Last, judged on the newest run
	Notes  []string // runs that were left out, and why
}

// series is a figure over the runs; NaN where a run has none.
type series struct {
	of      gate.Change // without a limit
	values  []float64
	changes []int // indices of the first run of each new level
}

func (s *series) metric() Metric { return Metric{s.of.Metric, s.of.Percentile} }

// name is what the series is of: p99, {GET /}:p99.
func (s *series) name() string { return subject(s.of) }

func subject(c gate.Change) string {
	where := gate.Change{Endpoint: c.Endpoint, Phase: c.Phase, Metric: gate.RPS, Limit: 0.01}.String()
	return where[:len(where)-len("rps<-1%")] + c.Subject()
}

// ParseFigure reads what a history can draw: p99, error_rate, {GET /}:mean. Its error is a *input.Error without a Field.
func ParseFigure(text string) (gate.Change, error) {
	for _, end := range []string{">1%", ">1pp", "<-1%"} {
		if c, err := gate.ParseChange(text + end); err == nil {
			c.Limit = 0
			return c, nil
		}
	}
	return gate.Change{}, &input.Error{Got: text, Want: "p50, p99 or another percentile, mean, rps or error_rate, of one endpoint e.g. {GET /}:p99"}
}

// figures are those that a history draws when none is asked for.
func figures() []gate.Change {
	return []gate.Change{{Metric: gate.Percentile, Percentile: 50}, {Metric: gate.Percentile, Percentile: 99}, {Metric: gate.RPS}, {Metric: gate.ErrorRate}}
}

// NewHistory puts runs in the order of time, and finds where a figure changed its level. A run that cannot be believed, did
// not come to its end or has another load than the newest one is left out with a note, unless Options.Force.
func NewHistory(runs []*Run, draw []gate.Change, o Options) (*History, error) {
	if len(runs) == 0 {
		return nil, errors.New("a history of no run")
	}
	h := &History{runs: slices.Clone(runs)}
	slices.SortFunc(h.runs, byStart)
	given := h.runs
	if !o.Force {
		h.runs, h.Notes = alike(h.runs, nil)
	}
	if len(h.runs) == 0 {
		return nil, &input.Error{Field: "--history", Want: "no run in it can be used: " + joinedNotes(h.Notes)}
	}
	if len(draw) == 0 {
		draw = figures()
	}
	var errs []error
	for _, d := range draw {
		errs = append(errs, h.has("--metric", subject(d), d))
		s := series{of: d, values: h.values(Metric{d.Metric, d.Percentile}, scope{d.Endpoint, d.Phase})}
		s.changes = changesOf(s.metric(), s.values)
		h.series = append(h.series, s)
	}
	for _, f := range o.FailOn {
		if f.Last == 0 {
			errs = append(errs, &input.Error{Field: "--fail-on", Got: f.String(), Want: f.Subject() + " within its last 20 runs: of a history alone there is no base"})
			continue
		}
		if err := h.has("--fail-on", f.String(), f); err != nil {
			errs = append(errs, err)
			continue
		}
		g := h.judge(f)
		if newest := given[len(given)-1]; newest != h.runs[len(h.runs)-1] { // an older one must not pass for it
			g.Outcome, g.Seen = Unknown, "the newest run, "+newest.Dir+", was left out"
		}
		h.Gates = append(h.Gates, g)
	}
	return h, errors.Join(errs...)
}

// has refuses a figure of an endpoint or a phase that the newest run does not have.
func (h *History) has(field, typed string, c gate.Change) error {
	newest := h.runs[len(h.runs)-1]
	has := gate.Has{Endpoints: newest.EndpointsOf, Requests: true}
	for _, b := range newest.Blocks {
		if !slices.Contains(has.Phases, b.Phase) {
			has.Phases = append(has.Phases, b.Phase)
		}
	}
	for _, e := range input.Errors(gate.Check(gate.Expr{Endpoint: c.Endpoint, Phase: c.Phase}, has)) {
		return &input.Error{Field: field, Got: typed, Want: e.Want}
	}
	return nil
}

// alike are the runs that can be put beside of, the newest of them when it is nil, and why the others cannot.
func alike(runs []*Run, of *Run) (kept []*Run, notes []string) {
	for _, r := range slices.Backward(runs) {
		err := Unlike([]*Run{r})
		if err == nil && of != nil && r != of {
			err = unlikeEach(of, r)
		}
		if err != nil {
			notes = append(notes, "left out: "+joinedLine(err))
			continue
		}
		if of == nil {
			of = r
		}
		kept = append(kept, r)
	}
	slices.Reverse(kept)
	slices.Reverse(notes)
	return kept, notes
}

func unlikeEach(of, r *Run) error {
	if reason := of.unlike(r); reason != "" {
		return &UnlikeError{of.Dir, r.Dir, reason}
	}
	return nil
}

func (h *History) values(m Metric, s scope) (all []float64) {
	for _, r := range h.runs {
		all = append(all, sampleOf(r, s).value(m))
	}
	return all
}

// changesOf are the indices at which a figure changed its level, of the runs that have one.
func changesOf(m Metric, values []float64) (changes []int) {
	var known []int
	var scaled []float64
	for i, v := range values {
		if x := m.scaled(v); !math.IsNaN(x) {
			known, scaled = append(known, i), append(scaled, x)
		}
	}
	for _, at := range stats.ChangePoints(scaled, changeLevel) {
		changes = append(changes, known[at])
	}
	return changes
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

// Failed reports whether a gate of the history failed; strict counts those that cannot tell.
func (h *History) Failed(strict bool) bool { return (&Comparison{Gates: h.Gates}).Failed(strict) }

// change is a change of level: which run was the first of the new one, and the medians of the runs before and from it.
type change struct {
	at            int
	before, after float64
}

func (s *series) levels() (all []change) {
	for i, at := range s.changes {
		from, to := 0, len(s.values)
		if i > 0 {
			from = s.changes[i-1]
		}
		if i+1 < len(s.changes) {
			to = s.changes[i+1]
		}
		all = append(all, change{at, median(s.values[from:at]), median(s.values[at:to])})
	}
	return all
}

// median is the middle one of the values that are known: a value that a run had, or the middle between two.
func median(values []float64) float64 {
	known := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(known) == 0 {
		return math.NaN()
	}
	slices.Sort(known)
	return (known[(len(known)-1)/2] + known[len(known)/2]) / 2
}

// label is what people know a run by.
func (r *Run) label() string {
	if commit := r.Tags["commit"]; commit != "" {
		return commit + " (" + r.Dir + ")"
	}
	return r.Dir
}

// number is a figure for JSON, where there may be none.
func numbers(values []float64) (all []Number) {
	for _, v := range values {
		all = append(all, result.Reading(v))
	}
	return all
}
