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
	"strconv"
	"strings"
	"time"
)

// conn is a connection to a target. One request at a time is on it.
type conn struct {
	socket   net.Conn // as dialled
	timed    idleConn
	limited  io.LimitedReader // of timed: what a header may still take
	in       *bufio.Reader    // of limited
	out      *bufio.Writer    // to timed
	lastUsed time.Time
}

// maxHeader is how much of an answer's header is read before it is called malformed.
const maxHeader = 1 << 20

func newConn(socket net.Conn, limit time.Duration) *conn {
	c := &conn{socket: socket, timed: idleConn{socket, limit}}
	c.limited.R = c.timed
	c.in = bufio.NewReader(&c.limited)
	c.out = bufio.NewWriter(c.timed)
	return c
}

// exchange sends one request to a target and returns the header of its answer. It is sent once, whatever happens.
// The caller reads the body and then calls end.
type exchange struct {
	conn *conn
	res  *http.Response
	sent chan error // of a request body that is sent beside the answer; nil without one
	cut  func()     // ends the reading of that body
	stop func() bool
}

// errClientGone is that the client has not waited for the answer.
var errClientGone = errors.New("the client has gone")

// begin writes r and reads the answer's header. It fails with errClientGone, the error of the socket, or of what could not be parsed.
// cut must end a read of r's body that waits for the client; r's context is of no use after it.
func (c *conn) begin(r *http.Request, cut func()) (*exchange, error) {
	e := &exchange{conn: c, cut: cut}
	// A client that has gone takes its request with it.
	e.stop = context.AfterFunc(r.Context(), func() { _ = c.socket.Close() })
	err := c.send(e, r)
	if err == nil {
		e.res, err = c.receive(r)
	}
	if err == nil {
		return e, nil
	}
	if r.Context().Err() != nil {
		err = errClientGone
	}
	_ = c.socket.Close() // ends the sending of a body as well
	e.wait()
	return nil, err
}

func (c *conn) send(e *exchange, r *http.Request) error {
	c.writeHeader(r)
	if r.ContentLength == 0 {
		return c.out.Flush()
	}
	e.sent = make(chan error, 1)
	go func() { e.sent <- c.writeBody(r) }()
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
		if hop(name) || forwarded(name) || name == "Content-Length" || name == "Expect" {
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

func (c *conn) writeBody(r *http.Request) error {
	if r.ContentLength > 0 {
		if _, err := io.Copy(flushing{c.out}, r.Body); err != nil {
			return err
		}
		return c.out.Flush()
	}
	chunks := httputil.NewChunkedWriter(flushing{c.out})
	if _, err := io.Copy(chunks, r.Body); err != nil {
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
	c.limited.N = maxHeader
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

// end finishes the exchange after the body was read, and says whether the connection is ready for another request.
func (e *exchange) end(bodyRead bool) (reusable bool) {
	reusable = bodyRead && !e.res.Close && e.conn.in.Buffered() == 0
	if e.sent != nil {
		select {
		case err := <-e.sent:
			e.sent = nil
			reusable = reusable && err == nil
		default: // answered before the request was complete
			reusable = false
		}
	}
	if !reusable {
		_ = e.conn.socket.Close()
	}
	return e.wait() && reusable
}

// wait ends what runs beside the exchange. It says no when the client's going has closed the connection.
func (e *exchange) wait() bool {
	quiet := e.stop()
	if e.sent != nil {
		select {
		case <-e.sent:
		default:
			e.cut()
			<-e.sent
		}
	}
	return quiet
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
