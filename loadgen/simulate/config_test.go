package simulate

import (
	"math"
	"testing"
	"time"

	"scalableappbackend/internal/input"
)

func TestConfigurationsThatCannotBeAreRefused(t *testing.T) {
	for _, row := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Load = nil }, "load: want at least two points, e.g. 0s:375,15m:375"},
		{func(c *Config) { c.Load[1].Rate = math.NaN() }, "load[1]: NaN requests a second, want 0 to 1e+09"},
		{func(c *Config) { c.TaskCapacity = 0 }, "task_capacity: 0, want requests a second, above 0"},
		{func(c *Config) { c.TaskCapacity = math.NaN() }, "task_capacity: NaN, want requests a second, above 0"},
		{func(c *Config) { c.TaskStart.Running = -1 }, "task_start: -1ns, want 0s to 24h"},
		{func(c *Config) { c.Drain = 25 * time.Hour }, "drain: 25h0m0s, want 0s to 24h"},
		{func(c *Config) { c.Recovery = -time.Second }, "recovery: -1s, want 0s to 744h"},
		{func(c *Config) { c.Period = time.Millisecond }, "period: 1ms makes more than 250000 periods of the run"},
		{func(c *Config) { c.Min, c.TaskCapacity = 9, -1 }, "min: 9 is above the maximum of 6\ntask_capacity: -1, want requests a second, above 0"},
	} {
		c := DefaultConfig()
		c.Load = load(t, "0s:375,3m:375")
		row.change(&c)
		r, err := Run(c)
		if err == nil || err.Error() != row.want || r.Timeline.Points != nil {
			t.Errorf("got %v\nwant %s", err, row.want)
		}
		if len(input.Errors(err)) == 0 {
			t.Errorf("%v names no field", err)
		}
	}
}
