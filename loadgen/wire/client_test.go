package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/loadgen/http1"
)

// network is one on real sockets.
func network(t *testing.T, change func(*Config)) *Network {
	start := time.Now()
	cfg := Config{Dial: (&net.Dialer{}).DialContext, Clock: func() time.Duration { return time.Since(start) }}
	if change != nil {
		change(&cfg)
	}
	n := NewNetwork(cfg)
	t.Cleanup(n.Cut)
	return n
}

// serve listens and handles each connection by a function, in order of arrival; the last one serves all that follow.
func serve(t *testing.T, handlers ...func(net.Conn, *bufio.Reader)) (url string, connections *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	connections = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			i := min(int(connections.Add(1)), len(handlers)) - 1
			go func() {
				defer c.Close()
				handlers[i](c, bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String(), connections
}

// answers reads requests and writes the same answer to each, n times.
func answers(n int, text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		for range n {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, q.Body)
			_, _ = io.WriteString(c, text)
		}
	}
}

func request(t *testing.T, method, url string, body []byte) *Request {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, err := NewRequest(r, body)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func soon() *Call { return &Call{Deadline: time.Now().Add(5 * time.Second), MaxBody: 1 << 20} }

const okClose = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestAKeptConnectionCarriesTheNextRequest(t *testing.T) {
	for _, c := range []struct {
		why, answer string
		change      func(*Config)
		want        int64
	}{
		{"keep-alive", ok, nil, 1},
		{"the service closes", okClose, nil, 3},
		{"without keep-alive", ok, func(c *Config) { c.NoKeepAlive = true }, 3},
		{"too old", ok, func(c *Config) { c.MaxAge = time.Nanosecond }, 3},
		{"bytes that nobody asked for", ok + "HTTP/1.1 200 OK\r\n", nil, 3},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", nil, 3},
		{"the end of the connection ends the body", "HTTP/1.1 200 OK\r\n\r\n", nil, 3},
	} {
		n := 100
		if strings.Contains(c.why, "ends the body") {
			n = 1
		}
		url, connections := serve(t, answers(n, c.answer))
		client := network(t, c.change).NewClient(nil)
		q := request(t, "GET", url, nil)
		for range 3 {
			if err := client.Do(q, soon(), &Answer{}); err != nil {
				t.Errorf("%s: %v", c.why, err)
			}
		}
		client.Close()
		if got := connections.Load(); got != c.want {
			t.Errorf("%s: 3 requests took %d connections, want %d", c.why, got, c.want)
		}
	}
}

// A service may close a kept connection at any moment, also just as a request leaves. What is sent again then is
// net/http's rule.
func TestARequestOnADeadConnectionIsSentAgainWhenItMay(t *testing.T) {
	reads := func(bytes int) func(net.Conn, *bufio.Reader) { // answers once, reads some of the next request, closes
		return func(c net.Conn, r *bufio.Reader) {
			answers(1, ok)(c, r)
			_, _ = io.ReadFull(r, make([]byte, bytes))
		}
	}
	for _, c := range []struct {
		why, method string
		first       func(net.Conn, *bufio.Reader)
		retries     int
		err         error
	}{
		{"GET, closed as it was read", "GET", reads(5), 1, nil},
		{"POST, closed as it was read: it may have been acted on", "POST", reads(5), 0, http1.ErrNoAnswer},
		{"POST, closed while idle: nothing was written", "POST", answers(1, ok), 0, nil},
		{"GET, closed after some of the answer", "GET", func(c net.Conn, r *bufio.Reader) {
			answers(1, ok)(c, r)
			answers(1, "HTTP/1.1 200 OK\r\nContent-Le")(c, r)
		}, 0, http1.ErrShort},
	} {
		url, _ := serve(t, c.first, answers(100, ok))
		client := network(t, nil).NewClient(nil)
		if err := client.Do(request(t, "GET", url, nil), soon(), &Answer{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.why, "idle") {
			waitClosed(client.kept[0])
		}
		var a Answer
		err := client.Do(request(t, c.method, url, []byte("x")), soon(), &a)
		if !errors.Is(err, c.err) && !isReset(err) || (err == nil) != (c.err == nil) || a.Retries != c.retries {
			t.Errorf("%s: error %v, %d retries; want %v, %d", c.why, err, a.Retries, c.err, c.retries)
		}
		if err == nil && a.Status != 200 {
			t.Errorf("%s: status %d", c.why, a.Status)
		}
	}
}

// waitClosed waits until a peer's close has arrived at an idle connection.
func waitClosed(k *conn) {
	for range 1000 {
		if !quiet(k.raw) {
			return
		}
		time.Sleep(time.Millisecond) // the socket's own arrival, which nothing announces
	}
}

func isReset(err error) bool { return err != nil && strings.Contains(err.Error(), "reset by peer") }

func TestADeadlineIsOfTheWholeExchange(t *testing.T) {
	hang := func(net.Conn, *bufio.Reader) { select {} }
	for _, c := range []struct {
		why    string
		handle func(net.Conn, *bufio.Reader)
		tls    bool
	}{
		{"no answer", hang, false},
		{"a body that does not end", func(c net.Conn, r *bufio.Reader) {
			answers(1, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")(c, r)
			select {}
		}, false},
		{"interim answers without end", func(c net.Conn, _ *bufio.Reader) {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond) // slow, or the header's limit would end it
			}
		}, false},
		{"a TLS handshake that does not end", hang, true},
	} {
		url, _ := serve(t, c.handle)
		if c.tls {
			url = "https" + strings.TrimPrefix(url, "http")
		}
		client := network(t, nil).NewClient(nil)
		begun := time.Now()
		var a Answer
		err := client.Do(request(t, "GET", url, nil), &Call{Deadline: begun.Add(50 * time.Millisecond), MaxBody: 10}, &a)
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want a time-out", c.why, err)
		}
		if took := time.Since(begun); took < 50*time.Millisecond {
			t.Errorf("%s: over after %v", c.why, took)
		}
	}
}

func TestACutEndsWhateverIsUnderWay(t *testing.T) {
	hang := func(net.Conn, *bufio.Reader) { select {} }
	for _, c := range []struct {
		why  string
		dial func(context.Context, string, string) (net.Conn, error)
		tls  bool
	}{
		{"an answer", nil, false},
		{"a handshake", nil, true},
		{"a dial", func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, false},
	} {
		url, connections := serve(t, hang)
		if c.tls {
			url = "https" + strings.TrimPrefix(url, "http")
		}
		dialing := make(chan struct{}, 1)
		n := network(t, func(cfg *Config) {
			dial := cfg.Dial
			if c.dial != nil {
				dial = c.dial
			}
			cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dialing <- struct{}{}
				return dial(ctx, network, address)
			}
		})
		ended := make(chan error, 1)
		go func() { ended <- n.NewClient(nil).Do(request(t, "GET", url, nil), soon(), &Answer{}) }()
		<-dialing
		for c.dial == nil && connections.Load() == 0 {
			time.Sleep(time.Millisecond) // until the service has accepted it
		}
		n.Cut()
		if err := <-ended; !errors.Is(err, ErrCut) {
			t.Errorf("%s: %v, want ErrCut", c.why, err)
		}
		if err := n.NewClient(nil).Do(request(t, "GET", url, nil), soon(), &Answer{}); !errors.Is(err, ErrCut) {
			t.Errorf("%s, afterwards: %v, want ErrCut", c.why, err)
		}
	}
}

func TestAnAnswerThatComesBeforeTheBodyWasReadCounts(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 16<<20) // more than all buffers between
	url, _ := serve(t, func(c net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
	})
	client := network(t, nil).NewClient(nil)
	var a Answer
	if err := client.Do(request(t, "POST", url, body), soon(), &a); err != nil || a.Status != 413 {
		t.Errorf("status %d, error %v", a.Status, err)
	}
	if len(client.kept) != 0 {
		t.Error("the connection is kept, with half a request on it")
	}
}

func TestABodyIsReadUpToTheLimit(t *testing.T) {
	for _, c := range []struct {
		size, limit int64
		truncated   bool
	}{{10, 10, false}, {11, 10, true}, {1 << 20, 10, true}, {0, 0, false}, {1, 0, true}} {
		url, _ := serve(t, answers(9, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", c.size, strings.Repeat("x", int(c.size)))))
		client := network(t, nil).NewClient(nil)
		how := soon()
		how.MaxBody = c.limit
		var a Answer
		err := client.Do(request(t, "GET", url, nil), how, &a)
		if err != nil || a.Truncated != c.truncated || a.Body != min(c.size, c.limit) || len(client.kept) == 1 == c.truncated {
			t.Errorf("%d bytes, limit %d: %+v, %v, %d connections kept", c.size, c.limit, a, err, len(client.kept))
		}
	}
}

func TestTLSIsSpokenWithThePeersName(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	client := network(t, func(c *Config) { c.TLS = &tls.Config{RootCAs: pool} }).NewClient(nil)
	for i := range 2 {
		var a Answer
		if err := client.Do(request(t, "GET", s.URL, nil), soon(), &a); err != nil || a.Status != 200 || (a.Reuses == 1) != (i == 1) {
			t.Errorf("%+v, %v", a, err)
		}
	}
	client.Close()
	stranger := network(t, nil).NewClient(nil)
	err := stranger.Do(request(t, "GET", s.URL, nil), soon(), &Answer{})
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

// What goes out is what net/http's Transport sends, byte for byte.
func TestRequestsLookLikeNetHTTPs(t *testing.T) {
	for _, c := range []struct {
		method, path string
		body         []byte
		header       http.Header
		close        bool
	}{
		{"GET", "/", nil, nil, false},
		{"GET", "/a%20b?q=1&r=%2F#fragment", nil, http.Header{"Accept": {"*/*"}, "x-lower": {"1", "2"}}, false},
		{"POST", "/", []byte("hello"), http.Header{"Content-Type": {"text/plain"}}, false},
		{"POST", "/", nil, nil, false},
		{"DELETE", "/", nil, nil, true},
		{"PUT", "/", bytes.Repeat([]byte("x"), 100_000), nil, false},
		{"HEAD", "/", nil, http.Header{"User-Agent": {"me"}}, false},
	} {
		var got []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			dump, _ := httputil.DumpRequest(r, true)
			got = append(got, string(dump)+fmt.Sprint(r.ContentLength, r.TransferEncoding, r.Close))
		}))
		make := func() *http.Request {
			var body io.Reader
			if len(c.body) > 0 {
				body = bytes.NewReader(c.body)
			}
			r, err := http.NewRequest(c.method, s.URL+c.path, body)
			if err != nil {
				t.Fatal(err)
			}
			if c.header != nil {
				r.Header = c.header.Clone()
			}
			r.Close = c.close
			return r
		}
		transport := &http.Transport{DisableCompression: true}
		res, err := transport.RoundTrip(make())
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		q, err := NewRequest(make(), c.body)
		if err != nil {
			t.Fatal(err)
		}
		client := network(t, nil).NewClient(nil)
		if err := client.Do(q, soon(), &Answer{}); err != nil {
			t.Fatal(err)
		}
		client.Close()
		s.Close()
		if len(got) != 2 || got[0] != got[1] {
			t.Errorf("%s %s: net/http sends\n%.300s\nwe send\n%.300s", c.method, c.path, got[0], got[1:])
		}
	}
}

// Counted, since times depend on the machine.
func TestAnExchangeOnAKeptConnectionTakesNoMemory(t *testing.T) {
	url, _ := serve(t, func(c net.Conn, r *bufio.Reader) {
		line, answer := make([]byte, 4096), []byte(ok) // in this process too, so it may not take any either
		for {
			if _, err := c.Read(line); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
	client := network(t, nil).NewClient(nil)
	q, how := request(t, "GET", url, nil), soon()
	how.Deadline = time.Now().Add(time.Minute)
	var a Answer
	do := func() {
		if err := client.Do(q, how, &a); err != nil {
			t.Fatal(err)
		}
	}
	do()
	if n := testing.AllocsPerRun(200, do); n > 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
}
