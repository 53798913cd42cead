package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/simulate"
)

// labOf is what `lab` makes of a command line and variables.
func labOf(t *testing.T, line string, variables map[string]string) (*resolution, error) {
	t.Helper()
	set := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	flags := define(set, labSettings())
	if err := set.Parse(args(line)); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return resolveLab(flags, func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok && value != ""
	})
}

func TestALabIsTheSeedsUnlessToldOtherwise(t *testing.T) {
	type env = map[string]string
	for _, row := range []struct {
		line    string
		env     env
		length  time.Duration
		speedup float64
		spawn   float64
		why     string
	}{
		{"", nil, 3 * time.Minute, 20, 5, "the seed's profile"},
		{"--quick", nil, 20 * time.Second, 50, 25, "a minute's worth"},
		{"", env{"LOADGEN_QUICK": "1"}, 20 * time.Second, 50, 25, "also by a variable"},
		{"--quick=false --speedup 30", nil, 3 * time.Minute, 30, 5, "what is off chooses nothing, and is in nobody's way"},
		{"--quick=0", env{"LOADGEN_QUICK": "true", "LOADGEN_SPEEDUP": "10"}, 3 * time.Minute, 10, 5, "a flag switches a variable off"},
		{"--quick", env{"LOADGEN_SPEEDUP": "10", "LOADGEN_RUN_TIME": "9m", "LOCUST_RUN_TIME": "8m"}, 20 * time.Second, 50, 25, "a flag silences variables"},
		{"--speedup 10", env{"LOADGEN_QUICK": "true"}, 3 * time.Minute, 10, 5, "so does the other one"},
		{"--quick -r 50", nil, 20 * time.Second, 50, 50, "how users come may be said"},
		{"--quick -t 45s", nil, 45 * time.Second, 50, 25, "how long is its default alone"},
		{"--quick -t 45s -u 200 --policy requests=900", nil, 45 * time.Second, 50, 25, "with any load and policy"},
		{"--quick --stage 10s:20 --stage 30s:60", nil, 40 * time.Second, 50, 0, "stages too"},
		{"-t 45s", env{"LOADGEN_QUICK": "1"}, 45 * time.Second, 50, 25, "the other way round as well"},
		{"", env{"LOADGEN_QUICK": "1", "LOADGEN_RUN_TIME": "9m"}, 9 * time.Minute, 50, 25, "and both by variables"},
		{"--quick --rate 300", nil, 20 * time.Second, 50, 0, "a rate has no users"},
		{"--speedup 3.9", nil, 15 * time.Minute, 3.9, 5, "alarms need three minutes of simulated time, tasks one more"},
		{"--speedup 4", nil, 3 * time.Minute, 4, 5, "twelve are enough"},
		{"--speedup 1 -t 3m", nil, 3 * time.Minute, 1, 5, "what is asked for is done: the report says what it means"},
		{"--speedup 1", env{"LOCUST_RUN_TIME": "5m"}, 5 * time.Minute, 1, 5, "by whatever it is asked"},
		{"--speedup 1 --stage 1m:50", nil, time.Minute, 1, 0, "stages are a run time"},
	} {
		r, err := labOf(t, row.line, row.env)
		if err != nil {
			t.Errorf("%q %v: %v", row.line, row.env, err)
			continue
		}
		c := r.labConfig()
		if r.plan.Length() != row.length || c.Load != row.length || c.Speedup != row.speedup || r.plan.SpawnRate != row.spawn {
			t.Errorf("%q %v: %s (%s) at %v, %v/s: want %s at %v, %v/s: %s", row.line, row.env,
				r.plan.Length(), c.Load, c.Speedup, r.plan.SpawnRate, row.length, row.speedup, row.spawn, row.why)
		}
	}
}

func TestTheLabIsMadeOfWhatWasGiven(t *testing.T) {
	r, err := labOf(t, "--min 1 --max 4 --policy cpu=70 --recovery 20m --task-capacity 40 --chaos kill-task@5s --chaos kill-zone:a@6s..9s",
		map[string]string{"LOADGEN_MIN": "3", "LOADGEN_POLICIES": "requests=9"})
	if err != nil {
		t.Fatal(err)
	}
	c := r.labConfig()
	policies := []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 70}}
	chaos := []lab.Chaos{{Verb: lab.KillTask, From: 5 * time.Second}, {Verb: lab.KillZone, Zone: "a", From: 6 * time.Second, To: 9 * time.Second}}
	if c.Scaling.Min != 1 || c.Scaling.Max != 4 || !slices.Equal(c.Scaling.Policies, policies) || c.Recovery != 20*time.Minute ||
		c.Capacity.PerSecond() != 40 || !slices.Equal(c.Chaos, chaos) {
		t.Errorf("the lab is %+v", c)
	}
	r, err = labOf(t, "--expect errors<=5", map[string]string{"LOADGEN_EXPECTS": "max_tasks==6;errors==0"})
	if err != nil || !slices.Equal(r.service.expect, []string{"errors<=5"}) {
		t.Errorf("expected is %v, %v: what is given replaces the rest", r.service.expect, err)
	}
	r, err = labOf(t, "--replica ./api --replica-health /up --replica-grace 5s --replica-cpus 0.5 --task-capacity 9 --expect overshoot<=1", nil)
	if c := r.labConfig(); err != nil || c.ReplicaCommand != "./api" || c.HealthPath != "/up" || c.StartupGrace != 5*time.Second ||
		c.ReplicaCPUs != 0.5 || c.Capacity != (lab.Capacity{}) {
		t.Errorf("the lab is %+v, %v", c, err)
	}
}

// What is asked for by default follows from what was said; the path of the demonstration only from nothing said.
func TestWhatALabIsExpectedToDoFollowsFromItsModels(t *testing.T) {
	const path, supply = "scale_in_path==6,5,4,3,2", "healthy>=demand at steady"
	for _, row := range []struct {
		line string
		want []string
		not  string
		why  string
	}{
		// 161 s by hand: the 33rd user comes after 64 s of simulated time, and four tasks more are healthy after 225. Two periods are allowed.
		{"--quick", []string{supply, "time_under_provisioned<=4m41s", "max_tasks==6", path, "tasks==2 at end"}, "", "the demonstration"},
		// At 20 the 33rd user comes after 128 s, so 97 s.
		{"", []string{supply, "time_under_provisioned<=3m37s", "max_tasks==6", path}, "", "in its real size"},
		{"--quick --policy requests=5000", []string{supply, "tasks==2 at end"}, "max_tasks==6", "another policy has another story"},
		{"--quick --max 20", []string{supply}, "max_tasks==20", "other bounds"},
		{"--quick -u 200", []string{supply}, "time_under_provisioned", "more than the maximum can do: no time is long enough"},
		// AWS's delay is 150 s and its tasks take as long: 231 s more than needed, and two periods.
		{"--quick --metric-delay aws-60s", []string{"time_under_provisioned<=7m11s"}, path, "a time follows from the models in force"},
		{"--quick --task-start 350s", []string{"time_under_provisioned<=9m56s"}, path, "a slow start too"},
		{"--quick --chaos kill-task@5s", []string{"tasks==2 at end", "oscillations==0", "healthy==desired at end", "max_tasks==6"}, supply, "chaos"},
		{"--quick --replica ./api --policy requests=50", []string{"healthy==running at steady", "errors==0"}, supply, "what a program can do is not known"},
		{"--quick --replica ./api --policy requests=50 --task-capacity 120", []string{supply, "time_under_provisioned<=4m41s"}, path, "unless it is said"},
	} {
		r, err := labOf(t, row.line, nil)
		if err != nil {
			t.Errorf("%q: %v", row.line, err)
			continue
		}
		all := strings.Join(r.service.expect, "\n")
		for _, want := range row.want {
			if !slices.Contains(r.service.expect, want) {
				t.Errorf("%q: %s is not among\n%s\n(%s)", row.line, want, all, row.why)
			}
		}
		if row.not != "" && strings.Contains(all, row.not) {
			t.Errorf("%q: %s is among\n%s\n(%s)", row.line, row.not, all, row.why)
		}
	}
}

// What is watched after the load follows from the models and the bounds, unless it was said.
func TestALabIsWatchedForAsLongAsItsWayBackTakes(t *testing.T) {
	for line, want := range map[string]time.Duration{
		"": 30 * time.Minute, "--recovery 5m": 5 * time.Minute,
		"--cooldown-in 5m --deregistration-delay 5m": 55 * time.Minute, // 15 minutes, 10 for each of four but the last's cooldown, 2 are allowed
		"--max 20":                               70 * time.Minute,                // 15, 3 for each of 18
		"--max 20 --scale-in-model proportional": 30 * time.Minute,                // two steps
		"--aws-defaults":                         54*time.Minute + 30*time.Second, // and 150 s until the alarm is seen
	} {
		r, err := labOf(t, line, nil)
		if err != nil {
			t.Fatal(line, err)
		}
		if got := r.labConfig().Recovery; (got - want).Abs() > 3*time.Minute {
			t.Errorf("%q: watched for %s, want about %s", line, got, want)
		}
	}
}

// Every name that the lab gives to what it refuses is found again among its flags.
func TestEveryFieldOfALabBelongsToASetting(t *testing.T) {
	for field, flag := range map[string]string{
		"min": "min", "max": "max", "policies": "policy", "policies[1].target": "policy", "speedup": "speedup", "recovery": "recovery",
		"capacity.service": "task-capacity", "health_path": "replica-health", "startup_grace": "replica-grace", "replica": "replica",
		"replica_cpus": "replica-cpus", "chaos": "chaos", "expect": "expect", "users": "users",
	} {
		if s, _ := settingIn(labSettings(), field); s == nil || s.flag != flag {
			t.Errorf("%s belongs to %v, want --%s", field, s, flag)
		}
	}
	for _, field := range []string{"load[3]", "task_capacity", "min", "policies[0].target", "recovery", "expect"} {
		if s, _ := settingIn(simulateSettings(), field); s == nil {
			t.Errorf("%s belongs to no setting of simulate", field)
		}
	}
}

const clockFlags = "aws-defaults LOADGEN_AWS_DEFAULTS, period LOADGEN_PERIOD, metric-delay LOADGEN_METRIC_DELAY, task-start LOADGEN_TASK_START, " +
	"cooldown-out LOADGEN_COOLDOWN_OUT, cooldown-in LOADGEN_COOLDOWN_IN, deregistration-delay LOADGEN_DEREGISTRATION_DELAY, scale-in-model LOADGEN_SCALE_IN_MODEL, "

// The contract: the flags of `lab` and `simulate` beside those of `run`, and their variables.
func TestTheFlagsOfTheServiceAreThoseOfTheContract(t *testing.T) {
	for verb, row := range map[string]struct {
		table []setting
		want  string
	}{
		"lab": {labSettings(), "min LOADGEN_MIN, max LOADGEN_MAX, policy LOADGEN_POLICIES, task-capacity LOADGEN_TASK_CAPACITY, objective LOADGEN_OBJECTIVES, recovery LOADGEN_RECOVERY, " + clockFlags +
			"speedup LOADGEN_SPEEDUP, quick LOADGEN_QUICK, replica LOADGEN_REPLICA, replica-health LOADGEN_REPLICA_HEALTH, " +
			"replica-grace LOADGEN_REPLICA_GRACE, replica-cpus LOADGEN_REPLICA_CPUS, chaos LOADGEN_CHAOS, expect LOADGEN_EXPECTS"},
		"simulate": {simulateSettings(), "load LOADGEN_LOAD, min LOADGEN_MIN, max LOADGEN_MAX, policy LOADGEN_POLICIES, " +
			"task-capacity LOADGEN_TASK_CAPACITY, recovery LOADGEN_RECOVERY, " + clockFlags +
			"initial LOADGEN_INITIAL, memory LOADGEN_MEMORY, at LOADGEN_AT, sweep LOADGEN_SWEEP, objective LOADGEN_OBJECTIVES, expect LOADGEN_EXPECTS"},
	} {
		var got []string
		for _, s := range row.table {
			if !slices.ContainsFunc(settings(), func(of setting) bool { return of.flag == s.flag }) {
				got = append(got, s.flag+" "+s.variables()[0])
			}
		}
		if text := strings.Join(got, ", "); text != row.want {
			t.Errorf("%s has %s\nwant %s", verb, text, row.want)
		}
	}
	for _, s := range labSettings() {
		if s.flag == "host" || s.flag == "plan" {
			t.Errorf("lab has --%s", s.flag)
		}
	}
}

func TestTheVariablesOfAnotherVerbAreNoMisspeltOnes(t *testing.T) {
	if got := strangers(settings(), []string{"LOADGEN_LOAD=1", "LOADGEN_MAX=5", "LOADGEN_CHAOS=x"}); len(got) > 0 {
		t.Errorf("run notes %q", got)
	}
	if got := strangers(labSettings(), []string{"LOADGEN_POLICY=cpu=5"}); len(got) != 1 {
		t.Errorf("lab notes %q", got)
	}
}

func FuzzAnyCommandLineOfALabIsALabOrAnErrorOfOneLine(f *testing.F) {
	for _, s := range slices.Concat(labSettings(), simulateSettings()) {
		f.Add(s.flag, "5", "LOADGEN_CHAOS", "kill-task@5s")
	}
	f.Add("policy", "requests=50,disable-scale-in", "LOADGEN_EXPECTS", "max_tasks==6;errors==0")
	f.Add("replica", "x 'y", "LOADGEN_POLICIES", "cpu=5")
	f.Add("sweep", "max=1..4", "LOADGEN_LOAD", "0s:1,1m:2")
	f.Fuzz(func(t *testing.T, flag, value, variable, content string) {
		for _, name := range []string{"targets", "LOADGEN_TARGETS"} {
			if flag == name || variable == name {
				t.Skip() // files are package plan's
			}
		}
		if strings.Contains(value, "@") || strings.Contains(content, "@") && variable == "LOADGEN_LOAD" {
			t.Skip() // so are these
		}
		lookup := func(name string) (string, bool) { return content, name == variable && content != "" }
		for _, table := range [][]setting{labSettings(), simulateSettings()} {
			set := pflag.NewFlagSet("lab", pflag.ContinueOnError)
			flags := define(set, table)
			if set.Lookup(flag) == nil || set.Set(flag, value) != nil {
				continue
			}
			var err, invalid error
			if flags["load"] != nil {
				var c simulate.Config
				_, c, err = resolveSimulation(table, flags, lookup)
				invalid = c.Validate()
			} else {
				var r *resolution
				r, err = resolveLab(flags, lookup)
				invalid = errors.Join(r.labConfig().Validate(), r.plan.Validate())
			}
			if err == nil && invalid != nil {
				t.Errorf("not valid: %v", invalid)
			}
			if err == nil {
				continue
			}
			for _, each := range flatten(err) {
				if text := each.Error(); text == "" || strings.Contains(text, "\n") {
					t.Errorf("%q is not one line", text)
				}
			}
		}
	})
}
