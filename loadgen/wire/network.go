package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config is what all users' connections have in common.
type Config struct {
	// Dial opens a connection to host:port. Its context ends with the request's deadline, and when Cut is called.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is for https; nil is the system's authorities.
	TLS *tls.Config
	// Clock is the run's clock.
	Clock func() time.Duration
	// NoKeepAlive closes each connection after one exchange; its requests should say so (http.Request.Close).
	NoKeepAlive bool
	// MaxAge is how long after it was opened a connection is kept; 0 for any time.
	MaxAge time.Duration
}

// Network makes the connections of a run and can cut all of them at once.
type Network struct {
	cfg Config

	ctx    context.Context // of dials; ends when cut
	cancel context.CancelFunc
	isCut  atomic.Bool

	mu    sync.Mutex // locked when a connection is opened or closed, never on the way of a request
	conns map[*conn]struct{}
}

// NewNetwork returns a Network without connections.
func NewNetwork(cfg Config) *Network {
	n := &Network{cfg: cfg, conns: map[*conn]struct{}{}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// ErrCut is what a request ends with that was under way when the network was cut.
var ErrCut = errors.New("cut")

// Cut ends all requests under way, those that are connecting too, with ErrCut. Nothing can be sent afterwards.
func (n *Network) Cut() {
	n.isCut.Store(true)
	n.cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		_ = c.SetDeadline(past)
	}
}

// past is a deadline that has been missed.
var past = time.Unix(1, 0)

// limit sets the deadline of a connection, unless the network was cut.
func (n *Network) limit(c *conn, deadline time.Time) error {
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	// A cut sets its deadline after the flag: whichever comes last, one of the two stops the exchange.
	if n.isCut.Load() {
		return ErrCut
	}
	return nil
}

// open makes a connection, with TLS where the target wants it. It tells opened, when that is not nil, of the connection
// beneath.
func (n *Network) open(t target, deadline time.Time, opened func(at time.Duration, address string)) (*conn, error) {
	ctx, cancel := context.WithDeadline(n.ctx, deadline)
	defer cancel()
	dialed, err := n.cfg.Dial(ctx, "tcp", t.address)
	if err != nil {
		return nil, n.cause(err)
	}
	c := n.admit(t, dialed, n.cfg.Clock())
	if opened != nil {
		opened(c.opened, dialed.RemoteAddr().String())
	}
	if err := n.limit(c, deadline); err != nil {
		n.close(c)
		return nil, err
	}
	if t.tls {
		if err := n.handshake(c, t.name); err != nil {
			n.close(c)
			return nil, n.cause(err)
		}
	}
	return c, nil
}

// admit makes a connection one of the network's.
func (n *Network) admit(t target, dialed net.Conn, opened time.Duration) *conn {
	c := &conn{target: t, Conn: quicken(dialed), clock: n.cfg.Clock, opened: opened}
	if s, ok := dialed.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn() // nil where the socket cannot be looked at
	}
	n.mu.Lock()
	n.conns[c] = struct{}{}
	n.mu.Unlock()
	return c
}

func (n *Network) handshake(c *conn, name string) error {
	cfg := &tls.Config{}
	if n.cfg.TLS != nil {
		cfg = n.cfg.TLS
	}
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = name
	}
	secured := tls.Client(c.Conn, cfg)
	if err := secured.Handshake(); err != nil {
		return err
	}
	c.Conn = secured
	return nil
}

// close ends a connection. A TLS connection's farewell must not wait for a peer that reads nothing.
func (n *Network) close(c *conn) {
	n.mu.Lock()
	delete(n.conns, c)
	n.mu.Unlock()
	_ = c.SetDeadline(past)
	_ = c.Close()
}

// cause is ErrCut for whatever a cut made fail.
func (n *Network) cause(err error) error {
	if n.isCut.Load() {
		return ErrCut
	}
	return err
}
