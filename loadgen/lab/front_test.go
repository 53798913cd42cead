package lab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// dialRaw is a client that says each byte itself.
func dialRaw(t *testing.T, b *balancer) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c, bufio.NewReader(c)
}

// tooLarge answers by the header alone, and closes.
func tooLarge(c net.Conn, _ *http.Request, _ int) bool {
	_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
	return false
}

func TestAnEarlyAnswerReachesAClientThatWaitsAndOneThatSends(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why, framing string
		body         string // sent before the answer is read
	}{
		{"nothing of the body is sent", "Content-Length: 1000", ""},
		{"a part is sent", "Content-Length: 1000", "begin"},
		{"nothing of a chunked one", "Transfer-Encoding: chunked", ""},
		{"more than any buffer holds is sent", "Content-Length: 8000000", strings.Repeat("x", 7_000_000)},
		{"likewise in chunks", "Transfer-Encoding: chunked", strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", 70_000, strings.Repeat("x", 70_000)), 100)},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			b := startTestBalancer(t, time.Minute)
			healthyTarget(b, "x", startScripted(t, tooLarge).addr)
			c, in := dialRaw(t, b)
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\n"+tt.framing+"\r\n\r\n")
			if _, err := io.WriteString(c, tt.body); err != nil {
				t.Fatalf("the balancer does not take what was being sent: %v", err)
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != 413 || string(body) != "large" || !res.Close {
				t.Errorf("%d %q, close %v, want the target's 413, and that the connection ends with it", res.StatusCode, body, res.Close)
			}
			if got, want := b.total(), (Counts{Requests: 1, Routed: 1}); got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
		})
	}
}

func TestAStalledUploadIsTheClients(t *testing.T) {
	t.Parallel()
	const idle = 400 * time.Millisecond
	b := startTestBalancer(t, idle)
	x := healthyTarget(b, "x", startScripted(t, says(okAnswer, true)).addr)
	for n, framing := range []string{"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 10\r\n\r\n"} {
		c, in := dialRaw(t, b)
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\n"+framing)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != 408 || res.Header.Get("Server") != "loadgen-lab-balancer" {
			t.Fatalf("%q: %v, %v, want the balancer's 408", framing, res, err)
		}
		if got, want := b.total(), (Counts{Requests: int64(n + 1), Routed: int64(n + 1), ClientLate: int64(n + 1)}); got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
	}
	if _, errors, _ := b.shares(x); errors != 0 {
		t.Errorf("%d errors of a target that waited for its client, want 0", errors)
	}
}

func TestASlowUploadThatGoesOnIsNotTooLate(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	b := startTestBalancer(t, idle)
	healthyTarget(b, "x", startScripted(t, says(okAnswer, true)).addr)
	c, in := dialRaw(t, b)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n")
	for range 6 {
		time.Sleep(idle / 4)
		_, _ = io.WriteString(c, "x")
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v, %v, want 200: it took longer than the idle timeout, and was never silent for so long", res, err)
	}
	// The connection is good for another request after any time below the idle timeout.
	time.Sleep(idle / 2)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	_, _ = io.Copy(io.Discard, res.Body)
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("the next request: %v, %v, want 200", res, err)
	}
}

func TestATargetThatTakesNothingIs504(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	b := startTestBalancer(t, idle)
	piece := make([]byte, 1<<20)
	release := make(chan struct{})
	s := startScripted(t, func(net.Conn, *http.Request, int) bool { <-release; return false })
	defer close(release)
	healthyTarget(b, "x", s.addr)
	c, in := dialRaw(t, b)
	go func() {
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
		for range 95 {
			_, _ = c.Write(piece)
		}
	}()
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 504 || b.total().Timeout != 1 {
		t.Errorf("%v, %v, counted %+v, want 504: the client was sending", res, err, b.total())
	}
}

func TestTheLimitsAreAnApplicationLoadBalancers(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	healthyTarget(b, "x", startScripted(t, says(okAnswer, true)).addr)
	line := func(n int) string { // a request line of n bytes, its end included
		return "GET /" + strings.Repeat("a", n-len("GET / HTTP/1.1\r\n")) + " HTTP/1.1\r\nHost: h\r\n\r\n"
	}
	field := func(n int) string { return "X-A: " + strings.Repeat("a", n-len("X-A: \r\n")) + "\r\n" }
	request := func(fields ...string) string {
		return "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Join(fields, "") + "\r\n"
	}
	const host = len("Host: h\r\n")
	for _, tt := range []struct {
		why, send string
		want      int
	}{
		{"a request line of 16K", line(16 << 10), 200},
		{"one byte more", line(16<<10 + 1), 414},
		{"far more", line(3 << 20), 414},
		{"a header of 16K", request(field(16 << 10)), 200},
		{"one byte more", request(field(16<<10 + 1)), 400},
		{"headers of 64K", request(field(16<<10), field(16<<10), field(16<<10), field(16<<10-host)), 200},
		{"one byte more", request(field(16<<10), field(16<<10), field(16<<10), field(16<<10-host+1)), 400},
		{"far more", request(strings.Repeat(field(10_000), 300)), 400},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405},
		{"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 400},
		{"a transfer coding that is not known", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"a method of somebody's own", "PURGE / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
	} {
		c, in := dialRaw(t, b)
		_, _ = io.WriteString(c, tt.send)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != tt.want {
			t.Errorf("%s: %v, %v, want %d", tt.why, res, err, tt.want)
		}
	}
	for _, tt := range []struct {
		why  string
		size int
		want int
	}{{"an answer's header of 32K", 32 << 10, 200}, {"one byte more", 32<<10 + 1, 502}} {
		b := startTestBalancer(t, time.Minute)
		before, after := "HTTP/1.1 200 OK\r\nX-A: ", "\r\nContent-Length: 2\r\n\r\n"
		s := startScripted(t, says(before+strings.Repeat("a", tt.size-len(before)-len(after))+after+"ok", true))
		healthyTarget(b, "x", s.addr)
		if status, body, _ := fetch(t, newClient(t), b.url); status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.why, status, body, tt.want)
		}
	}
}

func TestAContentTypeIsNotInvented(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	healthyTarget(b, "x", startScripted(t, says("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", true)).addr)
	if _, body, header := fetch(t, newClient(t), b.url); header["Content-Type"] != nil || body != "<html>" {
		t.Errorf("%q with Content-Type %q, want the target's answer, which says none", body, header["Content-Type"])
	}
}

func TestEachRequestIsTraced(t *testing.T) {
	t.Parallel()
	at := time.Unix(0x67891233, 0)
	const id = `=1-67891233-[0-9a-f]{24}`
	for _, tt := range []struct {
		sent []string
		want string
	}{
		{nil, `Root` + id},
		{[]string{"Root=1-5-a"}, `Self` + id + `;Root=1-5-a`},
		{[]string{"Root=1-5-a;CalledFrom=app"}, `Self` + id + `;Root=1-5-a;CalledFrom=app`},
		{[]string{"Self=1-4-b; Root=1-5-a"}, `Self` + id + `;Root=1-5-a`},
		{[]string{"CalledFrom=app"}, `Root` + id + `;CalledFrom=app`},
		{[]string{"Root=1-5-a", "Sampled=1"}, `Self` + id + `;Root=1-5-a;Sampled=1`},
	} {
		if got := traced(tt.sent, at); !regexp.MustCompile(`^` + tt.want + `$`).MatchString(got) {
			t.Errorf("%q becomes %q, want %s", tt.sent, got, tt.want)
		}
	}
	b := startTestBalancer(t, time.Minute)
	got := make(chan []string, 2)
	s := startScripted(t, func(c net.Conn, r *http.Request, _ int) bool {
		got <- r.Header[traceHeader]
		_, err := io.WriteString(c, okAnswer)
		return err == nil
	})
	healthyTarget(b, "x", s.addr)
	for range 2 {
		fetch(t, newClient(t), b.url)
	}
	if one, two := <-got, <-got; len(one) != 1 || len(two) != 1 || one[0] == two[0] || !strings.HasPrefix(one[0], "Root=1-") {
		t.Errorf("%q and %q, want a Root of each request's own", one, two)
	}
}

// The commonest 502 in practice: the target's keep-alive is shorter than the balancer's, and it closes an idle connection
// in the moment in which a request leaves on it.
func TestATargetThatClosesExactlyAsARequestLeavesIs502(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	conns := make(chan net.Conn, 1)
	s := startScripted(t, func(c net.Conn, _ *http.Request, _ int) bool {
		_, err := io.WriteString(c, okAnswer)
		conns <- c
		return err == nil
	})
	x := healthyTarget(b, "x", s.addr)
	if status, _, _ := fetch(t, newClient(t), b.url); status != 200 {
		t.Fatalf("%d, want 200", status)
	}
	r := httptest.NewRequest("GET", b.url, nil)
	r.RequestURI = "/"
	eventually(t, "the connection is kept", func() bool {
		x.pool.mu.Lock()
		defer x.pool.mu.Unlock()
		return len(x.pool.idle) == 1
	})
	c, err := b.connect(t.Context(), x) // it is open …
	if err != nil {
		t.Fatal(err)
	}
	(<-conns).Close() // … and closes
	eventually(t, "its end has arrived", func() bool { return !open(c.socket) })
	e, err := c.begin(r, nil)
	w := httptest.NewRecorder()
	if o := refuse(w, err); err == nil || o != badGateway || w.Code != 502 {
		t.Errorf("%v: outcome %d, %d, want 502 and no second try", err, o, w.Code)
	}
	e.finish(0)
	if got := s.requests.Load(); got != 1 {
		t.Errorf("the target saw %d requests, want the first alone", got)
	}
}
