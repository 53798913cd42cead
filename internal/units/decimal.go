package units

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// None stands for a number that is unknown, not finite, or that nothing was measured for.
const None = "–"

// finite reports whether x has a decimal form.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// exact is the shortest decimal that names x, moved by the given power of ten, as a fraction.
// Moving the decimal and not the float keeps 0.145 at 14.5 %, where 0.145*100 is 14.499999999999998.
func exact(x float64, power int) *big.Rat {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	e, _ := strconv.Atoi(exponent)
	r, _ := new(big.Rat).SetString(mantissa + "e" + strconv.Itoa(e+power))
	return r
}

// grouped puts a comma between each three digits before the point.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, hasPoint := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if hasPoint {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// trimmed takes the zeros off the end of a fraction.
func trimmed(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Decimal is a number at the resolution of a result's JSON: at most six digits after the point,
// none that only fill, thousands separated: 50.015, 12,345.6, 0.000001. It is for where a rounded number would
// hide what is to be shown, such as the distance to a limit.
func Decimal(x float64) string {
	if !finite(x) {
		return None
	}
	s := grouped(trimmed(exact(x, 0).FloatString(6)))
	if s == "-0" {
		return "0"
	}
	return s
}

// negative is the text of a number's opposite: what is less than a bound lies above its opposite.
func negative(text string) string {
	switch text[0] {
	case '<':
		return ">-" + text[1:]
	case '>':
		return "<-" + text[1:]
	default:
		return "-" + text
	}
}

// Count is a whole number with its thousands separated: 68,912.
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }
