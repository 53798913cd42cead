package simulate

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// OfRun is the simulation of a run whose capacity was watched: its plan's load on its service, in the service's time, by
// these models. What is needed of the service is in the timeline's Settings; what is missing there is an error. Capacity
// is what one task can do in requests/s, or 0 as the settings have it; latency is what the run has shown, which a policy on p99
// needs.
func OfRun(p *plan.Plan, t *timeline.Timeline, capacity float64, latency Latency, m autoscaling.Models) (Config, error) {
	c := DefaultConfig().With(m)
	c.Min, c.Max, c.Latency = t.Min, t.Max, latency
	var err error
	if c.Policies, err = Policies(t.Settings[autoscaling.SettingPolicy]); err != nil {
		return Config{}, err
	}
	if c.TaskCapacity = capacity; capacity == 0 {
		c.TaskCapacity, _ = strconv.ParseFloat(t.Settings[autoscaling.SettingTaskCapacity], 64)
	}
	if c.TaskCapacity <= 0 {
		return Config{}, refuse("task_capacity", "not known, want what one task can do")
	}
	answer := time.Duration(math.Ceil(float64(time.Second) / c.TaskCapacity)) // by one task that does one thing at a time
	c.Load, c.Closed = OfPlan(p, answer, t.Speedup)
	c.Recovery, c.Whole = 24*time.Hour, false
	return c, c.Validate()
}

// Policies reads what a timeline's settings have of them: one after the other, with a ; between two. Its error is a
// *input.Error.
func Policies(text string) (all []autoscaling.Policy, err error) {
	for one := range strings.SplitSeq(text, ";") {
		p, err := autoscaling.ParsePolicy(one)
		for _, e := range input.Errors(err) {
			return nil, (*input.Error)(e)
		}
		all = append(all, p)
	}
	return all, nil
}

// OnAWS says, in a line, what the same load would have taken with AWS's numbers, of a run on another clock. It is empty
// where that cannot be told.
func OnAWS(p *plan.Plan, t *timeline.Timeline, capacity float64, latency Latency) string {
	m := autoscaling.AWSModels()
	c, err := OfRun(p, t, capacity, latency, m)
	if err != nil {
		return ""
	}
	r, err := Run(c)
	if err != nil {
		return ""
	}
	out, back := "no scale-out", "it would not have come back"
	if r.Summary.AllHealthy >= 0 {
		out = "the last new task healthy after " + said(r.Summary.AllHealthy)
	}
	switch {
	case r.Summary.BackToMin >= 0:
		back = fmt.Sprintf("back at %d %s after the load's end", c.Min, said(r.Summary.BackToMin-r.Timeline.LoadTo))
	case r.Summary.Activities == 0:
		back = "nothing to come back from"
	}
	return fmt.Sprintf("the same load by the state machine with AWS's numbers: %s, under-provisioned for %s, %s (%s)",
		out, said(r.Summary.UnderProvisioned), back, m)
}

// said is a length of time in whole seconds.
func said(d time.Duration) string { return plan.Duration(d.Round(time.Second)).String() }

// Alternative is a simulation by another model of what AWS does not publish.
type Alternative struct {
	Model   autoscaling.ScaleInModel
	Summary Summary
	LoadTo  time.Duration
}

// ScaleInModels simulates c by each model of how far a scale-in goes: how sensitive recovery is to what AWS does not
// publish.
func ScaleInModels(c Config) ([]Alternative, error) {
	var all []Alternative
	own := cmp.Or(c.ScaleIn, autoscaling.ScaleInStep)
	models := []autoscaling.ScaleInModel{autoscaling.ScaleInStep, autoscaling.ScaleInProportional}
	if own != models[0] && own != models[1] {
		models = append([]autoscaling.ScaleInModel{own}, models...)
	}
	for _, m := range models {
		c.ScaleIn = m
		r, err := Run(c)
		if err != nil {
			return nil, err
		}
		all = append(all, Alternative{m, r.Summary, r.Timeline.LoadTo})
	}
	return all, nil
}
