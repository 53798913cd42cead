package lab

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRequestsGoRoundTheHealthyTargets(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	var targets []*scripted
	for i := range 3 {
		s := startScripted(t, says(okAnswer, true))
		targets = append(targets, s)
		healthyTarget(b, fmt.Sprint(i), s.addr)
	}
	late := startScripted(t, says(okAnswer, true))
	b.register("late", late.addr, 2, 2) // no check has passed yet
	client := newClient(t)
	for i := range 30 {
		if status, body, _ := fetch(t, client, b.url); status != 200 {
			t.Fatalf("request %d: %d %s", i, status, body)
		}
	}
	for i, s := range targets {
		if got := s.requests.Load(); got != 10 {
			t.Errorf("target %d had %d of 30 requests, want 10", i, got)
		}
		if got := s.conns.Load(); got != 1 {
			t.Errorf("target %d had %d connections for one request at a time, want 1", i, got)
		}
	}
	if late.requests.Load() != 0 {
		t.Error("a target that has passed no check got requests")
	}
	if got, want := b.total(), (Counts{Requests: 30, Routed: 30}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestTheBalancerAnswersInATargetsStead(t *testing.T) {
	t.Parallel()
	closed, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	reset := func(c net.Conn, _ *http.Request, _ int) bool {
		_ = c.(*net.TCPConn).SetLinger(0)
		return false
	}
	silent := func(c net.Conn, _ *http.Request, _ int) bool {
		_, _ = c.Read(make([]byte, 1)) // until the balancer gives up
		return false
	}
	for _, tt := range []struct {
		why    string
		serve  func(net.Conn, *http.Request, int) bool // nil: nobody listens
		status int
		count  func(Counts) int64
	}{
		{"refused", nil, 502, func(c Counts) int64 { return c.BadGateway }},
		{"closed without an answer", func(net.Conn, *http.Request, int) bool { return false }, 502, func(c Counts) int64 { return c.BadGateway }},
		{"reset", reset, 502, func(c Counts) int64 { return c.BadGateway }},
		{"garbage", says("good day\r\n\r\n", false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"a malformed header", says("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"an endless header", says("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", maxResponseHeader)+"\r\n\r\n", false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"an endless row of interim answers", says(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", maxResponseHeader/20), false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"a protocol that nobody asked for", says("HTTP/1.1 101 Switching Protocols\r\n\r\n", false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"silent for the idle timeout", silent, 504, func(c Counts) int64 { return c.Timeout }},
		{"the target's own 503", says("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", true), 503, func(c Counts) int64 { return c.TargetBad }},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			b := startTestBalancer(t, 300*time.Millisecond)
			addr, seen := net.JoinHostPort("127.0.0.1", closed), func() int64 { return 1 }
			if tt.serve != nil {
				s := startScripted(t, tt.serve)
				addr, seen = s.addr, s.requests.Load
			}
			target := healthyTarget(b, "x", addr)
			status, body, header := fetch(t, newClient(t), b.url)
			if status != tt.status {
				t.Errorf("%d %s, want %d", status, body, tt.status)
			}
			if own := header.Get("Server") == "loadgen-lab-balancer"; own == (tt.why == "the target's own 503") {
				t.Errorf("Server %q does not say whose answer it is", header.Get("Server"))
			}
			if n := seen(); n != 1 {
				t.Errorf("the target saw the request %d times, want once", n)
			}
			c := b.total()
			if requests, errors, _ := b.shares(target); tt.count(c) != 1 || requests != 1 || errors != 1 {
				t.Errorf("counted %+v, and for the target %d requests and %d errors, want one each", c, requests, errors)
			}
		})
	}
}

func TestWithoutTargetsItIs503(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	client := newClient(t)
	if status, body, _ := fetch(t, client, b.url); status != 503 || body != "503 Service Unavailable\n" {
		t.Errorf("%d %q, want 503 and its text", status, body)
	}
	s := startScripted(t, says(okAnswer, true))
	x := healthyTarget(b, "x", s.addr)
	b.deregister(x)
	if status, _, _ := fetch(t, client, b.url); status != 503 {
		t.Errorf("with a target that has left: %d, want 503", status)
	}
	if got, want := b.total(), (Counts{Requests: 2, NoTarget: 2}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestItFailsOpenWhenAllTargetsAreUnhealthy(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	client := newClient(t)
	one, two := startScripted(t, says(okAnswer, true)), startScripted(t, says(okAnswer, true))
	x, y := healthyTarget(b, "x", one.addr), healthyTarget(b, "y", two.addr)
	fail := func(target *target) {
		b.observe(target, false)
		b.observe(target, false)
	}
	fail(x)
	for range 4 {
		fetch(t, client, b.url)
	}
	if one.requests.Load() != 0 || two.requests.Load() != 4 {
		t.Errorf("%d and %d requests, want none to the unhealthy one and 4 to the other", one.requests.Load(), two.requests.Load())
	}
	fail(y)
	for range 4 {
		if status, _, _ := fetch(t, client, b.url); status != 200 {
			t.Errorf("all unhealthy: %d, want 200: it fails open", status)
		}
	}
	if one.requests.Load() != 2 || two.requests.Load() != 6 {
		t.Errorf("%d and %d requests, want both to get their share when none is healthy", one.requests.Load(), two.requests.Load())
	}
}

// net/http's Transport would send these requests again, and the failures that a drain makes would never be seen.
func TestARequestIsSentOnceWhenATargetHangsUpOnAReusedConnection(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	s := startScripted(t, func(c net.Conn, _ *http.Request, n int) bool {
		if n > 1 {
			return false // the second request is read and not answered
		}
		_, err := io.WriteString(c, okAnswer)
		return err == nil
	})
	healthyTarget(b, "x", s.addr)
	client := newClient(t)
	var ok, bad int64
	for range 20 {
		switch status, body, _ := fetch(t, client, b.url); status {
		case 200:
			ok++
		case 502:
			bad++
		default:
			t.Fatalf("%d %s", status, body)
		}
	}
	if ok != 10 || bad != 10 {
		t.Errorf("%d answered and %d failed of 20, want 10 each: every other one was hung up on", ok, bad)
	}
	if got := s.requests.Load(); got != 20 {
		t.Errorf("the target saw %d requests, want the 20 that were sent", got)
	}
}

func TestAConnectionThatATargetClosedWhileIdleIsNotUsed(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	if runtime.GOOS == "windows" {
		t.Skip("this system cannot tell that a connection has been closed")
	}
	s := startScripted(t, says(okAnswer, false)) // keep-alive by its header, and yet closed
	healthyTarget(b, "x", s.addr)
	client := newClient(t)
	for i := range 5 {
		if status, body, _ := fetch(t, client, b.url); status != 200 {
			t.Fatalf("request %d: %d %s", i, status, body)
		}
		eventually(t, "the end of the connection arrives", func() bool {
			b.targets[0].pool.mu.Lock()
			defer b.targets[0].pool.mu.Unlock()
			for _, c := range b.targets[0].pool.idle {
				if open(c.socket) {
					return false
				}
			}
			return true
		})
	}
	if got := s.requests.Load(); got != 5 {
		t.Errorf("the target saw %d requests, want 5", got)
	}
}

func TestADrainingTargetFinishesWhatItHasAndGetsNoMore(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	release, arrived := make(chan struct{}), make(chan struct{})
	old := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		close(arrived)
		<-release
		_, err := io.WriteString(c, okAnswer)
		return err == nil
	})
	x := healthyTarget(b, "old", old.addr)
	client := newClient(t)
	held := make(chan int, 1)
	go func() {
		status, _, _ := fetch(t, client, b.url)
		held <- status
	}()
	<-arrived
	young := startScripted(t, says(okAnswer, true))
	healthyTarget(b, "young", young.addr)
	b.deregister(x)
	for range 5 {
		if status, _, _ := fetch(t, client, b.url); status != 200 {
			t.Errorf("beside the drain: %d, want 200", status)
		}
	}
	select {
	case <-x.drained:
		t.Error("drained while a request was in flight")
	default:
	}
	close(release)
	if status := <-held; status != 200 {
		t.Errorf("the request in flight: %d, want 200", status)
	}
	<-x.drained
	if old.requests.Load() != 1 || young.requests.Load() != 5 {
		t.Errorf("%d and %d requests, want the one in flight and the 5 after it", old.requests.Load(), young.requests.Load())
	}
}

// What is counted must agree whoever counts, while targets come and go.
func TestCountsAgreeWhileTargetsComeAndGo(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	handle := func(c net.Conn, _ *http.Request, _ int) bool {
		_, err := io.WriteString(c, okAnswer)
		return err == nil
	}
	var all []*scripted
	var targets []*target
	add := func() {
		s := startScripted(t, handle)
		all = append(all, s)
		targets = append(targets, healthyTarget(b, fmt.Sprint(len(all)), s.addr))
	}
	add()
	add()
	client := newClient(t)
	var sent, failed atomic.Int64
	stop := make(chan struct{})
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sent.Add(1)
				if status, _, _ := fetch(t, client, b.url); status != 200 {
					failed.Add(1)
				}
			}
		})
	}
	for i := range 40 {
		add()
		leaving := targets[i]
		b.deregister(leaving)
		<-leaving.drained
		leaving.pool.close()
		time.Sleep(5 * time.Millisecond) // of load on real sockets
	}
	close(stop)
	users.Wait()
	var seen, shares int64
	for i, s := range all {
		seen += s.requests.Load()
		requests, errors, _ := b.shares(targets[i])
		if requests != s.requests.Load() || errors != 0 {
			t.Errorf("target %d saw %d requests, the balancer sent %d, %d of them failed", i, s.requests.Load(), requests, errors)
		}
		shares += requests
	}
	c := b.total()
	if n := sent.Load(); failed.Load() != 0 || seen != n || shares != n || c != (Counts{Requests: n, Routed: n}) {
		t.Errorf("sent %d, failed %d, seen %d, shared out %d, counted %+v: want all the same and none failed", n, failed.Load(), seen, shares, c)
	}
}

func BenchmarkThroughTheBalancer(b *testing.B) {
	r, err := (&inProcess{capacity: Capacity{Slots: MaxSlots, Service: time.Nanosecond}, healthPath: "/health"}).launch(b.Context(), "x", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer r.kill()
	lb, err := startBalancer(time.Minute, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer lb.close()
	healthyTarget(lb, "x", r.addr())
	for name, url := range map[string]string{"direct": "http://" + r.addr(), "balancer": lb.url} {
		b.Run(name, func(b *testing.B) {
			transport := &http.Transport{MaxIdleConnsPerHost: 1000}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			before := processCPU()
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					res, err := client.Get(url)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			b.ReportMetric((processCPU()-before).Seconds()/float64(b.N)*1e6, "cpu-µs/req")
		})
	}
}
