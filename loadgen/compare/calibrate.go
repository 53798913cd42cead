package compare

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/stats"
)

// Calibration is what runs of one build say of the noise of a machine.
type Calibration struct {
	runs int
	rows []calibrated
	// Of all pairs of runs as one against one, how many were called different in something gated.
	pairs, called int
}

type calibrated struct {
	metric Metric
	sd     float64 // of logarithms, between runs
	need   [3]int  // runs a side for each of effects
}

func effects() [3]float64 { return [3]float64{0.05, 0.10, 0.20} }

// Calibrate compares runs of one build with each other. It wants five at least.
func Calibrate(runs []*Run) (*Calibration, error) {
	if len(runs) < gate.LeastHistory {
		return nil, &input.Error{Field: "--calibrate", Want: fmt.Sprintf("%d results: want %d at least, all of one build", len(runs), gate.LeastHistory)}
	}
	if err := Unlike(runs); err != nil {
		return nil, err
	}
	c := &Calibration{runs: len(runs)}
	for _, m := range Metrics() {
		if m.Kind == gate.ErrorRate {
			continue
		}
		var values []float64
		for _, r := range runs {
			values = append(values, m.scaled(sampleOf(r, scope{}).value(m)))
		}
		row := calibrated{metric: m, sd: math.Sqrt(stats.Variance(values))}
		for i, e := range effects() {
			row.need[i] = RunsFor(e, row.sd)
		}
		c.rows = append(c.rows, row)
	}
	for i := range runs {
		for j := range i {
			r, err := Compare([]*Run{runs[j]}, []*Run{runs[i]}, Options{})
			if err != nil {
				return nil, err
			}
			c.pairs++
			if r.Verdict == Worse || r.Verdict == Better {
				c.called++
			}
		}
	}
	return c, nil
}

// Text writes the calibration.
func (c *Calibration) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs of one build. Of their %d pairs, compared one against one, %d were called different.\n\n", c.runs, c.pairs, c.called)
	fmt.Fprintf(&b, "%-8s  %12s  %s\n", "figure", "run-to-run", "runs a side that find a change of 5 %, 10 %, 20 % nine times in ten")
	for _, r := range c.rows {
		fmt.Fprintf(&b, "%-8s  %10.1f %%", r.metric, 100*r.sd)
		for _, n := range r.need {
			text := strconv.Itoa(n)
			if n >= 1000 {
				text = "≥ 1000"
			}
			fmt.Fprintf(&b, "  %6s", text)
		}
		b.WriteString("\n")
	}
	if sd := c.gatedSD(); sd > DefaultAllowance {
		fmt.Fprintf(&b, "\nRuns differ by more than the %.3g %% that one run a side allows for: give --history with these results, or several runs a side.\n", 100*DefaultAllowance)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Calibration) gatedSD() float64 {
	for _, r := range c.rows {
		if r.metric == (Metric{gate.Percentile, 99}) {
			return r.sd
		}
	}
	return 0
}
