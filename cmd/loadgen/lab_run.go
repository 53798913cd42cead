package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/tui"
)

// runLab starts the lab, runs the plan on it, waits for its recovery, shows what came of it, and returns the ending.
// Nothing of the lab is left then.
func runLab(ctx context.Context, world *env, r *resolution) error {
	// While it goes on several goroutines write to stderr.
	quiet := *world
	quiet.stderr = &wholeLines{w: world.stderr}
	env := &quiet
	var screen *tui.Screen
	ctx, stopper := newStopper(ctx, func(cause string) {
		if screen != nil {
			screen.Stopping(cause)
			return
		}
		env.say("%s: the lab ends, what is under way has up to %s; once more ends at once", cause, r.plan.StopTimeout)
	})
	signals, release := env.signals()
	defer release()
	done := make(chan struct{})
	defer close(done)
	go stopper.watch(signals, done)

	measured := ""
	if r.service.measure {
		var err error
		if measured, err = measureTask(ctx, env, r); err != nil {
			return err
		}
	}
	l, err := startLab(ctx, env, r)
	if err != nil {
		return err
	}
	defer l.Close()
	if measured != "" {
		l.Note(lab.EventCapacity, measured)
	}
	watched := &watcher{
		Lab: l, ctx: ctx, program: r.service.replica, period: r.labConfig().Scaling.Period, speedup: r.service.speedup, perTask: r.service.perTask(), low: r.service.min,
		recovery: time.Duration(float64(r.service.recovery) / r.service.speedup),
		story:    &story{teller: newTeller(env.stderr, fromWindows, fromCapacity)}, over: make(chan struct{}),
	}

	var dir *directory
	kept := &windows{}
	var sinks []result.Sink
	if r.out != outNone {
		dir = &directory{path: r.out, overwrite: r.overwrite}
		if g := r.find("out"); g != nil {
			dir.name = g.name
		}
		watched.dir = dir
		sinks = append(sinks, dir)
	} else {
		sinks = append(sinks, kept)
	}
	sinks = append(sinks, watched)
	if r.csv != "" {
		sinks = append(sinks, report.NewCSV(r.csv))
	}
	if world.draws(r.headless) {
		screen = newScreen(world, r, stopper)
		titled := r.plan
		titled.Host = plan.Lab
		screen.Title = describe(&titled)
		screen.Service = r.plan.Length() + watched.recovery
		defer screen.Close()
		watched.screen = screen
		watched.story.teller = newTeller(lineFunc(screen.News), fromCapacity)
		sinks = append(sinks, screen)
	} else {
		sinks = append(sinks, &progress{w: env.stderr, dir: dir, drain: true, among: watched.story.teller})
	}

	uri, _ := env.variable("ECS_CONTAINER_METADATA_URI_V4")
	p := r.plan
	p.Host = l.URL()
	runner := loadgen.Runner{
		Plan:        p,
		Sinks:       sinks,
		HostName:    plan.Lab,
		Lookup:      env.lookup,
		Capacity:    watched,
		Expect:      r.service.expect,
		Version:     buildOf(version, debug.ReadBuildInfo).version,
		MetadataURI: uri,
		Judge:       env.judge,
	}
	res, err := env.steer(ctx, &runner, r, stopper, screen)
	watched.end()
	if screen != nil {
		_ = screen.Close() // the run has it as a warning
	}
	l.Close()
	if err := dir.addRecords(l.Records()); err != nil {
		env.say("note: what the replicas wrote is not kept: %s", reason(err))
	}
	if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
		dir.discard()
		return usage(errors.Join(r.namedErrors(refused.Err)...))
	}
	if res == nil {
		return err
	}
	in := report.Input{Result: res, Windows: kept.all(), Timeline: res.Timeline, Expectations: expectations(res), OnAWS: onAWS(res)}
	if dir != nil {
		in.Options.Dir = dir.path
		in.Windows = nil
		if opened, err := result.Open(dir.path); err == nil { // else the report does without
			in.Windows = opened.Windows()
		}
	}
	return world.finish(r.json, in, err)
}

// windows is a sink that keeps them, for a report of a run that is kept nowhere else.
type windows struct {
	result.NopSink
	list []*result.Window
}

func (k *windows) Window(w *result.Window) error { k.list = append(k.list, w); return nil }

func (k *windows) all() iter.Seq2[*result.Window, error] {
	return func(yield func(*result.Window, error) bool) {
		for _, w := range k.list {
			if !yield(w, nil) {
				return
			}
		}
	}
}

// lineFunc takes each line as a Writer of them.
type lineFunc func(string)

func (f lineFunc) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		f(strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

// wholeLines lets several goroutines write, each call in one piece.
type wholeLines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *wholeLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// watcher is the lab as the Runner sees it, and a sink of the run. It writes what capacity does as lines.
type watcher struct {
	result.NopSink
	*lab.Lab
	mu       sync.Mutex // of answers: windows come from a goroutine of their own
	answers  result.Histogram
	period   time.Duration // of alarms, in simulated time
	speedup  float64
	program  string        // the replicas'; empty: the project's API
	dir      *directory    // where the result is kept; nil: nowhere
	perTask  float64       // as given; 0: as the lab knows it
	low      int           // tasks that are waited for after the load
	recovery time.Duration // at most, in real time
	began    time.Time
	ctx      context.Context // the run's
	story    *story
	screen   *tui.Screen // nil: lines
	over     chan struct{}
	told     sync.WaitGroup
}

var (
	_ loadgen.Capacity = (*watcher)(nil)
	_ result.Sink      = (*watcher)(nil)
)

// watchEvery is how often the timeline is looked at for something to tell.
const watchEvery = 200 * time.Millisecond

// LoadBegan starts the telling.
func (w *watcher) LoadBegan(at time.Time) {
	w.Lab.LoadBegan(at)
	w.began = at
	w.told.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t := w.Timeline()
				w.story.look(t, false)
				if w.screen != nil {
					w.screen.Timeline(t)
				}
			case <-w.over:
				w.story.look(w.Timeline(), true)
				return
			}
		}
	})
}

// LoadEnded says so, unless it ends because all is to.
func (w *watcher) LoadEnded(at time.Time) {
	w.Lab.LoadEnded(at)
	if w.ctx.Err() == nil {
		w.story.recover(w.low, at.Sub(w.began)+w.recovery)
	}
}

// AwaitRecovery is called when the windows of the load and of its drain have all been told.
func (w *watcher) AwaitRecovery(ctx context.Context) (atMin bool, err error) {
	w.story.teller.until(fromWindows, allTold)
	return w.Lab.AwaitRecovery(ctx)
}

// TaskCapacity is what was given, of a program that is the only way to know it.
func (w *watcher) TaskCapacity() (perSecond float64, ok bool) {
	if w.perTask > 0 {
		return w.perTask, true
	}
	return w.Lab.TaskCapacity()
}

// Findings are that no program has crashed, where the replicas are programs, and what the lab warns of.
func (w *watcher) Findings() (judged []result.Expectation, warnings []string) {
	warnings = w.Warnings()
	w.mu.Lock()
	mean := w.answers.Mean()
	w.mu.Unlock()
	if text := shortPeriods(mean, w.period, w.speedup); text != "" {
		warnings = append(warnings, text)
	}
	if w.program == "" {
		return nil, warnings
	}
	n, seen := 0, []string{}
	for _, c := range w.Crashes() {
		n += c.Count
		seen = append(seen, c.String())
	}
	detail := "no program ended by itself"
	if n > 0 {
		detail = strings.Join(seen, "; ")
	}
	if n > 0 && w.dir != nil {
		detail += "; what they wrote is in " + recordsDir + "/ of the result"
	}
	return []result.Expectation{{Expression: "crashes==0", Value: result.Reading(n), Passed: n == 0, Detail: detail}}, warnings
}

// Window keeps what is needed to know how long answers take.
func (w *watcher) Window(window *result.Window) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range window.Endpoints {
		w.answers.Merge(window.Endpoints[i].Raw)
	}
	return nil
}

// shortPeriods is a warning when an answer takes so large a part of a compressed period that what is counted in one belongs
// to another: 0 is no speedup at which that would not be so.
func shortPeriods(mean, period time.Duration, speedup float64) (warning string) {
	const share = 10
	if speedup <= 1 || mean*share <= time.Duration(float64(period)/speedup) {
		return ""
	}
	advice := "no compressed clock is slow enough for that: --speedup 1"
	if most := math.Floor(float64(period) / share / float64(mean)); most > 1 {
		advice = "--speedup " + units.Decimal(most) + " or less is slow enough"
	}
	return fmt.Sprintf("the mean answer took %s, more than a tenth of a compressed period of %s: metrics and drains are blurred by requests that outlast them; %s",
		units.Latency(mean), units.Duration(time.Duration(float64(period)/speedup)), advice)
}

// Close does nothing: the lab ends when its result is there.
func (w *watcher) Close() error { return nil }

// end ends the telling. It is called once.
func (w *watcher) end() {
	close(w.over)
	w.told.Wait()
}
