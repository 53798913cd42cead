package timeline

import (
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRecordingATimelineGivesItBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyTimeline(100*time.Millisecond, 6*sec).Draw(t, "timeline")
		r := NewRecorder(want.Speedup, want.Min, want.Max)
		r.Load(want.LoadFrom, want.LoadTo)
		for _, p := range want.Points {
			r.Point(p)
			r.Point(p) // no change
		}
		for _, b := range want.Bounds {
			r.Bounds(b)
		}
		for _, d := range want.Metrics {
			r.Metric(d)
		}
		for _, a := range want.Alarms {
			r.Alarm(a)
		}
		for _, a := range want.Activities {
			n := r.Activity(Activity{At: a.At, Status: InProgress})
			r.UpdateActivity(n, a)
		}
		for _, k := range want.Tasks {
			r.Task(Task{ID: k.ID, Requested: k.Requested, Running: Never})
			r.Task(k)
		}
		for _, e := range want.Events {
			r.Event(e)
		}
		got := r.Timeline(want.End)
		if err := got.Validate(); err != nil {
			t.Fatal(err)
		}
		// What changes nothing is dropped; the rest is as it was.
		var points []Point
		for i, p := range want.Points {
			if i == 0 || !points[len(points)-1].sameCapacity(p) {
				points = append(points, p)
			}
		}
		var alarms []AlarmChange
		state := map[string]AlarmState{}
		for _, a := range want.Alarms {
			if state[a.Alarm] != a.State {
				alarms = append(alarms, a)
			}
			state[a.Alarm] = a.State
		}
		want.Points, want.Alarms = points, append([]AlarmChange{}, alarms...)
		for i := range want.Activities {
			if len(want.Activities[i].NotScaledReasons) == 0 {
				got.Activities[i].NotScaledReasons = want.Activities[i].NotScaledReasons
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestPointsOfOneInstantBecomeOneAndThoseWithoutChangeNone(t *testing.T) {
	r := NewRecorder(1, 2, 6)
	for _, p := range []Point{
		all(-sec, 2), // from before the clock
		all(sec, 2),  // no change
		all(2*sec, 3),
		all(2*sec, 4), // the last word on this instant
		all(3*sec, 5),
		all(3*sec, 4), // and back within the instant: no change
		all(5*sec, 6),
		all(4*sec, 5), // overtaken: newer knowledge all the same
	} {
		r.Point(p)
	}
	r.Change(7*sec, func(p *Point) { p.Healthy-- })
	r.Change(8*sec, func(p *Point) {})
	want := []Point{all(0, 2), all(2*sec, 4), all(5*sec, 5), {7 * sec, 5, 5, 4, 0}}
	if got := r.Timeline(minute); !reflect.DeepEqual(got.Points, want) {
		t.Errorf("points %v, want %v", got.Points, want)
	}
}

func TestLateReportsTakeTheirPlace(t *testing.T) {
	r := NewRecorder(1, 2, 6)
	r.Point(all(0, 2))
	for _, at := range []time.Duration{3 * sec, sec, 2 * sec} {
		name := strconv.Itoa(int(at / sec))
		r.Metric(Datum{At: at, Policy: name})
		r.Alarm(AlarmChange{At: at, Alarm: name, State: OK})
		r.Activity(Activity{At: at, Status: name})
		r.Event(Event{At: at, Type: name})
		r.Task(Task{ID: name, Requested: at})
		r.Bounds(BoundsChange{At: at, Max: int(at / sec)})
		r.Bounds(BoundsChange{At: at, Max: int(at / sec)})
	}
	line := r.Timeline(2 * sec)
	if line.Metrics[1].Policy != "2" || line.Alarms[1].Alarm != "2" || line.Activities[1].Status != "2" ||
		line.Events[1].Type != "2" || line.Tasks[1].ID != "2" || line.Bounds[1].Max != 2 {
		t.Errorf("not in order: %+v", line)
	}
	if len(line.Metrics)+len(line.Alarms)+len(line.Activities)+len(line.Events)+len(line.Tasks)+len(line.Bounds) != 12 {
		t.Errorf("what happened after the end is in it: %+v", line)
	}
}

func TestATimelineIsCutAtItsEnd(t *testing.T) {
	r := NewRecorder(1, 2, 6)
	r.Load(sec, time.Hour)
	r.Point(all(0, 2))
	r.Point(all(minute, 6))
	r.Activity(Activity{At: sec, Completed: minute, Status: Successful})
	r.Task(Task{ID: "a", Running: sec, Healthy: minute, FirstSent: Never, Draining: minute, Stopped: minute})
	line := r.Timeline(30 * sec)
	mustBeValid(t, line)
	if line.LoadTo != 30*sec || len(line.Points) != 1 || line.Activities[0].Completed != 0 {
		t.Errorf("load until %v, %d points, completed at %v", line.LoadTo, len(line.Points), line.Activities[0].Completed)
	}
	if k := line.Tasks[0]; k.Running != sec || k.Healthy != Never || k.Draining != Never || k.Stopped != Never {
		t.Errorf("a task that has done what lies ahead: %+v", k)
	}
	if late := r.Timeline(time.Hour); len(late.Points) != 2 || late.Tasks[0].Stopped != minute || late.Activities[0].Completed != minute {
		t.Errorf("a look at the run so far has changed it: %+v", late)
	}
}

func TestARecorderIsSafeForConcurrentUse(t *testing.T) {
	r := NewRecorder(1, 0, 100)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 100 {
				at := time.Duration(n) * sec
				r.Change(at, func(p *Point) { p.Running++ })
				r.Task(Task{ID: strconv.Itoa(i), Requests: int64(n)})
				r.UpdateActivity(r.Activity(Activity{At: at, Status: InProgress}), Activity{At: at, Status: Successful})
				r.Metric(Datum{At: at, Policy: "p"})
				r.Alarm(AlarmChange{At: at, Alarm: strconv.Itoa(i), State: OK})
				r.Event(Event{At: at, Type: "e"})
				r.Load(0, at)
				if err := r.Timeline(at).Validate(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	line := r.Timeline(time.Hour)
	if last := line.Points[len(line.Points)-1]; last.Running != 800 || len(line.Activities) != 800 || len(line.Tasks) != 8 {
		t.Errorf("%d running, %d activities, %d tasks; want 800, 800, 8", last.Running, len(line.Activities), len(line.Tasks))
	}
}
