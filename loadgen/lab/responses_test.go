package lab

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

func TestTheResponseTimeIsUntilTheTargetsHeader(t *testing.T) {
	t.Parallel()
	const header = 60 * time.Millisecond
	b := startTestBalancer(t, time.Minute)
	counted := func() bool {
		b.times.mu.Lock()
		defer b.times.mu.Unlock()
		return b.times.seen.Count() == 1
	}
	slow := func(c net.Conn, r *http.Request, _ int) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(header)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
		for range 10_000 { // the body waits until the time has been taken
			if counted() {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_, err := io.WriteString(c, "ok")
		return err == nil
	}
	healthyTarget(b, "slow", startScripted(t, slow).addr)
	began := time.Now()
	if status, text, _ := fetch(t, newClient(t), b.url); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	took := time.Since(began)
	p99, ok := b.times.p99()
	if !ok || took > 10*time.Second || p99 < header || p99 > took+took/1000 { // 3 significant digits are kept
		t.Errorf("%s, %t, of %s in all: want it taken before the body, and at least %s", p99, ok, took, header)
	}
	if _, ok := b.times.p99(); ok {
		t.Error("it is counted again in the next period")
	}
}

func TestWhatNoTargetAnsweredHasNoResponseTime(t *testing.T) {
	t.Parallel()
	closed, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	hangUp := func(c net.Conn, _ *http.Request, _ int) bool { return false }
	silent := func(c net.Conn, _ *http.Request, _ int) bool {
		_, _ = c.Read(make([]byte, 1)) // until the balancer gives up
		return false
	}
	for _, tt := range []struct {
		why, addr string
		want      int
	}{
		{"there is no target", "", 503},
		{"it refuses", closed, 502},
		{"it closes", startScripted(t, hangUp).addr, 502},
		{"it answers nothing in time", startScripted(t, silent).addr, 504},
		{"it answers nonsense", startScripted(t, says("what?\r\n\r\n", false)).addr, 502},
	} {
		b := startTestBalancer(t, 100*time.Millisecond)
		if tt.addr != "" {
			healthyTarget(b, "bad", tt.addr)
		}
		if status, text, _ := fetch(t, newClient(t), b.url); status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.why, status, text, tt.want)
		}
		if p99, ok := b.times.p99(); ok {
			t.Errorf("%s: a response time of %s", tt.why, p99)
		}
	}
	b := startTestBalancer(t, time.Minute)
	healthyTarget(b, "down", startScripted(t, says("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", true)).addr)
	if status, _, _ := fetch(t, newClient(t), b.url); status != 500 {
		t.Fatal(status)
	}
	if _, ok := b.times.p99(); !ok {
		t.Error("the target's own 500 has no response time, which is an answer")
	}
}

// Requests are real, and so is what they take: a p99 of 80 ms is 80 ms at every speed.
func TestTheP99IsInRealMillisecondsOncePerPeriodOfTheBalancer(t *testing.T) {
	for _, tt := range []struct {
		why     string
		every   int
		period  int
		answers []time.Duration
		want    float64
		missing bool
	}{
		{"one answer", 0, 1, []time.Duration{80 * time.Millisecond}, 80, false},
		{"the highest of a few", 1, 7, []time.Duration{1 * time.Millisecond, 2 * time.Millisecond, 90 * time.Millisecond}, 90, false},
		{"nothing was answered", 0, 1, nil, 0, true},
		{"a third of the balancer's period", 3, 1, []time.Duration{80 * time.Millisecond}, 0, true},
		{"the whole of it", 3, 3, []time.Duration{80 * time.Millisecond}, 80, false},
	} {
		b := &balancer{since: time.Now(), times: &responseTimes{}}
		cfg := Config{Speedup: 60}.withDefaults()
		cfg.Scaling.Balancer.Every = tt.every
		c := &controller{cfg: cfg, balancer: b, scheduler: newScheduler(cfg, b, nil, timeline.NewRecorder(60, 1, 2), func() time.Duration { return 0 })}
		for _, d := range tt.answers {
			b.times.add(d)
		}
		got, ok := c.measure(tt.period)[autoscaling.MetricP99]
		if ok == tt.missing || got < tt.want*0.999 || got > tt.want*1.001 {
			t.Errorf("%s: %v, %t, want %v ms", tt.why, got, ok, tt.want)
		}
	}
}

// Ten users on two tasks that do one request at a time wait for 100 ms each, on four for half of that: more than the bound
// with any number of tasks, so that capacity goes to its maximum by latency alone, and back by CPU.
func TestLatencyScalesOutAndAnotherPolicyIn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	c := quick()
	c.Scaling.Max = 4
	c.Capacity = Capacity{Slots: 1, Service: 20 * time.Millisecond}
	c.Scaling.Policies = nil
	for _, text := range []string{"p99>20ms:+1,>10s:+2 1 of 1", "cpu=1000"} { // a CPU that never asks for more
		p, err := autoscaling.ParsePolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Scaling.Policies = append(c.Scaling.Policies, p)
	}
	l := start(t, c)
	u := startUsers(t, 10, time.Millisecond, l.URL())
	l.LoadBegan(time.Now())
	eventually(t, "all tasks are healthy", func() bool { return l.Capacity().Healthy == 4 })
	u.end()
	l.LoadEnded(time.Now())
	if atMin, err := l.AwaitRecovery(t.Context()); err != nil || !atMin {
		t.Errorf("recovery: %t, %v, want that it comes back to min", atMin, err)
	}
	tl := checked(t, l)
	agree(t, l, tl, u)
	replay(t, l, tl)
	for _, a := range tl.Activities {
		switch {
		case a.To > a.From && (a.Policy != autoscaling.MetricP99 || a.To != a.From+1):
			t.Errorf("%+v, want +1 by p99: 10 s are never passed, whatever the speed", a)
		case a.To < a.From && a.Policy != autoscaling.MetricCPU:
			t.Errorf("%+v, want a scale-in by cpu", a)
		}
	}
	if got := l.Timeline().Settings[autoscaling.SettingPolicy]; got != "p99>20ms:+1,>10s:+2 1 of 1; cpu=1000" {
		t.Errorf("settings have %q", got)
	}
}
