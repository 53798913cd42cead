package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The structure of a dashboard's body as the CloudWatch API Reference has it, "Dashboard Body Structure and Syntax": what is
// here of it is all that these dashboards use. The types name every property that is allowed in its place.

type widget struct {
	Type          string
	X, Y          int
	Width, Height int
	Properties    properties
}

// properties are those of the four kinds that are used.
type properties struct {
	Title       string       `json:"title"`
	Region      string       `json:"region"`
	Markdown    string       `json:"markdown"`
	Background  string       `json:"background"`
	Query       string       `json:"query"`
	View        string       `json:"view"`
	Stacked     bool         `json:"stacked"`
	Period      int          `json:"period"`
	Stat        string       `json:"stat"`
	LiveData    bool         `json:"liveData"`
	Sparkline   bool         `json:"sparkline"`
	Metrics     []row        `json:"metrics"`
	Alarms      []string     `json:"alarms"`
	YAxis       *yAxes       `json:"yAxis"`
	Annotations *annotations `json:"annotations"`
}

// of is which properties a kind of widget has.
var of = map[string][]string{
	"text":   {"markdown", "background"},
	"log":    {"title", "region", "query", "view"},
	"metric": {"title", "region", "view", "stacked", "period", "stat", "liveData", "sparkline", "metrics", "yAxis", "annotations"},
	"alarm":  {"title", "alarms"},
}

type yAxes struct {
	Left  *axis `json:"left"`
	Right *axis `json:"right"`
}

type axis struct {
	Label     string   `json:"label"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	ShowUnits bool     `json:"showUnits"`
}

type annotations struct {
	Alarms     []string `json:"alarms"`
	Horizontal []struct {
		Value   *number `json:"value"`
		Label   string  `json:"label"`
		Color   string  `json:"color"`
		Fill    string  `json:"fill"`
		YAxis   string  `json:"yAxis"`
		Visible *bool   `json:"visible"`
	} `json:"horizontal"`
}

// number prints as it is.
type number float64

func (n *number) String() string { return fmt.Sprint(float64(*n)) }

// options are the rendering properties of a metric, or an expression.
type options struct {
	Expression string `json:"expression"`
	ID         string `json:"id"`
	Label      string `json:"label"`
	Color      string `json:"color"`
	Period     int    `json:"period"`
	Stat       string `json:"stat"`
	Visible    *bool  `json:"visible"`
	YAxis      string `json:"yAxis"`
	Region     string `json:"region"`
}

// row is [namespace, name, dimension, value …, {options}] or [{expression …}].
type row struct {
	namespace, name    string
	dimensions, values []string
	expression         string
	options            options
}

func (r *row) UnmarshalJSON(text []byte) error {
	var cells []json.RawMessage
	if err := json.Unmarshal(text, &cells); err != nil {
		return err
	}
	var words []string
	for i, cell := range cells {
		var word string
		if json.Unmarshal(cell, &word) == nil {
			words = append(words, word)
			continue
		}
		if i != len(cells)-1 {
			return fmt.Errorf("%s: only the last of a metric may be an object", text)
		}
		if err := strict(cell, &r.options); err != nil {
			return err
		}
	}
	if r.expression = r.options.Expression; (r.expression != "") != (len(words) == 0) {
		return fmt.Errorf("%s: want a metric or an expression", text)
	}
	if r.expression != "" {
		return nil
	}
	if len(words) < 2 || len(words)%2 != 0 {
		return fmt.Errorf("%s: want namespace, name, and pairs of dimension and value", text)
	}
	r.namespace, r.name = words[0], words[1]
	for i := 2; i < len(words); i += 2 {
		r.dimensions, r.values = append(r.dimensions, words[i]), append(r.values, words[i+1])
	}
	return nil
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// statistic is one of CloudWatch's: p?? is a percentile with up to two digits, and decimals behind a point.
var statistic = regexp.MustCompile(`^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$`)

// structure is the widgets of a body, and everything in which it is not as documented.
func structure(body []byte) (widgets []widget, problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	var all struct {
		Start          string            `json:"start"`
		PeriodOverride string            `json:"periodOverride"`
		Widgets        []json.RawMessage `json:"widgets"`
	}
	if err := strict(body, &all); err != nil {
		return nil, []string{err.Error()}
	}
	if all.Widgets == nil || len(all.Widgets) > 500 {
		problem("%d widgets, want 0 to 500 in an array", len(all.Widgets))
	}
	if !regexp.MustCompile(`^(|-P(\d+[DWM]|T\d+[HM]))$`).MatchString(all.Start) {
		problem("start %q is no relative time", all.Start)
	}
	oneOf(problem, "periodOverride", all.PeriodOverride, "auto", "inherit")
	for i, raw := range all.Widgets {
		w := widget{Width: 6, Height: 6}
		if err := strict(raw, &w); err != nil {
			problem("widget %d: %s", i, err)
			continue
		}
		var named struct{ Properties map[string]json.RawMessage }
		_ = json.Unmarshal(raw, &named) // it was read before
		for name := range named.Properties {
			if !slices.Contains(of[w.Type], name) {
				problem("widget %d: a widget of type %q has no %s", i, w.Type, name)
			}
		}
		w.check(func(format string, args ...any) {
			problem("widget %d %s: %s", i, w.Properties.Title, fmt.Sprintf(format, args...))
		})
		widgets = append(widgets, w)
	}
	return widgets, problems
}

func oneOf(problem func(string, ...any), what, got string, want ...string) {
	if got != "" && !slices.Contains(want, got) {
		problem("%s %q, want one of %v", what, got, want)
	}
}

func (w *widget) check(problem func(string, ...any)) {
	if w.X < 0 || w.X > 23 || w.Y < 0 || w.Width < 1 || w.X+w.Width > 24 || w.Height < 1 || w.Height > 1000 {
		problem("at %d, %d, %d wide and %d high: want 24 columns, 1000 rows", w.X, w.Y, w.Width, w.Height)
	}
	p := &w.Properties
	switch w.Type {
	case "text":
		if p.Markdown == "" {
			problem("no markdown")
		}
		oneOf(problem, "background", p.Background, "solid", "transparent")
	case "log":
		if !regexp.MustCompile(`^SOURCE '[^']+'( \| SOURCE '[^']+')* ?\|`).MatchString(p.Query) || p.Region == "" {
			problem("want a region, and a query that begins with SOURCE 'GROUP' |: %q", p.Query)
		}
		oneOf(problem, "view", p.View, "table", "timeSeries", "bar", "pie")
	case "alarm":
		if n := len(p.Alarms); n < 1 || n > 100 {
			problem("%d alarms, want 1 to 100", n)
		}
		for _, a := range p.Alarms {
			if !strings.HasPrefix(a, "arn:") {
				problem("alarm %q, want an ARN", a)
			}
		}
	case "metric":
		p.checkMetric(problem)
	default:
		problem("type %q", w.Type)
	}
}

func (p *properties) checkMetric(problem func(string, ...any)) {
	if p.Region == "" || len(p.Metrics) == 0 || len(p.Metrics) > 500 {
		problem("want a region and 1 to 500 metrics")
	}
	oneOf(problem, "view", p.View, "timeSeries", "singleValue", "gauge", "bar", "pie", "table")
	if p.View == "gauge" && (p.YAxis == nil || p.YAxis.Left == nil || p.YAxis.Left.Min == nil || p.YAxis.Left.Max == nil) {
		problem("a gauge wants bounds of the left axis")
	}
	minute := func(n int) bool { return n >= 0 && n%60 == 0 }
	if !minute(p.Period) || p.Stat != "" && !statistic.MatchString(p.Stat) {
		problem("period %d, statistic %q: want whole minutes, and one of CloudWatch's", p.Period, p.Stat)
	}
	for _, r := range p.Metrics {
		o := r.options
		if !minute(o.Period) || o.Stat != "" && !statistic.MatchString(o.Stat) {
			problem("%s: period %d, statistic %q: want whole minutes, and one of CloudWatch's", r.name, o.Period, o.Stat)
		}
		if o.ID != "" && !regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`).MatchString(o.ID) {
			problem("id %q, want a small letter first", o.ID)
		}
		oneOf(problem, "yAxis", o.YAxis, "left", "right")
	}
	if p.Annotations == nil {
		return
	}
	if len(p.Annotations.Alarms) > 0 {
		problem("an alarm as an annotation stands beside no metrics")
	}
	for _, a := range p.Annotations.Horizontal {
		if a.Value == nil {
			problem("a line without a value")
		}
		oneOf(problem, "fill", a.Fill, "above", "below", "none")
		oneOf(problem, "yAxis", a.YAxis, "left", "right")
	}
}
