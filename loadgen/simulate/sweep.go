package simulate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// Sweep is a setting and the values that it is to have, one run each.
type Sweep struct {
	// Setting is target (that of the first policy), the metric of a policy (its target), min, max, initial,
	// task-capacity, or one of the times of the models by the name of its flag (then Values are seconds).
	Setting string
	Values  []float64
}

// Row is one run of a sweep.
type Row struct {
	Setting string // as a flag would say it: "requests=100", "max=8", "period=20s"
	Value   float64
	Summary Summary
}

// MaxSweep is the most runs of one sweep.
const MaxSweep = 100

const wantSweep = "SETTING=FROM..TO, SETTING=FROM..TO:STEP or SETTING=A,B,…, e.g. target=25..400 or period=20,60"

// unit is what a setting's values are.
type unit int

const (
	ofTarget unit = iota
	ofPercent
	ofTasks
	ofTime
	ofRate
)

func units() map[string]unit {
	return map[string]unit{
		"target": ofTarget, autoscaling.MetricRequests: ofTarget, autoscaling.MetricCPU: ofPercent, autoscaling.MetricMemory: ofPercent,
		"min": ofTasks, "max": ofTasks, autoscaling.SettingInitial: ofTasks, autoscaling.SettingTaskCapacity: ofRate,
		autoscaling.SettingPeriod: ofTime, autoscaling.SettingMetricDelay: ofTime, autoscaling.SettingTaskStart: ofTime,
		autoscaling.SettingCooldownOut: ofTime, autoscaling.SettingCooldownIn: ofTime, autoscaling.SettingDeregistration: ofTime,
	}
}

func settings() []string { return slices.Sorted(maps.Keys(units())) }

// ParseSweep reads:
//
//	sweep   = setting "=" ( from ".." to [ ":" step ] | value { "," value } )
//	setting = "target" | "requests" | "cpu" | "memory" | "min" | "max" | "initial" | "task-capacity" | "period" |
//	          "metric-delay" | "task-start" | "cooldown-out" | "cooldown-in" | "deregistration-delay"
//
// Values of times are durations or seconds. Without a step, targets, capacities and times double from one value to the next, because
// what matters spans orders of magnitude, and numbers of tasks grow by 1. TO is always among the values. Errors are
// *input.Error.
func ParseSweep(text string) (Sweep, error) {
	s := strings.TrimSpace(text)
	refused := func(want string) error { return &input.Error{Got: s, Want: want} }
	if s == "" {
		return Sweep{}, &input.Error{Want: "empty, want " + wantSweep}
	}
	setting, values, ok := strings.Cut(s, "=")
	sweep := Sweep{Setting: strings.TrimSpace(setting)}
	if _, known := units()[sweep.Setting]; !known {
		e := &input.Error{Got: s, Want: "a setting that is one of: " + strings.Join(settings(), ", ")}
		if word, found := near.Near(sweep.Setting, settings()); found {
			e.Hint = "did you mean " + word + "?"
		}
		return Sweep{}, e
	}
	low, rest, isRange := strings.Cut(values, "..")
	if !isRange {
		for text := range strings.SplitSeq(values, ",") {
			v, good := sweep.value(text)
			if !ok || !good || !strings.Contains(values, ",") {
				return Sweep{}, refused(wantSweep)
			}
			sweep.Values = append(sweep.Values, v)
		}
		slices.Sort(sweep.Values)
		sweep.Values = slices.Compact(sweep.Values)
		return sweep, sweep.check(refused)
	}
	high, by, hasStep := strings.Cut(rest, ":")
	from, good := sweep.value(low)
	to, good2 := sweep.value(high)
	if !ok || !good || !good2 || strings.HasPrefix(strings.TrimSpace(high), ".") {
		return Sweep{}, refused(wantSweep)
	}
	step := 0.0
	if hasStep {
		if step, good = sweep.value(by); !good || step <= 0 {
			return Sweep{}, refused(wantSweep + ", STEP being above 0")
		}
	}
	if from > to {
		return Sweep{}, refused("FROM..TO with FROM not above TO")
	}
	sweep.Values = []float64{from, to}
	if err := sweep.check(refused); err != nil {
		return Sweep{}, err
	}
	switch {
	case sweep.counts() && step != math.Trunc(step):
		return Sweep{}, refused(wantTasks())
	case sweep.counts():
		step = max(step, 1)
	case sweep.unit() == ofPercent && step == 0:
		step = 10
	}
	if from == 0 && step == 0 {
		return Sweep{}, refused(wantSweep + ", with a STEP from 0 on")
	}
	sweep.Values = between(from, to, step)
	return sweep, sweep.check(refused)
}

func wantTasks() string { return fmt.Sprintf("whole numbers of tasks, 0 to %d", autoscaling.MaxTasks) }

// check refuses values that no setting of the kind can have.
func (s Sweep) check(refused func(want string) error) error {
	for _, v := range s.Values {
		switch {
		case s.counts() && (v != math.Trunc(v) || v < 0 || v > autoscaling.MaxTasks):
			return refused(wantTasks())
		case s.unit() == ofTime && (v < 0 || v > maxDelay.Seconds()):
			return refused("times from 0s to 24h")
		case !s.counts() && s.unit() != ofTime && (v <= 0 || v > 1e15):
			return refused("targets above 0")
		}
	}
	if len(s.Values) > MaxSweep {
		return refused(fmt.Sprintf("at most %d values: give a larger STEP", MaxSweep))
	}
	return nil
}

func (s Sweep) unit() unit { return units()[s.Setting] }

// value reads one value.
func (s Sweep) value(text string) (float64, bool) {
	if v, ok := input.Number(text); ok || s.unit() != ofTime {
		return v, ok
	}
	d, err := plan.ParseDuration(text)
	return time.Duration(d).Seconds(), err == nil
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
func (s Sweep) counts() bool { return s.unit() == ofTasks }

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
			return nil, input.Rename(err, func(field string) string { return rows[i].Setting + ": " + field })
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
	m := c.models()
	d := time.Duration(math.Round(v * 1e9))
	said := plainNumber(v)
	if s.unit() == ofTime {
		said = plan.Duration(d).String()
	}
	switch s.Setting {
	case "min":
		c.Min = int(v)
	case "max":
		c.Max = int(v)
	case autoscaling.SettingInitial:
		c.Initial = int(v)
	case autoscaling.SettingTaskCapacity:
		c.TaskCapacity = v
	case autoscaling.SettingPeriod:
		m = m.WithPeriod(d)
	case autoscaling.SettingMetricDelay:
		m.MetricDelay = autoscaling.MetricDelay(d)
	case autoscaling.SettingTaskStart:
		m.TaskStart = autoscaling.StartIn(d)
	case autoscaling.SettingCooldownOut:
		m.ScaleOutCooldown = d
	case autoscaling.SettingCooldownIn:
		m.ScaleInCooldown = d
	case autoscaling.SettingDeregistration:
		m.Deregistration = d
	default:
		c.Policies = slices.Clone(c.Policies)
		for i, p := range c.Policies {
			t, ok := p.(autoscaling.TargetTracking)
			if ok && (s.Setting == "target" || s.Setting == t.On) {
				t.Target = v
				c.Policies[i] = t
				return c, t.On + "=" + said, nil
			}
		}
		return c, "", &input.Error{Want: "no policy of the simulation has the setting " + s.Setting}
	}
	if s.unit() == ofTime {
		if err := m.Validate(); err != nil {
			for _, e := range input.Errors(err) {
				return c, "", (*input.Error)(e)
			}
		}
		c = c.With(m)
	}
	return c, s.Setting + "=" + said, nil
}
