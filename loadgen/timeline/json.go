package timeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// Schema is the form of timeline.json. Fields may be added to a version, and readers pass over those that they do not
// know; none is removed or changes its meaning.
const Schema = "loadgen/timeline/v1"

// Encode returns t as timeline.json holds it. One that Validate refuses is not written, so that what is written can
// be read.
func Encode(t *Timeline) ([]byte, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(wireOf(t)); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Decode reads what Encode wrote. What is no JSON, of another schema, or cannot be a timeline is refused; the last
// two with a *input.Error.
func Decode(data []byte) (*Timeline, error) {
	t := &Timeline{}
	if err := json.Unmarshal(data, t); err != nil {
		return nil, err
	}
	return t, nil
}

// MarshalJSON is as [Encode].
func (t Timeline) MarshalJSON() ([]byte, error) { return Encode(&t) }

// UnmarshalJSON is as [Decode].
func (t *Timeline) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return wrong(cmp.Or(e.Field, "timeline"), e.Value, kind(e))
		}
		return fmt.Errorf("timeline: %w", err)
	}
	if w.Schema != Schema {
		return wrong("schema", w.Schema, Schema)
	}
	read, err := w.timeline()
	if err == nil {
		err = read.Validate()
	}
	if err != nil {
		return err
	}
	*t = *read
	return nil
}

// kind is what a field takes, in JSON's words.
func kind(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "an object"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	default:
		return "a number"
	}
}

// The wire types have the names of timeline.json. A field that is null or missing is zero, where it need not be there.
type (
	wire struct {
		Schema     string            `json:"schema"`
		Service    string            `json:"service,omitempty"`
		PerTask    float64           `json:"task_capacity,omitempty"`
		Speedup    float64           `json:"speedup"`
		LoadFrom   instantS          `json:"load_from_s"`
		LoadTo     instantS          `json:"load_to_s"`
		End        instantS          `json:"end_s"`
		Min        int               `json:"min"`
		Max        int               `json:"max"`
		Settings   map[string]string `json:"settings,omitempty"`
		Answers    *Answers          `json:"answers,omitempty"`
		Bounds     []wireBounds      `json:"bounds"`
		Points     []wirePoint       `json:"points"`
		Metrics    []wireDatum       `json:"metrics"`
		Alarms     []wireAlarm       `json:"alarms"`
		Activities []wireActivity    `json:"activities"`
		Tasks      []wireTask        `json:"tasks"`
		Events     []wireEvent       `json:"events"`
		Unseen     []wireUnseen      `json:"unseen,omitempty"`
	}
	wireBounds struct {
		At  instantS `json:"t_s"`
		Min int      `json:"min"`
		Max int      `json:"max"`
	}
	wirePoint struct {
		At       instantS `json:"t_s"`
		Desired  int      `json:"desired"`
		Running  int      `json:"running"`
		Healthy  int      `json:"healthy"`
		Draining int      `json:"draining"`
	}
	wireDatum struct {
		At     instantS `json:"t_s"`
		Policy string   `json:"policy"`
		Value  *float64 `json:"value"` // null: there was no datapoint
	}
	wireAlarm struct {
		At     instantS   `json:"t_s"`
		Alarm  string     `json:"alarm"`
		Policy string     `json:"policy"`
		High   bool       `json:"high"`
		State  AlarmState `json:"state"`
		Reason string     `json:"reason"`
	}
	wireActivity struct {
		At               instantS `json:"t_s"`
		Completed        instantS `json:"completed_s"` // null while in progress
		Policy           string   `json:"policy"`
		From             int      `json:"from"`
		To               int      `json:"to"`
		Status           string   `json:"status"`
		Description      string   `json:"description"`
		Cause            string   `json:"cause"`
		StatusMessage    string   `json:"status_message"`
		NotScaledReasons []string `json:"not_scaled_reasons"`
	}
	wireTask struct {
		ID        string   `json:"id"`
		Zone      string   `json:"zone"`
		Requested instantS `json:"requested_s"`
		Running   instantS `json:"running_s"` // this and the next ones are null for what did not happen
		Healthy   instantS `json:"healthy_s"`
		FirstSent instantS `json:"first_response_s"`
		Draining  instantS `json:"draining_s"`
		Stopped   instantS `json:"stopped_s"`
		Replaces  string   `json:"replaces,omitempty"`
		Reason    string   `json:"reason"`
		Requests  int64    `json:"requests"`
		Errors    int64    `json:"errors"`
	}
	wireUnseen struct {
		From  instantS `json:"from_s"`
		To    instantS `json:"to_s"`
		Count Count    `json:"count"`
		Why   string   `json:"why"`
	}
	wireEvent struct {
		At     instantS `json:"t_s"`
		Type   string   `json:"type"`
		Detail string   `json:"detail"`
	}
)

// convert makes another list; it is empty and not nil, as JSON's lists are.
func convert[From, To any](from []From, f func(i int, from From) To) []To {
	to := make([]To, 0, len(from))
	for i, item := range from {
		to = append(to, f(i, item))
	}
	return to
}

func wireOf(t *Timeline) *wire {
	return &wire{
		Schema: Schema, Service: t.Service, PerTask: t.PerTask, Speedup: t.Speedup,
		LoadFrom: inS(t.LoadFrom), LoadTo: inS(t.LoadTo), End: inS(t.End),
		Min: t.Min, Max: t.Max, Settings: t.Settings, Answers: t.Answers,
		Bounds: convert(t.Bounds, func(_ int, b BoundsChange) wireBounds { return wireBounds{inS(b.At), b.Min, b.Max} }),
		Points: convert(t.Points, func(_ int, p Point) wirePoint {
			return wirePoint{inS(p.At), p.Desired, p.Running, p.Healthy, p.Draining}
		}),
		Metrics: convert(t.Metrics, func(_ int, d Datum) wireDatum {
			w := wireDatum{At: inS(d.At), Policy: d.Policy}
			if !d.Missing {
				w.Value = &d.Value
			}
			return w
		}),
		Alarms: convert(t.Alarms, func(_ int, a AlarmChange) wireAlarm {
			return wireAlarm{inS(a.At), a.Alarm, a.Policy, a.High, a.State, a.Reason}
		}),
		Activities: convert(t.Activities, func(_ int, a Activity) wireActivity {
			return wireActivity{
				inS(a.At), instantS{d: a.Completed, null: a.Completed == 0}, a.Policy, a.From, a.To,
				a.Status, a.Description, a.Cause, a.StatusMessage, append([]string{}, a.NotScaledReasons...),
			}
		}),
		Tasks: convert(t.Tasks, func(_ int, k Task) wireTask {
			return wireTask{
				k.ID, k.Zone, inS(k.Requested), orNull(k.Running), orNull(k.Healthy), orNull(k.FirstSent),
				orNull(k.Draining), orNull(k.Stopped), k.Replaces, k.Reason, k.Requests, k.Errors,
			}
		}),
		Unseen: convert(t.Unseen, func(_ int, u Unseen) wireUnseen { return wireUnseen{inS(u.From), inS(u.To), u.Count, u.Why} }),
		Events: convert(t.Events, func(_ int, e Event) wireEvent { return wireEvent{inS(e.At), e.Type, e.Detail} }),
	}
}

// timeline is what was read, not yet validated. Its error is of the first instant that is none.
func (w *wire) timeline() (t *Timeline, err error) {
	must := func(i instantS, list string, index int) time.Duration {
		return i.take(fmt.Sprintf("%s[%d].t_s", list, index), required, &err)
	}
	t = &Timeline{
		Service: w.Service, PerTask: w.PerTask,
		Speedup:  w.Speedup,
		LoadFrom: w.LoadFrom.take("load_from_s", required, &err),
		LoadTo:   w.LoadTo.take("load_to_s", required, &err),
		End:      w.End.take("end_s", required, &err),
		Min:      w.Min, Max: w.Max, Settings: w.Settings, Answers: w.Answers,
		Bounds: convert(w.Bounds, func(i int, b wireBounds) BoundsChange {
			return BoundsChange{must(b.At, "bounds", i), b.Min, b.Max}
		}),
		Points: convert(w.Points, func(i int, p wirePoint) Point {
			return Point{must(p.At, "points", i), p.Desired, p.Running, p.Healthy, p.Draining}
		}),
		Metrics: convert(w.Metrics, func(i int, d wireDatum) Datum {
			read := Datum{At: must(d.At, "metrics", i), Policy: d.Policy, Missing: d.Value == nil}
			if d.Value != nil {
				read.Value = *d.Value
			}
			return read
		}),
		Alarms: convert(w.Alarms, func(i int, a wireAlarm) AlarmChange {
			return AlarmChange{must(a.At, "alarms", i), a.Alarm, a.Policy, a.High, a.State, a.Reason}
		}),
		Activities: convert(w.Activities, func(i int, a wireActivity) Activity {
			return Activity{
				must(a.At, "activities", i), a.Completed.take(fmt.Sprintf("activities[%d].completed_s", i), 0, &err),
				a.Policy, a.From, a.To, a.Status, a.Description, a.Cause, a.StatusMessage, append([]string{}, a.NotScaledReasons...),
			}
		}),
		Tasks: convert(w.Tasks, func(i int, k wireTask) Task {
			may := func(at instantS, name string) time.Duration {
				return at.take(fmt.Sprintf("tasks[%d].%s", i, name), Never, &err)
			}
			return Task{
				k.ID, k.Zone, k.Requested.take(fmt.Sprintf("tasks[%d].requested_s", i), required, &err),
				may(k.Running, "running_s"), may(k.Healthy, "healthy_s"), may(k.FirstSent, "first_response_s"),
				may(k.Draining, "draining_s"), may(k.Stopped, "stopped_s"), k.Replaces, k.Reason, k.Requests, k.Errors,
			}
		}),
		Unseen: orNone(convert(w.Unseen, func(i int, u wireUnseen) Unseen {
			at := func(x instantS, name string) time.Duration {
				return x.take(fmt.Sprintf("unseen[%d].%s", i, name), required, &err)
			}
			return Unseen{at(u.From, "from_s"), at(u.To, "to_s"), u.Count, u.Why}
		})),
		Events: convert(w.Events, func(i int, e wireEvent) Event { return Event{must(e.At, "events", i), e.Type, e.Detail} }),
	}
	return t, err
}
