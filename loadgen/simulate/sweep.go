package simulate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// Sweep is a setting and the values that it is to have, one run each.
type Sweep struct {
	// Setting is target (that of the first policy), requests or cpu (the target of the policy on that metric), min
	// or max.
	Setting string
	Values  []float64
}

// Row is one run of a sweep.
type Row struct {
	Setting string // as a flag would say it: "requests=100", "max=8"
	Value   float64
	Summary Summary
}

// MaxSweep is the most runs of one sweep.
const MaxSweep = 100

const wantSweep = "SETTING=FROM..TO or SETTING=FROM..TO:STEP, e.g. target=25..400 or max=2..8"

func settings() []string {
	return []string{"target", autoscaling.MetricRequests, autoscaling.MetricCPU, "min", "max"}
}

// ParseSweep reads:
//
//	sweep   = setting "=" from ".." to [ ":" step ]
//	setting = "target" | "requests" | "cpu" | "min" | "max"
//
// Without a step, targets double from one value to the next, because what matters spans orders of magnitude, and min
// and max grow by 1. TO is always among the values. Errors are *plan.FieldError.
func ParseSweep(text string) (Sweep, error) {
	s := strings.TrimSpace(text)
	refused := func(want string) error { return &plan.FieldError{Got: s, Want: want} }
	if s == "" {
		return Sweep{}, &plan.FieldError{Want: "empty, want " + wantSweep}
	}
	setting, values, ok := strings.Cut(s, "=")
	setting = strings.TrimSpace(setting)
	if !slices.Contains(settings(), setting) {
		e := &plan.FieldError{Got: s, Want: "a setting that is one of: " + strings.Join(settings(), ", ")}
		if word, found := near.Near(setting, settings()); found {
			e.Hint = "did you mean " + word + "?"
		}
		return Sweep{}, e
	}
	low, rest, isRange := strings.Cut(values, "..")
	high, by, hasStep := strings.Cut(rest, ":")
	from, good := plainDecimal(low)
	to, good2 := plainDecimal(high)
	if !ok || !isRange || !good || !good2 || strings.HasPrefix(strings.TrimSpace(high), ".") {
		return Sweep{}, refused(wantSweep)
	}
	sweep := Sweep{Setting: setting}
	step := 0.0
	if hasStep {
		if step, good = plainDecimal(by); !good || step <= 0 {
			return Sweep{}, refused(wantSweep + ", STEP being above 0")
		}
	}
	if from > to {
		return Sweep{}, refused("FROM..TO with FROM not above TO")
	}
	if sweep.counts() {
		if from != math.Trunc(from) || to != math.Trunc(to) || step != math.Trunc(step) || from < 0 || to > autoscaling.MaxTasks {
			return Sweep{}, refused(fmt.Sprintf("whole numbers of tasks, 0 to %d", autoscaling.MaxTasks))
		}
		step = max(step, 1)
	} else if from <= 0 || to > 1e15 {
		return Sweep{}, refused("targets above 0")
	}
	sweep.Values = between(from, to, step)
	if len(sweep.Values) > MaxSweep {
		return Sweep{}, refused(fmt.Sprintf("at most %d values: give a larger STEP", MaxSweep))
	}
	return sweep, nil
}

// between are the values from from by step, or doubling when step is 0, and to; one more than MaxSweep when they are
// too many.
func between(from, to, step float64) (values []float64) {
	for i := 0; len(values) <= MaxSweep; i++ {
		v := from + float64(i)*step
		if step == 0 {
			v = from * math.Exp2(float64(i))
		}
		// As people write it: 0.1 + 0.7 is 0.7999999999999999 in float64.
		if v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64); v >= to {
			return append(values, to)
		}
		values = append(values, v)
	}
	return values
}

// counts reports whether the setting is a number of tasks.
func (s Sweep) counts() bool { return s.Setting == "min" || s.Setting == "max" }

// Run simulates c with each value. Every run is watched until the last of them is back, or for all of c.Recovery, so that
// task-hours are of the same time.
// A value that c cannot have, or a policy that it does not have, is an error before the first run.
func (s Sweep) Run(c Config) ([]Row, error) {
	configs := make([]Config, len(s.Values))
	rows := make([]Row, len(s.Values))
	for i, v := range s.Values {
		var err error
		if configs[i], rows[i].Setting, err = s.apply(c, v); err != nil {
			return nil, err
		}
		if err := configs[i].Validate(); err != nil {
			return nil, plan.Rename(err, func(field string) string { return rows[i].Setting + ": " + field })
		}
	}
	var longest time.Duration
	for _, whole := range []bool{false, true} {
		for i, c := range configs {
			if c.Whole = whole; whole {
				c.Recovery = longest
			}
			r, err := Run(c)
			if err != nil {
				return nil, err
			}
			longest = max(longest, r.Timeline.End-r.Timeline.LoadTo)
			rows[i].Value, rows[i].Summary = s.Values[i], r.Summary
		}
	}
	return rows, nil
}

// apply is c with one value, and how a flag would say it.
func (s Sweep) apply(c Config, v float64) (Config, string, error) {
	switch s.Setting {
	case "min":
		c.Min = int(v)
	case "max":
		c.Max = int(v)
	default:
		c.Policies = slices.Clone(c.Policies)
		for i, p := range c.Policies {
			t, ok := p.(autoscaling.TargetTracking)
			if ok && (s.Setting == "target" || s.Setting == t.On) {
				t.Target = v
				c.Policies[i] = t
				return c, t.On + "=" + plainNumber(v), nil
			}
		}
		return c, "", &plan.FieldError{Want: "no policy of the simulation has the setting " + s.Setting}
	}
	return c, s.Setting + "=" + plainNumber(v), nil
}
