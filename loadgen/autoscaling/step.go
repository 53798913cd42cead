package autoscaling

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
)

// MetricP99 is the 99th percentile of the balancer's response time over a period, in milliseconds. It is missing where
// nothing was answered.
const MetricP99 = "p99"

// StepScaling adds tasks in steps while an alarm on latency is in ALARM. Latency is not proportional to capacity, so AWS's
// guide has it drive steps and no target. It only scales out; beside it a target tracking policy scales in. Missing data does
// not breach, so that a service of which nothing is asked is not held up by it.
type StepScaling struct {
	Steps []Step
	Evaluation
}

// Step is how many tasks are added while the metric is above a bound.
type Step struct {
	Above time.Duration
	Add   int
}

// maxSteps is AWS's quota of step adjustments in a policy.
const maxSteps = 20

// Metric is MetricP99.
func (p StepScaling) Metric() string { return MetricP99 }

// String is p99>BOUND:+N,>BOUND:+N with " M of N" after it where that is not 3 of 3.
func (p StepScaling) String() string {
	var parts []string
	for i, s := range p.Steps {
		head := ">"
		if i == 0 {
			head = MetricP99 + ">"
		}
		parts = append(parts, fmt.Sprintf("%s%s:+%d", head, short(s.Above), s.Add))
	}
	text := strings.Join(parts, ",")
	if p.Evaluation != (Evaluation{DefaultHighPeriods, DefaultHighPeriods}) {
		text += fmt.Sprintf(" %d of %d", p.Datapoints, p.Periods)
	}
	return text
}

func (p StepScaling) check(refuse func(field, format string, args ...any)) {
	if len(p.Steps) == 0 || len(p.Steps) > maxSteps {
		refuse("steps", "%d, want 1 to %d", len(p.Steps), maxSteps)
	}
	for i, s := range p.Steps {
		if s.Above <= 0 || s.Above > time.Hour || s.Add < 1 || s.Add > MaxTasks || i > 0 && (s.Above <= p.Steps[i-1].Above || s.Add <= p.Steps[i-1].Add) {
			refuse("steps", "want rising bounds of at most an hour, and more tasks at each")
			break
		}
	}
	if p.Datapoints < 1 || p.Datapoints > p.Periods || p.Periods > maxEvaluation {
		refuse("evaluation", "%d of %d, want at least 1 datapoint and not more than there are periods", p.Datapoints, p.Periods)
	}
}

func (p StepScaling) alarms(*Config) (high, low *alarm) {
	return newAlarm(MetricP99, true, milliseconds(p.Steps[0].Above), p.Evaluation), nil
}

// wants is what is desired and the step that the newest datapoint is in; one that does not breach, of an alarm of M of N,
// is in the first.
func (p StepScaling) wants(_ *Config, _ bool, _, desired int, mean float64) int {
	add := p.Steps[0].Add
	for _, s := range p.Steps {
		if mean > milliseconds(s.Above) {
			add = s.Add
		}
	}
	return desired + add
}

func (p StepScaling) tooMuch(float64) bool { return false } // how latency goes with fewer tasks is not known

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

const wantSteps = "p99>BOUND:+N,>BOUND:+N, e.g. p99>200ms:+1,>400ms:+2, with M of N after it for other than 3 of 3 periods"

// parseSteps reads what StepScaling.String writes; ok is false of a text that is of another kind.
func parseSteps(s string) (p Policy, ok bool, err error) {
	if !strings.HasPrefix(strings.ReplaceAll(s, " ", ""), MetricP99+">") {
		return nil, false, nil
	}
	refused := &input.Error{Got: s, Want: wantSteps}
	steps := StepScaling{Evaluation: Evaluation{DefaultHighPeriods, DefaultHighPeriods}}
	text := strings.TrimSpace(s)
	if head, count, found := strings.Cut(text, " of "); found {
		n, err := strconv.Atoi(strings.TrimSpace(count))
		at := strings.LastIndexByte(head, ' ')
		if err != nil || at < 0 {
			return nil, true, refused
		}
		if steps.Datapoints, err = strconv.Atoi(head[at+1:]); err != nil {
			return nil, true, refused
		}
		steps.Periods, text = n, head[:at]
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.ReplaceAll(text, " ", ""), MetricP99), ",") {
		bound, add, found := strings.Cut(strings.TrimPrefix(part, ">"), ":+")
		d, err := time.ParseDuration(bound)
		n, err2 := strconv.Atoi(add)
		if !found || !strings.HasPrefix(part, ">") || err != nil || err2 != nil {
			return nil, true, refused
		}
		steps.Steps = append(steps.Steps, Step{d, n})
	}
	bad := ""
	steps.check(func(_, format string, args ...any) { bad = fmt.Sprintf(format, args...) })
	if bad != "" {
		return nil, true, &input.Error{Got: s, Want: wantSteps + ": " + strings.TrimPrefix(bad, "want ")}
	}
	return steps, true, nil
}

// notBreaching is a datapoint of a step policy, of which a missing one is one that does not breach.
func notBreaching(d datapoint) datapoint {
	if d.missing {
		return datapoint{from: d.from}
	}
	return d
}
