package attack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
)

// RoundTrip is what vegeta's workers call. The request is vegeta's and ignored: the next ticket in the queue says
// what to send, and the answer that goes back to vegeta says nothing.
func (a *Attack) RoundTrip(*http.Request) (*http.Response, error) {
	t := <-a.queue
	end := a.exchange(t)
	a.pacer.done(t.user, end)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// exchange sends a ticket's request, measures and records it, and returns when it ended.
func (a *Attack) exchange(t ticket) time.Duration {
	u, host := t.user, a.plan.Turn(t.due)
	request := t.step.Request
	if request == nil {
		request = &a.plan.Of(host)[t.step.Planned]
	}
	if a.inFlight.Err() != nil { // cut before it left: it is due and never sent
		now := a.Elapsed()
		a.drop(leftover{due: t.due, ready: t.ready}, now)
		return now
	}
	ctx, cancel := context.WithTimeout(a.inFlight, time.Duration(a.plan.Plan.Client.Timeout))
	defer cancel()
	ctx = context.WithValue(ctx, requestKey{}, ctx)
	trace := &trace{attack: a, user: u}
	u.hops = 0
	u.turnTo(host)
	req := newRequest(httptrace.WithClientTrace(ctx, trace.hooks()), request, u.client.Jar != nil)

	trace.sent = a.Elapsed()
	a.sent.Add(1)
	a.recorder.Send(u.id, t.due, t.ready, trace.sent)

	x := measure.Sample{Endpoint: request.Endpoint, Due: t.due, Ready: t.ready, Sent: trace.sent, BytesOut: int64(len(request.Body))}
	body := reader{finder: finder{want: request.ExpectBody}, keep: t.step.KeepBody}
	var header http.Header
	res, err := u.client.Do(req)
	if res != nil { // with one redirect too many there are both
		x.Status = res.StatusCode
	}
	if err == nil {
		trace.answered()
		header = res.Header
		x.ServedBy = header.Get("X-Served-By")
		x.BytesIn, x.Truncated, err = body.drain(res.Body, a.plan.Plan.Client.MaxBody)
	}
	x.End = a.Elapsed()
	x.Redirects = u.hops
	x.Retries = max(0, trace.attempts-1-u.hops)
	x.Connect = trace.connect
	x.FirstByte = time.Duration(trace.firstByte.Load())

	timeout := time.Duration(a.plan.Plan.Client.Timeout)
	if err != nil && a.inFlight.Err() != nil && x.End-x.Sent < timeout {
		a.abandoned.Add(1)
		reason := measure.Cut
		if a.patient.Load() {
			reason = measure.Unanswered
		}
		a.recorder.Leave(&measure.Left{
			Endpoint: x.Endpoint, Due: x.Due, Ready: x.Ready, Sent: x.Sent, At: x.End, Retries: x.Retries, Reason: reason,
		})
		return x.End
	}
	switch {
	case err != nil && a.inFlight.Err() != nil: // of a time-out and a cut at once the time-out stands
		x.Kind = measure.KindTimeout
	case err != nil:
		x.Kind = Classify(err, trace.progress())
	case !request.Accepts(x.Status):
		x.Kind = measure.KindStatus
	case !body.found():
		x.Kind = measure.KindBody
	}
	a.recorder.Record(u.id, &x)
	u.script.Answered(Answer{Kind: x.Kind, Status: x.Status, Header: header, Body: body.body(x.BytesIn), Truncated: x.Truncated})
	return x.End
}

func newRequest(ctx context.Context, r *plan.Request, cookies bool) *http.Request {
	req := (&http.Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if cookies {
		req.Header = r.Header.Clone() // the client adds the jar's cookies to it
	}
	req.Close = r.Close
	if r.Chunked {
		req.TransferEncoding = []string{"chunked"}
	}
	if len(r.Body) > 0 || r.Chunked {
		req.ContentLength = int64(len(r.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		req.Body, _ = req.GetBody()
	}
	return req
}

// trace watches one request on its way through net/http. Its hooks run in the request's own goroutine
// but for the first byte's, which a connection's reader may call after the request has timed out.
type trace struct {
	attack *Attack
	user   *user
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
func (t *trace) answered() {
	if t.hints.Load() > 0 && t.firstByte.Load() == 0 {
		t.firstByte.Store(int64(t.attack.Elapsed() - t.sent))
	}
}

func (t *trace) hooks() *httptrace.ClientTrace {
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
				t.attack.recorder.Reused(t.user.id, now)
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
func (t *trace) progress() Progress {
	switch {
	case t.firstByte.Load() > 0 || t.hints.Load() > 0:
		return Answering
	case t.connected:
		return Connected
	default:
		return Connecting
	}
}
