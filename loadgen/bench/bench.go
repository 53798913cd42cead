package bench

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/trace"
	"scalableappbackend/loadgen/wire"
)

// Config is what a Bench runs on. The plan's users are its connections.
type Config struct {
	Plan     *plan.Ready
	Recorder *measure.Recorder
}

// Bench is one run of load. Run it once.
type Bench struct {
	cfg      Config
	client   *plan.Client
	requests []request
	traced   plan.Sample
	end      time.Duration // of sending, by plan
	network  *wire.Network // of connections that a goroutine owns

	start   time.Time
	claims  claims
	stopAt  atomic.Int64 // when sending ended before the plan's end; 0 while it has not
	cutting atomic.Bool  // what is under way is given up
	whole   atomic.Bool  // the whole stop timeout had passed then
	stopped chan struct{}
	once    sync.Once

	running sync.WaitGroup // drivers
	mu      sync.Mutex     // of drivers, which come while others may wake them already
	drivers []driver
}

// request is one of the plan's, ready to be written.
type request struct {
	*plan.Request
	wire *wire.Request
}

// driver sends on a share of the connections, in goroutines of its own.
type driver interface {
	// run sends until it may not any more and all its answers are there, or are given up.
	run()
	// wake makes it look at what the Bench says.
	wake()
	// counts are, after run, how many requests it has sent, and how many of all that it had were given up.
	counts() (sent, abandoned int64)
	// close is called after run, and nothing after it.
	close()
}

// New prepares a bench; nothing is sent before Run.
func New(cfg Config) (*Bench, error) {
	b := &Bench{cfg: cfg, client: &cfg.Plan.Plan.Client, end: cfg.Plan.End(), traced: cfg.Plan.Plan.Traced(), stopped: make(chan struct{})}
	for i := range cfg.Plan.Requests {
		q := &cfg.Plan.Requests[i]
		rendered, err := attack.Rendered(b.client, q)
		if err != nil {
			return nil, err
		}
		for range max(1, q.Weight) {
			b.requests = append(b.requests, request{q, rendered})
		}
	}
	b.network = attack.NewNetwork(cfg.Plan, b.Elapsed)
	b.claims.left.Store(cfg.Plan.Plan.Requests)
	b.claims.bounded = cfg.Plan.Plan.Requests > 0
	return b, nil
}

// connections is how many requests may be under way at once.
func (b *Bench) connections() int { return b.cfg.Plan.Plan.Users }

// Begin sets the run's clock to 0, and returns the instant. Run does so itself; whoever needs the clock before calls it first.
func (b *Bench) Begin() time.Time {
	b.start = time.Now()
	return b.start
}

// Elapsed is the run's clock: the time since Begin, by the monotonic clock.
func (b *Bench) Elapsed() time.Duration { return time.Since(b.start) }

// Run sends until the plan's end, its number of requests, or Stop, then lets what is under way finish within the
// plan's stop timeout, and cuts the rest. When it returns, no goroutine and no connection is left.
func (b *Bench) Run() attack.Outcome {
	if b.start.IsZero() {
		b.Begin()
	}
	b.drive(b.newDrivers()...)
	finished := make(chan struct{})
	go func() { b.running.Wait(); close(finished) }()

	end := b.await(finished)
	b.cut()
	<-finished

	out := attack.Outcome{SendingEnded: end, DrainEnded: max(b.Elapsed(), end)}
	b.mu.Lock()
	for _, d := range b.drivers {
		sent, abandoned := d.counts()
		out.Sent += sent
		out.Abandoned += abandoned
		d.close()
	}
	b.drivers = nil // a late Cut has nobody to wake
	b.mu.Unlock()
	out.Offered = out.Sent
	return out
}

// drive starts drivers, which may themselves start others.
func (b *Bench) drive(drivers ...driver) {
	b.mu.Lock()
	b.drivers = append(b.drivers, drivers...)
	b.mu.Unlock()
	for _, d := range drivers {
		b.running.Go(d.run)
	}
}

// cut gives up what is under way.
func (b *Bench) cut() {
	b.cutting.Store(true)
	b.network.Cut()
	b.wakeAll()
}

// await returns when all answers are there, or the drain's time is up. It returns when sending ended.
func (b *Bench) await(finished <-chan struct{}) time.Duration {
	grace := time.Duration(b.cfg.Plan.Plan.StopTimeout)
	deadline := time.NewTimer(b.end + grace - b.Elapsed())
	defer deadline.Stop()
	stop := b.stopped
	for {
		select {
		case <-finished:
			// All requests that were asked for have been sent: the run is over with the last answer.
			return b.endSending(b.Elapsed())
		case <-deadline.C:
			b.whole.Store(grace > 0)
			return b.endSending(b.end)
		case <-stop:
			stop = nil
			b.endSending(b.Elapsed())
			if b.cutting.Load() {
				return b.sendingEnds()
			}
			deadline.Reset(grace)
		}
	}
}

// endSending ends it at an instant, unless it has ended already, and says when it did.
func (b *Bench) endSending(at time.Duration) time.Duration {
	if at < b.sendingEnds() && b.stopAt.CompareAndSwap(0, int64(max(at, 1))) {
		b.cfg.Recorder.Stop(at)
		b.wakeAll()
	}
	return b.sendingEnds()
}

// sendingEnds is when nothing more is sent, as far as is known.
func (b *Bench) sendingEnds() time.Duration {
	if at := b.stopAt.Load(); at != 0 {
		return time.Duration(at)
	}
	return b.end
}

func (b *Bench) wakeAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.drivers {
		d.wake()
	}
}

// Gauges returns that all that is due is sent, and how many connections there are until sending ends.
func (b *Bench) Gauges(t time.Duration) (offered int64, users int) {
	if t > b.sendingEnds() {
		return -1, 0
	}
	return -1, b.connections()
}

// Stop ends sending now; what is under way may still finish within the stop timeout.
func (b *Bench) Stop() { b.once.Do(func() { close(b.stopped) }) }

// Cut ends sending and cuts what is under way.
func (b *Bench) Cut() {
	b.Stop()
	b.cut()
}

// claims hands out a bounded number of requests to the drivers, many at a time, so that they need not meet.
type claims struct {
	bounded bool
	left    atomic.Int64
}

// take returns how many more requests a driver may send, 0 when all were handed out: few at the end, so that no
// driver is left with many.
func (c *claims) take() int64 {
	if !c.bounded {
		return 1 << 40
	}
	for {
		left := c.left.Load()
		n := min(left, max(1, min(256, left/1024)))
		if left == 0 || c.left.CompareAndSwap(left, left-n) {
			return n
		}
	}
}

// trace is the id of a connection's n-th request, when it is to carry one. On a bench that traces nothing it costs a
// comparison.
func (b *Bench) trace(connection int, n uint64, at time.Duration) trace.ID {
	if b.traced.Empty() || !b.traced.Has(connection, 0, n) {
		return trace.ID{}
	}
	return trace.New(b.start.Add(at))
}

// left is a request that no answer ended.
func (b *Bench) left(endpoint int, ready, sent, at time.Duration, retries int) *measure.Left {
	reason := measure.Cut
	if b.whole.Load() {
		reason = measure.Unanswered
	}
	return &measure.Left{Endpoint: endpoint, Due: ready, Ready: ready, Sent: sent, At: at, Retries: retries, Reason: reason}
}

// processors is how many loops run side by side.
func (b *Bench) processors() int { return max(1, min(runtime.GOMAXPROCS(0), b.connections())) }
