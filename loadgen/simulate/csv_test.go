package simulate

import (
	"strings"
	"testing"
)

func TestLoadsAsExportsHaveThemAreRead(t *testing.T) {
	for _, row := range []struct{ text, want, why string }{
		{"\"t\",\"rps\"\n\"0\",\"10\"\n\"60\",\"20\"\n", "0s:10,1m:20", "fields in quotes"},
		{"2026/11/28 10:00:00,600\n2026/11/28 10:01:00,1200\n", "0s:10,1m:10,1m:20,2m:20", "sums of a minute, which is the rows' distance"},
		{"Full label,RequestCount\nLabel,RequestCount app/x/50dc\nPeriod,300\nStatistic,Sum\n2026-11-28T10:00:00Z,3000\n2026-11-28T10:05:00Z,0\n", "0s:10,5m:10,5m:0,10m:0", "CloudWatch's rows of words"},
		{"\"Timestamp\",\"RequestCount (Count/Second)\"\n\"2026-11-28 10:00\",\"7\"\n\"2026-11-28 10:01\",\"8\"\n", "0s:7,1m:7,1m:8,2m:8", "a rate, as its heading says"},
		{"time,requests\n2026-11-28 10:00,60\n2026-11-28 10:01,60\n2026-11-28 10:03,60\n", "0s:1,1m:1,1m:1,2m:1,2m:0,3m:0,3m:1,4m:1", "a minute that is missing had none"},
		{"Period,60\n2026-11-28 10:00,60\n", "0s:1,1m:1", "one row, of which the period is said"},
	} {
		got, err := ReadCSV(strings.NewReader(row.text))
		if err != nil || got.String() != row.want {
			t.Errorf("%q: %s, %v, want %s: %s", row.text, got, err, row.want, row.why)
		}
	}
	for text, want := range map[string]string{
		"2026-11-28 10:00,60\n":                       "one period, and none says how long it is",
		"2026-11-28 10:00,60\n60,5\n":                 `line 2 "60,5": want a date and time`,
		"2026-11-28 10:00,60\n2026-11-28 09:59,60\n":  "times that do not go back",
		"2026-11-28 10:00,many\n2026-11-28 10:01,1\n": "a number of requests",
		"0,1\n2026-11-28 10:00,60\n":                  "line 2",
	} {
		if l, err := ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v, want %s", text, l, err, want)
		}
	}
}
