package otlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"

	"scalableappbackend/internal/otlphttp"
	"scalableappbackend/loadgen/result"
)

// Bounds of the sender.
const (
	// CloseTimeout is how long what is left may take at the run's end: less than result.CloseTimeout, so that what was
	// not sent can still be told.
	CloseTimeout = 2500 * time.Millisecond
	// finishTimeout is for the verdict, which comes after that.
	finishTimeout = time.Second
	// queued is how many requests may wait: at one every 10 s and a few endpoints those of forty minutes.
	queued = 256
	// patience is how long one request is tried. Then the next one, which says more of now, has its turn.
	patience = time.Minute
)

// request is one message, and how many data points are in it.
type request struct {
	message *collector.ExportMetricsServiceRequest
	points  int
}

// sender owns the connection: a goroutine that sends one request after the other, and the count of what it could not send.
type sender struct {
	client *otlphttp.Client
	ctx    context.Context // ends when nothing is worth waiting for any more
	give   context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	queue  []request
	ended  bool
	news   chan struct{}
	counts counts
}

// counts is what came of all that was to be sent.
type counts struct {
	points, taken  int64 // data points: of all requests, and of those that a receiver took
	calls, retries int64
	lost           int    // requests
	reason         error  // why the first was lost
	message        string // of a receiver that took everything
}

func newSender(c *otlphttp.Client) *sender {
	s := &sender{client: c, done: make(chan struct{}), news: make(chan struct{}, 1)}
	s.ctx, s.give = context.WithCancel(context.Background())
	go s.run()
	return s
}

// put queues a request; the oldest gives way when there is no room.
func (s *sender) put(r request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.points += int64(r.points)
	if len(s.queue) == queued {
		s.counts.lose(fmt.Errorf("%d requests were waiting", queued))
		s.queue = s.queue[1:]
	}
	s.queue = append(s.queue, r)
	s.wake()
}

func (s *sender) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// next waits for a request; false when none will come.
func (s *sender) next() (request, bool) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			r := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return r, true
		}
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return request{}, false
		}
		<-s.news
	}
}

func (s *sender) run() {
	defer close(s.done)
	for r, ok := s.next(); ok; r, ok = s.next() {
		s.send(s.ctx, r)
	}
}

func (s *sender) send(ctx context.Context, r request) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reply, err := s.client.Send(ctx, r.message)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	c.calls += int64(reply.Calls)
	c.retries += int64(max(0, reply.Calls-1))
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("no answer before the run's end")
		}
		c.lose(err)
		return
	}
	c.taken += int64(r.points) - reply.Rejected
	switch {
	case reply.Rejected > 0:
		if c.reason == nil {
			c.reason = fmt.Errorf("rejected by the receiver: %s", cmp.Or(reply.Message, "no reason given"))
		}
	case reply.Message != "":
		c.message = reply.Message
	}
}

// lose counts a request that is given up.
func (c *counts) lose(why error) {
	c.lost++
	if c.reason == nil {
		c.reason = why
	}
}

// close sends what is queued, within a time; what takes longer is lost.
func (s *sender) close(within time.Duration) {
	s.mu.Lock()
	s.ended = true
	s.wake()
	s.mu.Unlock()
	late := time.AfterFunc(within, s.give)
	defer late.Stop()
	<-s.done
	s.give()
}

// last counts one more request, after close, and sends it if that is worth a try.
func (s *sender) last(r request, try bool) {
	s.mu.Lock()
	s.counts.points += int64(r.points)
	s.mu.Unlock()
	if try {
		ctx, cancel := context.WithTimeout(context.Background(), finishTimeout)
		defer cancel()
		s.send(ctx, r)
	}
}

// delivery is the account of all that was to be sent. What still waits counts as lost: who asks at the end, asks for the last time.
func (s *sender) delivery() result.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	d := result.Delivery{
		To: "OpenTelemetry at " + otlphttp.Redacted(s.client.URL), What: "data points",
		Sent: c.taken, Lost: c.points - c.taken, Calls: c.calls, Retries: c.retries,
	}
	switch {
	case d.Lost == 0:
	case c.reason != nil:
		d.Reason = c.reason.Error()
	default:
		d.Reason = "no answer before the run's end"
	}
	return d
}

// said is a warning of a receiver that took everything, nil when it had none.
func (s *sender) said() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.message == "" {
		return nil
	}
	return fmt.Errorf("OpenTelemetry: the receiver took the data points and says: %s", s.counts.message)
}

// lost is how many requests could not be sent so far.
func (s *sender) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.lost
}
