package attack

import (
	"time"

	"scalableappbackend/loadgen/plan"
)

// holds are the times in which a plan is paused. What users do between requests, to think and to keep their beat, goes by
// active time, which stands still in them: so a pause of a user goes on where it was, and no beat falls into a hold.
type holds []plan.Hold

// active is the active time at an instant of the run.
func (h holds) active(t time.Duration) time.Duration {
	var stood time.Duration
	for _, each := range h {
		if t <= each.From {
			break
		}
		stood += min(t, each.To) - each.From
	}
	return t - stood
}

// instant is when an active time comes: where it is that of a whole hold, when the hold ends. For all a and t,
// instant(a) < t when a < active(t), and only then, unless t is within a hold that a is the begin of.
func (h holds) instant(a time.Duration) time.Duration {
	for _, each := range h {
		if a < each.From {
			break
		}
		a += each.To - each.From
	}
	return a
}
