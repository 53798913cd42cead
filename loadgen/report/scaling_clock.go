package report

import (
	"math"
	"strconv"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// clocks are the run's, on which load is sent, and the service's, which runs faster by a factor.
type clocks float64

func clocksOf(t *timeline.Timeline) clocks {
	if t.Speedup > 0 {
		return clocks(t.Speedup)
	}
	return 1
}

// apart reports whether the two clocks differ.
func (c clocks) apart() bool { return c != 1 }

func (c clocks) service(run time.Duration) time.Duration {
	return time.Duration(min(float64(run)*float64(c), math.MaxInt64/2))
}

// at is an instant, or a length of time, by both clocks: 0:09 (3:00).
func (c clocks) at(run time.Duration) string {
	if !c.apart() {
		return units.Clock(run)
	}
	return units.Clock(run) + " (" + units.Clock(c.service(run)) + ")"
}

func (c clocks) times() string { return units.Decimal(float64(c)) + " times" }

// since is a length of simulated time with its sign, from one instant of a task's life to another. It
// is in brackets, as all simulated time is where there are two clocks.
func (c clocks) since(from, to time.Duration) string {
	if from < 0 || to < 0 {
		return units.None
	}
	text := "+" + units.Clock(c.service(to-from))
	if c.apart() {
		text = "(" + text + ")"
	}
	return text
}

// span is a length of simulated time; of what did not happen it is units.None.
func span(s *timeline.Span) string {
	if s == nil {
		return units.None
	}
	return units.Clock(s.Service)
}

// hundredths prints a number with two digits after the point; one that this would make 0 keeps its own.
func hundredths(x float64) string {
	if math.Abs(x) >= 0.01 {
		x = math.Round(x*100) / 100
	}
	return units.Decimal(x)
}

func small(n int) string { return strconv.Itoa(n) }
