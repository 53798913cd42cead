package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

// Lab is a service that is running. Close it.
type Lab struct {
	cfg        Config
	balancer   *balancer
	scheduler  *scheduler
	controller *controller
	recorder   *timeline.Recorder
	launcher   launcher
	guard      *guard
	name       string // of this service, which no other has

	ctx   context.Context
	end   context.CancelFunc
	parts sync.WaitGroup // controller and chaos
	close sync.Once

	mu     sync.Mutex
	origin time.Time     // when the run's clock began; zero before
	loadTo time.Duration // when load ended; 0 before
	closed time.Duration // when the lab was closed; 0 before

	counted time.Duration // when counts were last told
}

// Start starts Min replicas and returns when all are healthy and, of a program, the standbys up to Max are ready as well. Nothing of it is left when it fails: with the errors of
// Config.Validate, a *ReplicaError of a program that cannot be used as a replica, or the cause of ctx, which bounds the
// start alone.
func Start(ctx context.Context, cfg Config) (*Lab, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	launcher, err := cfg.launcher()
	if err != nil {
		return nil, err
	}
	var guarding *guard
	if programs, ok := launcher.(*programs); ok {
		if guarding, err = startGuard(cfg.Guard); err != nil {
			return nil, err
		}
		programs.guard = guarding
	}
	scaler, err := autoscaling.New(cfg.Scaling)
	if err != nil {
		guarding.close()
		return nil, err
	}
	var times *responseTimes
	if cfg.Scaling.Watches(autoscaling.MetricP99) {
		times = &responseTimes{}
	}
	balancer, err := startBalancer(IdleTimeout, times)
	if err != nil {
		guarding.close()
		return nil, fmt.Errorf("balancer: no loopback port to listen on: %w", err)
	}
	l := &Lab{
		cfg: cfg, balancer: balancer, launcher: launcher, guard: guarding,
		recorder: timeline.NewRecorder(cfg.Speedup, cfg.Scaling.Min, cfg.Scaling.Max),
	}
	l.ctx, l.end = context.WithCancel(context.Background())
	l.scheduler = newScheduler(cfg, balancer, launcher, l.recorder, l.now)
	l.controller = &controller{
		cfg: cfg, scheduler: l.scheduler, balancer: balancer, recorder: l.recorder, now: l.now, scaler: scaler,
	}
	l.name = newName()
	l.describe(cfg)
	l.scheduler.setDesired(cfg.Scaling.Min, before)
	if err := l.awaitFirst(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// newName is unique without coordination.
func newName() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return "lab-" + hex.EncodeToString(random[:])
}

// describe tells the timeline whose it is.
func (l *Lab) describe(c Config) {
	perTask, _ := l.TaskCapacity()
	l.recorder.Describe(l.name, perTask, c.settings())
}

func (c Config) launcher() (launcher, error) {
	if c.ReplicaCommand == "" {
		return &inProcess{capacity: c.Capacity, healthPath: c.HealthPath}, nil
	}
	words, err := splitWords(c.ReplicaCommand)
	if err != nil {
		return nil, input.WithField(err, "replica")
	}
	return &programs{command: c.ReplicaCommand, words: words, env: c.Env, cpus: c.ReplicaCPUs, grace: c.StartupGrace}, nil
}

// awaitFirst waits until the tasks that are to be there before the load are.
func (l *Lab) awaitFirst(ctx context.Context) error {
	deadline := time.NewTimer(l.cfg.StartupGrace + time.Second) // after the replica's own, which says more
	defer deadline.Stop()
	for {
		p := l.scheduler.point()
		if p.Healthy >= l.cfg.Scaling.Min {
			return l.awaitStandbys(ctx)
		}
		if err := l.scheduler.failure(); err != nil {
			return err
		}
		select {
		case <-l.scheduler.changed:
		case <-deadline.C:
			if l.scheduler.point().Running < l.cfg.Scaling.Min {
				deadline.Reset(time.Second) // a program that a busy machine started late; its own grace ends it
				continue
			}
			return l.notHealthy()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitStandbys waits until those that are kept ahead are ready, so that their start takes nothing from the load.
func (l *Lab) awaitStandbys(ctx context.Context) error {
	s := l.scheduler
	if s.spare == nil {
		return nil
	}
	s.mu.Lock()
	s.ahead = true
	s.standBy()
	want := s.most - l.cfg.Scaling.Min
	s.mu.Unlock()
	for s.spare.count() < want {
		if err := s.failure(); err != nil {
			return err
		}
		select {
		case <-s.spare.news:
		case <-s.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	// What a simulation takes over is the program's own start.
	c := l.cfg
	if all := s.spare.measured(); len(all) > 0 {
		slices.Sort(all)
		c.Delays.Start = all[len(all)/2]
	}
	l.describe(c)
	return s.failure()
}

// notHealthy says which replica did not pass its health checks in time.
func (l *Lab) notHealthy() error {
	reason := fmt.Sprintf("GET %s did not answer 200 within %s", l.cfg.HealthPath, l.cfg.StartupGrace)
	failed := &ReplicaError{Command: l.cfg.ReplicaCommand, Reason: reason}
	for _, t := range l.scheduler.running() {
		if !t.healthy {
			failed.Output = t.replica.output()
			if t.failed != "" {
				failed.Reason = reason + ": it " + strings.TrimPrefix(t.failed, "it ")
			}
		}
	}
	return failed
}

// URL is where the service answers: the balancer, on a loopback port.
func (l *Lab) URL() string { return l.balancer.url }

// now is the run's clock: 0 until load begins.
func (l *Lab) now() time.Duration { return l.at(time.Now()) }

func (l *Lab) at(t time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.origin.IsZero() {
		return 0
	}
	return max(0, t.Sub(l.origin))
}

// LoadBegan starts the run's clock at the moment when load began: alarms count their periods from it, and chaos happens
// on it. Call it once; a second call does nothing.
func (l *Lab) LoadBegan(at time.Time) {
	l.mu.Lock()
	if !l.origin.IsZero() {
		l.mu.Unlock()
		return
	}
	l.origin = at
	l.mu.Unlock()
	l.recorder.LoadFrom(0)
	l.parts.Go(func() { l.controller.run(l.ctx) })
	for _, c := range l.cfg.Chaos {
		l.parts.Go(func() { l.wreak(c) })
	}
}

// wreak lets one thing go wrong at its time.
func (l *Lab) wreak(c Chaos) {
	if !l.sleepUntil(c.From) {
		return
	}
	switch c.Verb {
	case KillTask:
		l.scheduler.killTask(c.String())
		return
	case StopTask:
		l.scheduler.stopTask(c.String(), ReasonStopped)
		return
	case SpotInterrupt:
		l.scheduler.stopTask(c.String(), ReasonSpot)
		return
	}
	l.scheduler.killZone(c.Zone, c.String())
	if l.sleepUntil(c.To) {
		l.scheduler.zoneUp(c.Zone, c.String())
	}
}

// sleepUntil waits for an instant of the run's clock; false when the lab ends before.
func (l *Lab) sleepUntil(at time.Duration) bool {
	timer := time.NewTimer(at - l.now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// LoadEnded says when load ended. The last call counts.
func (l *Lab) LoadEnded(at time.Time) {
	end := max(l.at(at), 1) // 0 is that it has not ended
	l.mu.Lock()
	l.loadTo = end
	l.mu.Unlock()
	l.recorder.Load(0, end)
}

// SetBounds changes min and max in mid-run, as one does by hand on AWS. Bounds that Config.Validate refuses are refused.
func (l *Lab) SetBounds(low, high int) error {
	c := l.cfg
	c.Scaling.Min, c.Scaling.Max = low, high
	if err := c.Validate(); err != nil {
		return err
	}
	return l.controller.setBounds(low, high)
}

// recoveryPoll is how often AwaitRecovery looks.
const recoveryPoll = 50 * time.Millisecond

// AwaitRecovery waits, after LoadEnded, until capacity has come to rest at Min or Config.Recovery of simulated time has
// passed since the load's end. It says which; its error is the cause of ctx.
//
// Capacity that is at Min when load ends is believed only when the period in which it ended has been judged: the
// decision to scale out may be about to fall.
func (l *Lab) AwaitRecovery(ctx context.Context) (atMin bool, err error) {
	l.mu.Lock()
	loadTo := l.loadTo
	l.mu.Unlock()
	defer func() { l.scheduler.endRetired(ctx, MinStop) }()
	tick := time.NewTicker(recoveryPoll)
	defer tick.Stop()
	for {
		judged, atMin := l.controller.state()
		switch {
		case atMin && judged >= loadTo:
			return true, nil
		case l.now() >= loadTo+l.cfg.real(l.cfg.Recovery):
			return false, nil
		}
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// Timeline is what capacity has done until now, or until Close.
func (l *Lab) Timeline() *timeline.Timeline {
	now := l.tally()
	return l.recorder.Timeline(now)
}

// countEvery is how often what only counts is told: requests of tasks, answers of the balancer.
const countEvery = 5 * time.Second

// Facts are what has become known since the last call: see loadgen.Capacity. Counts are told every few seconds.
func (l *Lab) Facts() []timeline.Fact {
	now := l.now()
	l.mu.Lock()
	count := l.counted == 0 || now >= l.counted+countEvery || l.loadTo > 0
	l.mu.Unlock()
	if count {
		now = l.tally()
	}
	l.recorder.Until(now)
	return l.recorder.Facts()
}

// tally brings what has been counted into the timeline, and returns until when that is.
func (l *Lab) tally() (end time.Duration) {
	l.scheduler.note(l.at)
	end = l.now()
	l.mu.Lock()
	if l.closed > 0 {
		end = l.closed
	}
	l.counted = max(end, 1)
	l.mu.Unlock()
	c := l.balancer.total()
	l.recorder.Answers(timeline.Answers{
		Requests: c.Requests, Target5xx: c.TargetBad, NoTarget: c.NoTarget, BadGateway: c.BadGateway, GatewayTimeout: c.Timeout,
		Cut: c.Cut, ClientGone: c.ClientGone, ClientLate: c.ClientLate, Refused: c.Refused,
	})
	return end
}

// Note adds an event of now to the timeline.
func (l *Lab) Note(kind, detail string) {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	l.scheduler.event(kind, detail)
}

// Capacity is that of this moment.
func (l *Lab) Capacity() timeline.Point { return l.scheduler.point() }

// Counts is what the balancer has counted: the same requests as the generator's and the replicas' own counts.
func (l *Lab) Counts() Counts { return l.balancer.total() }

// Err is the first failure of a replica that nobody caused: a program that ended by itself, or could not be
// started again. The scheduler has replaced it; whether the experiment is still one is for the caller to say.
func (l *Lab) Err() error { return l.scheduler.failure() }

// Crashes are the causes for which programs ended that nobody had asked to, or did not start.
func (l *Lab) Crashes() []Crash {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	return slices.Clone(l.scheduler.crashes.groups)
}

// Starts is how long each program took from its exec to its first good answer, those of the beginning not included: they
// start all at once.
func (l *Lab) Starts() []time.Duration {
	if l.scheduler.spare == nil {
		return nil
	}
	return l.scheduler.spare.measured()
}

// Records is what each program wrote, by task; the middle of what is longer than 256 KiB is left out.
func (l *Lab) Records() map[string][]byte {
	if p, ok := l.launcher.(*programs); ok {
		return p.records()
	}
	return nil
}

// Output is the last lines that each program wrote, by task.
func (l *Lab) Output() map[string][]string { return l.scheduler.outputs() }

// TaskCapacity is how many requests per second one replica can do: as Config.TaskCapacity says, or as the project's own API is
// limited; not ok when it is a program of which nobody said it.
func (l *Lab) TaskCapacity() (perSecond float64, ok bool) {
	if l.cfg.TaskCapacity > 0 {
		return l.cfg.TaskCapacity, true
	}
	return l.cfg.Capacity.PerSecond(), l.cfg.ReplicaCommand == ""
}

// Close ends the service and waits until nothing of it is left: no port, no process, no goroutine. It takes up to 5 s
// for programs that do not end at SIGTERM.
func (l *Lab) Close() {
	l.close.Do(func() {
		now := l.now()
		l.mu.Lock()
		l.closed = now
		l.mu.Unlock()
		l.end()
		l.parts.Wait()
		l.balancer.close()
		l.scheduler.close()
		l.guard.close()
	})
}
