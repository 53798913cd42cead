package loadgen

import (
	"math"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Seen is what a stretch of a run shows of its load: a window, as a rule. Stretches are in order of time and do not overlap.
type Seen struct {
	From, To         time.Duration
	Offered          float64       // requests/s that became due
	Requests, Errors int64         // completed
	Answer           time.Duration // mean raw latency of the successes; 0 without one
}

// until is how much of it had completed by an instant in it, evenly spread.
func (s Seen) until(at time.Duration) (requests, errors int64) {
	requests = int64(math.Round(float64(s.Requests) * float64(at-s.From) / float64(s.To-s.From)))
	if s.Requests > 0 {
		errors = int64(math.Floor(float64(s.Errors) * float64(requests) / float64(s.Requests)))
	}
	return requests, errors
}

// SeenIn is what a window shows.
func SeenIn(w *result.Window) Seen {
	s := Seen{From: w.From, To: w.To}
	if w.To > w.From {
		s.Offered = float64(w.Offered) / w.Seconds()
	}
	all := result.TallyOf(w)
	s.Requests, s.Errors, s.Answer = all.Requests, all.Failures, all.Raw.Mean()
	return s
}

// Judged is how capacity followed a load.
type Judged struct {
	Known        bool // there is a timeline, and it can be one
	Demand       timeline.Load
	Figures      timeline.Figures
	Expectations []result.Outcome
	Warnings     []string // where the timeline contradicts itself
}

// Asked is what was asked of a service: what a run sent, or the load of a simulation.
type Asked interface {
	// Demand is the load on the run's clock, in steps in which tasks that can do perTask requests/s each need not change in number.
	Demand(perTask float64) timeline.Load
}

// OfRun is what a run asked for: see [Demand].
type OfRun struct {
	Plan *plan.Plan
	Seen []Seen
}

// Demand is that of the run's plan.
func (r OfRun) Demand(perTask float64) timeline.Load { return Demand(r.Plan, r.Seen, perTask) }

// Judge compares a timeline with what was asked of its service. It depends on nothing else: the same load, timeline, capacity of a
// task (requests/s; 0 when it is not known) and expectations give the same judgement, during a run, of the files of one that was
// cut, of several that were added up, and of a simulation. Counts are nil where no requests were sent.
//
// A timeline that contradicts itself is judged as it stands, with a warning. Without a timeline, or of one that Validate refuses,
// no figure is known and every expectation fails.
func Judge(asked Asked, t *timeline.Timeline, perTask float64, expected []gate.Expr, counts *gate.Counts) Judged {
	j := Judged{Demand: asked.Demand(perTask)}
	err := error(&input.Error{Field: "points", Want: "want at least one"})
	if t != nil {
		err = t.Validate()
	}
	if err != nil {
		j.Warnings = []string{"capacity is not judged: timeline: " + err.Error()}
		for _, e := range expected {
			j.Expectations = append(j.Expectations, result.Outcome{Expression: e.String(), Value: result.Unknown(), Detail: "nothing is known of capacity"})
		}
		return j
	}
	j.Known, j.Warnings = true, t.Contradictions()
	j.Figures = timeline.Compute(t, j.Demand, timeline.Capacity{PerTask: perTask, Utilisation: Utilisation})
	j.Expectations = gate.Evaluate(expected, gate.Evidence{Timeline: t, Figures: j.Figures, Counts: counts})
	return j
}

// Demand is the load that capacity was to carry, on the run's clock, until the last stretch that was seen or the plan's
// end. Of an open plan it is the rate that was planned. Users who wait for a slow answer do not send meanwhile, so what
// they sent under-states what they were ready to send, just when capacity is short: their demand is the users present ÷
// (mean pause + answer), or ÷ pacing, where the answer is the mean one of the stretch that had the fastest. Users and
// rates are those of the plan's curve at every instant; nothing is smoothed.
//
// A step ends where the number of tasks of perTask requests/s changes, or after a second (longer in a run of hours), and
// its rate is the mean over it. A closed plan without an answer asks for what became due.
func Demand(p *plan.Plan, seen []Seen, perTask float64) timeline.Load {
	load := p.Load()
	curve := load.Curve
	end := time.Duration(0)
	if n := len(seen); n > 0 {
		end = min(seen[n-1].To, curve.End())
	}
	b := demandBuilder{holds: load.Holds, capacity: timeline.Capacity{PerTask: perTask, Utilisation: Utilisation}, end: end, longest: max(time.Second, end/5000)}
	cycle := p.Cycle(fastest(seen))
	switch {
	case p.Model == plan.Open:
		b.rates(curve)
	case cycle > 0:
		b.users(curve, cycle)
	default:
		for _, s := range seen {
			b.add(s.From, min(s.To, end), s.Offered)
		}
	}
	return withCounts(b.steps, seen)
}

func fastest(seen []Seen) (answer time.Duration) {
	for _, s := range seen {
		if s.Answer > 0 && (answer == 0 || s.Answer < answer) {
			answer = s.Answer
		}
	}
	return answer
}

// demandBuilder joins what is of one number of tasks.
type demandBuilder struct {
	capacity timeline.Capacity
	end      time.Duration
	holds    []plan.Hold // in which nothing was asked for
	longest  time.Duration
	steps    timeline.Load
}

// add adds a rate from one instant to another, but for holds in between.
func (b *demandBuilder) add(from, to time.Duration, rate float64) {
	for _, h := range b.holds {
		if h.From < to && from < h.To {
			b.add(from, h.From, rate)
			if from, to := max(from, h.From), min(to, h.To, b.end); from < to {
				b.steps = append(b.steps, timeline.Step{From: from, To: to, Held: true})
			}
			from = h.To
		}
	}
	if to = min(to, b.end); to <= from {
		return
	}
	s := timeline.Step{From: from, To: to, Rate: rate, Planned: true}
	if n := len(b.steps) - 1; n >= 0 {
		last := &b.steps[n]
		same := b.capacity.Tasks(last.Rate) == b.capacity.Tasks(rate)
		if last.To == from && !last.Held && (last.Rate == rate || same && to-last.From <= b.longest) {
			x, y := (last.To - last.From).Seconds(), (to - from).Seconds()
			if last.Rate != rate {
				last.Rate = (last.Rate*x + rate*y) / (x + y)
			}
			last.To = to
			return
		}
	}
	b.steps = append(b.steps, s)
}

// users adds what those present are ready to send.
func (b *demandBuilder) users(curve plan.Curve, cycle time.Duration) {
	present, since := 0, time.Duration(0)
	for c := range curve.Crossings() {
		if c.At > since {
			b.add(since, c.At, float64(present)/cycle.Seconds())
			since = c.At
		}
		if present = c.User; c.Join {
			present++
		}
	}
	b.add(since, b.end, float64(present)/cycle.Seconds())
}

// rates adds straight lines, cut where they ask for one task more or less.
func (b *demandBuilder) rates(curve plan.Curve) {
	for _, s := range curve.Segments() {
		for _, step := range timeline.Steps(s, b.capacity, b.longest) {
			b.add(step.From, step.To, step.Rate)
		}
	}
}

// withCounts cuts the steps where the stretches that were seen end, and gives each its share of what completed. What
// completed after the last step belongs to no load.
func withCounts(steps timeline.Load, seen []Seen) timeline.Load {
	cut := make(timeline.Load, 0, len(steps)+len(seen))
	i := 0
	for _, s := range steps {
		for s.From < s.To {
			for i < len(seen) && seen[i].To <= s.From {
				i++
			}
			part := s
			if i < len(seen) {
				w := seen[i]
				if part.To = min(s.To, w.To); w.From > s.From {
					part.To = min(s.To, w.From)
				} else {
					requests, errors := w.until(part.To)
					before, failed := w.until(s.From)
					part.Requests, part.Errors = requests-before, errors-failed
				}
			}
			cut = append(cut, part)
			s.From = part.To
		}
	}
	return cut
}
