package attack

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
)

func TestAnAlertOfTheServerIsAFailureOfTLS(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]*tls.Config{
		"1.2, no certificate":       {ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12},
		"1.3, no certificate":       {ClientAuth: tls.RequireAnyClientCert},
		"no protocol in common":     {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"no cipher suite in common": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}},
	} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = discard
		server.TLS = config
		server.StartTLS()
		p := few()
		p.Client.Insecure = true
		r := execute(at(p, server.URL), nil, nil)
		server.Close()
		r.balanced(t)
		if got := r.messages()["TLS: handshake failed"]; got != 10 {
			t.Errorf("%s: failures %v", name, r.messages())
		}
	}
}

// accepting takes connections and says nothing; it counts those that are open.
func accepting(t *testing.T) (address string, opened, closed *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	opened, closed = new(atomic.Int64), new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			opened.Add(1)
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
				closed.Add(1)
			}()
		}
	}()
	return l.Addr().String(), opened, closed
}

// A server that accepts and then says nothing of TLS holds a descriptor for each dial that goes on.
func TestADialEndsWithTheRequestThatItIsFor(t *testing.T) {
	address, opened, closed := accepting(t)
	p := few()
	p.Client.Timeout = plan.Duration(50 * ms)
	r := execute(at(p, "https://"+address), nil, nil)
	r.balanced(t)
	if got := r.messages()["timeout after 50ms"]; got != 10 {
		t.Errorf("failures %v, want 10 timeouts", r.messages())
	}
	for end := time.Now().Add(5 * time.Second); (opened.Load() < 10 || closed.Load() < opened.Load()) && time.Now().Before(end); {
		time.Sleep(5 * ms) // real sockets, real time
	}
	if closed.Load() != opened.Load() {
		t.Errorf("%d of %d connections closed", closed.Load(), opened.Load())
	}
}

// Requests whose time is up before, while and after they connect: none of it may count after the end, or twice.
func TestATimeOutNearTheTimeThatADialTakesKeepsTheBooks(t *testing.T) {
	t.Parallel()
	c := countConnections(t, nil)
	for _, timeout := range []time.Duration{50 * time.Microsecond, 150 * time.Microsecond, 400 * time.Microsecond} {
		for range 10 {
			p := open(4000, 30*ms)
			p.StopTimeout, p.Client.Timeout, p.Client.NoKeepAlive = 0, plan.Duration(timeout), true
			execute(at(p, c.server.URL), nil, nil).balanced(t)
		}
	}
}

// A user asks two hosts. When the connection to the first is too old, the one to the second, opened later, is not.
func TestEachConnectionHasAnAgeOfItsOwn(t *testing.T) {
	first, second := countConnections(t, nil), countConnections(t, nil)
	p := plan.Default()
	p.Client.ConnectionMaxAge = plan.Duration(time.Hour)
	ready := at(p, first.server.URL)
	ready.Requests[1].URL = at(p, second.server.URL).Requests[1].URL
	recorder := measure.New(measure.Config{Endpoints: ready.Endpoints, Phases: ready.Phases})
	a := New(Config{Plan: ready, Recorder: recorder})
	a.Begin()
	u := a.newUser(0, nil)
	ask := func(request int) { a.exchange(ticket{user: u, step: Step{Planned: request}}) }
	ask(0)
	// The first connection becomes as old as may be, and the second is opened.
	a.start = a.start.Add(-2 * time.Hour)
	ask(1)
	ask(0)
	ask(1)
	ask(0)
	u.close()
	if one, two := first.opened.Load(), second.opened.Load(); one != 2 || two != 1 {
		t.Errorf("%d connections to the host whose connection was old and %d to the other, want 2 and 1", one, two)
	}
}

func TestUsersThatLeftDoNotHoldBackThoseWhoCome(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.Think = 0, 0, 0, plan.Range{}
	p.Stages = stages(0, 50, time.Second, 50, 0, 0, 500*ms, 0, 0, 50, time.Second, 50)
	var now, most atomic.Int64
	r := virtual(t, p, serve(func(req *http.Request) int {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		sleep(req, 3*time.Second)
		now.Add(-1)
		return 200
	}), nil)
	r.balanced(t)
	if most.Load() != 100 || r.lag.Max() > time.Microsecond || r.OwnDrops != 0 {
		t.Errorf("%d requests at once, lag %v, %d dropped by the generator; want 100 and none", most.Load(), r.lag.Max(), r.OwnDrops)
	}
}

// stages are pairs of a duration and a number.
func stages(pairs ...time.Duration) (list []plan.Stage) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, plan.Stage{Duration: plan.Duration(pairs[i]), To: float64(pairs[i+1])})
	}
	return list
}

// A service of 500 ms for users with a beat of 50 ms: each has a backlog, and leaves with it.
func TestABacklogOfUsersThatLeaveIsOfferedAndDropped(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.Think, p.Pacing = 0, 0, 0, plan.Range{}, plan.Duration(50*ms)
	p.StopTimeout = plan.Duration(time.Second)
	p.Stages = stages(0, 10, 3*time.Second, 10, 0, 1, 2*time.Second, 1)
	var offered []int64
	r := virtual(t, p, serve(func(req *http.Request) int { sleep(req, 500*ms); return 200 }), func(a *Attack) {
		for i := range 6 {
			at := time.Duration(i) * time.Second
			time.Sleep(at + 100*ms - a.Elapsed())
			n, _ := a.Gauges(at)
			offered = append(offered, n)
		}
	})
	r.balanced(t)
	// Ten users for 3 s and one for 2 s more, each every 50 ms.
	if r.Offered != 640 {
		t.Errorf("offered %d, want 640", r.Offered)
	}
	for i, want := range []int64{0, 200, 400, 600, 620, 640} {
		if i < len(offered) && offered[i] != want {
			t.Errorf("offered by %d s: %v, want %d", i, offered, want)
			break
		}
	}
	if r.OwnDrops != 0 {
		t.Errorf("%d drops are called the generator's", r.OwnDrops)
	}
}
