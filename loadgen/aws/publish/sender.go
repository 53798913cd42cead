package publish

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/result"
)

// How the sender behaves towards an endpoint that has trouble.
const (
	attemptTimeout = 10 * time.Second
	firstPause     = 200 * time.Millisecond
	longestPause   = 20 * time.Second
	lastPause      = 500 * time.Millisecond // the longest once the run has ended
	// maxBacklog is how many calls may wait, at most a megabyte each: half an hour at a resolution of a minute. Of more
	// the oldest is given up.
	maxBacklog = 32
	// compressFrom is the size of a body from which it is sent compressed.
	compressFrom = 1 << 10
)

// sender makes calls, one after the other, in a goroutine of its own.
type sender struct {
	client      client
	attempt     time.Duration // how long a call may take
	namespace   string
	credentials aws.CredentialsProvider

	mu      sync.Mutex
	backlog []batch
	ended   bool
	counted result.Delivery

	wake  chan struct{} // something waits, or nothing follows
	hurry chan struct{} // closed when nothing follows: pauses are short from now on
	done  chan struct{} // closed when the goroutine has ended
	stop  context.CancelFunc
}

func newSender(conf aws.Config, namespace string) *sender {
	return &sender{
		client: cloudwatch.NewFromConfig(conf, func(o *cloudwatch.Options) {
			o.Retryer = aws.NopRetryer{} // see send
			o.DisableRequestCompression = false
			o.RequestMinCompressSizeBytes = compressFrom
		}),
		attempt:     attemptTimeout,
		namespace:   namespace,
		credentials: conf.Credentials,
		wake:        make(chan struct{}, 1),
		hurry:       make(chan struct{}),
		done:        make(chan struct{}),
	}
}

// probe makes one call, which is not counted, and a second one when the first says what to do better: fetch credentials
// again, or set the clock right. Its error is nil or what the last call met.
func (s *sender) probe(ctx context.Context, b batch) *session.Error {
	e := s.try(ctx, b)
	if e != nil && s.learns(e) {
		e = s.try(ctx, b)
	}
	return e
}

// start starts the goroutine.
func (s *sender) start() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.done)
		for {
			b, ok := s.next()
			if !ok {
				return
			}
			s.send(ctx, b)
		}
	}()
}

// next waits for a batch; false when there is none and none will come.
func (s *sender) next() (batch, bool) {
	for {
		s.mu.Lock()
		if len(s.backlog) > 0 {
			b := s.backlog[0]
			s.backlog = s.backlog[1:]
			s.mu.Unlock()
			return b, true
		}
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return batch{}, false
		}
		<-s.wake
	}
}

// enqueue puts batches behind those that wait. It never waits itself.
func (s *sender) enqueue(all ...batch) {
	if len(all) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog = append(s.backlog, all...)
	for len(s.backlog) > maxBacklog {
		s.lose(len(s.backlog[0].datums), "too many calls were waiting")
		s.backlog = s.backlog[1:]
	}
	s.wakeUp()
}

func (s *sender) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // it was said
	}
}

// close says that nothing follows, and waits until all was sent. What was not by then is given up.
func (s *sender) close(within time.Duration) {
	s.mu.Lock()
	s.ended = true
	s.wakeUp()
	s.mu.Unlock()
	close(s.hurry)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	}
	s.stop() // ends the call under way, and makes each that waits one that is lost
	<-s.done
}

// send makes a call until it is accepted, is refused for good, or ctx ends, and counts the outcome.
func (s *sender) send(ctx context.Context, b batch) {
	var last error
	for attempt := 0; ; attempt++ {
		if ctx.Err() != nil {
			s.gaveUp(b, attempt > 0, last)
			return
		}
		s.tried(attempt > 0)
		e := s.try(ctx, b)
		if e == nil {
			s.mu.Lock()
			s.counted.Sent += int64(len(b.datums))
			s.mu.Unlock()
			return
		}
		if e.Kind != session.Canceled {
			last = e
		}
		if ctx.Err() != nil {
			s.gaveUp(b, true, last)
			return
		}
		if !s.learns(e) && !e.Passes() {
			s.mu.Lock()
			s.lose(len(b.datums), e.Error())
			s.mu.Unlock()
			return
		}
		s.pause(ctx, attempt)
	}
}

// learns reports whether the next call will do better than the one that met e. Expired credentials are fetched again, where
// whoever provides them can. How far the clock is off the SDK learns from the answer, and marks what may come of it as worth
// another try, under whatever code a service says it.
func (s *sender) learns(e *session.Error) bool {
	if e.Kind == session.Expired {
		if c, ok := s.credentials.(interface{ Invalidate() }); ok {
			c.Invalidate()
		}
		return true
	}
	again, ok := errors.AsType[interface {
		error
		RetryableError() bool
	}](e.Err)
	return e.Kind == session.ClockSkew || ok && again.RetryableError()
}

// try makes one call. Nil says that it was accepted.
func (s *sender) try(ctx context.Context, b batch) *session.Error {
	e, _ := errors.AsType[*session.Error](session.Explain(s.call(ctx, b)))
	return e
}

func (s *sender) call(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, s.attempt)
	defer cancel()
	_, err := s.client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(s.namespace), MetricData: b.datums})
	return err
}

// pause waits before the next try: twice as long each time, half of it by chance, so that tasks which met the same trouble do
// not come back together. When the run has ended it is short.
func (s *sender) pause(ctx context.Context, attempt int) {
	pause := min(firstPause<<min(attempt, 10), longestPause)
	hurry := s.hurry
	select {
	case <-hurry:
		pause, hurry = min(pause, lastPause), nil
	default:
	}
	pause = pause/2 + rand.N(pause/2)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
	}
}

func (s *sender) tried(again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted.Calls++
	if again {
		s.counted.Retries++
	}
}

// gaveUp counts a batch for which there was no time.
func (s *sender) gaveUp(b batch, tried bool, last error) {
	why := "not accepted before the run had to end"
	switch {
	case last != nil:
		why += ": " + last.Error()
	case tried:
		why += ": no answer"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(len(b.datums), why)
}

// lose counts what is given up. It is called with the lock held.
func (s *sender) lose(datums int, why string) {
	s.counted.Lost += int64(datums)
	if s.counted.Reason == "" {
		s.counted.Reason = why
	}
}

func (s *sender) count() result.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted
}
