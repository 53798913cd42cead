package autoscaling

import (
	"fmt"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// AWS's codes for an action that did nothing (NotScaledReason of DescribeScalingActivities). The
// fifth, TargetServicePutResourceAsUnscalable, needs a deployment.
const (
	AlreadyAtMaxCapacity     = "AlreadyAtMaxCapacity"
	AlreadyAtMinCapacity     = "AlreadyAtMinCapacity"
	AlreadyAtDesiredCapacity = "AlreadyAtDesiredCapacity"
	AnticipatedFlapping      = "AutoScalingAnticipatedFlapping"
	// Unscalable is that of a service that takes no change at present: of a scale-in during a deployment.
	Unscalable = "TargetServicePutResourceAsUnscalable"
)

// decide lets the alarms act on the period just evaluated. Any policy can scale out; only all
// together can scale in.
func (s *Scaler) decide(at time.Duration) Decision {
	d := Decision{At: at, From: s.desired, To: s.desired}
	if s.cooldown.until > 0 && at >= s.cooldown.until {
		s.cooldown = cooldown{} // over; from here on one with an end is in force
	}
	if winner := s.propose(&d, false); winner != nil {
		s.scaleOut(&d, winner)
	} else if s.mayScaleIn(&d) {
		s.scaleIn(&d, s.propose(&d, true))
	}
	if d.NotScaled == "" {
		s.unscaled = ""
	}
	return d
}

// propose collects what the policies whose alarm acts ask for, and returns the alarm that asks for
// most; the first of several.
func (s *Scaler) propose(d *Decision, low bool) (winner *alarm) {
	for _, p := range s.policies {
		a := p.high
		if low {
			a = p.low
		}
		if a == nil || !a.acts() || !low && !p.told {
			continue
		}
		one := Proposal{Policy: p.Metric(), Out: !low, Mean: a.mean()}
		if _, steps := p.Policy.(StepScaling); steps {
			one.Mean = a.fetched[0].value
		}
		one.Wanted = p.wants(&s.cfg, low, s.running, s.desired, one.Mean)
		if winner == nil || one.Wanted > d.Wanted {
			winner, d.Policy, d.Wanted = a, one.Policy, one.Wanted
		}
		d.Proposals = append(d.Proposals, one)
	}
	return winner
}

func (s *Scaler) scaleOut(d *Decision, a *alarm) {
	wanted := d.Wanted
	cooling := s.cooldown.out && s.cooldown.until > 0
	if cooling {
		wanted -= s.cooldown.added
	}
	to := min(max(wanted, s.min), s.max)
	if to > s.desired {
		added := to - s.desired
		if s.cooldown.out {
			added += s.cooldown.added
		}
		s.cooldown = cooldown{out: true, added: added}
		d.To = to
		s.begin(d, s.alarmCause(d, a))
		return
	}
	d.NotScaled = AlreadyAtDesiredCapacity
	if s.desired >= s.max {
		d.NotScaled = AlreadyAtMaxCapacity
	}
	if wanted <= s.desired && d.Wanted > s.desired {
		added := "1 task that it added counts"
		if s.cooldown.added != 1 {
			added = fmt.Sprintf("%d tasks that it added count", s.cooldown.added)
		}
		d.Held = fmt.Sprintf("scale-out cooldown until %s: the %s against the %d wanted", clock(s.cooldown.until), added, d.Wanted)
	}
	s.notScaled(d, s.alarmCause(d, a))
}

// mayScaleIn reports whether all agree and nothing is in the way. When an AlarmLow is in ALARM and
// they do not, Held says who is not ready.
func (s *Scaler) mayScaleIn(d *Decision) bool {
	low, held := false, ""
	for _, p := range s.policies {
		if p.low != nil && p.low.state == timeline.Alarm && p.told {
			low = true
		}
		switch {
		case held != "":
		case p.high.state == timeline.Alarm:
			held = p.high.name() + " is in ALARM"
		case p.low == nil:
		case !p.low.fresh():
			held = p.Metric() + " has no datapoint for the last period"
		case p.low.state != timeline.Alarm:
			held = p.low.name() + " is " + string(p.low.state)
		}
	}
	if !low {
		return false
	}
	if held == "" && s.current != none {
		held = fmt.Sprintf("the activity of %s is in progress", clock(s.activities[s.current].At))
	}
	if held == "" && s.cooldown.until > 0 {
		kind := "scale-in"
		if s.cooldown.out {
			kind = "scale-out"
		}
		held = fmt.Sprintf("%s cooldown until %s", kind, clock(s.cooldown.until))
	}
	d.Held = held
	return held == ""
}

func (s *Scaler) scaleIn(d *Decision, a *alarm) {
	to := min(max(d.Wanted, s.min), s.max)
	switch {
	case s.desired <= s.min:
		d.NotScaled = AlreadyAtMinCapacity
	case s.deploying:
		d.NotScaled = Unscalable
		d.Held = "scale-in is off during a deployment"
	case to >= s.desired:
		d.NotScaled = AlreadyAtDesiredCapacity
	default:
		if p := s.wouldFlap(to); p != "" {
			d.NotScaled = AnticipatedFlapping
			d.Held = fmt.Sprintf("%d tasks would put %s above its target again", to, p)
		}
	}
	if d.NotScaled != "" {
		s.notScaled(d, s.alarmCause(d, a))
		return
	}
	d.To = to
	s.begin(d, s.alarmCause(d, a))
}

// wouldFlap is the metric, if any, that would ask for more if its load were spread over fewer tasks.
func (s *Scaler) wouldFlap(to int) string {
	for _, p := range s.policies {
		mean := 0.0
		switch {
		case p.low != nil:
			mean = p.low.mean()
		case p.high.fresh():
			mean = p.high.fetched[0].value
		}
		if mean > 0 && (to == 0 || p.tooMuch(mean*float64(s.running)/float64(to))) {
			return p.Metric()
		}
	}
	return ""
}
