package units

import "math/big"

// Rate prints how often something happens in a second:
//
//	below 10     4.27/s
//	below 1,000  389.4/s
//	from then on 12,345/s
//
// The row is chosen after rounding. Nothing at all is 0/s; what is not nothing and yet rounds to
// it is <0.01/s. A thousand is not written k: 12.3k/s would hide 50 requests in each second.
func Rate(perSecond float64) string {
	if !finite(perSecond) {
		return None
	}
	if perSecond < 0 {
		return negative(Rate(-perSecond))
	}
	if perSecond == 0 {
		return "0/s"
	}
	x := exact(perSecond, 0)
	for _, row := range [...]struct {
		below int64
		width int
	}{{10, 2}, {1000, 1}} {
		text := x.FloatString(row.width)
		rounded, _ := new(big.Rat).SetString(text)
		if rounded.Sign() == 0 {
			return "<0.01/s"
		}
		if rounded.Cmp(big.NewRat(row.below, 1)) < 0 {
			return text + "/s"
		}
	}
	return grouped(x.FloatString(0)) + "/s"
}

// Percent prints a ratio (1 is all of it) in per cent. Two digits count, no zero fills at the end,
// and near all of it the two digits are those of what is missing:
//
//	none      0.00 %     0.996     99.6 %
//	0.000003  0.0003 %   0.99996   99.996 %
//	0.004     0.4 %      all       100 %
//	0.0437    4.4 %      1.22      122 %
//	0.12      12 %
//
// So only none is 0.00 % and only all is 100 %. Closer than one in a million to either is
// <0.0001 %, >99.9999 % or, from above, >100 %.
func Percent(ratio float64) string {
	if !finite(ratio) {
		return None
	}
	switch {
	case ratio == 0:
		return "0.00 %"
	case ratio == 1:
		return "100 %"
	case ratio < 0:
		return negative(Percent(-ratio))
	}
	x := exact(ratio, 2)
	// The distance to what must not be printed by mistake, in per cent.
	distance := new(big.Rat).Sub(x, big.NewRat(100, 1))
	distance.Abs(distance)
	if x.Cmp(distance) < 0 {
		distance = x
	}
	if distance.Cmp(big.NewRat(1, 10_000)) < 0 {
		switch {
		case ratio > 1:
			return ">100 %"
		case ratio > 0.5:
			return ">99.9999 %"
		default:
			return "<0.0001 %"
		}
	}
	width := 0
	for edge := big.NewRat(10, 1); width < 5 && distance.Cmp(edge) < 0; width++ {
		edge.Mul(edge, big.NewRat(1, 10))
	}
	return grouped(trimmed(x.FloatString(width))) + " %"
}
