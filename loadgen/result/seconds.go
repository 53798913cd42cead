package result

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// seconds is a time on the run's clock. In files it is a decimal number of seconds, exact to the
// nanosecond, without exponent or sign, because readers of histogram logs take digits and a point only.
type seconds time.Duration

// maxSeconds bounds what is read from files: longer than any run, and far from what overflows.
const maxSeconds = 10 * 365 * 24 * 3600

func (s seconds) appendTo(dst []byte) []byte {
	dst = strconv.AppendInt(dst, int64(s)/1e9, 10)
	if frac := int64(s) % 1e9; frac != 0 {
		digits := strings.TrimRight(fmt.Sprintf("%09d", frac), "0")
		dst = append(append(dst, '.'), digits...)
	}
	return dst
}

func parseSeconds(text string) (time.Duration, error) {
	whole, frac, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || n > maxSeconds || len(frac) > 9 {
		return 0, fmt.Errorf("%.40q: want seconds as a decimal number, e.g. 9.8", text)
	}
	var nanos uint64
	if frac != "" {
		if nanos, err = strconv.ParseUint(frac, 10, 64); err != nil {
			return 0, fmt.Errorf("%.40q: want seconds as a decimal number, e.g. 9.8", text)
		}
		for range 9 - len(frac) {
			nanos *= 10
		}
	}
	return time.Duration(n)*time.Second + time.Duration(nanos), nil
}

func (s seconds) MarshalJSON() ([]byte, error) { return s.appendTo(nil), nil }

func (s *seconds) UnmarshalJSON(data []byte) error {
	d, err := parseSeconds(string(data))
	*s = seconds(d)
	return err
}

// milliseconds is a latency in results: milliseconds with a resolution of 1 µs.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)/time.Microsecond) / 1000
}
