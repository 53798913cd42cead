package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/progress"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/tui"
)

// launch is a run as `run` and `lab` make one: what can stop it, what shows it, where it is kept.
type launch struct {
	env     *env
	plain   *env // whose lines are whole, though several goroutines write them
	r       *resolution
	ctx     context.Context // ends with the first request to stop
	stopper *stopper
	screen  atomic.Pointer[tui.Screen] // nil: lines
	dir     *directory                 // nil: the result is kept nowhere
	s3      *store.Sink                // nil: not in S3
	scratch string                     // dir's path, when it is only on its way to S3
	windows keptWindows
	release func()

	held  func(context.Context) error // what the run waits for when it is ready, in place of --start-at
	sinks []result.Sink               // beside those of every run
}

// watching is what a run watches beside its load.
type watching struct {
	loadgen.Capacity
	host     string        // what the result calls its host
	recovery time.Duration // how long it is watched at most after the load, in real time
	late     time.Duration // how late it tells what it did
}

// launch listens to signals from now on; close ends that. What ends is said when it is asked to: "sending stops".
func (e *env) launch(ctx context.Context, r *resolution, ends string) *launch {
	quiet := *e
	quiet.stderr = e.wholeLines()
	l := &launch{env: e, plain: &quiet, r: r}
	l.ctx, l.stopper = newStopper(ctx, func(cause string) {
		if screen := l.screen.Load(); screen != nil {
			screen.Stopping(cause)
			return
		}
		l.plain.say("%s: %s, requests in flight have up to %s; a second signal ends them at once", cause, ends, r.plan.StopTimeout)
	})
	signals, release := e.signals()
	done := make(chan struct{})
	l.release = func() {
		close(done)
		release()
	}
	go l.stopper.watch(signals, done)
	return l
}

func (l *launch) close() {
	if screen := l.screen.Load(); screen != nil {
		_ = screen.Close() // the run has it as a warning
	}
	l.release()
	if l.scratch != "" {
		_ = os.RemoveAll(l.scratch)
	}
}

// run runs the plan on a host, and on what is watched if there is any. An error of what was given is an ending.
func (l *launch) run(host string, watched *watching) (*result.Result, error) {
	r := l.r
	uri, isTask := l.env.variable("ECS_CONTAINER_METADATA_URI_V4")
	if note := noteOfKill(time.Duration(r.plan.StopTimeout), r.s3.Bucket != ""); isTask && note != "" {
		l.plain.say("note: %s", note)
	}
	runner := loadgen.Runner{
		Plan:        r.plan,
		Lookup:      l.env.lookup,
		Version:     buildOf(version, debug.ReadBuildInfo).version,
		MetadataURI: uri,
		Judge:       l.env.judge,
		Hold:        l.hold(),
	}
	runner.Plan.Host = host
	if watched != nil {
		runner.Capacity, runner.Expect, runner.HostName = watched.Capacity, r.service.expect, watched.host
	}
	if r.out != outNone {
		l.dir = &directory{path: r.out, overwrite: r.overwrite}
		if g := r.find("out"); g != nil {
			l.dir.name = g.name
		}
		runner.Sinks = append(runner.Sinks, l.dir)
	} else if watched != nil {
		runner.Sinks = append(runner.Sinks, &l.windows)
	}
	if r.s3.Bucket != "" {
		if err := l.keepInS3(); err != nil {
			return nil, err
		}
		if l.scratch != "" {
			runner.Sinks = slices.Insert(runner.Sinks, 0, result.Sink(l.dir))
		}
		runner.Sinks = append(runner.Sinks, l.s3)
	}
	if r.csv != "" {
		runner.Sinks = append(runner.Sinks, report.NewCSV(r.csv))
	}
	published, err := l.publishers()
	if err != nil {
		return nil, usage(err)
	}
	runner.Sinks = append(runner.Sinks, published...)
	runner.Sinks = append(runner.Sinks, l.sinks...)
	runner.Sinks = append(runner.Sinks, l.show(watched)...)
	publish, err := l.env.otlpSink(l.ctx, r)
	if err != nil {
		return nil, usage(err)
	}
	if publish != nil {
		runner.Sinks = append(runner.Sinks, publish)
	}
	screen := l.screen.Load()
	res, err := l.plain.steer(l.ctx, &runner, r, l.stopper, screen)
	if screen != nil {
		_ = screen.Close()
	}
	if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
		l.dir.discard()
		if e, ok := errors.AsType[*store.RefusedError](err); ok {
			return nil, usage(explained(r.nameOf("s3"), e))
		}
		if ended := l.heldError(err); ended != nil {
			return nil, ended
		}
		return nil, usage(errors.Join(r.namedErrors(refused.Err)...))
	}
	if l.s3 != nil && res != nil {
		return l.copyToS3(res, err)
	}
	return res, err
}

// show is what the run is seen on: a screen, or lines.
func (l *launch) show(watched *watching) []result.Sink {
	var story *progress.Story
	if watched != nil {
		story = &progress.Story{Recovery: watched.recovery, Late: watched.late, Stopped: func() bool { return l.ctx.Err() != nil }}
	}
	if l.r.publish.emf || !l.env.draws(l.r.headless) {
		return []result.Sink{&progress.Lines{Out: l.plain.stderr, Kept: l.kept, Story: story}}
	}
	titled := l.r.plan
	screen := &tui.Screen{Output: l.env.stderr, Environ: l.env.environ, Styled: l.env.color(l.env.stderr), Stop: l.stopper.stop}
	if l.env.isTTY(l.env.stdin) && !l.r.control {
		screen.Input = l.env.stdin
	}
	l.screen.Store(screen)
	if watched == nil {
		screen.Title = progress.Describe(&titled)
		return []result.Sink{screen}
	}
	titled.Host = watched.host
	screen.Title, screen.Service = progress.Describe(&titled), titled.Length()+watched.recovery
	story.Say = screen.News
	return []result.Sink{screen, story}
}

// keptWindows is a sink that keeps them, for a report of a run that is kept nowhere else.
type keptWindows struct {
	result.NopSink
	list []*result.Window
}

func (k *keptWindows) Window(w *result.Window) error { k.list = append(k.list, w); return nil }

func (k *keptWindows) all() iter.Seq2[*result.Window, error] {
	return func(yield func(*result.Window, error) bool) {
		for _, w := range k.list {
			if !yield(w, nil) {
				return
			}
		}
	}
}
