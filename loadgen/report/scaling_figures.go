package report

import (
	"fmt"
	"slices"
	"strings"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

// scaleOut is how long each step to the first new task took, in simulated time.
func scaleOut(f *timeline.Figures, t *timeline.Timeline) []string {
	l := &f.Lags
	if l.Decision == nil {
		text := fmt.Sprintf("none: desired capacity was never above %d", f.DesiredBefore)
		if l.Alarm == nil {
			return []string{text + ", because no high alarm was in ALARM" + nearest(t)}
		}
		text += ", although a high alarm was in ALARM after " + span(l.Alarm)
		if reasons := notScaledReasons(t); reasons != "" {
			text += "; not scaled: " + reasons
		}
		return []string{text}
	}
	text := fmt.Sprintf("%ssince the load began: alarm %s, decision %s, first new task running %s, healthy %s, first response %s",
		serviceTime(f), span(l.Alarm), span(l.Decision), span(l.Running), span(l.Healthy), span(l.FirstResponse))
	if f.ScaleOut != nil {
		text += fmt.Sprintf("; all %d healthy %s", f.MaxDesired, span(f.ScaleOut))
	} else if f.MaxDesired > f.DesiredBefore {
		text += fmt.Sprintf("; all %d were never healthy at once", f.MaxDesired)
	}
	return []string{text}
}

// serviceTime names the clock of what follows where there are two.
func serviceTime(f *timeline.Figures) string {
	if f.Speedup != 1 {
		return "simulated time "
	}
	return ""
}

// nearest says how near the metrics came to their targets.
func nearest(t *timeline.Timeline) string {
	var parts []string
	for _, s := range policies(t) {
		if most, known := s.highest(); known && s.bound != "" {
			parts = append(parts, fmt.Sprintf("%s at most %s, %s", s.name, document.ShortNumber(most), s.bound))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

func notScaledReasons(t *timeline.Timeline) string {
	var reasons []string
	for _, a := range t.Activities {
		reasons = append(reasons, a.NotScaledReasons...)
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

// scaleIn is how capacity came back after the load.
func scaleIn(f *timeline.Figures, t *timeline.Timeline) []string {
	low, _ := t.BoundsAt(t.End)
	text := serviceTime(f) + "since the load ended: "
	if f.Lags.ScaleIn == nil {
		text += "none"
	} else {
		text += "first " + span(f.Lags.ScaleIn)
		if f.Lags.Drain != nil {
			text += ", drained in " + span(f.Lags.Drain)
		}
	}
	switch {
	case f.Recovery != nil:
		return []string{fmt.Sprintf("%s, back at %d after %s", text, low, span(f.Recovery))}
	case f.MaxDesired > low:
		last := t.At(t.End)
		return []string{fmt.Sprintf("%s, not back at %d when watching ended, after %s: %d desired, %d running, %d draining",
			text, low, units.Clock(clocksOf(t).service(t.End-t.LoadTo)), last.Desired, last.Running, last.Draining)}
	}
	return nil
}

// replaced says how many tasks were placed for others, and not because more were desired.
func replaced(f *timeline.Figures) []string {
	if f.Replacements == 0 {
		return nil
	}
	return []string{plural(int64(f.Replacements), "task") + " placed for others that were gone or were to go; no figure of scaling counts them"}
}

// provisioning is how near supply was to demand, where that is known, and what it took.
func provisioning(f *timeline.Figures) []string {
	hours := "task-hours " + hundredths(f.TaskHours)
	p := f.Provisioning
	if p == nil {
		return []string{
			"time under-provisioned, overshoot and ideal task-hours are unknown: --task-capacity RPS, what one task can do, makes them known",
			hours,
		}
	}
	var lines []string
	jitter := ""
	if a := p.DuringLoad; a != nil {
		text := fmt.Sprintf("under-provisioned %s of %s under load (%s)", units.Clock(a.Under.Service), units.Clock(f.Load.Service), units.Percent(a.TauUnder/100))
		if p.RequestsUnder > 0 || p.ErrorsUnder > 0 { // a simulation counts none
			text += fmt.Sprintf(": %s, %s", plural(p.RequestsUnder, "request"), plural(p.ErrorsUnder, "error"))
		}
		lines = append(lines, text)
	}
	if p.Whole != nil {
		hours += ", ideal " + hundredths(p.Whole.IdealTaskHours)
		jitter = fmt.Sprintf(", jitter %s tasks moved an hour beyond demand's own", hundredths(p.Whole.JitterPerHour))
	}
	used := ""
	if p.Utilisation > 0 && p.Utilisation != 1 {
		used = " to " + units.Percent(p.Utilisation)
	}
	return append(lines, fmt.Sprintf("at most %s needed (%s each%s), overshoot %d%s; %s",
		plural(int64(p.MaxDemand), "task"), units.Rate(p.PerTask), used, p.Overshoot, jitter, hours))
}
