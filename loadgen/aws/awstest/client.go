package awstest

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// InProcess makes the SDK's clients talk to the fake without sockets, so that tests may run on virtual time (testing/synctest).
func (f *Fake) InProcess() aws.Config { return f.Ahead(0) }

// Ahead is InProcess with answers whose dates are ahead of this machine's clock.
func (f *Fake) Ahead(d time.Duration) aws.Config {
	cfg := f.Config("http://aws.test")
	cfg.HTTPClient = client{f, d}
	return cfg
}

type client struct {
	fake  *Fake
	ahead time.Duration
}

// Do answers a request, or fails when it ends first.
func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	c.fake.ServeHTTP(a, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a.header.Set("Date", time.Now().Add(c.ahead).UTC().Format(http.TimeFormat))
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// answer is a http.ResponseWriter that keeps what it is given.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
