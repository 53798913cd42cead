package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
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
		Short: "runs the autoscaler alone on a load curve: no traffic, no waiting",
		Example: `
loadgen simulate                                              # the seed's load for 15 minutes
loadgen simulate --load 0s:0,3m:375,1h:375 --policy cpu=50
loadgen simulate --sweep target=25..25600 --max 20            # what another target would do
loadgen simulate --load @loadgen-results/20261124T150405Z --expect 'max_tasks==6'`,
		Long: `
How it works
  The lab's autoscaler is given the datapoints that the load would make. All times are service time.
  A CSV has lines of t,requests/s with t in seconds. Each flag is also a variable, as for run:
  LOADGEN_POLICIES and LOADGEN_EXPECTS by ; or newlines.`,
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
	s.load, _ = simulate.ParseLoad(defaultCurve) // a constant
	s.recovery = plan.Duration(simulatedRecovery)
	r.settlement = settle(collect(table, flags, variable), "")
	errs := r.errs
	for i := range r.kept {
		errs = append(errs, r.apply(&r.kept[i]))
	}
	c := simulate.DefaultConfig()
	m := s.clock.models(autoscaling.AWSModels())
	c.Config = s.scaling(m)
	c = c.With(m)
	c.Load, c.Recovery = s.load, time.Duration(s.recovery)
	if s.taskCapacity > 0 {
		c.TaskCapacity = s.taskCapacity
	}
	errs = append(errs, r.checkExpectations(gate.Has{Demand: true, Recovery: c.Recovery > 0})...)
	errs = append(errs, r.namedErrors(c.Validate())...)
	return r, c, errors.Join(errs...)
}

// simulate shows one simulation, and returns its ending.
func (e *env) simulate(r *resolution, c simulate.Config) error {
	run, err := simulate.Run(c)
	if err != nil {
		return usage(err)
	}
	expected := make([]gate.Expectation, len(r.service.expect))
	for i, text := range r.service.expect {
		expected[i], _ = gate.ParseExpectation(text) // it was parsed before
	}
	load := steps(c.Load)
	figures := timeline.Compute(&run.Timeline, load, timeline.Capacity{PerTask: c.TaskCapacity, Utilisation: loadgen.Utilisation})
	outcomes := gate.EvaluateExpectations(expected, &run.Timeline, figures, nil)
	e.describe(r, c)
	err = report.SimulationText(e.stdout, report.Simulation{
		Timeline: &run.Timeline, Figures: figures, Load: load, FirstWanted: run.Summary.FirstWanted, Expectations: outcomes,
	}, e.options(e.stdout))
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
		return usage(plan.Rename(err, func(field string) string { return joined(g.name, field) }))
	}
	var rows []report.SweepRow
	for _, row := range all {
		name, value, _ := strings.Cut(row.Setting, "=")
		rows = append(rows, report.SweepRow{
			Parameter: name, Value: value, MaxTasks: row.Summary.MaxTasks, UnderProvisioned: row.Summary.UnderProvisioned,
			TaskHours: row.Summary.TaskHours, Activities: row.Summary.Activities, BackAtMin: row.Summary.BackToMin,
		})
	}
	e.describe(r, c)
	return report.SweepText(e.stdout, rows, e.options(e.stdout))
}

// describe says what is simulated.
func (e *env) describe(r *resolution, c simulate.Config) {
	from := r.service.from
	if from == "" {
		from = c.Load.String()
	}
	fmt.Fprintf(e.stdout, "%s of load (%s) on %d to %d tasks of %s each, by %s\n\n",
		units.Clock(c.Load.End()), from, c.Min, c.Max, units.Rate(c.TaskCapacity), policies(&r.service))
}
