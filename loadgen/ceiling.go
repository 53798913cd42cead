package loadgen

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Ceiling searches for the highest rate at which a service keeps an objective: open rates, each for Step, doubled from
// From until one fails, then halved between the best and the worst until the two are within Within of each other; at last
// the best one for three Steps, and less where it does not last.
type Ceiling struct {
	// Runner is what each rate is run with: its plan's host, targets, client and seed. Model, load, thresholds, sinks and
	// capacity are the search's own.
	Runner Runner
	// Objective are thresholds that all must hold. That fewer than 1 % of the requests fail is one too, unless one is about
	// error_rate or failures.
	Objective []string

	From   float64       // requests per second; 0 is 10
	Most   float64       // likewise; 0 is 20,000
	Step   time.Duration // 0 is 3 s
	Within float64       // a share; 0 is 5 %
	// Tell, when not nil, is told of each rate that was tried.
	Tell func(Tried)
}

// Tried is one rate of a search.
type Tried struct {
	Rate   float64
	Held   bool
	Detail string // what was seen of the objective that did not hold, or of the first
}

// Found is what a search has found.
type Found struct {
	Rate float64 // the highest at which the objective held, in requests per second
	// AtLeast says that a higher one could not be tried, and Why why not.
	AtLeast bool
	Why     string
	Took    time.Duration
	Tried   []Tried
}

// ErrNoRate is that the objective does not hold at any rate.
var ErrNoRate = errors.New("the objective does not hold at any rate")

func (c Ceiling) withDefaults() Ceiling {
	if c.From == 0 {
		c.From = 10
	}
	if c.Most == 0 {
		c.Most = 20_000
	}
	if c.Step == 0 {
		c.Step = 3 * time.Second
	}
	if c.Within == 0 {
		c.Within = 0.05
	}
	if !slices.ContainsFunc(c.Objective, func(text string) bool {
		return strings.Contains(text, "error_rate") || strings.Contains(text, "failures")
	}) {
		c.Objective = append(slices.Clone(c.Objective), "error_rate<1%")
	}
	return c
}

// Search takes some tens of seconds of load. Its error is the cause of ctx, an *InputError, or wraps ErrNoRate.
func (c Ceiling) Search(ctx context.Context) (Found, error) {
	c = c.withDefaults()
	began := time.Now()
	var f Found
	finish := func(rate float64, err error) (Found, error) {
		f.Rate, f.Took = rate, time.Since(began)
		return f, err
	}
	// A program that has just started is slow for other reasons than its load.
	if _, err := c.try(ctx, &f, c.From, c.Step, false); err != nil {
		return finish(0, err)
	}
	held, failed := 0.0, math.Inf(1)
	for rate := c.From; held < c.Most; rate = next(held, failed, c.Most) {
		if failed <= held*(1+c.Within) {
			break
		}
		ok, err := c.try(ctx, &f, rate, c.Step, true)
		switch {
		case err != nil:
			return finish(0, err)
		case ok:
			held = rate
		case f.AtLeast: // what failed was this generator
			return finish(held, nil)
		default:
			failed = rate
		}
		if failed < 0.2 {
			return finish(0, fmt.Errorf("%w, also not at %g/s: %s", ErrNoRate, failed, f.Tried[len(f.Tried)-1].Detail))
		}
	}
	if held >= c.Most {
		f.AtLeast, f.Why = true, "no higher rate is tried"
	}
	for range 4 { // what holds for a moment may be a queue that has not grown yet
		ok, err := c.try(ctx, &f, held, 3*c.Step, true)
		if err != nil {
			return finish(0, err)
		}
		if ok || f.AtLeast {
			return finish(held, nil)
		}
		held *= 1 - 2*c.Within
	}
	return finish(held, nil)
}

// next is the rate to try.
func next(held, failed, most float64) float64 {
	switch {
	case held == 0:
		return failed / 4
	case math.IsInf(failed, 1):
		return min(2*held, most)
	}
	return (held + failed) / 2
}

// try runs one rate, and says whether the objective held.
func (c *Ceiling) try(ctx context.Context, f *Found, rate float64, length time.Duration, counts bool) (held bool, err error) {
	r := c.Runner
	r.Capacity, r.Expect, r.Sinks = nil, nil, nil
	p := r.Plan
	p.Model, p.Users, p.SpawnRate, p.Think, p.Pacing, p.Stages = plan.Open, 0, 0, plan.Range{}, 0, nil
	p.Rate = plan.Rate{N: rate, Per: plan.Duration(time.Second)}
	p.RunTime, p.StopTimeout = plan.Duration(length), plan.Duration(2*time.Second)
	p.Thresholds, p.AbortOn, p.ExitCodeOnError = c.Objective, "", nil
	if p.Arrivals == "" {
		p.Arrivals = plan.DefaultArrivals
	}
	if p.MaxInFlight == 0 {
		p.MaxInFlight = plan.DefaultMaxInFlight
	}
	r.Plan = p
	res, err := r.Run(ctx)
	if err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if !counts {
		return true, nil
	}
	held, detail := true, ""
	for _, o := range res.Thresholds {
		if detail == "" || !o.Passed && held {
			detail = o.Expression + ": " + o.Detail
		}
		held = held && o.Passed
	}
	if !held && res.Verdict.Validity == result.Invalid {
		f.AtLeast, f.Why = true, "the generator could not make more: "+reasonOf(res)
	}
	tried := Tried{rate, held, detail}
	f.Tried = append(f.Tried, tried)
	if c.Tell != nil {
		c.Tell(tried)
	}
	return held, nil
}

// reasonOf is the first reason, without its advice.
func reasonOf(res *result.Result) string {
	if len(res.Verdict.Reasons) == 0 {
		return "for no reason that is known"
	}
	short, _, _ := strings.Cut(res.Verdict.Reasons[0].Detail, ": ")
	return short
}
