package lab

import (
	"bufio"
	"context"
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
		{"an endless header", says("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 2*maxHeader)+"\r\n\r\n", false), 502, func(c Counts) int64 { return c.BadGateway }},
		{"an endless row of interim answers", says(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", maxHeader/20), false), 502, func(c Counts) int64 { return c.BadGateway }},
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

func TestARequestArrivesAsItWasSentButForHopByHopFields(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	got := make(chan string, 1)
	s := startScripted(t, func(c net.Conn, r *http.Request, _ int) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = http.NoBody
		var head strings.Builder
		fmt.Fprintf(&head, "%s %s host=%s length=%d te=%v\n", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding)
		_ = r.Header.Write(&head)
		fmt.Fprintf(&head, "body=%q", body)
		got <- head.String()
		_, err := io.WriteString(c, "HTTP/1.1 203 Odd\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 2\r\nX-End: 3\r\nContent-Length: 2\r\n\r\nok")
		return err == nil
	})
	healthyTarget(b, "x", s.addr)
	host := strings.TrimPrefix(b.url, "http://")
	_, port, _ := net.SplitHostPort(host)
	forwarded := "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: " + port + "\r\nX-Forwarded-Proto: http\r\n"
	for _, tt := range []struct{ send, want, why string }{
		{
			"GET /a%2Fb//c?x=%20&y HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: u\r\nAccept-Encoding: br\r\n\r\n",
			"GET /a%2Fb//c?x=%20&y host=shop.example length=0 te=[]\nAccept-Encoding: br\r\nUser-Agent: u\r\n" + forwarded,
			"path, query, host and encoding are not touched",
		},
		{
			"GET //x HTTP/1.1\r\nHost: h\r\n\r\n", "GET //x host=h length=0 te=[]\n" + forwarded,
			"two slashes are not a host, and no User-Agent stays none",
		},
		{
			"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * host=h length=0 te=[]\n" + forwarded,
			"a request of the whole server",
		},
		{
			"GET http://other.example/p?q HTTP/1.1\r\nHost: other.example\r\n\r\n", "GET /p?q host=other.example length=0 te=[]\n" + forwarded,
			"the absolute form is for proxies",
		},
		{
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nTe: trailers\r\nUpgrade: websocket\r\nX-Kept: 1\r\n\r\n",
			"GET / host=h length=0 te=[]\n" + "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Port: " + port + "\r\nX-Forwarded-Proto: http\r\nX-Kept: 1\r\n",
			"what belongs to a connection stays on it",
		},
		{
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n",
			"GET / host=h length=0 te=[]\nX-Forwarded-For: 10.0.0.1, 127.0.0.1\r\nX-Forwarded-Port: " + port + "\r\nX-Forwarded-Proto: http\r\n",
			"the client is added to those that forwarded before",
		},
		{
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
			"POST / host=h length=5 te=[]\nContent-Length: 5\r\n" + forwarded + "body=\"hello\"",
			"a body of known length keeps it",
		},
		{
			"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"POST / host=h length=-1 te=[chunked]\n" + forwarded + "body=\"hello\"",
			"one of unknown length is chunked",
		},
		{
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
			"POST / host=h length=0 te=[]\nContent-Length: 0\r\n" + forwarded,
			"an empty body is one",
		},
		{
			"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
			"POST / host=h length=2 te=[]\nContent-Length: 2\r\n" + forwarded + "body=\"hi\"",
			"the balancer itself bids to continue",
		},
		{
			"GET / HTTP/1.0\r\nHost: h\r\n\r\n", "GET / host=h length=0 te=[]\n" + forwarded,
			"an old client",
		},
	} {
		t.Run(tt.why, func(t *testing.T) {
			c, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, tt.send)
			in := bufio.NewReader(c)
			res, err := http.ReadResponse(in, nil)
			if err == nil && res.StatusCode == 100 {
				res, err = http.ReadResponse(in, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			want := tt.want
			if !strings.Contains(want, "body=") {
				want += `body=""`
			}
			if seen := <-got; seen != want {
				t.Errorf("%s:\n got %q\nwant %q", tt.why, seen, want)
			}
			h := res.Header
			if res.StatusCode != 203 || string(body) != "ok" || len(h["X-End"]) != 2 || h["X-Hop"] != nil || h["Keep-Alive"] != nil || h["Date"] != nil {
				t.Errorf("answered %d %q %v, want 203, ok and the target's end-to-end fields alone", res.StatusCode, body, h)
			}
		})
	}
}

func TestAnswersOfEveryFramingAreWhole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why, method, answer string
		keep                bool // whether the target keeps the connection
		status              int
		body                string
		conns               int64 // of two requests
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 200, "hello", 1},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", true, 200, "hello", 1},
		{"until the end", "GET", "HTTP/1.1 200 OK\r\n\r\nhello", false, 200, "hello", 2},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\n\r\nhello", false, 200, "hello", 2},
		{"Connection: close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", true, 200, "hello", 2},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, 200, "", 1},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", true, 204, "", 1},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true, 304, "", 1},
		{"interim answers", "GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, 200, "hello", 1},
		{"more than was asked for", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n", true, 200, "hello", 2},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			b := startTestBalancer(t, time.Minute)
			s := startScripted(t, says(tt.answer, tt.keep))
			healthyTarget(b, "x", s.addr)
			client := newClient(t)
			for range 2 {
				req, _ := http.NewRequest(tt.method, b.url, nil)
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != tt.status || string(body) != tt.body {
					t.Errorf("%d %q %v, want %d %q", res.StatusCode, body, err, tt.status, tt.body)
				}
			}
			if got := s.conns.Load(); got != tt.conns {
				t.Errorf("%d connections for two requests, want %d", got, tt.conns)
			}
			if c := b.total(); c != (Counts{Requests: 2, Routed: 2}) {
				t.Errorf("counted %+v", c)
			}
		})
	}
}

func TestACutAnswerIsCutForTheClientToo(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	s := startScripted(t, says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", false))
	x := healthyTarget(b, "x", s.addr)
	if status, body, _ := fetch(t, newClient(t), b.url); status != 0 {
		t.Errorf("%d %q, want an error of the transport", status, body)
	}
	if requests, errors, sent := b.shares(x); requests != 1 || errors != 1 || !sent.IsZero() {
		t.Errorf("%d requests, %d errors, first sent %s, want one failed request and no answer", requests, errors, sent)
	}
	if c := b.total(); c.Cut != 1 {
		t.Errorf("counted %+v, want one cut", c)
	}
}

func TestAStreamIsPassedOnPieceByPiece(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	next := make(chan struct{})
	s := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
		<-next
		_, err := io.WriteString(c, "3\r\ntwo\r\n0\r\n\r\n")
		return err == nil
	})
	healthyTarget(b, "x", s.addr)
	res, err := newClient(t).Get(b.url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "one" {
		t.Fatalf("%q, %v, want the first piece while the target holds the second back", first, err)
	}
	close(next)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "two" {
		t.Errorf("%q, %v, want the second piece", rest, err)
	}
}

func TestABodyIsSentAsItComes(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	piece := make(chan string, 2)
	s := startScripted(t, func(c net.Conn, r *http.Request, _ int) bool {
		for {
			buf := make([]byte, 3)
			if _, err := io.ReadFull(r.Body, buf); err != nil {
				break
			}
			piece <- string(buf)
		}
		_, err := io.WriteString(c, okAnswer)
		return err == nil
	})
	healthyTarget(b, "x", s.addr)
	body, w := io.Pipe()
	done := make(chan int, 1)
	client := newClient(t)
	go func() {
		res, err := client.Post(b.url, "text/plain", body)
		if err != nil {
			t.Error(err)
			done <- 0
			return
		}
		res.Body.Close()
		done <- res.StatusCode
	}()
	for _, p := range []string{"one", "two"} {
		_, _ = io.WriteString(w, p)
		if got := <-piece; got != p {
			t.Errorf("the target has %q while the body goes on, want %q", got, p)
		}
	}
	w.Close()
	if got := <-done; got != 200 {
		t.Errorf("%d, want 200", got)
	}
}

func TestAnAnswerBeforeTheBodysEndIsPassedOn(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	s := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // it does not close first: the balancer has to
		return false
	})
	healthyTarget(b, "x", s.addr)
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nbegin")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != 413 {
		t.Fatalf("%v, %v, want 413 although the body goes on", res, err)
	}
	eventually(t, "the request is over", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.targets[0].inFlight == 0
	})
}

func TestATargetThatFailsUnderABodyIs502(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	s := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		_ = c.(*net.TCPConn).SetLinger(0)
		return false
	})
	x := healthyTarget(b, "x", s.addr)
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nbegin")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != 502 {
		t.Fatalf("%v, %v, want 502 although the client has not sent all", res, err)
	}
	if got := b.total(); got.BadGateway != 1 || got.ClientGone != 0 {
		t.Errorf("counted %+v, want that it is the target's failure", got)
	}
	if _, errors, _ := b.shares(x); errors != 1 {
		t.Errorf("%d errors of the target, want 1", errors)
	}
}

func TestARequestEndsAtTheTargetWhenItsClientGoes(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	arrived, gone := make(chan struct{}), make(chan struct{})
	s := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		close(arrived)
		_, _ = c.Read(make([]byte, 1))
		close(gone)
		return false
	})
	x := healthyTarget(b, "x", s.addr)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	req, _ := http.NewRequestWithContext(ctx, "GET", b.url, nil)
	if res, err := newClient(t).Do(req); err == nil {
		res.Body.Close()
		t.Error("answered")
	}
	<-gone
	eventually(t, "it is counted", func() bool { return b.total().ClientGone == 1 })
	if _, errors, _ := b.shares(x); errors != 0 {
		t.Error("a client's going is held against the target")
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
	lb, err := startBalancer(time.Minute)
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
