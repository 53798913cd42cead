package lab

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Times of the balancer that are an Application Load Balancer's and on the run's clock, because requests are.
const (
	// IdleTimeout is how long a connection may be silent, on either side: 504 when a target lets a request wait longer.
	IdleTimeout = 60 * time.Second
	// ConnectTimeout is how long a target may take to accept a connection: 504 after it.
	ConnectTimeout = 10 * time.Second
)

// balancer is a reverse proxy with an Application Load Balancer's behaviour: see the package's doc.
type balancer struct {
	idle   time.Duration // of targets, and of clients within a request: IdleTimeout
	http   http.Server
	inside group // requests
	dialer net.Dialer
	served chan struct{}
	url    string

	mu       sync.Mutex
	targets  []*target // registered, in order of registration
	rotation []*target // those that get requests
	next     uint      // of rotation
	counts   Counts
	// What a period is made of: requests since the start, and how many targets were in rotation, summed over time.
	inRotation time.Duration // target × time until since
	since      time.Time

	times *responseTimes // nil: nobody asks for them
}

// Counts is what the balancer did with the requests of clients, health checks excluded.
type Counts struct {
	Requests   int64 // answered or not
	Refused    int64 // 400, 405, 414: not for any target, see refusal
	ClientLate int64 // 408: the client did not go on with its request for IdleTimeout
	Routed     int64 // those for which there was a target
	NoTarget   int64 // 503: there was none
	BadGateway int64 // 502: the target refused, closed, reset or answered nonsense, or more than 32K of header
	Timeout    int64 // 504
	Cut        int64 // the target failed within its answer's body
	ClientGone int64 // the client did not wait for the answer (460 in an ALB's log)
	TargetBad  int64 // answered with 5xx by the target itself
}

// startBalancer serves on a loopback port. Times may be nil.
func startBalancer(idle time.Duration, times *responseTimes) (*balancer, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{
		idle: idle, times: times, served: make(chan struct{}), url: "http://" + ln.Addr().String(), since: time.Now(),
		dialer: net.Dialer{Timeout: ConnectTimeout},
	}
	b.http = http.Server{
		Handler:                      b,
		IdleTimeout:                  IdleTimeout,
		ReadHeaderTimeout:            IdleTimeout,
		MaxHeaderBytes:               maxRequestRead,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() {
		defer close(b.served)
		_ = b.http.Serve(ln) // ends by close
	}()
	return b, nil
}

func (b *balancer) close() {
	_ = b.http.Close()
	<-b.served
	b.inside.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.targets {
		t.pool.close()
	}
}

// register makes a target known. It gets requests when its first health check passes.
func (b *balancer) register(id, addr string, rise, fall int) *target {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &target{id: id, addr: addr, health: health{rise: rise, fall: fall}, drained: make(chan struct{})}
	b.targets = append(b.targets, t)
	b.rotate()
	return t
}

// observe takes the outcome of a health check of t, and says what its state is and whether that is new.
func (b *balancer) observe(t *target, passed bool) (s state, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed = t.health.observe(passed)
	if changed {
		b.rotate()
	}
	return t.health.state, changed
}

// refuse makes t answer nobody any more, as an address does whose program is gone. The port may be another's by now.
func (b *balancer) refuse(t *target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.dead = true
}

// deregister gives t no more requests. Its drained is closed when those in flight are done.
func (b *balancer) deregister(t *target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.draining {
		return
	}
	t.draining = true
	if i := slices.Index(b.targets, t); i >= 0 {
		b.targets = slices.Delete(b.targets, i, i+1)
	}
	b.rotate()
	if t.inFlight == 0 {
		close(t.drained)
	}
}

// rotate computes who gets requests: the healthy targets; when there is none, the unhealthy ones, because that the checks
// are wrong is then likelier than that all targets are ("fail open"). A target without a verdict gets none.
func (b *balancer) rotate() {
	now := time.Now()
	b.inRotation += time.Duration(len(b.rotation)) * now.Sub(b.since)
	b.since = now
	b.rotation = b.rotation[:0:0]
	for _, t := range b.targets {
		if t.health.state == healthy {
			b.rotation = append(b.rotation, t)
		}
	}
	if len(b.rotation) > 0 {
		return
	}
	for _, t := range b.targets {
		if t.health.state == unhealthy {
			b.rotation = append(b.rotation, t)
		}
	}
}

// period is what has been summed up until now, requests with a target and targets in rotation × time, and whether any
// target is registered.
func (b *balancer) period() (routed int64, inRotation time.Duration, registered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts.Routed, b.inRotation + time.Duration(len(b.rotation))*time.Since(b.since), len(b.targets) > 0
}

// registered is the targets in order of registration.
func (b *balancer) registered() []*target {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.targets)
}

// dead says whether a target's program is gone.
func (b *balancer) dead(t *target) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return t.dead
}

// pick chooses a target in turn and counts the request as in flight there; nil when there is none.
func (b *balancer) pick() *target {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Requests++
	if len(b.rotation) == 0 {
		b.counts.NoTarget++
		return nil
	}
	t := b.rotation[b.next%uint(len(b.rotation))]
	b.next++
	b.counts.Routed++
	t.requests++
	t.inFlight++
	return t
}

// outcome is how a routed request ended.
type outcome int

const (
	passedOn   outcome = iota // the target's answer, whole
	targetBad                 // the target's answer, a 5xx
	badGateway                // 502
	timeout                   // 504
	cutShort                  // the target's answer, not whole
	clientGone                // 460
	clientLate                // 408
)

func (b *balancer) done(t *target, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch o {
	case targetBad:
		b.counts.TargetBad++
	case badGateway:
		b.counts.BadGateway++
	case timeout:
		b.counts.Timeout++
	case cutShort:
		b.counts.Cut++
	case clientGone:
		b.counts.ClientGone++
	case clientLate:
		b.counts.ClientLate++
	}
	if o != passedOn && o != clientGone && o != clientLate {
		t.errors++
	}
	if (o == passedOn || o == targetBad) && t.firstSent.IsZero() {
		t.firstSent = time.Now()
	}
	t.inFlight--
	if t.draining && t.inFlight == 0 {
		close(t.drained)
	}
}

// total is a copy of the counts.
func (b *balancer) total() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts
}

// shares is a copy of what t has had.
func (b *balancer) shares(t *target) (requests, errors int64, firstSent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return t.requests, t.errors, t.firstSent
}

// refused counts a request that goes to no target.
func (b *balancer) refused() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Requests++
	b.counts.Refused++
}

// ServeHTTP sends a request to one target, once.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.inside.enter()
	defer b.inside.leave()
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // an answer does not wait for the request's end
	u := newUpload(w, r, b.idle)
	e, o := b.route(w, r, u)
	left := lingerTime // to read the answer
	if o == clientGone {
		left = 0
	} else {
		_ = control.Flush()
	}
	if e != nil {
		e.finish(left)
	}
	u.discard(left)
	if o == cutShort || o == clientGone {
		panic(http.ErrAbortHandler) // the client must see that the answer is not whole
	}
}

func (b *balancer) route(w http.ResponseWriter, r *http.Request, u *upload) (*exchange, outcome) {
	if status := refusal(r); status != 0 {
		b.refused()
		w.Header().Set("Connection", "close")
		answer(w, status)
		return nil, passedOn
	}
	t := b.pick()
	if t == nil {
		if u != nil {
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusServiceUnavailable)
		return nil, passedOn
	}
	e, o := b.forward(w, r, u, t)
	b.done(t, o)
	return e, o
}

// forward is the exchange with a target, nil when none began, and how it went.
func (b *balancer) forward(w http.ResponseWriter, r *http.Request, u *upload, t *target) (*exchange, outcome) {
	c, err := b.connect(r.Context(), t)
	if err != nil {
		if u != nil {
			w.Header().Set("Connection", "close")
		}
		return nil, refuse(w, err)
	}
	sent := time.Now()
	e, err := c.begin(r, u)
	if err == nil {
		b.times.add(time.Since(sent))
	} else {
		t.pool.discard(c)
		if !e.uploaded() {
			w.Header().Set("Connection", "close")
		}
		return e, refuse(w, err)
	}
	header := w.Header()
	hop := hopByHop(e.res.Header)
	for name, values := range e.res.Header {
		if !hop(name) {
			header[name] = values
		}
	}
	// The target's, or none: as the target sent it.
	for _, name := range [...]string{"Date", "Content-Type"} {
		if header[name] == nil {
			header[name] = nil
		}
	}
	if !e.uploaded() {
		header.Set("Connection", "close") // what comes after the answer is no other request
	}
	w.WriteHeader(e.res.StatusCode)
	err = pass(w, e.res)
	gone := r.Context().Err() != nil
	if e.end(err == nil) {
		t.pool.give(c)
	} else {
		t.pool.discard(c)
	}
	switch {
	case err != nil && gone:
		return e, clientGone
	case err != nil:
		return e, cutShort
	case e.res.StatusCode >= 500:
		return e, targetBad
	}
	return e, passedOn
}

// connect finds a connection to t: one that is idle, else a new one.
func (b *balancer) connect(ctx context.Context, t *target) (*conn, error) {
	if c := t.pool.take(b.idle); c != nil {
		return c, nil
	}
	if b.dead(t) {
		return nil, errDead
	}
	socket, err := b.dialer.DialContext(ctx, "tcp", t.addr)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			_ = socket.Close()
		}
		return nil, errClientGone
	case err != nil:
		return nil, err
	}
	c := newConn(socket, b.idle)
	if !t.pool.add(c) {
		_ = socket.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// errDead is what a connection to a target whose program is gone fails with.
var errDead = errors.New("connection refused: the program is gone")

// pass copies an answer's body. What has no length is passed on piece by piece, as a stream needs it.
func pass(w http.ResponseWriter, res *http.Response) error {
	defer res.Body.Close()
	if res.ContentLength >= 0 {
		_, err := io.Copy(w, res.Body)
		return err
	}
	flush := http.NewResponseController(w).Flush
	buf := make([]byte, 16<<10)
	for {
		n, err := res.Body.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			if err := flush(); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// refuse answers in the target's stead.
func refuse(w http.ResponseWriter, err error) outcome {
	switch {
	case errors.Is(err, errClientGone):
		return clientGone
	case errors.Is(err, errClientLate):
		w.Header().Set("Connection", "close")
		answer(w, http.StatusRequestTimeout)
		return clientLate
	}
	// The idle timeout and that of connecting are both one of the net package's.
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		answer(w, http.StatusGatewayTimeout)
		return timeout
	}
	answer(w, http.StatusBadGateway)
	return badGateway
}

// answer is the balancer's own. The Server field tells it from a target's.
func answer(w http.ResponseWriter, status int) {
	body := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Server", "loadgen-lab-balancer")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that has gone has its own loss
}
