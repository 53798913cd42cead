package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
)

// What --quick chooses. A simulated minute takes 1.2 s: 20 s of load are 16 simulated minutes, of which the high alarm takes
// 3 and the new tasks 1; the recovery of 25.5 at most takes 31 s. All users are there after 2 s, so that the load has
// outgrown the first tasks before there are more.
const (
	quickSpeedup   = 50
	quickLoad      = 20 * time.Second
	quickSpawnRate = 25
)

// Below this speed three minutes end just as the alarm goes off, and the load lasts longer unless told otherwise.
const (
	slowSpeedup = 4
	slowLoad    = 15 * time.Minute
)

func newLab(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "runs a service that scales, sends load to it, and checks that capacity followed",
		Example: `
loadgen lab --quick                                  # 2 tasks to 6 and back, in a minute
loadgen lab                                          # the full size, in 4:30
loadgen lab --quick --max 3 --expect 'max_tasks==6'  # fails with exit 97 and says why
loadgen lab --replica './api -p $PORT'               # does my service scale without an error?
loadgen lab --chaos kill-task@60s --chaos kill-zone:b@90s..120s`,
		Long: `
How it works
  The lab runs replicas, a load balancer and an autoscaler (AWS's target tracking) on this machine,
  with real sockets. Load and --chaos run in real time. Alarms, cooldowns, drains, --recovery and
  durations in --expect are simulated time, which passes --speedup times faster. Below --speedup 4
  the load lasts 15m by default.
  Each flag can be set by a variable, as for run: LOADGEN_POLICIES, LOADGEN_EXPECTS and
  LOADGEN_THRESHOLDS are separated by ; or newlines, LOADGEN_CHAOS by commas.`,
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations: map[string]string{
			noteNot + "host": "the lab brings its own service; use loadgen run --host URL to test another one",
			noteNot + "H":    "the lab brings its own service; use loadgen run --host URL to test another one",
			noteNot + "plan": "a plan holds the load but not the service: give the lab's flags again",
		},
	}
	table := labSettings()
	flags := define(cmd.Flags(), table)
	completeRunFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		env.outlivePipes()
		r, err := resolveLab(flags, env.variable)
		env.note(r.notes, table)
		for _, name := range []string{"LOADGEN_HOST", "LOCUST_HOST"} {
			if _, set := env.variable(name); set {
				env.say("note: %s is not used: the lab brings its own service", name)
			}
		}
		if err != nil {
			return usage(err)
		}
		for _, note := range notesOfPlace(r.out) {
			env.say("note: %s", note)
		}
		return runLab(cmd.Context(), env, r)
	}
	return cmd
}

// resolveLab makes a plan and a lab of what was given, or says all that is wrong with it.
func resolveLab(flags map[string]*typed, variable func(string) (string, bool)) (*resolution, error) {
	return resolveIn(labSettings(), defaultService(), flags, variable, (*resolution).completeLab)
}

// completeLab chooses what was not said, and returns what is wrong with the lab.
func (r *resolution) completeLab() []error {
	s, p := &r.service, &r.plan
	p.Host = plan.Embedded // until there is an address
	r.failed["host"] = true
	if s.speedup == 0 && !r.failed["speedup"] && !r.has("speedup") {
		s.speedup = lab.DefaultSpeedup
	}
	if !r.has("recovery") {
		s.recovery = r.recoveryNeeded(s.recovery)
	}
	if !r.failed["policy"] && !s.scaling(autoscaling.LabModels()).ScalesIn() {
		r.notes = append(r.notes, "no policy removes tasks: capacity stays where the load has brought it; add --policy cpu=N, say")
	}
	timed := r.has("run-time") || r.has("stage")
	switch {
	case s.quick:
		s.speedup = quickSpeedup
		if !timed {
			p.RunTime = plan.Duration(quickLoad)
		}
		if p.Model == plan.Closed && !r.has("spawn-rate") && !r.has("stage") {
			p.SpawnRate = quickSpawnRate
		}
	case s.speedup > 0 && s.speedup < slowSpeedup && !timed:
		p.RunTime = plan.Duration(slowLoad)
	}
	if r.expectsByDefault = len(s.expect) == 0 && !r.failed["expect"]; r.expectsByDefault {
		r.expectByDefault()
	}
	var errs []error
	refuse := func(g *given, want string) {
		r.failed[g.flag] = true
		errs = append(errs, &input.Error{Field: g.name, Got: g.texts[len(g.texts)-1], Want: want})
	}
	if g := r.find("objective"); g != nil && g.level == byFlag && !s.measure {
		refuse(g, "--task-capacity auto as well: the objective is what auto measures against")
	}
	for _, flag := range []string{"replica-health", "replica-grace", "replica-cpus"} {
		if g := r.find(flag); g != nil && g.level == byFlag && !r.has("replica") {
			refuse(g, "--replica as well: this flag is about your own program")
		}
	}
	if g := r.find("recovery"); g != nil && !r.failed["recovery"] && s.recovery == 0 {
		refuse(g, "a duration above 0, e.g. "+units.Duration(lab.DefaultRecovery))
	}
	if g := r.find("speedup"); g != nil && !r.failed["speedup"] && s.speedup == 0 { // which stands for the default
		refuse(g, "a number from 1 to 60")
	}
	for i, t := range p.Targets {
		if r.failed["targets"] || strings.HasPrefix(t.URL, "/") || strings.HasPrefix(t.URL, "${") {
			continue
		}
		errs = append(errs, &input.Error{Field: r.nameOf(fmt.Sprintf("targets[%d].url", i)), Got: plan.RedactURL(t.URL),
			Want: "a path: the lab sends load only to its own service"})
	}
	errs = append(errs, r.checkExpectations(gate.Has{Requests: true, Demand: r.circumstances().Demand, Recovery: true})...)
	return append(errs, r.namedErrors(r.labConfig().Validate())...)
}

// labConfig is the lab that was asked for.
func (r *resolution) labConfig() lab.Config {
	s := &r.service
	m := s.clock.models(autoscaling.LabModels())
	c := lab.Config{
		Scaling:        s.scaling(m),
		Delays:         lab.DelaysOf(m),
		Speedup:        s.speedup,
		Recovery:       time.Duration(s.recovery),
		HealthPath:     s.replicaHealth,
		ReplicaCommand: s.replica,
		StartupGrace:   time.Duration(s.replicaGrace),
		ReplicaCPUs:    s.replicaCPUs,
		Chaos:          s.chaos,
		Load:           r.plan.Length(),
		TaskCapacity:   s.perTask(),
	}
	if r.out != outNone {
		c.KeptIn = recordsDir + "/"
	}
	if s.measured > 0 {
		c.Objective = s.objective
	}
	if s.taskCapacity > 0 && s.replica == "" {
		c.Capacity = lab.Capacity{Slots: lab.DefaultSlots, Service: time.Duration(lab.DefaultSlots * float64(time.Second) / s.taskCapacity)}
	}
	return c
}

// startLab starts the lab, and says what it is. Its error is an ending.
func startLab(ctx context.Context, env *env, r *resolution) (*lab.Lab, error) {
	s := &r.service
	config := r.labConfig()
	config.Env, config.Guard = env.environ, env.guard
	of := "the project's API, each good for " + units.Rate(lab.Config{Capacity: config.Capacity}.Capacity.PerSecond())
	if s.replica != "" {
		of = s.replica
	}
	env.plain("starting %s of %s", countOf(s.min, "replica"), of)
	l, err := lab.Start(ctx, config)
	if err == nil {
		length := r.plan.Length()
		env.plain("%s is up: %d to %d tasks by %s", l.URL(), s.min, s.max, policies(s))
		env.plain("load for %s, a simulated minute takes %s; over in at most %s", units.Clock(length),
			units.Duration(time.Duration(float64(time.Minute)/s.speedup).Round(time.Millisecond)),
			units.Clock(length+time.Duration(float64(s.recovery)/s.speedup)+time.Second))
		return l, nil
	}
	return nil, labEnding(ctx, r, err)
}

// labEnding is the ending of a lab that did not start.
func labEnding(ctx context.Context, r *resolution, err error) error {
	if ctx.Err() != nil {
		return &ending{exit.Interrupted.Status(), fmt.Errorf("%w while the replicas were starting: nothing was measured", context.Cause(ctx))}
	}
	if bad, ok := errors.AsType[*lab.ReplicaError](err); ok {
		name := "--replica"
		if g := r.find("replica"); g != nil {
			name = g.name
		}
		return usage(fmt.Errorf("%s: %s", name, strings.TrimPrefix(bad.Error(), "replica ")))
	}
	if len(input.Errors(err)) > 0 {
		return usage(errors.Join(r.namedErrors(err)...))
	}
	return err
}

func policies(s *service) string {
	var all []string
	for _, p := range s.policies {
		all = append(all, p.String())
	}
	return strings.Join(all, " and ")
}
