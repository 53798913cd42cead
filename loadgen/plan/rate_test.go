package plan

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestRatesAreNumbersPerTime(t *testing.T) {
	for _, tt := range []struct {
		text      string
		perSecond float64
		prints    string
	}{
		{"50", 50, "50"},
		{"50/s", 50, "50/s"},
		{"50/1s", 50, "50/s"},
		{"3000/1m", 50, "3000/1m"},
		{"3000/m", 50, "3000/1m"},
		{"3000/60", 50, "3000/1m"},
		{"5/100ms", 50, "5/100ms"},
		{"0.5", 0.5, "0.5"},
		{"1e3", 1000, "1000"},
		{"0", 0, "0"},
		{"1000000", 1e6, "1000000"},
		{"3600000000/h", 1e6, "3600000000/1h"},
		{" 50 / 1s ", 50, "50/s"},
	} {
		got, err := ParseRate(tt.text)
		if err != nil || got.PerSecond() != tt.perSecond || got.String() != tt.prints {
			t.Errorf("ParseRate(%q) = %v (%v/s), %v; want %s (%v/s)", tt.text, got, got.PerSecond(), err, tt.prints, tt.perSecond)
		}
	}
}

func TestTextsThatAreNoRateAreRefused(t *testing.T) {
	const want = "want requests per second, or NUMBER/DURATION, e.g. 50, 0.5 or 3000/1m"
	for _, tt := range []struct{ text, want string }{
		{"", "empty, " + want},
		{"5x", `"5x": ` + want},
		{"-1", `"-1": ` + want},
		{"-0", `"-0": ` + want},
		{"NaN", `"NaN": ` + want},
		{"Inf", `"Inf": ` + want},
		{"1e999", `"1e999": ` + want},
		{"0x10", `"0x10": ` + want},
		{"1_000", `"1_000": ` + want},
		{"50/", `"50/": ` + want},
		{"50/-1s", `"50/-1s": ` + want},
		{"50/x", `"50/x": ` + want},
		{"50/0", `"50/0": want a time above 0 after the slash`},
		{"50/0s", `"50/0s": want a time above 0 after the slash`},
		{"1000000.5", `"1000000.5": want at most 1,000,000 requests per second`},
		{"1000000000", `"1000000000": want at most 1,000,000 requests per second`},
		{"1/1ns", `"1/1ns": want at most 1,000,000 requests per second`},
	} {
		if _, err := ParseRate(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("ParseRate(%q): %v; want %s", tt.text, err, tt.want)
		}
	}
}

func anyRate() *rapid.Generator[Rate] {
	return rapid.Custom(func(t *rapid.T) Rate {
		r := Rate{N: rapid.Float64Range(0, MaxRate).Draw(t, "n")}
		if rapid.Bool().Draw(t, "with a time") {
			r.Per = Duration(rapid.Int64Range(int64(time.Second), int64(24*time.Hour)).Draw(t, "per"))
		}
		return r
	})
}

func TestRatesReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { readsBack(t, anyRate().Draw(t, "rate"), ParseRate) })
	for _, n := range []float64{5e-324, 1e-7, 0.1, 1.0 / 3, 1e6} { // all magnitudes, the smallest denormal included
		r := Rate{N: n, Per: Duration(time.Minute)}
		if got, err := ParseRate(r.String()); err != nil || got != r {
			t.Errorf("%v prints %q and reads %v, %v", n, r, got, err)
		}
	}
}

func TestStagesAreADurationAndALevel(t *testing.T) {
	got, err := ParseStages("30s:50, 5m:50,0:12.5,1:0")
	want := []Stage{{Duration(30 * time.Second), 50}, {Duration(5 * time.Minute), 50}, {0, 12.5}, {Duration(time.Second), 0}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestTextsThatAreNoStageAreRefused(t *testing.T) {
	for _, text := range []string{"30s", "30s:", ":50", "30s:-1", "30s:x", "-30s:5", "30s:NaN", "30s:1:2", "x:5", "30s:Inf"} {
		_, err := ParseStage(text)
		if want := input.Quote(text) + ": want DURATION:NUMBER, e.g. 30s:50"; err == nil || err.Error() != want {
			t.Errorf("ParseStage(%q): %v; want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"":           "empty, want DURATION:NUMBER, e.g. 30s:50",
		"30s:5,":     "empty, want DURATION:NUMBER, e.g. 30s:50",
		"30s:5;5m:5": `"30s:5;5m:5": want DURATION:NUMBER, e.g. 30s:50`,
		"30s:5,5m":   `"5m": want DURATION:NUMBER, e.g. 30s:50`,
	} {
		if _, err := ParseStages(text); err == nil || err.Error() != want {
			t.Errorf("ParseStages(%q): %v; want %s", text, err, want)
		}
	}
}

func TestStagesReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Stage{anyDuration().Draw(t, "d"), rapid.Float64Range(0, math.MaxFloat64).Draw(t, "to")}
		if got, err := ParseStage(s.String()); err != nil || got != s {
			t.Fatalf("%v prints %q and reads %v, %v", s, s, got, err)
		}
	})
}

func FuzzRatesAndStages(f *testing.F) {
	for _, s := range []string{"50", "50/s", "3000/1m", "1/1ns", "-0", "1e999", "30s:50", "30s:50,5m:0", "0x1p4", "5e-324/1h", ".5", "5.", "+1", "1e+2/ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRate(text); err == nil {
			if p := r.PerSecond(); !(p >= 0 && p <= MaxRate) {
				t.Errorf("%q is %v requests per second", text, p)
			}
			if again, err := ParseRate(r.String()); err != nil || again != r {
				t.Errorf("%q is %v, which reads %v, %v", text, r, again, err)
			}
		}
		stages, err := ParseStages(text)
		if err != nil {
			return
		}
		var texts []string
		for _, s := range stages {
			if s.Duration < 0 || !(s.To >= 0) {
				t.Errorf("%q has stage %v", text, s)
			}
			texts = append(texts, s.String())
		}
		if again, err := ParseStages(strings.Join(texts, ",")); err != nil || !slices.Equal(again, stages) {
			t.Errorf("%q is %v, which reads %v, %v", text, stages, again, err)
		}
	})
}
