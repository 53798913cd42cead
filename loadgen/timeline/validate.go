package timeline

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"scalableappbackend/internal/input"
)

// The limits of what can be a timeline: ten years, and more tasks than any account may run.
const (
	MaxTime  = 10 * 365 * 24 * time.Hour
	MaxTasks = 1_000_000
	// MaxSpeedup is far beyond any speed at which a period can be measured.
	MaxSpeedup = 1e6
)

// wrong is the error of a field as JSON names it, points[3].healthy, that has a value which it cannot have; got is empty where
// there is none to show.
func wrong(field, got, want string) *input.Error {
	if got == "" {
		return &input.Error{Field: field, Want: "want " + want}
	}
	return &input.Error{Field: field, Got: got, Want: want}
}

// Validate says whether t can be: see the package's doc for the rules. Its error is a *input.Error of the first
// field that cannot.
func (t *Timeline) Validate() error {
	if !(t.Speedup >= 1 && t.Speedup <= MaxSpeedup) {
		return wrong("speedup", number(t.Speedup), "1 to "+number(MaxSpeedup))
	}
	if !(t.PerTask >= 0 && t.PerTask <= 1e12) {
		return wrong("task_capacity", number(t.PerTask), "0 to 1e12")
	}
	return cmp.Or(
		within("end_s", t.End, 0, MaxTime),
		within("load_to_s", t.LoadTo, 0, t.End),
		within("load_from_s", t.LoadFrom, 0, t.LoadTo),
		bounds("", t.Min, t.Max),
		each("bounds", t.Bounds, func(b BoundsChange) time.Duration { return b.At }, t.End, true, BoundsChange.validate),
		t.validatePoints(),
		each("metrics", t.Metrics, func(d Datum) time.Duration { return d.At }, t.End, false, Datum.validate),
		each("alarms", t.Alarms, func(a AlarmChange) time.Duration { return a.At }, t.End, false, AlarmChange.validate),
		each("activities", t.Activities, func(a Activity) time.Duration { return a.At }, t.End, false, func(a Activity, path string) error {
			return a.validate(path, t.End)
		}),
		t.validateTasks(),
		each("unseen", t.Unseen, func(u Unseen) time.Duration { return u.From }, t.End, false, func(u Unseen, path string) error {
			return u.validate(path, t.End)
		}),
		each("events", t.Events, func(e Event) time.Duration { return e.At }, t.End, false, Event.validate),
	)
}

func (t *Timeline) validatePoints() error {
	if len(t.Points) == 0 {
		return wrong("points", "", "at least one")
	}
	if err := within("points[0].t_s", t.Points[0].At, 0, t.LoadFrom); err != nil {
		return err
	}
	return each("points", t.Points, func(p Point) time.Duration { return p.At }, t.End, true, Point.validate)
}

// each checks a list: what is in it, and that it is in order of time.
func each[T any](list string, items []T, at func(T) time.Duration, end time.Duration, distinct bool, validate func(item T, path string) error) error {
	for i, item := range items {
		path := list + "[" + strconv.Itoa(i) + "]."
		earliest := time.Duration(0)
		if i > 0 {
			earliest = at(items[i-1])
		}
		if distinct && i > 0 && at(item) == earliest {
			return wrong(path+"t_s", seconds(at(item)), "another instant than that of the one before")
		}
		if err := cmp.Or(within(path+"t_s", at(item), earliest, end), validate(item, path)); err != nil {
			return err
		}
	}
	return nil
}

func (p Point) validate(path string) error {
	return cmp.Or(
		amount(path+"desired", int64(p.Desired), MaxTasks),
		amount(path+"running", int64(p.Running), MaxTasks),
		amount(path+"healthy", int64(p.Healthy), MaxTasks),
		amount(path+"draining", int64(p.Draining), MaxTasks),
	)
}

func (b BoundsChange) validate(path string) error { return bounds(path, b.Min, b.Max) }

func (d Datum) validate(path string) error {
	switch {
	case d.Policy == "":
		return wrong(path+"policy", "", "a name")
	case math.IsNaN(d.Value) || math.IsInf(d.Value, 0):
		return wrong(path+"value", number(d.Value), "a finite number, or null for none")
	case d.Missing && d.Value != 0:
		return wrong(path+"value", number(d.Value), "0 beside missing")
	}
	return nil
}

func (a AlarmChange) validate(path string) error {
	if a.Alarm == "" {
		return wrong(path+"alarm", "", "a name")
	}
	switch a.State {
	case OK, Alarm, InsufficientData:
		return nil
	}
	return wrong(path+"state", string(a.State), "OK, ALARM or INSUFFICIENT_DATA")
}

func (a Activity) validate(path string, end time.Duration) error {
	err := cmp.Or(
		amount(path+"from", int64(a.From), MaxTasks),
		amount(path+"to", int64(a.To), MaxTasks),
	)
	switch {
	case err != nil:
		return err
	case a.Status == "":
		return wrong(path+"status", "", "a word, e.g. "+Successful)
	case a.Completed != 0:
		return within(path+"completed_s", a.Completed, 0, end)
	}
	return nil
}

func (u Unseen) validate(path string, end time.Duration) error {
	switch u.Count {
	case CountDesired, CountRunning, CountHealthy, CountDraining:
		return cmp.Or(within(path+"from_s", u.From, 0, end), within(path+"to_s", u.To, u.From, end))
	}
	return wrong(path+"count", string(u.Count), "desired, running, healthy or draining")
}

func (e Event) validate(path string) error {
	if e.Type == "" {
		return wrong(path+"type", "", "a word")
	}
	return nil
}

func (t *Timeline) validateTasks() error {
	seen := make(map[string]bool, len(t.Tasks))
	earliest := time.Duration(0)
	for i, task := range t.Tasks {
		path := "tasks[" + strconv.Itoa(i) + "]."
		if task.ID == "" || seen[task.ID] || !utf8.ValidString(task.ID) {
			return wrong(path+"id", task.ID, "one in UTF-8 that no other task has")
		}
		seen[task.ID] = true
		err := cmp.Or(within(path+"requested_s", task.Requested, earliest, t.End), task.validate(path, t.End))
		if err != nil {
			return err
		}
		earliest = task.Requested
	}
	return nil
}

// validate leaves the order of a task's life to [Timeline.Contradictions].
func (t Task) validate(path string, end time.Duration) error {
	return cmp.Or(
		instant(path+"stopped_s", t.Stopped, end),
		instant(path+"running_s", t.Running, end),
		instant(path+"draining_s", t.Draining, end),
		instant(path+"healthy_s", t.Healthy, end),
		instant(path+"first_response_s", t.FirstSent, end),
		amount(path+"requests", t.Requests, 1<<53),
		amount(path+"errors", t.Errors, 1<<53),
	)
}

func bounds(path string, low, high int) error {
	return cmp.Or(amount(path+"max", int64(high), MaxTasks), amount(path+"min", int64(low), int64(high)))
}

// instant is within the observation, or Never.
func instant(field string, at, end time.Duration) error {
	if at < 0 {
		return nil
	}
	return within(field, at, 0, end)
}

func validID(field, id string) error {
	if id == "" || !utf8.ValidString(id) {
		return wrong(field, id, "one in UTF-8")
	}
	return nil
}

func within(field string, at, low, high time.Duration) error {
	if at < low || at > high {
		return wrong(field, seconds(at), seconds(low)+" to "+seconds(high))
	}
	return nil
}

func amount(field string, n, most int64) error {
	if n < 0 || n > most {
		return wrong(field, strconv.FormatInt(n, 10), fmt.Sprintf("0 to %d", most))
	}
	return nil
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
