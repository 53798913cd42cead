package scaling

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/timeline"
)

// events are those of a type, each a line.
func events(t *timeline.Timeline, kind string) (all []string) {
	for _, e := range t.Events {
		if e.Type == kind {
			all = append(all, e.At.Round(time.Second).String()+" "+e.Detail)
		}
	}
	return all
}

// alarmed is an alarm that is in ALARM from an instant on.
func alarmed(alarm string, from time.Duration) awstest.Fact {
	return awstest.AlarmState{Alarm: alarm, From: "OK", To: "ALARM", At: at(from), Reason: "Threshold Crossed"}
}

// requests is a second policy, whose low alarm is OK or has no data.
func requests(low string) []awstest.Fact {
	m := awstest.Metric{Namespace: "AWS/ApplicationELB", Name: "RequestCountPerTarget", Dimensions: "LoadBalancer=app/x/1,TargetGroup=targetgroup/api/1", Statistic: "Sum", Period: time.Minute}
	return []awstest.Fact{
		awstest.Policy{Name: "requests", Metric: m, Predefined: "ALBRequestCountPerTarget", Label: "app/x/1/targetgroup/api/1", Value: 1000, High: reqHigh, Low: reqLow, Out: time.Minute, In: 2 * time.Minute},
		awstest.AlarmState{Alarm: reqLow, From: "INSUFFICIENT_DATA", To: low, At: at(-30 * time.Minute)},
	}
}

func TestAnAlarmWithoutAnActivityGetsItsCause(t *testing.T) {
	three := append(idle(3), awstest.Desired{At: t0.Add(-time.Hour), N: 3})
	notScaled := awstest.Activity{ID: "n", Start: at(-10 * time.Minute), Cause: "monitor alarm x in state ALARM triggered policy requests", Description: "Attempting to scale due to alarm triggered", Status: "Failed",
		NotScaled: []awstest.NotScaled{{Code: "AlreadyAtMaxCapacity", Current: -1, Min: -1, Max: 3}}}
	for _, row := range []struct {
		name  string
		facts []awstest.Fact
		want  string
	}{
		{"a mute rule", []awstest.Fact{alarmed(cpuHigh, 5*time.Minute), awstest.Mute{Name: "maintenance", Alarms: []string{cpuHigh}, From: at(0), To: at(time.Hour)}},
			"6m0s cpu-AlarmHigh is in ALARM and no activity followed: its actions are muted by the rule maintenance"},
		{"a mute rule that is over does not explain what came after it", []awstest.Fact{alarmed(cpuHigh, 8*time.Minute), awstest.Mute{Name: "maintenance", Alarms: []string{cpuHigh}, From: at(0), To: at(5 * time.Minute)}},
			"9m0s cpu-AlarmHigh is in ALARM and no activity followed: nothing that the APIs tell explains it"},
		{"suspended", []awstest.Fact{alarmed(cpuHigh, 5*time.Minute), awstest.Target{At: t0, Min: 2, Max: 6, Suspended: awstest.Suspended{Out: true}}},
			"6m0s cpu-AlarmHigh is in ALARM and no activity followed: scale-out is suspended on the scalable target"},
		{"only the other way is suspended", []awstest.Fact{alarmed(cpuHigh, 5*time.Minute), awstest.Target{At: t0, Min: 2, Max: 6, Suspended: awstest.Suspended{In: true}}},
			"6m0s cpu-AlarmHigh is in ALARM and no activity followed: nothing that the APIs tell explains it"},
		{"a deployment", []awstest.Fact{alarmed(cpuLow, 5*time.Minute), awstest.Deployment{ID: "ecs-svc/2", TaskDefinition: "api:2", At: at(time.Minute)}},
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: the deployment ecs-svc/2 is under way, and there is no scale-in until it is over"},
		{"at max", []awstest.Fact{alarmed(cpuHigh, 5*time.Minute), awstest.Target{At: t0.Add(-time.Hour), Min: 2, Max: 3}},
			"6m0s cpu-AlarmHigh is in ALARM and no activity followed: 3 tasks are desired, which is the max capacity"},
		{"at min", []awstest.Fact{alarmed(cpuLow, 5*time.Minute), awstest.Target{At: t0.Add(-time.Hour), Min: 3, Max: 6}},
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: 3 tasks are desired, which is the min capacity"},
		{"another policy without data", append(requests("INSUFFICIENT_DATA"), alarmed(cpuLow, 5*time.Minute)),
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: the policy requests has no data, and a scale-in needs all policies"},
		{"another policy that does not ask for less", append(requests("OK"), alarmed(cpuLow, 5*time.Minute)),
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: the policy requests does not ask for less: requests-AlarmLow is not in ALARM, and a scale-in needs all policies"},
		{"a reason told before", []awstest.Fact{alarmed(cpuHigh, 5*time.Minute), notScaled},
			"6m0s cpu-AlarmHigh is in ALARM and no activity followed: AlreadyAtMaxCapacity, told before the start and not again: AWS tells a reason once"},
		{"a reason of the other way is none", []awstest.Fact{alarmed(cpuLow, 5*time.Minute), notScaled},
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: nothing that the APIs tell explains it"},
		{"scale-in is disabled", []awstest.Fact{alarmed(cpuLow, 5*time.Minute), awstest.Policy{Name: "cpu", Metric: cpu, Predefined: "ECSServiceAverageCPUUtilization", Value: 50, High: cpuHigh, Low: cpuLow, NoScaleIn: true}},
			"6m0s cpu-AlarmLow is in ALARM and no activity followed: scale-in is disabled in the policy cpu"},
		{"a cooldown", []awstest.Fact{alarmed(cpuHigh, 7*time.Minute+50*time.Second),
			awstest.Policy{Name: "cpu", Metric: cpu, Predefined: "ECSServiceAverageCPUUtilization", Value: 50, High: cpuHigh, Low: cpuLow, Out: 5 * time.Minute},
			awstest.Activity{ID: "x", Start: at(6 * time.Minute), Ended: at(7 * time.Minute), Cause: "monitor alarm " + cpuHigh + " in state ALARM triggered policy cpu", Description: "Setting desired count to 4.", Status: "Successful"},
			awstest.Desired{At: at(6 * time.Minute), N: 4}},
			"8m50s cpu-AlarmHigh is in ALARM and no activity followed: the cooldown of the activity that set 4 tasks is not over"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := watch(t, append(append([]awstest.Fact{}, three...), row.facts...), Options{})
			w.LoadBegan(t0)
			got := events(w.until(t, 10*time.Minute, time.Minute), EventUnexplained)
			if len(got) != 1 || got[0] != row.want {
				t.Errorf("\n got %q\nwant %q", got, row.want)
			}
		})
	}
}

// It was said that there is none; then it came, with its true instant.
func TestAnActivityThatIsToldLateTakesItsExplanationBack(t *testing.T) {
	facts := append(idle(2), alarmed(cpuHigh, 5*time.Minute), awstest.AlarmState{Alarm: cpuHigh, From: "ALARM", To: "OK", At: at(7 * time.Minute)}, awstest.Activity{ID: "x", Start: at(5*time.Minute + time.Second), Ended: at(6 * time.Minute), Late: 5 * time.Minute,
		Cause: "monitor alarm " + cpuHigh + " in state ALARM triggered policy cpu", Description: "Setting desired count to 4.", Status: "Successful"}, awstest.Desired{At: at(5*time.Minute + time.Second), N: 4})
	w := watch(t, facts, Options{})
	w.LoadBegan(t0)
	if got := events(w.until(t, 8*time.Minute, time.Minute), EventUnexplained); len(got) != 1 {
		t.Errorf("at 8 minutes: %q", got)
	}
	line := w.until(t, 12*time.Minute, time.Minute)
	if got := events(line, EventUnexplained); len(got) != 0 || len(line.Activities) != 1 {
		t.Errorf("at 12 minutes: %q", got)
	}
	if got := events(line, EventByHand); len(got) != 0 {
		t.Errorf("the activity set the count: %q", got)
	}
}

// An alarm that stays in ALARM at max gets an activity once; what follows is the same reason, carried forward.
func TestAReasonIsCarriedForwardWhileAnAlarmLasts(t *testing.T) {
	facts := outAndIn()
	w := watch(t, append(facts, awstest.AlarmState{Alarm: cpuHigh, From: "ALARM", To: "OK", At: at(20 * time.Minute)}), Options{})
	w.LoadBegan(t0)
	line := w.until(t, 24*time.Minute, time.Minute)
	got := events(line, EventUnexplained)
	if len(got) != 1 || !strings.Contains(got[0], "AlreadyAtMaxCapacity, told at 8m0s and not again") {
		t.Errorf("%q", got)
	}
}

func TestWhatWasNoScalingIsToldApart(t *testing.T) {
	id := func(i int) string { return runs(i, t0, "").ID }
	for _, row := range []struct {
		name   string
		facts  []awstest.Fact
		kind   string
		event  string
		reason string // of the first task's end
		of     string // which task stands for the first one
	}{
		{"a deployment", []awstest.Fact{
			awstest.Deployment{ID: "ecs-svc/2", TaskDefinition: "api:2", At: at(2 * time.Minute), Done: at(5 * time.Minute)},
			runs(7, at(2*time.Minute+5*time.Second), "ecs-svc/2"), ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(3*time.Minute), "ServiceSchedulerInitiated", scaleIn),
		}, EventDeployment, "2m0s ecs-svc/2 began: its tasks take the place of others, and there is no scale-in until it is over", EventDeployment, id(7)},
		{"rebalancing between zones", []awstest.Fact{
			awstest.Event{ID: "e1", At: at(2 * time.Minute), Message: "(service api) has started 1 tasks in eu-central-1b to AZ Rebalance: (task " + id(7) + ")."},
			awstest.Event{ID: "e2", At: at(3 * time.Minute), Message: "(service api) has stopped 1 running tasks in eu-central-1a due to AZ rebalancing: (task " + id(0) + ")."},
			runs(7, at(2*time.Minute), "ecs-svc/1"), ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(3*time.Minute), "ServiceSchedulerInitiated", scaleIn),
		}, EventRebalancing, "2m0s (service api) has started 1 tasks in eu-central-1b to AZ Rebalance: (task " + id(7) + ").", EventRebalancing, id(7)},
		{"a Spot interruption", []awstest.Fact{
			ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(3*time.Minute), awstest.SpotInterruption, "Your Spot Task was interrupted."), runs(7, at(3*time.Minute+time.Minute), "ecs-svc/1"),
		}, EventSpot, "3m0s task " + id(0) + ": Your Spot Task was interrupted.", EventSpot, id(7)},
		{"a person who stopped a task", []awstest.Fact{
			ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(3*time.Minute), "UserInitiated", "Task stopped by user"), runs(7, at(3*time.Minute+time.Minute), "ecs-svc/1"),
		}, EventStopped, "3m0s task " + id(0) + ": Task stopped by user", EventStopped, id(7)},
		{"a task that failed its checks", []awstest.Fact{
			ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(3*time.Minute), "ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group x)"), runs(7, at(3*time.Minute+time.Minute), "ecs-svc/1"),
		}, EventUnhealthy, "3m0s task " + id(0) + ": Task failed ELB health checks in (target-group x)", EventUnhealthy, id(7)},
		{"a person who set the count", []awstest.Fact{awstest.Desired{At: at(4 * time.Minute), N: 3}, runs(7, at(4*time.Minute+8*time.Second), "ecs-svc/1")},
			EventByHand, "4m0s the desired count became 3, from 2, without a scaling activity: a person or a tool set it", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := watch(t, append(idle(2), row.facts...), Options{})
			w.LoadBegan(t0)
			line := w.until(t, 8*time.Minute, time.Minute)
			if got := events(line, row.kind); len(got) == 0 || got[0] != row.event {
				t.Errorf("\n got %q\nwant %q", got, row.event)
			}
			for _, k := range line.Tasks {
				if k.ID == id(0) && k.Reason != row.reason {
					t.Errorf("it left for %q, want %q", k.Reason, row.reason)
				}
				if k.ID == id(7) && row.of != "" && k.Replaces != id(0) || k.ID == id(7) && row.of == "" && k.Replaces != "" {
					t.Errorf("%s stands for %q", k.ID, k.Replaces)
				}
			}
			figures := timeline.Compute(line, nil, timeline.Capacity{})
			if row.of != "" && (figures.Replacements != 1 || figures.Activities != 0 || figures.MaxTasks != 2) {
				t.Errorf("it counts as scaling: %+v", figures)
			}
		})
	}
}

func TestWhatCameLateIsToldBesideTheModelsOfTheLab(t *testing.T) {
	facts := append(outAndIn(), awstest.AlarmState{Alarm: cpuHigh, From: "OK", To: "ALARM", At: at(5*time.Minute + 30*time.Second), Newest: at(time.Minute)},
		func() awstest.Fact {
			k := runs(2, at(5*time.Minute+38*time.Second), "ecs-svc/1")
			k.Started, k.Healthy = k.Created.Add(90*time.Second), k.Created.Add(100*time.Second)
			return k
		}())
	w := watch(t, facts, Options{})
	w.LoadBegan(t0)
	w.until(t, 12*time.Minute, time.Minute)
	all := strings.Join(w.Warnings(), "\n")
	for _, want := range []string{
		"the alarm cpu-AlarmHigh, since its newest datapoint's period ended, took 3m30s, which is 1m0s more than the 2m30s of the model",
		"the task 00000000000000000000000000000002, from created to running, took 1m30s, which is 1m3s more than the 27s of the model",
	} {
		if strings.Contains(want, "3m30s") { // 1m0s is less than half of 2m30s: told among the steps, and no warning
			found := false
			for _, l := range w.Steps() {
				found = found || l.String() == want
			}
			if !found || strings.Contains(all, want) {
				t.Errorf("no %q among %v", want, w.Steps())
			}
			continue
		}
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %s", want, all)
		}
	}
}
