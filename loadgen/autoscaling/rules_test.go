package autoscaling

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// service follows the desired count some time after each decision, as a real one does.
type service struct {
	*Scaler
	lag     time.Duration
	running int
	settles time.Duration // when the last change will be complete; 0 when it is
	period  int
}

func newTestService(t *testing.T, c Config, lag time.Duration) *service {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &service{Scaler: s, lag: lag, running: s.Desired()}
}

// step gives one period's datapoints; NaN is missing.
func (s *service) step(requests, cpu float64) Decision {
	s.period++
	now := time.Duration(s.period) * time.Minute
	if s.settles > 0 && s.settles <= now {
		s.running = s.Desired()
		s.Settle(s.settles, s.running, 0)
		s.settles = 0
	}
	d := s.Step(Observation{
		Period: s.period, Running: s.running, Draining: max(0, s.running-s.Desired()),
		Values: map[string]float64{MetricRequests: requests, MetricCPU: cpu},
	})
	if d.To != d.From {
		s.settles = now + s.lag
	}
	return d
}

var missing = math.NaN()

// times is a value for n periods.
func times(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

const (
	guideTracking  = "docs.aws.amazon.com/AmazonECS/…/service-autoscaling-targettracking.html"
	guideScaling   = "docs.aws.amazon.com/AmazonECS/…/service-auto-scaling.html"
	guideOverview  = "docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html"
	guideActivity  = "docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html"
	exportedAlarms = "alarms of a real account, exported with terraformer"
	recorded       = "recorded on AWS by radkawar/stackd, testdata/aws/applicationautoscaling"
	ourModel       = "our model: AWS does not say"
)

// Each row is one rule. The service has 1 to 10 tasks, starts with 2, tracks 100 requests a task and minute, and follows
// a decision after 30 s. want are the desired counts after each period, from the last ones of a long row.
func TestTargetTrackingDoesWhatIsDocumented(t *testing.T) {
	both := []Policy{TargetTracking{On: MetricRequests, Target: 100}, TargetTracking{On: MetricCPU, Target: 50}}
	for _, row := range []struct {
		rule, source  string
		change        func(*Config)
		lag           time.Duration
		requests, cpu []float64
		want          []int
		code          string // of the last period
	}{
		{
			rule: "AlarmHigh is three periods above the target", source: exportedAlarms,
			requests: times(3, 150), want: []int{2, 2, 3},
		}, {
			rule: "at the target is not above it", source: exportedAlarms + ": GreaterThanThreshold",
			requests: times(6, 100), want: tasks(6, 2),
		}, {
			rule: "out is current × mean ÷ target, rounded up", source: recorded + "/scaling.json",
			requests: []float64{101, 150, 250}, want: []int{2, 2, 4}, // 2 × 167 ÷ 100 = 3.34
		}, {
			rule: "AlarmLow is fifteen periods below 90 % of the target", source: exportedAlarms,
			change:   func(c *Config) { c.Initial = 10 },
			requests: times(15, 80), want: append(tasks(14, 10), 9),
		}, {
			rule: "at 90 % is not below it", source: exportedAlarms + ": LessThanThreshold",
			change:   func(c *Config) { c.Initial = 10 },
			requests: times(20, 90), want: tasks(20, 10),
		}, {
			rule: "no decision above the maximum", source: guideTracking,
			requests: times(3, 22500), want: []int{2, 2, 10},
		}, {
			rule: "at the maximum an alarm does nothing", source: guideActivity + ", AlreadyAtMaxCapacity",
			change:   func(c *Config) { c.Initial = 10 },
			requests: times(3, 500), want: []int{10, 10, 10}, code: AlreadyAtMaxCapacity,
		}, {
			rule: "at the minimum an alarm does nothing", source: guideActivity + ", AlreadyAtMinCapacity",
			change:   func(c *Config) { c.Min = 2 },
			requests: times(15, 0), want: tasks(15, 2), code: AlreadyAtMinCapacity,
		}, {
			rule: "the revised capacity may be the current one", source: guideActivity + ", AlreadyAtDesiredCapacity",
			change:   func(c *Config) { c.RoundOut = RoundNearest },
			requests: times(3, 101), want: []int{2, 2, 2}, code: AlreadyAtDesiredCapacity,
		}, {
			rule: "the action is sent again each period, with fresh datapoints", source: recorded + "/scaling.json",
			change:   func(c *Config) { c.ScaleOutCooldown = 0 },
			requests: times(5, 150), want: []int{2, 2, 3, 5, 8}, // 3 × 1.5, 5 × 1.5
		}, {
			rule: "in a scale-out's cooldown what it added counts against a larger breach", source: guideOverview + "; " + recorded,
			// Complete at 3:30, cooling until 4:30. 4:00: 3 × 1.5 → 5, less the 1 added: 4. Complete at 4:30, cooling until
			// 5:30. 5:00: 4 × 1.5 = 6, less the 2 added: 4. 6:00: cooled down, 6.
			requests: times(6, 150), want: []int{2, 2, 3, 4, 4, 6},
		}, {
			rule: "in a scale-out's cooldown an equal breach does nothing", source: guideOverview,
			requests: times(4, 110), want: []int{2, 2, 3, 3}, code: AlreadyAtDesiredCapacity, // 3 × 1.1 → 4, less the 1 added
		}, {
			rule: "at the end of a scale-out's cooldown it is over", source: guideOverview,
			change:   func(c *Config) { c.ScaleOutCooldown = 30 * time.Second },
			requests: times(4, 150), want: []int{2, 2, 3, 5},
		}, {
			rule: "at the end of a scale-in's cooldown it is over", source: guideOverview,
			change:   func(c *Config) { c.Initial, c.ScaleInCooldown = 6, 90*time.Second },
			requests: times(17, 0), want: append(tasks(14, 6), 5, 5, 4),
		}, {
			rule: "one step a scale-in, and the next after drain and cooldown", source: ourModel + "; it fits the seed's 6 → 5 → …",
			change:   func(c *Config) { c.Initial = 6 },
			requests: times(21, 0), want: append(append(tasks(14, 6), 5, 5, 5), 4, 4, 4, 3),
		}, {
			rule: "a cooldown begins when the activity completes", source: recorded + "/activity_lifecycle.json",
			change: func(c *Config) { c.Initial = 6 }, lag: 90 * time.Second,
			requests: times(19, 0), want: append(tasks(14, 6), 5, 5, 5, 5, 4), // 15:00, complete 16:30, cooling until 18:30
		}, {
			rule: "the model of scale-in is step when none is named", source: ourModel,
			change:   func(c *Config) { c.Initial, c.ScaleIn = 6, "" },
			requests: times(15, 0), want: append(tasks(14, 6), 5),
		}, {
			rule: "proportional scale-in goes to the minimum at once when idle", source: ourModel,
			change:   func(c *Config) { c.Initial, c.ScaleIn = 6, ScaleInProportional },
			requests: times(15, 0), want: append(tasks(14, 6), 1),
		}, {
			rule: "proportional scale-in goes to what is needed, rounded up", source: ourModel,
			change:   func(c *Config) { c.Initial, c.ScaleIn, c.RoundOut = 10, ScaleInProportional, RoundDown },
			requests: times(15, 33), want: append(tasks(14, 10), 4),
		}, {
			rule: "a scale-out during a scale-in's cooldown comes at once", source: guideOverview,
			change:   func(c *Config) { c.Initial, c.ScaleInCooldown = 4, time.Hour },
			requests: append(times(15, 0), times(3, 150)...), want: append(tasks(14, 4), 3, 3, 3, 5),
		}, {
			rule: "it ends the scale-in's cooldown", source: guideOverview,
			change:   func(c *Config) { c.Initial, c.ScaleInCooldown = 4, time.Hour },
			requests: slices.Concat(times(15, 0), times(3, 150), times(15, 0)), want: slices.Concat(tasks(14, 4), []int{3, 3, 3}, tasks(15, 5), []int{4}),
		}, {
			rule: "insufficient data is not low utilization", source: guideTracking,
			change:   func(c *Config) { c.Initial = 6 },
			requests: times(30, missing), want: tasks(30, 6),
		}, {
			rule: "an alarm without a fresh datapoint does not act", source: recorded + "/scaling.json: a delivery is of fresh datapoints",
			change:   func(c *Config) { c.ScaleOutCooldown = 0 },
			requests: append(times(3, 150), missing), want: []int{2, 2, 3, 3},
		}, {
			rule: "the largest of several wins on the way out", source: guideTracking,
			change:   func(c *Config) { c.Policies = both },
			requests: times(3, 150), cpu: times(3, 100), want: []int{2, 2, 4},
		}, {
			rule: "one of several is enough on the way out", source: guideTracking,
			change:   func(c *Config) { c.Policies = both },
			requests: times(3, 0), cpu: times(3, 100), want: []int{2, 2, 4},
		}, {
			rule: "all must agree on the way in", source: guideTracking,
			change:   func(c *Config) { c.Policies, c.Initial = both, 6 },
			requests: times(20, 0), cpu: times(20, 46), want: tasks(20, 6),
		}, {
			rule: "when the last agrees it happens", source: guideTracking,
			change:   func(c *Config) { c.Policies, c.Initial = both, 6 },
			requests: times(17, 0), cpu: append(times(2, 46), times(15, 20)...), want: append(tasks(16, 6), 5),
		}, {
			rule: "a peer's missing data vetoes a scale-in", source: recorded + "/scale_in.json",
			change:   func(c *Config) { c.Policies, c.Initial = both, 6 },
			requests: times(16, 0), cpu: append(times(14, 0), missing, 0), want: append(tasks(15, 6), 5),
		}, {
			rule: "the largest of several wins on the way in", source: guideTracking,
			change:   func(c *Config) { c.Policies, c.Initial, c.ScaleIn = both, 10, ScaleInProportional },
			requests: times(15, 10), cpu: times(15, 25), want: append(tasks(14, 10), 5),
		}, {
			rule: "a policy with scale-in disabled has no say when others scale in", source: guideTracking,
			change: func(c *Config) {
				c.Policies = []Policy{both[0], TargetTracking{On: MetricCPU, Target: 50, DisableScaleIn: true}}
				c.Initial = 6
			},
			requests: times(15, 0), cpu: times(15, 30), want: append(tasks(14, 6), 5),
		}, {
			rule: "a policy with scale-in disabled never scales in", source: recorded + ": only AlarmHigh is created",
			change: func(c *Config) {
				c.Policies = []Policy{TargetTracking{On: MetricRequests, Target: 100, DisableScaleIn: true}}
				c.Initial = 6
			},
			requests: times(40, 0), want: tasks(40, 6),
		}, {
			rule: "below the minimum a scale-out goes to the minimum", source: guideScaling,
			change:   func(c *Config) { c.Min, c.Initial = 5, 1 },
			requests: times(3, 150), want: []int{1, 1, 5},
		}, {
			rule: "below the minimum a scale-in does nothing", source: guideScaling,
			change:   func(c *Config) { c.Min, c.Initial = 5, 2 },
			requests: times(15, 0), want: tasks(15, 2), code: AlreadyAtMinCapacity,
		}, {
			rule: "above the maximum a scale-in goes to the maximum", source: guideScaling,
			change:   func(c *Config) { c.Max, c.Initial = 4, 8 },
			requests: times(15, 0), want: append(tasks(14, 8), 4),
		}, {
			rule: "above the maximum a scale-out does nothing", source: guideScaling,
			change:   func(c *Config) { c.Max, c.Initial = 4, 8 },
			requests: times(3, 500), want: tasks(3, 8), code: AlreadyAtMaxCapacity,
		}, {
			rule: "no scale-in that would bring the scale-out", source: guideActivity + ", AutoScalingAnticipatedFlapping",
			requests: times(15, 60), want: tasks(15, 2), code: AnticipatedFlapping, // one task would be at 120
		}, {
			rule: "no scale-in to none while there is load", source: guideActivity + ", AutoScalingAnticipatedFlapping",
			change:   func(c *Config) { c.Min, c.Initial = 0, 1 },
			requests: times(15, 1), want: tasks(15, 1), code: AnticipatedFlapping,
		}, {
			rule: "to none when there is none", source: guideTracking,
			change:   func(c *Config) { c.Min, c.Initial = 0, 1 },
			requests: times(15, 0), want: append(tasks(14, 1), 0),
		}, {
			rule: "no scale-in that would bring the scale-out of a policy that has no say in it", source: guideActivity + ", AutoScalingAnticipatedFlapping",
			change: func(c *Config) {
				c.Policies = []Policy{both[0], TargetTracking{On: MetricCPU, Target: 50, DisableScaleIn: true}}
			},
			requests: times(15, 0), cpu: times(15, 26), want: tasks(15, 2), code: AnticipatedFlapping, // one task would be at 52
		}, {
			rule: "no scale-in while an AlarmHigh is in ALARM, though it lacks a datapoint to act on", source: guideTracking,
			change: func(c *Config) {
				c.Policies = []Policy{both[0], TargetTracking{On: MetricCPU, Target: 50, DisableScaleIn: true}}
				c.Max, c.Initial = 6, 6
			},
			requests: times(15, 0), cpu: append(times(14, 100), missing), want: tasks(15, 6),
		}, {
			rule: "two of three periods, if so configured", source: "docs.aws.amazon.com/AmazonCloudWatch/…/AlarmThatSendsEmail.html, M out of N",
			change:   func(c *Config) { c.High = Evaluation{3, 2} },
			requests: []float64{0, 200, 0, 200}, want: []int{2, 2, 2, 3}, // mean of 200, 0, 200: 133
		}, {
			rule: "no task, no scale-out in proportion", source: recorded + ": running × mean ÷ target",
			change:   func(c *Config) { c.Min = 0; c.Initial = 0 },
			requests: times(3, 500), want: []int{0, 0, 0}, code: AlreadyAtDesiredCapacity,
		},
	} {
		c := DefaultConfig()
		c.Min, c.Max, c.Initial = 1, 10, 2
		c.Policies = both[:1]
		if row.change != nil {
			row.change(&c)
		}
		if row.lag == 0 {
			row.lag = 30 * time.Second
		}
		s := newTestService(t, c, row.lag)
		var got []int
		var last Decision
		for i, v := range row.requests {
			cpu := missing
			if row.cpu != nil {
				cpu = row.cpu[i]
			}
			last = s.step(v, cpu)
			got = append(got, last.To)
		}
		if !slices.Equal(got, row.want) || last.NotScaled != row.code {
			t.Errorf("%s (%s):\n got %v %q\nwant %v %q", row.rule, row.source, got, last.NotScaled, row.want, row.code)
		}
	}
}

func tasks(n, v int) []int { return slices.Repeat([]int{v}, n) }

func TestWhatACooldownHoldsBackIsSaid(t *testing.T) {
	c := DefaultConfig()
	c.Min, c.Max, c.Initial = 1, 10, 2
	c.Policies = []Policy{TargetTracking{On: MetricRequests, Target: 100}}
	s := newTestService(t, c, 30*time.Second)
	var d Decision
	for range 4 {
		d = s.step(110, missing)
	}
	const want = "scale-out cooldown until 00:04:30: the 1 task that it added counts against the 4 wanted"
	if d.Held != want || d.Wanted != 4 {
		t.Errorf("held by %q, want %q", d.Held, want)
	}
	if a := s.Activities(); a[len(a)-1].StatusMessage != want {
		t.Errorf("the activity says %q, want %q", a[len(a)-1].StatusMessage, want)
	}
}

func TestActivitiesAreToldInAWSsWords(t *testing.T) {
	c := DefaultConfig()
	c.Service = "prod/api"
	s := newTestService(t, c, 35*time.Second)
	for range 4 {
		s.step(11250, 30)
	}
	want := []timeline.Activity{{
		At: 3 * time.Minute, Completed: 3*time.Minute + 35*time.Second, Policy: "requests", From: 2, To: 6, Status: "Successful",
		Description:   "Setting desired count to 6.",
		Cause:         "monitor alarm TargetTracking-service/prod/api-AlarmHigh-requests in state ALARM triggered policy requests (450 tasks wanted, max capacity is 6)",
		StatusMessage: "Successfully set desired count to 6. Change successfully fulfilled by ecs.",
	}, {
		At: 4 * time.Minute, Policy: "requests", From: 6, To: 6, Status: "NotScaled",
		Description:      "Attempting to scale due to alarm triggered",
		Cause:            "monitor alarm TargetTracking-service/prod/api-AlarmHigh-requests in state ALARM triggered policy requests (1350 tasks wanted, max capacity is 6)",
		NotScaledReasons: []string{"AlreadyAtMaxCapacity"},
	}}
	if got := s.Activities(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
