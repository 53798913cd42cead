package tui

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func TestTheLastTenSecondsAreThoseOfTheWindowsInThem(t *testing.T) {
	var recent []*result.Window
	for i := range 25 {
		recent = withRecent(recent, window(i, plan.Steady, int64(i), 0, ms, 0))
	}
	f := sum(recent)
	if want := int64(15 + 16 + 17 + 18 + 19 + 20 + 21 + 22 + 23 + 24); f.load.Requests != want || f.load.Seconds() != 10 {
		t.Errorf("%d done in %v s, want %d in 10 s", f.load.Requests, f.load.Seconds(), want)
	}
	if f.Raw.Count() != f.load.Requests {
		t.Errorf("%d latencies of %d requests", f.Raw.Count(), f.load.Requests)
	}
}

func TestASecondThatIsCutByAPhaseCountsOnce(t *testing.T) {
	cut := func(from, to time.Duration, done int64) *result.Window {
		return &result.Window{From: from, To: to, Endpoints: []result.EndpointWindow{{Requests: done}}}
	}
	var seconds []second
	for _, w := range []*result.Window{cut(0, time.Second, 10), cut(time.Second, 1800*ms, 7), cut(1800*ms, 2*time.Second, 3), cut(2*time.Second, 3*time.Second, 12)} {
		seconds = withSecond(seconds, w)
	}
	if len(seconds) != 3 || seconds[1].done != 10 || seconds[1].rate() != 10 {
		t.Errorf("%v, want three seconds of 10, 10 and 12", seconds)
	}
	// A second of which there is a part so far, or at all, has its rate; the drain's moment has none.
	seconds = withSecond(seconds, cut(3*time.Second, 3400*ms, 4))
	drain := cut(3400*ms, 3410*ms, 9)
	drain.Name = plan.Drain
	if seconds = withSecond(seconds, drain); len(seconds) != 4 || seconds[3].rate() != 10 || sparkline(seconds) != "▇▇█▇" {
		t.Errorf("%v: %s, want the part of a second at 10/s", seconds, sparkline(seconds))
	}
}

func TestTheSparklineHasABarASecondAndAFullOneForTheHighest(t *testing.T) {
	for _, row := range []struct {
		done []int64
		want string
		why  string
	}{
		{nil, "", "nothing yet"},
		{[]int64{0, 0}, "__", "nothing was done: no bar, and no division by zero"},
		{[]int64{1, 2, 3, 4, 5, 6, 7, 8}, "▁▂▃▄▅▆▇█", "in eighths"},
		{[]int64{1, 1000}, "▁█", "the least that was done is a bar"},
		{[]int64{389, 389}, "██", "a steady rate is a line at the top"},
		{[]int64{8, 0, 8}, "█_█", "a second without an answer is a gap"},
	} {
		var seconds []second
		for i, d := range row.done {
			seconds = append(seconds, second{i, d, 1})
		}
		if got := sparkline(seconds); got != row.want {
			t.Errorf("%v: %q, want %q: %s", row.done, got, row.want, row.why)
		}
	}
}

func TestOnlyTheLastMinuteIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var seconds []second
		n := rapid.IntRange(0, 200).Draw(t, "n")
		for i := range n {
			seconds = withSecond(seconds, window(i, plan.Steady, int64(i), 0, ms, 0))
		}
		if len(seconds) != min(n, minute) || n > 0 && seconds[len(seconds)-1].number != n-1 {
			t.Fatalf("%d seconds of %d, the last one %v", len(seconds), n, seconds[max(0, len(seconds)-1):])
		}
	})
}

func TestTheWorstFailuresComeFirstAndTiesHaveOneOrder(t *testing.T) {
	var all totals
	for range 3 {
		all = all.with(&result.Window{Endpoints: []result.EndpointWindow{{Requests: 30, Failures: 30, Errors: []result.ErrorCount{
			{Message: "b", Count: 5}, {Message: "a", Count: 5}, {Message: "often", Count: 15}, {Message: "rare", Count: 1},
		}}}})
	}
	got := all.worst(3)
	want := []failure{{way{0, "often"}, 45}, {way{0, "a"}, 15}, {way{0, "b"}, 15}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTheGeneratorIsJudgedByTheLastTenSecondsAlone(t *testing.T) {
	late := window(0, plan.Steady, 100, 0, ms, 200*ms)
	for _, row := range []struct {
		windows []*result.Window
		want    result.Validity
		why     string
	}{
		{[]*result.Window{late}, result.Invalid, "lag above 100 ms"},
		{append([]*result.Window{late}, healthy(20)[1:]...), result.Valid, "it was 20 s ago"},
		{[]*result.Window{window(0, plan.Drain, 0, 0, ms, 0)}, result.Valid, "that nothing is sent is no fault"},
	} {
		var recent []*result.Window
		for _, w := range row.windows {
			recent = withRecent(recent, w)
		}
		if level, why := sum(recent).judge(false, false); level != row.want {
			t.Errorf("%s (%s), want %s: %s", level, why, row.want, row.why)
		}
	}
}
