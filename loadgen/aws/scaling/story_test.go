package scaling

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/timeline"
)

var t0 = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return t0.Add(d) }

// clock is one that is set.
type clock struct{ now time.Time }

func (c *clock) after(d time.Duration) { c.now = at(d) }

// The names of the service that tests watch.
const (
	cpuHigh = "TargetTracking-service/shop/api-AlarmHigh-1f"
	cpuLow  = "TargetTracking-service/shop/api-AlarmLow-2e"
	reqLow  = "TargetTracking-service/shop/api-AlarmLow-3d"
	reqHigh = "TargetTracking-service/shop/api-AlarmHigh-4c"
)

var cpu = awstest.Metric{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: "ClusterName=shop,ServiceName=api", Statistic: "Average", Period: time.Minute}

// idle are the facts of a service of n tasks that nobody loads: it was made an hour before t0.
func idle(n int) []awstest.Fact {
	long := t0.Add(-time.Hour)
	facts := []awstest.Fact{
		awstest.Service{Cluster: "shop", Name: "api", TargetGroup: "targetgroup/api/1"},
		awstest.Desired{At: long, N: n},
		awstest.Deployment{ID: "ecs-svc/1", TaskDefinition: "api:1", At: long, Done: long.Add(time.Minute)},
		awstest.Target{At: long, Min: 2, Max: 6},
		awstest.Policy{Name: "cpu", Metric: cpu, Predefined: "ECSServiceAverageCPUUtilization", Value: 50, High: cpuHigh, Low: cpuLow, Out: time.Minute, In: 2 * time.Minute},
		awstest.AlarmState{Alarm: cpuHigh, From: "INSUFFICIENT_DATA", To: "OK", At: long.Add(5 * time.Minute)},
		awstest.AlarmState{Alarm: cpuLow, From: "INSUFFICIENT_DATA", To: "OK", At: long.Add(5 * time.Minute)},
	}
	for i := range n {
		facts = append(facts, runs(i, long, "ecs-svc/1"))
	}
	return facts
}

// runs is a task that was created at an instant and runs on.
func runs(i int, created time.Time, deployment string) awstest.Task {
	return awstest.Task{
		ID: fmt.Sprintf("%032x", i), IP: fmt.Sprintf("10.0.0.%d", i+1), Zone: "eu-central-1" + string(rune('a'+i%2)), Deployment: deployment,
		Created: created, Started: created.Add(27 * time.Second), Healthy: created.Add(40 * time.Second),
	}
}

// ends is a task that stops.
func ends(t awstest.Task, stopping time.Time, code, reason string) awstest.Task {
	t.Stopping, t.Ended, t.Stopped = stopping, stopping.Add(30*time.Second), stopping.Add(40*time.Second)
	t.StopCode, t.Reason = code, reason
	return t
}

const scaleIn = "Scaling activity initiated by (deployment ecs-svc/1)"

// outAndIn is a scale-out to six tasks at 5:30, at max soon after, and one step of a scale-in at 25:00.
func outAndIn() []awstest.Fact {
	facts := idle(2)
	for i := range 4 {
		facts = append(facts, runs(2+i, at(5*time.Minute+38*time.Second), "ecs-svc/1"))
	}
	facts[len(facts)-1] = ends(facts[len(facts)-1].(awstest.Task), at(25*time.Minute+6*time.Second), "ServiceSchedulerInitiated", scaleIn)
	for m := range 30 {
		value := 95.0
		if m > 8 {
			value = 4
		}
		facts = append(facts, awstest.Datapoint{Metric: cpu, At: at(time.Duration(m) * time.Minute), Value: value, Late: 2 * time.Minute})
	}
	cause := func(alarm string) string {
		return "monitor alarm " + alarm + " in state ALARM triggered policy cpu"
	}
	return append(facts,
		awstest.AlarmState{Alarm: cpuHigh, From: "OK", To: "ALARM", At: at(5*time.Minute + 30*time.Second), Reason: "Threshold Crossed", Newest: at(2 * time.Minute)},
		awstest.AlarmState{Alarm: cpuHigh, From: "ALARM", To: "OK", At: at(12 * time.Minute)},
		awstest.AlarmState{Alarm: cpuLow, From: "OK", To: "ALARM", At: at(24*time.Minute + 59*time.Second), Newest: at(21 * time.Minute)},
		awstest.Activity{ID: "a1", Start: at(5*time.Minute + 30*time.Second + 200*time.Millisecond), Ended: at(6*time.Minute + 20*time.Second), Cause: cause(cpuHigh),
			Description: "Setting desired count to 6.", Status: "Successful", Message: "Successfully set desired count to 6. Change successfully fulfilled by ecs."},
		awstest.Activity{ID: "a2", Start: at(8 * time.Minute), Cause: cause(cpuHigh), Description: "Attempting to scale due to alarm triggered", Status: "Failed",
			NotScaled: []awstest.NotScaled{{Code: "AlreadyAtMaxCapacity", Current: -1, Min: -1, Max: 6}}},
		awstest.Activity{ID: "a3", Start: at(25 * time.Minute), Ended: at(26 * time.Minute), Cause: cause(cpuLow), Description: "Setting desired count to 5.", Status: "Successful"},
		awstest.Desired{At: at(5*time.Minute + 31*time.Second), N: 6}, awstest.Desired{At: at(25*time.Minute + time.Second), N: 5},
	)
}

// watched is a watcher whose clock a test moves, and what it told.
type watched struct {
	*Watcher
	fake   *awstest.Fake
	clock  *clock
	ledger timeline.Ledger
	mu     sync.Mutex // of said
	said   []string
}

// watch opens a watcher of these facts, a minute before t0.
func watch(t *testing.T, facts []awstest.Fact, options Options) *watched {
	t.Helper()
	w := &watched{clock: &clock{}}
	w.clock.after(-time.Minute)
	w.start(t, facts, options)
	return w
}

// start opens it where some actions are denied.
func (w *watched) start(t *testing.T, facts []awstest.Fact, options Options, denied ...string) {
	t.Helper()
	w.fake = awstest.New(func() time.Time { return w.clock.now })
	w.fake.Tell(facts...)
	w.fake.Deny(denied...)
	options.Cluster, options.Service, options.Now = "shop", "api", func() time.Time { return w.clock.now }
	options.Say = func(line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.said = append(w.said, line)
	}
	w.Watcher = New(w.fake.InProcess(), options)
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// later is a fact at another time.
func later(f awstest.Fact, d time.Duration) awstest.Fact {
	v := reflect.New(reflect.TypeOf(f)).Elem()
	v.Set(reflect.ValueOf(f))
	shift(v, d)
	return v.Interface().(awstest.Fact)
}

func shift(v reflect.Value, d time.Duration) {
	if t, ok := v.Interface().(time.Time); ok {
		if !t.IsZero() {
			v.Set(reflect.ValueOf(t.Add(d)))
		}
		return
	}
	if v.Kind() == reflect.Struct {
		for _, field := range v.Fields() {
			shift(field, d)
		}
	}
}

// until reads at every step until an instant, and looks back at it.
func (w *watched) until(t *testing.T, end, step time.Duration) *timeline.Timeline {
	t.Helper()
	for now := w.clock.now.Sub(t0) + step; now <= end; now += step {
		w.clock.after(now)
		w.Poll(t.Context())
		w.ledger.Tell(w.Facts()...)
	}
	w.clock.after(end)
	w.LookBack(t.Context())
	w.ledger.Tell(w.Facts()...)
	line := w.ledger.Timeline(end)
	if line == nil {
		t.Fatalf("no timeline; said %q", w.said)
	}
	if err := line.Validate(); err != nil {
		t.Fatal(err)
	}
	if warnings := w.ledger.Warnings(); len(warnings) > 0 {
		t.Fatal(warnings)
	}
	return line
}
