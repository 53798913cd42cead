package main

import (
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/simulate"
)

// recoveryNeeded is how long the way back takes by the models in force when a service is at its maximum, and what is allowed
// beside it: what is watched of a lab when nobody said how long, and at least otherwise. A service of which no policy takes
// tasks away has no way back: it is watched for a decision that was about to fall.
func (r *resolution) recoveryNeeded(otherwise plan.Duration) plan.Duration {
	s := &r.service
	m := s.clock.models(autoscaling.LabModels())
	c := simulate.DefaultConfig()
	c.Config = s.scaling(m)
	c = c.With(m)
	if !c.ScalesIn() {
		return plan.Duration(simulate.AllowedPeriods * c.Period)
	}
	c.Recovery = simulatedRecovery
	return max(otherwise, plan.Duration(c.TimeToMin()))
}
