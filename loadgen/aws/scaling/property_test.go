package scaling

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/timeline"
)

// told is a story with much in it: a scale-out, a step in, a deployment, a person, a Spot interruption.
func told() (facts []awstest.Fact) {
	all := append(append(outAndIn(), requests("INSUFFICIENT_DATA")...),
		awstest.Deployment{ID: "ecs-svc/2", TaskDefinition: "api:2", At: at(13 * time.Minute), Done: at(16 * time.Minute)},
		runs(20, at(13*time.Minute+5*time.Second), "ecs-svc/2"), ends(runs(0, t0.Add(-time.Hour), "ecs-svc/1"), at(14*time.Minute), "ServiceSchedulerInitiated", scaleIn),
		ends(runs(1, t0.Add(-time.Hour), "ecs-svc/1"), at(18*time.Minute), awstest.SpotInterruption, "Your Spot Task was interrupted."), runs(21, at(18*time.Minute+20*time.Second), "ecs-svc/2"),
		awstest.Desired{At: at(20 * time.Minute), N: 4}, awstest.Desired{At: at(22 * time.Minute), N: 6},
		awstest.Event{ID: "e1", At: at(19 * time.Minute), Message: "(service api) was unable to place a task."},
		awstest.Mute{Name: "m", Alarms: []string{cpuLow}, From: at(10 * time.Minute), To: at(24 * time.Minute)},
	)
	// The last state of a task that was reported twice.
	last := map[string]int{}
	for i, f := range all {
		if k, ok := f.(awstest.Task); ok {
			last[k.ID] = i
		}
	}
	for i, f := range all {
		if k, ok := f.(awstest.Task); !ok || last[k.ID] == i {
			facts = append(facts, f)
		}
	}
	return facts
}

// Everything that has an instant of its own may come late, in any order and again; what is seen by looking alone (target health, the
// desired count, the bounds, mute rules) is seen at the same looks.
func TestForAnyOrderDelayAndRepetitionTheTimelineIsTheSame(t *testing.T) {
	const end = 34 * time.Minute // the last datapoint may be three minutes late
	const step = 16 * time.Minute
	want := func() string {
		w := watch(t, told(), Options{})
		w.LoadBegan(t0)
		return lines(t, w.until(t, end, step))
	}()
	rapid.Check(t, func(r *rapid.T) {
		late := func() time.Duration { return time.Duration(rapid.IntRange(0, 180).Draw(r, "late")) * time.Second }
		var facts []awstest.Fact
		for _, f := range told() {
			switch x := f.(type) {
			case awstest.Task:
				x.Late = late()
				f = x
			case awstest.Event:
				x.Late = late()
				f = x
			case awstest.Datapoint:
				x.Late = late()
				f = x
			case awstest.AlarmState:
				if x.At.After(t0) { // those of before are how the watcher met it
					x.Late = late()
				}
				f = x
			case awstest.Activity:
				x.Late = late()
				f = x
			}
			facts = append(facts, f)
		}
		order := rapid.Permutation(facts).Draw(r, "order")
		w := watch(t, order, Options{})
		w.fake.Arrange(func(n int) []int {
			all := make([]int, 0, n+1)
			for i := range n {
				all = append(all, n-1-i)
			}
			if n > 0 {
				all = append(all, 0) // one stands twice
			}
			return all
		})
		w.LoadBegan(t0)
		if got := lines(t, w.until(t, end, step)); got != want {
			r.Fatal(differ(got, want))
		}
	})
}

// lines are a timeline as it is kept, an entry a line.
func lines(t *testing.T, line *timeline.Timeline) string {
	t.Helper()
	data, err := timeline.Encode(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "},", "},\n")
}

// differ are the lines that only one has.
func differ(got, want string) string {
	var out strings.Builder
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, l := range a {
		if !slices.Contains(b, l) {
			out.WriteString("\n got " + l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out.WriteString("\nwant " + l)
		}
	}
	return out.String()
}
