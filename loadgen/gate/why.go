package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// whyCount explains a count that was too low (order < 0) or too high.
func (e *Evidence) whyCount(s subject, order int, limit float64) string {
	switch {
	case e.Timeline == nil || !s.grows || order == 0:
		return ""
	case order > 0:
		return e.whyOut()
	case float64(e.Figures.MaxDesired) >= limit:
		return e.whyLost()
	}
	return e.whyNotOut()
}

// whyLate explains what took too long: the steps of the way out, or the first one of the way back.
func (e *Evidence) whyLate(s Subject) string {
	type step struct {
		after *timeline.Span
		name  string
	}
	out, start := e.Figures.Lags, "load's start"
	steps := []step{{out.Alarm, "alarm"}, {out.Decision, "decision"}, {out.Running, "first new task running"}, {out.Healthy, "and healthy"}}
	if s == BackToMinWithin || s == TimeOverProvisioned {
		steps, start = []step{{out.ScaleIn, "first scale-in"}}, "load's end"
	}
	var texts []string
	for _, step := range steps {
		if step.after != nil {
			texts = append(texts, step.name+" after "+e.both(step.after.Run))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return "; from the " + start + ": " + strings.Join(texts, ", ")
}

// whyLost is what became of tasks that were never healthy.
func (e *Evidence) whyLost() string {
	lost := map[string]int{}
	for _, k := range e.Timeline.Tasks {
		if k.Healthy < 0 && k.Stopped >= e.Timeline.LoadFrom && k.Reason != "" {
			lost[shown(k.Reason)]++
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return "; tasks that stopped without ever being healthy: " + strings.Join(few6(mostFirst(lost, func(reason string, n int) string {
		return fmt.Sprintf("%d (%s)", n, reason)
	})), ", ")
}

// mostFirst are texts of what was counted, most often first.
func mostFirst(counts map[string]int, text func(key string, n int) string) []string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, key := range keys {
		keys[i] = text(key, counts[key])
	}
	return keys
}

// whyOut is the first scale-out.
func (e *Evidence) whyOut() string {
	for _, a := range e.Timeline.Activities {
		if a.Status != timeline.NotScaled && a.To > a.From && a.At >= e.Timeline.LoadFrom {
			return fmt.Sprintf("; %s scaled out from %d to %d %s after the load's start", policy(a.Policy), a.From, a.To, e.both(a.At-e.Timeline.LoadFrom))
		}
	}
	return ""
}

// whyNotOut is what kept capacity from growing under load.
func (e *Evidence) whyNotOut() string {
	var why []string
	_, high := e.Timeline.BoundsAt(e.Timeline.LoadTo)
	if reasons := e.notScaled(e.Timeline.LoadFrom, e.Timeline.LoadTo); reasons != "" {
		why = append(why, "not scaled: "+reasons)
	}
	if e.Figures.MaxDesired >= high {
		why = append(why, fmt.Sprintf("the maximum is %d", high))
	} else if e.Figures.Lags.Alarm == nil && len(e.Timeline.Metrics) > 0 {
		why = append(why, "no AlarmHigh went off")
		why = append(why, e.highest()...)
	}
	return because(why)
}

// whyNotIn is what kept capacity from shrinking after the load.
func (e *Evidence) whyNotIn() string {
	var why []string
	if reasons := e.notScaled(e.Timeline.LoadTo, e.Timeline.End); reasons != "" {
		why = append(why, "not scaled: "+reasons)
	}
	if e.Figures.Lags.ScaleIn == nil && len(e.Timeline.Metrics) > 0 {
		if on := e.lowAlarms(); len(on) > 0 {
			why = append(why, "no scale-in, though AlarmLow went off: "+strings.Join(on, ", "))
		} else {
			why = append(why, "no AlarmLow went off")
		}
		why = append(why, e.missing()...)
	}
	return because(why)
}

func because(why []string) string {
	if len(why) == 0 {
		return ""
	}
	return "; " + strings.Join(why, "; ")
}

// notScaled are the reasons in AWS's words, with how often each was given to which policy, most often first.
func (e *Evidence) notScaled(from, to time.Duration) string {
	given := map[string]int{}
	for _, a := range e.Timeline.Activities {
		if a.At < from || a.At > to {
			continue
		}
		for _, reason := range a.NotScaledReasons {
			given[shown(reason)+" ("+policy(a.Policy)]++
		}
	}
	return strings.Join(few6(mostFirst(given, func(reason string, n int) string {
		if n == 1 {
			return reason + ")"
		}
		return reason + ", " + units.Count(int64(n)) + " times)"
	})), ", ")
}

// highest is the highest datapoint of each policy under load.
func (e *Evidence) highest() []string {
	most := map[string]float64{}
	for _, d := range e.Timeline.Metrics {
		if d.Missing || d.At < e.Timeline.LoadFrom {
			continue
		}
		if high, ok := most[d.Policy]; !ok || d.Value > high {
			most[d.Policy] = d.Value
		}
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(most)) {
		texts = append(texts, "the highest metric of "+shown(name)+" was "+units.Decimal(most[name]))
	}
	return few6(texts)
}

// missing are the policies without data after the load: they veto a scale-in.
func (e *Evidence) missing() []string {
	periods := map[string]int{}
	for _, d := range e.Timeline.Metrics {
		if d.Missing && d.At > e.Timeline.LoadTo {
			periods[d.Policy]++
		}
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(periods)) {
		text := fmt.Sprintf("%s lacked %d datapoint", shown(name), periods[name])
		if periods[name] > 1 {
			text += "s"
		}
		texts = append(texts, text)
	}
	return few6(texts)
}

// lowAlarms are those that went off after the load.
func (e *Evidence) lowAlarms() []string {
	on := map[string]bool{}
	for _, a := range e.Timeline.Alarms {
		if !a.High && a.State == timeline.Alarm && a.At >= e.Timeline.LoadTo {
			on[shown(a.Alarm)] = true
		}
	}
	return few6(slices.Sorted(maps.Keys(on)))
}

// few6 leaves a line a line.
func few6(texts []string) []string {
	if len(texts) > few {
		texts = append(texts[:few:few], "…")
	}
	return texts
}

func policy(name string) string {
	if name == "" {
		return "no policy"
	}
	return shown(name)
}
