// Package contract is what one exchange has to be, whoever makes it: what a server says, byte for byte, and what is counted
// of it. It speaks of no client, so that it holds for any. It is for tests alone.
package contract

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// Script is what a server does with one connection, request after request.
type Script func(c net.Conn, in *bufio.Reader)

// Request reads one request, body and all.
func Request(in *bufio.Reader) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// answers gives each request of a connection the same bytes, and hangs up when the client does.
func answers(text string) Script {
	return func(c net.Conn, in *bufio.Reader) {
		for {
			if _, _, err := Request(in); err != nil {
				return
			}
			write(c, text)
		}
	}
}

// thenCloses answers once, in pieces with a pause between them, and closes.
func thenCloses(pause time.Duration, pieces ...string) Script {
	return func(c net.Conn, in *bufio.Reader) {
		if _, _, err := Request(in); err != nil {
			return
		}
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(pause) // real sockets, real time
			}
			write(c, piece)
		}
	}
}

// thenHangs answers once and then says nothing, until the client hangs up.
func thenHangs(text string) Script {
	return func(c net.Conn, in *bufio.Reader) {
		if _, _, err := Request(in); err == nil {
			write(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

// Serve serves connections as a script says.
func Serve(t testing.TB, s Script) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	t.Cleanup(func() { l.Close(); group.Wait() })
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				s(conn, bufio.NewReader(conn))
			})
		}
	})
	return "http://" + l.Addr().String()
}

func write(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

// Seen is what is counted of five equal requests, one after the other.
type Seen struct {
	Status    string // every status, with its share
	Failure   string // every message
	Bytes     int64  // of one
	Truncated bool
	Redirects int64 // of one
	Opened    int64 // connections; any number is right when it is below 0
}

// SeenIn is what windows say of the five.
func SeenIn(windows []*result.Window) Seen {
	var s Seen
	statuses, messages := map[int]int64{}, map[string]int64{}
	for _, w := range windows {
		s.Opened += w.Connections.Opened
		for _, e := range w.Endpoints {
			for code, n := range e.Status {
				statuses[code] += n
			}
			for _, x := range e.Errors {
				messages[x.Message] += x.Count
			}
			s.Bytes += e.BytesIn
			s.Truncated = s.Truncated || e.Truncated > 0
			s.Redirects += e.Redirects
		}
	}
	fifth := func(n int64) int64 {
		if n%5 != 0 {
			return -n
		}
		return n / 5
	}
	s.Bytes, s.Redirects = fifth(s.Bytes), fifth(s.Redirects)
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		s.Status += fmt.Sprintf("%d×%d ", statuses[code], code)
	}
	for _, message := range slices.Sorted(maps.Keys(messages)) {
		s.Failure += fmt.Sprintf("%d×%s ", messages[message], message)
	}
	s.Status, s.Failure = strings.TrimSpace(s.Status), strings.TrimSpace(s.Failure)
	return s
}

const (
	closedEarly = "5×connection closed before the answer was complete"
	malformed   = "5×malformed answer: not HTTP, or a header above the limit"
	tooSlow     = "5×timeout after 250ms"
	ok          = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

// Row is a server, and what is counted of five requests to it, with a limit of 1,000 bytes on a body.
type Row struct {
	Why    string
	Server Script
	Method string // GET when empty
	Want   Seen
	Hops   int // followed; 10 when 0

	From, To time.Duration // the first byte
}

// Client is how the five are sent.
func (row *Row) Client(c *plan.Client) {
	c.Timeout, c.MaxBody = plan.Duration(3*time.Second), 1000
	if row.Want.Failure == tooSlow {
		c.Timeout = plan.Duration(250 * ms)
	}
	if row.Hops > 0 {
		c.Redirects = &row.Hops
	}
}

// Check says what is wrong with what was counted.
func (row *Row) Check(t testing.TB, windows []*result.Window) {
	t.Helper()
	got := SeenIn(windows)
	if row.Want.Opened < 0 {
		got.Opened = row.Want.Opened
	}
	var requests int64
	var first result.Histogram
	for _, w := range windows {
		for _, e := range w.Endpoints {
			requests += e.Requests
			first.Merge(e.FirstByte)
		}
	}
	if got != row.Want || requests != 5 {
		t.Errorf("%d requests, %+v\nwant 5, %+v", requests, got, row.Want)
	}
	if row.To > 0 && (first.Count() != 5 || first.Min() < row.From || first.Min() > row.To) {
		t.Errorf("first byte of %d after %v, want 5 after %v to %v", first.Count(), first.Min(), row.From, row.To)
	}
}

// Rows is the contract.
func Rows() []Row {
	return []Row{
		// Answers that are whole.
		{Why: "a connection is kept", Server: answers(ok), Want: Seen{Status: "5×200", Bytes: 2, Opened: 1}},
		{Why: "a connection that the answer ends is not", Server: answers("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
			Want: Seen{Status: "5×200", Bytes: 2, Opened: 5}},
		{Why: "HTTP/1.0 ends with the connection", Server: thenCloses(0, "HTTP/1.0 200 OK\r\n\r\nhello"), Want: Seen{Status: "5×200", Bytes: 5, Opened: 5}},
		{Why: "HTTP/1.0 with a length is not kept", Server: thenHangs("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), Want: Seen{Status: "5×200", Bytes: 2, Opened: 5}},
		{Why: "chunks with extensions, and trailers", Server: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: 1\r\n\r\n"),
			Want: Seen{Status: "5×200", Bytes: 2, Opened: 1}},
		{Why: "a length said twice", Server: answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"), Want: Seen{Status: "5×200", Bytes: 2, Opened: 1}},
		{Why: "no body where none may be", Server: answers("HTTP/1.1 204 No Content\r\n\r\n"), Want: Seen{Status: "5×204", Opened: 1}},
		{Why: "a length without a body answers HEAD", Method: "HEAD", Server: answers("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), Want: Seen{Status: "5×200", Opened: 1}},
		{Why: "304 has no body whatever it says", Server: answers("HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"), Want: Seen{Status: "5×304", Opened: 1}},
		{Why: "a body after HEAD ends the connection", Method: "HEAD", Server: thenHangs(ok), Want: Seen{Status: "5×200", Opened: 5}},
		{Why: "a body after 204 ends the connection", Server: thenHangs("HTTP/1.1 204 No Content\r\n\r\nhello"), Want: Seen{Status: "5×204", Opened: 5}},
		{Why: "more than the length ends the connection", Server: thenHangs(ok + "more"), Want: Seen{Status: "5×200", Bytes: 2, Opened: 5}},
		{Why: "a service that closes its half at once", Server: func(c net.Conn, in *bufio.Reader) {
			if _, _, err := Request(in); err == nil {
				write(c, "HTTP/1.1 200 OK\r\n\r\nhello")
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
			}
		}, Want: Seen{Status: "5×200", Bytes: 5, Opened: 5}},
		{Why: "a body above the limit", Server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("x", 5000)),
			Want: Seen{Status: "5×200", Bytes: 1000, Truncated: true, Opened: 5}},

		// Informational answers.
		{Why: "an interim answer, and the first byte is the final one's", Server: thenCloses(300*ms, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", ok),
			Want: Seen{Status: "5×200", Bytes: 2, Opened: 5}, From: 300 * ms, To: 600 * ms},
		{Why: "the first byte, and the rest of the header later", Server: thenCloses(200*ms, "HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\nok"),
			Want: Seen{Status: "5×200", Bytes: 2, Opened: 5}, To: 200 * ms},
		{Why: "a hundred interim answers", Server: answers(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100) + ok),
			Want: Seen{Status: "5×200", Bytes: 2, Opened: 1}},
		{Why: "interim answers without end", Server: func(c net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			for {
				if _, err := io.WriteString(c, strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50)); err != nil {
					return
				}
			}
		}, Want: Seen{Failure: malformed, Opened: 5}},
		{Why: "after 101 the connection is no longer HTTP", Server: thenHangs("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
			Want: Seen{Status: "5×101", Opened: 5}},
		{Why: "101 that names no protocol", Server: thenHangs("HTTP/1.1 101 Switching Protocols\r\n\r\nhello"), Want: Seen{Status: "5×101", Opened: 5}},

		// Statuses.
		{Why: "a status below 100", Server: answers("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"),
			Want: Seen{Status: "5×99", Failure: "5×99 (unknown status)", Opened: -1}},
		{Why: "status 0", Server: answers("HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n"), Want: Seen{Status: "5×0", Failure: "5×0 (unknown status)", Opened: -1}},
		{Why: "a status of four digits", Server: thenHangs("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), Want: Seen{Failure: malformed, Opened: 5}},
		{Why: "a status above 599", Server: answers("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n"),
			Want: Seen{Status: "5×999", Failure: "5×999 (unknown status)", Opened: 1}},

		// Redirects.
		{Why: "to a foreign scheme, which nobody can ask", Server: answers("HTTP/1.1 302 Found\r\nLocation: app://opened\r\nContent-Length: 0\r\n\r\n"),
			Want: Seen{Status: "5×302", Opened: 1}},
		{Why: "to mail", Server: answers("HTTP/1.1 301 Moved Permanently\r\nLocation: mailto:a@example.com\r\nContent-Length: 0\r\n\r\n"),
			Want: Seen{Status: "5×301", Opened: 1}},
		{Why: "to what is no URL", Server: answers("HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"), Want: Seen{Status: "5×302", Opened: 1}},
		{Why: "to a URL without a host", Server: answers("HTTP/1.1 302 Found\r\nLocation: http:///x\r\nContent-Length: 0\r\n\r\n"), Want: Seen{Status: "5×302", Opened: 1}},
		{Why: "without a place to go", Server: answers("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), Want: Seen{Status: "5×302", Opened: 1}},
		{Why: "once too often: its status is counted all the same", Hops: 2, Server: answers("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"),
			Want: Seen{Status: "5×302", Failure: "5×too many redirects", Redirects: 2, Opened: 1}},

		// Answers that are none.
		{Why: "two lengths", Server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), Want: Seen{Failure: malformed, Opened: 5}},
		{Why: "a length that is no number", Server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"), Want: Seen{Failure: malformed, Opened: 5}},
		{Why: "a coding that nobody asked for", Server: thenHangs("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"), Want: Seen{Failure: malformed, Opened: 5}},
		{Why: "a chunk whose size is no number", Server: thenHangs("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"),
			Want: Seen{Status: "5×200", Failure: malformed, Opened: 5}},
		{Why: "a chunk without its end", Server: thenCloses(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
			Want: Seen{Status: "5×200", Failure: closedEarly, Bytes: 2, Opened: 5}},
		{Why: "a header that ends early", Server: thenCloses(0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), Want: Seen{Failure: closedEarly, Opened: 5}},
		{Why: "a body that ends early", Server: thenCloses(0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"),
			Want: Seen{Status: "5×200", Failure: closedEarly, Bytes: 2, Opened: 5}},
		{Why: "a header that comes byte by byte is not whole in time", Server: func(c net.Conn, in *bufio.Reader) {
			if _, _, err := Request(in); err != nil {
				return
			}
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * ms) // real sockets, real time
			}
		}, Want: Seen{Failure: tooSlow, Opened: 5}},
		{Why: "a body that never ends", Server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"),
			Want: Seen{Status: "5×200", Failure: tooSlow, Bytes: 2, Opened: 5}},
		{Why: "nothing at all", Server: thenHangs(""), Want: Seen{Failure: tooSlow, Opened: 5}},
	}
}
