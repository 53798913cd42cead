package lab

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

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
