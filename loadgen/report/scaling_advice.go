package report

import (
	"fmt"
	"time"

	"scalableappbackend/internal/units"
)

// Advice is the highest target of a policy with which a load does not outgrow its capacity, and how it was reckoned. Times
// are of simulated time.
type Advice struct {
	Metric    string // requests or cpu
	Objective string // within which a task can do Capacity
	Capacity  float64
	Target    float64 // in the metric's unit
	Rate      float64 // requests/s and task that it stands for
	Reckoned  float64 // that follow from the growth, before it was lowered
	React     time.Duration
	Growth    float64 // the most that the load grows in React
	At        time.Duration
	From, To  float64
	Min, Max  int           // bounds that it needs
	Raised    bool          // Min is above the one that was given
	Under     time.Duration // under-provisioned, when simulated with the target alone
	TaskHours float64
}

// line is the advice with its reckoning.
func (a Advice) line() string {
	text := fmt.Sprintf("%s=%s with --min %d --max %d: ", a.Metric, units.Decimal(a.Target), a.Min, a.Max)
	text += fmt.Sprintf("one task can do %s within %s; at worst a task more is healthy %s after the load passes the target; ",
		units.Rate(a.Capacity), a.Objective, units.Clock(a.React))
	if a.Raised {
		text += fmt.Sprintf("no target is low enough for fewer than %s to begin with; ", plural(int64(a.Min), "task"))
	}
	if a.Growth > 1 {
		text += fmt.Sprintf("in that time the load grows %s times at most (at %s from %s to %s), and %s ÷ %s = %s",
			hundredths(a.Growth), units.Clock(a.At), units.Rate(a.From), units.Rate(a.To), units.Rate(a.Capacity), hundredths(a.Growth), units.Rate(a.Reckoned))
	} else {
		text += "in that time the load does not outgrow what the minimum can do"
	}
	if a.Rate < a.Reckoned {
		text += fmt.Sprintf("; lowered to %s, with which a simulation is never short", units.Rate(a.Rate))
	}
	return text + fmt.Sprintf("; simulated with it alone: under-provisioned %s, task-hours %s", units.Clock(a.Under), hundredths(a.TaskHours))
}
