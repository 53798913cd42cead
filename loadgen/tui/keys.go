package tui

import (
	"math"
	"strconv"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"scalableappbackend/loadgen/plan"
)

// Steered is a run whose load the keys change: a loadgen.Handle.
type Steered interface {
	Plan() plan.Plan // with its edits so far
	Elapsed() time.Duration
	Edit(...plan.Edit) error
}

// Steer offers the keys that change the load: + and - by a tenth of the most that the plan had, w and s by 1 user (or
// request a second), W and S by 10, and p, which pauses and goes on. It may be called once the screen is started.
func (s *Screen) Steer(run Steered) {
	if p := s.started(); p != nil && s.Input != nil {
		p.Send(steerMsg{&wheel{run: run}})
	}
}

// wheel makes one change after the other, so that of two keys at once each counts.
type wheel struct {
	mu  sync.Mutex
	run Steered
}

type (
	steerMsg  struct{ *wheel }
	editedMsg struct{ said string }
)

// turn does what a key asks for, and says what that was.
func (w *wheel) turn(key string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.run.Plan()
	e := change(key, &p, w.run.Elapsed())
	if err := w.run.Edit(e); err != nil {
		return err.Error()
	}
	return e.String()
}

// steps are the keys that change the load, and by how much; 0 stands for a tenth of the most that the plan had.
var steps = map[string]struct{ sign, by float64 }{
	"+": {1, 0}, "=": {1, 0}, "-": {-1, 0}, "_": {-1, 0},
	"w": {1, 1}, "W": {1, 10}, "s": {-1, 1}, "S": {-1, 10},
}

// change is the edit that a key asks for at an instant of a run.
func change(key string, p *plan.Plan, at time.Duration) plan.Edit {
	if key == pauseKey {
		e := plan.Edit{Field: plan.EditPaused}
		if !p.Paused() {
			e.Value = 1
		}
		return e
	}
	step := steps[key]
	field, by := plan.EditUsers, step.by
	if p.Model == plan.Open {
		field = plan.EditRate
	}
	if by == 0 {
		by = p.Unedited().Curve().Max() / 10
		if field == plan.EditUsers {
			by = math.Ceil(by)
		}
	}
	value := max(0, p.Asked(at)+step.sign*by)
	if field == plan.EditUsers {
		value = math.Round(value)
	} else if short, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 9, 64), 64); err == nil {
		value = short // 0.1 + 0.2 is 0.3 to whoever reads it
	}
	return plan.Edit{Field: field, Value: value}
}

const pauseKey = "p"

// press is what a key that changes the load does; nil of another key.
func (m model) press(key string) tea.Cmd {
	_, isStep := steps[key]
	if m.wheel == nil || !isStep && key != pauseKey {
		return nil
	}
	w := m.wheel
	return func() tea.Msg { return editedMsg{w.turn(key)} }
}
