package compare

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"scalableappbackend/internal/units"
)

func joinedLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func joinedNotes(notes []string) string { return strings.Join(notes, "; ") }

// Errors takes an error of Unlike apart.
func Errors(err error) []*UnlikeError {
	var all []*UnlikeError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, Errors(e)...)
		}
	} else if e, ok := errors.AsType[*UnlikeError](err); ok {
		all = append(all, e)
	}
	return all
}

// figure is a value in its unit.
func (x *Cell) figure(v Number) string {
	switch {
	case !v.Known():
		return units.None
	case x.Unit == "ratio":
		return units.Percent(float64(v))
	case x.Unit == "1/s":
		return units.Rate(float64(v))
	}
	return units.Milliseconds(float64(v))
}

// change is a change with its sign: +3.2 %, or percentage points of error_rate.
func (x *Cell) change(v Number) string {
	f := float64(v)
	switch {
	case math.IsNaN(f):
		return units.None
	case math.IsInf(f, 1):
		return "+∞"
	case math.IsInf(f, -1) || f <= -1 && x.Unit != "ratio":
		return "−∞"
	case x.Unit == "ratio":
		return signed(f, 2, "pp")
	}
	return signed(f, 1, "%")
}

func signed(f float64, digits int, unit string) string {
	text := fmt.Sprintf("%+.*f", digits, 100*f)
	if strings.Trim(text, "+-0.") == "" {
		text = strings.TrimLeft(text, "+-")
	}
	return strings.Replace(text, "-", "−", 1) + " " + unit
}

func (x *Cell) interval() string {
	if !x.Low.Known() {
		return units.None
	}
	return "[" + x.change(x.Low) + ", " + x.change(x.High) + "]"
}

// seen is a cell in words.
func (x *Cell) seen() string {
	return fmt.Sprintf("%s → %s, %s %s", x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval())
}

func (x *Cell) where() string {
	switch {
	case x.Phase != "" && x.Endpoint != "":
		return x.Endpoint + " in " + x.Phase
	case x.Phase != "":
		return "all endpoints in " + x.Phase
	case x.Endpoint != "":
		return x.Endpoint
	}
	return "all endpoints"
}

// Headline is the answer in one line.
func (c *Comparison) Headline() string {
	var parts []string
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Gated {
			text := x.Metric + " " + x.change(x.Change)
			if x.Endpoint+x.Phase != "" {
				text = x.where() + " " + text
			}
			parts = append(parts, text+": "+string(x.Verdict))
		}
	}
	return strings.ToUpper(string(c.Verdict)) + "   " + strings.Join(parts, "; ")
}

// isShown says whether a cell has a place in tables: a row of a metric that has no value on either side tells nothing.
func (x *Cell) isShown() bool { return x.Base.Known() || x.New.Known() || x.Gated }
