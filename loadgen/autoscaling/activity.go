package autoscaling

import (
	"fmt"
	"strings"

	"scalableappbackend/loadgen/timeline"
)

// StatusOverridden is AWS's status of an activity that a later one took over from. The other statuses are the
// timeline's.
const StatusOverridden = "Overridden"

// begin starts an activity from d.From to d.To; one that is in progress is overridden by it.
func (s *Scaler) begin(d *Decision, cause string) {
	if s.current != none {
		old := &s.activities[s.current]
		old.Completed, old.Status = d.At, StatusOverridden
		old.StatusMessage = fmt.Sprintf("Successfully set desired count to %d. Found it was later changed to %d.", old.To, d.To)
	}
	s.desired = d.To
	s.unscaled = ""
	s.current = len(s.activities)
	s.activities = append(s.activities, timeline.Activity{
		At: d.At, Policy: d.Policy, From: d.From, To: d.To,
		Status:        timeline.InProgress,
		Description:   fmt.Sprintf("Setting desired count to %d.", d.To),
		Cause:         cause,
		StatusMessage: fmt.Sprintf("Successfully set desired count to %d. Waiting for change to be fulfilled by ecs.", d.To),
	})
}

// finish completes the activity in progress.
func (s *Scaler) finish(a *timeline.Activity) {
	a.Completed, a.Status = s.now, timeline.Successful
	a.StatusMessage = fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", a.To)
	s.current = none
}

// notScaled records an action that did nothing, unless the last one did nothing for the same reason.
func (s *Scaler) notScaled(d *Decision, cause string) {
	key := d.Policy + " " + d.NotScaled
	if key == s.unscaled {
		return
	}
	s.unscaled = key
	s.activities = append(s.activities, timeline.Activity{
		At: d.At, Policy: d.Policy, From: d.From, To: d.From,
		Status:           timeline.NotScaled,
		Description:      "Attempting to scale due to alarm triggered",
		Cause:            cause,
		StatusMessage:    d.Held,
		NotScaledReasons: []string{d.NotScaled},
	})
}

// alarmCause is AWS's sentence, and in brackets what AWS leaves out: how much was wanted, where the
// bounds gave something else, and the other alarms that agreed, without which there is no scale-in.
func (s *Scaler) alarmCause(d *Decision, a *alarm) string {
	kind := "AlarmLow"
	if a.high {
		kind = "AlarmHigh"
	}
	cause := fmt.Sprintf("monitor alarm TargetTracking-service/%s-%s-%s in state ALARM triggered policy %s",
		s.cfg.Service, kind, a.metric, d.Policy)
	if d.Policy == MetricP99 { // an alarm of one's own, which target tracking has not named
		cause = fmt.Sprintf("monitor alarm %s in state ALARM triggered policy %s", a.name(), d.Policy)
	}
	var more []string
	switch {
	case d.Wanted > s.max:
		more = append(more, fmt.Sprintf("%d tasks wanted, max capacity is %d", d.Wanted, s.max))
	case d.Wanted < s.min: // how many fewer means nothing: an idle metric asks for none in proportion
		more = append(more, fmt.Sprintf("fewer wanted than the min capacity of %d", s.min))
	}
	if !a.high {
		var others []string
		for _, p := range s.policies {
			if p.low != nil && p.low != a {
				others = append(others, p.low.name())
			}
		}
		if len(others) > 0 {
			more = append(more, "agreed: "+strings.Join(others, ", "))
		}
	}
	if len(more) > 0 {
		cause += " (" + strings.Join(more, "; ") + ")"
	}
	return cause
}

func boundCause(bound string, n int) string {
	return fmt.Sprintf("%s capacity was set to %d", bound, n)
}
