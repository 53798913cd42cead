package scaling

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/aws/awstest"
)

// Before a load, when it can still be mended: each in one line, and nothing of a service that can scale.
func TestOpenSaysWhatKeepsTheServiceFromScaling(t *testing.T) {
	idle := append(idle(3), awstest.Desired{At: t0.Add(-time.Hour), N: 3})
	before := t0.Add(-time.Hour)
	for _, row := range []struct {
		why   string
		facts []awstest.Fact
		want  []string
	}{
		{"it can scale", nil, nil},
		{"an alarm is muted", []awstest.Fact{awstest.Mute{Name: "maintenance", Alarms: []string{cpuHigh}, From: before, To: t0.Add(time.Hour)}},
			[]string{"capacity: the actions of the alarm " + cpuHigh + " are muted by the rule maintenance: it scales nothing meanwhile"}},
		{"a mute rule that is over", []awstest.Fact{awstest.Mute{Name: "maintenance", Alarms: []string{cpuHigh}, From: before, To: before.Add(time.Minute)}}, nil},
		{"both directions are suspended", []awstest.Fact{awstest.Target{At: before, Min: 2, Max: 6, Suspended: awstest.Suspended{In: true, Out: true}}},
			[]string{"capacity: scale-out is suspended on the scalable target", "capacity: scale-in is suspended on the scalable target"}},
		{"it is as large as it may be", []awstest.Fact{awstest.Target{At: before, Min: 2, Max: 3}},
			[]string{"capacity: 3 tasks are desired, and the max capacity is 3: it cannot scale out"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			w := &watched{clock: &clock{}}
			w.clock.after(-time.Minute)
			w.start(t, append(append([]awstest.Fact{}, idle...), row.facts...), Options{})
			if !slices.Equal(w.said, row.want) {
				t.Errorf("said %q\nwant %q", w.said, row.want)
			}
		})
	}
}

// What is denied altogether is a line for each action that could be asked, and no line for what one of them would have told to ask.
func TestOpenNamesEachMissingPermissionInOneLine(t *testing.T) {
	asked := []string{
		"application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingActivities",
		"application-autoscaling:DescribeScalingPolicies", "ecs:DescribeServices", "ecs:ListTasks",
	}
	fake := awstest.New(func() time.Time { return t0 })
	fake.Tell(idle(3)...)
	fake.Deny(append([]string{
		"cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData", "cloudwatch:ListAlarmMuteRules",
		"ecs:DescribeTasks", "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroupAttributes",
	}, asked...)...)
	var mu sync.Mutex
	var said []string
	w := New(fake.InProcess(), Options{Cluster: "shop", Service: "api", Now: func() time.Time { return t0 }, Say: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, line)
	}})
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(said) != len(asked) {
		t.Errorf("%d lines, want %d: %q", len(said), len(asked), said)
	}
	for _, action := range asked {
		n := 0
		for _, line := range said {
			if strings.Contains(line, " "+action) && !strings.Contains(line, "\n") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is named in %d lines: %q", action, n, said)
		}
	}
}
