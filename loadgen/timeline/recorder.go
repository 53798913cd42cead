package timeline

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Recorder makes facts of what a service does while it does it, and a Timeline of them. It is safe for concurrent use, and a report
// that comes in late takes the place that its instant gives it.
//
// Instants before 0 are taken as 0: what was there before the clock began.
type Recorder struct {
	mu     sync.Mutex
	ledger Ledger
	news   []Fact // not taken yet
	known  time.Duration

	service Service
	point   *Fact                 // the last one
	alarms  map[string]AlarmState // as last recorded
	next    map[string]int        // of each kind: how many have an ID
}

// NewRecorder starts a Timeline with these bounds on desired capacity, in which nothing has happened yet.
func NewRecorder(speedup float64, low, high int) *Recorder {
	r := &Recorder{service: Service{Speedup: speedup, Min: low, Max: high}, alarms: map[string]AlarmState{}, next: map[string]int{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellService()
	r.tell(Fact{Load: &Loaded{Ended: true}}) // there was none
	return r
}

// tell gives a fact the next instant at which something was known, and takes it.
func (r *Recorder) tell(f Fact) {
	r.known = max(r.known+1, f.At())
	f.Known = r.known
	r.news = append(r.news, r.ledger.Tell(f)...)
}

// id is a new one of a kind.
func (r *Recorder) id(kind string) string {
	r.next[kind]++
	return strconv.Itoa(r.next[kind])
}

// Until says that nothing else was known until an instant of the run's clock.
func (r *Recorder) Until(at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = max(r.known, at)
}

// Facts are those that were recorded since the last call, in order; of several states of one, the last.
func (r *Recorder) Facts() []Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := map[factKey]int{}
	for i, f := range r.news {
		last[factKey{f.Kind(), f.ID}] = i
	}
	var facts []Fact
	for i, f := range r.news {
		if last[factKey{f.Kind(), f.ID}] == i {
			facts = append(facts, f)
		}
	}
	r.news = nil
	return facts
}

// Describe records whose timeline it is, what one of its tasks can do in requests/s, 0 when that is not known, and by what
// it scales: see [Service].
func (r *Recorder) Describe(name string, perTask float64, settings map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.service.Name, r.service.PerTask, r.service.Settings = name, perTask, maps.Clone(settings)
	r.tellService()
}

// Settings records by what the service scales: see Timeline.Settings.
func (r *Recorder) Settings(settings map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.service.Settings = maps.Clone(settings)
	r.tellService()
}

func (r *Recorder) tellService() {
	s := r.service
	r.tell(Fact{Service: &s})
}

// Point records the capacity from p.At on. One that changes nothing is dropped, one at the instant of the last one
// replaces it. Points are told in order: one that is earlier than the last one, because two reports overtook each
// other, is the newer knowledge all the same, and holds from the last one's instant on.
func (r *Recorder) Point(p Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellPoint(p)
}

// Change records a change of the capacity that was last recorded, or of none.
func (r *Recorder) Change(at time.Duration, f func(p *Point)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var p Point
	if r.point != nil {
		p = *r.point.Point
	}
	f(&p)
	p.At = at
	r.tellPoint(p)
}

func (r *Recorder) tellPoint(p Point) {
	p.At = max(p.At, 0)
	id := ""
	if last := r.point; last != nil {
		p.At = max(p.At, last.Point.At)
		switch {
		case last.Point.At == p.At:
			id = last.ID
		case last.Point.sameCapacity(p):
			return
		}
	}
	if id == "" {
		id = r.id(kindPoint)
	}
	r.point = &Fact{ID: id, Point: &p}
	r.tell(*r.point)
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
	r.tell(Fact{ID: r.id(kindDatum), Datum: &d})
}

// Alarm records an alarm taking a state. One that it was last recorded in already is no change, and dropped.
func (r *Recorder) Alarm(a AlarmChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alarms[a.Alarm] == a.State {
		return
	}
	r.alarms[a.Alarm] = a.State
	a.At = max(a.At, 0)
	r.tell(Fact{ID: r.id(kindAlarm), Alarm: &a})
}

// Activity records a scaling activity, and returns its number for UpdateActivity: how many were recorded before.
func (r *Recorder) Activity(a Activity) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a = a.kept()
	r.tell(Fact{ID: r.id(kindActivity), Activity: &a})
	return r.next[kindActivity] - 1
}

// UpdateActivity replaces the activity of that number by what has become of it.
func (r *Recorder) UpdateActivity(n int, a Activity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a = a.kept()
	r.tell(Fact{ID: strconv.Itoa(n + 1), Activity: &a})
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
	r.tell(Fact{ID: task.ID, Task: &task})
}

// Event records something else that happened.
func (r *Recorder) Event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = max(e.At, 0)
	r.tell(Fact{ID: r.id(kindEvent), Event: &e})
}

// Bounds records new bounds on desired capacity. As with points, the last report of an instant holds.
func (r *Recorder) Bounds(b BoundsChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.At = max(b.At, 0)
	r.tell(Fact{ID: r.id(kindBounds), Bounds: &b})
}

// Answers records what the balancer has counted until now.
func (r *Recorder) Answers(a Answers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(Fact{Answers: &a})
}

// Load records when load began and ended. Before it or [Recorder.LoadFrom] is called there was none.
func (r *Recorder) Load(from, to time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(Fact{Load: &Loaded{From: max(from, 0), To: max(to, 0), Ended: true}})
}

// LoadFrom records when load began; it goes on until Load says when it ended.
func (r *Recorder) LoadFrom(from time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(Fact{Load: &Loaded{From: max(from, 0)}})
}

// Timeline is what was recorded until end: see [Ledger.Timeline].
func (r *Recorder) Timeline(end time.Duration) *Timeline {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ledger.Timeline(end)
}
