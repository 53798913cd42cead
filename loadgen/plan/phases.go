package plan

import (
	"math"
	"slices"
	"time"
)

// Curve is the level that the plan asks for: users of the closed model, requests per second of the
// open one, connections of a bench; see [Plan.Load]. The plan must be valid.
func (p *Plan) Curve() Curve { return p.Load().Curve }

// curve is the level without edits.
//
// Without stages, users rise in a straight line at the spawn rate, so that user k, counted from 0,
// is due k ÷ spawn rate after the start; the run time cuts a ramp that is longer.
func (p *Plan) curve() Curve {
	if len(p.Stages) > 0 {
		start := float64(p.Users)
		if p.Model == Open {
			start = p.Rate.PerSecond()
		}
		return NewCurve(start, p.Stages...)
	}
	if p.Model == Open {
		rate := p.Rate.PerSecond()
		return NewCurve(rate, Stage{p.RunTime, rate})
	}
	users := float64(p.Users)
	if p.Model == Bench {
		return NewCurve(users, Stage{p.RunTime, users})
	}
	// In float64 first: at a tiny spawn rate the ramp is longer than a Duration can say.
	ramp := math.Round(users / p.SpawnRate * 1e9)
	if ramp >= float64(p.RunTime) {
		// Above 0 at any rate: user 0 is due at once.
		reached := max(p.SpawnRate*p.RunTime.Seconds(), math.SmallestNonzeroFloat64)
		return NewCurve(0, Stage{p.RunTime, reached})
	}
	return NewCurve(0, Stage{Duration(ramp), users}, Stage{p.RunTime - Duration(ramp), users})
}

// Length is the planned length of the load, the drain not included.
func (p *Plan) Length() time.Duration {
	for i := len(p.Edits) - 1; i >= 0; i-- {
		if e := p.Edits[i]; e.Field == EditRunTime {
			return time.Duration(e.duration())
		}
	}
	if len(p.Stages) == 0 {
		return time.Duration(p.RunTime)
	}
	var sum Duration
	for _, s := range p.Stages {
		sum += s.Duration
	}
	return time.Duration(sum)
}

// Phases are the stretches by which results are split. Closed without stages: ramp until the last
// user has spawned, then steady. A constant rate is steady. Of stages, each flat one is steady and
// each other a ramp, even beside one of the same name; a jump is none. The drain comes last, always.
//
// A warm-up comes first: it is what of them lies before its end. An edit ends a phase and begins the next; a hold is one.
func (p *Plan) Phases() []Phase { return p.Load().Phases }

// phases are those without edits, and without the drain.
func (p *Plan) phases() []Phase {
	all := warmed(p.unwarmed(), time.Duration(p.WarmUp))
	return all[:len(all)-1]
}

// warmed replaces what is before end by a warm-up. The last phase, which is the drain, must begin after it.
func warmed(phases []Phase, end time.Duration) []Phase {
	if end <= 0 {
		return phases
	}
	first := 0 // that goes on after end
	for phases[first+1].From <= end {
		first++
	}
	phases[first].From = end
	return slices.Insert(phases[first:], 0, Phase{WarmUp, 0})
}

// unwarmed are the phases without edits and warm-up.
func (p *Plan) unwarmed() []Phase {
	curve := p.curve()
	var phases []Phase
	for i, s := range curve.Segments() {
		switch {
		case s.Start == s.End && (len(p.Stages) > 0 || i == 0):
			phases = append(phases, Phase{Steady, s.From})
		case len(p.Stages) > 0:
			phases = append(phases, Phase{Ramp, s.From})
		case i == 0:
			phases = append(phases, p.spawning(s)...)
		}
	}
	return append(phases, Phase{Drain, curve.End()})
}

// spawning are the phases of a closed plan without stages, whose first segment is the ramp s: its
// last user spawns before the line is at its end.
func (p *Plan) spawning(s Segment) []Phase {
	last := p.Users - 1
	if !s.crosses(last) || s.when(last) == s.To {
		return []Phase{{Ramp, 0}}
	}
	if s.when(last) == 0 {
		return []Phase{{Steady, 0}}
	}
	return []Phase{{Ramp, 0}, {Steady, s.when(last)}}
}
