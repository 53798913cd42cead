package main

import (
	"slices"
	"strconv"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/simulate"
)

// service is what a command line asks of the service that `lab` runs and `simulate` imagines.
type service struct {
	model        plan.Model // of the plan that the verb begins with; empty: users
	min, max     int
	policies     []autoscaling.Policy
	taskCapacity float64 // requests/s of one task; 0: not given
	measure      bool    // it is to be measured
	measured     float64 // in requests/s; 0 until it is measured
	objective    []string
	recovery     plan.Duration
	expect       []string
	clock        clock

	// Of lab alone.
	speedup       float64 // 0: not given
	quick         bool
	replica       string // a command; empty: the project's own API
	replicaHealth string
	replicaGrace  plan.Duration
	replicaCPUs   float64
	chaos         []lab.Chaos

	// Of simulate alone.
	curve   curve
	sweep   *simulate.Sweep
	memory  simulate.Memory
	initial int // 0: at min
	events  []simulate.Event
}

func defaultService() service {
	return service{
		min: autoscaling.DefaultMin, max: autoscaling.DefaultMax, policies: autoscaling.DefaultPolicies(),
		recovery: plan.Duration(lab.DefaultRecovery),
	}
}

// scaling is the service's as the state machine takes it, by these models.
func (s *service) scaling(m autoscaling.Models) autoscaling.Config {
	c := m.Apply(autoscaling.DefaultConfig())
	c.Min, c.Max, c.Policies = s.min, s.max, s.policies
	return c
}

// The groups of flags of `lab` and `simulate`, before those of `run`.
const (
	groupService = "Service"
	groupReplica = "Replicas"
	groupChaos   = "Chaos"
)

// serviceSettings are those that `lab` and `simulate` share.
func serviceSettings(recovery time.Duration) []setting {
	return []setting{
		{flag: "min", arg: "N", group: groupService, fields: []string{"min"},
			help: "fewest tasks, and tasks at the start", byDefault: strconv.Itoa(autoscaling.DefaultMin),
			set: one(parseCount, func(o *options, n int) { o.service.min = n })},
		{flag: "max", arg: "N", group: groupService, fields: []string{"max"},
			help: "most tasks", byDefault: strconv.Itoa(autoscaling.DefaultMax),
			set: one(parseCount, func(o *options, n int) { o.service.max = n })},
		{flag: "policy", arg: "P", group: groupService, separators: "\n;", plural: "POLICIES", fields: []string{"policies"},
			help: "requests=N a task and minute, cpu=N, p99>1s:+1; repeatable", byDefault: "both 50",
			set: each(parsePolicy, func(o *options, p []autoscaling.Policy) { o.service.policies = p })},
		{flag: "task-capacity", arg: "RPS", group: groupService, fields: []string{"capacity", "task_capacity"},
			help: "requests/s that one task can handle", byDefault: units.Decimal(autoscaling.DefaultTaskCapacity),
			set: one(parseTaskCapacity, func(o *options, rps float64) { o.service.taskCapacity = rps })},
		{flag: "recovery", arg: "D", group: groupService, fields: []string{"recovery"},
			help: "simulated time to watch after the load; ends at --min", byDefault: units.Duration(recovery),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.service.recovery = d })},
	}
}

// expectSetting is in another group, and has another default, in each of the verbs.
func expectSetting(help, byDefault string) setting {
	return setting{flag: "expect", arg: "EXPR", group: groupVerdict, separators: "\n;", fields: []string{"expect"},
		help: help, byDefault: byDefault,
		set: each(parseExpectation, func(o *options, all []string) { o.service.expect = all })}
}

// labSettings is the table of everything that `lab` can be told.
func labSettings() []setting {
	service := serviceSettings(lab.DefaultRecovery)
	for i := range service {
		if service[i].flag == autoscaling.SettingTaskCapacity {
			service[i] = capacitySetting(service[i])
			service = slices.Insert(service, i+1, objectiveSetting())
			break
		}
	}
	table := slices.Concat(service, clockSettings(autoscaling.LabModels(), false), []setting{
		{flag: "speedup", arg: "S", group: groupService, fields: []string{"speedup"},
			help: "how many times faster than real time the service runs, 1 to 60", byDefault: units.Decimal(lab.DefaultSpeedup),
			set: one(parseNumber, func(o *options, x float64) { o.service.speedup = x })},
		{flag: "quick", group: groupService,
			help: "done in a minute: " + plan.Duration(quickLoad).String() + " of load (or -t), speedup " + units.Decimal(quickSpeedup),
			set:  one(parseSwitch, func(o *options, on bool) { o.service.quick = on })},

		{flag: "replica", arg: "CMD", group: groupReplica, fields: []string{"replica"},
			help: "command of a replica, which listens on $PORT", byDefault: "the project's API",
			set: one(parseText, func(o *options, s string) { o.service.replica = s })},
		{flag: "replica-health", arg: "PATH", group: groupReplica, fields: []string{"health_path"},
			help: "path of the health check", byDefault: "/health",
			set: one(parseText, func(o *options, s string) { o.service.replicaHealth = s })},
		{flag: "replica-grace", arg: "D", group: groupReplica, fields: []string{"startup_grace"},
			help: "how long a replica may take to become healthy, in real time", byDefault: units.Duration(lab.DefaultStartupGrace),
			set: one(parsePacing, func(o *options, d plan.Duration) { o.service.replicaGrace = d })},
		{flag: "replica-cpus", arg: "X", group: groupReplica, fields: []string{"replica_cpus"},
			help: "CPUs that count as 100 % for --policy cpu=N", byDefault: "1",
			set: one(parseCPUs, func(o *options, x float64) { o.service.replicaCPUs = x })},

		{flag: "chaos", arg: "EVENT", group: groupChaos, separators: ",", plural: "CHAOS", fields: []string{"chaos"},
			help: "kill-task@60s, stop-task@60s, kill-zone:b@90s..120s; repeatable",
			set:  each(lab.ParseChaos, func(o *options, all []lab.Chaos) { o.service.chaos = all })},
	})
	for _, s := range settings() {
		switch s.flag {
		case "argument", "method", "data", "json-data", "resolve", "host", "plan", "config":
			continue
		case "threshold":
			table = append(table, expectSetting("exit 97 if EXPR fails, e.g. 'max_tasks==6'", "out and back"))
		}
		table = append(table, s)
	}
	return table
}

// simulateSettings is the table of everything that `simulate` can be told.
func simulateSettings() []setting {
	return slices.Concat([]setting{
		{flag: "load", arg: "CURVE", group: groupLoad, fields: []string{"load"},
			help: "TIME:RATE,…, @FILE.csv, or @DIR of a result", byDefault: defaultCurve,
			set: one(parseCurve, func(o *options, c curve) { o.service.curve = c })},
	}, serviceSettings(simulatedRecovery), clockSettings(autoscaling.AWSModels(), true), []setting{
		{flag: autoscaling.SettingInitial, arg: "N", group: groupService, fields: []string{"initial"},
			help: "tasks when the load starts", byDefault: "--min",
			set: one(parseCount, func(o *options, n int) { o.service.initial = n })},
		{flag: autoscaling.SettingMemory, arg: "A[+B/rps]", group: groupService, fields: []string{"memory"},
			help: "memory use of a task in percent, for --policy memory=N",
			set:  one(simulate.ParseMemory, func(o *options, m simulate.Memory) { o.service.memory = m })},
		{flag: "at", arg: "TIME:WHAT", group: groupService, separators: ",", plural: "AT", fields: []string{"events"},
			help: "event at a time: min=N, max=N, deploy or rebalance=N; repeatable",
			set:  each(simulate.ParseEvent, func(o *options, all []simulate.Event) { o.service.events = all })},
		{flag: "sweep", arg: "NAME=A..B", group: groupService, fields: []string{"sweep"},
			help: "one row per value, e.g. target=25..400 or period=20,60",
			set:  one(simulate.ParseSweep, func(o *options, s simulate.Sweep) { o.service.sweep = &s })},
		{flag: autoscaling.SettingObjective, arg: "EXPR", group: groupService, separators: "\n;", fields: []string{"objective"},
			help: "what a task keeps at --task-capacity; recommends a target",
			set:  each(checkedExpr, func(o *options, all []string) { o.service.objective = all })},
		{flag: "out", short: "o", arg: "DIR", group: groupResult,
			help: "new or empty directory for timeline.json and simulation.json",
			set:  one(parseText, func(o *options, s string) { o.out = s })},
		{flag: "json", group: groupResult,
			help: "print everything as JSON instead of the report",
			set:  one(parseSwitch, func(o *options, on bool) { o.json = on })},
		expectSetting("exit 97 if EXPR fails, e.g. 'max_tasks==6'", ""),
	})
}

// parsePolicy says in the plan's error what the state machine says in its own.
func parsePolicy(s string) (autoscaling.Policy, error) {
	p, err := autoscaling.ParsePolicy(s)
	for _, e := range input.Errors(err) {
		return nil, (*input.Error)(e)
	}
	return p, err
}

func parseTaskCapacity(s string) (float64, error) {
	n, err := parseNumber(s)
	if err == nil && !(n >= 0.001 && n <= plan.MaxRate) {
		return 0, input.Refuse(s, "requests/s from 0.001 to 1,000,000, e.g. 120")
	}
	return n, err
}

func parseCPUs(s string) (float64, error) {
	n, err := parseNumber(s)
	if err == nil && n <= 0 { // 0 would be the default
		return 0, input.Refuse(s, "a number of CPUs above 0, e.g. 0.5")
	}
	return n, err
}

// parseExpectation refuses what is no expectation and keeps its text.
func parseExpectation(s string) (string, error) {
	_, err := gate.ParseExpectation(s)
	return s, err
}

// checkExpectations says which expectations are about what there will not be.
func (r *resolution) checkExpectations(has gate.Has) (errs []error) {
	if !r.has("expect") || r.failed["expect"] {
		return nil // the default ones follow from what is said elsewhere
	}
	for _, text := range r.service.expect {
		e, err := gate.ParseExpectation(text)
		if err == nil {
			err = input.Typed(gate.Check(e, has), text)
		}
		if err != nil {
			errs = append(errs, r.namedErrors(input.WithField(err, "expect"))...)
		}
	}
	return errs
}
