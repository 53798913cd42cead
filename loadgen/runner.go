package loadgen

import (
	"context"
	"net/http"
	"slices"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// Runner is one run. Only Plan is needed.
type Runner struct {
	Plan plan.Plan
	// Sinks read the run. Each may be as slow as it likes; the first is finished first: see result.Sinks.
	Sinks []result.Sink
	// HostName is what the result calls the plan's host, where its address says nothing: plan.Lab. Empty: as in the plan.
	HostName string

	// Lookup fills references ${NAME} in targets and headers; nil knows no name.
	Lookup func(name string) (value string, ok bool)
	// Cut, when closed, ends the drain at once: what is under way is cut and counted as abandoned.
	Cut <-chan struct{}
	// Turns, when not empty, are hosts that are asked in turn in place of the plan's. Their lengths add up to the plan's.
	Turns []Turn
	// Transport replaces the sockets, for tests; see attack.Config.
	Transport http.RoundTripper
	// Hold, when not nil, is called when all is ready and the sinks have started; the run's clock reads 0 when it returns. Its
	// error refuses the run: nothing is sent, and Start returns it in an *InputError. See [StartAt].
	Hold func(ctx context.Context) error
	// Judge replaces [validity.Judge], for tests that are not about the machine that they run on.
	Judge func(validity.Evidence) (result.Validity, []result.Reason)

	// Capacity, when not nil, is the service behind the plan's host, whose capacity is watched; Expect is what it is
	// expected to do, as gate.ParseExpectation reads it.
	Capacity Capacity
	Expect   []string

	Version     string // of this program, for the result
	MetadataURI string // of the ECS task, ECS_CONTAINER_METADATA_URI_V4; empty elsewhere
}

// InputError is what the Runner was given and cannot use: nothing was started, nothing written.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// settle is how long after its end a window is collected: a request that ended just before it may still
// be on its way into the recorder.
const settle = 100 * time.Millisecond

// Run runs the plan. It ends early, with what was measured, when ctx is done; the cause of ctx then
// stands in the result as stopped_by. An error of type *InputError means that nothing was started; any
// other comes beside a Result.
func (r *Runner) Run(ctx context.Context) (*result.Result, error) {
	h, err := r.Start(ctx)
	if err != nil {
		return nil, err
	}
	return h.Wait()
}

// drive runs the attack, collects its windows as they end, and passes on what asks it to stop.
func (s *session) drive(ctx context.Context, cut <-chan struct{}) attack.Outcome {
	ended := make(chan attack.Outcome, 1)
	go func() { ended <- s.attack.Run() }()

	next := time.Second // the second whose windows are collected next
	tick := time.NewTimer(next + settle - s.attack.Elapsed())
	defer tick.Stop()
	var facts <-chan time.Time
	if s.capacity != nil {
		t := time.NewTicker(factsEvery)
		defer t.Stop()
		facts = t.C
	}
	stop := ctx.Done()
	for {
		select {
		case <-tick.C:
			// After a pause of the whole process there may be several seconds to catch up with.
			next = max(next, (s.attack.Elapsed() - settle).Truncate(time.Second))
			s.collect(s.recorder.Collect(next))
			next += time.Second
			tick.Reset(next + settle - s.attack.Elapsed())
		case <-facts:
			s.learn()
		case <-stop:
			stop = nil
			s.stop(context.Cause(ctx).Error(), true)
		case <-cut:
			cut = nil
			s.attack.Cut()
		case outcome := <-ended:
			s.last(outcome)
			return outcome
		}
	}
}

// finish judges the run, waits for capacity to come back where it is watched, and hands the sinks the result. Whatever goes
// wrong here, the Result is returned.
func (s *session) finish(ctx context.Context, outcome attack.Outcome) (*result.Result, error) {
	if s.capacity != nil {
		s.capacity.LoadEnded(s.began.Add(outcome.SendingEnded))
	}
	final := s.judge(outcome)
	s.recover(ctx, &final)
	s.judgeCapacity(&final)
	return s.sinks.Finish(func(warnings []string, deliveries []result.Delivery, failed error) *result.Result {
		f := final
		f.Warnings, f.Deliveries = slices.Concat(final.Warnings, warnings), deliveries
		res := s.builder.Result(f)
		setExit(res, failed)
		return res
	})
}
