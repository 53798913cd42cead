package plan

import (
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
)

// ParseDuration reads a duration as [input.Duration] does: a bare integer is seconds.
func ParseDuration(text string) (Duration, error) {
	d, err := input.Duration(text)
	return Duration(d), err
}

// String is the shortest form of units that ParseDuration reads back: 3m, not 3m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-len("0s")]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-len("0m")]
	}
	return s
}

// Seconds is the duration in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

const wantRange = "DURATION or MIN..MAX, e.g. 100ms or 50ms..200ms"

// ParseRange reads "50ms..200ms", or one duration for a constant; "0" is none.
func ParseRange(text string) (Range, error) {
	s := strings.TrimSpace(text)
	low, high, isRange := strings.Cut(s, "..")
	if !isRange {
		high = low
	}
	if strings.HasPrefix(high, ".") {
		return Range{}, input.Refuse(s, wantRange) // "0s...2s" is a slip, not 0s to .2s
	}
	lo, err := ParseDuration(low)
	if err != nil {
		return Range{}, input.Refuse(s, wantRange)
	}
	hi, err := ParseDuration(high)
	if err != nil {
		return Range{}, input.Refuse(s, wantRange)
	}
	if lo > hi {
		e := input.Refuse(s, "MIN..MAX with MIN not above MAX")
		if _, err := strconv.Atoi(strings.TrimSpace(low)); err == nil {
			e.Hint = "a bare number is seconds: write the unit at both ends, e.g. 50ms..200ms"
		}
		return Range{}, e
	}
	return Range{lo, hi}, nil
}

// String is "MIN..MAX", or one duration when both are equal.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// Mean is the middle of the range: the mean of a uniform choice.
func (r Range) Mean() time.Duration {
	return time.Duration(r.Min + (r.Max-r.Min)/2)
}

func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *Range) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRange(string(text))
	return err
}
