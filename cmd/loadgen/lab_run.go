package main

import (
	"context"
	"time"

	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
)

// runLab starts the lab, runs the plan on it, waits for its recovery, shows the result, and returns the ending.
// Nothing of the lab is left then.
func runLab(ctx context.Context, env *env, r *resolution) error {
	l := env.launch(ctx, r, "the lab ends")
	defer l.close()
	measured := ""
	if r.service.measure {
		var err error
		if measured, err = measureTask(l.ctx, l.plain, r); err != nil {
			return err
		}
	}
	service, err := startLab(l.ctx, l.plain, r)
	if err != nil {
		return err
	}
	defer service.Close()
	if measured != "" {
		service.Note(lab.EventCapacity, measured)
	}
	res, err := l.run(service.URL(), &watching{
		Capacity: service, host: plan.Lab, recovery: time.Duration(float64(r.service.recovery) / r.service.speedup),
	})
	service.Close()
	if err := l.dir.addRecords(service.Records()); err != nil {
		l.plain.say("note: what the replicas wrote is not kept: %s", reason(err))
	}
	if res == nil {
		return err
	}
	return l.finishWatched(res, err)
}

// finishWatched shows the result of a run whose capacity was watched, and returns the ending.
func (l *launch) finishWatched(res *result.Result, err error) error {
	in := report.Input{Result: res, Windows: l.windows.all(), Timeline: res.Timeline, Expectations: expectations(res)}
	if l.dir != nil {
		in.Options.Dir = l.shown()
		in.Windows = nil
		if opened, err := result.Open(l.dir.path); err == nil { // else the report does without
			in.Windows = opened.Windows()
		}
	}
	in.OnAWS = onAWS(res, in.Windows)
	return l.env.finish(l.r.json, in, err)
}
