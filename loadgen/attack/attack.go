package attack

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/wire"
)

// Config is what an Attack runs on.
type Config struct {
	Plan     *plan.Ready
	Recorder *measure.Recorder
	// Transport replaces the sockets when it is not nil, for all users together. Sends are then paced with Go timers,
	// which work in a synctest bubble and are up to a millisecond late outside of one.
	Transport http.RoundTripper
	// Script gives each user, or slot of an open plan, what it does; random is the user's own choices, by the plan's seed.
	// Nil: each request is one of the plan's, by their weights.
	Script func(user int, random *rand.Rand) Script

	senders func(a *Attack, user int) sender // for tests
}

// Attack is one run of load. Run it once.
type Attack struct {
	cfg      Config
	plan     *plan.Ready
	recorder *measure.Recorder
	network  *wire.Network
	planned  [][]*wire.Request // the plan's requests, by the host that has its turn
	nothing  http.Response     // for vegeta

	newSender func(id int) sender

	start   time.Time
	scripts func(user int, random *rand.Rand) Script

	queue chan ticket
	pacer *pacer

	inFlight context.Context // ends when requests under way are cut
	cutNow   context.CancelFunc
	stop     chan struct{} // closed by the first Stop
	edited   chan struct{} // has something in it after an edit

	sent, abandoned, dropped, ownDrops atomic.Int64

	stopped atomic.Bool
	patient atomic.Bool // the whole stop timeout had passed when requests were cut
}

// Outcome is what an Attack adds up to. Offered = Sent + Dropped.
type Outcome struct {
	Offered   int64
	Sent      int64
	Dropped   int64 // due before the end of sending, and still unsent when the drain ended
	OwnDrops  int64 // of those, the ones that a slot or user was free for
	Abandoned int64 // sent, and cut when the drain ended

	SendingEnded time.Duration // on the run's clock: the plan's end, or the stop before it
	DrainEnded   time.Duration
}

// New prepares an attack; nothing is sent before Run.
func New(cfg Config) *Attack {
	a := &Attack{cfg: cfg, plan: cfg.Plan, recorder: cfg.Recorder, scripts: cfg.scripts(), queue: make(chan ticket, 1024), stop: make(chan struct{}), edited: make(chan struct{}, 1)}
	a.inFlight, a.cutNow = context.WithCancel(context.Background())
	a.nothing = http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	a.pacer = &pacer{clock: a.Elapsed, queue: a.queue, plan: cfg.Plan.Plan, end: cfg.Plan.End()}
	if cfg.Transport != nil {
		a.pacer.alarm = newTimerAlarm()
		a.newSender = func(id int) sender { return a.newTransported(id, cfg.Transport) }
	} else {
		a.pacer.alarm = newAlarm()
		if a.newSender = a.newWired; cfg.senders != nil {
			a.newSender = func(id int) sender { return cfg.senders(a, id) }
		}
		a.network = NewNetwork(cfg.Plan, a.Elapsed)
		a.render()
	}
	if cfg.Plan.Plan.Model == plan.Open {
		a.pacer.schedule = newOpenSchedule(cfg.Plan, func(slot int) *user {
			return a.newUser(slot, plan.UserStream(cfg.Plan.Plan.Seed, slot, 0))
		})
	} else {
		a.pacer.schedule = newClosedSchedule(cfg.Plan, a.newUser)
	}
	return a
}

// render makes the plan's requests ready for the connection. A plan's requests can be rendered: Prepare has seen to that.
func (a *Attack) render() {
	for host := range max(1, len(a.plan.Hosts)) {
		var all []*wire.Request
		for i := range a.plan.Of(host) {
			q, err := Rendered(&a.plan.Plan.Client, &a.plan.Of(host)[i])
			if err != nil {
				panic("a request that was prepared cannot be rendered: " + err.Error())
			}
			all = append(all, q)
		}
		a.planned = append(a.planned, all)
	}
}

// cut gives up what is under way.
func (a *Attack) cut() {
	a.cutNow()
	if a.network != nil {
		a.network.Cut()
	}
}

// Elapsed is the run's clock: the time since Run began, by the monotonic clock.
func (a *Attack) Elapsed() time.Duration { return time.Since(a.start) }

// Begin sets the run's clock to 0 and returns the moment at which it read that. Run does so itself; whoever needs the
// clock before calls it first.
func (a *Attack) Begin() time.Time {
	a.start = time.Now()
	return a.start
}

// Discard gives back what an Attack holds that is not to be run.
func (a *Attack) Discard() {
	a.pacer.schedule.close()
	a.pacer.alarm.close()
}

// Run sends until the plan's end, or until Stop, then lets what is due or under way finish within the plan's stop
// timeout, and cuts the rest. When it returns, no goroutine and no connection is left.
func (a *Attack) Run() Outcome {
	if a.start.IsZero() {
		a.Begin()
	}
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{
			Transport:     a,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		vegeta.MaxBody(0),
		// No limit to the workers: the schedule bounds what is in flight, and it alone knows of users that left with a
		// request under way and are still beside those who came after them.
	)
	results := attacker.Attack(blank, a.pacer, 0, "")
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for range results {
		}
	}()

	end := a.await(finished)

	unsent := a.pacer.halt(end)
	attacker.Stop() // frees a tick that no worker took
	a.cut()
	<-finished
	drained := max(a.Elapsed(), end)

	a.pacer.schedule.close()
	a.pacer.alarm.close()
	for len(a.queue) > 0 { // tickets that were handed out and that no worker took
		t := <-a.queue
		unsent = append(unsent, leftover{due: t.due, ready: t.ready})
	}
	for _, l := range unsent {
		a.drop(l, drained)
	}
	out := Outcome{
		Sent: a.sent.Load(), Dropped: a.dropped.Load(), OwnDrops: a.ownDrops.Load(), Abandoned: a.abandoned.Load(),
		SendingEnded: end, DrainEnded: drained,
	}
	out.Offered = out.Sent + out.Dropped
	return out
}

// drop counts a send that was due and did not leave.
func (a *Attack) drop(l leftover, at time.Duration) {
	if l.gone {
		at = l.left // nobody has waited for it since
	}
	reason := a.reason(l, at)
	a.dropped.Add(1)
	if reason == measure.OwnDrop {
		a.ownDrops.Add(1)
	}
	a.recorder.Leave(&measure.Left{Endpoint: -1, Due: l.due, Sent: measure.NeverSent, At: at, Reason: reason})
}

// ownAfter is how long a user or slot must have been free for a send that is due before it is the generator's own
// failing that it did not leave: the hand-over takes some time, on a busy machine too.
const ownAfter = 100 * time.Millisecond

// reason is why a send did not leave.
func (a *Attack) reason(l leftover, at time.Duration) measure.Reason {
	switch {
	case l.ready != never && at-l.ready > ownAfter:
		return measure.OwnDrop
	case l.gone || !a.patient.Load():
		return measure.Cut
	default:
		return measure.Unanswered
	}
}

// await returns when the attack is over: all done, or the drain's time is up. It returns when sending ended.
func (a *Attack) await(finished <-chan struct{}) (end time.Duration) {
	end = a.plan.End()
	grace := time.Duration(a.plan.Plan.StopTimeout)
	deadline := time.NewTimer(end + grace - a.Elapsed())
	defer deadline.Stop()
	endNow := func() {
		if now := a.Elapsed(); now < end {
			end = a.pacer.stop()
			a.recorder.Stop(end)
			deadline.Reset(grace)
		}
	}
	stop := a.stop
	for {
		select {
		case <-finished:
			return end
		case <-deadline.C:
			a.patient.Store(grace > 0)
			return end
		case <-a.inFlight.Done():
			endNow()
			return end
		case <-a.edited:
			if stop != nil {
				end = a.pacer.ending()
				deadline.Reset(end + grace - a.Elapsed())
			}
		case <-stop:
			stop = nil
			endNow()
		}
	}
}

// Stop ends sending now; what is due or under way may still finish within the stop timeout.
func (a *Attack) Stop() {
	if a.stopped.CompareAndSwap(false, true) {
		close(a.stop)
	}
}

// ErrEnded is that a plan cannot be edited any more: sending has ended.
var ErrEnded = errors.New("the load has ended")

// Revision is an edited plan.
type Revision struct {
	At    time.Duration // from when on it holds
	Edits []plan.Edit   // what changed
	Plan  plan.Plan     // with all edits so far
	Load  plan.Load
}

// Edit changes the plan from now on; the edits' own times do not matter. An edit that the plan does not allow is refused,
// and so is one after the end of sending, with [ErrEnded]. revised is called before anything is sent by the new plan,
// under the attack's lock: it must be quick, and not call the attack.
func (a *Attack) Edit(revised func(Revision), edits ...plan.Edit) error {
	if len(a.plan.Turns) > 0 {
		return errors.New("hosts take turns in this run: it cannot be edited")
	}
	err := a.pacer.edit(edits, func(r Revision) {
		a.recorder.Revise(r.At, r.Load.Phases)
		if revised != nil {
			revised(r)
		}
	})
	if err == nil {
		select {
		case a.edited <- struct{}{}:
		default:
		}
	}
	return err
}

// Cut ends sending and cuts what is under way.
func (a *Attack) Cut() {
	a.Stop()
	a.cut()
}

// Gauges returns how many sends were due before t since the start, and how many users took part just before it.
// Call it with ascending t.
func (a *Attack) Gauges(t time.Duration) (offered int64, users int) {
	p := a.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	t = min(t, p.end)
	return p.schedule.offered(t), p.schedule.users(t)
}

// blank is vegeta's target: something that it can make a request of, for RoundTrip to ignore.
func blank(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://loadgen.invalid/"
	return nil
}
