package lab

import (
	"strings"
	"testing"
	"time"
)

func TestPeriodsThatAreTooShortForTheAnswersAreWarnedOf(t *testing.T) {
	for _, row := range []struct {
		mean    time.Duration
		speedup float64
		want    string
	}{
		{120 * time.Millisecond, 50, ""},
		{121 * time.Millisecond, 50, "--speedup 49 or less"},
		{2 * time.Second, 20, "--speedup 3 or less"},
		{10 * time.Second, 20, "--speedup 1"},
		{10 * time.Second, 1, ""}, // it is as on AWS
	} {
		got := shortPeriods(row.mean, time.Minute, row.speedup)
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s at %v: %q, want %q", row.mean, row.speedup, got, row.want)
		}
	}
}
