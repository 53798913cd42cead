// Package pair measures two services in one run, in turns, and compares them.
//
// One load goes on for the whole time: the users, or the rate, of a plan. What is due within a block of 2 s goes to
// one of the services, base or new. Blocks come in pairs, one for each service. Half of a round's pairs begin with base
// and half with new, in an order drawn from the plan's seed: whatever the machine does meets both, and what gets slower
// or faster during a round does so for both alike. It rides on loadgen.Runner, whose Turns the blocks are, and
// measures nothing itself.
//
// Services are programs, started here, or hosts. Programs are started anew before each round, because two starts of
// one build differ by some 2 %, which no length of a run shows; the rounds' differences are what is compared (see
// compare.Paired). Of hosts there is one start, and that is allowed for. Each start begins with pairs that count in
// no figure: they warm up, and hold the ramp of users.
//
// Each side leaves an ordinary result. Its clock stands while the other service has its turn: an answer that comes
// then counts at the instant at which the clock stands. Its phases are warm-up and steady in turn, a steady one for
// each round, and the drain. What the windows say of the generator, of connections and of X-Served-By goes to the side
// whose block the window lies in.
//
// It does not do stages, whose parts would meet one service only, nor more than one generator. Each service is loaded
// half of the time: what a service does under a load without pauses is for runs of their own.
package pair

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// The two services, as indices.
const (
	Base = iota
	New
)

// names are those of the sides, by index.
func names() [2]string { return [2]string{"base", "new"} }

// Defaults and bounds.
const (
	DefaultBlock    = 2 * time.Second
	DefaultRestarts = 5
	LeastRestarts   = 5
	MostRestarts    = 100
	LeastPairs      = 5
	LeastBlock      = 100 * time.Millisecond // shorter, the load of one service would be the other's noise
	hostRounds      = 10                     // of hosts, when the run is long enough for as many
	// StopGrace is how long a program may take to end at SIGTERM.
	StopGrace = 10 * time.Second // a service that drains for 5 s, as the small API does, ends within it
)

// EventStart is the type of the event that the services were started, or found, and where.
const EventStart = "start"

// Config is a paired run.
type Config struct {
	// Plan is the load. Its run time is that of both services together, without warm-ups; its host is not used. Its
	// thresholds are the new side's.
	Plan     plan.Plan
	Services [2]Service
	Restarts int           // of programs; 0: DefaultRestarts
	Block    time.Duration // 0: DefaultBlock
	Compare  compare.Options
	Sinks    [2][]result.Sink // of the sides' results

	Env          []string         // of programs, without PORT
	Guard        func() *exec.Cmd // see lab.Config
	StartupGrace time.Duration    // how long a program may take to listen; 0: lab.DefaultStartupGrace

	// Say is told in a line what goes on, from any goroutine; nil: nobody is.
	Say func(line string)

	// As in loadgen.Runner.
	Lookup      func(name string) (value string, ok bool)
	Cut         <-chan struct{}
	Transport   http.RoundTripper
	Judge       func(validity.Evidence) (result.Validity, []result.Reason)
	Version     string
	MetadataURI string
}

// Service is a program to be started, or a host: a base URL, or plan.Embedded, which is started anew as a program is.
type Service struct{ Command, Host string }

// restarts reports whether the service is started here.
func (s Service) restarts() bool { return s.Command != "" || s.Host == plan.Embedded }

func (c Config) withDefaults() Config {
	if c.Restarts == 0 {
		c.Restarts = DefaultRestarts
	}
	if c.Block == 0 {
		c.Block = DefaultBlock
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	if c.Lookup == nil {
		c.Lookup = func(string) (string, bool) { return "", false }
	}
	if c.Judge == nil {
		c.Judge = validity.Judge
	}
	return c
}

// Check is why the run cannot be: what Validate says, and expressions about endpoints or phases that neither side has.
func (c Config) Check() error {
	c = c.withDefaults()
	if err := errors.Join(c.Validate()...); err != nil {
		return err
	}
	return c.checkScopes()
}

// Validate returns every reason why the run cannot be, joined, each a *input.Error: Field is one of the plan's, or
// base_host, start, base_start, restarts, block, fail_on.
func (c Config) Validate() []error {
	c = c.withDefaults()
	var errs []error
	refuse := func(field, got, want string, args ...any) {
		errs = append(errs, &input.Error{Field: field, Got: got, Want: fmt.Sprintf(want, args...)})
	}
	base, next := c.Services[Base], c.Services[New]
	switch {
	case next.Command != "" && base.Command == "":
		refuse("start", next.Command, "--base-start CMD beside it, the program that it is compared with")
	case base.Command != "" && next.Command == "":
		refuse("base_start", base.Command, "--start CMD beside it, the program that is compared with this one")
	case next.Command == "" && base.Host == "":
		refuse("base_host", "", "want the URL of the service that this one is compared with")
	case next.Command == "" && base.restarts() != next.restarts():
		refuse("base_host", base.Host, "%s, as --host is, or a URL for both: what is started anew is not compared with what is not", plan.Embedded)
	}
	if base.Command == "" && next.Command == "" && base.Host != "" {
		p := c.Plan
		p.Host = base.Host
		for _, e := range input.Errors(p.Validate()) {
			if e.Field == "host" {
				errs = append(errs, &input.Error{Field: "base_host", Got: e.Got, Want: e.Want, Hint: e.Hint})
			}
		}
	}
	for i, field := range []string{"base_start", "start"} {
		if command := c.Services[i].Command; command != "" {
			for _, e := range input.Errors(lab.CheckCommand(command)) {
				errs = append(errs, input.WithField(e, field))
			}
		}
	}
	if c.Restarts < LeastRestarts || c.Restarts > MostRestarts {
		refuse("restarts", strconv.Itoa(c.Restarts), "from %d to %d", LeastRestarts, MostRestarts)
	}
	if c.Block < LeastBlock {
		refuse("block", plan.Duration(c.Block).String(), "at least %s", plan.Duration(LeastBlock))
		return errs
	}
	if len(c.Plan.Stages) > 0 {
		refuse("stages", "", "not in a paired run: each service would meet another part of them; want --rate or --users")
		return errs
	}
	if c.Plan.AbortOn != "" {
		refuse("abort_on", "", "not in a paired run, whose windows are of two services")
	}
	length := time.Duration(c.Plan.RunTime)
	least, starts := LeastPairs, ""
	if base.restarts() && c.Restarts > least {
		least, starts = c.Restarts, fmt.Sprintf(", one for each of %d restarts", c.Restarts)
	}
	if need := time.Duration(2*least) * c.Block; length > 0 && length < need { // 0 is told elsewhere
		refuse("run_time", c.Plan.RunTime.String(), "at least %s: %d pairs of blocks of %s%s", plan.Duration(need), least, plan.Duration(c.Block), starts)
	}
	for i := range c.Plan.Targets {
		if u := c.Plan.Targets[i].URL; len(u) == 0 || u[0] != '/' {
			refuse(fmt.Sprintf("targets[%d]", i), plan.RedactURL(u), "a path, which both services are asked for: hosts are --host and --base-host")
		}
	}
	return errs
}

// layout is how a run is cut.
type layout struct {
	block  time.Duration
	starts []start
	rounds int
	pairs  int // that are measured
}

// start is what is measured between two starts of the services.
type start struct {
	warm   []int   // for each pair that warms up which side is first
	rounds [][]int // for each pair of each round
}

// layOut cuts the run: as many pairs as its time holds, shared out among the rounds, no two of which differ by more than
// one.
func (c *Config) layOut() layout {
	l := layout{block: c.Block, pairs: int(time.Duration(c.Plan.RunTime) / (2 * c.Block))}
	starts, each := 1, min(hostRounds, l.pairs)
	if c.Services[Base].restarts() {
		starts, each = c.Restarts, 1
	} else if l.pairs < hostRounds {
		each = LeastPairs
	}
	l.rounds = starts * each
	rng := order(c.Plan.Seed)
	odd := [2]int{rng.IntN(2), rng.IntN(2)} // who is first once more in the next odd number of pairs: warming up, measured
	const warming, measured = 0, 1
	draw := func(pairs, of int) []int {
		first := make([]int, pairs)
		for i := range first {
			first[i] = i % 2
		}
		if pairs%2 == 1 {
			first[pairs-1], odd[of] = odd[of], 1-odd[of]
		}
		rng.Shuffle(pairs, func(i, j int) { first[i], first[j] = first[j], first[i] })
		return first
	}
	warm := c.warmPairs()
	at := 0
	for range starts {
		s := start{warm: draw(warm, warming)}
		for range each {
			n := (at+1)*l.pairs/l.rounds - at*l.pairs/l.rounds
			at++
			s.rounds = append(s.rounds, draw(n, measured))
		}
		l.starts = append(l.starts, s)
	}
	return l
}

// warmPairs is how many pairs of each start count in no figure: one, or as many as hold the warm-up that was asked for and
// the ramp of users.
func (c *Config) warmPairs() int {
	length := time.Duration(c.Plan.WarmUp)
	if c.Plan.Model == plan.Closed {
		length = max(length, time.Duration(math.Min(float64(c.Plan.Users)/c.Plan.SpawnRate*1e9, 1e18)))
	}
	pair := 2 * c.Block
	return max(1, int((length+pair-1)/pair))
}

// blocks are the turns of a start, in order.
func (l *layout) blocks(s start, clocks *[2]time.Duration, phase *int) []block {
	var all []block
	var at time.Duration
	add := func(firsts []int) {
		for _, first := range firsts {
			for _, side := range []int{first, 1 - first} {
				all = append(all, block{side: side, phase: *phase, from: at, at: clocks[side], length: l.block})
				at += l.block
				clocks[side] += l.block
			}
		}
		*phase++
	}
	add(s.warm)
	for _, firsts := range s.rounds {
		add(firsts)
	}
	return all
}

// phases are those of a side's result, by which its blocks are numbered.
func (l *layout) phases() []plan.Phase {
	var phases []plan.Phase
	var at time.Duration
	add := func(name string, pairs int) {
		phases = append(phases, plan.Phase{Name: name, From: at})
		at += time.Duration(pairs) * l.block
	}
	for _, s := range l.starts {
		add(plan.WarmUp, len(s.warm))
		for _, firsts := range s.rounds {
			add(plan.Steady, len(firsts))
		}
	}
	return append(phases, plan.Phase{Name: plan.Drain, From: at})
}

// length is how long the load of a start goes on.
func (l *layout) length(s start) time.Duration {
	return time.Duration(2*(len(s.warm)+len(slices.Concat(s.rounds...)))) * l.block
}

// block is a turn: what is due in it goes to one side.
type block struct {
	side, phase int           // of its result
	from        time.Duration // on the run's clock, from the start's first request
	at          time.Duration // on the side's
	length      time.Duration
}

// paired is how the run is told to package compare.
func (c *Config) paired(l layout) *compare.Paired {
	p := &compare.Paired{Rounds: l.rounds, Pairs: l.pairs, BlockS: l.block.Seconds()}
	if c.Services[Base].restarts() {
		p.Restarts = len(l.starts)
	}
	return p
}

// Shape is how the run will be cut.
type Shape struct {
	compare.Paired
	Length time.Duration // of all load, without the time that starts take
	WarmUp time.Duration // of that
}

// Shape says how the run will be cut.
func (c Config) Shape() Shape {
	c = c.withDefaults()
	l := c.layOut()
	s := Shape{Paired: *c.paired(l)}
	for _, x := range l.starts {
		s.Length += l.length(x)
		s.WarmUp += time.Duration(2*len(x.warm)) * l.block
	}
	return s
}
