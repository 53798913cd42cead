package timeline

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAPointAndBoundsHoldFromTheirInstantOn(t *testing.T) {
	line := under30(all(minute, 2), all(3*minute, 6))
	line.Bounds = []BoundsChange{{2 * minute, 3, 7}, {4 * minute, 4, 8}}
	for _, row := range []struct {
		at             time.Duration
		tasks, low, up int
		because        string
	}{
		{0, 2, 2, 6, "before the first point it is as at the first"},
		{minute, 2, 2, 6, ""},
		{2*minute - 1, 2, 2, 6, "just before"},
		{2 * minute, 2, 3, 7, "from the instant of the change on"},
		{3*minute - 1, 2, 3, 7, ""},
		{3 * minute, 6, 3, 7, ""},
		{4 * minute, 6, 4, 8, ""},
		{time.Hour, 6, 4, 8, "the last ones hold for ever"},
	} {
		low, up := line.BoundsAt(row.at)
		if p := line.At(row.at); p.Running != row.tasks || low != row.low || up != row.up {
			t.Errorf("at %v: %d tasks, bounds %d to %d; want %d, %d to %d %s", row.at, p.Running, low, up, row.tasks, row.low, row.up, row.because)
		}
	}
	if p := (&Timeline{}).At(minute); p != (Point{}) {
		t.Errorf("nothing holds %+v", p)
	}
}

func TestBetweenCutsAStretchIntoWhatHoldsInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(sec, 20*sec).Draw(t, "timeline")
		from := time.Duration(rapid.IntRange(0, 20).Draw(t, "from")) * sec
		to := from + time.Duration(rapid.IntRange(0, 20).Draw(t, "length"))*sec
		at := from
		line.Between(from, to, func(start, end time.Duration, p Point) {
			if start != at || end <= start {
				t.Fatalf("a stretch from %v to %v, after %v", start, end, at)
			}
			for ; at < end; at += sec {
				if p != line.At(at) {
					t.Fatalf("at %v it is %+v, want %+v", at, p, line.At(at))
				}
			}
		})
		if at != to {
			t.Fatalf("%v to %v ends at %v", from, to, at)
		}
	})
}
