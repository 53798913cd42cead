package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

// quick is a lab at full speed in which one high period scales out, and two low ones in.
func quick() Config {
	c := Config{Speedup: 60, Scaling: autoscaling.DefaultConfig(), Delays: DefaultDelays()}
	c.Scaling.High = autoscaling.Evaluation{Periods: 1, Datapoints: 1}
	c.Scaling.Low = autoscaling.Evaluation{Periods: 2, Datapoints: 2}
	c.Scaling.ScaleOutCooldown = 10 * time.Second
	c.Scaling.ScaleInCooldown = 10 * time.Second
	c.Capacity = Capacity{Slots: 64, Service: 5 * time.Millisecond}
	return c
}

// never are policies that never act.
func never() []autoscaling.Policy {
	return []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricRequests, Target: 1e9, DisableScaleIn: true}}
}

func start(t *testing.T, c Config) *Lab {
	t.Helper()
	l, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// checked is the lab's timeline, which must be one.
func checked(t *testing.T, l *Lab) *timeline.Timeline {
	t.Helper()
	tl := l.Timeline()
	if err := tl.Validate(); err != nil {
		t.Errorf("timeline: %v", err)
	}
	return tl
}

func events(tl *timeline.Timeline, kind string) (n int) {
	for _, e := range tl.Events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// users put load on a URL: a few, each with a short pause after an answer.
type users struct {
	sent, ok, failed atomic.Int64
	stop             chan struct{}
	all              sync.WaitGroup

	mu       sync.Mutex
	failures map[string]int
}

func startUsers(t *testing.T, n int, pause time.Duration, url string) *users {
	client := newClient(t)
	u := &users{stop: make(chan struct{}), failures: map[string]int{}}
	for range n {
		u.all.Go(func() {
			for {
				select {
				case <-u.stop:
					return
				case <-time.After(pause):
				}
				u.sent.Add(1)
				status, body, _ := fetch(t, client, url)
				if status == 200 {
					u.ok.Add(1)
					continue
				}
				u.failed.Add(1)
				u.mu.Lock()
				u.failures[fmt.Sprint(status, " ", body)]++
				u.mu.Unlock()
			}
		})
	}
	return u
}

func (u *users) end() {
	close(u.stop)
	u.all.Wait()
}

// served is what the replicas themselves have counted.
func served(l *Lab) (n int64) {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	for _, task := range l.scheduler.tasks {
		if r, ok := task.replica.(*local); ok {
			n += r.limiter.served()
		}
	}
	return n
}

// agree holds all counts of a lab against those of its users.
func agree(t *testing.T, l *Lab, tl *timeline.Timeline, u *users) {
	t.Helper()
	var requests, errors int64
	for _, task := range tl.Tasks {
		requests += task.Requests
		errors += task.Errors
	}
	sent, c := u.sent.Load(), l.Counts()
	if u.failed.Load() != 0 || errors != 0 {
		t.Errorf("%d of %d requests failed: %v; %d errors of tasks", u.failed.Load(), sent, u.failures, errors)
	}
	if got := served(l); got != sent || requests != sent || c.Requests != sent || c.Routed != sent {
		t.Errorf("sent %d, replicas served %d, tasks were given %d, balancer %+v: want all the same", sent, got, requests, c)
	}
}

func TestCapacityFollowsLoadOutAndInAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	experiment(t, 4)
}

// experiment is load that takes capacity from 2 to most, and its end that brings it back, one by one.
func experiment(t *testing.T, most int) {
	c := quick()
	c.Scaling.Max = most
	l := start(t, c)
	u := startUsers(t, 10, 20*time.Millisecond, l.URL())
	l.LoadBegan(time.Now())
	eventually(t, "all tasks are healthy", func() bool { return l.Capacity().Healthy == most })
	time.Sleep(300 * time.Millisecond) // of load on all
	u.end()
	l.LoadEnded(time.Now())
	atMin, err := l.AwaitRecovery(t.Context())
	if err != nil || !atMin {
		t.Errorf("recovery: %t, %v, want that it comes back to min", atMin, err)
	}
	tl := checked(t, l)
	agree(t, l, tl, u)

	var desired []int
	for _, p := range tl.Points {
		if len(desired) == 0 || desired[len(desired)-1] != p.Desired {
			desired = append(desired, p.Desired)
		}
	}
	want := []int{2}
	for n := most; n >= 2; n-- {
		want = append(want, n)
	}
	if !slices.Equal(desired, want) {
		t.Errorf("desired %v, want %v", desired, want)
	}
	for i, a := range tl.Activities {
		if a.Status == timeline.NotScaled {
			continue
		}
		if a.Status != timeline.Successful || a.Completed <= a.At || !strings.Contains(a.StatusMessage, "fulfilled by ecs") {
			t.Errorf("activity %d: %+v, want a successful one that took its time", i, a)
		}
	}
	zones := map[string]int{}
	for i, task := range tl.Tasks {
		zones[task.Zone]++
		young := i >= 2
		if young != (task.Reason == ReasonScaleIn && task.Stopped > task.Draining) {
			t.Errorf("%+v: want that those that came later leave in order, and the first two stay", task)
		}
		if task.Requests == 0 || task.FirstSent < 0 || task.Healthy < task.Running || task.Running < task.Requested {
			t.Errorf("%+v: want a task that ran, was healthy and answered", task)
		}
		if least := l.cfg.real(l.cfg.Delays.Placement + l.cfg.Delays.Pull + l.cfg.Delays.Start); young && task.Running-task.Requested < least {
			t.Errorf("%s ran after %s, want its provisioning of %s at least", task.ID, task.Running-task.Requested, least)
		}
		if least := l.cfg.real(l.cfg.Delays.Deregistration); young && task.Stopped-task.Draining < least {
			t.Errorf("%s drained for %s, want the deregistration delay of %s", task.ID, task.Stopped-task.Draining, least)
		}
	}
	if !maps.Equal(zones, map[string]int{"a": most / 2, "b": most / 2}) {
		t.Errorf("tasks in zones %v, want half in each", zones)
	}
	replay(t, l, tl)
	highest := 0.0
	for _, d := range tl.Metrics {
		if d.Policy == autoscaling.MetricRequests {
			highest = max(highest, d.Value)
		}
	}
	// 10 users with 25 ms or more each send at most 400/s to at least 2 tasks: 12,000 a minute. A busy machine sends fewer.
	if highest < 500 || highest > 12_500 {
		t.Errorf("at most %.0f requests per target and minute, want the rate on simulated time", highest)
	}
}

// replay gives the state machine what the timeline says it was given, and wants the same decisions.
func replay(t *testing.T, l *Lab, tl *timeline.Timeline) {
	t.Helper()
	again, err := autoscaling.New(l.cfg.Scaling)
	if err != nil {
		t.Fatal(err)
	}
	service := func(run time.Duration) time.Duration { return time.Duration(float64(run) * tl.Speedup) }
	values := map[int]map[string]float64{}
	for _, d := range tl.Metrics {
		period := int(service(d.At+time.Millisecond) / l.cfg.Scaling.Period)
		if values[period] == nil {
			values[period] = map[string]float64{}
		}
		if !d.Missing {
			values[period][d.Policy] = d.Value
		}
	}
	var got []string
	points := tl.Points
	for _, period := range slices.Sorted(maps.Keys(values)) {
		at := again.Due(period)
		for len(points) > 0 && service(points[0].At) <= at {
			again.Settle(service(points[0].At), points[0].Running, points[0].Draining)
			points = points[1:]
		}
		p := tl.At(l.cfg.real(at))
		d := again.Step(autoscaling.Observation{Period: period, At: at, Running: p.Running, Draining: p.Draining, Values: values[period]})
		if d.From != d.To {
			got = append(got, fmt.Sprint(period, ": ", d.From, "→", d.To))
		}
	}
	var want []string
	for _, a := range tl.Activities {
		if a.From != a.To {
			want = append(want, fmt.Sprint(int(service(a.At+time.Millisecond)/l.cfg.Scaling.Period), ": ", a.From, "→", a.To))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("for the lab's datapoints the state machine decides\n%v, and in the lab it decided\n%v", got, want)
	}
}

func TestNoRequestIsLostWhileBoundsAreFlippedUnderLoad(t *testing.T) {
	t.Parallel()
	flip(t, 2)
}

// flip changes 2 tasks to 6 and back so many times, under load.
func flip(t *testing.T, cycles int) {
	c := quick()
	c.Scaling.Policies = never()
	l := start(t, c)
	l.LoadBegan(time.Now())
	u := startUsers(t, 10, 10*time.Millisecond, l.URL())
	settled := func(n int) func() bool {
		return func() bool {
			p := l.scheduler.point()
			return p.Healthy == n && p.Running == n && p.Draining == 0
		}
	}
	for range cycles {
		if err := l.SetBounds(6, 6); err != nil {
			t.Fatal(err)
		}
		eventually(t, "six tasks", settled(6))
		if err := l.SetBounds(2, 2); err != nil {
			t.Fatal(err)
		}
		eventually(t, "two tasks", settled(2))
	}
	u.end()
	l.LoadEnded(time.Now())
	tl := checked(t, l)
	agree(t, l, tl, u)
	if got := len(tl.Tasks); got != 2+4*cycles {
		t.Errorf("%d tasks in all, want 2 and 4 in each of %d cycles", got, cycles)
	}
	if got := len(tl.Bounds); got != 2*cycles {
		t.Errorf("%d changes of bounds in the timeline, want %d", got, 2*cycles)
	}
	if err := l.SetBounds(3, 2); err == nil {
		t.Error("min above max was accepted")
	}
}
