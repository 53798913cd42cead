package autoscaling

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/timeline"
)

// points reads CloudWatch's notation: oldest first, X breaching, 0 not breaching, - missing.
func points(a *alarm, notation string) {
	for i, c := range strings.Fields(notation) {
		d := datapoint{from: time.Duration(i) * time.Minute, value: 1}
		switch c {
		case "X":
			d.value = 3
		case "-":
			d.missing, d.value = true, 0
		}
		a.push(d)
	}
}

// The rows are the MISSING column of the two tables in CloudWatch's guide, "Configuring how CloudWatch alarms treat
// missing data", and what its text says about them.
func TestAlarmsTreatMissingDataAsCloudWatchDocuments(t *testing.T) {
	for _, row := range []struct {
		Evaluation
		points string
		want   timeline.AlarmState
		why    string
	}{
		{Evaluation{3, 3}, "0 - X - X", timeline.OK, "the three that are there include one in bounds"},
		{Evaluation{3, 3}, "0 - - - -", timeline.OK, "the one that is there is in bounds"},
		{Evaluation{3, 3}, "- - - - -", timeline.InsufficientData, "the whole range is missing"},
		{Evaluation{3, 3}, "0 X X - X", timeline.Alarm, "the newest three that are there breach"},
		{Evaluation{3, 3}, "- - X - -", timeline.Alarm, "the oldest that is there is as old as the datapoints to alarm, and nothing speaks against it"},
		{Evaluation{3, 2}, "0 - X - X", timeline.Alarm, "two of the three that are there"},
		{Evaluation{3, 2}, "0 0 X 0 X", timeline.Alarm, "two of the newest three"},
		{Evaluation{3, 2}, "0 - X - -", timeline.OK, "one breaches, one does not"},
		{Evaluation{3, 2}, "- - - - 0", timeline.OK, "nothing breaches"},
		{Evaluation{3, 2}, "- - - X -", timeline.Alarm, "as old as two datapoints"},
		{Evaluation{3, 3}, "- - - - X", timeline.InsufficientData, "too young to alarm: the next may be in bounds"},
		{Evaluation{3, 3}, "X X", timeline.InsufficientData, "an alarm of 3 needs 3"},
		{Evaluation{3, 3}, "X X X", timeline.Alarm, "three in a row"},
		{Evaluation{3, 3}, "X X X 0", timeline.OK, "one in bounds ends it"},
		{Evaluation{3, 3}, "X X X - - -", timeline.Alarm, "the range still holds what breaches"},
		{Evaluation{3, 3}, "X X X - - - - -", timeline.InsufficientData, "five missing are the whole range"},
		{Evaluation{1, 1}, "X", timeline.Alarm, "one is enough for one"},
		{Evaluation{1, 1}, "X 0 X 0", timeline.OK, "the last decides"},
	} {
		a := newAlarm("cpu", true, 2, row.Evaluation)
		if points(a, row.points); a.state != row.want {
			t.Errorf("%d of %d, %s: %s, want %s: %s", row.Datapoints, row.Periods, row.points, a.state, row.want, row.why)
		}
	}
}

func TestWithoutMissingDataAnAlarmIsACountOfTheLastPeriods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 15).Draw(t, "periods")
		e := Evaluation{n, rapid.IntRange(1, n).Draw(t, "datapoints")}
		a := newAlarm("cpu", rapid.Bool().Draw(t, "high"), 50, e)
		values := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 49, 50, 51}), n, 60).Draw(t, "values")
		for i, v := range values {
			a.push(datapoint{value: v})
			if i+1 < n {
				continue // younger than what it is to judge
			}
			breaching := 0
			for _, v := range values[i+1-n : i+1] {
				if a.high && v > 50 || !a.high && v < 50 {
					breaching++
				}
			}
			want := timeline.OK
			if breaching >= e.Datapoints {
				want = timeline.Alarm
			}
			if a.state != want {
				t.Fatalf("after %v: %s, want %s", values[:i+1], a.state, want)
			}
			mean := 0.0
			for _, v := range values[i+1-n : i+1] {
				mean += v / float64(n)
			}
			if math.Abs(a.mean()-mean) > 1e-9 {
				t.Fatalf("mean after %v: %v, want %v", values[:i+1], a.mean(), mean)
			}
		}
	})
}

// The sentences are as CloudWatch wrote them in alarm notifications that people have published, with service
// time for the time of day.
func TestReasonsReadAsCloudWatchsDo(t *testing.T) {
	for _, row := range []struct {
		high bool
		Evaluation
		points, want string
	}{
		{true, Evaluation{3, 3}, "X X X", "Threshold Crossed: 3 out of the last 3 datapoints [3.0 (00:02:00), 3.0 (00:01:00), 3.0 (00:00:00)] were greater than the threshold (2.0) (minimum 3 datapoints for OK -> ALARM transition)."},
		{true, Evaluation{1, 1}, "X", "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (00:00:00)] was greater than the threshold (2.0) (minimum 1 datapoint for OK -> ALARM transition)."},
		{true, Evaluation{3, 3}, "X X X 0", "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (00:03:00)] was not greater than the threshold (2.0) (minimum 1 datapoint for ALARM -> OK transition)."},
		{true, Evaluation{3, 2}, "X X 0 0", "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (00:03:00), 1.0 (00:02:00)] were not greater than the threshold (2.0) (minimum 2 datapoints for ALARM -> OK transition)."},
		{false, Evaluation{15, 15}, strings.Repeat("0 ", 15), "Threshold Crossed: 15 out of the last 15 datapoints were less than the threshold (2.0). The most recent datapoints which crossed the threshold: [1.0 (00:14:00), 1.0 (00:13:00), 1.0 (00:12:00), 1.0 (00:11:00), 1.0 (00:10:00)] (minimum 15 datapoints for OK -> ALARM transition)."},
		{true, Evaluation{3, 3}, "X X X - - - - -", "Insufficient Data: 3 datapoints were unknown."},
		{true, Evaluation{1, 1}, "X - - -", "Insufficient Data: 1 datapoint was unknown."},
	} {
		a := newAlarm("cpu", row.high, 2, row.Evaluation)
		points(a, row.points)
		if got := a.reason(); got != row.want {
			t.Errorf("%s\n got %s\nwant %s", row.points, got, row.want)
		}
	}
}

func TestTheLowThresholdIsNinetyPercentWithoutNoise(t *testing.T) {
	for target, want := range map[float64]float64{50: 45, 70: 63, 80: 72, 0.1: 0.09, 1e15: 9e14} {
		if got := lowThreshold(target); got != want {
			t.Errorf("90 %% of %v is %v, want %v", target, got, want)
		}
	}
}
