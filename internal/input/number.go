package input

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Number reads a decimal number as people write it: 5, 0.5, 1e6, -3. Hexadecimal, underscores, "inf" and "nan", which
// [strconv.ParseFloat] takes too, are slips here, and what a float64 cannot hold is none. White space around it is dropped.
func Number(text string) (x float64, ok bool) {
	s := strings.TrimSpace(text)
	if strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsInf(x, 0)
}

// Positive reads a [Number] that has no minus before it.
func Positive(text string) (x float64, ok bool) {
	x, ok = Number(text)
	return x, ok && !math.Signbit(x)
}

// Whole reads a whole number, with white space around it.
func Whole(text string) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil
}

// Duration reads what [time.ParseDuration] reads, and a bare whole number as seconds: 300s, 1h30m, 90. Those below 0 and
// beyond 292 years are refused with an [Error].
func Duration(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 0:
			return 0, Refuse(s, notNegative)
		case n > math.MaxInt64/int64(time.Second):
			return 0, Refuse(s, "a duration below 292 years; a bare number is seconds")
		}
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, Refuse(s, "a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number")
	case d < 0:
		return 0, Refuse(s, notNegative)
	}
	return d, nil
}

const notNegative = "a duration that is not negative"
