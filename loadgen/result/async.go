package result

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// CloseTimeout is how long a run's sinks may take to close and finish, all of them together. A run that was told to stop on
// Fargate has 30 s, of which the drain may take 10.
const CloseTimeout = 5 * time.Second

// amendTimeout is how long the first sink may take to write a result again that others have added a warning to.
const amendTimeout = 2 * time.Second

// Sinks are those of a run. Each works in a goroutine of its own behind a queue, so that none holds up the run or another.
// Windows are dropped, and counted, for a sink that is more than depth windows behind.
//
// Order is importance: sinks are started in the order in which they are given, and the first is finished first, so that
// no other can cost what it keeps. Give a result's directory first.
type Sinks struct {
	given []Sink
	async []*AsyncSink
}

// StartSinks starts sinks in their order; m is as of [Sink.Start]. After an error those before the one that failed are started
// and stay so: whoever made them knows how to take back what they did.
func StartSinks(given []Sink, m Meta) (*Sinks, error) {
	for _, s := range given {
		mine := m
		if err := s.Start(&mine); err != nil {
			return nil, err
		}
	}
	return &Sinks{given: given}, nil
}

// Begin tells the sinks, one after the other, when the run's clock read 0, and gives each a queue with room for depth windows.
func (s *Sinks) Begin(m Meta, depth int) error {
	for _, sink := range s.given {
		mine := m
		if err := sink.Begin(&mine); err != nil {
			return err
		}
	}
	for _, sink := range s.given {
		s.async = append(s.async, Async(sink, depth))
	}
	return nil
}

// Window hands a window to all. It never waits.
func (s *Sinks) Window(w *Window) {
	for _, a := range s.async {
		_ = a.Window(w) // never fails
	}
}

// Facts hands facts to all. It never waits, and none is dropped.
func (s *Sinks) Facts(f *Facts) {
	for _, a := range s.async {
		a.Facts(f)
	}
}

// Finish closes all sinks at once and hands them the result, all within [CloseTimeout]: the first as soon as it is closed,
// and then each of the others when it is. of makes the result: with these warnings beside its own, and with failed, which
// may be nil, for its exit code. It makes a new one each time. When another sink then has something to warn of, or is a
// [Deliverer], the first is given a second result. What is returned is the last result, and an error for each sink that did
// not finish.
func (s *Sinks) Finish(of func(warnings []string, deliveries []Delivery, failed error) *Result) (*Result, error) {
	if len(s.async) == 0 {
		return of(nil, nil, nil), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), CloseTimeout)
	defer cancel()
	for _, a := range s.async {
		a.end()
	}
	var warnings []string
	warn := func(err error) {
		if err != nil {
			warnings = append(warnings, err.Error())
		}
	}
	first, others := s.async[0], s.async[1:]
	warn(first.closed(ctx))
	res := of(slices.Clone(warnings), nil, nil)
	failed := first.finish(ctx, res)
	kept := failed == nil
	warn(failed)

	closing, finishing := make([]error, len(others)), make([]error, len(others))
	var all sync.WaitGroup
	for i, a := range others {
		all.Go(func() {
			closing[i] = a.closed(ctx)
			finishing[i] = a.finish(ctx, res)
		})
	}
	all.Wait()
	told := len(warnings)
	for i := range others {
		warn(closing[i])
		warn(finishing[i])
	}
	deliveries := s.deliveries()
	if failed = errors.Join(append(finishing, failed)...); kept && len(warnings) == told && len(deliveries) == 0 {
		return res, nil
	}
	res = of(slices.Clone(warnings), deliveries, failed)
	if kept {
		ctx, cancel := context.WithTimeout(context.Background(), amendTimeout)
		defer cancel()
		if err := first.finish(ctx, res); err != nil {
			failed = errors.Join(failed, err)
			res = of(append(warnings, err.Error()), deliveries, failed)
		}
	}
	return res, failed
}

// deliveries are those of all sinks.
func (s *Sinks) deliveries() (all []Delivery) {
	for _, sink := range s.given {
		if d, ok := sink.(Deliverer); ok {
			all = addDeliveries(all, d.Deliveries())
		}
	}
	return all
}

// AsyncSink stands between a run and a sink: it owns the goroutine that the sink works in, the
// queue in front of it, and the decision what happens when the sink is too slow. A window that
// finds the queue full is dropped for this sink, and counted; the run is never held up. So every
// sink can be synchronous and without locks. Facts are few, and not dropped.
//
// Window, Facts, Close and Finish are for one goroutine, as those of any sink; Dropped and Err for all.
type AsyncSink struct {
	sink  Sink
	depth int
	news  chan struct{} // says that the queue has something, or has ended
	done  chan struct{} // closed when the sink was closed

	mu      sync.Mutex
	queue   []told
	windows int // in the queue
	ended   bool
	dropped int64
	first   error
	errs    int
}

// told is one of the two.
type told struct {
	window *Window
	facts  *Facts
}

// Async starts a goroutine for a sink with room for depth windows, at least one, before it. The
// goroutine ends when the sink was closed.
func Async(sink Sink, depth int) *AsyncSink {
	a := &AsyncSink{sink: sink, depth: max(depth, 1), news: make(chan struct{}, 1), done: make(chan struct{})}
	go a.run()
	return a
}

func (a *AsyncSink) run() {
	defer close(a.done)
	for {
		next, ok := a.next()
		switch {
		case !ok:
			a.note(a.sink.Close())
			return
		case next.window != nil:
			a.note(a.sink.Window(next.window))
		default:
			a.note(a.sink.Facts(next.facts))
		}
	}
}

// next waits for what comes next; false when nothing does.
func (a *AsyncSink) next() (told, bool) {
	for {
		a.mu.Lock()
		if len(a.queue) > 0 {
			next := a.queue[0]
			a.queue = a.queue[1:]
			if next.window != nil {
				a.windows--
			}
			a.mu.Unlock()
			return next, true
		}
		ended := a.ended
		a.mu.Unlock()
		if ended {
			return told{}, false
		}
		<-a.news
	}
}

// wake says that there is something to take up.
func (a *AsyncSink) wake() {
	select {
	case a.news <- struct{}{}:
	default: // it was said
	}
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.windows == a.depth {
		a.dropped++
		return nil
	}
	a.windows++
	a.queue = append(a.queue, told{window: w})
	a.wake()
	return nil
}

// Facts puts facts into the queue. It never waits.
func (a *AsyncSink) Facts(f *Facts) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue = append(a.queue, told{facts: f})
	a.wake()
}

// Close lets the sink work off the queue and closes it, within CloseTimeout. It returns everything that went
// wrong with the sink as one error, as Err does; also that the sink was not ready in time, in which
// case it is left to itself.
func (a *AsyncSink) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), CloseTimeout)
	defer cancel()
	a.end()
	return a.closed(ctx)
}

// Finish hands the finished result to the sink after it was closed. A sink that takes longer than
// CloseTimeout is left to itself.
func (a *AsyncSink) Finish(r *Result) error {
	ctx, cancel := context.WithTimeout(context.Background(), CloseTimeout)
	defer cancel()
	return a.finish(ctx, r)
}

// end says that nothing follows.
func (a *AsyncSink) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.wake()
}

// closed waits until the sink is, or ctx ends.
func (a *AsyncSink) closed(ctx context.Context) error {
	select {
	case <-a.done:
	case <-ctx.Done():
		a.mu.Lock()
		left := a.windows
		a.mu.Unlock()
		a.note(fmt.Errorf("not ready in time: %d windows were still to be taken", left))
	}
	return a.Err()
}

func (a *AsyncSink) finish(ctx context.Context, r *Result) error {
	finished := make(chan error, 1)
	go func() {
		<-a.done
		finished <- a.sink.Finish(r)
	}()
	select {
	case err := <-finished:
		return err
	case <-ctx.Done():
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
