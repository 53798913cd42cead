package lab

import (
	"net"
	"sync"
	"time"
)

// target is one replica as the balancer sees it. Its fields are the balancer's, below its lock.
type target struct {
	id, addr string
	health   health

	inFlight  int
	draining  bool
	dead      bool          // its program is gone
	drained   chan struct{} // closed when draining and nothing is in flight
	requests  int64         // routed here; health checks are not
	errors    int64         // of those, answered with 5xx, by the target or in its stead
	firstSent time.Time     // when the first answer of the target was passed on

	pool pool
}

// pool keeps the connections of one target that have no request on them.
type pool struct {
	mu     sync.Mutex
	idle   []*conn // the last used at the end
	all    map[*conn]struct{}
	closed bool
}

// take returns an idle connection that is still good, or nil: dial one. What a target has closed, or what has been idle
// for so long that its end is near, is not used. That is no retry: nothing has been sent on it.
func (p *pool) take(maxIdle time.Duration) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if time.Since(c.lastUsed) < maxIdle && open(c.socket) {
			return c
		}
		p.drop(c)
	}
	return nil
}

// give takes back a connection that is ready for another request.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.drop(c)
		return
	}
	c.lastUsed = time.Now()
	p.idle = append(p.idle, c)
}

// add makes a new connection one of the pool's, so that close ends it too. It says no when the pool is closed.
func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if p.all == nil {
		p.all = map[*conn]struct{}{}
	}
	p.all[c] = struct{}{}
	return true
}

// discard closes a connection that cannot be used again.
func (p *pool) discard(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(c)
}

// close ends every connection, those with a request on them included.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.all {
		p.drop(c)
	}
	p.idle = nil
}

func (p *pool) drop(c *conn) {
	delete(p.all, c)
	_ = c.socket.Close()
}

// idleConn is a socket on which each read and each write may take no longer than a time of its own. While a request is being
// sent nothing is expected to be read, however long its client takes; after that a read has the whole time.
type idleConn struct {
	net.Conn
	limit time.Duration

	mu      sync.Mutex
	sending bool
}

// wait says whether an answer is waited for from now on.
func (c *idleConn) wait(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = !on
	_ = c.Conn.SetReadDeadline(c.deadline()) // a read that has begun takes it as well
}

// giveUp ends the read that waits.
func (c *idleConn) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = 0
	_ = c.Conn.SetReadDeadline(time.Now())
}

func (c *idleConn) deadline() time.Time {
	if c.sending {
		return time.Time{}
	}
	return time.Now().Add(c.limit)
}

func (c *idleConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	err := c.Conn.SetReadDeadline(c.deadline())
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *idleConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
