package loadgen

import (
	"net/http"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/bench"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
)

// load is what sends a plan's requests: an attack.Attack, or a bench.Bench.
type load interface {
	Begin() time.Time
	Elapsed() time.Duration
	Run() attack.Outcome
	Stop()
	Cut()
	// Gauges returns how many sends were due before t, below 0 when what is sent is all that is due, and how many users,
	// or connections, took part just before it.
	Gauges(t time.Duration) (offered int64, users int)
}

// editable is a load whose plan may be edited while it is sent: an attack.Attack.
type editable interface {
	Edit(revised func(attack.Revision), edits ...plan.Edit) error
}

// discardable is a load that holds something before it is run: an attack.Attack.
type discardable interface{ Discard() }

func newLoad(p *plan.Ready, r *measure.Recorder, transport http.RoundTripper) (load, error) {
	if p.Plan.Model == plan.Bench {
		return bench.New(bench.Config{Plan: p, Recorder: r})
	}
	return attack.New(attack.Config{Plan: p, Recorder: r, Transport: transport}), nil
}
