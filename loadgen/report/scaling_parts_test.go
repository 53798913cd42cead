package report

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"scalableappbackend/loadgen/timeline"
)

func TestCapacityIsWrittenWhereItBeginsToHold(t *testing.T) {
	for _, row := range []struct {
		values    []int
		blankZero bool
		want      string
		fits      bool
	}{
		{[]int{2, 2, 2, 6, 6}, false, "2──6─", true},
		{[]int{6, 5, 4}, false, "654", true},
		{[]int{0, 0, 1}, false, "0─1", true},
		{[]int{0, 0, 1, 0}, true, "  1 ", true},
		{[]int{10, 10, 10, 9}, false, "10─9", true},
		{[]int{10, 10, 9, 9}, false, "109─", false}, // a hundred and nine?
		{[]int{9, 12, 9}, false, "9129", false},
		{nil, false, "", true},
	} {
		if got, fits := steps(row.values, row.blankZero); got != row.want || fits != row.fits {
			t.Errorf("%v: %q, fits %t; want %q, %t", row.values, got, fits, row.want, row.fits)
		}
	}
}

func TestABarIsAnEighthOfTheHighestAndNothingIsNoBar(t *testing.T) {
	if got, want := bars([]float64{math.NaN(), 0, 0.1, 1, 1.01, 4, 7.9, 8}, 8), " _▁▁▂▄██"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
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
		tl := &timeline.Timeline{Alarms: row.changes, Metrics: []timeline.Datum{{Policy: "p"}}}
		if got := policies(tl)[0].states(grid{100 * time.Second, 10}); got != row.want {
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
	want := []move{
		{"0:09 (3:00)", "Successfully set desired count to 6.", "why (9 tasks wanted)"},
		{"0:12 (4:00)", "not scaled: AlreadyAtMaxCapacity, Other (policy requests; 18 tasks wanted); 2 times until 0:15 (5:00)", ""},
		{"0:20 (6:40)", "InProgress: Waiting.", ""},
		{"0:21 (7:00)", "not scaled: AlreadyAtMinCapacity (policy requests)", ""},
		{"0:22 (7:20)", "Failed: 2 → 6 tasks", ""},
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
	if len(got) != maxMoves+1 || got[maxMoves-2].what != "and 18 more until 27:00" || got[maxMoves-1].when != "28:00" || got[maxMoves].when != "29:00" {
		t.Errorf("%+v", got)
	}
}

func TestACauseThatFollowsItselfIsSaidOnce(t *testing.T) {
	const cause = "monitor alarm TargetTracking-service/a/b-AlarmLow-cpu in state ALARM"
	p := newPage(Options{Width: 120})
	p.moves([]move{{"1:00", "first", cause}, {"2:00", "second", cause}, {"3:00", "third", "another"}, {"4:00", "fourth", ""}})
	want := `activities   1:00  first
             2:00  second Cause of these 2: monitor alarm TargetTracking-…-AlarmLow-cpu in state ALARM
             3:00  third Cause: another
             4:00  fourth
`
	if got := p.b.String(); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
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
	lines := eventLines(tl)
	if len(lines) != maxEvents+1 || lines[1] != "2  0:08 task-failed: x" || lines[maxEvents] != "and 6 more: see events.jsonl" {
		t.Errorf("%q", lines)
	}
	ch := &chart{}
	ch.events(tl, grid{100 * time.Second, 25})
	if got, want := ch.rows[0].cells, "1 2 3 4 5 6 7 8 9 * * *  "; got != want {
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
	if tasksOf(tl, &timeline.Figures{}) != nil {
		t.Error("a table of more tasks than it may have")
	}
	want := "13, 10 placed after the load began, 0 stopped; healthy 1:00 to 4:00 after they were placed (service time); each one's life is in timeline.json"
	if got := strings.Join(manyTasks(tl), "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAWidthThatHoldsATableOfTasksCutsNothingOfIt(t *testing.T) {
	s := killedRun()
	var f timeline.Figures
	if err := json.Unmarshal(s.result().Elasticity, &f); err != nil {
		t.Fatal(err)
	}
	table := tasksOf(s.timeline, &f)
	for width := MinWidth; width <= maxWidth; width++ {
		for _, l := range table.lines(width) {
			if utf8.RuneCountInString(l) > width || strings.HasSuffix(l, "…") {
				t.Errorf("at %d: %q", width, l)
			}
		}
	}
	if l := table.lines(table.width()); !strings.Contains(l[0], "running") || !strings.HasSuffix(l[len(l)-2], "scale-in") {
		t.Errorf("its own width does not hold it: %q", l)
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
	for i, row := range tasksOf(tl, &f).rows {
		if got := strings.Join(strings.Fields(strings.Join(row, " ")), " "); got != want[i] {
			t.Errorf("%q, want %q", got, want[i])
		}
	}
	tl.Tasks = tl.Tasks[1:]
	if got := tasksOf(tl, &f).rows[0][0]; got != "b" {
		t.Errorf("the only one is called %q", got)
	}
}

func TestTheAxisMarksWholeStepsWithRoomBetweenThem(t *testing.T) {
	for _, row := range []struct {
		length  time.Duration
		speedup float64
		want    []string
	}{
		{60 * time.Second, 50, []string{"|0:00     |0:15     |0:30     |0:45", "|0:00     |12:30    |25:00    |37:30"}},
		{90 * time.Minute, 1, []string{"|0:00        |30:00       |1:00:00"}},
		{40 * time.Millisecond, 1, []string{"|0:00"}},
		{400 * 24 * time.Hour, 1, []string{"|0:00"}},
	} {
		ch := &chart{}
		ch.axis(grid{row.length, 40}, clocks(row.speedup))
		if len(ch.rows) != len(row.want) {
			t.Fatalf("%v: %d rows", row.length, len(ch.rows))
		}
		for i, want := range row.want {
			got := strings.TrimRight(ch.rows[i].cells, " ")
			if row.length > 24*time.Hour { // a century of labels is not worth a line each
				if n := strings.Count(got, "|"); n < 2 || n > 4 {
					t.Errorf("%v: %q", row.length, got)
				}
				continue
			}
			if got != want {
				t.Errorf("%v: %q, want %q", row.length, got, want)
			}
		}
	}
}

func TestAWriterThatFailsIsToldOfBySimulations(t *testing.T) {
	for _, s := range simulations {
		if err := s.write(full{}, Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
