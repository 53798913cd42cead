package simulate

import (
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

// shaped is the reference load on two to six tasks of 120/s each, with the models of DefaultConfig.
func shaped(rate float64) Config {
	c := DefaultConfig()
	c.Load, c.TaskCapacity, c.Closed = Load{{0, rate}, {15 * time.Minute, rate}}, 120, true
	return c
}

func TestTheTimeToCapacityIsTheStateMachinesAndTwoPeriods(t *testing.T) {
	c := shaped(380)
	c.Recovery = 0
	run, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	want := (run.Summary.UnderProvisioned + 2*c.Config.Period).Truncate(time.Second)
	if got := c.TimeToCapacity(); got != want || got <= 2*c.Config.Period {
		t.Errorf("%s, want %s", got, want)
	}
	for why, c := range map[string]Config{
		"more than the maximum can do":        shaped(6*120 + 1),
		"nothing scales, and there is enough": shaped(1),
		"no load at all":                      {},
	} {
		if got := c.TimeToCapacity(); got != 0 {
			t.Errorf("%s: %s, want 0", why, got)
		}
	}
}

// Steps on latency only add tasks, so what the other policies take is the most; alone they tell nothing.
func TestAPolicyOnALatencyThatIsNotKnownYetChangesNoTime(t *testing.T) {
	steps, err := autoscaling.ParsePolicy("p99>100ms:+1")
	if err != nil {
		t.Fatal(err)
	}
	c := shaped(380)
	c.Recovery = 24 * time.Hour
	with, alone := c, c
	with.Policies = append([]autoscaling.Policy{steps}, c.Policies...)
	alone.Policies = with.Policies[:1]
	if a, b := c.TimeToCapacity(), with.TimeToCapacity(); a == 0 || a != b {
		t.Errorf("to capacity %s without, %s with it", a, b)
	}
	if a, b := c.TimeToMin(), with.TimeToMin(); a == 0 || a != b {
		t.Errorf("to the minimum %s without, %s with it", a, b)
	}
	if got := alone.TimeToCapacity(); got != 0 {
		t.Errorf("alone: %s, want 0", got)
	}
}

func TestTheTimeToTheMinimumGrowsWithTheWayBack(t *testing.T) {
	c := shaped(380)
	c.Recovery = 24 * time.Hour
	near, far := c, c
	near.Max, far.Max = 3, 12
	if a, b := near.TimeToMin(), far.TimeToMin(); !(0 < a && a < b) || a%time.Minute != 0 {
		t.Errorf("from 3 tasks %s, from 12 %s", a, b)
	}
	c.Recovery = time.Minute
	if got := c.TimeToMin(); got != 0 {
		t.Errorf("watched for a minute, and back after %s", got)
	}
}
