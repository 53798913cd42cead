package attack

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/trace"
	"scalableappbackend/loadgen/wire"
)

// RoundTrip is what vegeta's workers call. The request is vegeta's and ignored: the next ticket in the queue says
// what to send, and the answer that goes back to vegeta says nothing.
func (a *Attack) RoundTrip(*http.Request) (*http.Response, error) {
	t := <-a.queue
	end := a.exchange(t)
	a.pacer.done(t.user, end)
	return &a.nothing, nil
}

// call is one request of a user, to be sent now.
type call struct {
	request *plan.Request
	planned int // its number among the plan's; below 0 of a script's own
	host    int // of those that take turns
	sent    time.Duration
	body    *reader // nil: nobody looks at it
	header  bool    // the answer's is wanted
	trace   trace.ID
}

// sender sends one user's requests, one at a time.
type sender interface {
	// send sends a request and returns what is to be counted of it, but for when it was due, and its final header, when
	// that is wanted. cut says that no answer came before requests were cut.
	send(*call) (x measure.Sample, header http.Header, cut bool)
	// close ends the idle connections.
	close()
}

// exchange sends a ticket's request, measures and records it, and returns when it ended.
func (a *Attack) exchange(t ticket) time.Duration {
	u := t.user
	c := call{request: t.step.Request, planned: -1, host: a.plan.Turn(t.due), header: a.cfg.Script != nil}
	if c.request == nil {
		c.planned = t.step.Planned
		c.request = &a.plan.Of(c.host)[c.planned]
	}
	if t.step.KeepBody || len(c.request.ExpectBody) > 0 {
		c.body = &reader{finder: finder{want: c.request.ExpectBody}, keep: t.step.KeepBody}
	}
	if a.inFlight.Err() != nil { // cut before it left: it is due and never sent
		now := a.Elapsed()
		a.drop(leftover{due: t.due, ready: t.ready}, now)
		return now
	}
	c.sent = a.Elapsed()
	if t.traced {
		c.trace = trace.New(a.start.Add(c.sent))
	}
	a.sent.Add(1)
	a.recorder.Send(u.id, t.due, t.ready, c.sent)

	x, header, cut := u.sender.send(&c)
	x.Due, x.Ready, x.Trace = t.due, t.ready, c.trace
	if cut {
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
	a.recorder.Record(u.id, &x)
	u.script.Answered(Answer{Kind: x.Kind, Status: x.Status, Header: header, Body: c.body.body(x.BytesIn), Truncated: x.Truncated})
	return x.End
}

// wired sends over connections of its own: see package wire.
type wired struct {
	attack *Attack
	id     int
	user   *wire.User
	how    wire.Call
	answer wire.Answer
	jars   []http.CookieJar // by the host that has its turn; none without cookies
	fields []byte           // room for the fields of a traced request
}

func (a *Attack) newWired(id int) sender {
	w := &wired{attack: a, id: id}
	w.how.MaxBody = a.plan.Plan.Client.MaxBody
	opened := func(at time.Duration, address string) { a.recorder.Opened(id, at, address) }
	w.user = a.network.NewUser(opened, a.plan.Plan.Client.MaxHops(), nil)
	return w
}

func (w *wired) send(c *call) (x measure.Sample, header http.Header, cut bool) {
	a := w.attack
	timeout := time.Duration(a.plan.Plan.Client.Timeout)
	w.how.Deadline = a.start.Add(c.sent + timeout)
	w.how.Begin, w.how.Data, w.how.Header, w.how.Fields = nil, nil, nil, nil
	if !c.trace.IsZero() {
		w.fields = c.trace.AppendFields(w.fields[:0])
		w.how.Fields = w.fields
	}
	if c.body != nil {
		w.how.Begin, w.how.Data = c.body.begin, c.body.data
	}
	if c.header {
		header = http.Header{}
		w.how.Header = header
	}
	if a.plan.Plan.Client.Cookies {
		w.turnTo(c.host)
	}
	w.answer.Sent = c.sent
	q, err := a.rendered(c)
	if err == nil {
		err = w.user.Do(q, &w.how, &w.answer)
	} else {
		w.answer = wire.Answer{Sent: c.sent, End: a.Elapsed()}
	}
	for range w.answer.Reuses {
		a.recorder.Reused(w.id, w.answer.End)
	}
	x = SampleOf(c.request, &w.answer, c.body.found(), err)
	return x, header, errors.Is(err, wire.ErrCut) && x.End-x.Sent < timeout
}

// rendered is a request as it goes over the connection: of the plan's, each is rendered once.
func (a *Attack) rendered(c *call) (*wire.Request, error) {
	if c.planned >= 0 {
		return a.planned[c.host][c.planned], nil
	}
	return Rendered(&a.plan.Plan.Client, c.request)
}

// turnTo gives the user the cookies of one of the plan's hosts. Each has a jar of its own, because a jar does not tell
// the ports of an address apart (RFC 6265 §8.5).
func (w *wired) turnTo(host int) {
	for len(w.jars) <= host {
		jar, _ := cookiejar.New(nil) // never fails without options
		w.jars = append(w.jars, jar)
	}
	w.user.Keep(w.jars[host])
}

func (w *wired) close() { w.user.Close() }
