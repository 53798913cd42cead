package lab

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/server"
)

// Config is a lab. The zero value is the seed's service, 20 times faster.
type Config struct {
	// Scaling is bounds, policies, cooldowns and models; the zero value is autoscaling.DefaultConfig. Initial is not used:
	// the load finds Min tasks.
	Scaling autoscaling.Config
	// Speedup is how many times faster simulated time runs than the run's clock; 0 is DefaultSpeedup. A period of Scaling
	// must take at least MinPeriod.
	Speedup float64
	// Delays are the service's times; the zero value is DefaultDelays.
	Delays Delays
	// Recovery is how long AwaitRecovery waits at most, in simulated time; 0 is DefaultRecovery.
	Recovery time.Duration

	// Capacity is what one replica in this process can do; not used with ReplicaCommand.
	Capacity Capacity
	// TaskCapacity is how many requests per second one replica can do, where that is known of a program; 0 is unknown. It
	// changes nothing, and is kept in the timeline for those who ask what load needs.
	TaskCapacity float64
	// Objective is within what TaskCapacity was measured; empty when it was not. It is kept beside it.
	Objective []string
	// KeptIn is where the caller keeps [Lab.Records], for what is said of a crash; empty: nowhere.
	KeptIn string
	// HealthPath is asked by the health checks; empty is /health.
	HealthPath string

	// ReplicaCommand is a program to run as the replicas instead of the project's own API, split into words as a shell
	// does but without one. It must listen on the port in $PORT, which is in its environment and filled in where a word
	// of the command says $PORT, and end at SIGTERM.
	ReplicaCommand string
	// Env is the program's environment, without PORT: what os.Environ returns, usually.
	Env []string
	// StartupGrace is how long the program may take to listen, and until when failing health checks are not held
	// against it, in real time; 0 is DefaultStartupGrace.
	StartupGrace time.Duration
	// ReplicaCPUs is how many CPUs one replica may use, which is 100 % to the CPU policy; 0 is 1. Nothing enforces it.
	ReplicaCPUs float64

	// Guard makes the command of a helper process that runs [Guard] on its standard input: it sees to it that no replica is
	// left however this process ends. Without it, or on Windows, a process that is killed leaves its replicas.
	Guard func() *exec.Cmd

	// Chaos is what goes wrong on purpose.
	Chaos []Chaos
	// Load is how long the load is going to last, so that chaos after its end is refused; 0 is not known.
	Load time.Duration

	// Log receives what happens to tasks; nil discards it.
	Log *slog.Logger
}

// Delays are the times of the service's parts, in simulated time: they pass Speedup times faster.
type Delays struct {
	Placement, Pull, Start time.Duration // of a new task; Start only of replicas in this process
	Deregistration         time.Duration // from the drain's beginning to SIGTERM
	Stop                   time.Duration // from SIGTERM to SIGKILL; of a program in real time, else not less than MinStop of it
	HealthInterval         time.Duration
	HealthThreshold        int // checks in a row to be unhealthy, or healthy again
}

// Defaults that are the lab's own; the service's numbers are those of package autoscaling.
const (
	DefaultSpeedup      = 20
	DefaultRecovery     = 30 * time.Minute
	DefaultStartupGrace = 30 * time.Second
	// DefaultStop is Fargate's stopTimeout.
	DefaultStop = 30 * time.Second
)

// Propagation is how long a balancer goes on sending requests to a task that StopTask has ended, in simulated time: 502s for 3
// to 5 s are reported (github.com/aws/containers-roadmap, issue 708).
const Propagation = 4 * time.Second

// What is in real time however fast the service is, because programs and requests are.
const (
	// MinPeriod is the shortest period in which requests can be counted well: some hundred of them, so that one more or
	// less at its edges does not matter.
	MinPeriod = time.Second
	// MinStop is the least time between SIGTERM and SIGKILL.
	MinStop = 2 * time.Second
	// HealthTimeout is how long a health check may take: the Application Load Balancer's default.
	HealthTimeout = 5 * time.Second
)

// DefaultDelays are the numbers of the demonstration.
func DefaultDelays() Delays {
	return Delays{
		Placement:       autoscaling.DefaultPlacement,
		Pull:            autoscaling.DefaultPull,
		Start:           autoscaling.DefaultStart,
		Deregistration:  autoscaling.DefaultDeregistrationDelay,
		Stop:            DefaultStop,
		HealthInterval:  autoscaling.DefaultHealthCheckInterval,
		HealthThreshold: autoscaling.DefaultHealthCheckThreshold,
	}
}

// DelaysOf are the default delays by other models of how long a task takes to come and to leave.
func DelaysOf(m autoscaling.Models) Delays {
	d := DefaultDelays()
	d.Placement = m.TaskStart.Created
	d.Start = min(d.Start, m.TaskStart.Running)
	d.Pull = m.TaskStart.Running - d.Start
	d.Deregistration = m.Deregistration
	return d
}

func (c Config) withDefaults() Config {
	if isZero(c.Scaling) {
		c.Scaling = autoscaling.DefaultConfig()
	}
	c.Scaling.Initial = 0
	if c.Speedup == 0 {
		c.Speedup = DefaultSpeedup
	}
	if c.Delays == (Delays{}) {
		c.Delays = DefaultDelays()
	}
	if c.Recovery == 0 {
		c.Recovery = DefaultRecovery
	}
	if c.HealthPath == "" {
		c.HealthPath = server.HealthPath
	}
	if c.StartupGrace == 0 {
		c.StartupGrace = DefaultStartupGrace
	}
	if c.ReplicaCPUs == 0 {
		c.ReplicaCPUs = 1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Capacity = c.Capacity.withDefaults()
	return c
}

func isZero(c autoscaling.Config) bool {
	return c.Min == 0 && c.Max == 0 && c.Policies == nil && c.Period == 0
}

// period is a period of the alarms on the run's clock.
func (c Config) period() time.Duration {
	return time.Duration(float64(c.Scaling.Period) / c.Speedup)
}

// real is a simulated time on the run's clock.
func (c Config) real(service time.Duration) time.Duration {
	return time.Duration(float64(service) / c.Speedup)
}

// MaxReplicas bounds what a lab on one machine starts.
const MaxReplicas = 100

// Validate returns every reason why c cannot be used, joined, each a *input.Error: Field is min, max, speedup,
// policies[0].target and so on, the name of a flag or of a field of Config in snake case.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	refuse := func(field, got, want string) {
		errs = append(errs, &input.Error{Field: field, Got: got, Want: want})
	}
	errs = append(errs, scalingErrors(c.Scaling)...)
	if c.Scaling.Watches(autoscaling.MetricMemory) {
		refuse("policies", autoscaling.MetricMemory, "requests, cpu or p99: the lab does not measure memory (loadgen simulate models it)")
	}
	if c.Scaling.Max > MaxReplicas {
		refuse("max", strconv.Itoa(c.Scaling.Max), fmt.Sprintf("at most %d tasks: they all run on this machine", MaxReplicas))
	}
	if c.Scaling.Min < 1 {
		refuse("min", strconv.Itoa(c.Scaling.Min), "at least 1 task: without one there is nothing to put load on")
	}
	if c.Scaling.Period > 0 {
		most := float64(c.Scaling.Period) / float64(MinPeriod)
		switch {
		case math.IsNaN(c.Speedup) || c.Speedup < 1 || math.IsInf(c.Speedup, 0):
			refuse("speedup", number(c.Speedup), "a number from 1 to "+number(most))
		case c.Speedup > most:
			refuse("speedup", number(c.Speedup), fmt.Sprintf("at most %s: a period of %s must take at least %s to be measured",
				number(most), plan.Duration(c.Scaling.Period), MinPeriod))
		}
	}
	for _, d := range []struct {
		field string
		d     time.Duration
	}{
		{"placement", c.Delays.Placement}, {"pull", c.Delays.Pull}, {"start", c.Delays.Start},
		{"deregistration", c.Delays.Deregistration}, {"stop", c.Delays.Stop}, {"recovery", c.Recovery},
		{"startup_grace", c.StartupGrace}, {"capacity.service", c.Capacity.Service},
	} {
		if d.d < 0 || d.d > maxDelay {
			refuse(d.field, d.d.String(), "a time that is not negative and at most 24h")
		}
	}
	if c.Delays.HealthInterval < time.Second || c.Delays.HealthInterval > maxDelay {
		refuse("health_interval", c.Delays.HealthInterval.String(), "a time from 1s to 24h")
	}
	if c.Delays.HealthThreshold < 1 || c.Delays.HealthThreshold > 10 {
		refuse("health_threshold", strconv.Itoa(c.Delays.HealthThreshold), "1 to 10 checks in a row")
	}
	if c.Capacity.Slots < 1 || c.Capacity.Slots > MaxSlots {
		refuse("capacity.slots", strconv.Itoa(c.Capacity.Slots), fmt.Sprintf("1 to %d", MaxSlots))
	}
	if !strings.HasPrefix(c.HealthPath, "/") || strings.ContainsAny(c.HealthPath, " \t\r\n") {
		refuse("health_path", c.HealthPath, "a path, e.g. /health")
	}
	errs = append(errs, c.replicaErrors()...)
	for _, event := range c.Chaos {
		errs = append(errs, input.WithField(event.check(c.Load), "chaos"))
	}
	return errors.Join(errs...)
}

// maxDelay keeps arithmetic on times from overflowing. Nothing that is meant lies beyond it.
const maxDelay = 24 * time.Hour

// scalingErrors are autoscaling's own as the plan's, which a command knows.
func scalingErrors(c autoscaling.Config) (errs []error) {
	joined, ok := c.Validate().(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*input.Error](err); ok {
			err = (*input.Error)(e)
		}
		errs = append(errs, err)
	}
	return errs
}

func (c Config) replicaErrors() (errs []error) {
	if math.IsNaN(c.ReplicaCPUs) || c.ReplicaCPUs <= 0 || c.ReplicaCPUs > 1024 {
		errs = append(errs, &input.Error{Field: "replica_cpus", Got: number(c.ReplicaCPUs), Want: "a number of CPUs above 0, e.g. 0.5"})
	}
	if c.ReplicaCommand == "" {
		return errs
	}
	if _, err := splitWords(c.ReplicaCommand); err != nil {
		errs = append(errs, input.WithField(err, "replica"))
	}
	if c.Scaling.Watches(autoscaling.MetricCPU) && !knowsCPU {
		errs = append(errs, &input.Error{Field: "policies", Want: "the CPU of a replica that is a program can be read on Linux only: give --policy requests=TARGET alone"})
	}
	return errs
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
