package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

// policy is what a timeline holds of one policy.
type policy struct {
	name   string
	data   []timeline.Datum
	alarms map[string][]timeline.AlarmChange
	bound  string // target 50
}

// p99Policy is the one in steps, whose alarm has a bound and no target.
const p99Policy = "p99"

// unitOf is what stands behind a metric's number; requests are counted.
func unitOf(metric string) string {
	switch metric {
	case "cpu", "memory":
		return " %"
	case p99Policy:
		return " ms"
	}
	return ""
}

// lowShare is where target tracking puts its low alarm: at 90 % of the target.
const lowShare = 0.9

// policies are the timeline's, by name.
func policies(t *timeline.Timeline) []*policy {
	byName := map[string]*policy{}
	of := func(name string) *policy {
		if byName[name] == nil {
			byName[name] = &policy{name: name, alarms: map[string][]timeline.AlarmChange{}}
		}
		return byName[name]
	}
	for _, d := range t.Metrics {
		s := of(d.Policy)
		s.data = append(s.data, d)
	}
	for _, a := range t.Alarms {
		s := of(a.Policy)
		s.alarms[a.Alarm] = append(s.alarms[a.Alarm], a)
		if limit, ok := thresholdOf(a.Reason); ok && (a.High || s.bound == "") {
			if !a.High {
				limit /= lowShare
			}
			if s.bound = "target " + document.ShortNumber(limit); a.Policy == p99Policy {
				s.bound = "above " + document.ShortNumber(limit) + unitOf(a.Policy)
			}
		}
	}
	all := make([]*policy, 0, len(byName))
	for _, s := range byName {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *policy) int { return cmp.Compare(a.name, b.name) })
	return all
}

// thresholdOf reads the threshold in the reason that CloudWatch gives an alarm's state, which is the
// one place where a timeline has the target: "… was greater than the threshold (50.0) …".
func thresholdOf(reason string) (float64, bool) {
	_, after, found := strings.Cut(reason, "the threshold (")
	number, _, closed := strings.Cut(after, ")")
	x, err := strconv.ParseFloat(number, 64)
	return x, found && closed && err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// highest is the metric's highest value.
func (s *policy) highest() (most float64, known bool) {
	for _, d := range s.data {
		if !d.Missing && (!known || d.Value > most) {
			most, known = d.Value, true
		}
	}
	return most, known
}
