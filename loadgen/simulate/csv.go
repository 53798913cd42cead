package simulate

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// ReadCSV reads a load in one of two forms; fields may stand in quotes, blank lines and those after # are skipped. Errors
// are *input.Error, with the line as their field ("line 3"), or the reader's.
//
//   - Lines "t,rps": seconds, whole or not, or durations, and requests a second, joined by straight lines. A first line
//     that is not numbers is a heading. Times count from the first line's.
//   - Lines "date and time,requests", as CloudWatch's console exports a metric: the requests of the period that begins
//     then (the statistic Sum of RequestCount), or a rate where a heading says "/s", "rps" or "/second". Rows of words
//     before them are headings; one of Period gives its seconds, else it is the shortest distance of two rows. Periods
//     that are missing had no requests.
func ReadCSV(r io.Reader) (Load, error) {
	var c csvLoad
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		if err := c.line(text); err != nil {
			return nil, input.WithField(err, fmt.Sprintf("line %d", n))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	l := c.load
	if c.stamped {
		var err error
		if l, err = c.periods(); err != nil {
			return nil, err
		}
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return l, nil
}

// csvLoad is a load while it is read.
type csvLoad struct {
	load  Load
	seen  int // lines that are no comments
	first time.Duration

	stamped bool // by date and time
	rate    bool // values are requests a second, as a heading says
	period  time.Duration
	origin  time.Time
}

func (c *csvLoad) line(text string) error {
	c.seen++
	fields, ok := fieldsOf(text)
	if len(c.load) == 0 && ok && c.heading(fields) {
		return nil
	}
	if ok && len(fields) == 2 {
		if at, isStamp := stamp(fields[0]); isStamp && (c.stamped || len(c.load) == 0) {
			return c.addStamp(text, at, fields[1])
		}
	}
	p, err := csvPoint(text, fields)
	if c.stamped {
		return &input.Error{Got: text, Want: "a date and time and a number, as the lines before it have"}
	}
	if err != nil {
		return err
	}
	if len(c.load) == 0 {
		c.first = p.At
	}
	p.At -= c.first
	return c.add(text, p)
}

func (c *csvLoad) add(text string, p Point) error {
	switch n := len(c.load); {
	case n == MaxPoints:
		return &input.Error{Want: fmt.Sprintf("want at most %d points", MaxPoints)}
	case n > 0 && p.At < c.load[n-1].At:
		return &input.Error{Got: text, Want: "times that do not go back"}
	}
	c.load = append(c.load, p)
	return nil
}

func (c *csvLoad) addStamp(text string, at time.Time, value string) error {
	x, ok := input.Number(value)
	if !ok || x < 0 {
		return &input.Error{Got: text, Want: "a date and time, and a number of requests"}
	}
	if !c.stamped {
		c.stamped, c.origin = true, at
	}
	return c.add(text, Point{at.Sub(c.origin), x})
}

// headings are the words that rows of CloudWatch's export begin with.
func headings() []string {
	return []string{"label", "full label", "id", "period", "stat", "statistic", "unit", "namespace", "metric", "metric name", "metricname",
		"dimensions", "region", "account", "timestamp", "time", "date", "t"}
}

// heading takes a row that is no data, and says whether it is one.
func (c *csvLoad) heading(fields []string) bool {
	word := strings.ToLower(strings.TrimSpace(fields[0]))
	digits := strings.ContainsAny(strings.Join(fields, ""), "0123456789")
	if !(c.seen == 1 && !digits && len(fields) > 1) && !(slices.Contains(headings(), word) && (digits || word != "t")) {
		return false
	}
	rest := strings.ToLower(strings.Join(fields[1:], " "))
	for _, rate := range []string{"/s", "rps", "per second", "/second"} {
		c.rate = c.rate || strings.Contains(rest, rate)
	}
	if word == "period" && len(fields) > 1 {
		if d, err := plan.ParseDuration(strings.ReplaceAll(strings.TrimSuffix(rest, "s"), " minute", "m")); err == nil {
			c.period = time.Duration(d)
		}
	}
	return true
}

// periods is the load in steps of one period each.
func (c *csvLoad) periods() (Load, error) {
	period := c.period
	if period == 0 {
		for i := 1; i < len(c.load); i++ {
			if d := c.load[i].At - c.load[i-1].At; d > 0 && (period == 0 || d < period) {
				period = d
			}
		}
	}
	if period == 0 {
		return nil, &input.Error{Want: "one period, and none says how long it is: want two, or a row Period,60"}
	}
	var l Load
	for _, p := range c.load {
		rate := p.Rate
		if !c.rate {
			rate /= period.Seconds()
		}
		if n := len(l); n > 0 && l[n-1].At > p.At {
			l[n-1].At = p.At // a row that comes before the period of the last one has ended
		} else if n > 0 && l[n-1].At < p.At {
			l = append(l, Point{l[n-1].At, 0}, Point{p.At, 0})
		}
		l = append(l, Point{p.At, rate}, Point{p.At + period, rate})
	}
	return l, nil
}

// stamp reads a date and time in the forms in which exports have it.
func stamp(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04",
		"2006-01-02 15:04:05 MST", "2006-01-02 15:04 MST",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// fieldsOf takes a line apart, quotes and all.
func fieldsOf(text string) ([]string, bool) {
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	fields, err := r.Read()
	return fields, err == nil
}

func csvPoint(text string, fields []string) (Point, error) {
	refused := &input.Error{Got: text, Want: "t,rps in seconds and requests a second, e.g. 60,375"}
	if len(fields) != 2 {
		return Point{}, refused
	}
	var p Point
	if s, ok := input.Number(fields[0]); ok {
		if s < 0 || s > math.MaxInt64/1e9-1 {
			return Point{}, refused
		}
		p.At = time.Duration(math.Round(s * 1e9))
	} else if d, err := plan.ParseDuration(fields[0]); err == nil {
		p.At = time.Duration(d)
	} else {
		return Point{}, refused
	}
	var ok bool
	if p.Rate, ok = input.Number(fields[1]); !ok {
		return Point{}, refused
	}
	return p, nil
}
