package timeline

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/input"
)

func TestWhatCannotBeIsRefusedWithItsField(t *testing.T) {
	for _, row := range []struct {
		change        func(t *Timeline)
		want, because string
	}{
		{func(t *Timeline) { t.Speedup = 0 }, `speedup "0": want 1 to 1e+06`, "forgotten"},
		{func(t *Timeline) { t.Speedup = 0.5 }, `speedup "0.5": want 1 to 1e+06`, "slower than real"},
		{func(t *Timeline) { t.Speedup = math.NaN() }, `speedup "NaN": want 1 to 1e+06`, ""},
		{func(t *Timeline) { t.Speedup = math.Inf(1) }, `speedup "+Inf": want 1 to 1e+06`, ""},
		{func(t *Timeline) { t.End = MaxTime + 1 }, `end_s "315360000.000000001": want 0 to 315360000`, ""},
		{func(t *Timeline) { t.LoadTo = t.End + 1 }, `load_to_s "2700.000000001": want 0 to 2700`, "load after the end"},
		{func(t *Timeline) { t.LoadFrom = t.LoadTo + 1 }, `load_from_s "960.000000001": want 0 to 960`, ""},
		{func(t *Timeline) { t.LoadFrom = -1 }, `load_from_s "-0.000000001": want 0 to 960`, ""},
		{func(t *Timeline) { t.Max = 1 }, `min "2": want 0 to 1`, "bounds that cross"},
		{func(t *Timeline) { t.Min = -1 }, `min "-1": want 0 to 6`, ""},
		{func(t *Timeline) { t.Bounds = []BoundsChange{{sec, 3, 2}} }, `bounds[0].min "3": want 0 to 2`, ""},
		{func(t *Timeline) { t.Bounds = []BoundsChange{{sec, 1, 2}, {sec, 1, 3}} }, `bounds[1].t_s "1": want another instant than that of the one before`, ""},
		{func(t *Timeline) { t.Points = nil }, `points: want at least one`, ""},
		{func(t *Timeline) { t.Points = t.Points[2:] }, `points[0].t_s "240": want 0 to 60`, "capacity at the load's start is open"},
		{func(t *Timeline) { t.Points[2].At = t.Points[1].At }, `points[2].t_s "30": want another instant than that of the one before`, "which of the two holds is open"},
		{func(t *Timeline) { t.Points[2].At = t.Points[1].At - 1 }, `points[2].t_s "29.999999999": want 30 to 2700`, "out of order"},
		{func(t *Timeline) { t.Points[len(t.Points)-1].At = t.End + 1 }, `points[13].t_s "2700.000000001": want 2400 to 2700`, "after the end"},
		{func(t *Timeline) { t.Points[1].Desired = -1 }, `points[1].desired "-1": want 0 to 1000000`, ""},
		{func(t *Timeline) { t.Points[1].Running = MaxTasks + 1 }, `points[1].running "1000001": want 0 to 1000000`, ""},
		{func(t *Timeline) { t.Points[1].Draining = -1 }, `points[1].draining "-1": want 0 to 1000000`, ""},
		{func(t *Timeline) { t.Metrics = []Datum{{At: sec}} }, `metrics[0].policy: want a name`, ""},
		{func(t *Timeline) { t.Metrics = []Datum{{Policy: "p", Value: math.NaN()}} }, `metrics[0].value "NaN": want a finite number, or null for none`, ""},
		{func(t *Timeline) { t.Metrics = []Datum{{Policy: "p", Value: 1, Missing: true}} }, `metrics[0].value "1": want 0 beside missing`, ""},
		{func(t *Timeline) { t.Alarms[0].State = "alarm" }, `alarms[0].state "alarm": want OK, ALARM or INSUFFICIENT_DATA`, ""},
		{func(t *Timeline) { t.Alarms[0].Alarm = "" }, `alarms[0].alarm: want a name`, ""},
		{func(t *Timeline) { t.Alarms[1].At = 0 }, `alarms[1].t_s "0": want 240 to 2700`, ""},
		{func(t *Timeline) { t.Activities[0].Status = "" }, `activities[0].status: want a word, e.g. Successful`, ""},
		{func(t *Timeline) { t.Activities[0].To = -1 }, `activities[0].to "-1": want 0 to 1000000`, ""},
		{func(t *Timeline) { t.Tasks[1].ID = "a" }, `tasks[1].id "a": want one in UTF-8 that no other task has`, ""},
		{func(t *Timeline) { t.Tasks[1].ID = "\xff" }, `tasks[1].id "\xff": want one in UTF-8 that no other task has`, "JSON would change it"},
		{func(t *Timeline) { t.Tasks[1].Requested = Never }, `tasks[1].requested_s "-0.000000001": want 0 to 2700`, ""},
		{func(t *Timeline) { t.Tasks[1].Stopped = t.End + 1 }, `tasks[1].stopped_s "2700.000000001": want 0 to 2700`, ""},
		{func(t *Timeline) { t.Tasks[0], t.Tasks[1] = t.Tasks[1], t.Tasks[0] }, `tasks[1].requested_s "0": want 240 to 2700`, "out of order"},
		{func(t *Timeline) { t.Events = []Event{{At: sec}} }, `events[0].type: want a word`, ""},
		{func(t *Timeline) { t.Events = []Event{{At: t.End + 1, Type: "x"}} }, `events[0].t_s "2700.000000001": want 0 to 2700`, ""},
	} {
		line := seed()
		row.change(line)
		err := line.Validate()
		if _, ok := errors.AsType[*input.Error](err); !ok || err.Error() != row.want {
			t.Errorf("%s\n got %v\nwant %s", row.because, err, row.want)
		}
	}
}

func TestWhatLooksOddAndCanBeIsAccepted(t *testing.T) {
	for _, row := range []struct {
		change  func(t *Timeline)
		because string
	}{
		{func(t *Timeline) { t.LoadFrom, t.LoadTo = 0, 0 }, "capacity that was watched without load"},
		{func(t *Timeline) {
			t.Points = t.Points[:1]
			t.End, t.LoadTo, t.LoadFrom = 0, 0, 0
			t.Alarms, t.Activities, t.Tasks = nil, nil, nil
		}, "cut at once"},
		{func(t *Timeline) { t.Points[1].Desired = 9 }, "desired above the maximum, until the next activity"},
		{func(t *Timeline) { t.Alarms[1].At = t.Alarms[0].At }, "two alarms at one instant"},
		{func(t *Timeline) { t.Tasks[1].FirstSent = 4*minute + 45*sec }, "a response before the first check: the balancer failed open"},
		{func(t *Timeline) { t.Tasks[1].FirstSent = 32 * minute }, "a response that was read after the task had gone"},
		{func(t *Timeline) { t.Tasks[1].Running, t.Tasks[1].Healthy = Never, Never }, "stopped before it ran"},
		{func(t *Timeline) { t.Activities[0].Completed = 0 }, "in progress for ever"},
	} {
		line := seed()
		row.change(line)
		if err := line.Validate(); err != nil {
			t.Errorf("%s: %v", row.because, err)
		}
	}
}

func TestATimelineThatContradictsItselfIsDataWithAWarning(t *testing.T) {
	for _, row := range []struct {
		change func(t *Timeline)
		want   string
		why    string
	}{
		{func(t *Timeline) { t.Points[1].Healthy = 3 }, "more tasks were healthy than ran for 210 s, from 30 s on (3 healthy, 2 running)", "two services report with different delays"},
		{func(t *Timeline) { t.Activities[0].Completed = sec }, "the activity that began at 240 s ended at 1 s, which is earlier", "completed before it started"},
		{func(t *Timeline) { t.Tasks[0].Requested = minute }, `task "a" ran before it was asked for`, "requested late"},
		{func(t *Timeline) { t.Tasks[1].Healthy = 4 * minute }, `task "c" was healthy before it ran`, ""},
		{func(t *Timeline) { t.Tasks[1].FirstSent = 4 * minute }, `task "c" answered before it ran`, ""},
		{func(t *Timeline) { t.Tasks[1].Draining = 40 * minute }, `task "c" was deregistered after it had stopped`, ""},
		{func(t *Timeline) { t.Tasks[0].Errors = 301 }, `task "a" has more errors than requests, 301 of 300`, ""},
		{func(t *Timeline) { t.Tasks[0].Errors, t.Tasks[1].Healthy = 301, 4*minute }, "and 1 more of the kind", "two"},
	} {
		line := seed()
		if all := line.Contradictions(); len(all) > 0 {
			t.Fatalf("before any change: %q", all)
		}
		row.change(line)
		mustBeValid(t, line)
		if all := line.Contradictions(); len(all) != 1 || !strings.Contains(all[0], row.want) {
			t.Errorf("%s: %q, want %q", row.why, all, row.want)
		}
		data, err := Encode(line)
		if err != nil {
			t.Fatalf("%s: cannot be written: %v", row.why, err)
		}
		if _, err := Decode(data); err != nil {
			t.Errorf("%s: cannot be read: %v", row.why, err)
		}
		Compute(line, nil, Capacity{}) // which may not panic
	}
}

func TestALoadThatCannotBeIsRefusedWithItsField(t *testing.T) {
	for _, row := range []struct {
		load Load
		want string
	}{
		{Load{{From: -1, To: sec}}, `load[0].from_s "-0.000000001": want 0 to 315360000`},
		{Load{{From: sec, To: sec}}, `load[0].to_s "1": want more than from_s, 1`},
		{Load{{To: time.Duration(math.MaxInt64)}}, `load[0].to_s "9223372036.854775807": want more than from_s, 0`},
		{Load{{To: 2 * sec}, {From: sec, To: 3 * sec}}, `load[1].from_s "1": want 2 to 315360000`},
		{Load{{To: sec, Rate: math.NaN()}}, `load[0].requests_per_second "NaN": want 0 to 1e12`},
		{Load{{To: sec, Rate: -1}}, `load[0].requests_per_second "-1": want 0 to 1e12`},
		{Load{{To: sec, Requests: -1}}, `load[0].requests "-1": want 0 to 9007199254740992`},
		{Load{{To: sec, Requests: 1, Errors: 2}}, `load[0].errors "2": want 0 to 1`},
	} {
		if err := row.load.Validate(); err == nil || err.Error() != row.want {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
}
