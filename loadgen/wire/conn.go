package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"scalableappbackend/loadgen/http1"
)

// conn is one connection. It belongs to whoever sends on it; only Network.Cut touches it from outside.
type conn struct {
	target target
	net.Conn
	raw    syscall.RawConn // of the socket beneath, to look at it; nil where there is none
	clock  func() time.Duration
	reader http1.Reader
	opened time.Duration
	idle   time.Duration // since when it has been kept
	used   bool          // it carried a whole exchange before
}

// buffers are what answers are read into; only requests under way hold one.
var buffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// aliveAfter is how long a kept connection may have been idle and still be used without a look at it. A request that
// may be repeated survives a dead connection anyhow.
const aliveAfter = time.Millisecond

// usable looks whether a kept connection is still open and quiet, at the cost of a system call.
func (c *conn) usable(now time.Duration, repeatable bool) bool {
	if repeatable && now-c.idle < aliveAfter {
		return true
	}
	return c.raw == nil || quiet(c.raw)
}

// failure is why an exchange failed, and how far it came: what decides whether it may be tried again.
type failure struct {
	error
	written bool // some of the request left
	begun   bool // some of the answer came
}

// exchange writes a request, with this header, and reads its answer.
func (c *conn) exchange(head []byte, q *Request, how *Call, a *Answer) *failure {
	var writer <-chan error
	if len(q.body) > 0 {
		writer = c.writeAside(head, q.body)
	} else if n, err := c.Write(head); err != nil && n == 0 {
		return &failure{error: err}
	} else if err != nil {
		writer = failed(err) // there may be an answer all the same
	}
	err := c.read(q, how, a)
	if writer != nil {
		err = c.endWrite(writer, err)
	}
	if err != nil {
		return &failure{error: err, written: true, begun: c.reader.Began() || c.reader.Interim() > 0}
	}
	return nil
}

func failed(err error) <-chan error {
	ended := make(chan error, 1)
	ended <- err
	return ended
}

// writeAside writes a request whose body is too large for one write: a service may answer, and refuse, before it has
// read it all.
func (c *conn) writeAside(head, body []byte) <-chan error {
	ended := make(chan error, 1)
	go func() {
		parts := net.Buffers{head, body}
		_, err := parts.WriteTo(c.Conn)
		ended <- err
	}()
	return ended
}

// writeGrace is how long a request may still be under way when its answer is complete and the connection be kept;
// net/http's number.
const writeGrace = 50 * time.Millisecond

// endWrite waits for the writer of a request whose answer was read, or was not to be had. An answer that came wins
// over a write that failed: a service that refuses a body closes the connection.
func (c *conn) endWrite(writer <-chan error, read error) error {
	if read == nil {
		select {
		case err := <-writer:
			if err != nil {
				c.reader.Spoil()
			}
			return nil
		case <-time.After(writeGrace):
			c.reader.Spoil()
		}
	}
	c.Conn.Close() // ends the write
	if err := <-writer; read != nil && err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return read
}

// read reads one answer, and says of it what has come, also when it then fails.
func (c *conn) read(q *Request, how *Call, a *Answer) error {
	buffer := buffers.Get().(*[16 << 10]byte)
	defer buffers.Put(buffer)
	r := &c.reader
	r.Field, r.Data = how.Field, how.Data
	r.Start(q.method)
	err := c.readInto(buffer[:], how, a)
	if r.Headed() {
		a.Status, a.Body = r.Status(), min(r.Body(), how.MaxBody)
	}
	return err
}

func (c *conn) readInto(buffer []byte, how *Call, a *Answer) error {
	r := &c.reader
	for {
		n, err := c.Read(buffer)
		if n > 0 {
			before := r.Began()
			used, bad := r.Feed(buffer[:n])
			a.End = c.clock()
			if !before && r.Began() {
				a.FirstByte = a.End - a.Sent
			}
			switch {
			case bad != nil:
				return bad
			case used < n:
				r.Spoil()
			}
			if r.Body() > how.MaxBody {
				a.Truncated = true
				r.Spoil()
				return nil
			}
			if r.Done() {
				return nil
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if err = r.End(); err == nil {
				a.End = c.clock()
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}
