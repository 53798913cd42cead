package simulate

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
)

const wantLoad = "TIME:RATE,… in requests a second, e.g. 0s:0,3m:375,15m:375"

// ParseLoad reads points TIME:RATE separated by commas, the first at 0s:
//
//	load  = point "," point { "," point }
//	point = time ":" rate
//
// Times are as plan.ParseDuration reads them, so that a bare number is seconds; rates are decimal numbers, with
// "/s" after them or not. Errors are *plan.FieldError.
func ParseLoad(text string) (Load, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return nil, &plan.FieldError{Want: "empty, want " + wantLoad}
	}
	var l Load
	for text := range strings.SplitSeq(s, ",") {
		p, ok := point(text)
		switch {
		case strings.TrimSpace(text) == "":
			return nil, &plan.FieldError{Want: "a point is empty, want " + wantLoad}
		case !ok:
			return nil, &plan.FieldError{Got: text, Want: wantLoad}
		case len(l) == MaxPoints:
			return nil, &plan.FieldError{Want: fmt.Sprintf("want at most %d points", MaxPoints)}
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
	x, good := plainDecimal(strings.TrimSuffix(strings.TrimSpace(rate), "/s"))
	return Point{time.Duration(t), x}, ok && err == nil && good
}

// ReadCSV reads lines "t,rps": seconds, whole or not, or durations, and requests a second. A first line that is not
// numbers is a heading. Blank lines and those after # are skipped. Times count from the first line's, so that
// a recording by the clock can be used. Errors are *plan.FieldError, with the line as their field ("line 3"), or the reader's.
func ReadCSV(r io.Reader) (Load, error) {
	var l Load
	var first time.Duration
	lines, seen := bufio.NewScanner(r), 0
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		seen++
		p, err := csvPoint(text)
		switch {
		case err != nil && seen == 1 && !strings.ContainsAny(text, "0123456789"):
			continue
		case err != nil:
			return nil, plan.WithField(err, fmt.Sprintf("line %d", n))
		case len(l) == MaxPoints:
			return nil, &plan.FieldError{Field: fmt.Sprintf("line %d", n), Want: fmt.Sprintf("want at most %d points", MaxPoints)}
		case len(l) == 0:
			first = p.At
		case p.At < first+l[len(l)-1].At:
			return nil, &plan.FieldError{Field: fmt.Sprintf("line %d", n), Got: text, Want: "times that do not go back"}
		}
		p.At -= first
		l = append(l, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return l, nil
}

func csvPoint(text string) (Point, error) {
	refused := &plan.FieldError{Got: text, Want: "t,rps in seconds and requests a second, e.g. 60,375"}
	at, rate, ok := strings.Cut(text, ",")
	if !ok {
		return Point{}, refused
	}
	var p Point
	if s, ok := plainDecimal(at); ok {
		if s < 0 || s > math.MaxInt64/1e9-1 {
			return Point{}, refused
		}
		p.At = time.Duration(math.Round(s * 1e9))
	} else if d, err := plan.ParseDuration(at); err == nil {
		p.At = time.Duration(d)
	} else {
		return Point{}, refused
	}
	if p.Rate, ok = plainDecimal(rate); !ok {
		return Point{}, refused
	}
	return p, nil
}

// plainDecimal reads a number as people write it: ParseFloat's hexadecimal, underscores, NaN and infinities are
// slips here.
func plainDecimal(s string) (x float64, ok bool) {
	s = strings.TrimSpace(s)
	if strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

func plainNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
