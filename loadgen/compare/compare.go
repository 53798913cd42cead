package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/stats"
)

// Compare compares two sides of at least one run each. Its error is Unlike's, or a *input.Error of
// Options.FailOn that names a scope which neither side has.
func Compare(base, new []*Run, o Options) (*Comparison, error) {
	if len(base) == 0 || len(new) == 0 {
		return nil, errors.New("one side is empty: want at least one result on each")
	}
	o = o.filled()
	c := &comparer{Options: o, sides: [2][]*Run{base, new}, samples: map[scope]*[2][]*sample{}}
	c.out = Comparison{Schema: Schema, MinEffect: o.MinEffect, Method: method(len(base), len(new), o), Paired: o.Paired, Warnings: []string{}}
	if o.Paired != nil {
		c.sides = c.oneGenerator()
	}
	all := slices.Concat(c.sides[0], c.sides[1])
	if err := Unlike(all); err != nil {
		if !o.Force {
			return nil, err
		}
		c.warn("compared by force: %s", joinedLine(err))
	}
	if err := c.checkScopes(); err != nil {
		return nil, err
	}
	for i, side := range c.sides {
		for _, r := range side {
			for _, w := range r.warnings() {
				c.warn("%s", w)
			}
			if i == 0 {
				c.out.Base = append(c.out.Base, r.source())
			} else {
				c.out.New = append(c.out.New, r.source())
			}
		}
	}
	if !o.Force {
		var left []string
		c.History = slices.DeleteFunc(slices.Clone(c.History), func(h *Run) bool { // it would be its own witness
			return slices.ContainsFunc(all, func(r *Run) bool { return r.ID == h.ID && r.ID != "" })
		})
		c.History, left = alike(c.History, base[0])
		for _, n := range left {
			c.warn("history: %s", n)
		}
		if n := len(c.History); len(left) > 0 && n < gate.LeastHistory {
			c.warn("history: %s of this load, want %d to say what runs differ by", runsOf(n), gate.LeastHistory)
		}
		c.out.Method = method(len(base), len(new), c.Options)
	}
	if o.Paired != nil {
		var err error
		if c.sides, err = inRounds(c.sides); err != nil {
			return nil, err
		}
	}
	c.endpoints()
	c.holm()
	c.failing()
	c.judge()
	if all[0].Plan.Model == plan.Closed {
		c.warn("users wait for their answers, so a slower service was asked less: a gate is sharper with --rate")
	}
	c.control()
	if c.out.Validity == result.Invalid {
		c.out.void("the measurement is INVALID")
	}
	return &c.out, nil
}

func (o Options) filled() Options {
	o.MinEffect = cmp.Or(o.MinEffect, DefaultMinEffect)
	o.MinErrorEffect = cmp.Or(o.MinErrorEffect, DefaultMinErrorEffect)
	o.Allowance = cmp.Or(o.Allowance, DefaultAllowance)
	if len(o.FailOn) == 0 {
		o.FailOn = []gate.Change{
			{Metric: gate.Percentile, Percentile: 99, Limit: o.MinEffect},
			{Metric: gate.ErrorRate, Limit: o.MinErrorEffect},
			{Metric: gate.RPS, Limit: o.MinEffect},
		}
	}
	return o
}

func method(b, n int, o Options) string {
	switch {
	case o.Paired != nil:
		return o.Paired.method()
	case b > 1 && n > 1:
		return fmt.Sprintf("%d runs against %d: Welch's t on logarithms of the runs' figures", b, n)
	case len(o.History) >= gate.LeastHistory:
		return fmt.Sprintf("%d run against %d: bootstrap over blocks of seconds, widened by what %d runs of history differ", b, n, len(o.History))
	}
	return fmt.Sprintf("%d run against %d: bootstrap over blocks of seconds, widened by %.3g %% a side for what differs between runs", b, n, 100*o.Allowance)
}

type comparer struct {
	Options
	sides   [2][]*Run
	samples map[scope]*[2][]*sample
	out     Comparison
}

func (c *comparer) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.out.Warnings, text) {
		c.out.Warnings = append(c.out.Warnings, text)
	}
}

// names are the endpoints that both sides have, in the order of the base; the others become warnings.
func (c *comparer) names() (both []string) {
	has := func(side []*Run, name string) bool {
		return slices.ContainsFunc(side, func(r *Run) bool { return slices.Contains(r.EndpointsOf, name) })
	}
	for i, side := range c.sides {
		for _, r := range side {
			for _, name := range r.EndpointsOf {
				switch {
				case !has(c.sides[1-i], name):
					c.warn("endpoint %q is on one side only: in %s", name, r.Dir)
				case !slices.Contains(both, name):
					both = append(both, name)
				}
			}
		}
	}
	return both
}

func (c *comparer) checkScopes() error {
	var errs []error
	var phases []string
	for _, b := range c.sides[0][0].Blocks {
		if !slices.Contains(phases, b.Phase) {
			phases = append(phases, b.Phase)
		}
	}
	for _, f := range c.FailOn {
		e := gate.Expr{Endpoint: f.Endpoint, Phase: f.Phase}
		if err := gate.Check(e, gate.Has{Endpoints: c.sides[0][0].EndpointsOf, Phases: phases, Requests: true}); err != nil {
			wrong := input.Errors(err)[0]
			errs = append(errs, &input.Error{Field: "--fail-on", Got: f.String(), Want: wrong.Want})
		}
	}
	return errors.Join(errs...)
}

// endpoints fills the cells: in total, of each endpoint, and what else is gated.
func (c *comparer) endpoints() {
	scopes := []scope{{}}
	if names := c.names(); len(names) > 1 {
		for _, name := range names {
			scopes = append(scopes, scope{endpoint: name})
		}
	}
	for _, f := range c.FailOn {
		if s := (scope{f.Endpoint, f.Phase}); !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	for _, s := range scopes {
		metrics := Metrics()
		for _, f := range c.FailOn {
			if m := (Metric{f.Metric, f.Percentile}); s == (scope{f.Endpoint, f.Phase}) && !slices.Contains(metrics, m) {
				metrics = append(metrics, m)
			}
		}
		c.compareScope(s, metrics)
	}
}

// side is one side's figure of a metric, scaled.
type side struct {
	estimate, variance, df float64
	values                 []float64 // of each run, scaled
}

func (c *comparer) compareScope(s scope, metrics []Metric) {
	var samples [2][]*sample
	for i, runs := range c.sides {
		for _, r := range runs {
			samples[i] = append(samples[i], sampleOf(r, s))
		}
	}
	c.samples[s] = &samples
	history := c.allowances(s, metrics)
	var sides [2][]side
	for i := range samples {
		var errs []float64
		if len(samples[i]) == 1 {
			errs = samples[i][0].deviations(metrics, rand.New(rand.NewPCG(uint64(i+1), uint64(len(samples[i][0].micros)))))
		}
		for j, m := range metrics {
			var values []float64
			for _, x := range samples[i] {
				values = append(values, m.scaled(x.value(m)))
			}
			n := float64(len(values))
			one := side{estimate: stats.Mean(values), variance: stats.Variance(values) / n, df: n - 1, values: values}
			if n == 1 {
				one.variance, one.df = errs[j]*errs[j], float64(len(samples[i][0].blocks)-1)
			}
			if m.Kind == gate.ErrorRate {
				one.variance = math.Max(one.variance, binomial(samples[i]))
			}
			sides[i] = append(sides[i], one)
		}
	}
	for j, m := range metrics {
		c.out.Cells = append(c.out.Cells, c.cell(s, m, samples, [2]side{sides[0][j], sides[1][j]}, history[j]))
	}
}

// binomial is the least variance that a share can have, with one failure and one success added, so that
// no failure in a few requests is no certainty (Agresti and Caffo 2000).
func binomial(samples []*sample) float64 {
	var n, x float64
	for _, s := range samples {
		n, x = n+float64(s.requests), x+float64(s.failures)
	}
	p := (x + 1) / (n + 2)
	return p * (1 - p) / (n + 2)
}

// allowance is what is known of the spread between runs.
type allowance struct{ variance, df float64 }

func (c *comparer) allowances(s scope, metrics []Metric) []allowance {
	all := make([]allowance, len(metrics))
	for j, m := range metrics {
		all[j] = allowance{c.Allowance * c.Allowance, math.Inf(1)}
		if len(c.History) < gate.LeastHistory {
			continue
		}
		var values []float64
		for _, r := range c.History {
			values = append(values, m.scaled(sampleOf(r, s).value(m)))
		}
		if v := stats.Variance(values); !math.IsNaN(v) {
			all[j] = allowance{v, float64(len(values) - 1)}
		}
	}
	return all
}

func (c *comparer) cell(s scope, m Metric, samples [2][]*sample, sides [2]side, extra allowance) Cell {
	cell := Cell{Endpoint: s.endpoint, Phase: s.phase, Metric: m.String(), metric: m, Level: Confidence, P: 1, Verdict: CannotTell, Unit: "ms",
		Change: result.Unknown(), Low: result.Unknown(), High: result.Unknown()}
	back := func(x float64) Number { return Number(math.Expm1(x)) }
	level := math.Exp
	switch m.Kind {
	case gate.RPS:
		cell.Unit = "1/s"
	case gate.ErrorRate:
		cell.Unit = "ratio"
		back = func(x float64) Number { return Number(x) }
		level = func(x float64) float64 { return x }
	}
	cell.Base, cell.New = Number(level(sides[0].estimate)), Number(level(sides[1].estimate))
	for i, name := range []string{"base", "new"} {
		if math.IsNaN(sides[i].estimate) {
			cell.Why = "nothing was measured of it on the side of " + name
			return cell
		}
	}
	single := false
	for i := range sides {
		n := len(sides[i].values)
		if n > 1 {
			continue
		}
		single = true
		spread := extra
		if m.Kind == gate.RPS && s == (scope{}) && c.keptUp(samples) {
			spread = allowance{0, math.Inf(1)}
		}
		if other := &sides[1-i]; len(other.values) >= gate.LeastHistory && len(c.History) < gate.LeastHistory {
			spread = allowance{stats.Variance(other.values), other.df} // the other side shows how runs differ
		}
		if m.Kind == gate.ErrorRate && math.IsInf(spread.df, 1) {
			spread.variance *= sides[i].estimate * sides[i].estimate // a share of the share
		}
		sides[i].variance, sides[i].df = stats.Combine(sides[i].variance, sides[i].df, spread.variance, spread.df)
	}
	difference := sides[1].estimate - sides[0].estimate
	v, df := stats.Combine(sides[0].variance, sides[0].df, sides[1].variance, sides[1].df)
	if c.Paired != nil {
		difference, v, df = c.pairedDifference(m, samples, sides)
	}
	interval := stats.TInterval(difference, math.Sqrt(v), df, Confidence)
	cell.Change, cell.Low, cell.High = back(interval.Estimate), back(interval.Low), back(interval.High)
	cell.P, cell.Level = interval.P, interval.Confidence
	cell.Verdict = c.verdict(&cell)
	for i, name := range []string{"base", "new"} {
		if c.Paired != nil {
			if few := fewInRound(m, samples[i], name); few != "" {
				cell.Verdict, cell.Why = CannotTell, few
			}
			continue
		}
		if least := slices.MinFunc(samples[i], func(a, b *sample) int { return cmp.Compare(a.tail(m), b.tail(m)) }); least.tail(m) < leastTail {
			cell.Verdict = CannotTell
			cell.Why = fmt.Sprintf("on the side of %s only %.3g requests lie beyond it; want %d: a longer run", name, least.tail(m), leastTail)
		}
		if single && len(samples[i]) == 1 && samples[i][0].seconds < LeastSeconds {
			cell.Verdict = CannotTell
			cell.Why = fmt.Sprintf("%s is one run of %.3g s; want %d s at least", name, samples[i][0].seconds, LeastSeconds)
		}
	}
	if single && m == (Metric{gate.Percentile, 99.9}) && cell.Why == "" {
		cell.Verdict, cell.Why = CannotTell, "p99.9 of one run tells of that run; want several a side"
	}
	return cell
}

// keptUp reports whether every run answered the constant rate that was planned, to 1 %: then the plan says how many
// requests there are, in each run the same.
func (c *comparer) keptUp(samples [2][]*sample) bool {
	for i := range samples {
		for j, x := range samples[i] {
			p := c.sides[i][j].Plan
			if p.Model != plan.Open || len(p.Stages) > 0 || x.value(Metric{Kind: gate.RPS}) < 0.99*p.Rate.PerSecond() {
				return false
			}
		}
	}
	return true
}

// verdict is what the interval says.
func (c *comparer) verdict(cell *Cell) Verdict {
	low, high, change, effect := float64(cell.Low), float64(cell.High), float64(cell.Change), c.MinEffect
	switch cell.metric.Kind {
	case gate.ErrorRate:
		effect = c.MinErrorEffect
	case gate.RPS:
		low, high, change = -high, -low, -change // up is good
	}
	switch {
	case low > -effect && high < effect:
		return NoMatter
	case low > 0 && change > effect:
		return Worse
	case high < 0 && change < -effect:
		return Better
	}
	return CannotTell
}

// gated finds the cell of a --fail-on.
func (c *comparer) gated(f gate.Change) *Cell {
	for i := range c.out.Cells {
		x := &c.out.Cells[i]
		if x.Endpoint == f.Endpoint && x.Phase == f.Phase && x.metric == (Metric{f.Metric, f.Percentile}) {
			return x
		}
	}
	return nil
}

// holm corrects the p-values of what is gated, together and of nothing else: of A/A runs at most 5 % are called
// worse in any of them. Each interval has to leave out 0 on its own as well.
func (c *comparer) holm() {
	var cells []*Cell
	var p []float64
	for _, f := range c.FailOn {
		if x := c.gated(f); x != nil && f.Last == 0 && !x.Gated {
			x.Gated = true
			cells, p = append(cells, x), append(p, x.P/2) // of one side: worse is a question with a direction
		}
	}
	for i, adjusted := range stats.Holm(p) {
		x := cells[i]
		if x.P = max(x.P, adjusted); adjusted > 1-Confidence && (x.Verdict == Worse || x.Verdict == Better) {
			x.Verdict, x.Why = CannotTell, fmt.Sprintf("alone it would be told, among %d figures that are gated it is not (Holm)", len(cells))
		}
	}
}

// failing takes back what latency says where failures differ: failing fast is not faster.
func (c *comparer) failing() {
	for i := range c.out.Cells {
		e := &c.out.Cells[i]
		if e.metric.Kind != gate.ErrorRate || !e.Change.Known() || e.Verdict == NoMatter || math.Abs(float64(e.Change)) <= c.MinErrorEffect {
			continue
		}
		for j := range c.out.Cells {
			if x := &c.out.Cells[j]; x.metric.isLatency() && x.Endpoint == e.Endpoint && x.Phase == e.Phase {
				x.Verdict, x.Why = CannotTell, "failures differ, and latency is of successes: see error_rate"
			}
		}
	}
}

// judge fills the gates and the verdict in all.
func (c *comparer) judge() {
	counts := map[Verdict]int{}
	for _, f := range c.FailOn {
		if f.Last > 0 {
			continue
		}
		x := c.gated(f)
		g := Gate{Expression: f.String(), Outcome: Unknown, Seen: x.seen()}
		bad, worst := float64(x.Change), float64(x.High)
		if f.Metric == gate.RPS {
			bad, worst = -bad, -float64(x.Low)
		}
		failsLatency := x.Verdict == CannotTell && x.Why != ""
		switch {
		case failsLatency:
			g.Seen += "; " + x.Why
		case x.P <= 1-Confidence && bad > f.Limit:
			g.Outcome = Failed
		case worst < f.Limit:
			g.Outcome = Passed
		case x.P <= 1-Confidence:
			g.Outcome = Passed
			g.Seen += "; worse or better, and the estimate is not beyond the limit"
		}
		if g.Outcome == Unknown && !failsLatency {
			g.Seen += "; the interval reaches beyond the limit" + c.need(x, f.Limit)
		}
		counts[x.Verdict]++
		c.out.Gates = append(c.out.Gates, g)
	}
	switch {
	case counts[Worse] > 0:
		c.out.Verdict = Worse
	case counts[CannotTell] > 0 || len(counts) == 0:
		c.out.Verdict = CannotTell
	case counts[Better] > 0:
		c.out.Verdict = Better
	default:
		c.out.Verdict = NoMatter
	}
}

// need says how many runs a side would tell an effect, from what the runs show.
func (c *comparer) need(x *Cell, effect float64) string {
	if x.metric.Kind == gate.ErrorRate {
		return ""
	}
	if c.Paired != nil {
		return c.needPaired(x, effect)
	}
	sd := c.Allowance
	s := c.samples[scope{x.Endpoint, x.Phase}]
	var pooled, df float64
	for i := range s {
		if len(s[i]) < 2 {
			continue
		}
		var values []float64
		for _, y := range s[i] {
			values = append(values, x.metric.scaled(y.value(x.metric)))
		}
		pooled, df = pooled+stats.Variance(values)*float64(len(values)-1), df+float64(len(values)-1)
	}
	if df > 0 {
		sd = math.Sqrt(pooled / df)
	}
	n := RunsFor(effect, sd)
	if have := min(len(s[0]), len(s[1])); n <= have {
		n = have + 1
	}
	return fmt.Sprintf("; need ≥ %d runs a side", n)
}

// RunsFor is how many runs a side find a change of a ratio in nine of ten cases, with an interval of 95 %, when runs
// differ by the standard deviation sd of their logarithms. n = 2 (t + z)² sd² ÷ effect², solved for the t of its own degrees of freedom.
func RunsFor(effect, sd float64) int {
	e := math.Log1p(effect)
	for n := 2; n < 1000; n++ {
		df := float64(2*n - 2)
		if e >= (stats.TQuantile(0.975, df)+stats.TQuantile(0.9, df))*sd*math.Sqrt(2/float64(n)) {
			return n
		}
	}
	return 1000
}

// control warns when the generator itself worked differently.
func (c *comparer) control() {
	mean := func(runs []*Run) float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, r.CPU)
		}
		return stats.Mean(all)
	}
	b, n := mean(c.sides[0]), mean(c.sides[1])
	if math.IsNaN(b) || math.IsNaN(n) || b <= 0 {
		return
	}
	at := slices.IndexFunc(c.out.Cells, func(x Cell) bool { return x.Endpoint+x.Phase != "" })
	if at < 0 {
		at = len(c.out.Cells)
	}
	c.out.Cells = slices.Insert(c.out.Cells, at, Cell{Metric: "generator_cpu", Unit: "ms", Base: Number(b), New: Number(n), Change: Number(n/b - 1), Low: result.Unknown(), High: result.Unknown(),
		Level: Confidence, P: 1, Verdict: CannotTell, Why: "a control: CPU time of the generator for a request"})
	if change := n/b - 1; math.Abs(change) > 0.25 {
		c.warn("the generator took %+.0f %% CPU time for a request: something beside the service changed", 100*change)
	}
}
