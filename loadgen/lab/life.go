package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"strconv"
	"sync"
	"time"
)

// live is the life of one task: placed, pulled, started, serving, drained, stopped. Chaos and the end of the lab cut it
// short wherever it is.
func (s *scheduler) live(t *task) {
	defer t.goes()
	defer t.dies()
	r, err := s.obtain(t)
	switch {
	case errors.Is(err, errNotWanted):
		s.gone(t)
		return
	case err != nil:
		s.notStarted(t, err)
		return
	}
	if !s.started(t, r) { // it is not wanted any more
		s.halt(r)
		s.gone(t)
		return
	}
	checks, stopChecks := context.WithCancel(t.leave)
	checked := make(chan struct{})
	go func() {
		defer close(checked)
		s.check(checks, t)
	}()
	select {
	case <-t.leave.Done():
	case <-r.done():
	}
	stopChecks()
	<-checked
	switch {
	case s.ctx.Err() != nil:
		s.halt(r)
	case t.death.Err() != nil:
		r.kill()
		s.unnoticed(t)
	case t.leave.Err() != nil && t.hasty:
		s.interrupt(t, r)
	case t.leave.Err() != nil:
		s.drain(t, r)
	default:
		s.died(t, r)
		s.unnoticed(t)
	}
	if !t.retiring {
		t.target.pool.close()
		s.over(t)
	}
	s.gone(t)
}

// errNotWanted is that a task is not to be there any more.
var errNotWanted = errors.New("not wanted any more")

// obtain lets the time pass until the replica is running, and returns it. A program's start is real: a standby has had
// it, and the task counts it as simulated time.
func (s *scheduler) obtain(t *task) (replica, error) {
	if t.first {
		return s.launcher.launch(t.leave, t.id, t.number)
	}
	d := s.cfg.Delays
	if !s.placed(t) || !s.pass(t, t.wait+s.cfg.real(d.Placement)) || !s.pass(t, s.cfg.real(d.Pull)) {
		return nil, errNotWanted
	}
	if s.spare == nil {
		if !s.pass(t, s.cfg.real(d.Start)) {
			return nil, errNotWanted
		}
		return s.launcher.launch(t.leave, t.id, t.number)
	}
	if ahead, ok := s.takeSpare(t); ok {
		if s.pass(t, s.cfg.real(ahead.start)) {
			return ahead.replica, nil
		}
		s.spare.give(ahead)
		return nil, errNotWanted
	}
	began := time.Now()
	r, err := s.launchReady(t.leave)
	if t.leave.Err() != nil {
		if r != nil {
			r.kill()
		}
		return nil, errNotWanted
	}
	if err == nil {
		took := time.Since(began)
		s.spare.noteStart(took)
		s.mu.Lock()
		s.event(EventLate, fmt.Sprintf("%s: no standby was ready, so its start of %s passed in real time and counts as %s",
			t.id, rounded(took), rounded(time.Duration(float64(took)*s.cfg.Speedup))))
		s.mu.Unlock()
	}
	return r, err
}

// takeSpare takes a standby for a task.
func (s *scheduler) takeSpare(t *task) (standby, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead, ok := s.spare.take()
	t.holds = ok
	return ahead, ok
}

// launchReady starts a program and waits until it answers its health path as it should, or its grace is over: then the
// checks will say what is wrong.
func (s *scheduler) launchReady(ctx context.Context) (replica, error) {
	began := time.Now()
	r, err := s.launcher.launch(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	client := newCheckClient()
	poll := time.NewTicker(firstChecks)
	defer poll.Stop()
	for time.Since(began) < s.launcher.startup() && checkHealth(ctx, client, "http://"+r.addr()+s.cfg.HealthPath) != "" {
		select {
		case <-poll.C:
		case <-r.done():
			return nil, r.err()
		case <-ctx.Done():
			r.kill()
			return nil, context.Cause(ctx)
		}
	}
	return r, nil
}

func rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// placed waits for a zone that is up, if there is none.
func (s *scheduler) placed(t *task) bool {
	for {
		s.mu.Lock()
		if t.life.Zone == "" {
			s.place(t)
			s.recorder.Task(t.life)
		}
		zone, moved := t.life.Zone, s.moved
		s.mu.Unlock()
		if zone != "" {
			return true
		}
		select {
		case <-moved:
		case <-t.leave.Done():
			return false
		}
	}
}

// pass waits; false when the task is not wanted any more.
func (s *scheduler) pass(t *task, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.leave.Done():
	}
	return false
}

// started makes a replica that listens a target of the balancer.
func (s *scheduler) started(t *task, r replica) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.draining || t.stopped || s.closing {
		return false
	}
	s.failures = 0
	t.replica = r
	if p, ok := r.(*process); ok {
		p.task.Store(t.id)
	}
	t.launched = time.Now()
	t.target = s.balancer.register(t.id, r.addr(), s.cfg.Delays.HealthThreshold, s.cfg.Delays.HealthThreshold)
	t.life.Running = s.now()
	s.recorder.Task(t.life)
	s.reconcile(replacement)
	return true
}

// notStarted replaces a task whose replica could not be started, later and later each time.
func (s *scheduler) notStarted(t *task, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := !t.draining && !t.stopped && !s.closing
	s.stopped(t)
	if wanted {
		s.failures++
		s.fail(t.id, err)
		t.life.Reason = ReasonNoStart
		s.recorder.Task(t.life)
		s.event(EventFailed, t.id+": "+err.Error())
	}
	s.reconcile(replacement)
}

// drain keeps a deregistered target for the deregistration delay, because connections of the balancer are open that long,
// and stops the replica. The delay is simulated time, but the requests in flight are in real time: they may take the
// whole delay as it is on AWS, and are cut then, as they are there.
func (s *scheduler) drain(t *task, r replica) {
	delay := s.cfg.Delays.Deregistration
	cut := time.NewTimer(delay)
	defer cut.Stop()
	if s.within(t, r, time.NewTimer(s.cfg.real(delay)).C, nil) {
		s.within(t, r, cut.C, t.target.drained)
	}
	t.target.pool.close()
	switch {
	case s.ctx.Err() != nil:
		s.halt(r)
	case t.death.Err() != nil:
		r.kill()
	default:
		s.retire(t, r)
	}
}

// retire lets a replica end in order. A program has its stopTimeout in real time, and nothing waits for it: how long it
// takes enters the timeline as simulated time.
func (s *scheduler) retire(t *task, r replica) {
	if !s.launcher.slow() {
		grace := max(MinStop, s.cfg.real(s.cfg.Delays.Stop))
		s.ended(t, r, r.stop(grace, nil), grace)
		return
	}
	t.retiring = true
	at, asked := s.now(), time.Now()
	s.mu.Lock()
	hurry := s.hurry
	s.retired.enter()
	s.mu.Unlock()
	s.lives.Go(func() {
		defer s.retired.leave()
		orderly := r.stop(s.cfg.Delays.Stop, hurry)
		took := time.Since(asked)
		t.target.pool.close()
		s.ended(t, r, orderly, took)
		s.mu.Lock()
		t.life.Stopped = at + s.cfg.real(took)
		s.recorder.Task(t.life)
		s.mu.Unlock()
		s.over(t)
	})
}

// endRetired waits so long for programs that are ending, and then kills them.
func (s *scheduler) endRetired(ctx context.Context, within time.Duration) {
	all := make(chan struct{})
	go func() {
		s.retired.Wait()
		close(all)
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-all:
		return
	case <-timer.C:
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	close(s.hurry)
	s.hurry = make(chan struct{})
	s.mu.Unlock()
	<-all
}

// ended says what was wrong with the end of a replica that was to end in order, after so much time.
func (s *scheduler) ended(t *task, r replica, orderly bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.err(); err != nil { // it was not asked yet
		s.fail(t.id, err)
		s.event(EventFailed, t.id+": "+err.Error())
	}
	if orderly || s.ctx.Err() != nil {
		return
	}
	how := fmt.Sprintf("killed: it did not end within %s of SIGTERM", rounded(took))
	t.life.Reason += ", " + how
	s.recorder.Task(t.life)
	s.event(EventForced, t.id+" was "+how)
}

// interrupt is what StopTask and the end of a Spot capacity do: SIGTERM and deregistration at once, so that requests go on
// arriving until every part of the balancer has heard of it.
func (s *scheduler) interrupt(t *task, r replica) {
	ending := make(chan struct{})
	if s.launcher.slow() {
		s.retire(t, r)
		close(ending)
	} else {
		go func() {
			defer close(ending)
			s.retire(t, r)
		}()
	}
	timer := time.NewTimer(s.cfg.real(Propagation))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
	s.balancer.deregister(t.target)
	<-ending
}

// unnoticed keeps a target whose replica is dead until its health checks have failed often enough.
func (s *scheduler) unnoticed(t *task) {
	s.over(t)
	s.balancer.refuse(t.target)
	tick := time.NewTicker(s.cfg.real(s.cfg.Delays.HealthInterval))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
		if state, _ := s.balancer.observe(t.target, false); state == unhealthy {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.event(EventUnhealthy, fmt.Sprintf("%s in zone %s: the balancer finds it gone, %s after its end",
		t.id, t.life.Zone, rounded(time.Duration(float64(s.now()-t.life.Stopped)*s.cfg.Speedup))))
}

// over notes that nothing of a task's replica is left.
func (s *scheduler) over(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.over = true
	s.standBy()
}

// within waits for one of two things; false when the task's life is cut short before.
func (s *scheduler) within(t *task, r replica, timer <-chan time.Time, drained <-chan struct{}) bool {
	select {
	case <-timer:
	case <-drained:
	case <-t.death.Done():
		return false
	case <-r.done():
		return false
	}
	return true
}

// closeGrace is how long a replica has to end when the lab does.
const closeGrace = 5 * time.Second

func (s *scheduler) halt(r replica) {
	if s.ctx.Err() != nil {
		r.stop(closeGrace, nil)
		return
	}
	r.kill()
}

// died notes a replica that ended by itself.
func (s *scheduler) died(t *task, r replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.stopped || s.closing {
		return
	}
	t.life.Reason = ReasonDied
	if err := r.err(); err != nil {
		s.fail(t.id, err)
		t.life.Reason += ": " + err.Error()
		s.event(EventFailed, t.id+": "+err.Error())
	}
	s.stopped(t)
	s.reconcile(replacement)
}

// gone notes the end of a task.
func (s *scheduler) gone(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.target != nil {
		s.balancer.deregister(t.target)
	}
	s.stopped(t)
	s.reconcile(replacement)
}

// firstChecks is how often the tasks that are there before the load are checked until they are healthy.
const firstChecks = 25 * time.Millisecond

// check asks a target for its health each interval until it leaves, and once it is healthy how long it keeps an idle
// connection. The first check comes an interval after registration, the latest that it may.
func (s *scheduler) check(ctx context.Context, t *task) {
	interval := s.cfg.real(s.cfg.Delays.HealthInterval)
	client := newCheckClient()
	var idle sync.WaitGroup
	defer idle.Wait()
	probed := false
	wait := interval
	if t.first {
		wait = 0
	}
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		said := checkHealth(ctx, client, "http://"+t.target.addr+s.cfg.HealthPath)
		if ctx.Err() != nil {
			return
		}
		known := s.observe(t, said)
		if said == "" && !probed {
			probed = true
			idle.Go(func() { s.probeIdle(ctx, t) })
		}
		wait = interval
		if t.first && !known {
			wait = min(interval, firstChecks)
		}
	}
}

// newCheckClient asks as an ALB does: each check on a connection of its own, and a redirect is an answer.
func newCheckClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext},
		Timeout:       HealthTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxCheckBody is how much of the body of a health check's answer is read, in bytes.
const maxCheckBody = 1 << 20

// checkHealth is one health check, and says why it failed; empty when it passed. The matcher is 200, as an ALB's is by
// default.
func checkHealth(ctx context.Context, client *http.Client, url string) (failed string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("User-Agent", "loadgen-lab-health-check")
	res, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
			return fmt.Sprintf("no answer within %s", HealthTimeout)
		}
		if e, ok := errors.AsType[*neturl.Error](err); ok {
			err = e.Err // it repeats the URL
		}
		return err.Error()
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxCheckBody)) // the status counts, not the body
	if res.StatusCode == http.StatusOK {
		return ""
	}
	said := "answered " + strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode)
	if to := res.Header.Get("Location"); to != "" {
		said += " to " + clean([]byte(to)) + ", which a health check does not follow"
	}
	if text := clean(body[:min(len(body), shownBody)]); text != "" {
		said += fmt.Sprintf(" %q", text)
	}
	return said
}

// shownBody is how much of an answer that failed a check is shown, in bytes.
const shownBody = 80

// observe takes the outcome of a check, and says whether there is a verdict on the target.
func (s *scheduler) observe(t *task, failed string) (known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.draining || t.stopped {
		return true
	}
	t.failed = failed
	passed := failed == ""
	if !passed && !t.everHealthy() && time.Since(t.launched) < s.launcher.startup() {
		return false // it is still starting
	}
	state, changed := s.balancer.observe(t.target, passed)
	if !changed {
		return state != initial
	}
	t.healthy = state == healthy
	if t.healthy && !t.everHealthy() {
		t.life.Healthy = s.now()
		s.recorder.Task(t.life)
	}
	if state == unhealthy {
		s.event(EventUnhealthy, t.id+" in zone "+t.life.Zone+" failed its health checks: GET "+s.cfg.HealthPath+" "+failed)
		t.condemned = true
	}
	s.reconcile(replacement)
	return true
}

func (t *task) everHealthy() bool { return t.life.Healthy >= 0 }
