package lab

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"scalableappbackend/server"
)

// inProcess starts the project's own API behind a capacity model.
type inProcess struct {
	capacity   Capacity
	healthPath string
}

func (l *inProcess) startup() time.Duration { return 0 }
func (l *inProcess) slow() bool             { return false }

func (l *inProcess) launch(_ context.Context, id string, number int) (replica, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &local{address: ln.Addr().String(), limiter: newLimiter(l.capacity, l.healthPath, uint64(number)), ended: make(chan struct{})}
	r.server = server.New(server.Options{Instance: id, Wrap: r.wrap})
	ctx, drain := context.WithCancel(context.Background())
	r.drain = drain
	go func() {
		defer close(r.ended)
		defer drain()
		_ = r.server.Serve(ctx, ln) // ends by stop or kill
		r.handlers.Wait()
	}()
	return r, nil
}

// local is a replica in this process.
type local struct {
	address string
	server  *server.Server
	limiter *limiter
	drain   context.CancelFunc
	ended   chan struct{}
	// handlers are the requests being served. A server that is closed does not wait for them.
	handlers group
}

func (r *local) wrap(next http.Handler) http.Handler {
	limited := r.limiter.wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.handlers.enter()
		defer r.handlers.leave()
		limited.ServeHTTP(w, req)
	})
}

func (r *local) addr() string          { return r.address }
func (r *local) used() (float64, bool) { return r.limiter.used(), true }
func (r *local) done() <-chan struct{} { return r.ended }
func (r *local) err() error            { return nil }
func (r *local) output() []string      { return nil }

func (r *local) stop(grace time.Duration, hurry <-chan struct{}) bool {
	r.drain()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-r.ended:
		return true
	case <-timer.C:
	case <-hurry:
	}
	r.kill()
	return false
}

func (r *local) kill() {
	_ = r.server.Close()
	r.drain() // a Serve that Close came before would otherwise not know
	<-r.ended
}

// group counts who is inside. Unlike a sync.WaitGroup it may be entered from zero while somebody waits.
type group struct {
	mu    sync.Mutex
	n     int
	empty chan struct{} // made by who waits
}

func (g *group) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
}

func (g *group) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.n == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// Wait returns when nobody is inside.
func (g *group) Wait() {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	<-empty
}
