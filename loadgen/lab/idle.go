package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// idleReading is how long a target kept a connection on which nothing was sent.
type idleReading struct {
	task   string
	after  time.Duration // real time until the target closed it
	closed bool          // else it was open until then
	single bool          // it keeps none: each connection is for one request
}

// probeIdle measures how long a target keeps an idle connection, and says so when that is shorter than the balancer's own
// time: a request that leaves in the moment in which the target closes is answered with 502, and nothing in the target's
// log says so.
func (s *scheduler) probeIdle(ctx context.Context, t *task) {
	reading, err := measureIdle(ctx, t.target.addr, s.cfg.HealthPath, IdleTimeout)
	if err != nil {
		return
	}
	if reading.closed {
		// The end of the program ends its connections too, and is known a moment later.
		select {
		case <-t.replica.done():
			return
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	reading.task = t.id
	s.mu.Lock()
	defer s.mu.Unlock()
	told := false
	for _, other := range s.idle {
		told = told || other.closed
	}
	s.idle = append(s.idle, reading)
	if reading.closed && !told { // they all run the same program: once is enough
		s.event(EventIdle, shortIdle(reading))
	}
}

func shortIdle(r idleReading) string {
	return fmt.Sprintf("%s closes an idle connection after %s, before the balancer does after %s: a request that leaves just then is a 502; let the program keep idle connections for longer than %s",
		r.task, rounded(r.after), IdleTimeout, IdleTimeout)
}

// measureIdle asks for path once and waits until the target closes the connection, for at most that long, in real time. When
// ctx ends before, it was open until then.
func measureIdle(ctx context.Context, addr, path string, most time.Duration) (idleReading, error) {
	c, err := (&net.Dialer{Timeout: ConnectTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return idleReading{}, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = c.SetDeadline(time.Now().Add(HealthTimeout))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: loadgen-lab-health-check\r\n\r\n", path, addr); err != nil {
		return idleReading{}, err
	}
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return idleReading{}, err
	}
	_, err = io.CopyN(io.Discard, res.Body, maxCheckBody)
	if !errors.Is(err, io.EOF) {
		return idleReading{}, errors.New("the body did not end")
	}
	if res.Close || res.ProtoMajor == 1 && res.ProtoMinor == 0 {
		return idleReading{single: true}, nil
	}
	began := time.Now()
	_ = c.SetDeadline(began.Add(most))
	if ctx.Err() != nil {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
	_, err = in.ReadByte()
	return idleReading{after: time.Since(began), closed: !errors.Is(err, os.ErrDeadlineExceeded)}, nil
}

// Warnings are what the lab has found that will do harm on AWS and did not have to here.
func (l *Lab) Warnings() []string {
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	for _, r := range l.scheduler.idle {
		if r.closed {
			return []string{shortIdle(r)}
		}
	}
	return nil
}
