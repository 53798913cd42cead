package simulate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// Config is what is simulated. Start from [DefaultConfig], which lacks only a load.
type Config struct {
	autoscaling.Config

	// Load is the curve of requests.
	Load Load
	// Closed says that the load is of users who wait for answers: where the tasks cannot do it, only what they can do is
	// asked for, and metrics count that. Time under-provisioned is by the load all the same.
	Closed bool
	// TaskCapacity is how many requests a second make one task busy to 100 %.
	TaskCapacity float64

	// Memory is what a task uses of its memory; a policy on memory needs it.
	Memory Memory
	// Latency is p99 by load; a policy on p99 needs it.
	Latency Latency
	// Events happen at their times, in any order.
	Events []Event

	// TaskStart is how long a new task takes until it runs; Health is how long its first passing check takes then.
	TaskStart autoscaling.TaskStart
	Health    time.Duration
	// Drain is how long a task that leaves finishes what it has.
	Drain time.Duration

	// Recovery is how long the service is watched after the load at most. It ends earlier when the service is back
	// at its minimum, everything has drained, and a period without load was seen; unless Whole.
	Recovery time.Duration
	// Whole watches all of Recovery, so that runs of different settings cover the same time.
	Whole bool
}

// DefaultRecovery is how long the service is watched after the load.
const DefaultRecovery = 30 * time.Minute

// DefaultConfig is the lab's service, without a load.
func DefaultConfig() Config {
	return Config{
		Config:       autoscaling.DefaultConfig(),
		TaskCapacity: autoscaling.DefaultTaskCapacity,
		TaskStart:    autoscaling.LabModels().TaskStart,
		Health:       autoscaling.DefaultHealthCheckInterval,
		Drain:        autoscaling.DefaultDeregistrationDelay,
		Recovery:     DefaultRecovery,
	}
}

// With is c by these models.
func (c Config) With(m autoscaling.Models) Config {
	c.Config = m.Apply(c.Config)
	c.TaskStart, c.Drain = m.TaskStart, m.Deregistration
	return c
}

// models are those that c was made with.
func (c Config) models() autoscaling.Models {
	m := autoscaling.ModelsOf(c.Config)
	m.TaskStart, m.Deregistration = c.TaskStart, c.Drain
	return m
}

// settings are by what the service scales, as flags say it.
func (c Config) settings() map[string]string {
	all := c.models().Settings()
	var policies []string
	for _, p := range c.Policies {
		policies = append(policies, p.String())
	}
	all[autoscaling.SettingPolicy] = strings.Join(policies, "; ")
	all[autoscaling.SettingTaskCapacity] = plainNumber(c.TaskCapacity)
	if c.Memory.Known() {
		all[autoscaling.SettingMemory] = c.Memory.String()
	}
	if c.Initial > 0 {
		all[autoscaling.SettingInitial] = strconv.Itoa(c.Initial)
	}
	return all
}

// maxDelay bounds each step of a task's life; maxPeriods the periods of a run, and with them its cost.
const (
	maxDelay   = 24 * time.Hour
	maxPeriods = 250_000
)

// Validate returns every reason why c cannot be simulated, joined, each a *input.Error.
func (c Config) Validate() error {
	var errs []error
	for _, e := range input.Errors(c.Config.Validate()) {
		f := input.Error(*e)
		errs = append(errs, &f)
	}
	if err := c.Load.Validate(); err != nil {
		errs = append(errs, input.WithField(err, "load"))
	}
	if !(c.TaskCapacity >= 1e-6 && c.TaskCapacity <= MaxRate) {
		errs = append(errs, refuse("task_capacity", "%v, want requests a second, above 0", c.TaskCapacity))
	}
	errs = append(errs, c.checkMemory(), c.checkLatency(), c.checkEvents())
	for _, d := range []struct {
		field string
		d     time.Duration
	}{{"task_start", c.TaskStart.Created}, {"task_start", c.TaskStart.Running}, {"health", c.Health}, {"drain", c.Drain}} {
		if d.d < 0 || d.d > maxDelay {
			errs = append(errs, refuse(d.field, "%s, want 0s to 24h", d.d))
		}
	}
	switch {
	case c.Recovery < 0 || c.Recovery > MaxLoadTime:
		errs = append(errs, refuse("recovery", "%s, want 0s to %s", c.Recovery, plan.Duration(MaxLoadTime)))
	case c.Period > 0 && errors.Join(errs...) == nil && (c.Load.End()+c.Recovery)/c.Period > maxPeriods:
		errs = append(errs, refuse("period", "%s makes more than %d periods of the run", c.Period, maxPeriods))
	}
	return errors.Join(errs...)
}

func refuse(field, format string, args ...any) error {
	return &input.Error{Field: field, Want: fmt.Sprintf(format, args...)}
}
