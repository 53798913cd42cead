package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

const wantLoad = "TIME:RATE,… in requests a second, e.g. 0s:0,3m:375,15m:375"

// ParseLoad reads points TIME:RATE separated by commas, the first at 0s:
//
//	load  = point "," point { "," point }
//	point = time ":" rate
//
// Times are as plan.ParseDuration reads them, so that a bare number is seconds; rates are decimal numbers, with
// "/s" after them or not. Errors are *input.Error.
func ParseLoad(text string) (Load, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return nil, &input.Error{Want: "empty, want " + wantLoad}
	}
	var l Load
	for text := range strings.SplitSeq(s, ",") {
		p, ok := point(text)
		switch {
		case strings.TrimSpace(text) == "":
			return nil, &input.Error{Want: "a point is empty, want " + wantLoad}
		case !ok:
			return nil, &input.Error{Got: text, Want: wantLoad}
		case len(l) == MaxPoints:
			return nil, &input.Error{Want: fmt.Sprintf("want at most %d points", MaxPoints)}
		}
		l = append(l, p)
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return l, nil
}

func point(text string) (Point, bool) {
	at, rate, ok := strings.Cut(text, ":")
	t, err := plan.ParseDuration(at)
	x, good := input.Number(strings.TrimSuffix(strings.TrimSpace(rate), "/s"))
	return Point{time.Duration(t), x}, ok && err == nil && good
}

func plainNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
