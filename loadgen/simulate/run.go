package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

// Result is what became of the service.
type Result struct {
	Timeline timeline.Timeline
	Summary  Summary
}

// Summary is a run in a row of figures.
type Summary struct {
	// UnderProvisioned is for how long the load was above what the healthy tasks can do together.
	UnderProvisioned time.Duration
	// TaskHours are those of running and draining tasks until the end, as timeline.Figures has them.
	TaskHours float64
	// MaxTasks is the most that ran at once of those that were desired: draining ones not included, nor those beside which
	// a replacement runs.
	MaxTasks int
	// FirstWanted is what the first activity's policy asked for, before the bounds: how far a target is from what the
	// service can be. Later decisions multiply datapoints of fewer tasks by more, and say less.
	FirstWanted int
	// Decided are the policies that decided, each once, in order of the activities; "a bound" where one was moved.
	Decided string
	// Activities are the changes of the desired count.
	Activities int
	// FirstActivity is when the first of them began, AllHealthy when the last new task became healthy, BackToMin
	// when the service was last back at its minimum with everything drained, after the load; each may be
	// timeline.Never, BackToMin also when nothing happened.
	FirstActivity, AllHealthy, BackToMin time.Duration
}

// Run simulates c. Errors are those of [Config.Validate].
func Run(c Config) (Result, error) {
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	scaler, err := autoscaling.New(c.Config)
	if err != nil {
		return Result{}, err
	}
	s := newService(&c, scaler.Desired())
	r := run{cfg: &c, scaler: scaler, service: s, events: inOrder(c.Events)}
	r.loop()
	return r.result(), nil
}

type run struct {
	cfg     *Config
	scaler  *autoscaling.Scaler
	service *service
	pending []map[string]float64 // datapoints of ended periods that are not seen yet, oldest first
	ended   int                  // periods that have ended
	wanted  int                  // by the first activity
	scaled  bool
	back    time.Duration
	events  []Event // that have not happened yet
	bounds  []timeline.BoundsChange
	told    []timeline.Event
}

// loop goes from one instant to the next at which something happens. At one instant tasks step first, then the
// period ends, then its datapoints are seen.
func (r *run) loop() {
	s := r.service
	last := r.cfg.Load.End() + r.cfg.Recovery
	r.back = timeline.Never
	for {
		periodEnd := time.Duration(r.ended+1) * r.cfg.Period
		judged, due := r.scaler.Next()
		at := min(s.next(), periodEnd, due, last)
		if len(r.events) > 0 {
			at = min(at, r.events[0].At)
		}
		s.advance(at)
		if s.step() {
			r.scaler.Settle(at, s.counts.Running, s.counts.Draining)
		}
		for len(r.events) > 0 && r.events[0].At == at {
			r.happen(r.events[0])
			r.events = r.events[1:]
		}
		if at == periodEnd {
			r.ended++
			r.pending = append(r.pending, s.values(r.ended))
		}
		if at == due {
			r.judge(judged)
		}
		if r.settled() {
			if r.back < 0 {
				r.back = at
			}
			if !r.cfg.Whole && r.idle() {
				return
			}
		} else {
			r.back = timeline.Never
		}
		if at == last {
			return
		}
	}
}

// happen lets an event happen, now.
func (r *run) happen(e Event) {
	s := r.service
	low, high := r.scaler.Bounds()
	switch e.Kind {
	case SetMin, SetMax:
		if e.Kind == SetMin {
			low = e.N
		} else {
			high = e.N
		}
		d, _ := r.scaler.SetBounds(s.now, low, high) // Validate has been through all of them
		if n := len(r.bounds); n > 0 && r.bounds[n-1].At == s.now {
			r.bounds = r.bounds[:n-1]
		}
		r.bounds = append(r.bounds, timeline.BoundsChange{At: s.now, Min: low, Max: high})
		if d.To != d.From {
			s.scale(d.To)
		}
		r.tell("bounds", fmt.Sprintf("min %d, max %d", low, high))
	case Deploy:
		r.tell("deployment", fmt.Sprintf("%d tasks are replaced, and scale-in is off meanwhile", len(s.stays)))
		s.replace(len(s.stays), true)
	case Rebalance:
		r.tell("zone-rebalancing", fmt.Sprintf("%d tasks are replaced: not scaling", min(e.N, len(s.stays))))
		s.replace(e.N, false)
	}
}

func (r *run) tell(kind, detail string) {
	r.told = append(r.told, timeline.Event{At: r.service.now, Type: kind, Detail: detail})
}

// judge gives a period's datapoints to the autoscaler, and does what it says.
func (r *run) judge(period int) {
	s := r.service
	d := r.scaler.Step(autoscaling.Observation{
		Period: period, At: s.now, Running: s.counts.Running, Draining: s.counts.Draining, Deploying: s.deploying(), Values: r.pending[0],
	})
	r.pending = r.pending[1:]
	if d.To != d.From {
		if !r.scaled {
			r.scaled, r.wanted = true, d.Wanted
		}
		s.scale(d.To)
	}
}

// settled reports whether load is over and the service is at its minimum with nothing on its way.
func (r *run) settled() bool {
	s := r.service
	low, _ := r.scaler.Bounds()
	return s.now >= r.cfg.Load.End() && len(r.events) == 0 && len(s.moving) == 0 &&
		s.counts.Desired == low && s.counts.Running == low && s.counts.Draining == 0
}

// idle reports whether a whole period without load was judged: until then a scale-out may still come.
func (r *run) idle() bool {
	next, _ := r.scaler.Next()
	return time.Duration(next-2)*r.cfg.Period >= r.cfg.Load.End()
}

func (r *run) result() Result {
	s := r.service
	t := timeline.Timeline{
		Points: s.points, Metrics: r.scaler.Metrics(), Alarms: r.scaler.AlarmChanges(),
		Activities: r.scaler.Activities(), Tasks: s.finish(),
		Bounds: r.bounds, Events: r.told, Settings: r.cfg.settings(),
		Speedup: 1, LoadTo: r.cfg.Load.End(), End: s.now, Min: r.cfg.Min, Max: r.cfg.Max,
	}
	// With periods of 20 s beside a balancer's minute, some were seen late.
	slices.SortStableFunc(t.Metrics, func(a, b timeline.Datum) int { return cmp.Compare(a.At, b.At) })
	sum := Summary{
		UnderProvisioned: time.Duration(math.Round(s.under * 1e9)),
		TaskHours:        s.taskHours / 3600,
		FirstWanted:      r.wanted,
		FirstActivity:    timeline.Never, AllHealthy: timeline.Never, BackToMin: r.back,
	}
	var decided []string
	for _, p := range t.Points {
		sum.MaxTasks = max(sum.MaxTasks, min(p.Running, p.Desired))
	}
	for _, a := range t.Activities {
		if a.From == a.To {
			continue
		}
		if sum.Activities == 0 {
			sum.FirstActivity = a.At
		}
		sum.Activities++
		by := cmp.Or(a.Policy, "a bound")
		if !slices.Contains(decided, by) {
			decided = append(decided, by)
		}
	}
	sum.Decided = strings.Join(decided, ", ")
	if sum.Activities == 0 {
		sum.BackToMin = timeline.Never
	}
	for _, task := range t.Tasks {
		if task.Requested > 0 && task.Replaces == "" {
			sum.AllHealthy = max(sum.AllHealthy, task.Healthy)
		}
	}
	return Result{Timeline: t, Summary: sum}
}
