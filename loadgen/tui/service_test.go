package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"scalableappbackend/internal/golden"
	"scalableappbackend/loadgen/timeline"
)

// watched is a service that goes from 2 to 4 tasks ten seconds into twenty of load, and back.
func watched(end time.Duration) *timeline.Timeline {
	const s = time.Second
	r := timeline.NewRecorder(20, 2, 4)
	r.Load(0, min(end, 20*s))
	r.Point(timeline.Point{Desired: 2, Running: 2, Healthy: 2})
	r.Point(timeline.Point{At: 10 * s, Desired: 4, Running: 2, Healthy: 2})
	r.Point(timeline.Point{At: 12 * s, Desired: 4, Running: 4, Healthy: 4})
	r.Point(timeline.Point{At: 40 * s, Desired: 2, Running: 2, Healthy: 2, Draining: 2})
	r.Point(timeline.Point{At: 42 * s, Desired: 2, Running: 2, Healthy: 2})
	r.Metric(timeline.Datum{At: 3 * s, Policy: "requests", Value: 4500})
	r.Metric(timeline.Datum{At: 45 * s, Policy: "requests"})
	r.Alarm(timeline.AlarmChange{At: 9 * s, Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: timeline.Alarm})
	r.Alarm(timeline.AlarmChange{At: 23 * s, Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: timeline.OK})
	r.Alarm(timeline.AlarmChange{At: 38 * s, Alarm: "requests-AlarmLow", Policy: "requests", State: timeline.Alarm})
	return r.Timeline(end)
}

func screenOf(end time.Duration, width, height int) string {
	m := model{title: "50 users on the lab", planned: 20 * time.Second, closedModel: true, keys: true, width: width, height: height,
		service: &service{axis: time.Minute}}
	for _, w := range healthy(int(min(end, 20*time.Second) / time.Second)) {
		next, _ := m.Update(windowMsg{w})
		m = next.(model)
	}
	next, _ := m.Update(timelineMsg{watched(end)})
	m = next.(model)
	for _, text := range []string{"0:10 (simulated 3:20) desired 2 → 4: requests-AlarmHigh", "0:12 (simulated 4:00) 4 tasks healthy \x1b[31m"} {
		next, _ = m.Update(newsMsg{text})
		m = next.(model)
	}
	return strings.Join(m.lines(), "\n") + "\n"
}

func TestAServiceIsDrawnOnOneAxis(t *testing.T) {
	for name, text := range map[string]string{
		"service_load_80x24.txt":      screenOf(15*time.Second, 80, 24),
		"service_recovery_120x40.txt": screenOf(50*time.Second, 120, 40),
	} {
		golden.Check(t, name, text)
	}
}

func TestAServiceFitsItsTerminal(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 20}, {200, 60}} {
		for _, end := range []time.Duration{0, time.Second, 15 * time.Second, time.Minute, 2 * time.Minute} {
			text := screenOf(end, size[0], size[1])
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if len(lines) > size[1] {
				t.Errorf("%v at %s: %d lines", size, end, len(lines))
			}
			for _, l := range lines {
				if w := ansi.StringWidth(l); w >= size[0] {
					t.Errorf("%v at %s: %d columns: %s", size, end, w, l)
				}
			}
			if strings.Contains(text, "\x1b") {
				t.Errorf("%v at %s: what is told writes to the terminal", size, end)
			}
		}
	}
}

// What was shown before does not change when more comes.
func TestModelsOfAServiceShareNothing(t *testing.T) {
	m := model{service: &service{axis: time.Minute}, stop: func(string) {}}
	one, _ := m.Update(newsMsg{"one"})
	two, _ := one.Update(newsMsg{"two"})
	other, _ := one.Update(newsMsg{"other"})
	if got := two.(model).service.news[1] + other.(model).service.news[1]; got != "twoother" || len(m.service.news) != 0 {
		t.Errorf("%q", got)
	}
}
