package attack

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/trace"
	"scalableappbackend/loadgen/wire"
)

// transported sends through a round tripper that somebody gave, with net/http's client above it.
type transported struct {
	attack *Attack
	id     int
	over   http.RoundTripper
	client http.Client
	hops   int              // of the request under way
	jars   []http.CookieJar // as of wired
}

func (a *Attack) newTransported(id int, over http.RoundTripper) *transported {
	u := &transported{attack: a, id: id, over: over}
	u.client.Transport = u
	hops := a.plan.Plan.Client.MaxHops()
	u.client.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		switch {
		case hops == 0:
			return http.ErrUseLastResponse
		case len(via) > hops:
			return wire.ErrTooManyRedirects
		}
		u.hops = len(via)
		return nil
	}
	return u
}

func (u *transported) send(c *call) (x measure.Sample, header http.Header, cut bool) {
	a := u.attack
	timeout := time.Duration(a.plan.Plan.Client.Timeout)
	ctx, cancel := context.WithTimeout(a.inFlight, timeout)
	defer cancel()
	watch := &watch{attack: a, user: u.id, sent: c.sent}
	u.hops = 0
	u.turnTo(c.host)
	req := newRequest(httptrace.WithClientTrace(ctx, watch.hooks()), c.request, u.client.Jar != nil, c.trace)
	body := c.body
	if body == nil {
		body = &reader{}
	}

	x = measure.Sample{Endpoint: c.request.Endpoint, Sent: c.sent, BytesOut: int64(len(c.request.Body))}
	res, err := u.client.Do(req)
	if res != nil { // with one redirect too many there are both
		x.Status = res.StatusCode
	}
	if err == nil {
		watch.answered()
		header = res.Header
		x.ServedBy = header.Get("X-Served-By")
		x.BytesIn, x.Truncated, err = body.drain(res.Body, a.plan.Plan.Client.MaxBody)
	}
	x.End = a.Elapsed()
	x.Redirects = u.hops
	x.Retries = max(0, watch.attempts-1-u.hops)
	x.Connect = watch.connect
	x.FirstByte = time.Duration(watch.firstByte.Load())
	switch {
	case err != nil && a.inFlight.Err() != nil && x.End-x.Sent < timeout:
		return x, nil, true
	case err != nil && a.inFlight.Err() != nil: // of a time-out and a cut at once the time-out stands
		x.Kind = measure.KindTimeout
	case err != nil:
		x.Kind = Classify(err, watch.progress())
	case !c.request.Accepts(x.Status):
		x.Kind = measure.KindStatus
	case !body.found():
		x.Kind = measure.KindBody
	}
	return x, header, false
}

func (u *transported) turnTo(host int) {
	if !u.attack.plan.Plan.Client.Cookies {
		return
	}
	for len(u.jars) <= host {
		jar, _ := cookiejar.New(nil) // never fails without options
		u.jars = append(u.jars, jar)
	}
	u.client.Jar = u.jars[host]
}

func (u *transported) close() {}

// RoundTrip makes one hop: it sends a request and returns when the header of its answer has come.
func (u *transported) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := u.over.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		res.Body.Close() // it is the connection itself, which no context ends, and on which nobody will say anything
		res.Body = http.NoBody
	}
	if to := res.Header.Get("Location"); to != "" && !leads(r, to) {
		res.Header.Del("Location") // then the client takes the redirect as the answer
	}
	return res, nil
}

// leads reports whether a redirect names something that can be asked: an http or https URL with a host.
func leads(r *http.Request, location string) bool {
	to, err := r.URL.Parse(location)
	return err == nil && (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() != ""
}

func newRequest(ctx context.Context, r *plan.Request, cookies bool, id trace.ID) *http.Request {
	req := requestOf(r).WithContext(ctx)
	if cookies || !id.IsZero() {
		req.Header = r.Header.Clone() // the client adds the jar's cookies to it
	}
	if !id.IsZero() {
		if req.Header == nil {
			req.Header = http.Header{}
		}
		req.Header[trace.Parent] = []string{string(id.AppendParent(nil))}
		req.Header[trace.Amazon] = []string{string(id.AppendAmazon(nil))}
	}
	return req
}

// watch looks at one request on its way through net/http. Its hooks run in the request's own goroutine
// but for the first byte's, which a connection's reader may call after the request has timed out.
type watch struct {
	attack *Attack
	user   int
	sent   time.Duration

	asked     time.Duration // for a connection, last
	attempts  int           // connections asked for: one a hop, more when the transport retries
	connected bool
	connect   time.Duration
	firstByte atomic.Int64
	hints     atomic.Int32 // informational answers: net/http does not tell the first byte of what follows one
}

// maxHints is how many informational answers may come before the final one; net/http has no limit of its own for whoever
// wants to know of them.
const maxHints = 1000

var errTooManyHints = errors.New("too many informational answers")

// answered is called when the header of the final answer has been read.
func (t *watch) answered() {
	if t.hints.Load() > 0 && t.firstByte.Load() == 0 {
		t.firstByte.Store(int64(t.attack.Elapsed() - t.sent))
	}
}

func (t *watch) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			t.attempts++
			t.connected = false
			t.asked = t.attack.Elapsed()
		},
		GotConn: func(info httptrace.GotConnInfo) {
			t.connected = true
			now := t.attack.Elapsed()
			if info.Reused {
				t.attack.recorder.Reused(t.user, now)
				return
			}
			t.connect += now - t.asked
		},
		GotFirstResponseByte: func() { t.firstByte.Store(int64(t.attack.Elapsed() - t.sent)) },
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			t.firstByte.Store(0)
			if t.hints.Add(1) > maxHints {
				return errTooManyHints
			}
			return nil
		},
	}
}

// progress is how far a failed request came, for errors that do not say themselves what they are.
func (t *watch) progress() Progress {
	switch {
	case t.firstByte.Load() > 0 || t.hints.Load() > 0:
		return Answering
	case t.connected:
		return Connected
	default:
		return Connecting
	}
}
