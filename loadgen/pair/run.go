package pair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Outcome is what came of a paired run.
type Outcome struct {
	Sides      [2]*result.Result
	Comparison *compare.Comparison // nil when too little was measured
	Why        string              // there is no Comparison
	Output     [2][]byte           // of the programs
}

// ProgramError is a program that did not work; Side is Base or New.
type ProgramError struct {
	Side int
	*lab.ReplicaError
}

func (e *ProgramError) Error() string { return e.Named(names()[e.Side] + " program") }

// Run measures and compares. An error of type *loadgen.InputError, or a *ProgramError without an Outcome, means that
// nothing was measured and nothing given to a sink. What ends the run early, ctx or a program that died, ends it with
// what was measured until then: the Outcome is not nil.
func Run(ctx context.Context, c Config) (*Outcome, error) {
	c = c.withDefaults()
	if err := c.Check(); err != nil {
		return nil, &loadgen.InputError{Err: err}
	}
	r := &running{Config: c, layout: c.layOut()}
	services, err := newServices(&c)
	if err != nil {
		return nil, err
	}
	defer services.close()
	failed := r.measure(ctx, services)
	if r.halves[Base] == nil {
		return nil, failed
	}
	return r.finish(failed, services)
}

// running is a paired run under way.
type running struct {
	Config
	layout
	halves   [2]*half
	clocks   [2]time.Duration
	phase    int // of the sides, next
	round    int // rounds that ended
	evidence evidence
	warnings []string

	interrupted bool
	stoppedBy   string
}

// checkScopes refuses expressions about what neither side will have, while it costs nothing.
func (c *Config) checkScopes() error {
	p := c.Plan
	p.Host = "http://service.invalid"
	ready, err := p.Prepare("", c.Lookup)
	if err != nil {
		return err
	}
	has := gate.Has{Requests: true, Phases: []string{plan.WarmUp, plan.Steady}}
	for _, e := range ready.Endpoints {
		has.Endpoints = append(has.Endpoints, e.Name)
	}
	var errs []error
	for i, text := range c.Plan.Thresholds {
		e, err := gate.Parse(text)
		if err == nil {
			err = input.Typed(gate.Check(e, has), text)
		}
		errs = append(errs, input.WithField(err, fmt.Sprintf("thresholds[%d]", i)))
	}
	has.Phases = []string{plan.Steady}
	for _, f := range c.Compare.FailOn {
		if f.Last > 0 {
			errs = append(errs, &input.Error{Field: "fail_on", Got: f.String(), Want: "a change of new against base: of a history, see loadgen compare --history"})
			continue
		}
		for _, e := range input.Errors(gate.Check(gate.Expr{Endpoint: f.Endpoint, Phase: f.Phase}, has)) {
			errs = append(errs, &input.Error{Field: "fail_on", Got: f.String(), Want: e.Want})
		}
	}
	return errors.Join(errs...)
}

// measure runs each start. Its error is what kept the run from its end.
func (r *running) measure(ctx context.Context, services *services) error {
	for i := range r.starts {
		urls, err := services.start(ctx)
		if err != nil {
			if ctx.Err() != nil {
				r.stop(context.Cause(ctx).Error(), true)
			} else {
				r.stop(err.Error(), false)
			}
			return err
		}
		err = r.one(ctx, i, urls, services)
		services.stop(r.Cut)
		if err != nil || r.stoppedBy != "" {
			return err
		}
	}
	return nil
}

func (r *running) stop(by string, interrupted bool) {
	if r.stoppedBy == "" {
		r.stoppedBy, r.interrupted = by, interrupted
	}
}

// one runs what is measured between two starts.
func (r *running) one(parent context.Context, i int, urls [2]string, services *services) error {
	ctx, died := context.WithCancelCause(parent)
	defer died(nil)
	over := make(chan struct{})
	defer close(over)
	services.watch(over, died)

	s := r.starts[i]
	blocks := r.blocks(s, &r.clocks, &r.phase)
	phases := r.phases()
	var turns []loadgen.Turn
	for _, b := range blocks {
		turns = append(turns, loadgen.Turn{Host: urls[b.side], Phase: phases[b.phase].Name, Length: b.length})
	}
	p := r.Plan
	p.Host, p.RunTime, p.WarmUp = urls[blocks[0].side], plan.Duration(r.length(s)), 0
	p.Thresholds, p.ExitCodeOnError = nil, nil
	p.Seed = (p.Seed+uint64(r.phase))%plan.MaxSeed + 1
	sink := &splitter{halves: &r.halves, blocks: blocks, told: r.tell, ready: func(meta *result.Meta) error { return r.ready(meta, urls) }}
	runner := loadgen.Runner{
		Plan: p, Turns: turns, Sinks: []result.Sink{sink}, Lookup: r.Lookup, Cut: r.Cut, Version: r.Version, MetadataURI: r.MetadataURI,
		Judge: r.evidence.collect, Transport: r.Transport,
	}
	res, err := runner.Run(ctx)
	if res == nil {
		return err
	}
	for _, w := range res.Warnings {
		if text := w; !slices.Contains(r.warnings, text) {
			r.warnings = append(r.warnings, text)
		}
	}
	if res.StoppedBy != "" {
		r.stop(res.StoppedBy, parent.Err() != nil)
		if parent.Err() == nil {
			return context.Cause(ctx)
		}
	}
	return err
}

// ready makes the sides' results at the first start.
func (r *running) ready(of *result.Meta, urls [2]string) error {
	if r.halves[Base] != nil {
		for i, h := range r.halves {
			h.events = append(h.events, result.Event{Type: EventStart, Detail: names()[i] + " started anew at " + urls[i]})
		}
		return nil
	}
	var halves [2]*half
	phases := r.phases()
	for i := range halves {
		p := r.Plan
		p.Host, p.RunTime, p.WarmUp = urls[i], plan.Duration(phases[len(phases)-1].From), 0
		if i == Base {
			p.Thresholds, p.ExitCodeOnError = nil, nil
		}
		if p.Seed == 0 {
			p.Seed = of.Plan.Seed
		}
		ready, err := p.Prepare("", r.Lookup)
		if err != nil {
			return err
		}
		h := &half{phase: -1, round: &result.Histogram{}}
		h.meta = result.Meta{StartedAt: of.StartedAt, Plan: ready.Plan.Redacted(), Endpoints: ready.Endpoints, Phases: phases, Generator: of.Generator}
		h.events = append(h.events, result.Event{Type: EventStart, Detail: names()[i] + " at " + urls[i]})
		h.read = compare.NewReading(&h.meta)
		if h.sum, err = loadgen.Assemble(h.meta, r.Sinks[i]...); err != nil {
			return err
		}
		halves[i] = h
	}
	r.halves = halves
	return nil
}

// tell says how a round went, from what has been answered by now.
func (r *running) tell() {
	base, next := r.halves[Base], r.halves[New]
	if r.phases()[base.phase].Name != plan.Steady {
		return
	}
	r.round++
	b, n := base.round.Quantile(0.99), next.round.Quantile(0.99)
	if b == 0 || n == 0 {
		return
	}
	r.Say(fmt.Sprintf("round %d of %d: p99 %s of base, %s of new", r.round, r.rounds, units.Latency(b), units.Latency(n)))
}

// finish makes the sides' results and compares them.
func (r *running) finish(failed error, services *services) (*Outcome, error) {
	out := &Outcome{}
	var verdict result.Verdict
	verdict.Validity, verdict.Reasons = r.Judge(r.evidence.sum)
	for i, of := range services.all {
		out.Output[i] = of.output
	}
	for i, h := range r.halves {
		final := result.Final{Interrupted: r.interrupted, StoppedBy: r.stoppedBy, Verdict: verdict, Warnings: slices.Clone(r.warnings)}
		final.Warnings = append(final.Warnings, services.warnings(i)...)
		var broke error
		if !r.interrupted {
			broke = failed
		}
		res, err := h.sum.Finish(h.finish(final), broke)
		if err != nil && !errors.Is(failed, err) {
			failed = errors.Join(failed, err)
		}
		out.Sides[i] = res
	}
	var runs [2]*compare.Run
	for i, h := range r.halves {
		var err error
		if runs[i], err = h.read.Run(names()[i], out.Sides[i], false); err != nil {
			out.Why = err.Error()
			return out, failed
		}
	}
	o := r.Compare
	o.Paired = r.paired(r.layout)
	c, err := compare.Compare(runs[Base:New], runs[New:], o)
	if err != nil {
		out.Why = err.Error()
		return out, failed
	}
	for i := range runs {
		for _, w := range services.warnings(i) {
			c.Warnings = append(c.Warnings, names()[i]+": "+w)
		}
	}
	out.Comparison = c
	return out, failed
}

// services are the two under test.
type services struct {
	all      [2]*serviceUnderTest
	programs *lab.Programs
}

// serviceUnderTest is one, which may be started more than once.
type serviceUnderTest struct {
	Service
	side    int
	program *lab.Program
	end     func()
	output  []byte
	starts  int
	forced  int // ends that SIGTERM did not bring
}

func newServices(c *Config) (*services, error) {
	s := &services{}
	for i := range s.all {
		s.all[i] = &serviceUnderTest{Service: c.Services[i], side: i}
	}
	if c.Services[New].Command != "" {
		var err error
		if s.programs, err = lab.NewPrograms(c.Env, c.StartupGrace, c.Guard); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// start starts both, and returns where they are. With an error neither is left.
func (s *services) start(ctx context.Context) (urls [2]string, err error) {
	var errs [2]error
	var wait sync.WaitGroup
	for i, of := range s.all {
		wait.Go(func() { urls[i], errs[i] = of.start(ctx, s.programs) })
	}
	wait.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		s.stop(nil)
		return urls, err
	}
	return urls, nil
}

func (u *serviceUnderTest) start(ctx context.Context, programs *lab.Programs) (url string, err error) {
	u.starts++
	switch {
	case u.Command != "":
		p, err := programs.Start(ctx, u.Command)
		if bad, ok := errors.AsType[*lab.ReplicaError](err); ok {
			return "", &ProgramError{u.side, bad}
		}
		if err != nil {
			return "", err
		}
		u.program = p
		return "http://" + p.Addr(), nil
	case u.Host == plan.Embedded:
		url, u.end, err = loadgen.Embed()
		return url, err
	}
	return u.Host, nil
}

// watch calls died when a program ends that nobody asked to, until over.
func (s *services) watch(over <-chan struct{}, died context.CancelCauseFunc) {
	for _, of := range s.all {
		if p := of.program; p != nil {
			go func() {
				select {
				case <-p.Done():
					if bad, ok := errors.AsType[*lab.ReplicaError](p.Err()); ok {
						died(&ProgramError{of.side, bad})
					}
				case <-over:
				}
			}()
		}
	}
}

// stop ends both at once; hurry makes it short.
func (s *services) stop(hurry <-chan struct{}) {
	var wait sync.WaitGroup
	for _, of := range s.all {
		wait.Go(func() { of.stop(hurry) })
	}
	wait.Wait()
}

func (u *serviceUnderTest) stop(hurry <-chan struct{}) {
	if u.end != nil {
		u.end()
		u.end = nil
	}
	if u.program == nil {
		return
	}
	if !u.program.Stop(StopGrace, hurry) {
		u.forced++
	}
	u.output = fmt.Appendf(u.output, "--- start %d ---\n%s", u.starts, u.program.Output())
	u.program = nil
}

func (s *services) warnings(side int) []string {
	if n := s.all[side].forced; n > 0 {
		return []string{fmt.Sprintf("the program did not end within %s of SIGTERM and was killed, %d of %d times", StopGrace, n, s.all[side].starts)}
	}
	return nil
}

func (s *services) close() {
	s.stop(nil)
	if s.programs != nil {
		s.programs.Close()
	}
}
