package report

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

// inColumns is a series as a chart of ten columns shows it.
func inColumns(t *testing.T, length time.Duration, s document.Series) string {
	t.Helper()
	var b bytes.Buffer
	d := &document.Document{Blocks: []document.Block{document.Chart{Length: length, Series: []document.Series{s}}}}
	if err := document.Text(&b, d, document.Layout{Width: 13 + 40 + 17}); err != nil {
		t.Fatal(err)
	}
	var every []rune // fourth of the 40 columns
	for i, r := range []rune(strings.TrimSpace(strings.TrimPrefix(b.String(), s.Name))) {
		if i%4 == 0 {
			every = append(every, r)
		}
	}
	return string(every)
}

func TestAlarmStatesOfAColumn(t *testing.T) {
	high := func(at time.Duration, s timeline.AlarmState) timeline.AlarmChange {
		return timeline.AlarmChange{At: at * time.Second, Alarm: "high", Policy: "p", High: true, State: s}
	}
	low := func(at time.Duration, s timeline.AlarmState) timeline.AlarmChange {
		return timeline.AlarmChange{At: at * time.Second, Alarm: "low", Policy: "p", State: s}
	}
	for _, row := range []struct {
		changes []timeline.AlarmChange
		want    string // ten columns of ten seconds
		why     string
	}{
		{nil, "??????????", "no alarm had data"},
		{[]timeline.AlarmChange{high(20, timeline.OK)}, "??........", "from its change on"},
		{[]timeline.AlarmChange{high(20, timeline.Alarm), high(40, timeline.OK)}, "??HH......", "until the next change, which is at a column's edge"},
		{[]timeline.AlarmChange{high(21, timeline.Alarm), high(22, timeline.OK)}, "??H.......", "a second in ALARM is not lost"},
		{[]timeline.AlarmChange{low(0, timeline.Alarm), high(50, timeline.Alarm)}, "LLLLLHHHHH", "high goes before low"},
		{[]timeline.AlarmChange{low(10, timeline.OK), high(10, timeline.OK), low(60, timeline.InsufficientData), high(80, timeline.InsufficientData)}, "?.......??", "one alarm that has data is enough"},
	} {
		tl := &timeline.Timeline{End: 100 * time.Second, Alarms: row.changes, Metrics: []timeline.Datum{{Policy: "p"}}}
		all, _ := metricSeries(tl)
		if got := inColumns(t, tl.End, all[1]); got != row.want {
			t.Errorf("%q, want %q: %s", got, row.want, row.why)
		}
	}
}

func TestTheTargetIsReadInTheReasonOfAnAlarm(t *testing.T) {
	for _, row := range []struct {
		reason string
		want   float64
		ok     bool
	}{
		{"Threshold Crossed: 1 out of the last 3 datapoints [7.8 (00:00:00)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).", 50, true},
		{"Threshold Crossed: 3 datapoints [2,812.5 (11/01/26 10:00:00)] were greater than the threshold (1000000.0).", 1e6, true},
		{"Insufficient Data: 3 datapoints were unknown.", 0, false},
		{"than the threshold (fifty)", 0, false},
		{"than the threshold (50", 0, false},
		{"than the threshold (NaN)", 0, false},
		{"than the threshold (1e999)", 0, false},
		{"", 0, false},
	} {
		if got, ok := thresholdOf(row.reason); ok != row.ok || ok && got != row.want {
			t.Errorf("%.60q: %v, %t; want %v, %t", row.reason, got, ok, row.want, row.ok)
		}
	}
}

func FuzzThresholdOfAReason(f *testing.F) {
	f.Add("was greater than the threshold (50.0) (minimum")
	f.Add("the threshold (-Inf)")
	f.Add("the threshold ()")
	f.Fuzz(func(t *testing.T, reason string) {
		if x, ok := thresholdOf(reason); ok && (math.IsNaN(x) || math.IsInf(x, 0) || !strings.Contains(reason, "the threshold (")) {
			t.Errorf("%q: %v", reason, x)
		}
	})
}

func activity(at time.Duration, status, message, cause string, reasons ...string) timeline.Activity {
	return timeline.Activity{At: at * time.Second, Policy: "requests", From: 2, To: 6, Status: status, StatusMessage: message, Cause: cause, NotScaledReasons: reasons}
}

func TestActivitiesAreToldInAWSWordsAndThoseThatDidNothingInOneLine(t *testing.T) {
	tl := &timeline.Timeline{Speedup: 20, Activities: []timeline.Activity{
		activity(9, timeline.Successful, "Successfully set desired count to 6.", "why (9 tasks wanted)"),
		activity(12, timeline.NotScaled, "", "c (17 tasks wanted, max capacity is 6)", "AlreadyAtMaxCapacity"),
		activity(15, timeline.NotScaled, "", "c (18 tasks wanted, max capacity is 6)", "AlreadyAtMaxCapacity", "Other"),
		activity(20, timeline.InProgress, "Waiting.", ""),
		activity(21, timeline.NotScaled, "", "c", "AlreadyAtMinCapacity"),
		activity(22, timeline.Failed, "", ""),
	}}
	want := []document.Item{
		{Lead: "0:09 (3:00)", Text: "Successfully set desired count to 6.", Cause: "why (9 tasks wanted)"},
		{Lead: "0:12 (4:00)", Text: "not scaled: AlreadyAtMaxCapacity, Other (policy requests; 18 tasks wanted); 2 times until 0:15 (5:00)"},
		{Lead: "0:20 (6:40)", Text: "InProgress: Waiting."},
		{Lead: "0:21 (7:00)", Text: "not scaled: AlreadyAtMinCapacity (policy requests)"},
		{Lead: "0:22 (7:20)", Text: "Failed: 2 → 6 tasks"},
	}
	got := moves(tl, maxMoves)
	if len(got) != len(want) {
		t.Fatalf("%d moves, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestOfManyActivitiesTheFirstAndTheLastAreShown(t *testing.T) {
	tl := &timeline.Timeline{Speedup: 1}
	for i := range 30 {
		tl.Activities = append(tl.Activities, activity(time.Duration(60*i), timeline.Successful, "done", "why"))
	}
	got := moves(tl, maxMoves)
	if len(got) != maxMoves+1 || got[maxMoves-2].Text != "and 18 more until 27:00" || got[maxMoves-1].Lead != "28:00" || got[maxMoves].Lead != "29:00" {
		t.Errorf("%+v", got)
	}
}

func TestAnAlarmsNameLosesOnlyTheService(t *testing.T) {
	for name, want := range map[string]string{
		"alarm TargetTracking-service/prod/api-AlarmHigh-0f3c-77 in":      "alarm TargetTracking-…-AlarmHigh-0f3c-77 in",
		"alarm TargetTracking-service/x-AlarmHigh-y/api-AlarmLow-0f3c in": "alarm TargetTracking-…-AlarmLow-0f3c in",
		"alarm p99-latency in":       "alarm p99-latency in",
		"TargetTracking-AlarmHigh-1": "TargetTracking-AlarmHigh-1",
	} {
		if got := shortAlarm(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestRecoveryFromChaosIsFromTheEventUntilAsManyAsDesiredAreHealthy(t *testing.T) {
	point := func(at time.Duration, desired, healthy int) timeline.Point {
		return timeline.Point{At: at * time.Second, Desired: desired, Running: healthy, Healthy: healthy}
	}
	for _, row := range []struct {
		points []timeline.Point
		want   string
		why    string
	}{
		{[]timeline.Point{point(0, 6, 6), point(60, 6, 5), point(63, 6, 6)}, "; healthy tasks 6 → 5 → 6, recovered in 3.00 s (1:00)", "seen at once"},
		{[]timeline.Point{point(0, 6, 6), point(61, 6, 4), point(62, 6, 3), point(64, 6, 6)}, "; healthy tasks 6 → 3 → 6, recovered in 4.00 s (1:20)", "seen late, and growing"},
		{[]timeline.Point{point(0, 6, 6), point(60, 6, 3), point(66, 4, 4)}, "; healthy tasks 6 → 3 → 4, recovered in 6.00 s (2:00)", "fewer were desired meanwhile"},
		{[]timeline.Point{point(0, 6, 6), point(60, 6, 5)}, "; healthy tasks 6 → 5, not recovered when watching ended", "never"},
		{[]timeline.Point{point(0, 6, 6), point(70, 5, 5)}, "", "a scale-in is no loss"},
		{[]timeline.Point{point(0, 6, 6), point(95, 6, 5), point(97, 6, 6)}, "", "the next event's"},
		{[]timeline.Point{point(0, 6, 6)}, "", "nothing was lost"},
	} {
		tl := &timeline.Timeline{Speedup: 20, End: 100 * time.Second, Points: row.points}
		events := []timeline.Event{{At: 60 * time.Second, Type: "chaos"}, {At: 90 * time.Second, Type: "chaos"}}
		if got := recovered(tl, events, 0); got != row.want {
			t.Errorf("%q, want %q: %s", got, row.want, row.why)
		}
	}
}

func TestEventsAreNumberedAsInTheChartAndTheRestIsCounted(t *testing.T) {
	tl := &timeline.Timeline{Speedup: 1, End: 100 * time.Second, Points: []timeline.Point{{Desired: 1, Running: 1, Healthy: 1}}}
	for i := range 12 {
		tl.Events = append(tl.Events,
			timeline.Event{At: time.Duration(i*8) * time.Second, Type: "task-failed", Detail: "x"},
			timeline.Event{At: time.Duration(i*8) * time.Second, Type: taskDraining, Detail: "y"})
	}
	items := events(tl)
	if len(items) != maxEvents+1 || items[1].Lead+" "+items[1].Text != "2  0:08 task-failed: x" || items[maxEvents].Text != "and 6 more: see events.jsonl" {
		t.Errorf("%+v", items)
	}
	var signs []rune
	for _, p := range eventSeries(tl)[0].Points {
		signs = append(signs, p.Sign)
	}
	if got, want := string(signs), "123456789***"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTasksBeyondATableAreSummedUp(t *testing.T) {
	tl := &timeline.Timeline{Speedup: 20, LoadTo: time.Minute, End: time.Minute}
	for i := range maxTasks + 1 {
		k := timeline.Task{ID: small(i), Healthy: timeline.Never, Stopped: timeline.Never}
		if i > 2 {
			k.Requested = 3 * time.Second
			k.Healthy = k.Requested + time.Duration(i)*time.Second
		}
		tl.Tasks = append(tl.Tasks, k)
	}
	if _, ok := tasksOf(tl, &timeline.Figures{}); ok {
		t.Error("a table of more tasks than it may have")
	}
	want := "13, 10 placed after the load began, 0 stopped; healthy 1:00 to 4:00 after they were placed (simulated time); each one's life is in timeline.json"
	if got := strings.Join(manyTasks(tl), "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTasksFromBeforeTheLoadOfWhichNothingIsToTellShareALine(t *testing.T) {
	share := func(x float64) *float64 { return &x }
	f := timeline.Figures{Tasks: []timeline.TaskShare{{ID: "a", Share: share(0.3)}, {ID: "b", Share: share(0.2)}, {ID: "c", Share: share(0.5)}}}
	stays := func(id string) timeline.Task {
		return timeline.Task{ID: id, Healthy: 0, Draining: timeline.Never, Stopped: timeline.Never}
	}
	killed := stays("c")
	killed.Stopped, killed.Reason = time.Second, "killed"
	tl := &timeline.Timeline{Speedup: 1, Tasks: []timeline.Task{stays("a"), stays("b"), killed}}
	want := []string{"2 initial before 50 %", "c before 0:01 50 % killed"}
	table, _ := tasksOf(tl, &f)
	for i, want := range want {
		var texts []string
		for _, c := range table.Rows[i].Cells {
			texts = append(texts, c.Text)
		}
		if got := strings.Join(strings.Fields(strings.Join(texts, " ")), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	tl.Tasks = tl.Tasks[1:]
	table, _ = tasksOf(tl, &f)
	if got := table.Rows[0].Cells[0].Text; got != "b" {
		t.Errorf("the only one is called %q", got)
	}
}

func TestAWriterThatFailsIsToldOfBySimulations(t *testing.T) {
	for _, s := range simulations {
		if err := s.write(full{}, Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
