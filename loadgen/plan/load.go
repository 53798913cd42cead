package plan

import (
	"math"
	"slices"
	"time"
)

// Load is what a plan asks for over time, its edits included.
type Load struct {
	// Curve is users, or requests per second; 0 while the plan is held.
	Curve Curve
	// Present are the users of a closed plan: as Curve, but those who are held stay.
	Present Curve
	target  Curve   // as Present, but reached at once
	Holds   []Hold  // in order
	Phases  []Phase // in order; the last one is the drain
}

// Hold is a time in which a plan is paused: nothing becomes due, and pauses of users stand still.
type Hold struct {
	From, To time.Duration
}

// End is when the load ends and the drain begins.
func (l *Load) End() time.Duration { return l.Phases[len(l.Phases)-1].From }

// Load is the plan's, which must be valid. It is made of the edits in order, none of which changes what was before it.
//
// From an edit of users on, their number is the new one until the end; it is reached at the spawn rate. After a hold it is
// what the plan would have without the hold, and what is missing spawns at the spawn rate. A plan with stages has as its
// spawn rate that of its steepest stage, until an edit gives another.
func (p *Plan) Load() Load {
	b := loadBuilder{
		plan: p, isClosed: p.Model == Closed, spawn: p.spawnRate(),
		level: p.curve().pieces, phases: p.phases(),
	}
	b.end, b.target = b.level.end(), slices.Clone(b.level)
	if b.isClosed && len(p.Stages) == 0 {
		b.target = pieces{constant(0, b.end, float64(p.Users))}
	}
	for _, e := range p.Edits {
		b.edit(e)
	}
	b.phases = append(b.phases, Phase{Drain, b.end})
	l := Load{target: Curve{}.then(b.target...), Holds: b.holds, Phases: b.phases}
	if l.Curve = (Curve{}).then(b.level.held(b.holds)...); b.isClosed {
		l.Present = Curve{}.then(b.level...)
	}
	return l
}

// spawnRate is how many users are started, or leave, in a second when an edit changes their number.
func (p *Plan) spawnRate() float64 {
	if p.SpawnRate > 0 {
		return p.SpawnRate
	}
	var steepest float64
	for _, s := range p.curve().pieces {
		steepest = max(steepest, math.Abs(s.slope()))
	}
	if steepest == 0 {
		return DefaultSpawnRate
	}
	return steepest
}

// loadBuilder follows a plan through its edits.
type loadBuilder struct {
	plan     *Plan
	isClosed bool
	spawn    float64 // users a second

	target pieces // what is asked for
	level  pieces // what there is: users spawn at the spawn rate
	end    time.Duration
	holds  []Hold
	paused bool
	phases []Phase // without the drain
}

func (b *loadBuilder) edit(e Edit) {
	at := e.At
	before := b.level.left(at)
	behind := b.isClosed && before != b.target.left(at) // users are being started, or leave
	switch e.Field {
	case EditUsers, EditRate:
		b.target = append(b.target.until(at), constant(at, b.end, e.Value))
		behind = true
	case EditSpawnRate:
		b.spawn = e.Value
	case EditPaused:
		if b.paused = e.Value != 0; b.paused {
			b.holds = append(b.holds, Hold{at, b.end})
		} else {
			b.holds[len(b.holds)-1].To = at
			behind = true
		}
	case EditRunTime:
		end := time.Duration(e.duration())
		if end > b.end {
			b.target = append(b.target, constant(b.end, end, b.target.left(b.end)))
		}
		b.target = b.target.until(end)
		if b.end = end; b.paused {
			b.holds[len(b.holds)-1].To = end
		}
	}
	rest := b.target.after(at)
	switch {
	case !b.isClosed:
	case b.paused:
		rest = pieces{constant(at, b.end, before)}
	case behind:
		rest = rest.approached(at, before, b.spawn)
	}
	b.level = append(b.level.until(at), rest...)

	b.phases = slices.DeleteFunc(b.phases, func(p Phase) bool { return p.From >= at })
	b.phases = append(b.phases, b.warm(b.following(rest, at))...)
}

// following are the phases after an edit: each piece of the curve is one, steady or ramp, but users that spawn are steady
// from when the last one has, or has left. While the plan is held that is what the phase is called.
func (b *loadBuilder) following(rest pieces, at time.Duration) []Phase {
	if b.paused {
		return []Phase{{Held, at}}
	}
	var phases []Phase
	for i := 0; i < len(rest); i++ {
		p := rest[i]
		if p.Start == p.End {
			phases = append(phases, Phase{Steady, p.from})
			continue
		}
		phases = append(phases, Phase{Ramp, p.from})
		if i++; !p.spawns || i == len(rest) || rest[i].Start != rest[i].End {
			i--
			continue // the load goes on to change
		}
		last := p.from
		for c := range (Curve{}).then(p).Crossings() {
			last = c.At
		}
		if last == p.from {
			phases = phases[:len(phases)-1]
		}
		phases = append(phases, Phase{Steady, last})
	}
	return phases
}

// warm makes warm-up of what comes before its end and is not held.
func (b *loadBuilder) warm(phases []Phase) []Phase {
	end := time.Duration(b.plan.WarmUp)
	var out []Phase
	for i, p := range phases {
		to := b.end
		if i+1 < len(phases) {
			to = phases[i+1].From
		}
		if p.From >= end || p.Name == Held {
			out = append(out, p)
			continue
		}
		if n := len(out); n == 0 || out[n-1].Name != WarmUp {
			out = append(out, Phase{WarmUp, p.From})
		}
		if to > end {
			out = append(out, Phase{p.Name, end})
		}
	}
	return out
}
