package validity

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

func TestSummaryIsOfTheSecondsThatWereRead(t *testing.T) {
	lag := histogram(time.Millisecond, 2*time.Millisecond)
	waits := histogram(time.Second)
	got := Summarise([]result.Health{
		{CPU: 0.2, Throttled: 0, Steal: unknown, GC: 0.01, RSS: 100, OpenFiles: unknown},
		{CPU: unknown, Throttled: 0.3, Steal: unknown, GC: 0.03, RSS: 300, OpenFiles: 7},
		{CPU: 0.6, Throttled: 0.3, Steal: unknown, GC: 0.02, RSS: 200, OpenFiles: 5},
	}, lag, waits, 3)

	for _, c := range []struct {
		name      string
		got, want result.Reading
	}{
		{"CPU max", got.CPU.UsedRatioMax, 0.6},
		{"CPU mean", got.CPU.UsedRatioMean, 0.4},
		{"throttled", got.CPU.ThrottledRatio, 0.2},
		{"steal", got.CPU.StealRatio, unknown},
		{"GC", got.GCRatio, 0.02},
		{"RSS", got.RSSMaxBytes, 300},
		{"open files", got.OpenFilesMax, 7},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s %v, want %v", c.name, c.got, c.want)
		}
	}
	if want := (result.LagSummary{P50: 1, P99: 2, Max: 2, Count: 2}); got.Lag != want {
		t.Errorf("lag %+v, want %+v", got.Lag, want)
	}
	if got.WaitedForSlot.Count != 1 || got.WaitedForSlot.Max < 1000 || got.WaitedForSlot.Max > 1001 {
		t.Errorf("waited for slot %+v, want 1 s to three digits", got.WaitedForSlot)
	}
	if got.Clamped != 3 {
		t.Errorf("clamped %d", got.Clamped)
	}
	if !slices.Equal(got.Unknown, []string{"steal"}) {
		t.Errorf("unknown %q: steal alone was never read", got.Unknown)
	}
}

func TestSummaryOfNothingIsUnknownNotZero(t *testing.T) {
	got := Summarise(nil, nil, nil, 0)
	if got.CPU.UsedRatioMax.Known() || got.CPU.UsedRatioMean.Known() || got.CPU.ThrottledRatio.Known() ||
		got.CPU.StealRatio.Known() || got.GCRatio.Known() || got.RSSMaxBytes.Known() || got.OpenFilesMax.Known() {
		t.Errorf("known without a reading: %+v", got)
	}
	if want := []string{"cpu", "throttled", "steal", "gc", "rss", "open_files"}; !slices.Equal(got.Unknown, want) {
		t.Errorf("unknown %q, want %q", got.Unknown, want)
	}
	if got.Lag != (result.LagSummary{}) {
		t.Errorf("lag %+v", got.Lag)
	}
}

func TestSummaryWithoutUnknownProbesHasAnEmptyListInJSON(t *testing.T) {
	data, err := json.Marshal(Summarise([]result.Health{{}}, nil, nil, 0).Unknown)
	if err != nil || string(data) != "[]" {
		t.Errorf("%s, %v", data, err)
	}
}
