package simulate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// service is the tasks and what the load makes of them.
type service struct {
	cfg    *Config
	load   plan.Curve
	now    time.Duration
	tasks  []task // in order of their request
	moving []int  // those that have a next step
	stays  []int  // those that have not been told to leave, in order of their request
	counts timeline.Point
	points []timeline.Point

	period window  // of the period under way
	asked  float64 // requests to each healthy task in the balancer's period under way

	share     float64 // requests to each healthy task so far
	under     float64 // seconds
	taskHours float64 // in seconds until the end
}

// task is a replica, and its next step.
type task struct {
	timeline.Task
	next  step
	due   time.Duration
	share float64 // service.share when it became healthy

	instead  int  // the task that it replaces, as an index; none
	deployed bool // it comes or goes with a deployment that is not over for it
}

const none = -1

type step int

const (
	toRun step = iota
	toPass
	stay
	toStop
	gone
)

// window is what a period's datapoints are made of.
type window struct {
	perTarget      float64 // requests to each healthy task
	healthy        bool    // some task was, for some time
	done           float64 // requests that the healthy tasks could do
	runningSeconds float64 // seconds of running tasks
}

func newService(c *Config, desired int) *service {
	s := &service{cfg: c, load: c.Load.Curve()}
	for i := range desired {
		s.tasks = append(s.tasks, s.newTask(stay, 0))
		s.stays = append(s.stays, i)
	}
	s.counts = timeline.Point{Desired: desired, Running: desired, Healthy: desired}
	s.points = append(s.points, s.counts)
	return s
}

func (s *service) newTask(next step, due time.Duration) task {
	t := timeline.Task{
		ID: fmt.Sprintf("task-%d", len(s.tasks)+1), Requested: s.now,
		Running: timeline.Never, Healthy: timeline.Never, FirstSent: timeline.Never,
		Draining: timeline.Never, Stopped: timeline.Never,
	}
	if next == stay {
		t.Running, t.Healthy = s.now, s.now
	}
	return task{Task: t, next: next, due: due, instead: none}
}

// next is when a task takes its next step.
func (s *service) next() time.Duration {
	next := time.Duration(math.MaxInt64)
	for _, i := range s.moving {
		next = min(next, s.tasks[i].due)
	}
	return next
}

// advance lets the load run until to, with the capacity there is.
func (s *service) advance(to time.Duration) {
	running, healthy := float64(s.counts.Running), float64(s.counts.Healthy)
	limit := healthy * s.cfg.TaskCapacity
	for stretch := range s.load.Between(s.now, to) {
		requests := stretch.Area()
		over, excess := stretch.Above(limit)
		s.under += over
		if healthy > 0 {
			done, asked := requests-excess, requests
			if s.cfg.Closed {
				asked = done
			}
			s.period.healthy = true
			s.period.perTarget += asked / healthy
			s.period.done += done
			s.share += asked / healthy
		}
	}
	seconds := (to - s.now).Seconds()
	s.period.runningSeconds += running * seconds
	s.taskHours += (running + float64(s.counts.Draining)) * seconds
	s.now = to
}

// values are the datapoints of the period that ends, counted from 1, and the next one begins. A p99 is that of a whole period
// of the balancer.
func (s *service) values(period int) map[string]float64 {
	w, values := s.period, make(map[string]float64, 2)
	s.period = window{}
	if w.healthy {
		values[autoscaling.MetricRequests] = w.perTarget
	}
	s.asked += w.perTarget
	if every := max(s.cfg.Balancer.Every, 1); period%every == 0 {
		if len(s.cfg.Latency) > 0 && s.asked > 0 {
			p99 := s.cfg.Latency.At(s.asked / (float64(every) * s.cfg.Period.Seconds()))
			values[autoscaling.MetricP99] = float64(p99) / float64(time.Millisecond)
		}
		s.asked = 0
	}
	if w.runningSeconds > 0 {
		m := s.cfg.Memory
		values[autoscaling.MetricMemory] = min(m.Base+m.PerRate*w.done/w.runningSeconds, 100)
		values[autoscaling.MetricCPU] = min(w.done/(w.runningSeconds*s.cfg.TaskCapacity)*100, 100)
	}
	return values
}

// step takes every step that is due, and reports whether there was one. A step may let another task begin to move.
func (s *service) step() (any bool) {
	for k := 0; k < len(s.moving); k++ {
		for i := s.moving[k]; s.tasks[i].moves() && s.tasks[i].due <= s.now; any = true {
			s.take(&s.tasks[i])
		}
	}
	s.moving = slices.DeleteFunc(s.moving, func(i int) bool { return !s.tasks[i].moves() })
	if any {
		s.note()
	}
	return any
}

func (t *task) moves() bool { return t.next != stay && t.next != gone }

func (s *service) take(t *task) {
	switch t.next {
	case toRun:
		t.Running, t.next, t.due = s.now, toPass, s.now+s.cfg.Health
		s.counts.Running++
	case toPass:
		t.Healthy, t.next, t.share = s.now, stay, s.share
		s.counts.Healthy++
		if t.instead != none {
			s.takeOver(t)
		}
	case toStop:
		t.Stopped, t.next, t.deployed = s.now, gone, false
		s.counts.Draining--
	}
}

// scale makes the count of tasks that stay what is desired: new ones are asked for, the youngest leave.
func (s *service) scale(desired int) {
	s.counts.Desired = desired
	for len(s.stays) < desired {
		s.stays = append(s.stays, len(s.tasks))
		s.moving = append(s.moving, len(s.tasks))
		s.tasks = append(s.tasks, s.newTask(toRun, s.now+s.cfg.TaskStart.Total()))
	}
	for len(s.stays) > desired {
		youngest := s.stays[len(s.stays)-1]
		s.stays = s.stays[:len(s.stays)-1]
		s.leave(youngest, "scale-in")
	}
	s.note()
}

// replace starts another task for each of the first n that stay; it takes over when it is healthy.
func (s *service) replace(n int, deployment bool) {
	for _, old := range s.stays[:min(n, len(s.stays))] {
		t := s.newTask(toRun, s.now+s.cfg.TaskStart.Total())
		t.Replaces, t.instead, t.deployed = s.tasks[old].ID, old, deployment
		if deployment {
			s.tasks[old].deployed = true
		}
		s.moving = append(s.moving, len(s.tasks))
		s.tasks = append(s.tasks, t)
	}
}

// takeOver puts a task that has become healthy in the place of the one that it is for. When that one has left meanwhile, it
// leaves itself.
func (s *service) takeOver(t *task) {
	reason, deployment := "rebalanced", t.deployed
	if deployment {
		reason = "deployment"
	}
	old := t.instead
	t.instead, t.deployed = none, false
	at := slices.Index(s.stays, old)
	self := slices.IndexFunc(s.tasks, func(other task) bool { return other.ID == t.ID })
	if at < 0 {
		s.leave(self, reason)
		return
	}
	s.stays = append(slices.Delete(s.stays, at, at+1), self)
	s.leave(old, reason)
}

// deploying reports whether a deployment is under way.
func (s *service) deploying() bool {
	return slices.ContainsFunc(s.moving, func(i int) bool { return s.tasks[i].deployed })
}

// leave takes a task out of service. One that does not run yet, because a maximum was set below it, just does not come.
func (s *service) leave(i int, reason string) {
	t := &s.tasks[i]
	t.Reason = reason
	if t.next == toRun {
		t.Stopped, t.next, t.deployed = s.now, gone, false
		return
	}
	if t.next == stay {
		s.close(t)
		s.counts.Healthy--
		s.moving = append(s.moving, i)
	}
	s.counts.Running--
	s.counts.Draining++
	t.Draining, t.next, t.due = s.now, toStop, s.now+s.cfg.Drain
}

// close ends the time in which a task is given requests.
func (s *service) close(t *task) {
	t.Requests = int64(math.Round(s.share - t.share))
	if first, ok := firstAfter(s.load, t.Healthy); ok && first < s.now {
		t.FirstSent = first
	}
}

// note keeps the capacity from now on; of several changes at one instant the last counts.
func (s *service) note() {
	p := s.counts
	p.At = s.now
	if last := len(s.points) - 1; s.points[last].At == s.now {
		s.points[last] = p
	} else {
		s.points = append(s.points, p)
	}
}

// finish is every task's life so far.
func (s *service) finish() []timeline.Task {
	all := make([]timeline.Task, len(s.tasks))
	for i := range s.tasks {
		if s.tasks[i].next == stay {
			s.close(&s.tasks[i])
		}
		all[i] = s.tasks[i].Task
	}
	return all
}
