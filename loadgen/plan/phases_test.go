package plan

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPhasesFollowTheLoad(t *testing.T) {
	closed := func(users int, rate float64, run time.Duration) Plan {
		p := Default()
		p.Users, p.SpawnRate, p.RunTime = users, rate, Duration(run)
		return p
	}
	open := func(start float64, stages ...Stage) Plan {
		p := DefaultOpen()
		p.Rate, p.Stages, p.RunTime = Rate{N: start}, stages, 0
		return p
	}
	constant := DefaultOpen()
	constant.Rate.N = 5
	users := Default()
	users.Users, users.SpawnRate, users.RunTime, users.Stages = 0, 0, 0, []Stage{{1000 * ms, 5}, {1000 * ms, 5}}
	warm := func(p Plan, d time.Duration) Plan {
		p.WarmUp = Duration(d)
		return p
	}
	const s, ms10 = time.Second, 10 * time.Millisecond
	for _, tt := range []struct {
		why  string
		plan Plan
		want []Phase
	}{
		{"the seed's profile: the 50th user spawns after 49 fifths of a second", Default(), []Phase{{Ramp, 0}, {Steady, 9800 * s / 1000}, {Drain, 180 * s}}},
		{"one user needs no ramp", closed(1, 5, s), []Phase{{Steady, 0}, {Drain, s}}},
		{"a run that ends before the last user spawns is never steady", closed(50, 5, 3*s), []Phase{{Ramp, 0}, {Drain, 3 * s}}},
		{"nor one that ends as it spawns", closed(6, 5, s), []Phase{{Ramp, 0}, {Drain, s}}},
		{"nor one at a rate at which it never spawns", closed(2, 1e-300, s), []Phase{{Ramp, 0}, {Drain, s}}},
		{"one user spawns at once at any rate", closed(1, 5e-324, ms10), []Phase{{Steady, 0}, {Drain, ms10}}},
		{"a constant rate", constant, []Phase{{Steady, 0}, {Drain, 180 * s}}},
		{"users in stages", users, []Phase{{Ramp, 0}, {Steady, s}, {Drain, 2 * s}}},
		{"a jump is no phase", open(1, Stage{1000 * ms, 1}, Stage{0, 5}, Stage{1000 * ms, 5}), []Phase{{Steady, 0}, {Steady, s}, {Drain, 2 * s}}},
		{"two ramps in a row are two phases", open(0, Stage{1000 * ms, 1}, Stage{1000 * ms, 5}), []Phase{{Ramp, 0}, {Ramp, s}, {Drain, 2 * s}}},
		{"a time without load is steady, too", open(0, Stage{1000 * ms, 0}, Stage{1000 * ms, 5}), []Phase{{Steady, 0}, {Ramp, s}, {Drain, 2 * s}}},
		{"a ramp to where a jump went is flat", open(0, Stage{0, 5}, Stage{1000 * ms, 5}), []Phase{{Steady, 0}, {Drain, s}}},
		{"a warm-up within the ramp", warm(Default(), 5*s), []Phase{{WarmUp, 0}, {Ramp, 5 * s}, {Steady, 9800 * s / 1000}, {Drain, 180 * s}}},
		{"a warm-up that ends with the ramp", warm(Default(), 9800*s/1000), []Phase{{WarmUp, 0}, {Steady, 9800 * s / 1000}, {Drain, 180 * s}}},
		{"a warm-up beyond the ramp", warm(Default(), 30*s), []Phase{{WarmUp, 0}, {Steady, 30 * s}, {Drain, 180 * s}}},
		{"a warm-up at a constant rate", warm(constant, 30*s), []Phase{{WarmUp, 0}, {Steady, 30 * s}, {Drain, 180 * s}}},
		{"a warm-up over several stages", warm(open(0, Stage{1000 * ms, 1}, Stage{1000 * ms, 1}, Stage{1000 * ms, 5}), 5*s/2), []Phase{{WarmUp, 0}, {Ramp, 5 * s / 2}, {Drain, 3 * s}}},
		{"a warm-up up to a jump", warm(open(1, Stage{1000 * ms, 1}, Stage{0, 5}, Stage{1000 * ms, 5}), s), []Phase{{WarmUp, 0}, {Steady, s}, {Drain, 2 * s}}},
	} {
		if got := tt.plan.Phases(); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.why, got, tt.want)
		}
		if end := (&Load{Phases: tt.plan.Phases()}).End(); end != tt.plan.Length() || end != tt.plan.Curve().End() {
			t.Errorf("%s: ends at %v, %v and %v", tt.why, end, tt.plan.Length(), tt.plan.Curve().End())
		}
	}
}

func TestARampEndsWhenTheLastUserJoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Default()
		p.Users = rapid.IntRange(2, 500).Draw(t, "users")
		p.SpawnRate = rapid.Float64Range(0.1, 1000).Draw(t, "rate")
		phases := p.Phases()
		if phases[1].Name != Steady {
			return
		}
		var last time.Duration
		for x := range p.Curve().Crossings() {
			last = x.At
		}
		if (phases[1].From - last).Abs() > 2 { // the ramp's end is rounded, too
			t.Fatalf("steady from %v, last user at %v", phases[1].From, last)
		}
	})
}

func TestACutRampEndsAtTheLevelItReached(t *testing.T) {
	p := Default()
	p.RunTime = Duration(3 * time.Second)
	c := p.Curve()
	if got := c.At(3*time.Second - 1); math.Abs(got-15) > 1e-6 || c.End() != 3*time.Second {
		t.Errorf("after 3 s at 5/s there are %v users, want 15; end %v", got, c.End())
	}
	users := 0
	for range c.Crossings() {
		users++
	}
	if users != 15 {
		t.Errorf("%d users joined in 3 s at 5/s, want 15: the 16th is due at the end", users)
	}
}
