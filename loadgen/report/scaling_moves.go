package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

// fulfilled is how AWS's message of every activity that came about ends; a page is too small for it.
const fulfilled = " Change successfully fulfilled by ecs."

// moves are the scaling activities in AWS's words, at most so many; a run of those that did not scale is one.
func moves(t *timeline.Timeline, most int) []document.Item {
	clock := clocksOf(t)
	var all []document.Item
	for i := 0; i < len(t.Activities); {
		end := i + 1
		if t.Activities[i].Status == timeline.NotScaled {
			for end < len(t.Activities) && t.Activities[end].Status == timeline.NotScaled {
				end++
			}
			all = append(all, notScaled(t.Activities[i:end], clock))
			i = end
			continue
		}
		a := &t.Activities[i]
		all = append(all, document.Item{Lead: clock.at(a.At), Text: strings.TrimSuffix(messageOf(a), fulfilled), Cause: shortAlarm(a.Cause)})
		i = end
	}
	if hidden := len(all) - most; hidden > 0 {
		head := most - 2
		rest := document.Item{Text: fmt.Sprintf("and %s more until %s", units.Count(int64(hidden)), all[len(all)-3].Lead)}
		all = slices.Concat(all[:head], []document.Item{rest}, all[len(all)-2:])
	}
	return all
}

// messageOf is AWS's message of an activity, with the status where that is not in it.
func messageOf(a *timeline.Activity) string {
	text := a.StatusMessage
	if text == "" {
		text = a.Description
	}
	if text == "" {
		text = fmt.Sprintf("%d → %d tasks", a.From, a.To)
	}
	if a.Status != "" && a.Status != timeline.Successful {
		text = a.Status + ": " + text
	}
	return text
}

// notScaled is a run of activities that did not come about, in one line.
func notScaled(run []timeline.Activity, clock clocks) document.Item {
	var reasons, policies []string
	for _, a := range run {
		reasons = append(reasons, a.NotScaledReasons...)
		if a.Policy != "" {
			policies = append(policies, a.Policy)
		}
	}
	slices.Sort(reasons)
	slices.Sort(policies)
	reasons, policies = slices.Compact(reasons), slices.Compact(policies)
	text := "not scaled"
	if len(reasons) > 0 {
		text += ": " + strings.Join(reasons, ", ")
	}
	var more []string
	if len(policies) > 0 {
		more = append(more, pluralOf(int64(len(policies)), "policy ", "policies ")[2:]+strings.Join(policies, ", "))
	}
	// What the last cause has in brackets begins with how much was wanted; the bound is in the code.
	last := run[len(run)-1].Cause
	if at := strings.LastIndex(last, " ("); at >= 0 && strings.HasSuffix(last, ")") {
		wanted, _, _ := strings.Cut(last[at+2:len(last)-1], ",")
		more = append(more, wanted)
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, "; ") + ")"
	}
	when := clock.at(run[0].At)
	if len(run) > 1 {
		text += fmt.Sprintf("; %d times until %s", len(run), clock.at(run[len(run)-1].At))
	}
	return document.Item{Lead: when, Text: text}
}

// shortAlarm takes the middle out of the names that target tracking gives its alarms, which is the
// service's: TargetTracking-service/lab/api-AlarmHigh-… is TargetTracking-…-AlarmHigh-….
func shortAlarm(cause string) string {
	words := strings.Split(cause, " ")
	for i, w := range words {
		for _, kind := range [2]string{"-AlarmHigh", "-AlarmLow"} {
			if at := strings.LastIndex(w, kind); strings.HasPrefix(w, "TargetTracking-") && at > len("TargetTracking-") {
				words[i] = "TargetTracking-…" + w[at:]
			}
		}
	}
	return strings.Join(words, " ")
}

// taskEvent is the word with which events that a task's own line tells begin.
const taskDraining = "task-draining"

// shownEvents are those of the timeline that the story lists.
func shownEvents(t *timeline.Timeline) []timeline.Event {
	return slices.DeleteFunc(slices.Clone(t.Events), func(e timeline.Event) bool { return e.Type == taskDraining })
}

func events(t *timeline.Timeline) (items []document.Item) {
	clock := clocksOf(t)
	list := shownEvents(t)
	for i, e := range list {
		if i == maxEvents && len(list) > maxEvents+1 {
			return append(items, document.Item{Text: fmt.Sprintf("and %s more: see events.jsonl", units.Count(int64(len(list)-i)))})
		}
		text := e.Type + ": " + e.Detail
		if e.Type == "chaos" {
			text += recovered(t, list, i)
		}
		items = append(items, document.Item{Lead: small(i+1) + "  " + clock.at(e.At), Text: text})
	}
	return items
}

// recovered says what an event took, and when as many tasks as desired were healthy again. What
// follows the next event is that one's; a scale-in is no loss.
func recovered(t *timeline.Timeline, list []timeline.Event, i int) string {
	at, until := list[i].At, t.End
	for _, next := range list[i+1:] {
		if next.Type == "chaos" && next.At > at {
			until = next.At
			break
		}
	}
	before := t.At(max(at-1, 0))
	lost, back := timeline.Never, timeline.Never
	least := before.Healthy
	t.Between(at, t.End, func(from, _ time.Duration, p timeline.Point) {
		switch {
		case back >= 0:
		case lost < 0 && from < until && p.Desired >= before.Desired && p.Healthy < before.Healthy:
			lost, least = from, p.Healthy
		case lost >= 0 && p.Healthy >= p.Desired:
			back = from
		case lost >= 0:
			least = min(least, p.Healthy)
		}
	})
	switch {
	case lost < 0:
		return ""
	case back < 0:
		return fmt.Sprintf("; healthy tasks %d → %d, not recovered when watching ended", before.Healthy, least)
	}
	return fmt.Sprintf("; healthy tasks %d → %d → %d, recovered in %s", before.Healthy, least, t.At(back).Healthy, spanBy(clocksOf(t), back-at))
}

// spanBy is a length of time by both clocks, in digits that show a short one.
func spanBy(clock clocks, run time.Duration) string {
	if !clock.apart() {
		return units.Latency(run)
	}
	return units.Latency(run) + " (" + units.Clock(clock.service(run)) + ")"
}
