package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/server"
)

// pipeListener is a listener without sockets: a bubble of synctest can see it wait, which it cannot with real I/O.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { l.once.Do(func() { close(l.done) }); return nil }

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (l *pipeListener) Dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, errRefused
	}
}

var errRefused = errors.New("connection refused")

// bubble is a server with a client, both in the synctest bubble of the caller.
type bubble struct {
	client *http.Client
	ln     *pipeListener
	drain  context.CancelFunc
	served chan error // what Serve returned
}

func startBubble(t *testing.T, srv *server.Server) *bubble {
	ctx, cancel := context.WithCancel(t.Context())
	ln := newPipeListener()
	tr := &http.Transport{DialContext: ln.Dial}
	b := &bubble{client: &http.Client{Transport: tr}, ln: ln, drain: cancel, served: make(chan error, 1)}
	go func() { b.served <- srv.Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); srv.Close(); tr.CloseIdleConnections() })
	return b
}

func (b *bubble) get(path string) (*http.Response, error) {
	res, err := b.client.Get("http://replica" + path)
	if err == nil {
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	return res, err
}

func (b *bubble) want(t *testing.T, path string, status int, close bool) {
	t.Helper()
	res, err := b.get(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if res.StatusCode != status || res.Close != close {
		t.Errorf("%s: %d, close %t; want %d, close %t", path, res.StatusCode, res.Close, status, close)
	}
}

// slow answers /?slow=D after D and everything else at once.
func slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d, err := time.ParseDuration(r.URL.Query().Get("slow")); err == nil {
			time.Sleep(d)
		}
		next.ServeHTTP(w, r)
	})
}

// Shutdown looks for idle connections at growing intervals of at most 500 ms, give or take a tenth.
const shutdownPoll = 550 * time.Millisecond

func TestDrainTurnsHealthAtOnceServesForTheDelayAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBubble(t, server.New(server.Options{DrainDelay: 5 * time.Second}))
		b.want(t, "/health", 200, false)
		b.want(t, "/", 200, false)

		began := time.Now()
		b.drain()
		synctest.Wait()
		b.want(t, "/health", 503, true)
		b.want(t, "/", 200, true)
		if d := time.Since(began); d != 0 {
			t.Fatalf("the first 503 came %s after the end of the context", d)
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		b.want(t, "/health", 503, true)
		b.want(t, "/", 200, true)

		if err := <-b.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if d := time.Since(began); d < 5*time.Second || d > 5*time.Second+shutdownPoll {
			t.Errorf("Serve returned %s after the end of the context, want the drain delay of 5s", d)
		}
		if _, err := b.get("/"); !errors.Is(err, errRefused) {
			t.Errorf("after the drain: %v, want %v", err, errRefused)
		}
	})
}

func TestDrainFinishesARequestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBubble(t, server.New(server.Options{DrainDelay: 2 * time.Second, Grace: 10 * time.Second, Wrap: slow}))
		answered := make(chan time.Time, 1)
		began := time.Now()
		go func() {
			b.want(t, "/?slow=9s", 200, true)
			answered <- time.Now()
		}()
		synctest.Wait()
		b.drain()
		if err := <-b.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if d := (<-answered).Sub(began); d != 9*time.Second {
			t.Errorf("answered after %s, want 9s", d)
		}
		if d := time.Since(began); d < 9*time.Second || d > 9*time.Second+shutdownPoll {
			t.Errorf("Serve returned after %s, want as soon as the last request was done, after 9s", d)
		}
	})
}

func TestDrainCutsWhatOutlastsTheGraceAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBubble(t, server.New(server.Options{DrainDelay: 2 * time.Second, Grace: 3 * time.Second, Wrap: slow}))
		failed := make(chan error, 1)
		go func() {
			_, err := b.get("/?slow=25s")
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		b.drain()
		err := <-b.served
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve: %v, want the deadline", err)
		}
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("Serve returned after %s, want delay and grace, 5s", d)
		}
		if err := <-failed; err == nil {
			t.Error("a request that was cut off had an answer")
		}
		time.Sleep(time.Minute) // the handler's own end: the bubble must not be left with it
	})
}

func TestAContextThatHasEndedBeforeServeDrainsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ln := newPipeListener()
		if err := server.New(server.Options{}).Serve(ctx, ln); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if _, err := ln.Accept(); err == nil {
			t.Error("the listener was left open")
		}
	})
}

func TestCloseEndsServeAtOnceInEveryPhase(t *testing.T) {
	for _, tt := range []struct {
		phase string
		after time.Duration // of the end of the context; negative: it has not ended
	}{
		{"serving", -1},
		{"in the drain delay", time.Second},
		{"in the grace", 4 * time.Second},
	} {
		t.Run(tt.phase, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := server.New(server.Options{DrainDelay: 3 * time.Second, Grace: time.Hour, Wrap: slow})
				b := startBubble(t, srv)
				failed := make(chan error, 1)
				go func() {
					_, err := b.get("/?slow=20s")
					failed <- err
				}()
				synctest.Wait()
				if tt.after >= 0 {
					b.drain()
					time.Sleep(tt.after)
				}
				closed := time.Now()
				srv.Close()
				if err := <-b.served; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("Serve: %v, want %v", err, http.ErrServerClosed)
				}
				if d := time.Since(closed); d > shutdownPoll {
					t.Errorf("Serve returned %s after Close", d)
				}
				if err := <-failed; err == nil {
					t.Error("a request in flight had an answer")
				}
				time.Sleep(time.Minute) // the handler's own end
			})
		})
	}
}

func TestSlowAndIdleClientsAreCutByTheTimeouts(t *testing.T) {
	for _, tt := range []struct {
		send string
		want time.Duration
		why  string
	}{
		{"GET / HTTP/1.1\r\nHost: x\r\n", server.ReadHeaderTimeout, "a header that never ends"},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", server.IdleTimeout, "no second request"},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", server.ReadTimeout, "a body that never comes"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := startBubble(t, server.New(server.Options{}))
				c, err := b.ln.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				go io.WriteString(c, tt.send)
				io.Copy(io.Discard, c) // until the server closes
				// net/http waits half a second more before it closes a connection whose request was left unread.
				if d := time.Since(began); d < tt.want || d > tt.want+500*time.Millisecond {
					t.Errorf("closed after %s, want %s", d, tt.want)
				}
			})
		})
	}
	for _, tt := range []struct {
		reads time.Duration
		want  bool
	}{{server.WriteTimeout - time.Second, true}, {server.WriteTimeout + time.Second, false}} {
		t.Run("a client that reads after "+tt.reads.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := startBubble(t, server.New(server.Options{}))
				c, err := b.ln.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				time.Sleep(tt.reads)
				if answer, _ := io.ReadAll(c); (len(answer) > 0) != tt.want {
					t.Errorf("read %q, want an answer: %t", answer, tt.want)
				}
			})
		})
	}
	if alb := 60 * time.Second; server.IdleTimeout <= alb {
		t.Errorf("IdleTimeout %s is not longer than a balancer's %s", server.IdleTimeout, alb)
	}
}

// The same over real sockets, where refused means refused. The order of events is what counts; the drain delay is two
// real seconds so that two requests fit into it on a busy machine.
func TestDrainOverLoopback(t *testing.T) {
	var log lockedBuffer
	inFlight, release := make(chan struct{}), make(chan struct{})
	srv := server.New(server.Options{
		Instance:   "replica-7",
		DrainDelay: 2 * time.Second,
		Log:        slog.New(slog.NewJSONHandler(&log, nil)),
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("hold") {
					close(inFlight)
					<-release
				}
				next.ServeHTTP(w, r)
			})
		},
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, drain := context.WithCancel(t.Context())
	defer drain()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln) }()

	base := "http://" + ln.Addr().String()
	held := make(chan int, 1)
	go func() {
		res, err := http.Get(base + "/?hold")
		if err != nil {
			t.Error(err)
			held <- 0
			return
		}
		res.Body.Close()
		held <- res.StatusCode
	}()
	<-inFlight
	if got := status(t, base+"/health"); got != 200 {
		t.Errorf("/health before the drain: %d", got)
	}

	drain()
	eventually(t, "/health turns 503", func() bool { return status(t, base+"/health") == 503 })
	if got := status(t, base+"/"); got != 200 {
		t.Errorf("/ in the drain: %d", got)
	}
	eventually(t, "new connections are refused while one request is in flight", func() bool {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-served:
		t.Fatalf("Serve returned (%v) before the request in flight was answered", err)
	default:
	}
	close(release)
	if got := <-held; got != 200 {
		t.Errorf("the request in flight: %d", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}

	var events []string
	for dec := json.NewDecoder(log.reader()); ; {
		var line struct{ Level, Msg string }
		if err := dec.Decode(&line); err != nil {
			break
		}
		events = append(events, line.Level+" "+line.Msg)
	}
	if want := []string{"INFO serving", "INFO draining", "INFO stopped"}; !slices.Equal(events, want) {
		t.Errorf("log %q, want %q: no line a request", events, want)
	}
}

func TestAListenerThatFailsEndsServeWithItsError(t *testing.T) {
	broken := errors.New("listener broke")
	err := server.New(server.Options{}).Serve(t.Context(), failingListener{newPipeListener(), broken})
	if !errors.Is(err, broken) {
		t.Errorf("Serve: %v, want %v", err, broken)
	}
}

type failingListener struct {
	*pipeListener
	err error
}

func (l failingListener) Accept() (net.Conn, error) { return nil, l.err }

func TestAServerIsAHandlerWithoutServe(t *testing.T) {
	w := httptest.NewRecorder()
	server.New(server.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/health", nil))
	if w.Code != 200 {
		t.Errorf("/health: %d, want 200", w.Code)
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// eventually polls, because the server tells nobody when a signal has reached it: the point of /health.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5s: %s", what)
		}
		time.Sleep(time.Millisecond) // real sockets
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) reader() io.Reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.NewReader(bytes.Clone(b.buf.Bytes()))
}
