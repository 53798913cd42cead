package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answer is what a reader says of bytes that a connection delivered before it was closed.
type answer struct {
	status, rest  int
	body          string
	done, reuse   bool
	began         bool
	err, endError error
}

// read feeds an answer in pieces of a size, 0 for all at once.
func read(method, data string, size int) answer {
	var body bytes.Buffer
	r := Reader{Data: func(p []byte) { body.Write(p) }}
	r.Start(method)
	rest := []byte(data)
	var a answer
	for len(rest) > 0 && !r.Done() && a.err == nil {
		piece := rest
		if size > 0 {
			piece = rest[:min(size, len(rest))]
		}
		var n int
		n, a.err = r.Feed(piece)
		rest = rest[n:]
	}
	a.began = r.Began()
	if a.err == nil {
		a.reuse = r.Reusable()
		a.endError = r.End()
	}
	a.status, a.rest, a.done, a.body = r.Status(), len(rest), r.Done(), body.String()
	return a
}

func TestAnAnswerEndsWhereHTTPSaysThatItEnds(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		why, method, data string
		want              answer
	}{
		{"a length", "GET", ok + "Content-Length: 5\r\n\r\nhello", answer{status: 200, body: "hello", reuse: true}},
		{"a length in lower case, blanks around it", "GET", ok + "content-length: \t5 \r\n\r\nhello", answer{status: 200, body: "hello", reuse: true}},
		{"no body at all", "GET", ok + "Content-Length: 0\r\n\r\n", answer{status: 200, reuse: true}},
		{"equal lengths are one", "GET", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", answer{status: 200, body: "ab", reuse: true}},
		{"bare line feeds", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nab", answer{status: 200, body: "ab", reuse: true}},
		{"without length the end of the connection ends it", "GET", ok + "\r\nall of it", answer{status: 200, body: "all of it"}},
		{"HEAD has a length and no body", "HEAD", ok + "Content-Length: 5\r\n\r\n", answer{status: 200, reuse: true}},
		{"204 has none", "GET", "HTTP/1.1 204 No Content\r\n\r\n", answer{status: 204, reuse: true}},
		{"304 has none, whatever its length says", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", answer{status: 304, reuse: true}},
		{"bytes that nobody asked for are left", "GET", "HTTP/1.1 204 No Content\r\n\r\nrest", answer{status: 204, reuse: true, rest: 4}},
		{"chunks", "GET", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", answer{status: 200, body: "abc0123456789", reuse: true}},
		{"chunks win over a length", "GET", ok + "Content-Length: 1\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", answer{status: 200, body: "ab", reuse: true}},
		{"a trailer", "GET", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n", answer{status: 200, body: "a", reuse: true}},
		{"close", "GET", ok + "Connection: Close\r\nContent-Length: 1\r\n\r\na", answer{status: 200, body: "a"}},
		{"close in a list", "GET", ok + "Connection: upgrade, close\r\nContent-Length: 1\r\n\r\na", answer{status: 200, body: "a"}},
		{"HTTP/1.0 closes", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", answer{status: 200, body: "a"}},
		{"HTTP/1.0 with keep-alive does not", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", answer{status: 200, body: "a", reuse: true}},
		{"HTTP/1.0 knows no chunks", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", answer{status: 200, body: "1\r\na\r\n"}},
		{"interim answers come first", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na", answer{status: 200, body: "a", reuse: true}},
		{"another protocol begins", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\x01", answer{status: 101, rest: 2}},
		{"a status without reason", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", answer{status: 200, reuse: true}},
		{"a status below 100", "GET", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", answer{status: 99, reuse: true}},
		{"a folded line is one", "GET", ok + "X: a\r\n b\r\nContent-Length:\r\n 1\r\n\r\na", answer{status: 200, body: "a", reuse: true}},
		{"a name with a blank is another name", "GET", ok + "Content-Length : 1\r\nContent-Length: 2\r\n\r\nab", answer{status: 200, body: "ab", reuse: true}},
	} {
		for size := range len(c.data) + 1 {
			got := read(c.method, c.data, size)
			got.began, got.done = false, false
			if got != c.want {
				t.Errorf("%s, in pieces of %d: got %+v, want %+v", c.why, size, got, c.want)
				break
			}
		}
	}
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		why, data string
		want      error
	}{
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", errStatusLine},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n", errStatusLine},
		{"four digits", "HTTP/1.1 2000 OK\r\n", errStatusLine},
		{"a signed status", "HTTP/1.1 +20 OK\r\n", errStatusLine},
		{"a letter in it", "HTTP/1.1 20x OK\r\n", errStatusLine},
		{"no colon", ok + "X\r\n\r\n", errHeaderLine},
		{"no name", ok + ": x\r\n\r\n", errHeaderLine},
		{"a control character in a value", ok + "X: a\x00b\r\n\r\n", errHeaderLine},
		{"a first line that continues nothing", ok + " X: a\r\n\r\n", errHeaderLine},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", errLength},
		{"a signed length", ok + "Content-Length: +1\r\n\r\n", errLength},
		{"an empty length", ok + "Content-Length:\r\n\r\n", errLength},
		{"a length beyond 63 bits", ok + "Content-Length: 9223372036854775808\r\n\r\n", errLength},
		{"gzip on the way", ok + "Transfer-Encoding: gzip\r\n\r\n", errTransferEncoding},
		{"two encodings", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", errTransferEncoding},
		{"no hexadecimal size", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", errChunk},
		{"a chunk longer than it said", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", errChunk},
		{"a bare line feed after a size", ok + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n", errChunk},
		{"a size of 17 digits", ok + "Transfer-Encoding: chunked\r\n\r\n00000000000000001\r\n", errChunk},
		{"a chunk line without end", ok + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 5000), errChunk},
		{"more overhead than data", ok + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 20), errChunkExcess},
		{"a trailer without end", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("x", 5000), errTrailer},
		{"a header without end", ok + "X: " + strings.Repeat("x", DefaultMaxHeader), errHeaderLong},
		{"interim answers without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n", 1100), errHeaderLong},
		{"closed before it began", "", ErrNoAnswer},
		{"closed in the status line", "HTTP/1.1 2", ErrShort},
		{"closed in the header", ok + "Content-", ErrShort},
		{"closed in the body", ok + "Content-Length: 5\r\n\r\nhell", ErrShort},
		{"closed in a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhell", ErrShort},
		{"closed before the last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ErrShort},
		{"closed after an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n", ErrShort},
	} {
		for _, size := range []int{0, 1, 7} {
			got := read("GET", c.data, size)
			err := got.err
			if err == nil {
				err = got.endError
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s, in pieces of %d: got %v, want %v", c.why, size, err, c.want)
			}
		}
	}
}

func TestTheFirstByteIsThatOfTheFinalAnswer(t *testing.T) {
	var r Reader
	r.Start("GET")
	feed := func(s string, began bool) {
		t.Helper()
		if _, err := r.Feed([]byte(s)); err != nil || r.Began() != began {
			t.Errorf("after %q: began %v, error %v", s, r.Began(), err)
		}
	}
	feed("HTTP/1.1 103 Early Hints\r\n\r\n", false)
	feed("H", true)
	feed("TTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", true)
	if r.Interim() != 1 || r.Done() {
		t.Errorf("interim answers %d, done %v", r.Interim(), r.Done())
	}
}

func TestFieldsOfTheFinalAnswerArePassedOn(t *testing.T) {
	var got []string
	r := Reader{Field: func(name, value []byte) { got = append(got, string(name)+"="+string(value)) }}
	r.Start("GET")
	data := "HTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /x \r\nSet-Cookie: a=b\r\nX-Served-By:  host\r\n\r\n"
	for i := range len(data) {
		if _, err := r.Feed([]byte(data[i : i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if want := "Location=/x Set-Cookie=a=b X-Served-By=host"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadingAnswersTakesNoMemory(t *testing.T) {
	data := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 28 Nov 2026 04:00:00 GMT\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	var r Reader
	read := func() {
		r.Start("GET")
		for at := 0; at < len(data); {
			n, err := r.Feed(data[at:min(at+61, len(data))]) // some lines come in two pieces
			if err != nil {
				t.Fatal(err)
			}
			at += n
		}
		if !r.Reusable() {
			t.Fatal("the answer is not whole")
		}
	}
	read() // the buffer for lines in two pieces is made once
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("%v allocations an answer, want 0", n)
	}
}

// The oracle is net/http: what it reads, we read to the same end; what it refuses, we refuse.
func FuzzReaderAgreesWithNetHTTP(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No\r\n\r\nrest", "HTTP/1.1 200 OK\nA: b\n c\nConnection: x,close\n\nbody",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\nX : y\r\n\r\na",
	} {
		f.Add(s, uint8(3), false)
	}
	f.Fuzz(func(t *testing.T, data string, size uint8, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		got := read(method, data, int(size))
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(data)), &http.Request{Method: method})
		if err != nil {
			if got.err == nil && got.endError == nil {
				t.Fatalf("net/http refuses it (%v), we read %+v", err, got)
			}
			return
		}
		if res.ProtoMajor != 1 || res.StatusCode/100 == 1 || strings.ContainsAny(res.Status[:min(1, len(res.Status))], "+-") {
			return // stricter here, and what an interim answer is followed by is the transport's to read
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			if got.err == nil && got.endError == nil && !strings.Contains(err.Error(), "trailer") {
				t.Fatalf("net/http refuses the body (%v), we read %+v", err, got)
			}
			return
		}
		if got.err != nil || got.endError != nil {
			t.Fatalf("net/http reads it (status %d, body %q), we say %v, %v", res.StatusCode, body, got.err, got.endError)
		}
		if got.status != res.StatusCode || got.body != string(body) {
			t.Fatalf("status %d body %q, net/http has %d %q", got.status, got.body, res.StatusCode, body)
		}
		if reuse := !res.Close; got.reuse != reuse && !(res.ContentLength < 0 && res.TransferEncoding == nil) {
			t.Fatalf("reusable %v, net/http has %v", got.reuse, reuse)
		}
	})
}
