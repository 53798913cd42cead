package timeline

import (
	"math"
	"time"

	"scalableappbackend/loadgen/plan"
)

// Steps are a straight line of load in steps of one rate, the mean over each: none longer than longest, and cut at each
// instant at which the line asks for a task more or less, so that the demand of each step is that of the line at every
// instant in it.
func Steps(l plan.Segment, c Capacity, longest time.Duration) (steps Load) {
	for at := l.From; at < l.To; {
		to := l.To
		if l.Start != l.End {
			to = min(to, at+max(longest, 1), next(l, at, c))
		}
		middle := (float64(at-l.From) + float64(to-l.From)) / 2 / float64(l.To-l.From)
		steps = append(steps, Step{From: at, To: to, Rate: l.Start + (l.End-l.Start)*middle, Planned: true})
		at = to
	}
	return steps
}

// next is when a line that is not flat next comes to what a whole number of tasks can do; its end when it does not.
func next(l plan.Segment, at time.Duration, c Capacity) time.Duration {
	if !c.Known() {
		return l.To
	}
	task := c.PerTask * c.share()
	slope := (l.End - l.Start) / float64(l.To-l.From)
	level := (l.Start + slope*float64(at-l.From)) / task
	k := math.Floor(level+1e-9) + 1
	if slope < 0 {
		k = math.Ceil(level-1e-9) - 1
	}
	reached := float64(l.From) + (k*task-l.Start)/slope
	if k < 0 || !(reached < float64(l.To)) {
		return l.To
	}
	return max(at+1, time.Duration(math.Round(reached)))
}
