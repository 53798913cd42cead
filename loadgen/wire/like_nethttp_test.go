package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// answerer is a connection on which the other side reads one request, answers with given bytes, and closes.
func answerer(answer []byte) net.Conn {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
			_, _ = theirs.Write(answer)
		}
	}()
	return ours
}

// What a service sends ends in the same for us and for net/http's Transport, which is the oracle: the status, how many
// bytes of body there were, and whether it was an answer at all. Where we are stricter, http1.Reader says so.
func FuzzAnAnswerIsWhatNetHTTPSaysItIs(f *testing.F) {
	log.SetOutput(io.Discard) // net/http speaks of what comes where no body may be
	f.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nok",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n",
		"", "\r\n", "SSH-2.0", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) > 4096 {
			return
		}
		request := func() *http.Request {
			r, err := http.NewRequest("GET", "http://service.test/", nil)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		transport := &http.Transport{
			DialContext:        func(context.Context, string, string) (net.Conn, error) { return answerer(answer), nil },
			DisableCompression: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 1 << 20,
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var theirs struct {
			whole  bool
			status int
			body   int64
			err    error
		}
		res, err := transport.RoundTrip(request().WithContext(ctx))
		if err == nil {
			theirs.status = res.StatusCode
			if res.StatusCode != http.StatusSwitchingProtocols { // what follows is another protocol
				theirs.body, err = io.Copy(io.Discard, res.Body)
			}
			res.Body.Close()
			theirs.whole = err == nil
		}
		theirs.err = err
		if err != nil && strings.Contains(err.Error(), "trailer") {
			return // it wants a trailer's lines to end in CR LF
		}

		network := NewNetwork(Config{
			Dial:  func(context.Context, string, string) (net.Conn, error) { return answerer(answer), nil },
			Clock: func() time.Duration { return 0 }, NoKeepAlive: true,
		})
		q, err := NewRequest(request(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var a Answer
		client := network.NewClient(nil)
		err = client.Do(q, &Call{Deadline: time.Now().Add(10 * time.Second), MaxBody: 1 << 20}, &a)
		client.Close()
		switch {
		case err == nil && (!theirs.whole || a.Status != theirs.status || a.Body != theirs.body):
			t.Errorf("%q: we say %d and %d bytes, net/http %+v", answer, a.Status, a.Body, theirs)
		case err != nil && theirs.whole && strict(answer):
		case err != nil && theirs.whole:
			t.Errorf("%q: we say %v, net/http %+v", answer, err, theirs)
		}
	})
}

// strict reports whether a status line may be one that we refuse and net/http does not: see http1.Reader.Feed.
func strict(answer []byte) bool {
	for line := range bytes.SplitSeq(answer, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("HTTP/")) && !plain.Match(line) {
			return true
		}
	}
	return false
}

var plain = regexp.MustCompile(`^HTTP/1\.[0-9] +[0-9]{3}( |\r?$)`)
