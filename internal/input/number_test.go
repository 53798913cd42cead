package input

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	for _, row := range []struct {
		text     string
		want     float64
		ok       bool
		positive bool
	}{
		{"5", 5, true, true},
		{" 0.5 ", 0.5, true, true},
		{"1e6", 1e6, true, true},
		{"-3", -3, true, false},
		{"-0", math.Copysign(0, -1), true, false},
		{"0x10", 0, false, false}, // a slip, though ParseFloat reads it
		{"1_000", 0, false, false},
		{"inf", 0, false, false},
		{"NaN", 0, false, false},
		{"1e999", 0, false, false}, // no float64 holds it
		{"", 0, false, false},
		{"5 s", 0, false, false},
	} {
		got, ok := Number(row.text)
		if ok != row.ok || ok && got != row.want {
			t.Errorf("Number(%q) is %v, %t", row.text, got, ok)
		}
		if _, ok := Positive(row.text); ok != row.positive {
			t.Errorf("Positive(%q) is %t", row.text, ok)
		}
	}
}

func TestWholeNumbersHaveNoPoint(t *testing.T) {
	for text, want := range map[string]int{"7": 7, " 7\n": 7, "-2": -2} {
		if n, ok := Whole(text); !ok || n != want {
			t.Errorf("Whole(%q) is %d, %t", text, n, ok)
		}
	}
	for _, text := range []string{"", "7.0", "7k", "1e3", "99999999999999999999"} {
		if n, ok := Whole(text); ok {
			t.Errorf("Whole(%q) is %d", text, n)
		}
	}
}

func TestDurationsAreGoOnesOrWholeSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{"300": 300 * time.Second, " 1h30m ": 90 * time.Minute, "1.5s": 1500 * time.Millisecond, "0": 0} {
		if d, err := Duration(text); err != nil || d != want {
			t.Errorf("Duration(%q) is %s, %v", text, d, err)
		}
	}
	for text, want := range map[string]string{
		"-5":                  `"-5": want a duration that is not negative`,
		"-5s":                 `"-5s": want a duration that is not negative`,
		"1.5":                 `"1.5": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`,
		"":                    `empty, want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`,
		"9223372036854775807": `"9223372036854775807": want a duration below 292 years; a bare number is seconds`,
	} {
		if _, err := Duration(text); err == nil || err.Error() != want {
			t.Errorf("Duration(%q): %v\nwant %s", text, err, want)
		}
	}
}

// Whatever the text, an error is one line of printable characters that is not much longer than what it shows.
func TestErrorsStayALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text") + strings.Repeat(rapid.String().Draw(t, "more"), 50)
		line := Refuse(text, "less").Error()
		if strings.ContainsAny(line, "\n\r\x1b") || len(line) > 12*maxShown {
			t.Fatalf("%q", line)
		}
		if shown := Clip(text); shown != text && !strings.HasPrefix(text, strings.TrimSuffix(shown, "…")) {
			t.Fatalf("%q is cut to %q", text, shown)
		}
		if _, err := strconv.Unquote(Quote(text)); err != nil {
			t.Fatal(err)
		}
	})
}
