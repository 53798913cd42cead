package validity

import (
	"strconv"

	"scalableappbackend/loadgen/result"
)

// figure rounds to three significant digits, as many as a histogram holds. A rule judges the figure
// that its reason shows, so that no reason says "10 ms (limit 10 ms)".
func figure(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return rounded
}

func exceeds(r result.Reading, limit float64) bool {
	return r.Known() && figure(float64(r)) > limit
}

// number is a figure in plain digits: 14.2, 0.5, 65500.
func number(v float64) string { return strconv.FormatFloat(figure(v), 'f', -1, 64) }

// percent is a ratio's figure in per cent: 1.04 %.
func percent(ratio float64) string { return number(figure(ratio)*100) + " %" }

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return strconv.FormatInt(n, 10) + " requests"
}
