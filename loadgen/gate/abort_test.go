package gate

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// stops feeds windows to a rule and answers the number of the one at which it stops, or -1.
func stops(t *testing.T, text string, windows []*result.Window) (at int, why string) {
	t.Helper()
	rule, err := NewAbortRule(mustParse(t, text), []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range windows {
		if outcome, stop := rule.Window(w); stop {
			if outcome.Passed {
				t.Errorf("%s stops on %+v", text, outcome)
			}
			return i, outcome.Detail
		}
	}
	return -1, ""
}

// seconds are windows whose latencies in ms are given; 0 is a second in which nothing completed.
func seconds(latencies ...int) []*result.Window {
	var all []*result.Window
	for i, l := range latencies {
		w := window(i, time.Duration(l)*ms)
		if l == 0 {
			w.Endpoints = nil
		}
		all = append(all, w)
	}
	return all
}

func named(name string, windows []*result.Window, from, to int) []*result.Window {
	for _, w := range windows[from:to] {
		w.Name = name
	}
	return windows
}

func TestAbortLooksAtTheLastTenSecondsOnly(t *testing.T) {
	half := seconds(make([]int, 25)...)
	for i, w := range half { // 25 windows of half a second, slow from the first on
		w.From, w.To = time.Duration(i)*500*ms, time.Duration(i+1)*500*ms
		w.Endpoints = window(i, 90*ms).Endpoints
	}
	for _, row := range []struct {
		text    string
		windows []*result.Window
		at      int
		why     string
	}{
		{"max<50ms", seconds(90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 9, "the first second counts until it is 10 s old"},
		{"max<50ms", seconds(90, 90, 90, 90, 90, 90, 90, 90, 90), -1, "9 s are not yet 10"},
		{"med<50ms", seconds(90, 90, 90, 90, 90, 90, 1, 1, 1, 1, 1, 1, 1, 1), 9, "6 s of the 10 are slow"},
		{"med<50ms", seconds(90, 90, 90, 90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), -1, "4 s of the 10 are"},
		{"med<50ms", seconds(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 90, 90, 90, 90, 90, 90, 90), 16, "as soon as 6 of the last 10 are"},
		{"max<50ms", half, 19, "10 s, not 10 windows"},
		{"rps>4", seconds(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0), 12, "5/s; 40 of 50 requests are 4/s, not above"},
		{"{b}:max<50ms", seconds(90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90), -1, "another endpoint is slow; 10 s without data stop nothing"},
		{"{c}:max<150ms", seconds(90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90), 9, "this endpoint takes twice as long as a"},
		{"{a}:max<150ms", seconds(90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90), -1, "and a does not"},
		{"error_rate<10%", seconds(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 9, "a fifth of the requests fail"},
		{"sent>=51", seconds(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 9, "5 a second are sent, of all endpoints"},
		{"max<50ms", seconds(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), -1, "silence is no evidence"},
		{"rps>1", seconds(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 9, "but it is a rate"},
		{"max<50ms", named(plan.Drain, seconds(1, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90), 1, 12), -1, "in the drain nothing is left to stop"},
		{"{phase:steady}:max<50ms", named("ramp", seconds(90, 90, 90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 0, 3), -1, "the ramp is not in the scope"},
		{"max<50ms", named("ramp", seconds(90, 90, 90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 0, 3), 9, "without a phase it is"},
		{"{phase:steady}:max<50ms", named("ramp", seconds(90, 90, 90, 90, 90, 1, 90, 90, 90, 90, 90, 90), 5, 6), -1, "two stretches of a phase are not pieced together"},
	} {
		if at, _ := stops(t, row.text, row.windows); at != row.at {
			t.Errorf("%s stops at window %d, want %d: %s", row.text, at, row.at, row.why)
		}
	}
}

func TestAbortSaysOverWhatItFailed(t *testing.T) {
	_, why := stops(t, "{c}:max<100ms", seconds(90, 90, 90, 90, 90, 90, 90, 90, 90, 90))
	if want := "was 180 ms, of the 67 % that succeeded, over the last 10s"; why != want {
		t.Errorf("%q, want %q", why, want)
	}
}

func TestAbortRefusesWhatCannotBeKnownInTime(t *testing.T) {
	for text, want := range map[string]string{
		"dropped==0":             `"dropped==0": want a metric that is known during the run; dropped is known only after the drain`,
		"abandoned<5":            `"abandoned<5": want a metric that is known during the run; abandoned is known only after the drain`,
		"{phase:drain}:p(99)<50": `"{phase:drain}:p(99)<50ms": want a phase other than drain: nothing is sent in it`,
		"{GET /x}:p(99)<50":      `"{GET /x}:p(99)<50ms": want "GET /" instead of "GET /x"`,
	} {
		if _, err := NewAbortRule(mustParse(t, text), []string{"GET /"}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestAbortAgreesWithAddingTheWindowsUpAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := latency(Percentile, 50, Less, 50)
		rule, err := NewAbortRule(e, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		var all []*result.Window
		now := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(t, "windows") {
			w := window(0, time.Duration(rapid.SampledFrom([]int{1, 90}).Draw(t, "ms"))*ms)
			w.From, w.To = now, now+time.Duration(rapid.IntRange(100, 3000).Draw(t, "length"))*ms
			now = w.To
			all = append(all, w)
			_, got := rule.Window(w)

			var sum Metrics
			first := len(all) - 1
			for ; first >= 0; first-- {
				sum.Add(all[first], All)
				if now-all[first].From >= AbortOver {
					break
				}
			}
			if want := first >= 0 && !e.judgeRequests(&sum).Passed; got != want {
				t.Fatalf("at %s: stop is %v, want %v", now, got, want)
			}
		}
	})
}
