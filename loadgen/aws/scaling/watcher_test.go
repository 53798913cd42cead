package scaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/timeline"
)

var _ loadgen.Capacity = (*Watcher)(nil)

// inShort is a timeline's counts in short: at desired/running/healthy/draining.
func inShort(t *timeline.Timeline) string {
	var all []string
	for _, p := range t.Points {
		all = append(all, fmt.Sprintf("%s %d/%d/%d/%d", p.At.Round(time.Second), p.Desired, p.Running, p.Healthy, p.Draining))
	}
	return strings.Join(all, ", ")
}

func TestATimelineHasTheInstantsOfAWSAndNotThoseOfTheLooks(t *testing.T) {
	w := watch(t, outAndIn(), Options{TaskCapacity: 100})
	w.LoadBegan(t0)
	line := w.until(t, 28*time.Minute, 21*time.Second)
	// Target health has no instant of its own and stands when it was seen: within 21 s.
	const want = "0s 2/2/2/0, 5m30s 6/2/2/0, 6m5s 6/6/2/0, 6m21s 6/6/6/0, 25m0s 5/6/6/0, 25m6s 5/5/6/1, 25m15s 5/5/5/1, 25m36s 5/5/5/0"
	if got := inShort(line); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if line.Min != 2 || line.Max != 6 || line.PerTask != 100 || line.Settings["policy"] != "cpu=50" || line.Settings["cooldown-in"] != "2m" || line.Settings["deregistration-delay"] != "30s" {
		t.Errorf("%+v", line)
	}
	if a := line.Activities; len(a) != 3 || a[0].From != 2 || a[0].To != 6 || a[0].Policy != "cpu" || a[1].Status != timeline.NotScaled ||
		a[1].From != 6 || a[1].To != 6 || !slices.Equal(a[1].NotScaledReasons, []string{"AlreadyAtMaxCapacity"}) || a[2].From != 6 || a[2].To != 5 {
		t.Errorf("activities: %+v", a)
	}
	if a := line.Alarms; len(a) != 5 || a[2].Alarm != "cpu-AlarmHigh" || a[2].State != timeline.Alarm || !a[2].High || a[2].At != 5*time.Minute+30*time.Second {
		t.Errorf("alarms: %+v", a)
	}
	if len(line.Metrics) < 25 || line.Metrics[0].At != time.Minute || line.Metrics[0].Value != 95 {
		t.Errorf("metrics: %+v", line.Metrics)
	}
	if k := line.Tasks; len(k) != 6 || k[5].Reason != ReasonScaleIn || k[5].Draining != 25*time.Minute+6*time.Second || k[2].Running != 6*time.Minute+5*time.Second || k[0].Requested != 0 {
		t.Errorf("tasks: %+v", k)
	}
	if len(w.said) > 0 {
		t.Error(w.said)
	}
	for _, c := range w.fake.Calls("") {
		if _, asked := c.In["MaxResults"]; asked {
			t.Errorf("%s sets MaxResults", c.Action)
		}
		if _, asked := c.In["maxResults"]; asked {
			t.Errorf("%s sets maxResults", c.Action)
		}
	}
}

// Whatever one API refuses, the others tell on; it is said once, by the action that a policy must allow.
func TestEachMissingPermissionIsSaidOnceAndCostsOnlyWhatItKnows(t *testing.T) {
	for _, row := range []struct {
		action string
		unseen []timeline.Count
		check  func(*timeline.Timeline) bool // of what is told without it
		why    string
	}{
		{"ecs:DescribeServices", []timeline.Count{timeline.CountHealthy}, func(l *timeline.Timeline) bool {
			return l.At(20*time.Minute).Desired == 6 && l.At(20*time.Minute).Running == 6
		},
			"activities tell the desired count, tasks what runs"},
		{"ecs:ListTasks", nil, func(l *timeline.Timeline) bool { return l.At(20*time.Minute).Running == 6 && len(l.Tasks) == 0 }, "ECS's own count is left"},
		{"ecs:DescribeTasks", nil, func(l *timeline.Timeline) bool { return l.At(20*time.Minute).Running == 6 && len(l.Tasks) == 0 }, "the same"},
		{"elasticloadbalancing:DescribeTargetHealth", []timeline.Count{timeline.CountHealthy}, func(l *timeline.Timeline) bool { return l.At(20*time.Minute).Running == 6 }, "nothing else tells health"},
		{"elasticloadbalancing:DescribeTargetGroupAttributes", nil, func(l *timeline.Timeline) bool { return l.Settings["deregistration-delay"] == "5m" }, "AWS's default stands for it"},
		{"application-autoscaling:DescribeScalingActivities", nil, func(l *timeline.Timeline) bool { return l.At(20*time.Minute).Desired == 6 && len(l.Activities) == 0 }, "ECS tells the desired count"},
		{"application-autoscaling:DescribeScalableTargets", nil, func(l *timeline.Timeline) bool { return l.Min == 2 && l.Max == 6 }, "the lowest and highest count that was seen"},
		{"application-autoscaling:DescribeScalingPolicies", nil, func(l *timeline.Timeline) bool { return len(l.Activities) == 3 && len(l.Alarms) == 0 }, "policies name the alarms"},
		{"cloudwatch:DescribeAlarms", nil, func(l *timeline.Timeline) bool { return len(l.Activities) == 3 && len(l.Metrics) == 0 }, "alarms name the metrics"},
		{"cloudwatch:DescribeAlarmHistory", nil, func(l *timeline.Timeline) bool { return len(l.Alarms) == 2 && len(l.Metrics) > 0 }, "their states at the start are known"},
		{"cloudwatch:GetMetricData", nil, func(l *timeline.Timeline) bool { return len(l.Metrics) == 0 && len(l.Alarms) == 5 }, ""},
		{"cloudwatch:ListAlarmMuteRules", nil, func(l *timeline.Timeline) bool { return len(l.Alarms) == 5 }, ""},
	} {
		t.Run(row.action, func(t *testing.T) {
			w := denied(t, row.action)
			line := w.until(t, 28*time.Minute, 4*time.Minute)
			var unseen []timeline.Count
			for _, u := range line.Unseen {
				if u.To == line.End {
					unseen = append(unseen, u.Count)
				}
			}
			if !slices.Equal(unseen, row.unseen) || !row.check(line) {
				t.Errorf("%s: not seen %v; %s; %+v", row.why, unseen, inShort(line), line)
			}
			if len(w.said) != 1 || !strings.Contains(w.said[0], row.action) || !strings.Contains(strings.Join(w.Warnings(), "\n"), row.action) {
				t.Errorf("said %q; warnings %q", w.said, w.Warnings())
			}
		})
	}
}

// denied is a watcher of outAndIn without a permission.
func denied(t *testing.T, action string) *watched {
	t.Helper()
	w := &watched{clock: &clock{}}
	w.clock.after(-time.Minute)
	w.start(t, outAndIn(), Options{}, action)
	w.LoadBegan(t0)
	return w
}

func TestTroubleThatEndsIsSaidToHaveEnded(t *testing.T) {
	w := watch(t, outAndIn(), Options{})
	w.LoadBegan(t0)
	w.fake.Deny("elasticloadbalancing:DescribeTargetHealth")
	w.clock.after(time.Minute)
	w.Poll(t.Context())
	w.Poll(t.Context())
	w.fake.Fail("elasticloadbalancing:DescribeTargetHealth", nil)
	w.Poll(t.Context())
	if len(w.said) != 2 || !strings.Contains(w.said[1], "target health can be read again") || slices.ContainsFunc(w.Warnings(), func(s string) bool { return strings.Contains(s, "target health") }) {
		t.Errorf("%q", w.said)
	}
}

func TestThereIsNothingToWatchWithoutTheServiceOrCredentials(t *testing.T) {
	for _, row := range []struct {
		options Options
		fault   error
		want    string
	}{
		{Options{Cluster: "shop", Service: "apo"}, nil, `service "apo": want a service of the cluster shop`},
		{Options{Cluster: "shp", Service: "api"}, nil, `cluster "shp": want a cluster of this account and region`},
		{Options{Cluster: "shop", Service: "api"}, awstest.Expired, "the AWS credentials have expired"},
	} {
		fake := awstest.New(time.Now)
		fake.Tell(idle(2)...)
		if row.fault != nil {
			fake.Fail("ecs:DescribeServices", &awstest.Fault{Err: row.fault})
		}
		if err := New(fake.InProcess(), row.options).Open(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
}

func TestTheClockOfAWSIsMovedOntoTheRuns(t *testing.T) {
	ahead := time.Hour
	c := &clock{}
	c.after(-time.Minute + ahead) // by AWS's clock
	fake := awstest.New(func() time.Time { return c.now })
	facts := outAndIn()
	// Its facts have its own instants: an hour later than they are on our clock.
	for i := range facts {
		facts[i] = later(facts[i], ahead)
	}
	fake.Tell(facts...)
	w := New(fake.Ahead(ahead), Options{Cluster: "shop", Service: "api", Now: func() time.Time { return c.now.Add(-ahead) }})
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.LoadBegan(t0)
	c.after(20*time.Minute + ahead)
	w.LookBack(t.Context())
	var l timeline.Ledger
	l.Tell(w.Facts()...)
	line := l.Timeline(20 * time.Minute)
	if n := len(line.Activities); n != 2 || line.Activities[0].At.Round(5*time.Second) != 5*time.Minute+30*time.Second {
		t.Errorf("%+v", line.Activities)
	}
	if all := strings.Join(w.Warnings(), "\n"); !strings.Contains(all, "clock differs from AWS's by 1h0m0s") && !strings.Contains(all, "clock differs from AWS's by 59m5") {
		t.Error(all)
	}
}

// A service that stays at its minimum is believed three datapoints and their delay after the load; one that comes back at once when
// it has; one that does not, when the time is over.
func TestRecoveryEndsAtTheMinimumOrInTime(t *testing.T) {
	for _, row := range []struct {
		facts  []awstest.Fact
		ended  time.Duration
		atMin  bool
		within [2]time.Duration // since the load's end
	}{
		{idle(2), 2 * time.Minute, true, [2]time.Duration{5*time.Minute + 30*time.Second, 5*time.Minute + 40*time.Second}},
		{outAndIn(), 10 * time.Minute, false, [2]time.Duration{45 * time.Minute, 45*time.Minute + 10*time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var moved []awstest.Fact
			for _, f := range row.facts {
				moved = append(moved, later(f, began.Sub(t0)))
			}
			fake := awstest.New(time.Now)
			fake.Tell(moved...)
			w := New(fake.InProcess(), Options{Cluster: "shop", Service: "api"})
			if err := w.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.Start()
			defer w.Close()
			w.LoadBegan(began)
			time.Sleep(row.ended)
			w.LoadEnded(time.Now())
			atMin, err := w.AwaitRecovery(t.Context())
			if took := time.Since(began) - row.ended; err != nil || atMin != row.atMin || took < row.within[0] || took > row.within[1] {
				t.Errorf("at min %v after %s, %v; want %v within %v", atMin, took, err, row.atMin, row.within)
			}
			ended := time.Now()
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errors.New("q"))
			w.LoadEnded(time.Now())
			if _, err := w.AwaitRecovery(ctx); err == nil || time.Since(ended) > 0 {
				t.Errorf("interrupted: %v", err)
			}
		})
	}
}

// An endpoint that takes the connection and never answers costs the others nothing, and is said in time.
func TestAnEndpointThatHangsIsSaidWithinFiveSecondsAndTheRestGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		fake := awstest.New(time.Now)
		for _, f := range outAndIn() {
			fake.Tell(later(f, began.Sub(t0)))
		}
		var mu sync.Mutex
		said := map[string]time.Duration{}
		w := New(fake.InProcess(), Options{Cluster: "shop", Service: "api", Say: func(line string) {
			mu.Lock()
			defer mu.Unlock()
			if _, again := said[line]; again {
				t.Errorf("said again: %s", line)
			}
			said[line] = time.Since(began)
		}})
		for _, action := range []string{"elasticloadbalancing:DescribeTargetHealth", "application-autoscaling:DescribeScalingActivities"} {
			fake.Fail(action, &awstest.Fault{Delay: time.Hour})
		}
		if err := w.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Start()
		defer w.Close()
		w.LoadBegan(began)
		time.Sleep(10 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(said) != 2 {
			t.Errorf("said %v", said)
		}
		for line, after := range said {
			if after > SaidWithin || !strings.Contains(line, "timed out") {
				t.Errorf("after %s: %s", after, line)
			}
		}
		var l timeline.Ledger
		l.Tell(w.Facts()...)
		if line := l.Timeline(9 * time.Minute); line.At(8*time.Minute).Running != 6 || line.At(8*time.Minute).Desired != 6 || len(line.Alarms) < 3 {
			t.Errorf("%s; %+v", inShort(line), line.Alarms)
		}
	})
}

// Limits are AWS's to set and are shared with everybody in the account.
func TestAPIsAreAskedSeldomAndSeldomerWhenTheyAreThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := awstest.New(time.Now)
		for _, f := range idle(2) {
			fake.Tell(later(f, time.Since(t0)))
		}
		w := New(fake.InProcess(), Options{Cluster: "shop", Service: "api"})
		if err := w.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		fake.Fail("ecs:DescribeServices", &awstest.Fault{Err: awstest.Throttled})
		w.Start()
		before := len(fake.Calls(""))
		throttled := len(fake.Calls("ecs:DescribeServices"))
		time.Sleep(10 * time.Minute)
		w.Close()
		if n := len(fake.Calls("")) - before; n > 10*107 {
			t.Errorf("%d calls in ten minutes", n)
		}
		// Each round is three attempts of the SDK's.
		if n := len(fake.Calls("ecs:DescribeServices")) - throttled; n > 3*16 {
			t.Errorf("%d calls of what is throttled", n)
		}
	})
}
