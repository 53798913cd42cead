package plan

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyEdits are edits that a plan allows, in order.
func anyEdits(t *rapid.T, p *Plan) []Edit {
	q := *p
	at := time.Duration(0)
	for i := range rapid.IntRange(0, 8).Draw(t, "edits") {
		_ = i
		at += time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "later"))
		e := Edit{At: at, Field: rapid.SampledFrom([]string{EditUsers, EditRate, EditSpawnRate, EditPaused, EditRunTime}).Draw(t, "field")}
		e.Value = float64(rapid.IntRange(0, 60).Draw(t, "value"))
		if e.Field == EditPaused {
			e.Value = math.Mod(e.Value, 2)
		}
		if next, err := q.Edited(e); err == nil {
			q = next
		}
	}
	return q.Edits
}

// editablePlan is one of both models, of some seconds.
func editablePlan(t *rapid.T) Plan {
	p := Default()
	p.Host = "http://localhost"
	if rapid.Bool().Draw(t, "open") {
		p = DefaultOpen()
		p.Host = "http://localhost"
		p.Rate = Rate{N: rapid.Float64Range(1, 50).Draw(t, "rate")}
	} else {
		p.Users, p.SpawnRate = rapid.IntRange(1, 50).Draw(t, "users"), rapid.Float64Range(0.5, 100).Draw(t, "spawn rate")
	}
	p.RunTime = Duration(rapid.Int64Range(int64(time.Second), int64(20*time.Second)).Draw(t, "run time"))
	if rapid.Bool().Draw(t, "stages") {
		p.Users, p.SpawnRate, p.Rate, p.RunTime = 0, 0, Rate{}, 0
		for range rapid.IntRange(1, 5).Draw(t, "count") {
			p.Stages = append(p.Stages, Stage{Duration(rapid.Int64Range(0, int64(5*time.Second)).Draw(t, "duration")), float64(rapid.IntRange(0, 50).Draw(t, "to"))})
		}
		p.Stages = append(p.Stages, Stage{Duration(time.Second), 10})
	}
	if rapid.Bool().Draw(t, "warm-up") {
		p.WarmUp = Duration(p.Length() / 3)
	}
	return p
}

func TestAnEditChangesNothingBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := editablePlan(t)
		if err := p.Validate(); err != nil {
			t.Skip(err)
		}
		p.Edits = anyEdits(t, &p)
		after := p.Load()
		for n := range p.Edits {
			before := p
			before.Edits = p.Edits[:n]
			l, at := before.Load(), p.Edits[n].At
			for range 20 {
				x := time.Duration(rapid.Int64Range(0, max(0, int64(at)-1)).Draw(t, "at"))
				if x < at && (l.Curve.At(x) != after.Curve.At(x) || l.Curve.Integral(x) != after.Curve.Integral(x)) {
					t.Fatalf("at %v, before edit %d at %v: %v with it and %v without", x, n, at, after.Curve.At(x), l.Curve.At(x))
				}
			}
			var begun []Phase
			for _, ph := range l.Phases {
				if ph.From < at && ph.Name != Drain {
					begun = append(begun, ph)
				}
			}
			if len(after.Phases) < len(begun) || !slices.Equal(after.Phases[:len(begun)], begun) {
				t.Fatalf("phases %v, of which %v had begun when edit %d came at %v", after.Phases, begun, n, at)
			}
		}
	})
}

func TestAnEditedLoadIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := editablePlan(t)
		if err := p.Validate(); err != nil {
			t.Skip(err)
		}
		p.Edits = anyEdits(t, &p)
		l := p.Load()
		if l.End() != p.Length() || l.Curve.End() != l.End() {
			t.Fatalf("the load ends at %v, its curve at %v, the plan says %v", l.End(), l.Curve.End(), p.Length())
		}
		at := time.Duration(0)
		for _, s := range l.Curve.Segments() {
			if s.From != at || s.To <= s.From || s.Start < 0 || s.End < 0 {
				t.Fatalf("segment %+v after %v", s, at)
			}
			at = s.To
		}
		for i, ph := range l.Phases {
			if i > 0 && ph.From <= l.Phases[i-1].From {
				t.Fatalf("phases %v", l.Phases)
			}
			if held := l.Curve.At(ph.From) == 0; ph.Name == Held && !held {
				t.Fatalf("%v in phase %v", l.Curve.At(ph.From), ph)
			}
		}
		for _, h := range l.Holds {
			if h.To > h.From && (l.Curve.Integral(h.To)-l.Curve.Integral(h.From) > 1e-6 || l.Phases[phaseOf(l.Phases, h.From)].Name != Held) {
				t.Fatalf("in the hold %v phases are %v and the curve has %v", h, l.Phases, l.Curve.Integral(h.To)-l.Curve.Integral(h.From))
			}
		}
		// Users are numbered without gap, and present as many as the curve says.
		present := 0
		for c := range l.Present.Crossings() {
			if c.Join && c.User != present || !c.Join && c.User != present-1 {
				t.Fatalf("%+v while %d are there", c, present)
			}
			if present = c.User; c.Join {
				present++
			}
		}
	})
}

func phaseOf(phases []Phase, at time.Duration) int {
	i := 0
	for i+1 < len(phases) && phases[i+1].From <= at {
		i++
	}
	return i
}

func TestEditsAreReadAsTheyAreWritten(t *testing.T) {
	for _, row := range []struct{ why, text, want string }{
		{"users", `{"t_s":1.5,"field":"users","value":80}`, "users 80"},
		{"a rate of another time", `{"t_s":1,"field":"rate","value":"3000/1m"}`, "rate 50"},
		{"a rate", `{"t_s":1,"field":"rate","value":0.1}`, "rate 0.1"},
		{"paused", `{"t_s":0.000000001,"field":"paused","value":true}`, "paused"},
		{"resumed", `{"t_s":1,"field":"paused","value":false}`, "resumed"},
		{"a duration", `{"t_s":1,"field":"run_time","value":"90s"}`, "run_time 1m30s"},
		{"seconds", `{"t_s":1,"field":"run_time","value":90}`, "run_time 1m30s"},
	} {
		var e, again Edit
		if err := json.Unmarshal([]byte(row.text), &e); err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if e.String() != row.want {
			t.Errorf("%s: %q, want %q", row.why, e, row.want)
		}
		data, _ := json.Marshal(e)
		if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(e, again) {
			t.Errorf("%s: %v is written as %s and read as %v, %v", row.why, e, data, again, err)
		}
	}
}

func TestEditsThatCannotBeAreRefused(t *testing.T) {
	for _, row := range []struct{ why, edits, want string }{
		{"a field that there is not", `[{"t_s":1,"field":"colour","value":1}]`, `edits[0] "colour": want users`},
		{"nothing at all", `[{"t_s":1}]`, "edits[0]: empty, want users"},
		{"a key that there is not", `[{"t_s":1,"field":"users","value":1,"at":5}]`, "edits[0]: want {t_s, field, value}"},
		{"a part of a user", `[{"t_s":1,"field":"users","value":1.5}]`, `edits[0].users "1.5": want a whole number`},
		{"below none", `[{"t_s":1,"field":"users","value":-1}]`, `edits[0].users "-1"`},
		{"before the start", `[{"t_s":-1,"field":"users","value":1}]`, `edits[0].t_s "-1"`},
		{"after the end", `[{"t_s":180,"field":"users","value":1}]`, `edits[0].t_s "3m": want a time before the load's end at 3m`},
		{"out of order", `[{"t_s":2,"field":"users","value":1},{"t_s":1,"field":"users","value":2}]`, "edits[1].t_s: edits in order"},
		{"of the other model", `[{"t_s":2,"field":"rate","value":1}]`, "edits[0].rate: does not go with users"},
		{"paused twice", `[{"t_s":2,"field":"paused","value":true},{"t_s":3,"field":"paused","value":true}]`, "edits[1].paused: it is paused already"},
		{"an end that has passed", `[{"t_s":20,"field":"run_time","value":"10s"}]`, `edits[0].run_time "10s": want a length above 20s`},
		{"after an end that came nearer", `[{"t_s":1,"field":"run_time","value":"10s"},{"t_s":20,"field":"users","value":1}]`, `edits[1].t_s "20s": want a time before the load's end at 10s`},
	} {
		p, err := ReadFile([]byte(`{"host":"http://x","edits":` + row.edits + "}"))
		err = errors.Join(err, p.Validate())
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.why, err, row.want)
		}
	}
}
