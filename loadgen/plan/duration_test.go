package plan

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestDurationsReadAsPeopleWriteThem(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
		why  string
	}{
		{"300", 300 * time.Second, "a bare integer is seconds, as Locust's --run-time"},
		{"300s", 300 * time.Second, "the same with its unit"},
		{"20m", 20 * time.Minute, "a unit alone"},
		{"1h30m", 90 * time.Minute, "units in a row, as Locust writes them"},
		{"1.5s", 1500 * time.Millisecond, "fractions have a unit"},
		{"50ms", 50 * time.Millisecond, "think times are this short"},
		{"0", 0, "zero needs no unit"},
		{" 3m\n", 3 * time.Minute, "environment variables come with space around them"},
		{"9223372036", 9223372036 * time.Second, "the largest number of seconds"},
	} {
		got, err := ParseDuration(tt.text)
		if err != nil || time.Duration(got) != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v: %s", tt.text, got, err, tt.want, tt.why)
		}
	}
}

func TestTextsThatAreNoDurationSayWhatIsAccepted(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "empty, want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number"},
		{"soon", `"soon": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{"1.5", `"1.5": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{"1d", `"1d": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{"-5", `"-5": want a duration that is not negative`},
		{"-5ms", `"-5ms": want a duration that is not negative`},
		{"9223372037", `"9223372037": want a duration below 292 years; a bare number is seconds`},
		{"99999999999999999999", `"99999999999999999999": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{"2562048h", `"2562048h": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
	} {
		if _, err := ParseDuration(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("ParseDuration(%q): %v; want %s", tt.text, err, tt.want)
		}
	}
}

func TestDurationsPrintInTheirShortestForm(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "3m": 3 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute, "1h0m5s": time.Hour + 5*time.Second,
		"10m": 10 * time.Minute, "1m0.5s": time.Minute + time.Second/2, "50ms": 50 * time.Millisecond, "100h": 100 * time.Hour,
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v prints as %q, want %q", d, got, want)
		}
	}
}

// anyDuration draws durations of all magnitudes, whole units and odd nanoseconds.
func anyDuration() *rapid.Generator[Duration] {
	units := []time.Duration{time.Nanosecond, time.Microsecond, time.Millisecond, time.Second, time.Minute, time.Hour}
	return rapid.Custom(func(t *rapid.T) Duration {
		return Duration(rapid.Int64Range(0, 2_000_000).Draw(t, "n")) * Duration(rapid.SampledFrom(units).Draw(t, "unit"))
	})
}

func anyRange() *rapid.Generator[Range] {
	return rapid.Custom(func(t *rapid.T) Range {
		low, high := anyDuration().Draw(t, "low"), anyDuration().Draw(t, "high")
		return Range{min(low, high), max(low, high)}
	})
}

// readsBack checks that a value's text form and its JSON form both read back as the same value.
func readsBack[T interface {
	comparable
	String() string
}](t *rapid.T, v T, parse func(string) (T, error)) {
	t.Helper()
	if got, err := parse(v.String()); err != nil || got != v {
		t.Fatalf("%v prints as %q, which reads as %v, %v", v, v.String(), got, err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v: %v", v, err)
	}
	var got T
	if err := json.Unmarshal(data, &got); err != nil || got != v {
		t.Fatalf("%v is %s in JSON, which reads as %v, %v", v, data, got, err)
	}
}

func TestDurationsReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readsBack(t, anyDuration().Draw(t, "d"), ParseDuration)
		readsBack(t, Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "any")), ParseDuration)
	})
}

func TestRangesReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { readsBack(t, anyRange().Draw(t, "r"), ParseRange) })
}

func TestRangesAreOneDurationOrTwo(t *testing.T) {
	for _, tt := range []struct {
		text     string
		min, max time.Duration
	}{
		{"50ms..200ms", 50 * time.Millisecond, 200 * time.Millisecond},
		{"100ms", 100 * time.Millisecond, 100 * time.Millisecond},
		{"0", 0, 0},
		{"0..1s", 0, time.Second},
		{"1..2", time.Second, 2 * time.Second},
		{" 50ms .. 200ms ", 50 * time.Millisecond, 200 * time.Millisecond},
	} {
		got, err := ParseRange(tt.text)
		if want := (Range{Duration(tt.min), Duration(tt.max)}); err != nil || got != want {
			t.Errorf("ParseRange(%q) = %v, %v; want %v", tt.text, got, err, want)
		}
	}
}

func TestTextsThatAreNoRangeAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":            "empty, want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms",
		"50ms-200ms":  `"50ms-200ms": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"50ms..":      `"50ms..": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"..5ms":       `"..5ms": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"1s..2s..3s":  `"1s..2s..3s": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"1s...2s":     `"1s...2s": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"-1ms..2ms":   `"-1ms..2ms": want DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms`,
		"200ms..50ms": `"200ms..50ms": want MIN..MAX with MIN not above MAX`,
	} {
		if _, err := ParseRange(text); err == nil || err.Error() != want {
			t.Errorf("ParseRange(%q): %v; want %s", text, err, want)
		}
	}
}

func TestARangeThatForgetsAUnitIsToldSo(t *testing.T) {
	_, err := ParseRange("50..200ms")
	if f := input.Errors(err); len(f) != 1 || !strings.Contains(f[0].Hint, "a bare number is seconds") {
		t.Errorf("50..200ms is 50 s to 0.2 s: %v, hint %q", err, f[0].Hint)
	}
}

func TestTheMeanOfARangeIsItsMiddle(t *testing.T) {
	if got := (Range{DefaultThinkMin, DefaultThinkMax}).Mean(); got != 125*time.Millisecond {
		t.Errorf("mean think time %v, want 125ms", got)
	}
	if got := (Range{0, math.MaxInt64}).Mean(); got != math.MaxInt64/2 {
		t.Errorf("the widest range has mean %d", got)
	}
}

func FuzzDurationsAndRanges(f *testing.F) {
	for _, s := range []string{"300", "1h30m", "-1", "50ms..200ms", "..", "1e3s", "9223372036854775807ns", "0x10", "1_0", "٣", "+5s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil {
			if again, err := ParseDuration(d.String()); d < 0 || err != nil || again != d {
				t.Errorf("%q is %d, which prints %q and reads %d, %v", text, d, d, again, err)
			}
		} else if len(input.Errors(err)) != 1 {
			t.Errorf("%q: not a input.Error: %v", text, err)
		}
		if r, err := ParseRange(text); err == nil {
			if again, err := ParseRange(r.String()); r.Min < 0 || r.Min > r.Max || err != nil || again != r {
				t.Errorf("%q is %v, which reads %v, %v", text, r, again, err)
			}
		} else if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q: an error of more than one line: %v", text, err)
		}
	})
}
