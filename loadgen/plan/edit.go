package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/internal/input"
)

// What an edit may change while a plan runs.
const (
	EditUsers     = "users"      // closed: how many users from then on; those to come spawn at the spawn rate, and those to go leave at it
	EditSpawnRate = "spawn_rate" // closed: users started each second from then on
	EditRate      = "rate"       // open: requests per second from then on
	EditPaused    = "paused"     // true: nothing is due until false
	EditRunTime   = "run_time"   // the load's length, from the start; a longer one goes on at the level of the old end
)

// MaxEdits is how many edits a plan may hold.
const MaxEdits = 10_000

// Edit is a change of a plan at an instant of its run. What a plan does before At does not depend on it, so a plan that is
// run again with the edits of a run does what that run did.
type Edit struct {
	At    time.Duration // on the run's clock
	Field string        // one of the Edit constants
	// Value is a number of users, users a second or requests a second; 1 or 0 for paused, true and false in JSON; seconds
	// of run_time, a duration in JSON.
	Value float64
}

// String is what happened, for people: "users 50", "rate 120", "paused", "resumed", "run_time 10m".
func (e Edit) String() string {
	switch e.Field {
	case EditPaused:
		if e.Value == 0 {
			return "resumed"
		}
		return "paused"
	case EditRunTime:
		return e.Field + " " + e.duration().String()
	}
	return e.Field + " " + formatNumber(e.Value)
}

func (e Edit) duration() Duration { return Duration(math.Round(e.Value * 1e9)) }

// ParseEdit reads FIELD and VALUE as people type them: "users" and "80", "rate" and "3000/1m", "run_time" and "10m",
// "paused" and "true".
func ParseEdit(field, value string) (Edit, error) {
	e := Edit{Field: field}
	var ok bool
	switch field {
	case EditUsers:
		var n int
		n, ok = input.Whole(value)
		if e.Value = float64(n); !ok {
			return Edit{}, input.WithField(input.Refuse(value, "a whole number of users"), field)
		}
	case EditSpawnRate:
		if e.Value, ok = input.Number(value); !ok {
			return Edit{}, input.WithField(input.Refuse(value, "users per second"), field)
		}
	case EditRate:
		r, err := ParseRate(value)
		if err != nil {
			return Edit{}, input.WithField(err, field)
		}
		e.Value = r.PerSecond()
	case EditPaused:
		paused, err := strconv.ParseBool(value)
		if err != nil {
			return Edit{}, input.WithField(input.Refuse(value, "true or false"), field)
		}
		if paused {
			e.Value = 1
		}
	case EditRunTime:
		d, err := ParseDuration(value)
		if err != nil {
			return Edit{}, input.WithField(err, field)
		}
		e.Value = float64(d) / 1e9
	default:
		return Edit{}, input.Refuse(field, wantEditField)
	}
	return e, nil
}

const wantEditField = "users, spawn_rate, rate, paused or run_time"

type editJSON struct {
	TS    float64         `json:"t_s"`
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// MarshalJSON writes {"t_s": 12.5, "field": "users", "value": 80}. Seconds are exact to the nanosecond.
func (e Edit) MarshalJSON() ([]byte, error) {
	out := editJSON{TS: float64(e.At) / 1e9, Field: e.Field}
	var value any = e.Value
	switch e.Field {
	case EditPaused:
		value = e.Value != 0
	case EditRunTime:
		value = e.duration().String()
	}
	var err error
	if out.Value, err = json.Marshal(value); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; a value may also be the text of [ParseEdit].
func (e *Edit) UnmarshalJSON(data []byte) error {
	var in editJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return &input.Error{Want: "want {t_s, field, value}: seconds, " + wantEditField + ", and what it is from then on"}
	}
	if !(in.TS >= 0 && in.TS <= time.Duration(math.MaxInt64).Seconds()/2) {
		return &input.Error{Field: "t_s", Got: formatNumber(in.TS), Want: "seconds on the run's clock"}
	}
	text := string(in.Value)
	if unquoted := ""; json.Unmarshal(in.Value, &unquoted) == nil {
		text = unquoted
	}
	parsed, err := ParseEdit(in.Field, text)
	if err != nil {
		return err
	}
	*e = parsed
	e.At = time.Duration(math.Round(in.TS * 1e9))
	return nil
}

// checkEdits checks edits one after the other, each as one of the plan with those before it.
func (p *Plan) checkEdits(f *faults) {
	if len(p.Edits) > MaxEdits {
		f.check(false, "edits", strconv.Itoa(len(p.Edits))+" edits", "at most 10,000")
		return
	}
	s := editState{length: p.Unedited().Length()}
	for i, e := range p.Edits {
		if err := s.check(p, e); err != nil {
			f.add(fmt.Sprintf("edits[%d]", i), err)
			return // what follows may follow from it
		}
		s.apply(e)
	}
}

// editState is what one edit must know of those before it.
type editState struct {
	last, length time.Duration
	paused       bool
}

func (s *editState) apply(e Edit) {
	s.last = e.At
	switch e.Field {
	case EditPaused:
		s.paused = e.Value != 0
	case EditRunTime:
		s.length = time.Duration(e.duration())
	}
}

// check says why an edit cannot be the next one.
func (s *editState) check(p *Plan, e Edit) *input.Error {
	refuse := func(want string) *input.Error { return &input.Error{Field: e.Field, Want: want} }
	switch {
	case p.Model == Bench:
		return refuse("does not go with a bench: it is as fast as it goes from its start to its end")
	case e.At < s.last:
		return &input.Error{Field: "t_s", Want: "edits in order of time"}
	case e.At >= s.length:
		return &input.Error{Field: "t_s", Got: Duration(e.At).String(), Want: "a time before the load's end at " + Duration(s.length).String()}
	case p.Model == Open && (e.Field == EditUsers || e.Field == EditSpawnRate):
		return refuse("does not go with a rate (the open model)")
	case p.Model == Closed && e.Field == EditRate:
		return refuse("does not go with users (the closed model)")
	}
	got := func(want string) *input.Error {
		return &input.Error{Field: e.Field, Got: formatNumber(e.Value), Want: want}
	}
	switch e.Field {
	case EditUsers:
		if !(0 <= e.Value && e.Value <= MaxUsers && e.Value == math.Trunc(e.Value)) {
			return got("a whole number of users, 0 to 1,000,000")
		}
	case EditSpawnRate:
		if !(0 < e.Value && e.Value <= MaxRate) {
			return got("users per second, above 0, at most 1,000,000")
		}
	case EditRate:
		if !(0 <= e.Value && e.Value <= MaxRate) {
			return got("0 to 1,000,000 requests per second")
		}
	case EditPaused:
		if isPause := e.Value != 0; isPause == s.paused {
			if isPause {
				return refuse("it is paused already")
			}
			return refuse("it is not paused")
		}
	case EditRunTime:
		d := time.Duration(e.duration())
		if !(e.Value <= time.Duration(MaxRunTime).Seconds()) || d <= e.At {
			return &input.Error{Field: e.Field, Got: e.duration().String(), Want: "a length above " + Duration(e.At).String() + ", which has passed, and at most " + MaxRunTime.String()}
		}
	default:
		return input.Refuse(e.Field, wantEditField)
	}
	return nil
}

// Edited is the plan with more edits, each of which must be possible after those before it. The plan itself must be valid.
func (p *Plan) Edited(edits ...Edit) (Plan, error) {
	q := *p
	q.Edits = slices.Clone(p.Edits)
	s := editState{length: p.Unedited().Length()}
	for _, e := range q.Edits {
		s.apply(e)
	}
	for _, e := range edits {
		if e.Field == EditRunTime {
			e.Value = float64(e.duration()) / 1e9 // as it is written and read
		}
		if err := s.check(p, e); err != nil {
			return Plan{}, err
		}
		if s.apply(e); len(q.Edits) == MaxEdits {
			return Plan{}, &input.Error{Field: "edits", Want: "at most 10,000"}
		}
		q.Edits = append(q.Edits, e)
	}
	return q, nil
}

// Unedited is the plan as it was before its edits.
func (p *Plan) Unedited() *Plan {
	q := *p
	q.Edits = nil
	return &q
}

// Paused reports whether the plan is paused after its edits so far.
func (p *Plan) Paused() bool {
	for i := len(p.Edits) - 1; i >= 0; i-- {
		if e := p.Edits[i]; e.Field == EditPaused {
			return e.Value != 0
		}
	}
	return false
}

// Asked is how many users, or requests per second, the plan asks for at an instant: those who are still to spawn are in
// it, and a hold is not.
func (p *Plan) Asked(at time.Duration) float64 { return p.Load().target.At(at) }
