package main

import (
	"math"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/simulate"
)

// expectByDefault chooses what is expected where nothing was said.
func (r *resolution) expectByDefault() {
	r.service.expect = nil
	for _, e := range gate.DefaultExpectations(r.circumstances()) {
		r.service.expect = append(r.service.expect, e.String())
	}
}

// circumstances are what the default expectations of a lab follow from.
func (r *resolution) circumstances() gate.Circumstances {
	s := &r.service
	c := gate.Circumstances{
		Low: s.min, High: s.max,
		Demand:    s.replica == "" || s.perTask() > 0 || s.measure,
		Disturbed: len(s.chaos) > 0,
		Recovery:  s.scaling(autoscaling.LabModels()).ScalesIn(),
		Story:     r.isStory(),
	}
	if c.Demand {
		c.Under = r.underProvisioned()
	}
	return c
}

// isStory reports whether the lab is the demonstration: nothing was said that changes its load, its service or its clock.
func (r *resolution) isStory() bool {
	for _, g := range r.kept {
		switch g.group {
		case groupLoad, groupTargets, groupService, groupClock, groupReplica:
		default:
			continue
		}
		switch g.flag {
		case "quick", "speedup", "seed", "stop-timeout", "timeout", "recovery":
		default:
			return false
		}
	}
	return true
}

// underProvisioned is how long the lab may have less capacity than its plan's load needs, by the models in force; 0 where that
// is not known.
func (r *resolution) underProvisioned() time.Duration {
	s := &r.service
	l := r.labConfig()
	if l.Validate() != nil || r.plan.Validate() != nil {
		return 0 // which is said elsewhere
	}
	perTask, speedup := s.perTask(), s.speedup
	if perTask == 0 {
		perTask = (lab.Capacity{}).PerSecond()
	}
	answer := time.Duration(math.Ceil(float64(time.Second) / perTask)) // by one task that does one thing at a time
	load, closed := simulate.OfPlan(&r.plan, answer, speedup)
	c := simulate.DefaultConfig().With(s.clock.models(autoscaling.LabModels()))
	c.Config = l.Scaling
	c.Load, c.Closed, c.TaskCapacity = load, closed, perTask
	return c.TimeToCapacity()
}
