package timeline

import (
	"math"
	"sort"
	"strconv"
	"time"
)

// Load is what was offered to the service, in order of time. Outside its steps nothing was offered.
type Load []Step

// Step is a stretch of a Load with one rate: an interval of a result, or a stage of a simulation.
type Step struct {
	From, To time.Duration // on the run's clock
	Rate     float64       // requests/s offered, on the run's clock
	Requests int64         // completed in it, errors included; 0 in a simulation
	Errors   int64
	// Planned says that Rate is what was meant and not a count of what came, so that chance has no part in it.
	Planned bool
	// Held says that the load was paused: there is nothing to judge capacity by, and figures leave it out.
	Held bool
}

// Validate says whether l is in order, without overlaps, and of rates and counts that can be. Its error is a *input.Error.
func (l Load) Validate() error {
	end := time.Duration(0)
	for i, s := range l {
		path := "load[" + strconv.Itoa(i) + "]."
		if err := within(path+"from_s", s.From, end, MaxTime); err != nil {
			return err
		}
		if s.To <= s.From || s.To > MaxTime {
			return wrong(path+"to_s", seconds(s.To), "more than from_s, "+seconds(s.From))
		}
		if !(s.Rate >= 0 && s.Rate <= 1e12) {
			return wrong(path+"requests_per_second", number(s.Rate), "0 to 1e12")
		}
		if err := amount(path+"requests", s.Requests, 1<<53); err != nil {
			return err
		}
		if err := amount(path+"errors", s.Errors, s.Requests); err != nil {
			return err
		}
		end = s.To
	}
	return nil
}

func (s Step) length() time.Duration { return s.To - s.From }

// between calls f for each stretch of [from, to), gaps included, with the step that it belongs to: in a gap one that is as
// long as the gap within the stretch and offers nothing. No stretch is empty.
func (l Load) between(from, to time.Duration, f func(from, to time.Duration, s Step)) {
	at := from
	for _, s := range l[sort.Search(len(l), func(i int) bool { return l[i].To > from }):] {
		if s.From >= to {
			break
		}
		if s.From > at {
			f(at, s.From, Step{From: at, To: s.From})
			at = s.From
		}
		end := min(s.To, to)
		f(at, end, s)
		at = end
	}
	if at < to {
		f(at, to, Step{From: at, To: to})
	}
}

// held is how long l is held in [from, to).
func (l Load) held(from, to time.Duration) (sum time.Duration) {
	l.between(from, to, func(from, to time.Duration, s Step) {
		if s.Held {
			sum += to - from
		}
	})
	return sum
}

// The load is steady where each step's rate is within a fifth of the mean, or as far from it as chance alone takes one
// step in 16,000: four standard deviations of the Poisson distribution of its requests. A planned rate has no chance in it.
const (
	steadyShare  = 0.2
	steadySigmas = 4
)

// steady says whether the load did not change in [from, to). Defined here.
func (l Load) steady(from, to time.Duration) bool {
	var requests, length float64
	l.between(from, to, func(from, to time.Duration, s Step) {
		if s.Held {
			return
		}
		requests += s.Rate * (to - from).Seconds()
		length += (to - from).Seconds()
	})
	if length == 0 {
		return true
	}
	mean, same := requests/length, true
	l.between(from, to, func(_, _ time.Duration, s Step) {
		chance := 0.0
		if s.Held {
			return
		}
		if !s.Planned {
			chance = steadySigmas * math.Sqrt(mean/s.length().Seconds())
		}
		if math.Abs(s.Rate-mean) > max(steadyShare*mean, chance) {
			same = false
		}
	})
	return same
}

// Capacity is what one task can do.
type Capacity struct {
	// PerTask is the requests/s, on the run's clock, that one task can do at most, e.g. slots ÷ service time; 0 when it is not known.
	PerTask float64
	// Utilisation is the share of it that a task is to be loaded with, so that latency stays low; 0 stands for 1.
	Utilisation float64
}

// Known says whether demand can be told.
func (c Capacity) Known() bool { return c.PerTask > 0 && !math.IsInf(c.PerTask, 0) && c.share() > 0 }

func (c Capacity) share() float64 {
	if c.Utilisation == 0 {
		return 1
	}
	return c.Utilisation
}

// Tasks is the demand of a rate in tasks: ⌈rate ÷ (PerTask × Utilisation)⌉. A billionth more than a whole number of tasks
// asks for no other one: it comes of rounding, as in 0.1 + 0.2. Without a known capacity it is 0.
//
// Source: the smallest number of tasks that can do the rate, as demand is defined in [Herbst], with a capacity that is
// proportional to tasks in place of a calibrated one.
func (c Capacity) Tasks(rate float64) int {
	if !c.Known() {
		return 0
	}
	tasks := min(rate/(c.PerTask*c.share()), 1<<53)
	return int(math.Ceil(tasks - 1e-9*tasks))
}
