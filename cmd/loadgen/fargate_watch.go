package main

import (
	"cmp"
	"context"
	"sync"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/scaling"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

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
	if !a.r.has("watch") {
		return nil, nil
	}
	options := a.r.watchOptions(a.tell)
	options.Recovery = cmp.Or(options.Recovery, scaling.DefaultRecovery)
	o := &observer{recovery: options.Recovery, watcher: scaling.New(cfg, options)}
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
