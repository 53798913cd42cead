package bench

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/trace"
	"scalableappbackend/loadgen/wire"
)

// goroutines are drivers of one connection each: for whatever a loop cannot do.
func (b *Bench) goroutines() []driver {
	drivers := make([]driver, b.connections())
	for i := range drivers {
		drivers[i] = b.goroutine(i)
	}
	return drivers
}

func (b *Bench) goroutine(slot int) *goroutine {
	g := &goroutine{bench: b, slot: slot}
	opened := func(at time.Duration, address string) { b.cfg.Recorder.Opened(slot, at, address) }
	var jar http.CookieJar
	if b.client.Cookies {
		jar, _ = cookiejar.New(nil) // never fails without options
	}
	g.user = b.network.NewUser(opened, b.client.MaxHops(), jar)
	return g
}

// goroutine drives one connection.
type goroutine struct {
	bench *Bench
	slot  int // of the recorder
	user  *wire.User

	at      int   // of Bench.requests
	claimed int64 // requests that it may still send
	moved   *moved
	begun   uint64   // requests
	trace   trace.ID // of the one under way
	fields  []byte   // room for its fields

	sent, left int64
}

// moved is a request under way that a loop has handed over.
type moved struct {
	ready    time.Duration
	answer   wire.Answer // its first, which redirects
	location []byte
}

func (g *goroutine) counts() (sent, abandoned int64) { return g.sent, g.left }

// wake has nothing to do: a goroutine asks after each answer whether it may go on, and a cut ends what it waits for.
func (g *goroutine) wake() {}

func (g *goroutine) close() {}

func (g *goroutine) run() {
	defer g.user.Close()
	b := g.bench
	ready := b.Elapsed()
	if m := g.moved; m != nil {
		q := &b.requests[g.at]
		how := g.call(m.answer.Sent)
		found := attack.Wanted(q.Request, &how)
		err := g.user.Follow(q.wire, &how, &m.answer, m.location)
		ready = g.finish(q, m.ready, &m.answer, found(), err)
	}
	for ready < b.sendingEnds() && !b.cutting.Load() {
		if g.claimed == 0 {
			if g.claimed = b.claims.take(); g.claimed == 0 {
				return
			}
		}
		g.claimed--
		q := &b.requests[g.at]
		a := wire.Answer{Sent: b.Elapsed()}
		g.sent++
		g.begun++
		g.trace = b.trace(g.slot, g.begun, a.Sent)
		b.cfg.Recorder.Send(g.slot, ready, ready, a.Sent)
		how := g.call(a.Sent)
		found := attack.Wanted(q.Request, &how)
		err := g.user.Do(q.wire, &how, &a)
		ready = g.finish(q, ready, &a, found(), err)
	}
}

// call is how a request is sent.
func (g *goroutine) call(sent time.Duration) wire.Call {
	c := g.bench.client
	how := wire.Call{MaxBody: c.MaxBody, Deadline: g.bench.start.Add(sent + time.Duration(c.Timeout))}
	if !g.trace.IsZero() {
		g.fields = g.trace.AppendFields(g.fields[:0])
		how.Fields = g.fields
	}
	return how
}

// finish records how a request ended, and returns when.
func (g *goroutine) finish(q *request, ready time.Duration, a *wire.Answer, found bool, err error) time.Duration {
	b := g.bench
	if g.at++; g.at == len(b.requests) {
		g.at = 0
	}
	for range a.Reuses {
		b.cfg.Recorder.Reused(g.slot, a.Sent)
	}
	if errors.Is(err, wire.ErrCut) && a.End-a.Sent < time.Duration(b.client.Timeout) {
		g.left++
		b.cfg.Recorder.Leave(b.left(q.Endpoint, ready, a.Sent, a.End, a.Retries))
		return a.End
	}
	x := attack.SampleOf(q.Request, a, found, err)
	x.Due, x.Ready, x.Trace = ready, ready, g.trace
	b.cfg.Recorder.Record(g.slot, &x)
	return a.End
}
