// Package server is the API that the load is put on: two routes, a readiness that can be taken back,
// and a drain that loses no request.
//
// It promises:
//   - GET and HEAD of / and /health answer small JSON; other methods of them 405, every other path 404, also in JSON.
//   - X-Served-By names the instance on every answer, those of a Wrap around the routes included, so that load can be
//     attributed to a replica.
//   - When the context of Serve ends, /health answers 503 at once, everything else is served as before for DrainDelay
//     (with Connection: close, so that clients leave), and then requests in flight are finished within Grace.
//   - A request costs at most two atomic loads and no allocation of this package's; nothing is logged per request.
//
// It refuses to read flags or the environment, to find out its own name, to handle signals and to exit: package main of
// cmd/server does. It has no state, no TLS and no HTTP/2: it stands behind a balancer that ends both.
package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Timeouts of one connection.
const (
	// ReadHeaderTimeout ends a connection that does not finish its request's header.
	ReadHeaderTimeout = 5 * time.Second
	// ReadTimeout is for header and body together. The API reads no body, so a long one is of no use to anybody.
	ReadTimeout = 10 * time.Second
	// WriteTimeout is from the end of the header to the end of the answer. It is longer than a load generator's usual
	// 10 s, so that a Wrap that makes requests queue shows as the client's timeout and not as a reset connection.
	WriteTimeout = 30 * time.Second
	// IdleTimeout is longer than the 60 s after which an Application Load Balancer gives up an idle connection. Were it
	// shorter, the balancer would now and then send a request on a connection that is being closed here and answer 502.
	IdleTimeout = 75 * time.Second
	// DefaultGrace together with a drain delay of up to 5 s stays within the 30 s between Fargate's SIGTERM and SIGKILL.
	DefaultGrace = 20 * time.Second
)

// Options says how a Server behaves. The zero value works: no instance name, no drain delay, DefaultGrace, silent.
type Options struct {
	// Instance is the value of X-Served-By; when empty the header is left out.
	Instance string
	// Wrap, when not nil, is put around the routes, /health among them: a model of limited capacity, say.
	// X-Served-By is set before it runs.
	Wrap func(http.Handler) http.Handler
	// DrainDelay is how long serving goes on after /health has turned 503, so that a balancer can notice.
	DrainDelay time.Duration
	// Grace is how long requests in flight may take after that; 0 means DefaultGrace, a negative one no time at all.
	Grace time.Duration
	// Log receives the start, the drain and the end, and what net/http complains of; nil discards them.
	Log *slog.Logger
}

// Server serves the API, once. It is an http.Handler too, for a test or a transport without sockets.
type Server struct {
	opts     Options
	routes   http.Handler
	http     http.Server
	draining atomic.Bool
	closed   atomic.Bool

	// Header values are kept as the slices that http.Header holds: setting one then allocates nothing.
	servedBy, connectionClose []string
}

// New returns a Server that is ready: /health answers 200 until the context of Serve ends.
func New(opts Options) *Server {
	if opts.Grace == 0 {
		opts.Grace = DefaultGrace
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: opts, connectionClose: []string{"close"}}
	if opts.Instance != "" {
		s.servedBy = []string{opts.Instance}
	}
	s.routes = newRoutes(opts.Instance, &s.draining)
	if opts.Wrap != nil {
		s.routes = opts.Wrap(s.routes)
	}
	s.http = http.Server{
		Handler:           s,
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		ErrorLog:          slog.NewLogLogger(opts.Log.Handler(), slog.LevelWarn),
		// Otherwise net/http answers "OPTIONS *" itself: 200, and no X-Served-By.
		DisableGeneralOptionsHandler: true,
	}
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if s.servedBy != nil {
		h["X-Served-By"] = s.servedBy
	}
	if s.draining.Load() {
		// Connections that a client keeps would be closed at the end of the drain, perhaps under a request that is just
		// arriving. Told now, the client leaves with an answer in hand.
		h["Connection"] = s.connectionClose
	}
	s.routes.ServeHTTP(w, r)
}

// Serve answers on ln until ctx ends, then drains as the package says, closes ln, and returns nil. Its errors are
// http.ErrServerClosed after Close, one that wraps context.DeadlineExceeded when requests were cut off because Grace
// ran out, and ln's own when it fails. Serve may be called once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer s.http.Close() // whatever ends it, no connection outlives Serve
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(ln) }()
	s.opts.Log.Info("serving", "addr", ln.Addr().String(), "instance", s.opts.Instance)

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	began := time.Now()
	s.draining.Store(true)
	s.opts.Log.Info("draining", "drain_delay_s", s.opts.DrainDelay.Seconds(), "grace_s", s.opts.Grace.Seconds())

	delay := time.NewTimer(s.opts.DrainDelay)
	defer delay.Stop()
	select {
	case err := <-ended:
		return err
	case <-delay.C:
	}

	// ctx has ended, which is why we are here: the grace must not inherit that.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Grace)
	defer cancel()
	err := s.http.Shutdown(grace)
	<-ended
	switch {
	case s.closed.Load():
		return http.ErrServerClosed
	case err != nil:
		return fmt.Errorf("requests were cut off after a grace of %s: %w", s.opts.Grace, err)
	}
	s.opts.Log.Info("stopped", "drain_s", time.Since(began).Seconds())
	return nil
}

// Close ends at once: it closes the listener and all connections, requests in flight included. A Serve that is running
// returns http.ErrServerClosed.
func (s *Server) Close() error {
	s.closed.Store(true)
	return s.http.Close()
}
