package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// live is the life of one task: placed, pulled, started, serving, drained, stopped. Chaos and the end of the lab cut it
// short wherever it is.
func (s *scheduler) live(t *task) {
	defer t.goes()
	defer t.dies()
	if !s.prepare(t) {
		s.gone(t)
		return
	}
	r, err := s.launcher.launch(t.leave, t.id, t.number)
	if err != nil {
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
	case t.leave.Err() != nil:
		s.drain(t, r)
	default:
		s.died(t, r)
	}
	t.target.pool.close()
	s.gone(t)
}

// prepare lets the time pass until the replica is to be started; false when it is not to be any more.
func (s *scheduler) prepare(t *task) bool {
	if t.first {
		return true
	}
	d := s.cfg.Delays
	if !s.placed(t) || !s.pass(t, t.wait+s.cfg.real(d.Placement)) || !s.pass(t, s.cfg.real(d.Pull)) {
		return false
	}
	return s.launcher.slow() || s.pass(t, s.cfg.real(d.Start))
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
		s.fail(err)
		t.life.Reason = ReasonNoStart
		s.recorder.Task(t.life)
		s.event(EventFailed, t.id+": "+err.Error())
	}
	s.reconcile(replacement)
}

// drain keeps a deregistered target for the deregistration delay, because connections of the balancer are open that long,
// and stops the replica. The delay is service time, but the requests in flight are in real time: they may take the
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
		grace := max(MinStop, s.cfg.real(s.cfg.Delays.Stop))
		s.ended(t, r, r.stop(grace), grace)
	}
}

// ended says what was wrong with the end of a replica that was to end in order.
func (s *scheduler) ended(t *task, r replica, orderly bool, grace time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.err(); err != nil { // it was not asked yet
		s.fail(err)
		s.event(EventFailed, t.id+": "+err.Error())
	}
	if !orderly {
		s.event(EventForced, fmt.Sprintf("%s did not end within %s of being asked", t.id, grace))
	}
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
		r.stop(closeGrace)
		return
	}
	r.kill()
}

// died notes a replica that ended by itself.
func (s *scheduler) died(t *task, r replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balancer.deregister(t.target)
	if t.stopped || s.closing {
		return
	}
	t.life.Reason = ReasonDied
	if err := r.err(); err != nil {
		s.fail(err)
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

// check asks a target for its health each interval until it leaves. The first check comes an interval after
// registration, the latest that it may.
func (s *scheduler) check(ctx context.Context, t *task) {
	interval := s.cfg.real(s.cfg.Delays.HealthInterval)
	client := newCheckClient()
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
		passed := healthy200(ctx, client, "http://"+t.target.addr+s.cfg.HealthPath)
		if ctx.Err() != nil {
			return
		}
		known := s.observe(t, passed)
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

// healthy200 is one health check. The matcher is 200, as an ALB's is by default.
func healthy200(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	req.Header.Set("User-Agent", "loadgen-lab-health-check")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxCheckBody) // the status counts, not the body
	return res.StatusCode == http.StatusOK
}

// observe takes the outcome of a check, and says whether there is a verdict on the target.
func (s *scheduler) observe(t *task, passed bool) (known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.draining || t.stopped {
		return true
	}
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
		s.event(EventUnhealthy, t.id+" in zone "+t.life.Zone+" failed its health checks")
		t.condemned = true
	}
	s.reconcile(replacement)
	return true
}

func (t *task) everHealthy() bool { return t.life.Healthy >= 0 }
