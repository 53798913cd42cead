package timeline

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told draws what a source tells of a timeline: each of its facts, and of activities and tasks what they were before.
func told(t *rapid.T, line *Timeline) []Fact {
	facts := line.Facts()
	for _, f := range slices.Clone(facts) {
		f.Known = max(0, f.Known-1)
		switch {
		case f.Activity != nil:
			f.Activity = &Activity{At: f.Activity.At, Status: InProgress}
			facts = append(facts, f)
		case f.Task != nil:
			f.Task = &Task{ID: f.Task.ID, Requested: f.Task.Requested, Running: Never}
			facts = append(facts, f)
		case f.Point != nil: // told by somebody else too, who saw something else at the same time
			other := *f.Point
			other.Healthy = rapid.IntRange(0, 3).Draw(t, "healthy")
			f.Point, f.Known = &other, line.End
			facts = append(facts, f)
		}
	}
	return facts
}

func TestATimelineIsWhatWasToldInAnyOrderAndHoweverOften(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(100*time.Millisecond, 6*sec).Draw(t, "timeline")
		facts := told(t, line)
		var inOrder, shuffled Ledger
		inOrder.Tell(facts...)

		again := append(slices.Clone(facts), rapid.SliceOf(rapid.SampledFrom(facts)).Draw(t, "again")...)
		again = rapid.Permutation(again).Draw(t, "order")
		var news []Fact
		for len(again) > 0 {
			n := rapid.IntRange(1, len(again)).Draw(t, "at once")
			news = append(news, shuffled.Tell(again[:n]...)...)
			again = again[n:]
		}
		got, want := shuffled.Timeline(line.End), inOrder.Timeline(line.End)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
		if err := got.Validate(); err != nil {
			t.Fatal(err)
		}
		// None is lost and none is told twice: a reader of the news holds the same, and met each state once.
		var reader Ledger
		for i, f := range news {
			for _, g := range news[:i] {
				if f.Kind() == g.Kind() && f.ID == g.ID && f.same(&g) {
					t.Fatalf("%s %q was told twice", f.Kind(), f.ID)
				}
			}
		}
		reader.Tell(news...)
		if read := reader.Timeline(line.End); !reflect.DeepEqual(read, want) {
			t.Fatalf("who reads the news has %+v\nwant %+v", read, want)
		}
		if more := shuffled.Tell(facts...); len(more) > 0 {
			t.Fatalf("told again, %d facts are news", len(more))
		}
	})
}

func TestTwoHalvesOfWhatWasToldMakeOneTimeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(100*time.Millisecond, 6*sec).Draw(t, "timeline")
		facts := line.Facts()
		var whole, united Ledger
		whole.Tell(facts...)
		// Each of two observers has missed some; both know the service.
		for range 2 {
			for _, f := range facts {
				united.Tell(f)
			}
		}
		if got, want := united.Timeline(line.End), whole.Timeline(line.End); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
		// What a timeline says of itself is that timeline, but for what changes nothing and what has one instant.
		got := whole.Timeline(line.End)
		var more Ledger
		more.Tell(got.Facts()...)
		if again := more.Timeline(line.End); !reflect.DeepEqual(again, got) {
			t.Fatalf("again %+v\nwant  %+v", again, got)
		}
	})
}

func TestAFactIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(100*time.Millisecond, 6*sec).Draw(t, "timeline")
		for _, f := range told(t, line) {
			data, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			var read Fact
			if err := json.Unmarshal(data, &read); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if again, _ := json.Marshal(read); string(again) != string(data) || f.Kind() != read.Kind() || f.ID != read.ID || f.Known != read.Known {
				t.Fatalf("written %s, read %s", data, again)
			}
		}
	})
}

func TestAFactThatCannotBeIsLeftOutAndTold(t *testing.T) {
	for _, row := range []struct {
		fact Fact
		want string
	}{
		{Fact{}, "kind"},
		{Fact{Point: &Point{At: -1}}, "t_s"},
		{Fact{Point: &Point{Desired: -1}}, "point.desired"},
		{Fact{Known: -1, Point: &Point{}}, "known_s"},
		{Fact{Service: &Service{}}, "service.speedup"},
		{Fact{Service: &Service{Speedup: 1, Min: 3, Max: 2}}, "service.min"},
		{Fact{Service: &Service{Speedup: 1, PerTask: -1}}, "service.task_capacity"},
		{Fact{Task: &Task{}}, "task.id"},
		{Fact{Event: &Event{}}, "event.type"},
		{Fact{Alarm: &AlarmChange{Alarm: "a", State: "RED"}}, "alarm.state"},
	} {
		var l Ledger
		if news := l.Tell(row.fact); len(news) > 0 || len(l.Warnings()) != 1 || !strings.Contains(l.Warnings()[0], row.want) {
			t.Errorf("%s: news %v, warnings %q", row.want, news, l.Warnings())
		}
	}
}

func TestWhatIsToldLateIsShownInItsPlace(t *testing.T) {
	r := NewRecorder(1, 2, 6)
	r.LoadFrom(0)
	r.Point(all(0, 2))
	var l Ledger
	l.Tell(r.Facts()...)
	r.Until(8 * sec)
	r.Activity(Activity{At: 8 * sec, Policy: "p", Status: Successful, From: 4, To: 5})
	l.Tell(r.Facts()...)
	r.Until(12 * sec)
	n := r.Activity(Activity{At: 5 * sec, Policy: "p", Status: InProgress, From: 2, To: 4})
	if news := l.Tell(r.Facts()...); len(news) != 1 || news[0].At() != 5*sec || news[0].Known < 12*sec {
		t.Fatalf("news %+v", news)
	}
	r.UpdateActivity(n, Activity{At: 5 * sec, Completed: 11 * sec, Policy: "p", Status: Successful, From: 2, To: 4})
	l.Tell(r.Facts()...)
	line := l.Timeline(20 * sec)
	if len(line.Activities) != 2 || line.Activities[0].At != 5*sec || line.Activities[0].Status != Successful || line.Activities[1].At != 8*sec {
		t.Errorf("activities %+v", line.Activities)
	}
	if line.LoadTo != 20*sec {
		t.Errorf("load until %v, want the end: nobody said that it had ended", line.LoadTo)
	}
}

func TestAShiftedFactIsOfThatMuchLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(100*time.Millisecond, 6*sec).Draw(t, "timeline")
		by := time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * sec
		var l, later Ledger
		l.Tell(line.Facts()...)
		for _, f := range line.Facts() {
			later.Tell(f.Shift(by))
		}
		a, b := l.Timeline(line.End), later.Timeline(line.End+by)
		if len(a.Points) != len(b.Points) || len(a.Activities) != len(b.Activities) || a.LoadTo+by != b.LoadTo {
			t.Fatalf("%+v\nlater by %v: %+v", a, by, b)
		}
		for i := range a.Activities {
			if x, y := a.Activities[i], b.Activities[i]; x.At+by != y.At || x.Completed > 0 && x.Completed+by != y.Completed {
				t.Fatalf("%+v\nlater by %v: %+v", x, by, y)
			}
		}
		for i := range a.Tasks {
			if x, y := a.Tasks[i], b.Tasks[i]; x.Requested+by != y.Requested || x.Healthy >= 0 && x.Healthy+by != y.Healthy || x.Healthy < 0 && y.Healthy >= 0 {
				t.Fatalf("%+v\nlater by %v: %+v", x, by, y)
			}
		}
	})
}

func TestTheFormatsPageNamesEveryFieldOfAFact(t *testing.T) {
	page, err := os.ReadFile("../../docs/result-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### `capacity.jsonl`")
	for f := range reflect.TypeFor[wireFact]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !strings.Contains(section, "\n| `"+name+"` | ") {
			t.Errorf("no row for %s", name)
		}
	}
}
