package main

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/scaling"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// beside is the service whose capacity `fargate run` watches beside the load of its tasks.
type beside struct{ cluster, service string }

const groupBeside = "Capacity on AWS"

// besideSettings are those of `fargate run` about that service.
func besideSettings() []setting {
	return []setting{
		{flag: "watch", arg: "SERVICE", group: groupBeside,
			help: "watch this service scale: ecs:CLUSTER/SERVICE",
			set:  one(parseBeside, func(o *options, b beside) { o.fargate.beside = b })},
		{flag: "recovery", arg: "D", group: groupBeside, fields: []string{"recovery"},
			help: "with --watch: how long to watch after the load", byDefault: units.Duration(scaling.DefaultRecovery),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.service.recovery = d })},
		{flag: "task-capacity", arg: "RPS", group: groupBeside,
			help: "with --watch: requests/s that one task of the service can handle",
			set:  one(parseTaskCapacity, func(o *options, rps float64) { o.service.taskCapacity = rps })},
		{flag: "expect", arg: "EXPR", group: groupBeside, separators: "\n;", fields: []string{"expect"},
			help: "with --watch: exit 97 if EXPR fails, e.g. 'max_tasks==6'; repeatable",
			set:  each(parseExpectation, func(o *options, all []string) { o.service.expect = all })},
	}
}

// parseBeside reads ecs:CLUSTER/SERVICE.
func parseBeside(s string) (beside, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "ecs:")
	cluster, service, both := strings.Cut(rest, "/")
	if !ok || !both || cluster == "" || service == "" || strings.Contains(service, "/") {
		return beside{}, input.Refuse(s, "ecs:CLUSTER/SERVICE, e.g. ecs:prod/checkout")
	}
	return beside{cluster, service}, nil
}

// needsWatch is the error of a flag about a service that is watched where none is.
func (r *resolution) needsWatch() (errs []error) {
	if r.has("watch") {
		return nil
	}
	for _, flag := range []string{"recovery", "task-capacity", "expect"} {
		g := r.find(flag)
		switch {
		case g == nil || r.failed[flag]:
		case g.level < byFlag:
			r.notes = append(r.notes, g.name+" is not used: it is for a run with --watch")
		default:
			errs = append(errs, &input.Error{Field: g.name, Want: "want --watch ecs:CLUSTER/SERVICE beside it"})
		}
	}
	return errs
}

// observer watches a service from where the tasks were launched. What is shown goes through it, because facts and windows come
// from two goroutines.
type observer struct {
	watcher  *scaling.Watcher
	recovery time.Duration
	start    time.Time // of the load, by this machine's clock

	mu     sync.Mutex
	shown  []result.Sink
	ledger timeline.Ledger
	until  time.Duration

	stop func()
	done sync.WaitGroup
}

// observe opens the watcher that was asked for, before any task is started; nil when none was.
func (a *abroad) observe(cfg session.Config) (*observer, error) {
	b := a.r.fargate.beside
	if b.service == "" {
		return nil, nil
	}
	o := &observer{recovery: cmp.Or(time.Duration(a.r.service.recovery), scaling.DefaultRecovery)}
	o.watcher = scaling.New(cfg, scaling.Options{
		Cluster: b.cluster, Service: b.service, Recovery: o.recovery, TaskCapacity: a.r.service.taskCapacity, Say: a.tell,
	})
	if err := o.watcher.Open(a.ctx); err != nil {
		return nil, usage(hinted(input.WithField(err, a.r.nameOfFlag("watch"))))
	}
	o.watcher.Start()
	return o, nil
}

// began says when the load starts, by this machine's clock, and tells what happens to sinks from now on.
func (o *observer) began(at time.Time, shown []result.Sink) {
	o.start, o.shown = at, shown
	o.watcher.LoadBegan(at)
	ctx, cancel := context.WithCancel(context.Background())
	o.stop = cancel
	o.done.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				o.learn()
			case <-ctx.Done():
				return
			}
		}
	})
}

// learn hands on what has become known since the start.
func (o *observer) learn() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.until = time.Since(o.start); o.until < 0 {
		return
	}
	facts := &result.Facts{Until: o.until, Facts: o.ledger.Tell(o.watcher.Facts()...)}
	for _, s := range o.shown {
		_ = s.Facts(facts)
	}
}

// window shows what the tasks do.
func (o *observer) window(w *result.Window) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.shown {
		_ = s.Window(w)
	}
}

// ended waits, after the load, for capacity to come back, unless ctx ends, and adds to a sum what was seen.
func (o *observer) ended(ctx context.Context, at time.Time, sum *loadgen.Sum) {
	o.watcher.LoadEnded(at)
	if ctx.Err() == nil && o.recovery > 0 {
		_, _ = o.watcher.AwaitRecovery(ctx) // that it did not come back stands in what was seen
	}
	o.close()
	o.learn()
	sum.Facts, sum.Until = o.ledger.Facts(), o.until
	_, warnings := o.watcher.Findings(0)
	sum.Warnings = append(sum.Warnings, warnings...)
}

// close ends watching.
func (o *observer) close() {
	if o.stop != nil {
		o.stop()
		o.done.Wait()
		o.stop = nil
	}
	o.watcher.Close()
}
