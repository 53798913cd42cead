package compare

import (
	"fmt"
	"math"
	"slices"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/stats"
)

// Paired is how two sides were measured in one run, in turns. The run is in rounds: steady phases of each side's
// result, of which the first of base and the first of new lie beside each other in time, and so on. What the machine
// does to both is in neither's difference, so the rounds' differences are the sample.
type Paired struct {
	Restarts int     `json:"restarts"` // rounds before each of which both programs were started anew; 0: they were not ours to start
	Rounds   int     `json:"rounds"`
	Pairs    int     `json:"pairs"`   // of blocks in all
	BlockS   float64 `json:"block_s"` // length of a block
}

// ProcessSpread is the standard deviation between starts of one program that is allowed for where programs were not
// restarted: memory lies elsewhere in each, and 2 % was measured.
const ProcessSpread = 0.02

// leastRoundTail is how many requests of each round have to lie beyond a percentile.
const leastRoundTail = 2

func (p *Paired) method() string {
	pairs := fmt.Sprintf("paired: %d pairs of blocks of %.3g s", p.Pairs, p.BlockS)
	if p.Restarts > 0 {
		return fmt.Sprintf("%s, both programs started %d times: t over what the starts differ by", pairs, p.Restarts)
	}
	return fmt.Sprintf("%s in %d rounds: t over what the rounds differ by, widened by %.3g %% a side for what differs between starts of a program, of which there was one",
		pairs, p.Rounds, 100*ProcessSpread)
}

// rounds are a run's steady phases as runs. A rate is here of what
// was due in the round: on a clock that stands while the other side is asked, when an answer came says little.
func (r *Run) rounds() (all []*Run) {
	last := -1
	for _, b := range r.Blocks {
		if b.Phase != plan.Steady {
			continue
		}
		if b.Span != last {
			last = b.Span
			round := *r
			round.Blocks = nil
			all = append(all, &round)
		}
		b.Parts = slices.Clone(b.Parts)
		for i := range b.Parts {
			b.Parts[i].Completed = b.Parts[i].Answered
		}
		round := all[len(all)-1]
		round.Blocks = append(round.Blocks, b)
	}
	return all
}

// oneGenerator takes from both sides what is of their one generator, and of the run that they share, so that it is told
// once: what is suspected of it, and that the run was stopped, of which the whole rounds are compared. That it is INVALID
// voids the comparison in the end.
func (c *comparer) oneGenerator() (sides [2][]*Run) {
	for i, side := range c.sides {
		for _, r := range side {
			own := *r
			if own.Validity != result.Valid {
				c.out.Validity = own.Validity
				for _, reason := range own.Reasons {
					if reason.Level != result.Valid {
						c.warn("the generator is %s: %s", reason.Level, reason.Detail)
					}
				}
			}
			if own.StoppedBy != "" {
				c.warn("the run was stopped early, and its whole rounds are compared: %s", own.StoppedBy)
			}
			own.Validity, own.StoppedBy = result.Valid, ""
			sides[i] = append(sides[i], &own)
		}
	}
	return sides
}

// inRounds makes rounds of the sides of a paired run: those in which both had as long a turn, which the last one of a
// run that was stopped may not be.
func inRounds(sides [2][]*Run) ([2][]*Run, error) {
	var rounds [2][]*Run
	for i, side := range sides {
		if len(side) != 1 {
			return rounds, fmt.Errorf("a paired run has one result a side, not %d", len(side))
		}
		rounds[i] = side[0].rounds()
	}
	n := 0
	for n < min(len(rounds[0]), len(rounds[1])) && math.Abs(rounds[0][n].seconds()-rounds[1][n].seconds()) < 1e-3 {
		n++
	}
	if n < 2 {
		return rounds, fmt.Errorf("too little was measured of both sides: %d of the rounds, want 2 at least", n)
	}
	return [2][]*Run{rounds[0][:n], rounds[1][:n]}, nil
}

// pairedDifference is new − base of a metric over rounds, with its variance and degrees of freedom.
func (c *comparer) pairedDifference(m Metric, samples [2][]*sample, sides [2]side) (difference, variance, df float64) {
	n := len(sides[0].values)
	differences := make([]float64, n)
	for i := range differences {
		differences[i] = sides[1].values[i] - sides[0].values[i]
	}
	difference, variance, df = stats.Mean(differences), stats.Variance(differences)/float64(n), float64(n-1)
	if m.Kind == gate.ErrorRate {
		variance = math.Max(variance, binomial(samples[0])+binomial(samples[1]))
	}
	if c.Paired.Restarts > 0 || m.Kind == gate.RPS && c.keptUp(samples) {
		return difference, variance, df
	}
	var known float64
	for _, s := range sides {
		spread := ProcessSpread
		if m.Kind == gate.ErrorRate {
			spread *= s.estimate // a share of the share
		}
		known += spread * spread
	}
	variance, df = stats.Combine(variance, df, known, math.Inf(1))
	return difference, variance, df
}

// fewInRound says that a percentile of a round is of too few requests; empty when it is not.
func fewInRound(m Metric, samples []*sample, side string) string {
	least, sum := math.Inf(1), 0.0
	for _, s := range samples {
		least, sum = math.Min(least, s.tail(m)), sum+s.tail(m)
	}
	switch {
	case least < leastRoundTail:
		return fmt.Sprintf("on the side of %s only %.3g requests of a round lie beyond it; want %d: a longer run, or more load", side, least, leastRoundTail)
	case sum < leastTail:
		return fmt.Sprintf("on the side of %s only %.3g requests lie beyond it; want %d: a longer run, or more load", side, sum, leastTail)
	}
	return ""
}

// roundsFor is RunsFor of pairs: n = (t + z)² sd² ÷ effect², of differences with the standard deviation sd.
func roundsFor(effect, sd float64) int {
	e := math.Log1p(effect)
	for n := 2; n < 1000; n++ {
		df := float64(n - 1)
		if e >= (stats.TQuantile(0.975, df)+stats.TQuantile(0.9, df))*sd*math.Sqrt(1/float64(n)) {
			return n
		}
	}
	return 1000
}

// needPaired says how many restarts would tell an effect.
func (c *comparer) needPaired(x *Cell, effect float64) string {
	s := c.samples[scope{x.Endpoint, x.Phase}]
	var differences []float64
	for i := range s[0] {
		differences = append(differences, x.metric.scaled(s[1][i].value(x.metric))-x.metric.scaled(s[0][i].value(x.metric)))
	}
	sd := math.Sqrt(stats.Variance(differences))
	if math.IsNaN(sd) {
		return ""
	}
	n := roundsFor(effect, sd)
	if c.Paired.Restarts == 0 {
		return "; --start and --base-start, which start the programs anew, tell more than one start of each"
	}
	if n >= 1000 {
		return "; the starts differ too much for it here"
	}
	return fmt.Sprintf("; need ≥ %d restarts", max(n, len(differences)+1))
}

// void takes every verdict back, because what was measured cannot be believed.
func (c *Comparison) void(why string) {
	c.Verdict = CannotTell
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Verdict != CannotTell {
			x.Verdict, x.Why = CannotTell, why
		}
	}
	for i := range c.Gates {
		c.Gates[i].Outcome = Unknown
		c.Gates[i].Seen += "; " + why
	}
}
