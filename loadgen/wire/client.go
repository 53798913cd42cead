package wire

import (
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// Client sends one user's requests, one at a time, and keeps an idle connection to each host that it has talked to.
//
// It behaves as net/http's Transport with these exceptions: no proxies and no HTTP/2; a connection that the service
// closed while it was idle is noticed when it is looked at before the next request, not at once; an answer that came
// before its request was written whole counts, even when writing then fails.
type Client struct {
	network *Network
	opened  func(at time.Duration, address string)
	kept    []*conn // idle; few
	head    []byte  // room for a header with more fields
}

// NewClient returns a client without connections. opened is told of each new one; nil for no need.
func (n *Network) NewClient(opened func(at time.Duration, address string)) *Client {
	return &Client{network: n, opened: opened}
}

// Call is how a request is to be sent.
type Call struct {
	Deadline time.Time // of the whole exchange, connecting included
	MaxBody  int64     // an answer's body is read up to this many bytes
	// Field and Data are handed the answer's header fields and body as they come, as http1.Reader says; nil for no
	// need. A User has Field for itself.
	Field func(name, value []byte)
	Data  func(piece []byte)
	// Begin is called before each answer of which Data is told: a redirect's comes before the one that counts. Nil for
	// no need.
	Begin func()
	// Fields are header fields beside the request's own, as they go over the wire, each with its line end; nil for none.
	Fields []byte
	// Header, when not nil, is given the final answer's fields. Of a User alone.
	Header http.Header
}

// Answer is how a request ended. Times are on the run's clock.
type Answer struct {
	Sent      time.Duration // when it began, connecting included; the caller's to set
	End       time.Duration // when the answer was complete, or the request had failed
	FirstByte time.Duration // from Sent to the first byte of the final answer; 0 when none came
	Connect   time.Duration // of a new connection: DNS, TCP and TLS; 0 when one was reused

	Status    int
	Body      int64 // bytes that were read of it, decoded
	Truncated bool  // it was longer than Call.MaxBody
	Retries   int   // how often it was sent again because a kept connection was dead
	Reuses    int   // how often it went out on a connection that had carried another request before

	Connected bool // there was a connection to send it on
	Answering bool // some of an answer came

	// Of a User alone.
	Redirects int    // hops that were followed
	ServedBy  string // the final answer's X-Served-By
}

// Do sends a request and reads its answer. It returns when the answer is complete, when its deadline has passed, and
// when the network is cut. An error is one of the dialer's, of TLS, of the socket, or of package http1.
func (c *Client) Do(q *Request, how *Call, a *Answer) error {
	*a = Answer{Sent: a.Sent}
	head := q.head
	if len(how.Fields) > 0 {
		c.head = q.AppendHead(c.head[:0], how.Fields)
		head = c.head
	}
	for {
		k, err := c.connection(q, how, a)
		if err != nil {
			a.End = c.network.cfg.Clock()
			return err
		}
		if how.Begin != nil {
			how.Begin()
		}
		fail := k.exchange(head, q, how, a)
		if fail == nil {
			c.keep(k, q)
			return nil
		}
		c.network.close(k)
		a.Answering = fail.begun
		if again := k.used && !fail.begun && (q.repeatable || !fail.written); !again || errors.Is(fail.error, os.ErrDeadlineExceeded) {
			a.End = c.network.cfg.Clock()
			return c.network.cause(fail.error)
		}
		a.Retries++
	}
}

// connection returns a kept connection that can be used, or a new one.
func (c *Client) connection(q *Request, how *Call, a *Answer) (*conn, error) {
	n := c.network
	for i, k := range c.kept {
		if k.target != q.target {
			continue
		}
		now := n.cfg.Clock()
		if young := n.cfg.MaxAge == 0 || now-k.opened < n.cfg.MaxAge; !young || !k.usable(now, q.repeatable) {
			c.kept = slices.Delete(c.kept, i, i+1)
			n.close(k)
			break
		}
		if err := n.limit(k, how.Deadline); err != nil {
			return nil, n.cause(err)
		}
		c.kept = slices.Delete(c.kept, i, i+1)
		a.Connected = true
		a.Reuses++
		return k, nil
	}
	a.Connected = false
	begun := n.cfg.Clock()
	k, err := n.open(q.target, how.Deadline, c.opened)
	if err != nil {
		return nil, err
	}
	a.Connect += n.cfg.Clock() - begun
	a.Connected = true
	return k, nil
}

// Adopt takes over a connection that a request was sent on and answered elsewhere, and which may carry another.
func (c *Client) Adopt(q *Request, dialed net.Conn, opened time.Duration) {
	k := c.network.admit(q.target, dialed, opened)
	k.used, k.idle = true, c.network.cfg.Clock()
	c.kept = append(c.kept, k)
}

// keep puts a connection aside for the next request when it may carry one.
func (c *Client) keep(k *conn, q *Request) {
	if c.network.cfg.NoKeepAlive || q.closes || !k.reader.Reusable() {
		c.network.close(k)
		return
	}
	k.used, k.idle = true, c.network.cfg.Clock()
	c.kept = append(c.kept, k)
}

// Close closes the idle connections.
func (c *Client) Close() {
	for _, k := range c.kept {
		c.network.close(k)
	}
	c.kept = nil
}
