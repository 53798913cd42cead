package result

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// Merged is several generators' results of one load as one: their windows added up, each on its own
// clock. It is written as a run is, to a [Writer] and a [Builder], whose Result takes Final.
type Merged struct {
	Meta Meta // without an ID: the sum is a result of its own, and the caller names it
	// Final holds what the parts' ends tell together: sends dropped, whether and how they were
	// stopped, warnings, sources, and the worst of their verdicts with everybody's reasons. Health,
	// thresholds and exit code are for the caller, who can judge the sum.
	Final Final
	// Facts are what all parts were told of capacity, where they watched it, on the clock of the part that began first; and
	// Final.Timeline is what they add up to.
	Facts []timeline.Fact

	parts   []*Opened       // the one that began first comes first
	phases  []sumPhase      // those that any part came to, in order
	indices [][]int         // of each part: its phases as indices into Meta.Phases
	skews   []time.Duration // of each part: how much later than the first it began
}

// Merge brings results together that generators of the same load left: plans that mean the same
// but for seed, name, tags and each generator's share of the load. It refuses others, naming the
// field that differs, and the same result given twice. The order of the parts does not matter, nor
// whether some were added up before.
//
// meaning gives expressions of the plan (thresholds, abort_on) a form that is the same for the same
// meaning; nil compares them as they were typed. The sum keeps them as the first part has them.
func Merge(given []*Opened, meaning func(expression string) string) (*Merged, error) {
	if len(given) == 0 {
		return nil, errors.New("merge: want at least one result")
	}
	parts := slices.Clone(given)
	slices.SortStableFunc(parts, func(a, b *Opened) int {
		return cmp.Or(a.Meta.StartedAt.Compare(b.Meta.StartedAt), cmp.Compare(a.Meta.ID, b.Meta.ID))
	})
	m := &Merged{parts: parts, Meta: parts[0].Meta}
	m.Meta.ID = ""
	for i, p := range parts {
		for _, earlier := range parts[:i] {
			if id, ok := shared(earlier, p); ok {
				return nil, fmt.Errorf("merge: %s and %s hold the same run, %s", earlier.Dir, p.Dir, id)
			}
		}
		if err := alike(parts[0], p, meaning); err != nil {
			return nil, fmt.Errorf("merge: %s and %s: %w", parts[0].Dir, p.Dir, err)
		}
		if len(p.Meta.Phases) > len(m.Meta.Phases) {
			m.Meta.Phases = p.Meta.Phases
		}
		m.skews = append(m.skews, p.Meta.StartedAt.Sub(m.Meta.StartedAt))
	}
	for _, p := range parts {
		of, ok := alignPhases(m.Meta.Phases, p.Meta.Phases)
		if !ok {
			return nil, fmt.Errorf("merge: %s: its phases are others than those of the rest", p.Dir)
		}
		m.indices = append(m.indices, of)
	}
	m.Meta.Phases, m.phases = commonPhases(m.Meta.Phases, parts, m.indices, m.Meta.interval())
	m.Meta.Plan = sumPlans(parts)
	m.Meta.Generator = sumGenerators(parts)
	m.Final = m.final()
	if err := m.unite(); err != nil {
		return nil, err
	}
	return m, nil
}

// sources are the runs that a result is of: itself, or those that were merged into it.
func sources(o *Opened) []Source {
	if r := o.Result; len(r.MergedFrom) > 0 {
		return r.MergedFrom
	}
	g := o.Meta.Generator
	return []Source{{
		ID: o.Meta.ID, Hostname: g.Hostname, StartedAt: o.Meta.StartedAt, Validity: o.Result.Verdict.Validity,
		BootID: g.BootID, CPUs: g.CPUs, CPULimit: g.CPULimit,
	}}
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
func alike(a, b *Opened, meaning func(string) string) error {
	if len(b.Meta.Phases) == 0 {
		return fmt.Errorf("%s: no %s", b.Dir, planName)
	}
	if x, y := a.Meta.schema(), b.Meta.schema(); x != y {
		return fmt.Errorf("versions differ: %s and %s, whose figures do not mean the same", x, y)
	}
	if d, found, err := differ(unshared(a.Meta.Plan, meaning), unshared(b.Meta.Plan, meaning)); err != nil || found {
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

// unshared is a plan without what generators of one load may differ in: what the run is called,
// chance, and the share of the load, of which whether there is one has to agree. What can be written
// in several ways is written in one.
func unshared(p plan.Plan, meaning func(string) string) plan.Plan {
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
	p.Edits = slices.Clone(p.Edits)
	for i := range p.Edits {
		switch e := &p.Edits[i]; e.Field {
		case plan.EditUsers, plan.EditSpawnRate, plan.EditRate:
			e.Value = math.Min(math.Ceil(e.Value), 1)
		}
	}
	p.Host = strings.TrimSuffix(p.Host, "/")
	p.Client.Header = canonicalHeader(p.Client.Header)
	p.Targets = slices.Clone(p.Targets)
	for i := range p.Targets {
		t := &p.Targets[i]
		t.Weight = max(t.Weight, 1) // 0 counts as 1
		t.Header = canonicalHeader(t.Header)
	}
	if meaning != nil {
		thresholds := make([]string, 0, len(p.Thresholds))
		for _, expression := range p.Thresholds {
			thresholds = append(thresholds, meaning(expression))
		}
		slices.Sort(thresholds) // all have to hold, in whatever order
		if p.Thresholds = slices.Compact(thresholds); len(thresholds) == 0 {
			p.Thresholds = nil
		}
		if p.AbortOn != "" {
			p.AbortOn = meaning(p.AbortOn)
		}
	}
	return p
}

// canonicalHeader has names as HTTP has them, which does not tell cases apart (RFC 9110 §5.1).
func canonicalHeader(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	all := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		all[http.CanonicalHeaderKey(name)] = append(all[http.CanonicalHeaderKey(name)], h[name]...)
	}
	return all
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
	sum.Stages, sum.Edits = slices.Clone(sum.Stages), slices.Clone(sum.Edits)
	for _, o := range parts[1:] {
		p := o.Meta.Plan
		sum.Users += p.Users
		sum.SpawnRate = added(sum.SpawnRate, p.SpawnRate)
		sum.MaxInFlight += p.MaxInFlight
		if sum.Rate.Per == p.Rate.Per {
			sum.Rate.N = added(sum.Rate.N, p.Rate.N)
		} else {
			sum.Rate = plan.Rate{N: added(sum.Rate.PerSecond(), p.Rate.PerSecond())}
		}
		for i := range sum.Stages {
			sum.Stages[i].To = added(sum.Stages[i].To, p.Stages[i].To)
		}
		for i := range sum.Edits {
			switch e := &sum.Edits[i]; e.Field {
			case plan.EditUsers, plan.EditSpawnRate, plan.EditRate:
				e.Value = added(e.Value, p.Edits[i].Value)
			}
		}
	}
	return sum
}

// added is a sum to twelve digits: that of a third, a third and a third is 1 in any order.
func added(a, b float64) float64 {
	sum, err := strconv.ParseFloat(strconv.FormatFloat(a+b, 'g', 12, 64), 64)
	if err != nil {
		return a + b
	}
	return sum
}

// sumGenerators describes the generators as one: what they may use together, and every name once.
func sumGenerators(parts []*Opened) Generator {
	sum := parts[0].Meta.Generator
	for _, o := range parts[1:] {
		g := o.Meta.Generator
		sum.Version, sum.Go, sum.OS, sum.Arch = both(sum.Version, g.Version), both(sum.Go, g.Go), both(sum.OS, g.OS), both(sum.Arch, g.Arch)
		sum.CPULimitSource, sum.Hostname = both(sum.CPULimitSource, g.CPULimitSource), both(sum.Hostname, g.Hostname)
		sum.BootID = both(sum.BootID, g.BootID)
		sum.MemoryLimitBytes += g.MemoryLimitBytes // unknown when one is
		sum.FileLimit = min(sum.FileLimit, g.FileLimit)
		sum.Task = nil
	}
	if len(parts) > 1 {
		sum.CPUs, sum.CPULimit = sumCPUs(parts)
	}
	return sum
}

// sumCPUs counts the CPUs of each host once, however many generators ran on it, and lets those use
// together what each may use alone, but no more than the host has. A generator that does not know
// which host it ran on had one to itself.
func sumCPUs(parts []*Opened) (cpus int, limit Reading) {
	type host struct {
		cpus  int
		limit Reading
	}
	hosts := map[string]host{}
	for _, p := range parts {
		for _, s := range sources(p) {
			name := cmp.Or(s.BootID, "run "+s.ID)
			h := hosts[name]
			hosts[name] = host{max(h.cpus, s.CPUs), h.limit + s.CPULimit}
		}
	}
	var all []float64
	for _, h := range hosts {
		cpus += h.cpus
		if h.cpus > 0 {
			h.limit = min(h.limit, Reading(h.cpus)) // unknown stays so
		}
		all = append(all, float64(h.limit))
	}
	slices.Sort(all) // a map has no order, and a sum of fractions may
	for _, l := range all {
		limit = Reading(added(float64(limit), l))
	}
	return cpus, limit
}

// both is every name of two lists once, in order.
func both(a, b string) string {
	names := slices.Concat(strings.Split(a, ", "), strings.Split(b, ", "))
	slices.Sort(names)
	return strings.TrimPrefix(strings.Join(slices.Compact(names), ", "), ", ")
}

func (m *Merged) final() Final {
	f := Final{Verdict: Verdict{Validity: Valid}}
	var by stopped
	for i, p := range m.parts {
		r := p.Result
		label := m.label(p)
		f.Interrupted = f.Interrupted || r.Interrupted
		f.Cut = f.Cut || p.Cut || r.StoppedBy == StoppedByCut
		if stop := (stopped{r.StoppedBy, r.Interrupted, r.Aborted}); stop.counts() > by.counts() || stop.counts() == by.counts() && stop.by < by.by {
			by = stop
		}
		f.Verdict.Validity = Worst(f.Verdict.Validity, r.Verdict.Validity)
		prefix := label + ": "
		if len(r.MergedFrom) > 0 {
			prefix = "" // a sum named its parts already
		}
		for _, reason := range r.Verdict.Reasons {
			reason.Detail = prefix + reason.Detail
			f.Verdict.Reasons = append(f.Verdict.Reasons, reason)
		}
		for _, w := range r.Warnings {
			f.Warnings = append(f.Warnings, prefix+w)
		}
		f.Deliveries = addDeliveries(f.Deliveries, r.Deliveries)
		f.MergedFrom = append(f.MergedFrom, sources(p)...)
		if skew := m.skews[i]; skew > m.Meta.Interval {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s began %v after the first generator: its times count from its own start",
				label, skew.Round(time.Millisecond)))
		}
	}
	if warning := unlikePhases(m.Meta.Phases, m.phases, m.Meta.interval()); warning != "" {
		f.Warnings = append(f.Warnings, warning)
	}
	f.StoppedBy, f.Aborted = by.by, by.aborted
	slices.SortFunc(f.MergedFrom, func(a, b Source) int { return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(f.Verdict.Reasons, func(a, b Reason) int { return b.Level.rank() - a.Level.rank() })
	return f
}

// stopped is how a part ended before its plan did.
type stopped struct {
	by                   string
	interrupted, aborted bool
}

// counts orders ends by what they say of the sum: somebody's signal most, then that a part's process
// was cut off, then a rule that stopped it.
func (s stopped) counts() int {
	switch {
	case s.by == "":
		return 0
	case s.by == StoppedByCut:
		return 2
	case s.interrupted:
		return 3
	}
	return 1
}

// label names a part in warnings: by its host, or its directory where hosts do not tell parts apart.
func (m *Merged) label(p *Opened) string {
	host := p.Meta.Generator.Hostname
	for _, other := range m.parts {
		if other != p && other.Meta.Generator.Hostname == host {
			return p.Dir
		}
	}
	return cmp.Or(host, p.Dir)
}

// Worst is the worst of several verdicts.
func Worst(of ...Validity) Validity {
	return slices.MaxFunc(of, func(a, b Validity) int { return a.rank() - b.rank() })
}

func (v Validity) rank() int {
	return slices.Index([]Validity{Valid, Suspect, Invalid}, v)
}
