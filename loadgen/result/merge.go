package result

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
)

// Merged is several generators' results of one load as one: their windows added up, each on its own
// clock. It is written as a run is, to a [Writer] and a [Builder], whose Result takes Final.
type Merged struct {
	Meta Meta // without an ID: the sum is a result of its own, and the caller names it
	// Final holds what the parts' ends tell together: sends dropped, whether and how they were
	// stopped, warnings, sources, and the worst of their verdicts with everybody's reasons. Health,
	// thresholds and exit code are for the caller, who can judge the sum.
	Final Final

	parts  []*Opened
	phases [][]int         // of each part: its phases as indices into Meta.Phases
	skews  []time.Duration // of each part: how much later than the first it began
}

// Merge brings results together that generators of the same load left: plans that are the same
// but for seed, name, tags and each generator's share of the load. It refuses others, naming the
// field that differs, and the same result given twice.
func Merge(parts []*Opened) (*Merged, error) {
	if len(parts) == 0 {
		return nil, errors.New("merge: want at least one result")
	}
	first := slices.MinFunc(parts, func(a, b *Opened) int { return a.Meta.StartedAt.Compare(b.Meta.StartedAt) })
	m := &Merged{parts: parts, Meta: parts[0].Meta}
	m.Meta.ID, m.Meta.StartedAt = "", first.Meta.StartedAt
	for i, p := range parts {
		for _, earlier := range parts[:i] {
			if id, ok := shared(earlier, p); ok {
				return nil, fmt.Errorf("merge: %s and %s hold the same run, %s", earlier.Dir, p.Dir, id)
			}
		}
		if err := alike(parts[0], p); err != nil {
			return nil, fmt.Errorf("merge: %s and %s: %w", parts[0].Dir, p.Dir, err)
		}
		if len(p.Meta.Phases) > len(m.Meta.Phases) {
			m.Meta.Phases = p.Meta.Phases
		}
		m.skews = append(m.skews, p.Meta.StartedAt.Sub(m.Meta.StartedAt))
	}
	for _, p := range parts {
		indices, ok := alignPhases(m.Meta.Phases, p.Meta.Phases)
		if !ok {
			return nil, fmt.Errorf("merge: %s: its phases are others than those of the rest", p.Dir)
		}
		m.phases = append(m.phases, indices)
	}
	m.Meta.Plan = sumPlans(parts)
	m.Meta.Generator = sumGenerators(parts)
	m.Final = m.final()
	return m, nil
}

// sources are the runs that a result is of: itself, or those that were merged into it.
func sources(o *Opened) []Source {
	if r := o.Result; len(r.MergedFrom) > 0 {
		return r.MergedFrom
	}
	return []Source{{o.Meta.ID, o.Meta.Generator.Hostname, o.Meta.StartedAt, o.Result.Verdict.Validity}}
}

func shared(a, b *Opened) (id string, ok bool) {
	for _, x := range sources(a) {
		for _, y := range sources(b) {
			if x.ID == y.ID && x.ID != "" {
				return x.ID, true
			}
		}
	}
	return "", false
}

// alike says what makes two results unfit to be added up.
func alike(a, b *Opened) error {
	if len(b.Meta.Phases) == 0 {
		return fmt.Errorf("%s: no %s", b.Dir, planName)
	}
	if d, found, err := differ(withoutShare(a.Meta.Plan), withoutShare(b.Meta.Plan)); err != nil || found {
		return cmp.Or(err, fmt.Errorf("plan field %s differs: %s and %s", d.path, d.a, d.b))
	}
	if d, found, err := differ(a.Meta.Endpoints, b.Meta.Endpoints); err != nil || found {
		return cmp.Or(err, fmt.Errorf("endpoints%s differs: %s and %s", d.path, d.a, d.b))
	}
	if a.Meta.Interval != b.Meta.Interval {
		return fmt.Errorf("interval differs: %v and %v", a.Meta.Interval, b.Meta.Interval)
	}
	return nil
}

// withoutShare is a plan without what generators of one load may differ in: what the run is called,
// chance, and the share of the load, of which whether there is one has to agree.
func withoutShare(p plan.Plan) plan.Plan {
	p.Name, p.Tags, p.Seed = "", nil, 0
	p.Users, p.MaxInFlight = min(p.Users, 1), min(p.MaxInFlight, 1)
	p.SpawnRate = math.Min(math.Ceil(p.SpawnRate), 1)
	if p.Rate.N > 0 {
		p.Rate = plan.Rate{N: 1}
	}
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		p.Stages[i].To = math.Min(math.Ceil(p.Stages[i].To), 1)
	}
	return p
}

// alignPhases finds each of a part's phases among all, in order and by name. A generator with one
// user has no ramp where others have.
func alignPhases(all, part []plan.Phase) ([]int, bool) {
	indices := make([]int, len(part))
	at := len(all)
	for i := len(part) - 1; i >= 0; i-- {
		at--
		for at >= 0 && all[at].Name != part[i].Name {
			at--
		}
		if at < 0 {
			return nil, false
		}
		indices[i] = at
	}
	return indices, true
}

// sumPlans is the first plan with everybody's load.
func sumPlans(parts []*Opened) plan.Plan {
	sum := parts[0].Meta.Plan
	sum.Stages = slices.Clone(sum.Stages)
	for _, o := range parts[1:] {
		p := o.Meta.Plan
		sum.Users += p.Users
		sum.SpawnRate += p.SpawnRate
		sum.MaxInFlight += p.MaxInFlight
		if sum.Rate.Per == p.Rate.Per {
			sum.Rate.N += p.Rate.N
		} else {
			sum.Rate = plan.Rate{N: sum.Rate.PerSecond() + p.Rate.PerSecond()}
		}
		for i := range sum.Stages {
			sum.Stages[i].To += p.Stages[i].To
		}
	}
	return sum
}

// sumGenerators describes the generators as one: CPUs and memory together, and every name once.
func sumGenerators(parts []*Opened) Generator {
	sum := parts[0].Meta.Generator
	for _, o := range parts[1:] {
		g := o.Meta.Generator
		sum.Version = both(sum.Version, g.Version)
		sum.Go, sum.OS, sum.Arch = both(sum.Go, g.Go), both(sum.OS, g.OS), both(sum.Arch, g.Arch)
		sum.CPULimitSource, sum.Hostname = both(sum.CPULimitSource, g.CPULimitSource), both(sum.Hostname, g.Hostname)
		sum.CPUs += g.CPUs
		sum.CPULimit += g.CPULimit // unknown when one is
		sum.MemoryLimitBytes += g.MemoryLimitBytes
		sum.FileLimit = min(sum.FileLimit, g.FileLimit)
		sum.Task = nil
	}
	return sum
}

func both(list, name string) string {
	for have := range strings.SplitSeq(list, ", ") {
		if have == name {
			return list
		}
	}
	return list + ", " + name
}

func (m *Merged) final() Final {
	f := Final{Verdict: Verdict{Validity: Valid}}
	for i, p := range m.parts {
		r := p.Result
		label := label(p)
		f.Dropped += r.Totals.Dropped
		f.Interrupted = f.Interrupted || r.Interrupted
		f.Cut = f.Cut || p.Cut
		f.StoppedBy = cmp.Or(f.StoppedBy, r.StoppedBy)
		f.Verdict.Validity = Worst(f.Verdict.Validity, r.Verdict.Validity)
		for _, reason := range r.Verdict.Reasons {
			reason.Detail = label + ": " + reason.Detail
			f.Verdict.Reasons = append(f.Verdict.Reasons, reason)
		}
		for _, w := range r.Warnings {
			f.Warnings = append(f.Warnings, label+": "+w)
		}
		f.MergedFrom = append(f.MergedFrom, sources(p)...)
		if skew := m.skews[i]; skew > m.Meta.Interval {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s began %v after the first generator: its times count from its own start",
				label, skew.Round(time.Millisecond)))
		}
	}
	slices.SortStableFunc(f.Verdict.Reasons, func(a, b Reason) int { return b.Level.rank() - a.Level.rank() })
	return f
}

// label names a part in warnings: its host, or its directory where hosts do not tell parts apart.
func label(p *Opened) string { return cmp.Or(p.Meta.Generator.Hostname, p.Dir) }

// Worst is the worst of several verdicts.
func Worst(of ...Validity) Validity {
	return slices.MaxFunc(of, func(a, b Validity) int { return a.rank() - b.rank() })
}

func (v Validity) rank() int {
	return slices.Index([]Validity{Valid, Suspect, Invalid}, v)
}

// Windows yields the parts' windows added up: those of the same interval and phase, each on its own
// part's clock, in order of the time that they begin. Times of single events and requests are moved
// to the clock of the part that began first, so that their times of day stay true.
func (m *Merged) Windows() iter.Seq2[*Window, error] {
	return func(yield func(*Window, error) bool) {
		parts := make([]*mergePart, len(m.parts))
		for i, p := range m.parts {
			next, stop := iter.Pull2(p.Windows())
			defer stop()
			parts[i] = &mergePart{m: m, index: i, pull: next}
			if err := parts[i].advance(); err != nil {
				yield(nil, err)
				return
			}
		}
		for {
			cell := int64(math.MaxInt64)
			for _, p := range parts {
				cell = min(cell, p.cell())
			}
			if cell == math.MaxInt64 {
				return
			}
			sums, err := m.sumCell(parts, cell)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, w := range sums {
				if !yield(w, nil) {
					return
				}
			}
		}
	}
}

// sumCell adds up what the parts have in one interval, by phase.
func (m *Merged) sumCell(parts []*mergePart, cell int64) ([]*Window, error) {
	var sums []*Window
	for _, p := range parts {
		for p.cell() == cell {
			w := p.window
			i := slices.IndexFunc(sums, func(sum *Window) bool { return sum.Phase == w.Phase })
			if i < 0 {
				sums = append(sums, w)
			} else {
				sums[i].join(w)
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(sums, func(a, b *Window) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Phase, b.Phase)) })
	return sums, nil
}

// mergePart is where the reading of a part has come to.
type mergePart struct {
	m      *Merged
	index  int
	pull   func() (*Window, error, bool)
	window *Window // nil after the last
}

// cell is the interval that the part's next window belongs to.
func (p *mergePart) cell() int64 {
	if p.window == nil {
		return math.MaxInt64
	}
	return int64(p.window.From / p.m.Meta.Interval)
}

// advance reads the next window and puts it into the terms of the sum.
func (p *mergePart) advance() error {
	w, err, ok := p.pull()
	if err != nil {
		return err
	}
	if p.window = w; !ok {
		p.window = nil
		return nil
	}
	w.Phase = p.m.phases[p.index][w.Phase]
	skew := p.m.skews[p.index]
	for i := range w.Slowest {
		w.Slowest[i].At += skew
	}
	for i := range w.FailedExamples {
		w.FailedExamples[i].At += skew
	}
	for i := range w.Endpoints {
		for j := range w.Endpoints[i].Errors {
			w.Endpoints[i].Errors[j].First += skew
			w.Endpoints[i].Errors[j].Last += skew
		}
	}
	events := w.Events[:0]
	for _, e := range w.Events {
		if e.Type == EventPhase && p.index > 0 {
			continue // the same for all, and told by the first
		}
		e.At += skew
		if len(p.m.parts) > 1 && e.Type != EventPhase {
			e.Detail = label(p.m.parts[p.index]) + ": " + e.Detail
		}
		events = append(events, e)
	}
	w.Events = events
	return nil
}
