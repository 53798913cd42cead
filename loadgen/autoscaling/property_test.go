package autoscaling

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/timeline"
)

// event is one thing that happens to a scaler: a period, a change of the service, or of the bounds.
type event struct {
	kind              int  // 0 periods, 1 the service moves, 2 bounds
	periods           int  // with the same datapoints
	follows           bool // the service has done by the next period what was decided
	requests, cpu     float64
	after             time.Duration
	running, draining int // as shares of the desired count, in percent; running 100 and draining 0 complete
	low, high         int
}

func drawConfig(t *rapid.T) Config {
	c := DefaultConfig()
	c.Min = rapid.IntRange(0, 4).Draw(t, "min")
	c.Max = rapid.IntRange(max(c.Min, 1), 12).Draw(t, "max")
	c.Initial = rapid.SampledFrom([]int{0, 0, 1, 3, 20}).Draw(t, "initial")
	c.Policies = []Policy{
		TargetTracking{On: MetricRequests, Target: 100, DisableScaleIn: rapid.Bool().Draw(t, "requests out only")},
		TargetTracking{On: MetricCPU, Target: 50, DisableScaleIn: rapid.Float64().Draw(t, "cpu out only") < 0.2},
	}
	n := rapid.IntRange(1, 3).Draw(t, "high")
	c.High = Evaluation{n, rapid.IntRange(1, n).Draw(t, "high datapoints")}
	n = rapid.IntRange(1, 4).Draw(t, "low") // short, so that much happens
	c.Low = Evaluation{n, rapid.IntRange(1, n).Draw(t, "low datapoints")}
	c.ScaleOutCooldown = time.Duration(rapid.IntRange(0, 300).Draw(t, "out cooldown")) * time.Second
	c.ScaleInCooldown = time.Duration(rapid.IntRange(0, 300).Draw(t, "in cooldown")) * time.Second
	c.MetricDelay = time.Duration(rapid.IntRange(0, 90).Draw(t, "delay")) * time.Second
	c.ScaleIn = rapid.SampledFrom([]ScaleInModel{"", ScaleInStep, ScaleInProportional}).Draw(t, "model")
	c.RoundOut = rapid.SampledFrom([]Rounding{RoundUp, RoundNearest, RoundDown}).Draw(t, "round out")
	return c
}

func drawEvents(t *rapid.T) []event {
	value := rapid.SampledFrom([]float64{0, 0, 0, 1, 10, 40, 44, 45, 47, 50, 60, 89, 100, 130, 1000, 1e9, -1, math.NaN()})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
		e := event{kind: rapid.SampledFrom([]int{0, 0, 0, 0, 1, 1, 1, 2}).Draw(t, "kind"), requests: value.Draw(t, "requests"), cpu: value.Draw(t, "cpu")}
		e.periods = rapid.IntRange(1, 5).Draw(t, "periods")
		e.follows = rapid.Float64().Draw(t, "follows") < 0.8
		if rapid.Float64().Draw(t, "agree") < 0.7 {
			e.cpu = e.requests / 2
		}
		e.after = time.Duration(rapid.IntRange(0, 90).Draw(t, "after")) * time.Second
		e.running = rapid.SampledFrom([]int{100, 100, 100, 100, 50, 0, 150}).Draw(t, "running")
		e.draining = rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "draining")
		e.low = rapid.IntRange(0, 4).Draw(t, "low")
		e.high = rapid.IntRange(max(e.low, 1), 12).Draw(t, "high")
		return e
	}), 10, 60).Draw(t, "events")
}

// play gives a scaler the events and calls seen after each.
func play(s *Scaler, events []event, seen func(e event, before *Scaler, d Decision)) {
	now, running, draining := time.Duration(0), s.Desired(), 0
	one := func(e event, do func() Decision) {
		before := *s
		before.activities = slices.Clone(s.activities)
		if d := do(); seen != nil {
			seen(e, &before, d)
		}
	}
	for _, e := range events {
		switch e.kind {
		case 0:
			for range e.periods {
				one(e, func() Decision {
					period, due := s.Next()
					now = max(now, due)
					if e.follows {
						running, draining = s.Desired(), 0
					}
					return s.Step(Observation{Period: period, At: now, Running: running, Draining: draining,
						Values: map[string]float64{MetricRequests: e.requests, MetricCPU: e.cpu}})
				})
			}
		case 1:
			now += e.after
			running, draining = s.Desired()*e.running/100, e.draining
			one(e, func() Decision {
				s.Settle(now, running, draining)
				return Decision{At: now, From: s.Desired(), To: s.Desired()}
			})
		case 2:
			now += e.after
			one(e, func() Decision { d, _ := s.SetBounds(now, e.low, e.high); return d })
		}
	}
}

func newRapid(t *rapid.T, c Config) *Scaler {
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhateverHappensTheRulesHold(t *testing.T) {
	seenOut, seenIn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		s := newRapid(t, c)
		// What a reader of the activities alone would say about cooldowns and progress: its own book, not the scaler's.
		busy := func() bool {
			return slices.ContainsFunc(s.activities[:max(0, len(s.activities)-1)], func(a timeline.Activity) bool { return a.Status == timeline.InProgress })
		}
		play(s, drawEvents(t), func(e event, before *Scaler, d Decision) {
			low, high := s.Bounds()
			if d.To != s.Desired() {
				t.Fatalf("said %d and wants %d", d.To, s.Desired())
			}
			if d.To != d.From && (d.To < low || d.To > high) {
				t.Fatalf("went to %d, outside %d to %d", d.To, low, high)
			}
			if (d.To != d.From) != (e.kind != 1 && len(s.activities) > len(before.activities) && s.activities[len(s.activities)-1].Status == timeline.InProgress) {
				t.Fatalf("from %d to %d, and the activities are %+v", d.From, d.To, s.activities)
			}
			if e.kind != 0 {
				return
			}
			finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
			for _, p := range d.Proposals {
				if v := map[string]float64{MetricRequests: e.requests, MetricCPU: e.cpu}[p.Policy]; !finite(v) {
					t.Fatalf("%s asked for %d tasks without a datapoint", p.Policy, p.Wanted)
				}
			}
			if d.To > d.From {
				seenOut++
			}
			if d.To < d.From {
				seenIn++
				if busy() {
					t.Fatal("in while an activity was in progress")
				}
				for _, p := range c.Policies {
					if v := map[string]float64{MetricRequests: e.requests, MetricCPU: e.cpu}[p.Metric()]; !p.(TargetTracking).DisableScaleIn && !finite(v) {
						t.Fatalf("in without a datapoint of %s", p.Metric())
					}
				}
				// The last activity of a policy that changed anything, if it completed.
				for i := len(s.activities) - 2; i >= 0; i-- {
					a := s.activities[i]
					if a.Policy == "" || a.From == a.To {
						continue
					}
					cooldown := c.ScaleInCooldown
					if a.To > a.From {
						cooldown = c.ScaleOutCooldown
					}
					if a.Status == timeline.Successful && d.At < a.Completed+cooldown {
						t.Fatalf("in at %s, within %s of an activity that completed at %s", d.At, cooldown, a.Completed)
					}
					break
				}
				for _, p := range d.Proposals {
					if p.Out {
						t.Fatal("in, though a policy wants more")
					}
				}
			}
		})
	})
	if !testing.Short() && (seenOut < 30 || seenIn < 30) { // -short has a fifth of the runs
		t.Errorf("%d scale-outs and %d scale-ins were seen: too few to mean anything", seenOut, seenIn)
	}
}

func record(s *Scaler, events []event) string {
	var all []Decision
	play(s, events, func(_ event, _ *Scaler, d Decision) { all = append(all, d) })
	return fmt.Sprintf("%+v\n%+v\n%+v\n%+v", all, s.Metrics(), s.AlarmChanges(), s.Activities())
}

func TestTheSameInputGivesTheSameOutputInWhateverOrderPoliciesAreNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, events := drawConfig(t), drawEvents(t)
		first := record(newRapid(t, c), events)
		if again := record(newRapid(t, c), events); again != first {
			t.Fatalf("twice the same:\n%s\n%s", first, again)
		}
		c.Policies = []Policy{c.Policies[1], c.Policies[0]}
		if swapped := record(newRapid(t, c), events); swapped != first {
			t.Fatalf("in another order:\n%s\n%s", first, swapped)
		}
	})
}

// Between two decisions the alarms' states, written down as changes, are what a reader has to go by.
func TestAlarmChangesAreChangesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newRapid(t, drawConfig(t))
		play(s, drawEvents(t), nil)
		states, last := map[string]timeline.AlarmState{}, time.Duration(0)
		for _, a := range s.AlarmChanges() {
			before, known := states[a.Alarm]
			if !known {
				before = timeline.InsufficientData
			}
			if a.State == before || a.At < last || a.Reason == "" {
				t.Fatalf("%+v after %s at %s", a, before, last)
			}
			states[a.Alarm], last = a.State, a.At
		}
	})
}

func TestAProportionalScaleInIsNeverTooFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig()
		c.ScaleIn = ScaleInProportional
		p := TargetTracking{On: MetricCPU, Target: rapid.SampledFrom([]float64{0.3, 0.7, 1.1, 50, 60}).Draw(t, "target")}
		running := rapid.IntRange(2, 40).Draw(t, "running")
		exact := rapid.IntRange(1, running).Draw(t, "exact") // a mean for which so many are just enough
		mean := p.Target * float64(exact) / float64(running)
		if got := p.wants(&c, true, running, running, mean); got != exact || p.tooMuch(mean*float64(running)/float64(got)) {
			t.Fatalf("%v of %d tasks wants %d, want %d, with %v each", mean, running, got, exact, mean*float64(running)/float64(got))
		}
	})
}

func TestMoreLoadNeverAsksForFewerTasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		running := rapid.IntRange(0, 12).Draw(t, "running")
		a := rapid.Float64Range(0, 1e6).Draw(t, "a")
		b := rapid.Float64Range(a, 1e6).Draw(t, "b")
		p := c.Policies[0]
		if less, more := p.wants(&c, false, running, running, a), p.wants(&c, false, running, running, b); less > more {
			t.Fatalf("%v asks for %d and %v for %d", a, less, b, more)
		}
	})
}
