package autoscaling

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

// Models are the times and rules of a service's scaling beside its bounds and policies: what AWS has defaults for, what
// was measured of AWS, and what AWS does not publish. The lab and the simulation take the same type; [LabModels] and
// [AWSModels] are the two named sets.
type Models struct {
	// Period is what a datapoint covers: 60 s, or the 20 s of ECS's high-resolution CPU and memory metrics. Use
	// [Models.WithPeriod] to change it with what belongs to it.
	Period time.Duration
	// MetricDelay is how long after a period's end its datapoint is seen.
	MetricDelay MetricDelay
	// TaskStart is how long a new task takes until it runs.
	TaskStart TaskStart
	// The cooldowns begin when an activity completes.
	ScaleOutCooldown, ScaleInCooldown time.Duration
	// Deregistration is how long a task that leaves finishes what it has.
	Deregistration time.Duration
	// ScaleIn is how far one scale-in goes, RoundOut how the count of a scale-out becomes whole.
	ScaleIn  ScaleInModel
	RoundOut Rounding
}

// LabModels are the demonstration's: no delay of metrics, shorter cooldowns and drains, so that the way back from 6
// tasks to 2 takes half an hour.
func LabModels() Models {
	return Models{
		Period: DefaultPeriod, MetricDelay: NoMetricDelay,
		TaskStart:        TaskStart{Created: DefaultPlacement, Running: DefaultPull + DefaultStart},
		ScaleOutCooldown: DefaultScaleOutCooldown, ScaleInCooldown: DefaultScaleInCooldown,
		Deregistration: DefaultDeregistrationDelay,
		ScaleIn:        ScaleInStep, RoundOut: RoundUp,
	}
}

// AWSModels are AWS's defaults and what was measured there: see the constants for the source of each.
func AWSModels() Models {
	return Models{
		Period: DefaultPeriod, MetricDelay: AWS60s,
		TaskStart:        TaskStart{Created: AWSCreated, Running: AWSRunning},
		ScaleOutCooldown: AWSCooldown, ScaleInCooldown: AWSCooldown,
		Deregistration: AWSDeregistrationDelay,
		ScaleIn:        ScaleInStep, RoundOut: RoundUp,
	}
}

// AWS's defaults and measured times.
const (
	// AWSCooldown is the default of both cooldowns for an ECS service (Application Auto Scaling's guide, "Define
	// cooldown periods").
	AWSCooldown = 300 * time.Second
	// AWSDeregistrationDelay is the default deregistration_delay.timeout_seconds of a target group.
	AWSDeregistrationDelay = 300 * time.Second
	// AWSCreated is from the decision until the task is created, AWSRunning from there until it runs: recorded on
	// Fargate in us-east-1 on 2026-09-17 as 8 s, and as 24, 26, 27 and 31 s (radkawar/stackd, scaling.json and
	// scale_in.json).
	AWSCreated = 8 * time.Second
	AWSRunning = 27 * time.Second
	// AWSFastPeriod is the period of ECS's high-resolution CPU and memory metrics; target tracking evaluates 3 of them
	// for AlarmHigh and 30 for AlarmLow. An Application Load Balancer's metrics are of 60 s whatever ECS's are.
	AWSFastPeriod     = 20 * time.Second
	AWSFastLowPeriods = 30
)

// The models of how long after a period's end its datapoint is seen.
//
// aws-60s is fitted, not recorded: AWS's benchmark of ECS scaling has 363 s from load to the scale-out's trigger with
// periods of 60 s. Three whole periods explain 180 s to 240 s of it, as the load may begin anywhere in one; the 120 s to
// 180 s that are left are the delay. aws-20s was recorded as 12 s and 16 s from a period's end to the alarm's change
// (radkawar/stackd, scale_in.json); with it the same benchmark's 86 s lie in 74 s to 94 s.
const (
	NoMetricDelay MetricDelay = 0
	AWS60s                    = MetricDelay(150 * time.Second)
	AWS20s                    = MetricDelay(14 * time.Second)
)

// MetricDelay is how long after a period's end its datapoint is seen. Some have names.
type MetricDelay time.Duration

func metricDelays() map[string]MetricDelay {
	return map[string]MetricDelay{"none": NoMetricDelay, "aws-60s": AWS60s, "aws-20s": AWS20s}
}

// String is the name, or the time.
func (d MetricDelay) String() string {
	for name, named := range metricDelays() {
		if d == named {
			return name
		}
	}
	return short(time.Duration(d))
}

// NamedMetricDelay is the delay of that name: none, aws-60s or aws-20s.
func NamedMetricDelay(name string) (MetricDelay, bool) {
	d, ok := metricDelays()[strings.TrimSpace(name)]
	return d, ok
}

// TaskStart is how long a new task takes: from the decision until it is created, and from there until it runs.
type TaskStart struct {
	Created, Running time.Duration
}

// StartIn is a start of which the whole is known: the task is created as soon as on AWS, or at half of it.
func StartIn(total time.Duration) TaskStart {
	created := min(AWSCreated, total/2)
	return TaskStart{Created: created, Running: total - created}
}

// Total is from the decision until the task runs.
func (s TaskStart) Total() time.Duration { return s.Created + s.Running }

// String is CREATED+RUNNING: 8s+27s.
func (s TaskStart) String() string { return short(s.Created) + "+" + short(s.Running) }

// WithPeriod is m with datapoints of another period. A delay that is one of AWS's two goes with the period: aws-20s to
// those shorter than a minute, aws-60s to the others.
func (m Models) WithPeriod(period time.Duration) Models {
	if m.MetricDelay == AWS60s || m.MetricDelay == AWS20s {
		m.MetricDelay = AWS60s
		if period < DefaultPeriod {
			m.MetricDelay = AWS20s
		}
	}
	m.Period = period
	return m
}

// Validate refuses what no clock can be. Its error is an [*input.Error].
func (m Models) Validate() error {
	if m.Period < DefaultPeriod && (m.Period <= 0 || DefaultPeriod%m.Period != 0 || m.Period%(10*time.Second) != 0) ||
		m.Period > DefaultPeriod && m.Period%DefaultPeriod != 0 || m.Period > maxPeriod {
		// CloudWatch's EvaluationInterval: 10, 20, 30 or a multiple of 60.
		return &input.Error{Field: "period", Got: m.Period.String(), Want: "10s, 20s, 30s or whole minutes, at most 24h"}
	}
	for _, w := range []struct {
		field string
		d     time.Duration
	}{
		{"metric_delay", time.Duration(m.MetricDelay)}, {"task_start", m.TaskStart.Created}, {"task_start", m.TaskStart.Running},
		{"deregistration", m.Deregistration}, {"scale_out_cooldown", m.ScaleOutCooldown}, {"scale_in_cooldown", m.ScaleInCooldown},
	} {
		if w.d < 0 || w.d > maxPeriod {
			return &input.Error{Field: w.field, Got: w.d.String(), Want: "a time from 0s to 24h"}
		}
	}
	if _, ok := m.ScaleIn.step(); !ok && m.ScaleIn != ScaleInProportional {
		return &input.Error{Field: "scale_in_model", Got: string(m.ScaleIn), Want: wantScaleIn}
	}
	return nil
}

// Apply gives c the models: everything in it but bounds, policies and the service's name.
func (m Models) Apply(c Config) Config {
	c.Period = m.Period
	c.High = Evaluation{DefaultHighPeriods, DefaultHighPeriods}
	c.Low = Evaluation{DefaultLowPeriods, DefaultLowPeriods}
	c.MetricDelay = time.Duration(m.MetricDelay)
	c.Balancer = BalancerMetrics{}
	if m.Period < DefaultPeriod && m.Period > 0 {
		c.Balancer = BalancerMetrics{Every: int(DefaultPeriod / m.Period), Low: c.Low}
		c.Low = Evaluation{AWSFastLowPeriods, AWSFastLowPeriods}
		if c.Balancer.Delay = c.MetricDelay; m.MetricDelay == AWS20s {
			c.Balancer.Delay = time.Duration(AWS60s)
		}
	}
	c.ScaleOutCooldown, c.ScaleInCooldown = m.ScaleOutCooldown, m.ScaleInCooldown
	c.ScaleIn, c.RoundOut = m.ScaleIn, m.RoundOut
	return c
}

// ModelsOf are the models that were applied to c. How long a task takes to come and to leave is not in it.
func ModelsOf(c Config) Models {
	m := Models{
		Period: c.Period, MetricDelay: MetricDelay(c.MetricDelay),
		ScaleOutCooldown: c.ScaleOutCooldown, ScaleInCooldown: c.ScaleInCooldown, ScaleIn: c.ScaleIn, RoundOut: c.RoundOut,
	}
	if m.ScaleIn == "" {
		m.ScaleIn = ScaleInStep
	}
	return m
}

// The names of the settings of a service in [Models.Settings], which are those of the flags, and of what else a timeline
// keeps beside them.
const (
	SettingPolicy         = "policy"
	SettingTaskCapacity   = "task-capacity"
	SettingMemory         = "memory"
	SettingInitial        = "initial"
	SettingObjective      = "objective" // within which task-capacity was measured
	SettingPeriod         = "period"
	SettingMetricDelay    = "metric-delay"
	SettingTaskStart      = "task-start"
	SettingCooldownOut    = "cooldown-out"
	SettingCooldownIn     = "cooldown-in"
	SettingDeregistration = "deregistration-delay"
	SettingScaleIn        = "scale-in-model"
)

// Settings are the models as flags say them, by the flag's name: what a timeline keeps of them.
func (m Models) Settings() map[string]string {
	return map[string]string{
		SettingPeriod: short(m.Period), SettingMetricDelay: m.MetricDelay.String(), SettingTaskStart: m.TaskStart.String(),
		SettingCooldownOut: short(m.ScaleOutCooldown), SettingCooldownIn: short(m.ScaleInCooldown),
		SettingDeregistration: short(m.Deregistration), SettingScaleIn: string(m.ScaleIn),
	}
}

const wantScaleIn = "step, step(N) or proportional"

// ParseScaleIn reads step, step(N) (N tasks at a time, 1 to 1,000; step is step(1)) or proportional.
func ParseScaleIn(text string) (ScaleInModel, error) {
	m := ScaleInModel(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
	if n, ok := m.step(); ok && m != "" {
		if n == 1 {
			return ScaleInStep, nil
		}
		return m, nil
	}
	if m == ScaleInProportional {
		return m, nil
	}
	e := &input.Error{Got: text, Want: wantScaleIn}
	if word, ok := near.Near(string(m), []string{string(ScaleInStep), string(ScaleInProportional)}); ok {
		e.Hint = "did you mean " + word + "?"
	}
	return "", e
}

// maxStep is the most tasks that one scale-in takes by a model of steps.
const maxStep = 1000

// step is how many tasks one scale-in takes, where that is a number of its own.
func (m ScaleInModel) step() (n int, ok bool) {
	if m == "" || m == ScaleInStep {
		return 1, true
	}
	text, ok := strings.CutPrefix(string(m), "step(")
	text, closed := strings.CutSuffix(text, ")")
	n, err := strconv.Atoi(text)
	return n, ok && closed && err == nil && n >= 1 && n <= maxStep && strconv.Itoa(n) == text
}

// String is a line about the models, as a report has it.
func (m Models) String() string {
	return fmt.Sprintf("periods of %s, seen %s later; tasks start in %s; cooldowns %s out, %s in; drain %s; scale-in by %s",
		short(m.Period), short(time.Duration(m.MetricDelay)), m.TaskStart, short(m.ScaleOutCooldown), short(m.ScaleInCooldown), short(m.Deregistration), m.ScaleIn)
}

// short is a time without the zeros at its end: 5m for 5m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
