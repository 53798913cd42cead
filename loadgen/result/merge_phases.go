package result

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
)

// sumPhase is a phase of a sum: where it begins there, and where it did in the parts.
//
// Generators that share a load need not change phase at the same time: of 44 users, 40 at 5 a second
// are there after 8 s, 4 at 1 a second after 3. The load as a whole is steady when all of it is, so
// that a sum's phase begins when the last part's does. What the parts left is known by the interval:
// so it begins at the end of the interval in which that was, and what parts that were further on
// answered until then counts, by the window in which it was completed, for the phase before. Where
// all parts change at the same time nothing is moved.
type sumPhase struct {
	index            int // into Meta.Phases
	from             time.Duration
	earliest, latest time.Duration // begins among the parts
	moved            bool
}

// commonPhases finds the phases of a sum: as planned, and as the parts came to them. of holds each
// part's phases as indices into all.
func commonPhases(all []plan.Phase, parts []*Opened, of [][]int, interval time.Duration) (planned []plan.Phase, reached []sumPhase) {
	planned = slices.Clone(all)
	ends := make([]time.Duration, len(parts))
	for j, p := range parts {
		ends[j] = fromSeconds(p.Result.DurationS)
	}
	none := make([]time.Duration, len(parts))
	var reachedUntil, plannedUntil time.Duration
	for i := range planned {
		// A part is where a phase has begun as soon as it is in this one or a later one, or has ended.
		plans, begins, began := slices.Clone(none), slices.Clone(ends), false
		for j, p := range parts {
			for k := len(of[j]) - 1; k >= 0 && of[j][k] >= i; k-- {
				plans[j] = p.Meta.Phases[k].From
				if from, ok := p.began(k); ok {
					begins[j], began = from, began || of[j][k] == i
				}
			}
		}
		if i > 0 {
			from, _ := latest(plans, none, interval)
			plannedUntil = max(plannedUntil, from) // one that nobody came to still has its place in the plan
		}
		planned[i].From = plannedUntil
		if !began {
			continue
		}
		p := sumPhase{index: i, earliest: slices.Min(begins), latest: slices.Max(begins)}
		if i > 0 {
			p.from, p.moved = latest(begins, ends, interval)
		}
		reachedUntil = max(reachedUntil, p.from)
		p.from = reachedUntil
		reached = append(reached, p)
	}
	return planned, reached
}

// latest is the last of the times at which the parts came to a phase. It is moved to the end of its interval when a
// part that came to it before was still there then.
func latest(begins, ends []time.Duration, interval time.Duration) (from time.Duration, moved bool) {
	from = slices.Max(begins)
	for i, begin := range begins {
		if begin != from && (ends[i] == 0 || ends[i] > from) {
			return (from + interval - 1).Truncate(interval), true
		}
	}
	return from, false
}

// began is when a run came to a phase: not as planned where it was stopped before.
func (o *Opened) began(phase int) (time.Duration, bool) {
	at := -1
	for _, p := range o.Result.Phases {
		// Those that the run did not come to are not listed, so that names find their place in order.
		for at++; at < len(o.Meta.Phases) && o.Meta.Phases[at].Name != p.Name; at++ {
		}
		if at == phase {
			return fromSeconds(p.FromS), true
		}
	}
	return 0, false
}

func fromSeconds(s float64) time.Duration {
	return time.Duration(s*1e9 + 0.5)
}

// phaseAt is the last phase that has begun by t.
func phaseAt(phases []sumPhase, t time.Duration) int {
	at := 0
	for _, p := range phases {
		if p.from <= t {
			at = p.index
		}
	}
	return at
}

// unlikePhases is what a reader has to know of phases that were moved; empty when none was.
func unlikePhases(phases []plan.Phase, reached []sumPhase, interval time.Duration) string {
	var moved []string
	for _, p := range reached {
		if !p.moved {
			continue
		}
		moved = append(moved, fmt.Sprintf("%s at %v, in the parts at %v to %v", phases[p.index].Name,
			p.from.Round(time.Millisecond), p.earliest.Round(time.Millisecond), p.latest.Round(time.Millisecond)))
	}
	if len(moved) == 0 {
		return ""
	}
	return fmt.Sprintf("phases began at different times in the parts; in the sum each begins with the last of them, exact to one interval of %v: %s",
		interval, strings.Join(moved, "; "))
}
