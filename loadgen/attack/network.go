package attack

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/wire"
)

// NewNetwork returns the network on which a plan's requests are sent.
func NewNetwork(p *plan.Ready, clock func() time.Duration) *wire.Network {
	c := &p.Plan.Client
	return wire.NewNetwork(wire.Config{
		Dial: dialer(c), TLS: tlsOf(p), Clock: clock, NoKeepAlive: c.NoKeepAlive, MaxAge: time.Duration(c.ConnectionMaxAge),
	})
}

// Rendered is a plan's request as it goes over a connection.
func Rendered(c *plan.Client, q *plan.Request) (*wire.Request, error) {
	r := requestOf(q)
	// As net/http has it, one that asks for another protocol says so in the same header.
	r.Close = r.Close || c.NoKeepAlive && r.Header.Get("Upgrade") == ""
	return wire.NewRequest(r, q.Body)
}

// requestOf is a plan's request as net/http has it. The header is the plan's own, and must not be changed.
func requestOf(q *plan.Request) *http.Request {
	r := &http.Request{
		Method: q.Method, URL: q.URL, Host: q.Host, Header: q.Header, Close: q.Close,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if q.Chunked {
		r.TransferEncoding = []string{"chunked"}
	}
	if len(q.Body) > 0 || q.Chunked {
		r.ContentLength = int64(len(q.Body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(q.Body)), nil }
		r.Body, _ = r.GetBody()
	}
	return r
}

// progressOf is how far a request came of which there is an answer, or the beginning of one.
func progressOf(a *wire.Answer) Progress {
	switch {
	case a.Answering:
		return Answering
	case a.Connected:
		return Connected
	default:
		return Connecting
	}
}

// tlsOf is how a plan's certificates are judged.
func tlsOf(p *plan.Ready) *tls.Config {
	config := &tls.Config{InsecureSkipVerify: p.Plan.Client.Insecure}
	if len(p.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without authorities trusts the plan's alone
		}
		pool.AppendCertsFromPEM(p.CA)
		config.RootCAs = pool
	}
	return config
}

// dialer connects to an address, or to the first one of those that a plan gives for it that can be connected to.
func dialer(c *plan.Client) func(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(address) // it was joined of them
		given := c.Addresses(host, port)
		if len(given) == 0 {
			return d.DialContext(ctx, network, address)
		}
		var conn net.Conn
		var err error
		for _, each := range given {
			if conn, err = d.DialContext(ctx, network, net.JoinHostPort(each.String(), port)); err == nil {
				break
			}
		}
		return conn, err
	}
}

// Wanted makes a call look for the text that a plan expects in a body, and returns whether it was found.
func Wanted(q *plan.Request, how *wire.Call) (found func() bool) {
	if len(q.ExpectBody) == 0 {
		return always
	}
	f := &finder{want: q.ExpectBody}
	how.Begin = func() { *f = finder{want: q.ExpectBody} }
	how.Data = func(piece []byte) { _, _ = f.Write(piece) } // never fails
	return f.found
}

func always() bool { return true }

// SampleOf is what is counted of a request that ended with an answer or an error; its times before Sent are the caller's to set.
func SampleOf(q *plan.Request, a *wire.Answer, found bool, err error) measure.Sample {
	x := measure.Sample{
		Endpoint: q.Endpoint, Sent: a.Sent, End: a.End, FirstByte: a.FirstByte, Connect: a.Connect,
		Status: a.Status, BytesIn: a.Body, BytesOut: int64(len(q.Body)), Truncated: a.Truncated,
		Redirects: a.Redirects, Retries: a.Retries, ServedBy: a.ServedBy,
	}
	switch {
	case errors.Is(err, wire.ErrCut): // after its time: of a time-out and a cut at once the time-out stands
		x.Kind = measure.KindTimeout
	case err != nil:
		x.Kind = Classify(err, progressOf(a))
	case !q.Accepts(x.Status):
		x.Kind = measure.KindStatus
	case !found:
		x.Kind = measure.KindBody
	}
	return x
}
