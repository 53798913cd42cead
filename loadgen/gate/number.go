package gate

import (
	"math"
	"strconv"
	"strings"
)

// decimal is a number as it was written: digits with at most one point, and a power of ten.
type decimal struct {
	digits string
	power  int
}

// cutNumber takes a number off the front of s. Neither sign nor "inf" is one: nothing that is
// measured is negative.
func cutNumber(s string) (number decimal, rest string, ok bool) {
	end, points, digits := 0, 0, 0
	for ; end < len(s); end++ {
		if isDigit(s[end]) {
			digits++
		} else if s[end] == '.' && points == 0 {
			points++
		} else {
			break
		}
	}
	if digits == 0 {
		return decimal{}, s, false
	}
	number.digits, rest = s[:end], s[end:]
	if rest == "" || rest[0] != 'e' && rest[0] != 'E' {
		return number, rest, true
	}
	exponent := 1
	if exponent < len(rest) && (rest[exponent] == '+' || rest[exponent] == '-') {
		exponent++
	}
	for exponent < len(rest) && isDigit(rest[exponent]) {
		exponent++
	}
	power, err := strconv.Atoi(rest[1:exponent])
	if err != nil || power < -400 || power > 400 { // beyond every float64, and far from every int
		return decimal{}, s, false
	}
	number.power = power
	return number, rest[exponent:], true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// times is the number by a power of ten, as the float64 next to it. The decimal is moved, not the
// float, so that 0.0003s is 300 µs and not 299.99999999999994. What is not 0 and too small for a float64
// is not ok, nor is what is too large.
func (d decimal) times(power int) (x float64, ok bool) {
	x, err := strconv.ParseFloat(d.digits+"e"+strconv.Itoa(d.power+power), 64)
	return x, err == nil && (x != 0 || !strings.ContainsAny(d.digits, "123456789"))
}

// plain is the shortest decimal that names x, without exponent, by a power of ten. It too moves
// the decimal: the one that names 100·x need not lead back to x.
func plain(x float64, power int) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa // NaN or Inf
	}
	sign := ""
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	point := 1 + e + power // digits before the point
	if x == 0 {
		point = 1
	}
	switch {
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits))
	default:
		return sign + digits[:point] + "." + digits[point:]
	}
}

// The limits that make sense: nothing measured is finer, and no count of a run is larger.
const (
	leastLimit = 1e-6
	mostLimit  = 1e15
	mostMicros = 3600 * 1e6 // result.MaxLatency: a longer latency is counted as this one
)

// parseLimit reads what stands after the operator. want is empty, or what is accepted.
func parseLimit(text string, u unit) (limit float64, want string) {
	number, rest, ok := cutNumber(text)
	suffix := strings.TrimSpace(rest)
	switch u {
	case milliseconds:
		return latencyLimit(number, suffix, ok)
	case ratio:
		return ratioLimit(number, suffix, ok)
	case perSecond:
		if limit, ok = scaled(number, 0, ok && (suffix == "" || suffix == "/s")); !ok {
			return 0, "a rate, e.g. 370 or 370/s"
		}
	case byteCount:
		factor, known := map[string]float64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[suffix]
		if limit, ok = scaled(number, 0, ok && known); !ok || limit*factor != math.Trunc(limit*factor) || limit*factor > mostLimit {
			return 0, "a number of bytes, e.g. 4096 or 10MiB (KiB, MiB, GiB)"
		}
		limit *= factor
	default:
		if limit, ok = scaled(number, 0, ok && suffix == ""); !ok || limit != math.Trunc(limit) {
			return 0, "a whole number, e.g. 0 or 68000"
		}
	}
	return limit, ""
}

// scaled is number by a power of ten, if it is one that makes sense as a limit.
func scaled(number decimal, power int, ok bool) (float64, bool) {
	if !ok {
		return 0, false
	}
	x, ok := number.times(power)
	return x, ok && (x == 0 || x >= leastLimit) && x <= mostLimit
}

// latencyLimit is in whole microseconds, the resolution of every latency that is kept.
func latencyLimit(number decimal, suffix string, ok bool) (ms float64, want string) {
	power, known := map[string]int{"": 3, "us": 0, "µs": 0, "μs": 0, "ms": 3, "s": 6}[suffix]
	if !ok || !known {
		return 0, "a latency, e.g. 50ms, 1.2s or 800us"
	}
	micros, ok := number.times(power)
	if !ok || math.Round(micros) > mostMicros || micros > 0 && math.Round(micros) == 0 {
		return 0, "a latency of 0, or from 1us to 3600s, which is what can be told apart"
	}
	return math.Round(micros) / 1000, ""
}

// ratioLimit refuses a bare 1 and above: who writes error_rate<1 means 1 % or 100 %, and a
// threshold that was meant as the one and taken as the other never fails.
func ratioLimit(number decimal, suffix string, ok bool) (limit float64, want string) {
	switch {
	case ok && suffix == "%":
		if limit, ok = scaled(number, -2, true); ok && limit <= 1 {
			return limit, ""
		}
	case ok && suffix == "":
		if limit, ok = scaled(number, 0, true); ok && limit < 1 {
			return limit, ""
		}
		if ok && limit <= 100 {
			percent := plain(limit, 0) + "%"
			if limit == 1 {
				return 0, "1% or 100%: a bare 1 could be either"
			}
			return 0, percent + ", or a ratio below 1"
		}
	}
	return 0, "a percentage up to 100% or a ratio below 1, e.g. 1% or 0.01"
}
