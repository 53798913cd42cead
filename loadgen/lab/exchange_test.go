package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestARequestArrivesAsItWasSentButForHopByHopFields(t *testing.T) {
	t.Parallel()
	b := startTestBalancer(t, time.Minute)
	got := make(chan string, 1)
	s := startScripted(t, func(c net.Conn, r *http.Request, _ int) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = http.NoBody
		var head strings.Builder
		fmt.Fprintf(&head, "%s %s host=%s length=%d te=%v\n", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding)
		r.Header.Del(traceHeader) // which has a test of its own
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
	if status, body, _ := fetch(t, newClient(t), b.url); status != 413 || s.conns.Load() != 2 {
		t.Errorf("the next request: %d %s, %d connections, want another one: the first has half a body on it", status, body, s.conns.Load())
	}
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
	left := time.Now()
	<-gone
	if d := time.Since(left); d > 10*time.Second {
		t.Errorf("the target waited %s for a client that had gone", d)
	}
	eventually(t, "it is counted", func() bool { return b.total().ClientGone == 1 })
	if _, errors, _ := b.shares(x); errors != 0 {
		t.Error("a client's going is held against the target")
	}
}
