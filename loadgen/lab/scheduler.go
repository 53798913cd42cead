package lab

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// scheduler is ECS's service scheduler: it keeps as many tasks as are desired, in two zones, and replaces those that die
// or fail their health checks. Each task has a goroutine that lives its life; see life.go.
type scheduler struct {
	cfg      Config
	balancer *balancer
	launcher launcher
	spare    *standbys // of programs; nil otherwise
	recorder *timeline.Recorder
	now      func() time.Duration // the run's clock
	changed  chan struct{}        // of capacity 1: there is something new in capacity

	ctx   context.Context
	end   context.CancelFunc
	lives sync.WaitGroup

	mu       sync.Mutex
	tasks    []*task // all there ever were
	desired  int
	down     map[string]int // how many chaos events hold a zone down
	moved    chan struct{}  // closed and replaced when a zone comes back
	failures int            // launches in a row that failed
	failed   error          // the first replica that died by itself or did not start
	crashes  crashes        // all of them
	idle     []idleReading
	most     int           // tasks that there are ever to be, standbys included
	ahead    bool          // standbys are kept
	hurry    chan struct{} // closed when programs that are ending are to be killed
	retired  group         // programs that are ending
	closing  bool
}

func newScheduler(cfg Config, b *balancer, l launcher, rec *timeline.Recorder, now func() time.Duration) *scheduler {
	s := &scheduler{
		cfg: cfg, balancer: b, launcher: l, recorder: rec, now: now,
		changed: make(chan struct{}, 1), down: map[string]int{}, moved: make(chan struct{}),
		most: cfg.Scaling.Max, hurry: make(chan struct{}),
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	if l != nil && l.slow() {
		s.spare = newStandbys(s.launchReady, s.standbyFailed, max(1, runtime.NumCPU()/2))
	}
	return s
}

// cause is why a task is started.
type cause int

const (
	before      cause = iota // it is there before the load
	scaling                  // more are desired
	replacement              // another is gone
)

// setDesired is what the autoscaler asks for.
func (s *scheduler) setDesired(n int, why cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desired = n
	s.reconcile(why)
}

// standBy keeps so many standbys that all tasks there may be have one.
func (s *scheduler) standBy() {
	if s.spare == nil || !s.ahead || s.closing {
		return
	}
	s.spare.keep(max(0, s.most-s.count(func(t *task) bool { return !t.over && (t.replica != nil || t.holds) })))
}

// standbyFailed remembers a program that did not start ahead, or ended while it waited.
func (s *scheduler) standbyFailed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.fail("a standby", err)
	s.event(EventFailed, "a standby: "+err.Error())
}

// reconcile starts what is missing and lets go what is too much. It is called whenever anything has changed.
func (s *scheduler) reconcile(why cause) {
	if s.closing {
		return
	}
	for missing := s.desired - s.count((*task).counted); missing > 0; missing-- {
		t := s.add(why == before)
		if lost := s.unreplaced(); lost != nil && why != before {
			lost.replaced = true
			t.life.Replaces = lost.id
			s.recorder.Task(t.life)
			s.event(EventReplacing, fmt.Sprintf("%s in zone %s for %s (%s); this is no scaling", t.id, t.life.Zone, lost.id, lost.why()))
		}
	}
	for surplus := s.count((*task).counted) - s.desired; surplus > 0; surplus-- {
		s.letGo(s.surplus(), ReasonScaleIn)
	}
	// A task whose checks fail is kept until there is a healthy one in its place: an unhealthy one may still answer, and
	// when all are unhealthy it is the only hope.
	for _, t := range s.tasks {
		if t.condemned && !t.draining && !t.stopped && s.count(func(t *task) bool { return t.counted() && t.healthy }) >= s.desired {
			s.letGo(t, ReasonHealth)
		}
	}
	s.standBy()
	s.publish()
}

// unreplaced is the first task that is gone, or is going, without anybody having desired fewer, and has no other in its place
// yet; nil when each has. What more is desired comes on top, and is scaling.
func (s *scheduler) unreplaced() *task {
	for _, t := range s.tasks {
		if !t.counted() && !t.replaced && !strings.HasPrefix(t.life.Reason, ReasonScaleIn) {
			return t
		}
	}
	return nil
}

func (s *scheduler) count(is func(*task) bool) (n int) {
	for _, t := range s.tasks {
		if is(t) {
			n++
		}
	}
	return n
}

// publish tells the timeline and the controller what capacity is.
func (s *scheduler) publish() {
	s.recorder.Point(s.capacity())
	select {
	case s.changed <- struct{}{}:
	default: // whoever is told looks at what is then
	}
}

func (s *scheduler) capacity() timeline.Point {
	return timeline.Point{
		At:       s.now(),
		Desired:  s.desired,
		Running:  s.count((*task).runs),
		Healthy:  s.count(func(t *task) bool { return t.runs() && t.healthy }),
		Draining: s.count(func(t *task) bool { return t.replica != nil && t.draining && !t.stopped }),
	}
}

// point is the capacity now.
func (s *scheduler) point() timeline.Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.capacity()
}

func (s *scheduler) add(first bool) *task {
	t := &task{number: len(s.tasks) + 1, first: first, wait: backoff(s.failures)}
	t.id = "task-" + strconv.Itoa(t.number)
	t.life = timeline.Task{
		ID: t.id, Requested: s.now(), Running: timeline.Never, Healthy: timeline.Never,
		FirstSent: timeline.Never, Draining: timeline.Never, Stopped: timeline.Never,
	}
	t.leave, t.goes = context.WithCancel(s.ctx)
	t.death, t.dies = context.WithCancel(s.ctx)
	s.place(t)
	s.tasks = append(s.tasks, t)
	s.recorder.Task(t.life)
	s.lives.Go(func() { s.live(t) })
	return t
}

// backoff is how long the next task waits after so many in a row that did not start, as ECS throttles a service whose
// tasks cannot: 1 s, 2 s, 4 s … of real time, at most 30 s.
func backoff(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	return min(time.Second<<min(failures-1, 5), 30*time.Second)
}

// place gives t the zone with fewest tasks among those that are up, the first of equals; none when all are down.
func (s *scheduler) place(t *task) {
	fewest := -1
	for _, zone := range zones() {
		n := s.count(func(other *task) bool { return other.counted() && other.life.Zone == zone })
		if s.down[zone] == 0 && (fewest < 0 || n < fewest) {
			t.life.Zone, fewest = zone, n
		}
	}
}

// surplus is the task that a scale-in takes: of the zone with most tasks, the first of equals, one that does not
// serve yet, else the youngest.
func (s *scheduler) surplus() *task {
	return s.choose(func(t, than *task) bool {
		if t.healthy != than.healthy {
			return !t.healthy
		}
		return t.number > than.number
	}, (*task).counted)
}

// choose is the best task of the zone with most of those that are meant; nil when there is none.
func (s *scheduler) choose(better func(t, than *task) bool, meant func(*task) bool) (best *task) {
	most, zone := 0, ""
	for _, z := range append(zones(), "") {
		n := s.count(func(t *task) bool { return meant(t) && t.life.Zone == z })
		if n > most {
			most, zone = n, z
		}
	}
	for _, t := range s.tasks {
		if meant(t) && t.life.Zone == zone && (best == nil || better(t, best)) {
			best = t
		}
	}
	return best
}

// letGo begins a task's orderly end.
func (s *scheduler) letGo(t *task, reason string) {
	t.draining = true
	t.life.Reason = reason
	if t.target != nil && !t.hasty {
		s.balancer.deregister(t.target)
	}
	if t.replica != nil {
		t.life.Draining = s.now()
	}
	s.recorder.Task(t.life)
	s.event(EventDraining, t.id+" in zone "+t.life.Zone+": "+reason)
	t.goes()
}

// killTask kills the oldest healthy task of the zone with most tasks, and says which.
func (s *scheduler) killTask(by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.choose(func(t, than *task) bool { return t.number < than.number }, func(t *task) bool { return t.runs() && t.healthy })
	if t == nil {
		s.event(EventChaos, by+": there is no healthy task to kill")
		return
	}
	s.event(EventChaos, fmt.Sprintf("%s: %s in zone %s dies", by, t.id, t.life.Zone))
	s.murder(t)
	s.reconcile(replacement)
}

// killZone takes a zone down with every task in it.
func (s *scheduler) killZone(zone, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[zone]++
	n := 0
	for _, t := range s.tasks {
		if t.life.Zone == zone && !t.stopped {
			s.murder(t)
			n++
		}
	}
	s.event(EventChaos, fmt.Sprintf("%s: zone %s is down with %d tasks", by, zone, n))
	s.reconcile(replacement)
}

// stopTask is what StopTask does to the oldest healthy task of the zone with most tasks, and a Spot interruption too.
func (s *scheduler) stopTask(by, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.choose(func(t, than *task) bool { return t.number < than.number }, func(t *task) bool { return t.runs() && t.healthy })
	if t == nil {
		s.event(EventChaos, by+": there is no healthy task to stop")
		return
	}
	s.event(EventChaos, fmt.Sprintf("%s: %s in zone %s gets SIGTERM and is deregistered at once", by, t.id, t.life.Zone))
	t.hasty = true
	s.letGo(t, reason)
	s.reconcile(replacement)
}

// murder ends a task at once. Requests in flight there fail, and so do those that are sent to it until health checks have
// found that it is gone.
func (s *scheduler) murder(t *task) {
	t.life.Reason = ReasonKilled
	s.stopped(t)
	t.dies()
	t.goes()
}

func (s *scheduler) zoneUp(zone, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[zone]--
	if s.down[zone] > 0 {
		return
	}
	close(s.moved)
	s.moved = make(chan struct{})
	s.event(EventChaos, by+": zone "+zone+" is up again")
}

// stopped notes that a task is no more.
func (s *scheduler) stopped(t *task) {
	if t.stopped {
		return
	}
	t.stopped = true
	t.life.Stopped = s.now()
	s.recorder.Task(t.life)
}

func (s *scheduler) event(kind, detail string) {
	s.recorder.Event(timeline.Event{At: s.now(), Type: kind, Detail: detail})
	s.cfg.Log.Info(kind, "detail", detail)
}

// fail keeps a failure of a replica that nobody caused.
func (s *scheduler) fail(name string, err error) {
	s.crashes.add(name, s.now(), err)
	if s.failed == nil {
		s.failed = err
	}
}

func (s *scheduler) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// usage is the CPU used since it was last asked, as a share of what the tasks that run, and do not drain, may use; not
// ok when there is none or it cannot be known.
func (s *scheduler) usage() (share float64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used, could := 0.0, 0.0
	for _, t := range s.tasks {
		if !t.runs() {
			continue
		}
		total, known := t.replica.used()
		if !known {
			continue
		}
		now := time.Now()
		if !t.usedAt.IsZero() {
			used += max(0, total-t.used)
			could += now.Sub(t.usedAt).Seconds()
		}
		t.used, t.usedAt = total, now
	}
	return used / could, could > 0
}

// note brings what the balancer knows of the tasks into the timeline.
func (s *scheduler) note(clock func(time.Time) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.target == nil {
			continue
		}
		requests, errors, firstSent := s.balancer.shares(t.target)
		t.life.Requests, t.life.Errors = requests, errors
		if !firstSent.IsZero() {
			t.life.FirstSent = clock(firstSent)
		}
		s.recorder.Task(t.life)
	}
}

// outputs is the last lines of each program, by task.
func (s *scheduler) outputs() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]string{}
	for _, t := range s.tasks {
		if t.replica != nil {
			if lines := t.replica.output(); len(lines) > 0 {
				all[t.id] = lines
			}
		}
	}
	return all
}

// close ends every task and waits for it.
func (s *scheduler) close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.end()
	s.lives.Wait()
	if s.spare != nil {
		s.spare.close(s.halt)
	}
}

// running is a copy of each task that runs.
func (s *scheduler) running() (all []task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.runs() {
			all = append(all, *t)
		}
	}
	return all
}
