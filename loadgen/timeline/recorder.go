package timeline

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Recorder collects a Timeline while it happens. It is safe for concurrent use, and a report that comes in late
// takes the place that its instant gives it.
//
// Instants before 0 are taken as 0: what was there before the clock began.
type Recorder struct {
	mu    sync.Mutex
	t     Timeline
	tasks map[string]int // index of a task by its ID
}

// NewRecorder starts a Timeline with these bounds on desired capacity, in which nothing has happened yet.
func NewRecorder(speedup float64, low, high int) *Recorder {
	return &Recorder{t: Timeline{Speedup: speedup, Min: low, Max: high}, tasks: map[string]int{}}
}

// Point records the capacity from p.At on. One that changes nothing is dropped, one at the instant of the last one
// replaces it. Points are told in order: one that is earlier than the last one, because two reports overtook each
// other, is the newer knowledge all the same, and holds from the last one's instant on.
func (r *Recorder) Point(p Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Points = appendPoint(r.t.Points, p)
}

// Change records a change of the capacity that was last recorded, or of none.
func (r *Recorder) Change(at time.Duration, f func(p *Point)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var p Point
	if n := len(r.t.Points); n > 0 {
		p = r.t.Points[n-1]
	}
	f(&p)
	p.At = at
	r.t.Points = appendPoint(r.t.Points, p)
}

func appendPoint(points []Point, p Point) []Point {
	p.At = max(p.At, 0)
	n := len(points)
	if n > 0 {
		p.At = max(p.At, points[n-1].At)
	}
	if n > 0 && points[n-1].At == p.At {
		points, n = points[:n-1], n-1
	}
	if n > 0 && points[n-1].sameCapacity(p) {
		return points
	}
	return append(points, p)
}

func (p Point) sameCapacity(other Point) bool {
	p.At = other.At
	return p == other
}

// Metric records a datapoint, or that there was none.
func (r *Recorder) Metric(d Datum) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.At = max(d.At, 0)
	r.t.Metrics = append(r.t.Metrics, d)
}

// Alarm records an alarm taking a state. One that it was last recorded in already is no change, and dropped.
func (r *Recorder) Alarm(a AlarmChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, last := range slices.Backward(r.t.Alarms) {
		if last.Alarm == a.Alarm {
			if last.State == a.State {
				return
			}
			break
		}
	}
	a.At = max(a.At, 0)
	r.t.Alarms = append(r.t.Alarms, a)
}

// Activity records a scaling activity, and returns its number for UpdateActivity.
func (r *Recorder) Activity(a Activity) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Activities = append(r.t.Activities, a.kept())
	return len(r.t.Activities) - 1
}

// UpdateActivity replaces the activity of that number by what has become of it.
func (r *Recorder) UpdateActivity(n int, a Activity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Activities[n] = a.kept()
}

func (a Activity) kept() Activity {
	a.At, a.Completed = max(a.At, 0), max(a.Completed, 0)
	a.NotScaledReasons = slices.Clone(a.NotScaledReasons)
	return a
}

// Task records a task, or replaces what was recorded of the one with its ID.
func (r *Recorder) Task(task Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	task.Requested = max(task.Requested, 0)
	if i, ok := r.tasks[task.ID]; ok {
		r.t.Tasks[i] = task
		return
	}
	r.tasks[task.ID] = len(r.t.Tasks)
	r.t.Tasks = append(r.t.Tasks, task)
}

// Event records something else that happened.
func (r *Recorder) Event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = max(e.At, 0)
	r.t.Events = append(r.t.Events, e)
}

// Bounds records new bounds on desired capacity. As with points, the last report of an instant holds.
func (r *Recorder) Bounds(b BoundsChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.At = max(b.At, 0)
	r.t.Bounds = slices.DeleteFunc(r.t.Bounds, func(other BoundsChange) bool { return other.At == b.At })
	r.t.Bounds = append(r.t.Bounds, b)
}

// Settings records by what the service scales: see Timeline.Settings.
func (r *Recorder) Settings(settings map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Settings = maps.Clone(settings)
}

// Answers records what the balancer has counted until now.
func (r *Recorder) Answers(a Answers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Answers = &a
}

// Load records when load began and ended. Before it is called there was none.
func (r *Recorder) Load(from, to time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.LoadFrom, r.t.LoadTo = max(from, 0), max(to, 0)
}

// Timeline is what was recorded until end, in order. It is the caller's; recording goes on. What was recorded for a
// time after end is not in it, whichever instant of a task's or of an activity's life that is, nor is load.
func (r *Recorder) Timeline(end time.Duration) *Timeline {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.t
	t.End = max(end, 0)
	t.LoadFrom, t.LoadTo = min(t.LoadFrom, t.End), min(t.LoadTo, t.End)
	t.LoadTo = max(t.LoadTo, t.LoadFrom)
	t.Points = until(t.Points, t.End, func(p Point) time.Duration { return p.At })
	t.Metrics = until(t.Metrics, t.End, func(d Datum) time.Duration { return d.At })
	t.Alarms = until(t.Alarms, t.End, func(a AlarmChange) time.Duration { return a.At })
	t.Activities = until(t.Activities, t.End, func(a Activity) time.Duration { return a.At })
	t.Events = until(t.Events, t.End, func(e Event) time.Duration { return e.At })
	t.Bounds = until(t.Bounds, t.End, func(b BoundsChange) time.Duration { return b.At })
	t.Tasks = until(t.Tasks, t.End, func(k Task) time.Duration { return k.Requested })
	for i := range t.Activities {
		if a := &t.Activities[i]; a.Completed > t.End {
			a.Completed = 0
		}
		t.Activities[i] = t.Activities[i].kept()
	}
	for i := range t.Tasks {
		k := &t.Tasks[i]
		for _, at := range []*time.Duration{&k.Running, &k.Healthy, &k.FirstSent, &k.Draining, &k.Stopped} {
			if *at < 0 || *at > t.End {
				*at = Never
			}
		}
	}
	return &t
}

// until is a list of its own, in order, of what happened until end.
func until[T any](items []T, end time.Duration, at func(T) time.Duration) []T {
	kept := make([]T, 0, len(items))
	for _, item := range items {
		if at(item) <= end {
			kept = append(kept, item)
		}
	}
	slices.SortStableFunc(kept, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return kept
}
