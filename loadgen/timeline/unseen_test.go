package timeline

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestWhatIsTakenBackStandsInNoTimelineWheneverThatIsTold(t *testing.T) {
	service := Fact{Service: &Service{Speedup: 1, Max: 4}}
	point := Fact{ID: "a", Point: &Point{Desired: 2, Running: 2, Healthy: 2}}
	said := Fact{ID: "x", Known: 1 * sec, Event: &Event{At: sec, Type: "no-activity"}}
	not := said
	not.Known, not.Gone = 2*sec, true
	for name, order := range map[string][]Fact{"in order": {service, point, said, not}, "the other way round": {not, said, point, service}} {
		var l Ledger
		l.Tell(order...)
		if got := l.Timeline(9 * sec).Events; len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	data, err := json.Marshal(not)
	if err != nil {
		t.Fatal(err)
	}
	var read Fact
	if err := json.Unmarshal(data, &read); err != nil || !reflect.DeepEqual(read, not) {
		t.Errorf("%s reads as %+v, %v", data, read, err)
	}
}

func TestNoFigureRestsOnACountThatNobodyCouldSee(t *testing.T) {
	x := &Timeline{Speedup: 1, Max: 6, Min: 1, LoadTo: 60 * sec, End: 100 * sec, Points: []Point{
		{At: 0, Desired: 1, Running: 1, Healthy: 1}, {At: 10 * sec, Desired: 2, Running: 1, Healthy: 1},
		{At: 20 * sec, Desired: 2, Running: 2, Healthy: 2}, {At: 70 * sec, Desired: 1, Running: 1, Healthy: 1},
	}}
	load := Load{{To: 60 * sec, Rate: 2}}
	if f := Compute(x, load, Capacity{PerTask: 1}); f.ScaleOut == nil || f.Lags.Healthy == nil || f.Provisioning == nil || f.Recovery == nil || f.Unknown != nil {
		t.Fatalf("all is known: %+v", f)
	}
	x.Unseen = []Unseen{{From: 30 * sec, To: 40 * sec, Count: CountHealthy, Why: "not allowed"}}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	f := Compute(x, load, Capacity{PerTask: 1})
	if f.ScaleOut != nil || f.Lags.Healthy != nil || f.Provisioning != nil || f.Steady != nil || !reflect.DeepEqual(f.Unknown, []Count{CountHealthy}) {
		t.Errorf("health was not seen: %+v", f)
	}
	if f.Recovery == nil || f.Lags.Running == nil {
		t.Errorf("what rests on other counts is known: %+v", f)
	}
	data, err := Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := Decode(data); err != nil || !reflect.DeepEqual(read.Unseen, x.Unseen) {
		t.Errorf("%s: %+v, %v", data, read.Unseen, err)
	}
	var l Ledger
	l.Tell(x.Facts()...)
	if got := l.Timeline(x.End).Unseen; !reflect.DeepEqual(got, x.Unseen) {
		t.Errorf("told as facts: %+v", got)
	}
}

func TestWithoutALoadNothingIsSinceTheLoad(t *testing.T) {
	x := &Timeline{Speedup: 1, Max: 6, Min: 1, End: 100 * sec, Points: []Point{
		{At: 0, Desired: 2, Running: 2, Healthy: 2}, {At: 10 * sec, Desired: 3, Running: 3, Healthy: 3}, {At: 70 * sec, Desired: 1, Running: 1, Healthy: 1},
	}}
	if f := Compute(x, nil, Capacity{}); f.ScaleOut != nil || f.Recovery != nil || f.Lags != (Lags{}) || f.MaxTasks != 3 {
		t.Errorf("%+v", f)
	}
}
