package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"time"
)

// conn is a connection to a target. One request at a time is on it.
type conn struct {
	socket   net.Conn // as dialled
	timed    *idleConn
	limited  io.LimitedReader // of timed: what a header may still take
	in       *bufio.Reader    // of limited
	out      *bufio.Writer    // to timed
	lastUsed time.Time
}

func newConn(socket net.Conn, limit time.Duration) *conn {
	c := &conn{socket: socket, timed: &idleConn{Conn: socket, limit: limit}}
	c.limited.R = c.timed
	c.in = bufio.NewReader(&c.limited)
	c.out = bufio.NewWriter(c.timed)
	return c
}

// exchange is one request on its way to a target and its answer. It is sent once, whatever happens. The caller reads the
// body of res, then calls end and at last finish.
type exchange struct {
	conn   *conn
	res    *http.Response // nil when there was none
	upload *upload        // nil without a body
	sent   chan error     // of a request body that is sent beside the answer; nil without one, or when it has been received
	stop   func() bool
}

var (
	// errClientGone is that the client has not waited for the answer.
	errClientGone = errors.New("the client has gone")
	// errClientLate is that the client has not gone on with its request.
	errClientLate = errors.New("the client did not go on with its request")
)

// begin writes r and reads the answer's header. It fails with errClientGone, errClientLate, the error of the socket, or of
// what could not be parsed. The exchange is to be finished in any case.
func (c *conn) begin(r *http.Request, u *upload) (*exchange, error) {
	e := &exchange{conn: c}
	// A client that has gone takes its request with it.
	e.stop = context.AfterFunc(r.Context(), func() { _ = c.socket.Close() })
	err := c.send(e, r, u)
	if err == nil {
		e.res, err = c.receive(r)
	}
	if err == nil {
		return e, nil
	}
	_ = c.socket.Close() // ends the sending of a body as well
	if r.Context().Err() != nil {
		err = errClientGone
		if e.upload != nil { // a read of the client's that failed is what ended the context, or nothing is read any more
			<-e.sent
			e.sent = nil
			if late, _ := e.upload.state(); late {
				err = errClientLate
			}
		}
	}
	return e, err
}

// send writes the header at once: a target may answer by it alone.
func (c *conn) send(e *exchange, r *http.Request, u *upload) error {
	c.writeHeader(r)
	if err := c.out.Flush(); err != nil || u == nil {
		return err
	}
	e.upload, e.sent = u, make(chan error, 1)
	c.timed.wait(false)
	go func() {
		err := c.writeBody(r.ContentLength, u)
		_, failed := u.state()
		switch {
		case failed != nil: // half a request is of no use to the target
			_ = c.socket.Close()
		case errors.Is(err, os.ErrDeadlineExceeded): // the target takes nothing: nor will it answer
			c.timed.giveUp()
		default:
			c.timed.wait(true)
		}
		e.sent <- err
	}()
	return nil
}

// writeHeader writes into the buffer. Errors stay in it and come out of the flush.
func (c *conn) writeHeader(r *http.Request) {
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") && uri != "*" {
		uri = r.URL.RequestURI() // the absolute form, which is for proxies
	}
	out := c.out
	for _, s := range [...]string{r.Method, " ", uri, " HTTP/1.1\r\nHost: ", r.Host, "\r\n"} {
		_, _ = out.WriteString(s)
	}
	hop := hopByHop(r.Header)
	for name, values := range r.Header {
		if hop(name) || forwarded(name) || name == traceHeader || name == "Content-Length" || name == "Expect" {
			continue
		}
		for _, v := range values {
			writeField(out, name, v)
		}
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	writeField(out, "X-Forwarded-For", strings.Join(append(r.Header["X-Forwarded-For"], client), ", "))
	writeField(out, "X-Forwarded-Proto", "http")
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		writeField(out, "X-Forwarded-Port", strconv.Itoa(local.Port))
	}
	writeField(out, traceHeader, traced(r.Header[traceHeader], time.Now()))
	switch {
	case r.ContentLength > 0:
		fmt.Fprintf(out, "Content-Length: %d\r\n", r.ContentLength)
	case r.ContentLength < 0:
		writeField(out, "Transfer-Encoding", "chunked")
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header["Content-Length"] != nil:
		writeField(out, "Content-Length", "0")
	}
	_, _ = out.WriteString("\r\n")
}

// forwarded says which fields the balancer writes itself.
func forwarded(name string) bool {
	return name == "X-Forwarded-For" || name == "X-Forwarded-Proto" || name == "X-Forwarded-Port"
}

func writeField(out *bufio.Writer, name, value string) {
	for _, s := range [...]string{name, ": ", value, "\r\n"} {
		_, _ = out.WriteString(s)
	}
}

func (c *conn) writeBody(length int64, body io.Reader) error {
	if length > 0 {
		if _, err := io.Copy(flushing{c.out}, body); err != nil {
			return err
		}
		return c.out.Flush()
	}
	chunks := httputil.NewChunkedWriter(flushing{c.out})
	if _, err := io.Copy(chunks, body); err != nil {
		return err
	}
	if err := chunks.Close(); err != nil {
		return err
	}
	_, _ = c.out.WriteString("\r\n") // no trailers
	return c.out.Flush()
}

// flushing passes on each piece as it comes.
type flushing struct{ *bufio.Writer }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err == nil {
		err = f.Flush()
	}
	return n, err
}

// ReadFrom keeps io.Copy from filling the buffer first.
func (f flushing) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{f}, r)
}

// receive reads the final answer's header; interim ones (1xx) are dropped.
func (c *conn) receive(r *http.Request) (*http.Response, error) {
	c.limited.N = maxResponseHeader
	for {
		res, err := http.ReadResponse(c.in, r)
		switch {
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("a change of protocol that nobody asked for")
		case res.StatusCode >= 200:
			c.limited.N = 1<<63 - 1
			return res, nil
		}
	}
}

// uploaded says whether the request was sent to its end; what went wrong with that makes the connection unfit.
func (e *exchange) uploaded() bool {
	if e.sent == nil {
		return true
	}
	if !e.upload.complete() {
		return false // answered before the request was complete
	}
	err := <-e.sent // at once: a target that answers a whole request has taken it
	e.sent = nil
	if err != nil {
		_ = e.conn.socket.Close()
	}
	return err == nil
}

// end is called after the body was read, and says whether the connection is ready for another request.
func (e *exchange) end(bodyRead bool) (reusable bool) {
	reusable = bodyRead && !e.res.Close && e.conn.in.Buffered() == 0 && e.uploaded()
	if !reusable {
		_ = e.conn.socket.Close()
	}
	return e.stop() && reusable // else the client's going has closed it
}

// finish ends what runs beside the exchange. The client may go on sending for that long.
func (e *exchange) finish(within time.Duration) {
	e.stop()
	if e.sent != nil {
		e.upload.end(within)
		_ = e.conn.socket.Close()
		<-e.sent
		e.sent = nil
	}
}

// hopByHop says which header fields are for one connection only (RFC 9110, section 7.6.1): those that it names and
// those that Connection does.
func hopByHop(h http.Header) func(name string) bool {
	named := h["Connection"]
	return func(name string) bool {
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
			"Te", "Trailer", "Transfer-Encoding", "Upgrade":
			return true
		}
		for _, line := range named {
			for token := range strings.SplitSeq(line, ",") {
				if strings.EqualFold(strings.TrimSpace(token), name) {
					return true
				}
			}
		}
		return false
	}
}
