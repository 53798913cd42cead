package gate

import (
	"strings"
	"testing"
)

func TestAChangeIsReadToItsMeaning(t *testing.T) {
	for _, row := range []struct {
		text, canonical string
		want            Change
	}{
		{"p99>10%", "p99>10%", Change{Metric: Percentile, Percentile: 99, Limit: 0.1}},
		{" p(99.9) > +7.5 % ", "p99.9>7.5%", Change{Metric: Percentile, Percentile: 99.9, Limit: 0.075}},
		{"p99_9>7%", "p99.9>7%", Change{Metric: Percentile, Percentile: 99.9, Limit: 0.07}},
		{"error_rate>0.1pp", "error_rate>0.1pp", Change{Metric: ErrorRate, Limit: 0.001}},
		{"rps<-5%", "rps<-5%", Change{Metric: RPS, Limit: 0.05}},
		{"{GET /}:mean>200%", "{GET /}:mean>200%", Change{Endpoint: "GET /", Metric: Mean, Limit: 2}},
		{"p99 within its last 20 runs", "p99 within its last 20 runs", Change{Metric: Percentile, Percentile: 99, Last: 20}},
		{"rps within last 5 runs", "rps within its last 5 runs", Change{Metric: RPS, Last: 5}},
	} {
		got, err := ParseChange(row.text)
		if err != nil || got != row.want || got.String() != row.canonical {
			t.Errorf("%q is %+v (%s), %v", row.text, got, got, err)
		}
	}
}

func TestAChangeThatSaysTooLittleIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "empty, want",
		"p99<10%":                      "> after p99",
		"p99>10ms":                     "per cent of the base",
		"p99>-10%":                     "p99>N",
		"p99>0%":                       "above 0",
		"rps>5%":                       "< after rps",
		"rps<5%":                       "rps<-N",
		"error_rate>1%":                "percentage points",
		"error_rate>100pp":             "less than 100",
		"raw.p(99)>10%":                "instead of raw.p(99)",
		"requests<-5%":                 "instead of requests",
		"p(100)>10%":                   "below 100",
		"p99 within its last 3 runs":   "N from 5",
		"p99 within its last x runs":   "N from 5",
		"latency>10%":                  "a metric instead of latency",
		"{GET /}p99>10%":               "a : after the scope",
		strings.Repeat("p", 300) + ">": "a metric instead",
	} {
		if c, err := ParseChange(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %q", text, c, err, want)
		}
	}
}

func FuzzParseChange(f *testing.F) {
	f.Add("p99>10%")
	f.Add("{GET /,phase:steady}:error_rate>0.1pp")
	f.Add("rps within its last 20 runs")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseChange(text)
		if err != nil {
			return
		}
		if back, err := ParseChange(c.String()); err != nil || back != c {
			t.Fatalf("%q is %+v, and %q reads back as %+v, %v", text, c, c.String(), back, err)
		}
	})
}
