package wire

import (
	"bytes"
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
	body   []byte // the body when it is not
	sent   int64  // length of the body, wherever it is
	// repeatable says that the request may be sent again though the service may have acted on it: net/http's rule.
	repeatable bool
	closes     bool // the request itself says that the connection ends with it
}

// target is where a connection goes.
type target struct {
	tls     bool
	address string // host:port
	name    string // for the certificate
}

// NewRequest renders a request. Its header is sent as it is, with Host, User-Agent and Content-Length as net/http
// would write them; r.Body is ignored in favour of body.
func NewRequest(r *http.Request, body []byte) (*Request, error) {
	t, err := targetOf(r.URL)
	if err != nil {
		return nil, err
	}
	c := *r
	c.Body, c.GetBody, c.ContentLength, c.TransferEncoding = nil, nil, int64(len(body)), nil
	if len(body) > 0 {
		c.Body = io.NopCloser(bytes.NewReader(body))
	}
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		return nil, err
	}
	q := &Request{
		method: r.Method, target: t, sent: int64(len(body)), head: out.Bytes(),
		repeatable: repeatable(r), closes: r.Close || httpguts.HeaderValuesContainsToken(r.Header["Connection"], "close"),
	}
	if len(body) > ownCopy {
		q.head, q.body = bytes.Clone(q.head[:len(q.head)-len(body)]), body
	}
	return q, nil
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

// Repeatable reports whether the request may be sent again though the service may have acted on it.
func (q *Request) Repeatable() bool { return q.repeatable }
