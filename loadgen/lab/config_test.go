package lab

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
)

func TestWhatCannotBeALabIsRefusedByName(t *testing.T) {
	for _, tt := range []struct {
		why    string
		change func(*Config)
		want   string
	}{
		{"a period of less than a second", func(c *Config) { c.Speedup = 61 }, `speedup "61": want at most 60: a period of 1m must take at least 1s to be measured`},
		{"slower than time", func(c *Config) { c.Speedup = 0.5 }, `speedup "0.5": want a number from 1 to 60`},
		{"no number", func(c *Config) { c.Speedup = math.NaN() }, `speedup "NaN": want a number from 1 to 60`},
		{"not finite", func(c *Config) { c.Speedup = math.Inf(1) }, `speedup "+Inf": want a number from 1 to 60`},
		{"min above max", func(c *Config) { c.Scaling.Min = 7 }, `min: 7 is above the maximum of 6`},
		{"no task", func(c *Config) { c.Scaling.Min = 0 }, `min "0": want at least 1 task: without one there is nothing to put load on`},
		{"more than a machine", func(c *Config) { c.Scaling.Max = 101 }, `max "101": want at most 100 tasks: they all run on this machine`},
		{"a target of nothing", func(c *Config) {
			c.Scaling.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU}}
		}, `policies[0].target: 0, want a number above 0`},
		{"chaos after the load", func(c *Config) { c.Chaos = []Chaos{{Verb: KillTask, From: 3 * time.Minute}} }, `chaos "kill-task@3m": want a time before the end of the load at 3m`},
		{"chaos that ends after it", func(c *Config) {
			c.Chaos = []Chaos{{Verb: KillZone, Zone: "a", From: time.Minute, To: 4 * time.Minute}}
		}, `chaos "kill-zone:a@1m..4m": want a time before the end of the load at 3m`},
		{"chaos that is none", func(c *Config) { c.Chaos = []Chaos{{Verb: KillTask, Zone: "a"}} }, `chaos "kill-task@0s": want ` + wantChaos},
		{"a command with an open quote", func(c *Config) { c.ReplicaCommand = `./api 'x` }, `replica "./api 'x": want a command whose quotes are closed: ' is missing`},
		{"no CPU", func(c *Config) { c.ReplicaCPUs = -1 }, `replica_cpus "-1": want a number of CPUs above 0, e.g. 0.5`},
		{"a path that is none", func(c *Config) { c.HealthPath = "health" }, `health_path "health": want a path, e.g. /health`},
		{"a delay before its time", func(c *Config) { c.Delays = DefaultDelays(); c.Delays.Pull = -1 }, `pull "-1ns": want a time that is not negative and at most 24h`},
		{"checks without a pause", func(c *Config) { c.Delays = DefaultDelays(); c.Delays.HealthInterval = 0 }, `health_interval "0s": want a time from 1s to 24h`},
		{"a threshold of nothing", func(c *Config) { c.Delays = DefaultDelays(); c.Delays.HealthThreshold = 0 }, `health_threshold "0": want 1 to 10 checks in a row`},
		{"no slots", func(c *Config) { c.Capacity.Slots = -1 }, `capacity.slots "-1": want 1 to 1024`},
		{"more slots than arithmetic", func(c *Config) { c.Capacity.Slots = 1025 }, `capacity.slots "1025": want 1 to 1024`},
		{"service that ends before it begins", func(c *Config) { c.Capacity.Service = -time.Second }, `capacity.service "-1s": want a time that is not negative and at most 24h`},
	} {
		c := Config{Scaling: autoscaling.DefaultConfig(), Load: 3 * time.Minute}
		tt.change(&c)
		err := c.Validate()
		if err == nil || err.Error() != tt.want || len(input.Errors(err)) != 1 {
			t.Errorf("%s:\n got %v\nwant %s", tt.why, err, tt.want)
		}
		if l, started := Start(t.Context(), c); started == nil {
			l.Close()
			t.Errorf("%s: started", tt.why)
		}
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	c := Config{Scaling: autoscaling.DefaultConfig(), Speedup: 100, ReplicaCommand: `"`, Chaos: []Chaos{{}, {Verb: "x"}}}
	c.Scaling.Max = -1
	var named []string
	for _, f := range input.Errors(c.Validate()) {
		named = append(named, f.Field)
	}
	if got := strings.Join(named, " "); got != "max speedup replica chaos chaos" {
		t.Errorf("fields %s, want all five", got)
	}
}

func TestTheZeroConfigIsTheSeedsService(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Fatal(err)
	}
	c := Config{}.withDefaults()
	if c.Scaling.Min != 2 || c.Scaling.Max != 6 || len(c.Scaling.Policies) != 2 || c.Speedup != 20 || c.period() != 3*time.Second {
		t.Errorf("%+v, want 2 to 6 tasks, two policies and a minute of 3 s", c)
	}
	for speedup := range 60 {
		if err := (Config{Speedup: float64(speedup + 1)}).Validate(); err != nil {
			t.Errorf("speedup %d: %v", speedup+1, err)
		}
	}
	if c := (Config{Scaling: autoscaling.Config{Min: 1}}); c.Validate() == nil {
		t.Error("half a scaling configuration was filled in by guessing")
	}
}

func TestReplicaErrorsAreOneLine(t *testing.T) {
	lines := []string{"one", "two", "three", "four"}
	for want, e := range map[string]*ReplicaError{
		`replica "./api": exit status 1; it wrote nothing`:                   {Command: "./api", Reason: "exit status 1"},
		`replica "./api": exit status 1; its last lines: two | three | four`: {Command: "./api", Reason: "exit status 1", Output: lines},
		`replica "sh -c 'a\nb'": exit status 1; its last lines: one`:         {Command: "sh -c 'a\nb'", Reason: "exit status 1", Output: lines[:1]},
	} {
		if got := errors.Join(e).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestLaunchesThatFailWaitLongerAndLonger(t *testing.T) {
	for failures, want := range []time.Duration{0, 1, 2, 4, 8, 16, 30, 30} {
		if got := backoff(failures); got != want*time.Second {
			t.Errorf("after %d failures %s, want %ds", failures, got, want)
		}
	}
	if got := backoff(1 << 40); got != 30*time.Second {
		t.Errorf("after very many %s, want 30s", got)
	}
}
