package timeline

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	sec    = time.Second
	minute = time.Minute
)

// seed is the seed's story at speedup 1: 15 minutes of load, out from 2 to 6 tasks at once, and back to 2 by ones.
func seed() *Timeline {
	t := &Timeline{
		Speedup: 1, LoadFrom: 1 * minute, LoadTo: 16 * minute, End: 45 * minute, Min: 2, Max: 6,
		Points: []Point{
			{At: 0},
			{At: 30 * sec, Desired: 2, Running: 2, Healthy: 2},
			{At: 4 * minute, Desired: 6, Running: 2, Healthy: 2},
			{At: 4*minute + 40*sec, Desired: 6, Running: 3, Healthy: 2},
			{At: 4*minute + 50*sec, Desired: 6, Running: 6, Healthy: 3},
			{At: 5 * minute, Desired: 6, Running: 6, Healthy: 6},
		},
		Alarms: []AlarmChange{
			{At: 4 * minute, Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: Alarm},
			{At: 19 * minute, Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: OK},
			{At: 31 * minute, Alarm: "requests-AlarmLow", Policy: "requests", State: Alarm},
		},
		Activities: []Activity{
			{At: 4 * minute, Completed: 4*minute + 50*sec, Policy: "requests", From: 2, To: 6, Status: Successful},
			{At: 7 * minute, Policy: "requests", From: 6, To: 6, Status: NotScaled, NotScaledReasons: []string{"AlreadyAtMaxCapacity"}},
		},
		Tasks: []Task{
			{ID: "a", Zone: "a", Requested: 0, Running: 20 * sec, Healthy: 30 * sec, FirstSent: minute, Draining: Never, Stopped: Never, Requests: 300, Errors: 3},
			{ID: "c", Zone: "b", Requested: 4 * minute, Running: 4*minute + 40*sec, Healthy: 4*minute + 50*sec, FirstSent: 4*minute + 51*sec, Draining: 31 * minute, Stopped: 31*minute + 30*sec, Requests: 100},
		},
	}
	for i := range 4 { // each step: 30 s of drain, then a cooldown
		at, n := 31*minute+time.Duration(i)*3*minute, 5-i
		t.Activities = append(t.Activities, Activity{At: at, Completed: at + 30*sec, Policy: "requests", From: n + 1, To: n, Status: Successful})
		t.Points = append(t.Points,
			Point{At: at, Desired: n, Running: n, Healthy: n, Draining: 1},
			Point{At: at + 30*sec, Desired: n, Running: n, Healthy: n})
	}
	return t
}

// seedLoad is 300 requests/s in steps of a minute, each with 6 errors in 18,000 requests.
func seedLoad() (l Load) {
	for i := range 15 {
		from := time.Duration(i+1) * minute
		l = append(l, Step{From: from, To: from + minute, Rate: 300, Requests: 18000, Errors: 6})
	}
	return l
}

// seedCapacity makes the seed's load need 6 tasks.
func seedCapacity() Capacity { return Capacity{PerTask: 62.5, Utilisation: 0.8} }

func mustBeValid(t *testing.T, line *Timeline) {
	t.Helper()
	if err := line.Validate(); err != nil {
		t.Fatal(err)
	}
}

// instants draws n instants in order, on a grid; distinct ones where they must be.
func instants(t *rapid.T, name string, grid, end time.Duration, most int, distinct bool) []time.Duration {
	steps := rapid.SliceOfN(rapid.Int64Range(0, int64(end/grid)), 0, most).Draw(t, name)
	slices.Sort(steps)
	if distinct {
		steps = slices.Compact(steps)
	}
	var at []time.Duration
	for _, n := range steps {
		at = append(at, time.Duration(n)*grid)
	}
	return at
}

// anyTimeline draws a Timeline that Validate accepts, with every instant on the grid.
func anyTimeline(grid, end time.Duration) *rapid.Generator[*Timeline] {
	text := rapid.SampledFrom([]string{"", "requests", "cpu", "a\"b", "é\n", "<&>", "AlreadyAtMaxCapacity"})
	name := rapid.SampledFrom([]string{"requests", "cpu", "a b"})
	return rapid.Custom(func(t *rapid.T) *Timeline {
		line := &Timeline{
			Speedup: float64(rapid.IntRange(1, 60).Draw(t, "speedup")), End: end,
			Bounds: []BoundsChange{}, Points: []Point{}, Metrics: []Datum{}, Alarms: []AlarmChange{},
			Activities: []Activity{}, Tasks: []Task{}, Events: []Event{},
		}
		marks := instants(t, "load", grid, end, 2, false)
		if len(marks) == 2 {
			line.LoadFrom, line.LoadTo = marks[0], marks[1]
		}
		pair := func() (int, int) {
			low := rapid.IntRange(0, 4).Draw(t, "min")
			return low, low + rapid.IntRange(0, 4).Draw(t, "more")
		}
		line.Min, line.Max = pair()
		for _, at := range instants(t, "bounds", grid, end, 3, true) {
			low, high := pair()
			line.Bounds = append(line.Bounds, BoundsChange{at, low, high})
		}
		few := rapid.IntRange(0, 6)
		point := func(at time.Duration) Point {
			running := few.Draw(t, "running")
			return Point{at, few.Draw(t, "desired"), running, running - rapid.IntRange(0, running).Draw(t, "sick"), rapid.IntRange(0, 2).Draw(t, "draining")}
		}
		line.Points = append(line.Points, point(rapid.SampledFrom([]time.Duration{0, line.LoadFrom}).Draw(t, "first")))
		for _, at := range instants(t, "points", grid, end, 12, true) {
			if at > line.Points[0].At {
				line.Points = append(line.Points, point(at))
			}
		}
		for _, at := range instants(t, "metrics", grid, end, 4, false) {
			d := Datum{At: at, Policy: name.Draw(t, "policy"), Missing: rapid.Bool().Draw(t, "missing")}
			if !d.Missing {
				d.Value = rapid.Float64Range(-1e9, 1e9).Draw(t, "value")
			}
			line.Metrics = append(line.Metrics, d)
		}
		for _, at := range instants(t, "alarms", grid, end, 4, false) {
			line.Alarms = append(line.Alarms, AlarmChange{
				at, name.Draw(t, "alarm"), text.Draw(t, "policy"), rapid.Bool().Draw(t, "high"),
				rapid.SampledFrom([]AlarmState{OK, Alarm, InsufficientData}).Draw(t, "state"), text.Draw(t, "reason"),
			})
		}
		for _, at := range instants(t, "activities", grid, end, 4, false) {
			a := Activity{
				At: at, Policy: text.Draw(t, "policy"), From: few.Draw(t, "from"), To: few.Draw(t, "to"),
				Status: rapid.SampledFrom([]string{Successful, InProgress, Failed, NotScaled, "Overridden"}).Draw(t, "status"),
				Cause:  text.Draw(t, "cause"), Description: text.Draw(t, "description"), StatusMessage: text.Draw(t, "message"),
				NotScaledReasons: rapid.SliceOfN(text, 0, 2).Draw(t, "reasons"),
			}
			if rapid.Bool().Draw(t, "completed") {
				a.Completed = at + (end-at)/grid/2*grid
			}
			line.Activities = append(line.Activities, a)
		}
		for i, at := range instants(t, "tasks", grid, end, 4, false) {
			k := Task{ID: string(rune('a' + i)), Zone: text.Draw(t, "zone"), Requested: at, Reason: text.Draw(t, "reason")}
			life := instants(t, "life", grid, end-at, 5, false)
			for n, stage := range []*time.Duration{&k.Running, &k.Healthy, &k.FirstSent, &k.Draining, &k.Stopped} {
				*stage = Never
				if n < len(life) && rapid.IntRange(0, 3).Draw(t, "came") > 0 {
					*stage = at + life[n]
				}
			}
			k.Requests = rapid.Int64Range(0, 1<<40).Draw(t, "requests")
			k.Errors = rapid.Int64Range(0, k.Requests).Draw(t, "errors")
			line.Tasks = append(line.Tasks, k)
		}
		for _, at := range instants(t, "events", grid, end, 3, false) {
			line.Events = append(line.Events, Event{at, name.Draw(t, "type"), text.Draw(t, "detail")})
		}
		return line
	})
}

// anyLoad draws a Load that Validate accepts, with every instant on the grid, gaps and all.
func anyLoad(grid, end time.Duration) *rapid.Generator[Load] {
	return rapid.Custom(func(t *rapid.T) (l Load) {
		marks := instants(t, "steps", grid, end, 12, true)
		for i := 1; i < len(marks); i++ {
			if rapid.IntRange(0, 4).Draw(t, "gap") == 0 {
				continue
			}
			s := Step{From: marks[i-1], To: marks[i], Rate: rapid.Float64Range(0, 500).Draw(t, "rate"), Requests: rapid.Int64Range(0, 1e6).Draw(t, "requests")}
			s.Errors = rapid.Int64Range(0, s.Requests).Draw(t, "errors")
			l = append(l, s)
		}
		return l
	})
}

// near says whether two sums of the same terms agree but for the order in which they were added.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }
