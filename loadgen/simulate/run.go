package simulate

import (
	"math"
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
	// MaxTasks is the most that ran at once, draining ones not included.
	MaxTasks int
	// FirstWanted is what the first activity's policy asked for, before the bounds: how far a target is from what the
	// service can be. Later decisions multiply datapoints of fewer tasks by more, and say less.
	FirstWanted int
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
	r := run{cfg: &c, scaler: scaler, service: s}
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
		s.advance(at)
		if s.step() {
			r.scaler.Settle(at, s.counts.Running, s.counts.Draining)
		}
		if at == periodEnd {
			r.ended++
			r.pending = append(r.pending, s.values())
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

// judge gives a period's datapoints to the autoscaler, and does what it says.
func (r *run) judge(period int) {
	s := r.service
	d := r.scaler.Step(autoscaling.Observation{
		Period: period, At: s.now, Running: s.counts.Running, Draining: s.counts.Draining, Values: r.pending[0],
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
	return s.now >= r.cfg.Load.End() &&
		s.counts.Desired == r.cfg.Min && s.counts.Running == r.cfg.Min && s.counts.Draining == 0
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
		Speedup: 1, LoadTo: r.cfg.Load.End(), End: s.now, Min: r.cfg.Min, Max: r.cfg.Max,
	}
	sum := Summary{
		UnderProvisioned: time.Duration(math.Round(s.under * 1e9)),
		TaskHours:        s.taskHours / 3600,
		FirstWanted:      r.wanted,
		FirstActivity:    timeline.Never, AllHealthy: timeline.Never, BackToMin: r.back,
	}
	for _, p := range t.Points {
		sum.MaxTasks = max(sum.MaxTasks, p.Running)
	}
	for _, a := range t.Activities {
		if a.From == a.To {
			continue
		}
		if sum.Activities == 0 {
			sum.FirstActivity = a.At
		}
		sum.Activities++
	}
	if sum.Activities == 0 {
		sum.BackToMin = timeline.Never
	}
	for _, task := range t.Tasks {
		if task.Requested > 0 {
			sum.AllHealthy = max(sum.AllHealthy, task.Healthy)
		}
	}
	return Result{Timeline: t, Summary: sum}
}
