package timeline

import (
	"math"
	"time"
)

// Compute is the figures of a timeline, the load that was offered meanwhile, and what a task can do. t and load are
// ones that Validate accepts; an empty load and a zero capacity are unknown ones.
func Compute(t *Timeline, load Load, capacity Capacity) Figures {
	f := Figures{
		Speedup: t.Speedup,
		Load:    t.span(t.LoadTo - t.LoadFrom - load.held(t.LoadFrom, t.LoadTo)),
		Watched: t.span(t.End - t.LoadFrom),
		Lags:    t.lags(),
	}
	f.levels(t)
	f.ScaleOutPath, f.ScaleInPath = t.paths()
	for _, a := range t.Activities {
		switch {
		case a.At < t.LoadFrom:
		case a.Status == NotScaled:
			f.NotScaled++
		default:
			f.Activities++
		}
	}
	for _, k := range t.Tasks {
		if k.Replaces != "" && k.Requested >= t.LoadFrom {
			f.Replacements++
		}
	}
	if f.Replacements > 0 {
		// While one is there beside the one that it is for, they count as one.
		f.MaxTasks, f.MaxHealthy = min(f.MaxTasks, f.MaxDesired), min(f.MaxHealthy, f.MaxDesired)
	}
	if len(load) > 0 {
		f.Oscillations = new(t.oscillations(load))
	}
	f.ScaleOut = t.scaleOut(f.MaxDesired)
	f.Recovery = t.recovery(f.MaxDesired, f.MaxTasks)
	if from, to, ok := t.Steady(); ok {
		f.Steady = &Stretch{from, to}
	}
	f.TaskHours = t.taskHours(t.LoadFrom, t.End)
	if len(load) > 0 && capacity.Known() {
		f.Provisioning = t.provisioning(load, capacity)
	}
	f.Tasks = t.shares()
	f.forget(t)
	return f
}

// forget makes unknown what rests on a load that there was none of, or on counts that nobody could see.
func (f *Figures) forget(t *Timeline) {
	seen := func(counts ...Count) bool { return t.NotSeen(t.LoadFrom, t.End, counts...) == "" }
	if t.LoadTo == t.LoadFrom {
		f.Lags, f.ScaleOut, f.Recovery = Lags{}, nil, nil
	}
	if !seen(CountRunning) {
		f.Lags.Running, f.Lags.Drain, f.Recovery, f.Steady = nil, nil, nil, nil
	}
	if !seen(CountHealthy) {
		f.Lags.Healthy, f.ScaleOut, f.Steady, f.Provisioning = nil, nil, nil, nil
	}
	if !seen(CountDraining) {
		f.Lags.Drain, f.Recovery, f.Steady = nil, nil, nil
	}
	if !seen(CountDesired) {
		f.ScaleOut, f.Recovery, f.Steady = nil, nil, nil
	}
	for _, c := range []Count{CountDesired, CountRunning, CountHealthy, CountDraining} {
		if !seen(c) {
			f.Unknown = append(f.Unknown, c)
		}
	}
}

// levels are the lowest and the highest counts.
func (f *Figures) levels(t *Timeline) {
	start := t.At(t.LoadFrom)
	f.DesiredBefore = start.Desired
	f.MinTasks, f.MaxTasks = start.Running, start.Running
	f.MinHealthy, f.MaxHealthy = start.Healthy, start.Healthy
	f.MinDesired, f.MaxDesired = start.Desired, start.Desired
	t.visit(t.LoadFrom, func(_ time.Duration, p Point) {
		f.MinTasks, f.MaxTasks = min(f.MinTasks, p.Running), max(f.MaxTasks, p.Running)
		f.MinHealthy, f.MaxHealthy = min(f.MinHealthy, p.Healthy), max(f.MaxHealthy, p.Healthy)
		f.MinDesired, f.MaxDesired = min(f.MinDesired, p.Desired), max(f.MaxDesired, p.Desired)
	})
}

// paths are desired capacity up to the first time, and from the last time, that it was highest.
func (t *Timeline) paths() (out, in []int) {
	all := []int{t.At(t.LoadFrom).Desired}
	for _, c := range t.changes() {
		all = append(all, c.to)
	}
	first, last := 0, 0
	for i, n := range all {
		if n > all[first] {
			first = i
		}
		if n >= all[last] {
			last = i
		}
	}
	return all[: first+1 : first+1], all[last:]
}

func (t *Timeline) oscillations(load Load) (n int) {
	changes := t.changes()
	for i := 1; i < len(changes); i++ {
		before, c := changes[i-1], changes[i]
		if c.out() != before.out() && load.steady(before.at, c.at) && !t.boundsChange(before.at, c.at) {
			n++
		}
	}
	return n
}

// boundsChange says whether the bounds changed after from, and not after to.
func (t *Timeline) boundsChange(from, to time.Duration) bool {
	for _, b := range t.Bounds {
		if b.At > from && b.At <= to {
			return true
		}
	}
	return false
}

func (t *Timeline) scaleOut(highest int) *Span {
	if highest <= t.At(t.LoadFrom).Desired {
		return nil
	}
	asked, _ := t.first(t.LoadFrom, func(p Point) bool { return p.Desired == highest })
	healthy, ok := t.first(asked, func(p Point) bool { return p.Healthy >= highest })
	return t.since(t.LoadFrom, healthy, ok)
}

func (t *Timeline) recovery(highestDesired, highestRunning int) *Span {
	low, _ := t.BoundsAt(t.End)
	if t.LoadTo == t.End || highestDesired <= low && highestRunning <= low {
		return nil
	}
	var from time.Duration
	back := false
	t.visit(t.LoadTo, func(start time.Duration, p Point) {
		switch atMin := p.Desired == low && p.Running <= low && p.Draining == 0; {
		case !atMin:
			back = false
		case !back:
			back, from = true, start
		}
	})
	return t.since(t.LoadTo, from, back)
}

// since is the span from one instant to another one, if that came.
func (t *Timeline) since(from, to time.Duration, ok bool) *Span {
	if !ok {
		return nil
	}
	return new(t.span(to - from))
}

// hours is task-seconds of the run's clock as task-hours of simulated time.
func (t *Timeline) hours(taskSeconds float64) float64 { return taskSeconds * t.Speedup / 3600 }

func (t *Timeline) taskHours(from, to time.Duration) float64 {
	var taskSeconds float64
	t.Between(from, to, func(from, to time.Duration, p Point) {
		taskSeconds += float64(p.Running+p.Draining) * (to - from).Seconds()
	})
	return t.hours(taskSeconds)
}

func (t *Timeline) provisioning(load Load, capacity Capacity) *Provisioning {
	p := &Provisioning{
		PerTask:     capacity.PerTask,
		Utilisation: capacity.share(),
		DuringLoad:  t.accuracy(load, capacity, t.LoadFrom, t.LoadTo),
		Whole:       t.accuracy(load, capacity, t.LoadFrom, t.End),
	}
	if from, to, ok := t.Steady(); ok {
		p.Steady = t.steadySupply(load, capacity, from, to)
	}
	highestSupply, highestDemand := 0, 0
	var requests, errors float64
	t.compare(load, capacity, t.LoadFrom, t.End, func(from, to time.Duration, point Point, s Step, demand int) {
		highestSupply, highestDemand = max(highestSupply, point.Healthy), max(highestDemand, demand)
		p.MaxDemand = max(p.MaxDemand, capacity.Tasks(s.Rate))
		if point.Healthy < demand {
			share := float64(to-from) / float64(s.length())
			requests += float64(s.Requests) * share
			errors += float64(s.Errors) * share
		}
	})
	p.Overshoot = max(0, highestSupply-highestDemand)
	p.RequestsUnder, p.ErrorsUnder = int64(math.Round(requests)), int64(math.Round(errors))
	return p
}

// steadySupply is supply against demand in [from, to), which is some time.
func (t *Timeline) steadySupply(load Load, capacity Capacity, from, to time.Duration) *SteadySupply {
	s := SteadySupply{MinHealthy: t.At(from).Healthy}
	var under time.Duration
	t.compare(load, capacity, from, to, func(from, to time.Duration, p Point, _ Step, demand int) {
		s.MaxDemand, s.MinHealthy = max(s.MaxDemand, demand), min(s.MinHealthy, p.Healthy)
		if p.Healthy < demand {
			under += to - from
		}
	})
	s.Under = t.span(under)
	return &s
}

// accuracy integrates supply against demand over [from, to).
func (t *Timeline) accuracy(load Load, capacity Capacity, from, to time.Duration) *Accuracy {
	total := (to - from - load.held(from, to)).Seconds()
	if total <= 0 || len(t.Points) == 0 {
		return nil
	}
	var a Accuracy
	var under, over time.Duration
	var paid, ideal float64
	moved, supplied, demanded := 0, -1, -1
	t.compare(load, capacity, from, to, func(from, to time.Duration, p Point, _ Step, demand int) {
		if supplied >= 0 {
			moved += abs(p.Healthy-supplied) - abs(demand-demanded)
		}
		supplied, demanded = p.Healthy, demand
		dt := (to - from).Seconds()
		if missing := demand - p.Healthy; missing > 0 {
			a.AUnder += float64(missing) * dt
			a.ThetaUnder += float64(missing) / float64(max(demand, 1)) * dt
			under += to - from
		} else if missing < 0 {
			a.AOver += float64(-missing) * dt
			a.ThetaOver += float64(-missing) / float64(max(demand, 1)) * dt
			over += to - from
		}
		paid += float64(p.Running+p.Draining) * dt
		ideal += float64(demand) * dt
	})
	for _, sum := range []*float64{&a.AUnder, &a.AOver, &a.ThetaUnder, &a.ThetaOver} {
		*sum /= total
	}
	a.ThetaUnder *= 100
	a.ThetaOver *= 100
	a.TauUnder, a.TauOver = 100*under.Seconds()/total, 100*over.Seconds()/total
	a.Under, a.Over = t.span(under), t.span(over)
	a.JitterPerHour = float64(moved) / t.hours(total)
	a.TaskHours, a.IdealTaskHours = t.hours(paid), t.hours(ideal)
	return &a
}

// compare calls f for each stretch of [from, to) in which neither capacity, nor load, nor bounds change, but for those
// in which the load is held.
func (t *Timeline) compare(load Load, capacity Capacity, from, to time.Duration, f func(from, to time.Duration, p Point, s Step, demand int)) {
	low, bounds, next := t.Min, t.Bounds, 0 // of bounds, those that are not yet in force
	t.Between(from, to, func(from, to time.Duration, p Point) {
		load.between(from, to, func(from, to time.Duration, s Step) {
			for from < to && !s.Held {
				for ; next < len(bounds) && bounds[next].At <= from; next++ {
					low = bounds[next].Min
				}
				end := to
				if next < len(bounds) {
					end = min(end, bounds[next].At)
				}
				f(from, end, p, s, max(capacity.Tasks(s.Rate), low))
				from = end
			}
		})
	})
}

func abs(n int) int { return max(n, -n) }

func (t *Timeline) shares() []TaskShare {
	all := int64(0)
	for _, k := range t.Tasks {
		all += k.Requests
	}
	return convert(t.Tasks, func(_ int, k Task) TaskShare {
		s := TaskShare{ID: k.ID, Zone: k.Zone, Requests: k.Requests, Errors: k.Errors}
		if all > 0 {
			s.Share = new(float64(k.Requests) / float64(all))
		}
		if served := k.served(t.LoadFrom, t.LoadTo).Seconds(); served > 0 {
			s.Rate = new(float64(k.Requests) / served)
		}
		return s
	})
}

// served is how long the task was healthy in [from, to).
func (t Task) served(from, to time.Duration) time.Duration {
	if t.Healthy < 0 {
		return 0
	}
	for _, end := range []time.Duration{t.Draining, t.Stopped} {
		if end >= 0 {
			to = min(to, end)
		}
	}
	return max(0, to-max(from, t.Healthy))
}
