package bench

import (
	"bufio"
	"flag"
	"io"
	"log"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// run is what a bench has measured.
type run struct {
	attack.Outcome
	windows                   []*result.Window
	requests, failures        int64
	reused, opened, redirects int64
	messages                  map[string]int64
	status                    map[int]int64
	servedBy                  map[string]int64
}

func prepared(t *testing.T, p plan.Plan) *Bench {
	t.Helper()
	ready, err := p.Prepare("", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	recorder := measure.New(measure.Config{Endpoints: ready.Endpoints, Phases: ready.Phases, Timeout: time.Duration(p.Client.Timeout)})
	b, err := New(Config{Plan: ready, Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func execute(t *testing.T, p plan.Plan, act func(*Bench)) run {
	t.Helper()
	b := prepared(t, p)
	if act != nil {
		go act(b)
	}
	r := run{Outcome: b.Run(), messages: map[string]int64{}, status: map[int]int64{}, servedBy: map[string]int64{}}
	r.windows = b.cfg.Recorder.Close(r.DrainEnded)
	var sent, abandoned int64
	for _, w := range r.windows {
		sent += w.Sent
		r.reused += w.Connections.Reused
		r.opened += w.Connections.Opened
		for name, n := range w.ServedBy {
			r.servedBy[name] += n
		}
		for _, e := range w.Endpoints {
			r.requests += e.Requests
			r.failures += e.Failures
			r.redirects += e.Redirects
			abandoned += e.Abandoned
			for _, x := range e.Errors {
				r.messages[x.Message] += x.Count
			}
			for code, n := range e.Status {
				r.status[code] += n
			}
		}
	}
	if sent != r.Sent || sent != r.requests+r.Abandoned || abandoned != r.Abandoned || r.Offered != r.Sent {
		t.Errorf("the books do not balance: sent %d (windows) %d (outcome), requests %d, abandoned %d %d, offered %d",
			sent, r.Sent, r.requests, abandoned, r.Abandoned, r.Offered)
	}
	return r
}

// few sends n requests, however long it takes.
func few(url string, connections int, n int64) plan.Plan {
	p := plan.DefaultBench()
	p.Users, p.Requests, p.RunTime, p.StopTimeout = connections, n, plan.Duration(time.Minute), plan.Duration(20*time.Second)
	p.Targets = []plan.Target{{Method: "GET", URL: url}}
	return p
}

// both runs a test with loops, where there are any, and with goroutines.
func both(t *testing.T, f func(t *testing.T, drivers func(plan.Plan) plan.Plan)) {
	t.Run("loops", func(t *testing.T) { f(t, func(p plan.Plan) plan.Plan { return p }) })
	t.Run("goroutines", func(t *testing.T) {
		f(t, func(p plan.Plan) plan.Plan { p.Client.Cookies = true; return p }) // which no loop keeps
	})
}

func TestEachConnectionSendsAsSoonAsItHasItsAnswer(t *testing.T) {
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		var served atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			served.Add(1)
			w.Header().Set("X-Served-By", "a")
			_, _ = io.WriteString(w, "hello")
		}))
		defer s.Close()
		p := drivers(few(s.URL, 8, 0))
		p.RunTime = plan.Duration(200 * ms)
		r := execute(t, p, nil)
		if r.failures != 0 || r.requests != served.Load() || r.opened != 8 || r.reused != r.requests-8 || r.servedBy["a"] != r.requests || r.SendingEnded != 200*ms {
			t.Errorf("%d requests, server saw %d, failures %v, %d connections, %d reused, %v", r.requests, served.Load(), r.messages, r.opened, r.reused, r.servedBy)
		}
	})
}

func TestACountOfRequestsIsExact(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		for _, n := range []int64{1, 7, 3000} {
			if r := execute(t, drivers(few(s.URL, 8, n)), nil); r.requests != n || r.failures != 0 || r.SendingEnded > 30*time.Second {
				t.Errorf("%d requests, want %d; failures %v; ended at %v", r.requests, n, r.messages, r.SendingEnded)
			}
		}
	})
}

// raw serves connections as handle does.
func raw(t *testing.T, handle func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); handle(c) }()
		}
	}()
	return "http://" + l.Addr().String()
}

// always gives each request of a connection the same bytes.
func always(text string) func(net.Conn) { return answers(text, -1) }

// answers gives n requests of a connection the same bytes and closes it.
func answers(text string, n int) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for left := n; left != 0; left-- {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

func TestWhatAServiceAnswersIsCounted(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, row := range []struct {
		why     string
		server  func(net.Conn)
		status  int
		message string
		opened  int64 // of 12 requests; 0: any number
	}{
		{"a kept connection", always(ok), 200, "", 4},
		{"a status", always("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), 503, "503 Service Unavailable", 4},
		{"nonsense", always("SSH-2.0\r\n\r\n"), 0, "malformed answer: not HTTP, or a header above the limit", 12},
		{"no answer", answers("", 1), 0, "connection closed before the answer was complete", 12},
		{"half an answer", answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 1), 200, "connection closed before the answer was complete", 12},
		{"chunks", always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), 200, "", 4},
		{"an interim answer", always("HTTP/1.1 103 Early Hints\r\n\r\n" + ok), 200, "", 4},
		{"a close that is said", always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), 200, "", 12},
		{"a close that is the end of the body", answers("HTTP/1.1 200 OK\r\n\r\nhello", 1), 200, "", 12},
		{"a redirect without a place to go", always("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), 302, "", 4},
		{"a redirect to what nobody can ask", always("HTTP/1.1 302 Found\r\nLocation: app://x\r\nContent-Length: 0\r\n\r\n"), 302, "", 4},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			url := raw(t, row.server)
			both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
				r := execute(t, drivers(few(url, 4, 12)), nil)
				want, messages := map[int]int64{row.status: 12}, map[string]int64{row.message: 12}
				if row.status == 0 {
					want = map[int]int64{}
				}
				if row.message == "" {
					messages = map[string]int64{}
				}
				// Four connections share twelve requests as it comes: one may have sent none.
				if r.requests != 12 || !maps.Equal(r.status, want) || !maps.Equal(r.messages, messages) || row.opened == 12 && r.opened != 12 || r.opened > row.opened {
					t.Errorf("%d requests, status %v, failures %v, %d connections", r.requests, r.status, r.messages, r.opened)
				}
			})
		})
	}
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		if r := execute(t, drivers(few("http://127.0.0.1:1", 4, 12)), nil); r.messages["connection refused"] != 12 {
			t.Errorf("nobody listens: %v", r.messages)
		}
	})
}

// The contract of one exchange, which a run has to keep as well.
func TestWhatIsCountedOfAnAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("every server of the contract, both ways")
	}
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		for _, row := range contract.Rows() {
			t.Run(strings.ReplaceAll(row.Why, " ", "_"), func(t *testing.T) {
				t.Parallel()
				p := drivers(few(contract.Serve(t, row.Server), 1, 5))
				row.Client(&p.Client)
				if row.Method != "" {
					p.Targets[0].Method = row.Method
				}
				row.Check(t, execute(t, p, nil).windows)
			})
		}
	})
}

func TestAConnectionThatDiedWhileItWasIdleIsReplaced(t *testing.T) {
	url := raw(t, answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2)) // and closes without having said so
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		if r := execute(t, drivers(few(url, 1, 20)), nil); r.failures > 0 || r.requests != 20 || r.opened != 10 {
			t.Errorf("%d requests, failures %v, %d connections", r.requests, r.messages, r.opened)
		}
	})
}

func TestRedirectsAreFollowedAsRunDoes(t *testing.T) {
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "there") }))
	defer elsewhere.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there", http.StatusFound)
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusMovedPermanently)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	}))
	defer s.Close()
	none, two := 0, 2
	for _, row := range []struct {
		why       string
		path      string
		limit     *int
		status    int
		redirects int64 // of a request
		message   string
	}{
		{"on the same host", "/here", nil, 200, 1, ""},
		{"to another one, with TLS", "/away", nil, 200, 1, ""},
		{"not when none is to be followed", "/here", &none, 302, 0, ""},
		{"no further than allowed", "/loop", &two, 302, 2, "too many redirects"},
	} {
		both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
			p := drivers(few(s.URL+row.path, 3, 30))
			p.Client.Redirects, p.Client.Insecure = row.limit, true
			r := execute(t, p, nil)
			if r.requests != 30 || r.status[row.status] != 30 || r.redirects != 30*row.redirects || r.messages[row.message] != r.failures {
				t.Errorf("%s: %d requests, status %v, %d hops, failures %v", row.why, r.requests, r.status, r.redirects, r.messages)
			}
		})
	}
}

func TestTLSIsMeasuredWithItsConnections(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	p := few(s.URL, 3, 12)
	if r := execute(t, p, nil); r.messages["TLS: certificate signed by unknown authority"] != 12 {
		t.Errorf("nobody's certificate: %v", r.messages)
	}
	p.Client.Insecure = true
	if r := execute(t, p, nil); r.requests != 12 || r.failures > 0 || r.opened > 3 {
		t.Errorf("%d requests, failures %v, %d connections", r.requests, r.messages, r.opened)
	}
}

func TestWhatDoesNotAnswerTimesOutAndIsGivenUpAtTheEnd(t *testing.T) {
	silent := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		p := drivers(few(silent, 4, 8))
		p.Client.Timeout = plan.Duration(100 * ms)
		if r := execute(t, p, nil); r.messages["timeout after 100ms"] != 8 {
			t.Errorf("failures %v", r.messages)
		}
		p = drivers(few(silent, 4, 0))
		p.RunTime, p.StopTimeout = plan.Duration(50*ms), plan.Duration(50*ms)
		r := execute(t, p, nil)
		last := r.windows[len(r.windows)-1]
		var unanswered int64
		for _, e := range last.Ends {
			unanswered += e.Unanswered
		}
		if r.Abandoned != 4 || unanswered != 4 || r.DrainEnded > 10*time.Second {
			t.Errorf("given up %d, unanswered %d, over after %v", r.Abandoned, unanswered, r.DrainEnded)
		}
	})
}

func TestACutGivesUpWhatIsUnderWayAndKeepsTheRest(t *testing.T) {
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		asked := make(chan struct{}, 100)
		second := raw(t, func(c net.Conn) { // answers once
			answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1)(c)
			_, _ = http.ReadRequest(bufio.NewReader(c))
			asked <- struct{}{}
			_, _ = io.Copy(io.Discard, c)
		})
		r := execute(t, drivers(few(second, 4, 0)), func(b *Bench) {
			for range 4 {
				<-asked
			}
			b.Cut()
		})
		if r.requests != 4 || r.Abandoned != 4 || r.DrainEnded > 20*time.Second || r.failures > 0 {
			t.Errorf("%d requests, failures %v, abandoned %d, over after %v", r.requests, r.messages, r.Abandoned, r.DrainEnded)
		}
	})
}

func TestAStopLetsWhatIsUnderWayFinish(t *testing.T) {
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		asked, answer := make(chan struct{}, 100), make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-answer }))
		defer s.Close()
		r := execute(t, drivers(few(s.URL, 4, 0)), func(b *Bench) {
			for range 4 {
				<-asked
			}
			b.Stop()
			for b.sendingEnds() == b.end {
				time.Sleep(ms) // real sockets, real time
			}
			close(answer)
		})
		if r.requests != 4 || r.Abandoned != 0 || r.failures > 0 || r.SendingEnded >= time.Minute {
			t.Errorf("%d requests, failures %v, abandoned %d, ended at %v", r.requests, r.messages, r.Abandoned, r.SendingEnded)
		}
	})
}

func TestALargeBodyIsSentWhole(t *testing.T) {
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		var bytes atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			bytes.Add(n)
		}))
		defer s.Close()
		p := drivers(few(s.URL, 2, 6))
		p.Targets[0].Method = "POST"
		p.Targets[0].Body = plan.Body{Inline: []byte(strings.Repeat("x", 3<<20))}
		if r := execute(t, p, nil); r.failures != 0 || bytes.Load() != 6*3<<20 {
			t.Errorf("the server read %d bytes, failures %v", bytes.Load(), r.messages)
		}
	})
}

func TestABodyIsReadUpToTheLimitAndLookedIntoWhereATextIsExpected(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 3000)) }))
	defer s.Close()
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		p := drivers(few(s.URL, 2, 6))
		p.Client.MaxBody = 1000
		r := execute(t, p, nil)
		var bytes, truncated int64
		for _, w := range r.windows {
			for _, e := range w.Endpoints {
				bytes, truncated = bytes+e.BytesIn, truncated+e.Truncated
			}
		}
		if bytes != 6000 || truncated != 6 || r.failures > 0 || r.opened != 6 {
			t.Errorf("%d bytes, %d truncated, %d connections, failures %v", bytes, truncated, r.opened, r.messages)
		}
	})
	p := few(s.URL, 2, 6)
	p.Targets[0].ExpectBody = "y"
	if r := execute(t, p, nil); r.messages["the body does not hold the expected text"] != 6 {
		t.Errorf("failures %v", r.messages)
	}
}

func TestAHostGoesToTheFirstOfItsAddressesThatAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		p := drivers(few("http://service.test:"+port, 4, 40))
		given, err := plan.ParseResolve("service.test:" + port + ":127.0.0.9,127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		p.Client.Resolve = []plan.Resolve{given}
		if r := execute(t, p, nil); r.requests != 40 || r.failures > 0 {
			t.Errorf("%d requests, failures %v", r.requests, r.messages)
		}
	})
}

// Little's law: what is under way on average is the rate times the time that each is under way. A generator whose
// latencies begin late or end early does not keep it.
func TestRateTimesLatencyAndLagIsTheNumberOfConnections(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(3 * ms) })) // real sockets, real time
	defer s.Close()
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		const connections = 20
		p := drivers(few(s.URL, connections, 0))
		p.RunTime = plan.Duration(500 * ms)
		r := execute(t, p, nil)
		var busy time.Duration
		for _, w := range r.windows {
			busy += time.Duration(float64(w.Lag.Mean()) * float64(w.Lag.Count()))
			for _, e := range w.Endpoints {
				busy += time.Duration(float64(e.Raw.Mean()) * float64(e.Raw.Count()))
			}
		}
		if under := busy.Seconds() / r.DrainEnded.Seconds(); math.Abs(under-connections) > 0.05*connections {
			t.Errorf("%.2f under way on average, %d connections", under, connections)
		}
	})
}

func TestMain(m *testing.M) {
	contract.ServeIfAsked()
	// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
