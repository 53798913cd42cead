package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// wireFact is a fact as a line of capacity.jsonl holds it: what it is about under the name of its kind, with the
// fields of timeline.json.
type wireFact struct {
	ID       string        `json:"id,omitempty"`
	Known    instantS      `json:"known_s"`
	Gone     bool          `json:"gone,omitempty"`
	Service  *Service      `json:"service,omitempty"`
	Load     *wireLoaded   `json:"load,omitempty"`
	Bounds   *wireBounds   `json:"bounds,omitempty"`
	Point    *wirePoint    `json:"point,omitempty"`
	Datum    *wireDatum    `json:"metric,omitempty"`
	Alarm    *wireAlarm    `json:"alarm,omitempty"`
	Activity *wireActivity `json:"activity,omitempty"`
	Task     *wireTask     `json:"task,omitempty"`
	Event    *wireEvent    `json:"event,omitempty"`
	Answers  *Answers      `json:"answers,omitempty"`
	Unseen   *wireUnseen   `json:"unseen,omitempty"`
}

type wireLoaded struct {
	From instantS `json:"from_s"`
	To   instantS `json:"to_s"` // null while it goes on
}

// one is a list of what a pointer points to.
func one[T any](p *T) []T {
	if p == nil {
		return nil
	}
	return []T{*p}
}

// first is a pointer to the one thing in a list.
func first[T any](list []T) *T {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// MarshalJSON is the fact as a line of capacity.jsonl holds it.
func (f Fact) MarshalJSON() ([]byte, error) {
	// The fields are those of a timeline that has nothing else.
	w := wireOf(&Timeline{
		Points: one(f.Point), Metrics: one(f.Datum), Alarms: one(f.Alarm), Activities: one(f.Activity),
		Tasks: one(f.Task), Events: one(f.Event), Bounds: one(f.Bounds), Unseen: one(f.Unseen),
	})
	line := wireFact{
		ID: f.ID, Known: inS(f.Known), Gone: f.Gone, Service: f.Service, Answers: f.Answers,
		Bounds: first(w.Bounds), Point: first(w.Points), Datum: first(w.Metrics), Alarm: first(w.Alarms),
		Activity: first(w.Activities), Task: first(w.Tasks), Event: first(w.Events), Unseen: first(w.Unseen),
	}
	if l := f.Load; l != nil {
		line.Load = &wireLoaded{From: inS(l.From), To: instantS{d: l.To, null: !l.Ended}}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. What cannot be a fact is refused with a *input.Error. A line that says nothing but
// when it was known is no error: until then nothing else was known.
func (f *Fact) UnmarshalJSON(data []byte) error {
	var line wireFact
	if err := json.Unmarshal(data, &line); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return wrong(e.Field, e.Value, kind(e))
		}
		return fmt.Errorf("fact: %w", err)
	}
	w := wire{
		LoadFrom: inS(0), LoadTo: inS(0), End: inS(0),
		Bounds: one(line.Bounds), Points: one(line.Point), Metrics: one(line.Datum), Alarms: one(line.Alarm),
		Activities: one(line.Activity), Tasks: one(line.Task), Events: one(line.Event), Unseen: one(line.Unseen),
	}
	for _, at := range []*instantS{&w.LoadFrom, &w.LoadTo, &w.End} {
		at.set = true
	}
	t, err := w.timeline()
	if err != nil {
		return err
	}
	read := Fact{
		ID: line.ID, Known: line.Known.take("known_s", required, &err), Gone: line.Gone, Service: line.Service, Answers: line.Answers,
		Bounds: first(t.Bounds), Point: first(t.Points), Datum: first(t.Metrics), Alarm: first(t.Alarms),
		Activity: first(t.Activities), Task: first(t.Tasks), Event: first(t.Events), Unseen: first(t.Unseen),
	}
	if l := line.Load; l != nil {
		read.Load = &Loaded{From: l.From.take("load.from_s", required, &err), Ended: l.To.set && !l.To.null}
		if read.Load.Ended {
			read.Load.To = l.To.take("load.to_s", required, &err)
		}
	}
	if err == nil && read.Kind() != "" {
		err = read.Validate()
	}
	if err != nil {
		return err
	}
	*f = read
	return nil
}

// Facts are what a timeline tells, with identities that follow from what is told: two timelines of one service, both on one
// clock, give what both have the same one. Known is the timeline's end for all of them.
func (t *Timeline) Facts() []Fact {
	service := Service{Name: t.Service, Speedup: t.Speedup, Min: t.Min, Max: t.Max, PerTask: t.PerTask, Settings: t.Settings}
	all := []Fact{
		{Service: &service},
		{Load: &Loaded{From: t.LoadFrom, To: t.LoadTo, Ended: true}},
	}
	add := func(f Fact, id string, at time.Duration) {
		f.ID = id + "@" + seconds(at)
		all = append(all, f)
	}
	for _, x := range t.Bounds {
		add(Fact{Bounds: &x}, "", x.At)
	}
	for _, x := range t.Points {
		add(Fact{Point: &x}, "", x.At)
	}
	for _, x := range t.Metrics {
		add(Fact{Datum: &x}, x.Policy, x.At)
	}
	for _, x := range t.Alarms {
		add(Fact{Alarm: &x}, x.Alarm+" "+string(x.State), x.At)
	}
	for _, x := range t.Activities {
		add(Fact{Activity: &x}, x.Policy+" "+x.Status+" "+x.Description+" "+x.Cause, x.At)
	}
	for _, x := range t.Tasks {
		all = append(all, Fact{ID: x.ID, Task: &x})
	}
	for _, x := range t.Events {
		add(Fact{Event: &x}, x.Type+" "+x.Detail, x.At)
	}
	for _, x := range t.Unseen {
		add(Fact{Unseen: &x}, string(x.Count)+" "+x.Why, x.From)
	}
	if t.Answers != nil {
		all = append(all, Fact{Answers: t.Answers})
	}
	for i := range all {
		all[i].Known = t.End
	}
	return all
}
