package attack

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// The contract of one exchange: what a server says, byte for byte, and what is counted of it. It speaks of no client,
// so that it holds for any.

// script is what a server does with one connection, request after request.
type script func(c net.Conn, in *bufio.Reader)

// request reads one request, body and all.
func request(in *bufio.Reader) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// answers gives each request of a connection the same bytes, and hangs up when the client does.
func answers(text string) script {
	return func(c net.Conn, in *bufio.Reader) {
		for {
			if _, _, err := request(in); err != nil {
				return
			}
			write(c, text)
		}
	}
}

// thenCloses answers once, in pieces with a pause between them, and closes.
func thenCloses(pause time.Duration, pieces ...string) script {
	return func(c net.Conn, in *bufio.Reader) {
		if _, _, err := request(in); err != nil {
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
func thenHangs(text string) script {
	return func(c net.Conn, in *bufio.Reader) {
		if _, _, err := request(in); err == nil {
			write(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

// scripted serves connections as a script says.
func scripted(t *testing.T, s script) string {
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

// seen is what is counted of five equal requests, one after the other.
type seen struct {
	status    string // every status, with its share
	failure   string // every message
	bytes     int64  // of one
	truncated bool
	redirects int64 // of one
	opened    int64 // connections; any number is right when it is below 0
}

func (r *run) seen() seen {
	var s seen
	statuses := map[int]int64{}
	for _, w := range r.windows {
		s.opened += w.Connections.Opened
		for _, e := range w.Endpoints {
			for code, n := range e.Status {
				statuses[code] += n
			}
			s.bytes += e.BytesIn
			s.truncated = s.truncated || e.Truncated > 0
			s.redirects += e.Redirects
		}
	}
	fifth := func(n int64) int64 {
		if n%5 != 0 {
			return -n
		}
		return n / 5
	}
	s.bytes, s.redirects = fifth(s.bytes), fifth(s.redirects)
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		s.status += fmt.Sprintf("%d×%d ", statuses[code], code)
	}
	for message, n := range r.messages() {
		s.failure += fmt.Sprintf("%d×%s ", n, message)
	}
	s.status, s.failure = strings.TrimSpace(s.status), strings.TrimSpace(s.failure)
	return s
}

const (
	closedEarly = "5×connection closed before the answer was complete"
	malformed   = "5×malformed answer: not HTTP, or a header above the limit"
	tooSlow     = "5×timeout after 250ms"
	ok          = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

// eachWay runs a test of the contract with our own exchange, and with net/http's as an oracle.
func eachWay(t *testing.T, test func(t *testing.T, senders func(*Attack, int) sender)) {
	t.Run("own", func(t *testing.T) { test(t, nil) })
	t.Run("net/http", func(t *testing.T) { test(t, overNetHTTP) })
}

func TestWhatIsCountedOfAnAnswer(t *testing.T) {
	eachWay(t, whatIsCountedOfAnAnswer)
}

func whatIsCountedOfAnAnswer(t *testing.T, senders func(*Attack, int) sender) {
	log.SetOutput(io.Discard) // net/http speaks of what comes where no body may be; so does the program
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, row := range []struct {
		why    string
		server script
		method string
		want   seen
		hops   int // followed; 10 when 0

		from, to time.Duration // the first byte
	}{
		// Answers that are whole.
		{why: "a connection is kept", server: answers(ok), want: seen{status: "5×200", bytes: 2, opened: 1}},
		{why: "a connection that the answer ends is not", server: answers("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
			want: seen{status: "5×200", bytes: 2, opened: 5}},
		{why: "HTTP/1.0 ends with the connection", server: thenCloses(0, "HTTP/1.0 200 OK\r\n\r\nhello"), want: seen{status: "5×200", bytes: 5, opened: 5}},
		{why: "HTTP/1.0 with a length is not kept", server: thenHangs("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), want: seen{status: "5×200", bytes: 2, opened: 5}},
		{why: "chunks with extensions, and trailers", server: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: 1\r\n\r\n"),
			want: seen{status: "5×200", bytes: 2, opened: 1}},
		{why: "a length said twice", server: answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"), want: seen{status: "5×200", bytes: 2, opened: 1}},
		{why: "no body where none may be", server: answers("HTTP/1.1 204 No Content\r\n\r\n"), want: seen{status: "5×204", opened: 1}},
		{why: "a length without a body answers HEAD", method: "HEAD", server: answers("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), want: seen{status: "5×200", opened: 1}},
		{why: "304 has no body whatever it says", server: answers("HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"), want: seen{status: "5×304", opened: 1}},
		{why: "a body after HEAD ends the connection", method: "HEAD", server: thenHangs(ok), want: seen{status: "5×200", opened: 5}},
		{why: "a body after 204 ends the connection", server: thenHangs("HTTP/1.1 204 No Content\r\n\r\nhello"), want: seen{status: "5×204", opened: 5}},
		{why: "more than the length ends the connection", server: thenHangs(ok + "more"), want: seen{status: "5×200", bytes: 2, opened: 5}},
		{why: "a service that closes its half at once", server: func(c net.Conn, in *bufio.Reader) {
			if _, _, err := request(in); err == nil {
				write(c, "HTTP/1.1 200 OK\r\n\r\nhello")
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
			}
		}, want: seen{status: "5×200", bytes: 5, opened: 5}},
		{why: "a body above the limit", server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("x", 5000)),
			want: seen{status: "5×200", bytes: 1000, truncated: true, opened: 5}},

		// Informational answers.
		{why: "an interim answer, and the first byte is the final one's", server: thenCloses(300*ms, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", ok),
			want: seen{status: "5×200", bytes: 2, opened: 5}, from: 300 * ms, to: 600 * ms},
		{why: "the first byte, and the rest of the header later", server: thenCloses(200*ms, "HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\nok"),
			want: seen{status: "5×200", bytes: 2, opened: 5}, to: 200 * ms},
		{why: "a hundred interim answers", server: answers(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100) + ok),
			want: seen{status: "5×200", bytes: 2, opened: 1}},
		{why: "interim answers without end", server: func(c net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			for {
				if _, err := io.WriteString(c, strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50)); err != nil {
					return
				}
			}
		}, want: seen{failure: malformed, opened: 5}},
		{why: "after 101 the connection is no longer HTTP", server: thenHangs("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
			want: seen{status: "5×101", opened: 5}},
		{why: "101 that names no protocol", server: thenHangs("HTTP/1.1 101 Switching Protocols\r\n\r\nhello"), want: seen{status: "5×101", opened: 5}},

		// Statuses.
		{why: "a status below 100", server: answers("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"),
			want: seen{status: "5×99", failure: "5×99 (unknown status)", opened: -1}},
		{why: "status 0", server: answers("HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n"), want: seen{status: "5×0", failure: "5×0 (unknown status)", opened: -1}},
		{why: "a status of four digits", server: thenHangs("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), want: seen{failure: malformed, opened: 5}},
		{why: "a status above 599", server: answers("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n"),
			want: seen{status: "5×999", failure: "5×999 (unknown status)", opened: 1}},

		// Redirects.
		{why: "to a foreign scheme, which nobody can ask", server: answers("HTTP/1.1 302 Found\r\nLocation: app://opened\r\nContent-Length: 0\r\n\r\n"),
			want: seen{status: "5×302", opened: 1}},
		{why: "to mail", server: answers("HTTP/1.1 301 Moved Permanently\r\nLocation: mailto:a@example.com\r\nContent-Length: 0\r\n\r\n"),
			want: seen{status: "5×301", opened: 1}},
		{why: "to what is no URL", server: answers("HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"), want: seen{status: "5×302", opened: 1}},
		{why: "to a URL without a host", server: answers("HTTP/1.1 302 Found\r\nLocation: http:///x\r\nContent-Length: 0\r\n\r\n"), want: seen{status: "5×302", opened: 1}},
		{why: "without a place to go", server: answers("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), want: seen{status: "5×302", opened: 1}},
		{why: "once too often: its status is counted all the same", hops: 2, server: answers("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"),
			want: seen{status: "5×302", failure: "5×too many redirects", redirects: 2, opened: 1}},

		// Answers that are none.
		{why: "two lengths", server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), want: seen{failure: malformed, opened: 5}},
		{why: "a length that is no number", server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"), want: seen{failure: malformed, opened: 5}},
		{why: "a coding that nobody asked for", server: thenHangs("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"), want: seen{failure: malformed, opened: 5}},
		{why: "a chunk whose size is no number", server: thenHangs("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"),
			want: seen{status: "5×200", failure: malformed, opened: 5}},
		{why: "a chunk without its end", server: thenCloses(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
			want: seen{status: "5×200", failure: closedEarly, bytes: 2, opened: 5}},
		{why: "a header that ends early", server: thenCloses(0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), want: seen{failure: closedEarly, opened: 5}},
		{why: "a body that ends early", server: thenCloses(0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"),
			want: seen{status: "5×200", failure: closedEarly, bytes: 2, opened: 5}},
		{why: "a header that comes byte by byte is not whole in time", server: func(c net.Conn, in *bufio.Reader) {
			if _, _, err := request(in); err != nil {
				return
			}
			for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * ms) // real sockets, real time
			}
		}, want: seen{failure: tooSlow, opened: 5}},
		{why: "a body that never ends", server: thenHangs("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"),
			want: seen{status: "5×200", failure: tooSlow, bytes: 2, opened: 5}},
		{why: "nothing at all", server: thenHangs(""), want: seen{failure: tooSlow, opened: 5}},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			t.Parallel()
			// One user with five beats, kept however late.
			p := plan.Default()
			p.Users, p.Think, p.Pacing, p.RunTime, p.StopTimeout = 1, plan.Range{}, plan.Duration(10*ms), plan.Duration(50*ms), plan.Duration(20*time.Second)
			p.Client.Timeout, p.Client.MaxBody = plan.Duration(3*time.Second), 1000
			if row.want.failure == tooSlow {
				p.Client.Timeout = plan.Duration(250 * ms)
			}
			if row.hops > 0 {
				p.Client.Redirects = &row.hops
			}
			ready := at(p, scripted(t, row.server))
			for i := range ready.Requests {
				if row.method != "" {
					ready.Requests[i].Method = row.method
				}
			}
			r := executeWith(Config{Plan: ready, senders: senders}, nil, nil)
			r.balanced(t)
			got := r.seen()
			if row.want.opened < 0 {
				got.opened = row.want.opened
			}
			if got != row.want || r.requests != 5 {
				t.Errorf("%d requests, %+v\nwant 5, %+v", r.requests, got, row.want)
			}
			var first result.Histogram
			for _, w := range r.windows {
				for _, e := range w.Endpoints {
					first.Merge(e.FirstByte)
				}
			}
			if row.to > 0 && (first.Count() != 5 || first.Min() < row.from || first.Min() > row.to) {
				t.Errorf("first byte of %d after %v, want 5 after %v to %v", first.Count(), first.Min(), row.from, row.to)
			}
		})
	}
}

func TestWhatIsSaidAboutARequestIsSaidOnce(t *testing.T) {
	eachWay(t, whatIsSaidAboutARequestIsSaidOnce)
}

func whatIsSaidAboutARequestIsSaidOnce(t *testing.T, senders func(*Attack, int) sender) {
	for _, row := range []struct {
		why    string
		header http.Header
		body   string
		plan   func(*plan.Plan)
		lines  []string // of the header, but for Host and what the row has no interest in
		opened int64
	}{
		{why: "the client's own length in place of one in lower case", header: http.Header{"content-length": {"5"}}, body: "hello",
			lines: []string{"Content-Length: 5", "User-Agent: Go-http-client/1.1"}, opened: 1},
		{why: "a name in lower case in place of the client's own", header: http.Header{"user-agent": {"curl/8"}}, lines: []string{"Content-Length: 0", "User-Agent: curl/8"}, opened: 1},
		{why: "a close in a target", header: http.Header{"connection": {"close"}}, lines: []string{"Connection: close", "Content-Length: 0", "User-Agent: Go-http-client/1.1"}, opened: 5},
		{why: "a connection that is kept by the target's header and not by the plan", header: http.Header{"connection": {"keep-alive"}},
			plan: func(p *plan.Plan) { p.Client.NoKeepAlive = true }, lines: []string{"Connection: close", "Content-Length: 0", "User-Agent: Go-http-client/1.1"}, opened: 5},
		{why: "a chunked body", header: http.Header{"transfer-encoding": {"chunked"}}, body: "hello",
			lines: []string{"Transfer-Encoding: chunked", "User-Agent: Go-http-client/1.1"}, opened: 1},
		{why: "a chunked body of nothing", header: http.Header{"transfer-encoding": {"chunked"}},
			lines: []string{"Transfer-Encoding: chunked", "User-Agent: Go-http-client/1.1"}, opened: 1},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			var mu sync.Mutex
			var requests [][]string
			var bodies []string
			url := scripted(t, func(c net.Conn, in *bufio.Reader) {
				for {
					// The header as it came, before net/http makes a map of it.
					var lines []string
					var header strings.Builder
					for {
						line, err := in.ReadString('\n')
						if err != nil {
							return
						}
						header.WriteString(line)
						if line = strings.TrimSpace(line); line == "" {
							break
						}
						if !strings.HasPrefix(line, "POST ") && !strings.HasPrefix(line, "Host:") {
							lines = append(lines, line)
						}
					}
					_, body, err := request(bufio.NewReader(io.MultiReader(strings.NewReader(header.String()), oneByOne{in})))
					if err != nil {
						return
					}
					slices.Sort(lines)
					mu.Lock()
					requests, bodies = append(requests, lines), append(bodies, string(body))
					mu.Unlock()
					write(c, ok) // and no word of Connection: close
				}
			})
			p := plan.Default()
			p.Host = url
			p.Users, p.Think, p.Pacing, p.RunTime = 1, plan.Range{}, plan.Duration(10*ms), plan.Duration(50*ms)
			p.Targets = []plan.Target{{Method: "POST", URL: "/", Header: row.header, Body: plan.Body{Inline: []byte(row.body)}}}
			if row.plan != nil {
				row.plan(&p)
			}
			ready, err := p.Prepare("", func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			r := executeWith(Config{Plan: ready, senders: senders}, nil, nil)
			r.balanced(t)
			if got := r.seen(); got.failure != "" || got.opened != row.opened || len(requests) != 5 {
				t.Fatalf("%d requests, %+v; want 5 on %d connections", len(requests), got, row.opened)
			}
			if !slices.Equal(requests[4], row.lines) || bodies[4] != row.body {
				t.Errorf("sent %q with body %q, want %q with %q", requests[4], bodies[4], row.lines, row.body)
			}
		})
	}
}

// oneByOne is a reader that takes no more than it is asked for, so that what follows stays with the reader below.
type oneByOne struct{ io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.Reader.Read(p[:min(1, len(p))]) }
