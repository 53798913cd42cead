package attack

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/plan"
)

// These tests use real sockets and real time, because what they are about is what real connections do. Each
// sends for some tenths of a second.

// at points a plan's two endpoints at a server.
func at(p plan.Plan, base string) *plan.Ready {
	r := ready(p)
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	for i := range r.Requests {
		to := *r.Requests[i].URL
		to.Scheme, to.Host = u.Scheme, u.Host
		r.Requests[i].URL = &to
	}
	return r
}

// few is 10 requests, 20 ms apart.
func few() plan.Plan {
	p := open(50, 200*ms)
	p.StopTimeout = plan.Duration(3 * time.Second)
	p.Client.Timeout = plan.Duration(2 * time.Second)
	return p
}

// raw is a server that reads a request and then does with the connection what it likes.
func raw(t *testing.T, answer func(conn net.Conn, r *http.Request)) string {
	t.Helper()
	return contract.Serve(t, func(conn net.Conn, in *bufio.Reader) {
		if r, err := http.ReadRequest(in); err == nil {
			answer(conn, r)
		}
	})
}

func (r *run) messages() map[string]int64 {
	out := map[string]int64{}
	for _, w := range r.windows {
		for _, e := range w.Endpoints {
			for _, x := range e.Errors {
				out[x.Message] += x.Count
			}
		}
	}
	return out
}

func write(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

func TestFailuresAreNamedInWords(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	nobody := "http://" + closed.Addr().String()
	closed.Close()

	for _, row := range []struct {
		why, url, want string
	}{
		{"a port with no listener", nobody, "connection refused"},
		{"a name that does not resolve", "http://nowhere.invalid", "no such host"},
		{"a body shorter than its length", raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
		}), "connection closed before the answer was complete"},
		{"a chunked body that stops", raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort")
		}), "connection closed before the answer was complete"},
		{"a connection closed without an answer", raw(t, func(net.Conn, *http.Request) {}), "connection closed before the answer was complete"},
		{"a connection reset", raw(t, func(c net.Conn, _ *http.Request) {
			_ = c.(*net.TCPConn).SetLinger(0)
		}), "connection reset"},
		{"not HTTP", raw(t, func(c net.Conn, _ *http.Request) { write(c, "SSH-2.0-OpenSSH_9.2\r\n\r\n") }),
			"malformed answer: not HTTP, or a header above the limit"},
		{"an endless header", raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 200 OK\r\n")
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		}), "malformed answer: not HTTP, or a header above the limit"},
		{"only informational answers", raw(t, func(c net.Conn, _ *http.Request) {
			for range 10 {
				write(c, "HTTP/1.1 102 Processing\r\n\r\n")
			}
		}), "connection closed before the answer was complete"},
		{"a redirect loop", raw(t, func(c net.Conn, r *http.Request) {
			write(c, "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}), "too many redirects"},
		{"an error status", raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		}), "503 Service Unavailable"},
		{"a firewall's status", raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		}), "403 Forbidden (a WAF rule?)"},
		{"TLS to a plain server", strings.Replace(plain.URL, "http:", "https:", 1), "TLS: the server answers without TLS"},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			p := few()
			p.Client.Timeout, p.StopTimeout = plan.Duration(30*time.Second), plan.Duration(30*time.Second) // however busy the host is
			r := execute(at(p, row.url), nil, nil)
			r.balanced(t)
			if r.Sent != 10 || r.failures != 10 {
				t.Fatalf("sent %d, failures %d, want 10", r.Sent, r.failures)
			}
			for message, n := range r.messages() {
				if !strings.HasPrefix(message, row.want) {
					t.Errorf("%d × %q, want %q", n, message, row.want)
				}
			}
		})
	}
}

func TestAnswersThatAreOddButWhole(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, url  string
		bytes     int64
		truncated int64
		redirects int64
	}{
		{why: "HTTP/1.0 without a length ends with the connection", bytes: 5, url: raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.0 200 OK\r\n\r\nhello")
		})},
		{why: "informational answers come before the final one", bytes: 5, url: raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		})},
		{why: "a body above the limit is read up to it", bytes: 1000, truncated: 1, url: raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := c.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		})},
		{why: "a body of just the limit is whole", bytes: 1000, url: raw(t, func(c net.Conn, _ *http.Request) {
			write(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+strings.Repeat("x", 1000))
		})},
		{why: "three hops are one request", bytes: 2, redirects: 3, url: raw(t, func(c net.Conn, r *http.Request) {
			hop := len(r.URL.Query()["hop"])
			if hop == 3 {
				write(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				return
			}
			write(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /?x"+strings.Repeat("&hop=1", hop+1)+"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		})},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			p := few()
			p.Client.MaxBody = 1000
			r := execute(at(p, row.url), nil, nil)
			r.balanced(t)
			var bytes, truncated, redirects int64
			for _, w := range r.windows {
				for _, e := range w.Endpoints {
					bytes += e.BytesIn
					truncated += e.Truncated
					redirects += e.Redirects
				}
			}
			if r.requests != 10 || r.failures != 0 {
				t.Fatalf("requests %d, failures %v", r.requests, r.messages())
			}
			if bytes != 10*row.bytes || truncated != 10*row.truncated || redirects != 10*row.redirects {
				t.Errorf("bytes %d, truncated %d, redirects %d; want ten times %d, %d, %d", bytes, truncated, redirects, row.bytes, row.truncated, row.redirects)
			}
		})
	}
}

func TestCertificatesAreJudgedAndNamed(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer server.Close()
	server.Config.ErrorLog = discard
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	otherName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	for _, row := range []struct {
		why, url, want string
		ca             []byte
		insecure       bool
	}{
		{why: "an authority nobody named", url: server.URL, want: "TLS: certificate signed by unknown authority"},
		{why: "the authority given", url: server.URL, ca: authority},
		{why: "a certificate for another name", url: otherName, ca: authority, want: "TLS: certificate is for another name"},
		{why: "told not to look", url: otherName, insecure: true},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			p := few()
			p.Client.Insecure = row.insecure
			plan := at(p, row.url)
			plan.CA = row.ca
			r := execute(plan, nil, nil)
			r.balanced(t)
			messages := r.messages()
			if row.want == "" && len(messages) > 0 || row.want != "" && messages[row.want] != 10 {
				t.Errorf("failures %v, want %q", messages, row.want)
			}
		})
	}
}

func TestAnExpiredCertificateIsNamed(t *testing.T) {
	key, certificate := expired(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = discard
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}}}
	server.StartTLS()
	defer server.Close()
	plan := at(few(), server.URL)
	plan.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	if got := execute(plan, nil, nil).messages(); got["TLS: certificate expired"] != 10 {
		t.Errorf("failures %v", got)
	}
}

// connections counts what a server sees of them.
type connections struct {
	opened, requests atomic.Int64
	server           *httptest.Server
}

func countConnections(t *testing.T, handler http.HandlerFunc) *connections {
	c := &connections{}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		if handler != nil {
			handler(w, r)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}))
	c.server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.opened.Add(1)
		}
	}
	c.server.Start()
	t.Cleanup(c.server.Close)
	return c
}

func (r *run) connections() (opened, reused, retried int64) {
	for _, w := range r.windows {
		opened += w.Connections.Opened
		reused += w.Connections.Reused
		retried += w.Connections.Retried
	}
	return
}

func TestConnectionsAreAsThePlanSays(t *testing.T) {
	users := func(n int) plan.Plan {
		p := plan.Default()
		p.Users, p.SpawnRate, p.RunTime = n, 1000, plan.Duration(500*ms)
		p.Think = plan.Range{Min: plan.Duration(20 * ms), Max: plan.Duration(20 * ms)}
		return p
	}
	for _, row := range []struct {
		why      string
		plan     func() plan.Plan
		min, max int64
	}{
		{"every user keeps a connection of its own", func() plan.Plan { return users(8) }, 8, 8},
		{"an open rate that one connection can carry uses few", func() plan.Plan { return open(100, 500*ms) }, 1, 5},
		{"without keep-alive every request opens one", func() plan.Plan { p := open(40, 500*ms); p.Client.NoKeepAlive = true; return p }, 20, 20},
		{"a connection is not used beyond its age", func() plan.Plan {
			p := users(1)
			p.Client.ConnectionMaxAge = plan.Duration(100 * ms)
			return p
		}, 4, 6},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			c := countConnections(t, nil)
			r := execute(at(row.plan(), c.server.URL), nil, nil)
			r.balanced(t)
			opened, reused, retried := r.connections()
			if n := c.opened.Load(); n < row.min || n > row.max || opened != n {
				t.Errorf("server saw %d connections, the run counts %d, want %d to %d", n, opened, row.min, row.max)
			}
			if got := c.requests.Load(); got != r.requests+r.Outcome.Abandoned || r.failures != 0 || retried != 0 {
				t.Errorf("server counted %d; requests %d, failures %v, retried %d", got, r.requests, r.messages(), retried)
			}
			if opened+reused != r.requests {
				t.Errorf("opened %d + reused %d ≠ %d requests", opened, reused, r.requests)
			}
		})
	}
}

// A server that hangs up on every second request of a connection, after having read it: net/http sends such a request
// again on its own, and the server counts it twice.
func TestSilentRetriesOfTheTransportAreCounted(t *testing.T) {
	var served sync.Map
	c := countConnections(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := served.LoadOrStore(r.RemoteAddr, new(atomic.Int64))
		if n.(*atomic.Int64).Add(1) == 2 {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		_, _ = io.WriteString(w, "ok")
	})
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 1, 1, plan.Duration(400*ms)
	p.Think = plan.Range{Min: plan.Duration(10 * ms), Max: plan.Duration(10 * ms)}
	r := execute(at(p, c.server.URL), nil, nil)
	r.balanced(t)
	_, _, retried := r.connections()
	if retried == 0 || r.failures != 0 {
		t.Fatalf("retried %d, failures %v", retried, r.messages())
	}
	if got := c.requests.Load(); got != r.requests+r.Outcome.Abandoned+retried {
		t.Errorf("server counted %d, requests %d + abandoned %d + retried %d", got, r.requests, r.Outcome.Abandoned, retried)
	}
}

func TestAServerThatDiesAndComesBackLeavesItsTraceAndNothingElse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	first := &http.Server{Handler: handler}
	go func() { _ = first.Serve(l) }()
	second := &http.Server{Handler: handler}
	defer second.Close()

	r := execute(at(open(100, 1500*ms), "http://"+address), nil, func(a *Attack) {
		time.Sleep(500 * ms) // real sockets, real time
		first.Close()
		time.Sleep(500 * ms)
		again, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_ = second.Serve(again)
	})
	r.balanced(t)
	if r.requests != 150 || r.failures < 30 || r.failures > 70 {
		t.Errorf("requests %d, failures %v; want 150 with about 50", r.requests, r.messages())
	}
}

func TestHangingRequestsAreCutAndNothingStaysBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	release := make(chan struct{})
	c := countConnections(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.StopTimeout = 50, 1000, plan.Duration(200*ms), plan.Duration(300*ms)
	start := time.Now()
	r := execute(at(p, c.server.URL), nil, nil)
	took := time.Since(start)
	r.balanced(t)
	if r.Outcome.Abandoned != 50 || r.requests != 0 {
		t.Errorf("abandoned %d, requests %d", r.Outcome.Abandoned, r.requests)
	}
	if took < 500*ms || took > 900*ms {
		t.Errorf("took %v, want the run time and the stop timeout, 500 ms", took)
	}
	close(release)
	c.server.Close()
	// The last goroutines of closed connections need a moment to notice.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(5 * ms)
	}
	if after := runtime.NumGoroutine(); after > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
}

func TestNoHeaderOfTheEngineReachesTheServer(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	c := countConnections(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for name := range r.Header {
			seen[name] = true
		}
	})
	execute(at(few(), c.server.URL), nil, nil)
	mu.Lock()
	defer mu.Unlock()
	delete(seen, "User-Agent")
	if len(seen) > 0 {
		t.Errorf("headers %v", seen)
	}
}
