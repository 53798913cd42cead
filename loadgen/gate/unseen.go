package gate

import "scalableappbackend/loadgen/timeline"

// unseen says which count of capacity, of those that e is about, nobody could see; "" when all that it needs is known.
func (e *Evidence) unseen(x Expr) string {
	if e.Timeline == nil || len(e.Timeline.Unseen) == 0 {
		return ""
	}
	from, to := e.Timeline.LoadFrom, e.Timeline.End
	if x.At == AtEnd {
		from = to
	}
	return e.Timeline.NotSeen(from, to, x.counts()...)
}

// counts are those of a timeline's points that a subject rests on.
func (x Expr) counts() []timeline.Count {
	all := []timeline.Count{timeline.CountDesired, timeline.CountRunning, timeline.CountHealthy, timeline.CountDraining}
	if x.At == AtSteady {
		return all
	}
	switch x.Subject {
	case MaxTasks, MinTasks, Tasks:
		return []timeline.Count{timeline.CountRunning}
	case TaskHours:
		return []timeline.Count{timeline.CountRunning, timeline.CountDraining}
	case MaxHealthy, MinHealthy, Healthy, Overshoot, TimeUnderProvisioned, TimeOverProvisioned:
		return []timeline.Count{timeline.CountHealthy}
	case MaxDesired, MinDesired, Desired, ScaleOutPath, ScaleInPath, Oscillations:
		return []timeline.Count{timeline.CountDesired}
	case Draining:
		return []timeline.Count{timeline.CountDraining}
	case ScaleOutWithin:
		return []timeline.Count{timeline.CountDesired, timeline.CountHealthy}
	case BackToMinWithin:
		return []timeline.Count{timeline.CountDesired, timeline.CountRunning, timeline.CountDraining}
	}
	return nil
}
