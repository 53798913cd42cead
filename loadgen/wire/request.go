package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

// ownCopy is the largest body that a Request holds behind its header, to be sent in one write.
const ownCopy = 4 << 10

// Request is a request as it goes over the connection, rendered once. It is immutable and shared.
type Request struct {
	method string
	target target
	head   []byte // request line and header, and the body when it is small
	fields int    // where in head the header's last field ends
	body   []byte // the body when it is not
	sent   int64  // length of the body, wherever it is
	// repeatable says that the request may be sent again though the service may have acted on it: net/http's rule.
	repeatable bool
	closes     bool // the request itself says that the connection ends with it

	origin *http.Request // what it was rendered of, and its body: a redirect is of these
	whole  []byte
}

// target is where a connection goes.
type target struct {
	tls     bool
	address string // host:port
	name    string // for the certificate
}

// NewRequest renders a request. Its header is sent as it is, with Host, User-Agent and Content-Length or, when r says so,
// Transfer-Encoding as net/http would write them; r.Body is ignored in favour of body. Nobody may change r afterwards.
func NewRequest(r *http.Request, body []byte) (*Request, error) {
	t, err := targetOf(r.URL)
	if err != nil {
		return nil, err
	}
	c := *r
	c.Body, c.GetBody, c.ContentLength = nil, nil, int64(len(body))
	if len(body) > 0 || len(r.TransferEncoding) > 0 {
		c.Body = io.NopCloser(bytes.NewReader(body))
	}
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		return nil, err
	}
	q := &Request{
		method: r.Method, target: t, sent: int64(len(body)), head: out.Bytes(), origin: r, whole: body,
		repeatable: repeatable(r), closes: r.Close || httpguts.HeaderValuesContainsToken(r.Header["Connection"], "close"),
	}
	end := bytes.Index(q.head, []byte("\r\n\r\n")) + 4
	q.fields = end - 2
	if len(body) > ownCopy {
		if q.body = body; len(r.TransferEncoding) > 0 {
			q.body = q.head[end:]
		}
		q.head = q.head[:end:end]
		if len(r.TransferEncoding) == 0 {
			q.head = bytes.Clone(q.head) // without the copy of the body behind it
		}
	}
	return q, nil
}

// again is the request for net/http's Client, with a header that it may change.
func (q *Request) again() *http.Request {
	r := q.origin.Clone(context.Background())
	r.Body, r.GetBody, r.ContentLength = nil, nil, 0
	if len(q.whole) > 0 || len(r.TransferEncoding) > 0 {
		r.ContentLength = int64(len(q.whole))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(q.whole)), nil }
		r.Body, _ = r.GetBody()
	}
	return r
}

// repeatable is net/http's rule for requests that a service may see twice: RFC 9110, 9.2.2, and the headers by which
// a client says so itself.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != ""
}

// targetOf is the address behind an http or https URL.
func targetOf(u *url.URL) (target, error) {
	t := target{name: u.Hostname()}
	port := u.Port()
	switch u.Scheme {
	case "http":
		if port == "" {
			port = "80"
		}
	case "https":
		t.tls = true
		if port == "" {
			port = "443"
		}
	default:
		return target{}, &SchemeError{u.Scheme}
	}
	if ascii, err := idna.Lookup.ToASCII(t.name); err == nil {
		t.name = ascii // else it is an IP address, or will not be found
	}
	t.address = net.JoinHostPort(t.name, port)
	return t, nil
}

// SchemeError is a URL that leads to something that is not HTTP.
type SchemeError struct{ Scheme string }

func (e *SchemeError) Error() string { return fmt.Sprintf("scheme %q: want http or https", e.Scheme) }

// Bytes are what is to be written: the header, with a small body behind it, and the body when it is a larger one. They
// are shared and must not be changed.
func (q *Request) Bytes() (head, body []byte) { return q.head, q.body }

// AppendHead appends the header, with a small body behind it, with more fields at the header's end.
func (q *Request) AppendHead(to, fields []byte) []byte {
	to = append(to, q.head[:q.fields]...)
	to = append(to, fields...)
	return append(to, q.head[q.fields:]...)
}

// Repeatable reports whether the request may be sent again though the service may have acted on it.
func (q *Request) Repeatable() bool { return q.repeatable }
