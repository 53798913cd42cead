package main

import (
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// groupClock is of the flags that say how fast the service and what watches it are.
const groupClock = "Clock and models"

// clock is what was said of the models by which the service scales.
type clock struct {
	aws    *bool                       // which set the others change; nil: the verb's own
	period time.Duration               // 0: not given
	edits  []func(*autoscaling.Models) // in the order of the table
}

// models are those of a set, with what was said to change it. The period goes first: a delay of AWS's goes with it.
func (c *clock) models(base autoscaling.Models) autoscaling.Models {
	if c.aws != nil {
		base = autoscaling.LabModels()
		if *c.aws {
			base = autoscaling.AWSModels()
		}
	}
	if c.period > 0 {
		base = base.WithPeriod(c.period)
	}
	for _, edit := range c.edits {
		edit(&base)
	}
	return base
}

func (c *clock) edit(f func(*autoscaling.Models)) { c.edits = append(c.edits, f) }

// clockSettings are those that `lab` and `simulate` share. The defaults are of the set that the verb has.
func clockSettings(set autoscaling.Models, aws bool) []setting {
	duration := func(flag, field, help string, byDefault time.Duration, put func(*autoscaling.Models, time.Duration)) setting {
		return setting{flag: flag, arg: "D", group: groupClock, fields: []string{field}, help: help, byDefault: units.Duration(byDefault),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) {
				o.service.clock.edit(func(m *autoscaling.Models) { put(m, time.Duration(d)) })
			})}
	}
	awsDefault := "the lab's"
	if aws {
		awsDefault = "yes; =false: lab's"
	}
	return []setting{
		{flag: "aws-defaults", group: groupClock, fields: []string{"aws_defaults"},
			help: "use AWS's settings; the flags below override", byDefault: awsDefault,
			set: one(parseSwitch, func(o *options, on bool) { o.service.clock.aws = &on })},
		{flag: autoscaling.SettingPeriod, arg: "D", group: groupClock, fields: []string{"period"},
			help: "length of a metric's period; on AWS 20s for cpu and memory only", byDefault: units.Duration(set.Period),
			set: one(parsePeriod, func(o *options, d time.Duration) { o.service.clock.period = d })},
		{flag: autoscaling.SettingMetricDelay, arg: "M", group: groupClock, fields: []string{"metric_delay"},
			help: "until an alarm sees a period: none, aws-60s, aws-20s or D", byDefault: set.MetricDelay.String(),
			set: one(parseMetricDelay, func(o *options, d autoscaling.MetricDelay) {
				o.service.clock.edit(func(m *autoscaling.Models) { m.MetricDelay = d })
			})},
		{flag: autoscaling.SettingTaskStart, arg: "D[+D]", group: groupClock, fields: []string{"task_start", "placement", "pull", "start"},
			help: "time to create a task + time to start it, or their sum", byDefault: set.TaskStart.String(),
			set: one(parseTaskStart, func(o *options, t autoscaling.TaskStart) {
				o.service.clock.edit(func(m *autoscaling.Models) { m.TaskStart = t })
			})},
		duration(autoscaling.SettingCooldownOut, "scale_out_cooldown", "wait after a scale-out", set.ScaleOutCooldown,
			func(m *autoscaling.Models, d time.Duration) { m.ScaleOutCooldown = d }),
		duration(autoscaling.SettingCooldownIn, "scale_in_cooldown", "wait after a scale-in", set.ScaleInCooldown,
			func(m *autoscaling.Models, d time.Duration) { m.ScaleInCooldown = d }),
		duration(autoscaling.SettingDeregistration, "deregistration", "how long a task drains before it stops", set.Deregistration,
			func(m *autoscaling.Models, d time.Duration) { m.Deregistration = d }),
		{flag: autoscaling.SettingScaleIn, arg: "MODEL", group: groupClock, fields: []string{"scale_in_model"},
			help: "size of a scale-in: step, step(N) or proportional", byDefault: string(set.ScaleIn),
			set: one(parseScaleIn, func(o *options, s autoscaling.ScaleInModel) {
				o.service.clock.edit(func(m *autoscaling.Models) { m.ScaleIn = s })
			})},
	}
}

func parsePeriod(s string) (time.Duration, error) {
	d, err := plan.ParseDuration(s)
	if err != nil {
		return 0, err
	}
	m := autoscaling.AWSModels().WithPeriod(time.Duration(d))
	for _, e := range input.Errors(m.Validate()) {
		return 0, input.Refuse(s, e.Want)
	}
	return time.Duration(d), nil
}

func parseMetricDelay(s string) (autoscaling.MetricDelay, error) {
	if d, ok := autoscaling.NamedMetricDelay(s); ok {
		return d, nil
	}
	d, err := plan.ParseDuration(s)
	if err != nil {
		return 0, input.Refuse(s, "none, aws-60s, aws-20s or a duration, e.g. 90s")
	}
	return autoscaling.MetricDelay(d), nil
}

// parseTaskStart reads the two parts, or their sum.
func parseTaskStart(s string) (autoscaling.TaskStart, error) {
	first, second, two := strings.Cut(s, "+")
	a, err := plan.ParseDuration(first)
	if err == nil && !two {
		return autoscaling.StartIn(time.Duration(a)), nil
	}
	b, err2 := plan.ParseDuration(second)
	if err != nil || err2 != nil {
		return autoscaling.TaskStart{}, input.Refuse(s, "one duration, or two with a + between them, e.g. 8s+27s")
	}
	return autoscaling.TaskStart{Created: time.Duration(a), Running: time.Duration(b)}, nil
}

func parseScaleIn(s string) (autoscaling.ScaleInModel, error) {
	m, err := autoscaling.ParseScaleIn(s)
	for _, e := range input.Errors(err) {
		return "", (*input.Error)(e)
	}
	return m, err
}
