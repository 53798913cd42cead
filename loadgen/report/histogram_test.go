package report

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

func TestAHistogramHasFewLinesAndEachAnswerOnceWhereItBelongs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &result.Result{Corrected: &result.Histogram{}}
		var all []time.Duration
		for range rapid.IntRange(1, 50).Draw(t, "answers") {
			d := time.Duration(rapid.Int64Range(1, int64(time.Hour/time.Microsecond)).Draw(t, "µs")) * time.Microsecond
			if rapid.Bool().Draw(t, "quick") {
				d = time.Duration(rapid.Int64Range(500, 9000).Draw(t, "quick µs")) * time.Microsecond
			}
			all = append(all, d)
			r.Corrected.Record(d)
		}
		h := histogram(Input{Result: r})
		if n := len(h.Bins); n == 0 || n > maxBins {
			t.Fatalf("%d lines", n)
		}
		var sum int64
		for _, b := range h.Bins {
			sum += b.Count
		}
		if sum != int64(len(all)) {
			t.Fatalf("%d of %d answers: %+v", sum, len(all), h.Bins)
		}
		if h.Bins[len(h.Bins)-1].Count == 0 {
			t.Fatalf("a last line of nothing: %+v", h.Bins)
		}
	})
}

func TestAHistogramsBoundsArePreferredNumbers(t *testing.T) {
	for _, row := range []struct {
		micros []int64
		want   string
	}{
		{[]int64{9200, 9900}, "9.50 ms|10.0 ms"},
		{[]int64{1000}, "1.00 ms"},
		{[]int64{1001}, "1.06 ms"},
		{[]int64{2000, 6000}, "2.00 ms|2.24 ms|2.50 ms|2.80 ms|3.15 ms|3.55 ms|4.00 ms|4.50 ms|5.00 ms|5.60 ms|6.30 ms"},
		{[]int64{100, 304000}, "0.100 ms|0.200 ms|0.500 ms|1.00 ms|2.00 ms|5.00 ms|10.0 ms|20.0 ms|50.0 ms|100 ms|200 ms|500 ms"},
	} {
		r := &result.Result{Corrected: &result.Histogram{}}
		for _, m := range row.micros {
			r.Corrected.Record(time.Duration(m) * time.Microsecond)
		}
		var bounds []string
		for _, b := range histogram(Input{Result: r}).Bins {
			bounds = append(bounds, b.UpTo)
		}
		if got := strings.Join(bounds, "|"); got != row.want {
			t.Errorf("%v: %s, want %s", row.micros, got, row.want)
		}
	}
}

func TestAResultAndItsWindowsHaveTheSameHistogram(t *testing.T) {
	s := named(t, "seed")
	live := histogram(Input{Result: s.result()})
	read := *s.result()
	read.Corrected = nil
	again := histogram(Input{Result: &read, Windows: s.each()})
	if len(live.Bins) == 0 || len(live.Bins) != len(again.Bins) {
		t.Fatalf("%+v, and read again %+v", live, again)
	}
	for i := range live.Bins {
		if live.Bins[i] != again.Bins[i] {
			t.Errorf("%+v, and read again %+v", live.Bins[i], again.Bins[i])
		}
	}
	if h := histogram(Input{Result: &read}); len(h.Bins) != 0 {
		t.Errorf("a histogram of nothing: %+v", h)
	}
}

func TestATerminalOfFewLinesShowsNoHistogram(t *testing.T) {
	r := named(t, "seed").result()
	for height, want := range map[int]bool{0: true, tall - 1: false, tall: true} {
		if got := strings.Contains(text(t, r, Options{Height: height}), "latency histogram"); got != want {
			t.Errorf("%d lines: a histogram is %t, want %t", height, got, want)
		}
	}
}
