package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/simulate"
	"scalableappbackend/loadgen/timeline"
)

// simulatedRecovery is how long a simulation watches at most: by AWS's numbers 50 tasks come back in hours, and watching
// costs nothing.
const simulatedRecovery = 24 * time.Hour

func newSimulate(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "runs only the autoscaler, on a load curve: no traffic, no waiting",
		Example: `
loadgen simulate                                              # 390 requests/s for 15 minutes
loadgen simulate --load 0s:0,3m:375,1h:375 --policy cpu=50
loadgen simulate --sweep target=25..25600 --max 20            # compare targets
loadgen simulate --task-capacity 80 --objective 'p(99)<200ms' # recommend a target
loadgen simulate --load @loadgen-results/20261124T150405Z     # the load of a lab's result`,
		Long: `
How it works
  The lab's autoscaler gets the metrics that the load would cause, by default with AWS's settings
  and delays. All times are simulated. A CSV file has lines of t,requests/s with t in
  seconds, or is an export of RequestCount from CloudWatch. A lab's result brings its own settings;
  flags override them. Each flag can be set by a variable, as for run: LOADGEN_POLICIES and
  LOADGEN_EXPECTS are separated by ; or newlines.`,
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	table := simulateSettings()
	flags := define(cmd.Flags(), table)
	cmd.RunE = func(*cobra.Command, []string) error {
		r, config, err := resolveSimulation(table, flags, env.variable)
		env.note(r.notes, table)
		if err != nil {
			return usage(err)
		}
		if r.service.sweep != nil {
			return env.sweep(r, config)
		}
		return env.simulate(r, config)
	}
	return cmd
}

// resolveSimulation makes a simulation of what was given, or says all that is wrong with it.
func resolveSimulation(table []setting, flags map[string]*typed, variable func(string) (string, bool)) (*resolution, simulate.Config, error) {
	r := &resolution{table: table, failed: map[string]bool{}, options: options{service: defaultService()}}
	s := &r.service
	s.curve.load, _ = simulate.ParseLoad(defaultCurve) // a constant
	s.recovery = plan.Duration(simulatedRecovery)
	r.settlement = settle(collect(table, flags, variable), "")
	errs := r.errs
	for i := range r.kept {
		errs = append(errs, r.apply(&r.kept[i]))
	}
	errs = append(errs, r.takeOver(s.curve.settings)...)
	c := simulate.DefaultConfig()
	m := s.clock.models(autoscaling.AWSModels())
	c.Config = s.scaling(m)
	c = c.With(m)
	c.Load, c.Closed, c.Recovery = s.curve.load, s.curve.closed, time.Duration(s.recovery)
	c.Memory, c.Latency, c.Initial, c.Events = s.memory, s.curve.latency, s.initial, s.events
	if s.taskCapacity > 0 {
		c.TaskCapacity = s.taskCapacity
	}
	if len(s.objective) > 0 && s.taskCapacity == 0 && !r.failed["task-capacity"] {
		errs = append(errs, &input.Error{Field: r.nameOf("objective"), Got: strings.Join(s.objective, "; "),
			Want: "--task-capacity RPS as well, or --load @DIR of a lab that measured it"})
	}
	errs = append(errs, r.checkExpectations(gate.Has{Demand: true, Recovery: c.Recovery > 0})...)
	if !r.failed["load"] {
		errs = append(errs, r.namedErrors(c.Validate())...)
	}
	return r, c, errors.Join(errs...)
}

// takeOver applies the settings of a lab whose load it is, but those that were given. Its clock is not taken where another
// set was asked for.
func (r *resolution) takeOver(settings map[string]string) (errs []error) {
	for i := range r.table {
		s := &r.table[i]
		text, ok := settings[s.flag]
		if !ok || r.has(s.flag) || s.group == groupClock && r.has("aws-defaults") {
			continue
		}
		if err := s.set(&r.options, s.split(text)); err != nil {
			errs = append(errs, input.Rename(err, func(field string) string { return joined(r.service.curve.from+": --"+s.flag, field) }))
		}
	}
	return errs
}

// simulate shows one simulation, and returns its ending.
func (e *env) simulate(r *resolution, c simulate.Config) error {
	run, err := simulate.Run(c)
	if err != nil {
		return usage(err)
	}
	expected := make([]gate.Expr, len(r.service.expect))
	for i, text := range r.service.expect {
		expected[i], _ = gate.ParseExpectation(text) // it was parsed before
	}
	judged := loadgen.Judge(c.Load, &run.Timeline, c.TaskCapacity, expected, nil)
	outcomes := judged.Expectations
	in := report.Simulation{
		Timeline: &run.Timeline, Figures: judged.Figures, Load: judged.Demand, FirstWanted: run.Summary.FirstWanted, Expectations: outcomes,
		From: fromOf(r, c),
	}
	others, err := simulate.ScaleInModels(c)
	if err != nil {
		return err
	}
	for _, o := range others {
		a := report.Alternative{Model: string(o.Model), BackAtMin: timeline.Never, TaskHours: o.Summary.TaskHours, Steps: o.Summary.Activities}
		if o.Summary.BackToMin >= 0 {
			a.BackAtMin = o.Summary.BackToMin - o.LoadTo
		}
		if o.Summary.Activities > 0 {
			in.ScaleIn = append(in.ScaleIn, a)
		}
	}
	if len(r.service.objective) > 0 {
		for _, metric := range []string{autoscaling.MetricRequests, autoscaling.MetricCPU} {
			advice, err := simulate.Recommend(c, metric)
			if err != nil {
				return err
			}
			target := advice.Requests
			if metric == autoscaling.MetricCPU {
				target = advice.CPU
			}
			in.Advice = append(in.Advice, report.Advice{
				Metric: metric, Objective: strings.Join(r.service.objective, " and "), Capacity: advice.Capacity, Target: target, Rate: advice.Target, Reckoned: advice.Reckoned, React: advice.React,
				Growth: advice.Growth, At: advice.At, From: advice.From, To: advice.To, Min: advice.MinTasks, Max: advice.MaxTasks,
				Raised: advice.MinTasks > c.Min, Under: advice.Simulation.UnderProvisioned, TaskHours: advice.Simulation.TaskHours,
			})
		}
	}
	if err := e.keepSimulation(r, in); err != nil {
		return err
	}
	if r.json {
		err = report.SimulationJSON(e.stdout, in)
	} else {
		e.describe(r, c)
		err = report.SimulationText(e.stdout, in, e.options(e.stdout))
	}
	if err != nil {
		return err
	}
	return met(outcomes)
}

// met is the ending of a simulation.
func met(outcomes []result.Outcome) error {
	for _, o := range outcomes {
		if !o.Passed {
			return &ending{exit.ScalingNotMet.Status(), nil}
		}
	}
	return nil
}

// sweep shows a row for each value.
func (e *env) sweep(r *resolution, c simulate.Config) error {
	all, err := r.service.sweep.Run(c)
	if err != nil {
		g := r.find("sweep")
		return usage(input.Rename(err, func(field string) string { return joined(g.name, field) }))
	}
	var rows []report.SweepRow
	for _, row := range all {
		name, value, _ := strings.Cut(row.Setting, "=")
		rows = append(rows, report.SweepRow{
			Parameter: name, Value: value, MaxTasks: row.Summary.MaxTasks, UnderProvisioned: row.Summary.UnderProvisioned,
			TaskHours: row.Summary.TaskHours, Activities: row.Summary.Activities, BackAtMin: row.Summary.BackToMin, Decided: row.Summary.Decided,
		})
	}
	if err := e.keepSweep(r, rows); err != nil {
		return err
	}
	if r.json {
		return report.SweepJSON(e.stdout, rows)
	}
	e.describe(r, c)
	return report.SweepText(e.stdout, rows, e.options(e.stdout))
}

// fromOf is where the load is from, or the load itself.
func fromOf(r *resolution, c simulate.Config) string {
	if r.service.curve.from != "" {
		return r.service.curve.from
	}
	return c.Load.String()
}

// describe says what is simulated, and by what.
func (e *env) describe(r *resolution, c simulate.Config) {
	fmt.Fprintf(e.stdout, "%s of load (%s) on %d to %d tasks of %s each, by %s\n%s\n\n",
		units.Clock(c.Load.End()), fromOf(r, c), c.Min, c.Max, units.Rate(c.TaskCapacity), policies(&r.service), r.service.clock.models(autoscaling.AWSModels()))
}
