package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
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
		t.Errorf("at most %.0f requests per target and minute, want the rate on service time", highest)
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

func TestATaskKilledInMidRequestFailsExactlyThose(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Capacity = Capacity{Slots: 64, Service: 900 * time.Millisecond}
	c.Chaos = []Chaos{{Verb: KillTask, From: 600 * time.Millisecond}}
	c.Scaling.Policies = never()
	l := start(t, c)
	client := newClient(t)
	l.LoadBegan(time.Now())
	const n = 20
	statuses := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses[i], _, _ = fetch(t, client, l.URL()) })
	}
	eventually(t, "all requests are at the replicas", func() bool { return served(l) == n })
	if l.now() > 600*time.Millisecond {
		t.Skip("this machine took longer to send 20 requests than to the chaos")
	}
	all.Wait()
	slices.Sort(statuses)
	want := append(slices.Repeat([]int{200}, n/2), slices.Repeat([]int{502}, n/2)...)
	if !slices.Equal(statuses, want) {
		t.Errorf("statuses %v, want that half failed: those that the dead task had", statuses)
	}
	eventually(t, "it is replaced", func() bool { return l.scheduler.point().Healthy == 2 })
	if status, _, _ := fetch(t, client, l.URL()); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
	tl := checked(t, l)
	killed := tl.Tasks[0]
	if killed.Reason != ReasonKilled || killed.Requests != n/2 || killed.Errors != n/2 || killed.Stopped < 600*time.Millisecond {
		t.Errorf("%+v, want the first task, killed at 600ms with %d requests", killed, n/2)
	}
	if got := l.Counts(); got.BadGateway != n/2 || got.Requests != n+1 {
		t.Errorf("counted %+v, want %d times 502", got, n/2)
	}
	if events(tl, EventChaos) != 1 || events(tl, EventReplacing) != 1 || len(tl.Activities) != 0 {
		t.Errorf("%+v and %+v, want one event, one replacement, and no scaling", tl.Events, tl.Activities)
	}
	if err := l.Err(); err != nil {
		t.Errorf("chaos is no failure of a replica: %v", err)
	}
}

func TestAZoneThatIsDownTakesItsTasksAndGetsNone(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Scaling.Min, c.Scaling.Max = 4, 4
	c.Chaos = []Chaos{
		{Verb: KillZone, Zone: ZoneB, From: 200 * time.Millisecond, To: 1800 * time.Millisecond},
		{Verb: KillTask, From: 2 * time.Second},
		{Verb: KillTask, From: 2 * time.Second},
	}
	l := start(t, c)
	l.LoadBegan(time.Now())
	eventually(t, "zone b is gone", func() bool { return len(l.Timeline().Tasks) >= 6 })
	eventually(t, "all four are in a", func() bool { return l.scheduler.point().Healthy == 4 })
	eventually(t, "two more die and are replaced", func() bool {
		return len(l.Timeline().Tasks) == 8 && l.scheduler.point().Healthy == 4
	})
	tl := checked(t, l)
	for i, want := range []struct{ zone, reason string }{
		{"a", ReasonKilled}, {"b", ReasonKilled}, {"a", ReasonKilled}, {"b", ReasonKilled}, // those of the beginning
		{"a", ""}, {"a", ""}, // while b is down
		{"b", ""}, {"b", ""}, // and when it is back
	} {
		if task := tl.Tasks[i]; task.Zone != want.zone || task.Reason != want.reason {
			t.Errorf("%+v, want zone %s and reason %q", task, want.zone, want.reason)
		}
	}
}

func TestNothingIsPlacedWhileEveryZoneIsDown(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Chaos = []Chaos{
		{Verb: KillZone, Zone: ZoneA, From: 100 * time.Millisecond, To: 1300 * time.Millisecond},
		{Verb: KillZone, Zone: ZoneB, From: 100 * time.Millisecond, To: 1200 * time.Millisecond},
	}
	l := start(t, c)
	l.LoadBegan(time.Now())
	eventually(t, "no task runs", func() bool { return l.scheduler.point().Running == 0 })
	if status, _, _ := fetch(t, newClient(t), l.URL()); status != 503 {
		t.Errorf("without tasks: %d, want 503", status)
	}
	eventually(t, "they come back", func() bool { return l.scheduler.point().Healthy == 2 })
	for _, task := range checked(t, l).Tasks[2:] {
		if task.Reason == "" && (task.Zone != ZoneB || task.Running < 1200*time.Millisecond) {
			t.Errorf("%+v, want zone b, which is up first, and not before", task)
		}
	}
}

func TestATaskThatFailsItsChecksIsReplacedBeforeItLeaves(t *testing.T) {
	t.Parallel()
	l := start(t, quick())
	l.LoadBegan(time.Now())
	l.scheduler.mu.Lock()
	victim := l.scheduler.tasks[0]
	l.scheduler.mu.Unlock()
	// What a check would say, said here: the replica itself is well.
	l.scheduler.observe(victim, false)
	l.scheduler.observe(victim, false)
	tl := l.Timeline()
	if n := len(tl.Tasks); n != 3 || events(tl, EventUnhealthy) != 1 {
		t.Errorf("%d tasks, %+v, want a replacement at once", n, tl.Events)
	}
	if p := l.scheduler.point(); p.Healthy != 1 || p.Running != 2 || p.Draining != 0 {
		t.Errorf("%+v, want the unhealthy one to stay until then", p)
	}
	eventually(t, "it leaves", func() bool { return l.Timeline().Tasks[0].Draining >= 0 })
	tl = checked(t, l)
	if old, young := tl.Tasks[0], tl.Tasks[2]; old.Reason != ReasonHealth || young.Healthy < 0 || young.Healthy > old.Draining {
		t.Errorf("%+v and %+v, want that the first leaves for its health when the other is healthy", old, young)
	}
	if p := l.scheduler.point(); p.Healthy != 2 || p.Running != 2 {
		t.Errorf("%+v, want two", p)
	}
}

func TestRecoveryIsNotBelievedBeforeTheLoadsLastPeriodIsJudged(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Scaling.Max = 3
	l := start(t, c)
	u := startUsers(t, 5, 10*time.Millisecond, l.URL())
	l.LoadBegan(time.Now())
	time.Sleep(300 * time.Millisecond) // of load, all of it in the first period
	u.end()
	l.LoadEnded(time.Now())
	atMin, err := l.AwaitRecovery(t.Context())
	if err != nil || !atMin {
		t.Errorf("recovery: %t, %v", atMin, err)
	}
	tl := checked(t, l)
	if len(tl.Activities) == 0 || tl.Activities[0].To != 3 {
		t.Errorf("%+v, want the scale-out that the load's only period causes", tl.Activities)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	l.LoadEnded(time.Now().Add(time.Hour))
	if _, err := l.AwaitRecovery(ctx); !errors.Is(err, enough) {
		t.Errorf("%v, want the cause of the context", err)
	}
}

func TestARequestOutlastsACompressedDrainAndNotTheRealOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why     string
		delay   time.Duration // of deregistration; 60 times faster here
		service time.Duration
		status  int
	}{
		{why: "half a second of drain, and a request of one", delay: 30 * time.Second, service: time.Second, status: 200},
		{why: "a request longer than the delay is on AWS", delay: time.Second, service: 20 * time.Second, status: 502},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			c := quick()
			c.Scaling.Policies = never()
			c.Capacity.Service = tt.service
			c.Delays.Deregistration = tt.delay
			l := start(t, c)
			l.LoadBegan(time.Now())
			client := newClient(t)
			statuses := make(chan int, 2)
			for range 2 {
				go func() {
					status, _, _ := fetch(t, client, l.URL())
					statuses <- status
				}()
			}
			eventually(t, "a request is at each replica", func() bool { return served(l) == 2 })
			began := time.Now()
			if err := l.SetBounds(1, 1); err != nil {
				t.Fatal(err)
			}
			if status := <-statuses; status != tt.status {
				t.Errorf("%d after %s, want %d", status, time.Since(began), tt.status)
			}
			l.Close()
			<-statuses
		})
	}
}

func TestRecoveryEndsWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Scaling.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricRequests, Target: 50, DisableScaleIn: true}}
	c.Recovery = 90 * time.Second // one and a half seconds
	l := start(t, c)
	u := startUsers(t, 5, 10*time.Millisecond, l.URL())
	l.LoadBegan(time.Now())
	eventually(t, "six tasks are desired", func() bool { return l.scheduler.point().Desired == 6 })
	u.end()
	ended := time.Now()
	l.LoadEnded(ended)
	atMin, err := l.AwaitRecovery(t.Context())
	if d := time.Since(ended); err != nil || atMin || d < 1500*time.Millisecond || d > 4*time.Second {
		t.Errorf("%t, %v after %s, want to give up after 1.5s", atMin, err, d)
	}
}

func TestCloseLeavesNothingInEveryPhase(t *testing.T) {
	t.Parallel()
	for phase, c := range map[string]func(*Config){
		"serving":     func(*Config) {},
		"scaling out": func(c *Config) { c.Delays.Pull = 20 * time.Hour },
		"draining":    func(c *Config) { c.Delays.Deregistration = 20 * time.Hour },
	} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			config := quick()
			c(&config)
			l := start(t, config)
			l.LoadBegan(time.Now())
			switch phase {
			case "scaling out":
				_ = l.SetBounds(6, 6)
			case "draining":
				_ = l.SetBounds(1, 1)
			}
			var addrs []string
			for _, task := range l.scheduler.running() {
				addrs = append(addrs, task.replica.addr())
			}
			u := startUsers(t, 3, time.Millisecond, l.URL())
			time.Sleep(50 * time.Millisecond) // of load
			began := time.Now()
			l.Close()
			l.Close() // a second one does nothing
			if d := time.Since(began); d > 3*time.Second {
				t.Errorf("it took %s", d)
			}
			u.end()
			for _, addr := range append(addrs, strings.TrimPrefix(l.URL(), "http://")) {
				if conn, err := net.Dial("tcp", addr); err == nil {
					conn.Close()
					t.Errorf("%s still listens", addr)
				}
			}
			checked(t, l)
		})
	}
}

func TestAStartThatIsInterruptedLeavesNothing(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	l, err := Start(ctx, program(deaf))
	if err == nil {
		l.Close()
	}
	if !errors.Is(err, why) {
		t.Errorf("%v, want the cause of the context", err)
	}
}

func TestTheRunsClockBeginsWithTheLoad(t *testing.T) {
	t.Parallel()
	l := start(t, quick())
	time.Sleep(20 * time.Millisecond) // before the load
	if tl := checked(t, l); tl.End != 0 || len(tl.Points) != 1 || tl.Points[0].Healthy != 2 || tl.Tasks[0].Healthy != 0 {
		t.Errorf("before the load: end %s, points %+v, tasks %+v, want everything at 0", tl.End, tl.Points, tl.Tasks)
	}
	l.LoadBegan(time.Now().Add(-time.Hour))
	l.LoadBegan(time.Now()) // does nothing
	if now := l.now(); now < time.Hour || now > time.Hour+time.Minute {
		t.Errorf("the clock says %s, want an hour", now)
	}
	if got, ok := l.TaskCapacity(); !ok || got != 64/0.005 {
		t.Errorf("capacity %v, %t", got, ok)
	}
	res, err := http.Get(l.URL() + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if by := res.Header.Get("X-Served-By"); !strings.HasPrefix(by, "task-") {
		t.Errorf("X-Served-By %q, want the task's name", by)
	}
}
