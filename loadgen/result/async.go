package result

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// CloseTimeout is how long Close and Finish of an AsyncSink wait for a sink that is behind. A run
// that was told to stop on Fargate has 30 s, of which the drain may take 10.
const CloseTimeout = 5 * time.Second

// AsyncSink stands between a run and a sink: it owns the goroutine that the sink works in, the
// queue in front of it, and the decision what happens when the sink is too slow. A window that
// finds the queue full is dropped for this sink, and counted; the run is never held up. So every
// sink can be synchronous and without locks.
//
// Window, Close, Shutdown and Finish are for one goroutine, as those of any sink; Dropped and Err
// for all.
type AsyncSink struct {
	sink  Sink
	queue chan *Window
	done  chan struct{} // closed when the sink was closed

	mu      sync.Mutex
	dropped int64
	first   error
	errs    int
}

// Async starts a goroutine for a sink with room for depth windows, at least one, before it. The
// goroutine ends when the sink was closed.
func Async(sink Sink, depth int) *AsyncSink {
	a := &AsyncSink{sink: sink, queue: make(chan *Window, max(depth, 1)), done: make(chan struct{})}
	go a.run()
	return a
}

func (a *AsyncSink) run() {
	defer close(a.done)
	for w := range a.queue {
		a.note(a.sink.Window(w))
	}
	a.note(a.sink.Close())
}

func (a *AsyncSink) note(err error) {
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.errs++; a.first == nil {
		a.first = err
	}
}

// Window puts a window into the queue, or drops it when there is no room. It never waits, and
// returns nil: what the sink said is told by Err and Close.
func (a *AsyncSink) Window(w *Window) error {
	select {
	case a.queue <- w:
	default:
		a.mu.Lock()
		a.dropped++
		a.mu.Unlock()
	}
	return nil
}

// Close is Shutdown within CloseTimeout.
func (a *AsyncSink) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), CloseTimeout)
	defer cancel()
	return a.Shutdown(ctx)
}

// Shutdown lets the sink work off the queue and closes it. It returns everything that went wrong
// with the sink as one error, as Err does; also that the sink was not ready when ctx ended, in
// which case it is left to itself.
func (a *AsyncSink) Shutdown(ctx context.Context) error {
	close(a.queue)
	select {
	case <-a.done:
	case <-ctx.Done():
		a.note(fmt.Errorf("not ready in time: %d windows were still to be taken", len(a.queue)))
	}
	return a.Err()
}

// Finish hands the finished result to a sink that is a [Finisher], after the sink was closed. A
// sink that takes longer than CloseTimeout is left to itself.
func (a *AsyncSink) Finish(r *Result) error {
	f, ok := a.sink.(Finisher)
	if !ok {
		return nil
	}
	timeout := time.NewTimer(CloseTimeout)
	defer timeout.Stop()
	finished := make(chan error, 1)
	go func() {
		<-a.done
		finished <- f.Finish(r)
	}()
	select {
	case err := <-finished:
		return err
	case <-timeout.C:
		return errors.New("not finished in time")
	}
}

// Dropped is how many windows the sink did not get.
func (a *AsyncSink) Dropped() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dropped
}

// Err is nil, or one error for all that the sink returned and all that it did not get.
func (a *AsyncSink) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.first
	if a.errs > 1 {
		err = fmt.Errorf("%w (and %d more)", err, a.errs-1)
	}
	switch {
	case a.dropped == 0:
	case err == nil:
		err = fmt.Errorf("too slow: %d windows were dropped", a.dropped)
	default:
		err = fmt.Errorf("%w; too slow: %d windows were dropped", err, a.dropped)
	}
	return err
}
