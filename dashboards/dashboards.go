// Package dashboards is the project's CloudWatch dashboards: the experiment on one page, and the API in normal operation.
//
// They are JSON with plain ${name} placeholders and nothing else, so that Terraform's templatefile reads the same files.
// [Body] fills them in. A placeholder in quotes takes text, one without a number or a list. What a widget shows is a metric
// that loadgen publishes or AWS does; what is in no metric (why a service scaled) is a query over the log that a watcher writes.
// A widget of which nothing is known, such as the query without a log group, is left out.
//
// The package makes no call to AWS. No dashboard of it was ever shown by CloudWatch: its tests hold them to the documented
// structure of a dashboard's body.
package dashboards

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

//go:embed experiment.json api.json
var files embed.FS

// Names are the dashboards, the usual one first.
func Names() []string { return []string{"experiment", "api"} }

// Kind is what a placeholder takes.
type Kind int

// The kinds.
const (
	Text   Kind = iota // of a name or an address, in quotes
	Number             // above 0
	List               // of text
)

// Placeholder is what the files leave open.
type Placeholder struct {
	Name string
	Kind Kind
	// Default holds where nothing is given: a value, or with a $ before it that of another placeholder. Without one the
	// placeholder is Required, or widgets that need it are left out.
	Default  string
	Required bool
	Want     string // what is accepted
	form     string // a regular expression for the whole text
	arn      string // of which only what stands behind this is meant, when the text is an ARN
}

const (
	ecsName = `[A-Za-z0-9_-]{1,255}`
	logName = `[A-Za-z0-9_./#-]{1,512}`
)

// Placeholders are all of both files. Which names AWS takes is in the references of the APIs that make the things.
func Placeholders() []Placeholder {
	return []Placeholder{
		{Name: "region", Required: true, Want: "a region, e.g. eu-central-1", form: `[a-z]{2,}(-[a-z]+)+-\d`},
		{Name: "cluster", Required: true, Want: "the ECS cluster's name or ARN", form: ecsName, arn: ":cluster/"},
		{Name: "service", Required: true, Want: "the ECS service's name or ARN", form: ecsName, arn: ":service/"},
		{Name: "load_balancer", Required: true, Want: "the load balancer's ARN, or app/NAME/ID of it", form: `app/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}`, arn: ":loadbalancer/"},
		{Name: "target_group", Required: true, Want: "the target group's ARN, or targetgroup/NAME/ID of it", form: `targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}`, arn: ":"},
		// CloudWatch takes more in a dimension; quotes would end the query that it stands in.
		{Name: "metrics_service", Default: "$service", Want: `the name under which loadgen publishes (--service): 1 to 255 ASCII signs but " ' and \`, form: `[ !#-&(-\[\]-~]{1,255}`},
		{Name: "watch_log_group", Want: "a log group", form: logName, arn: ":log-group:"},
		{Name: "log_group", Want: "a log group", form: logName, arn: ":log-group:"},
		{Name: "alarm_arns", Kind: List, Want: "an alarm's ARN", form: `arn:[a-z-]+:cloudwatch:[a-z0-9-]+:\d{12}:alarm:[ !#-\[\]-~]{1,255}`},
		{Name: "min_capacity", Kind: Number, Default: "2", Want: "a number of tasks"},
		{Name: "max_capacity", Kind: Number, Default: "6", Want: "a number of tasks"},
		{Name: "requests_target", Kind: Number, Default: "50", Want: "requests per task and minute"},
		{Name: "cpu_target", Kind: Number, Default: "50", Want: "percent"},
		{Name: "objective_ms", Kind: Number, Default: "200", Want: "milliseconds above 0"},
		{Name: "resolution", Kind: Number, Default: "60", Want: "60 or 1: the seconds between the metrics of a run", form: "60|1"},
	}
}

// maxAlarms is how many a widget of alarms takes.
const maxAlarms = 100

// Values are what was given, by the placeholder's name: one text, of a list any number.
type Values map[string][]string

// Body is a dashboard as PutDashboard takes it, and the names of the placeholders without a value, whose widgets were left
// out. Its errors are joined, each an *input.Error whose Field is the placeholder's name, "dashboard" for the first.
func Body(dashboard string, given Values) (body []byte, left []string, err error) {
	if !slices.Contains(Names(), dashboard) {
		e := &input.Error{Field: "dashboard", Got: dashboard, Want: strings.Join(Names(), " or ")}
		if word, ok := near.Near(dashboard, Names()); ok {
			e.Hint = "did you mean " + word + "?"
		}
		return nil, nil, e
	}
	template, err := files.ReadFile(dashboard + ".json")
	if err != nil {
		return nil, nil, err
	}
	values, err := fill(given)
	if err != nil {
		return nil, nil, err
	}
	text := regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(string(template), func(p string) string {
		return values[p[2:len(p)-1]]
	})
	for _, p := range Placeholders() {
		nothing := values[p.Name] == "" || p.Kind == List && values[p.Name] == "[]"
		if nothing && strings.Contains(string(template), "${"+p.Name+"}") {
			left = append(left, p.Name)
		}
	}
	body, err = without([]byte(text))
	return body, left, err
}

// fill is each placeholder's value as it stands in the file.
func fill(given Values) (map[string]string, error) {
	var errs []error
	values := map[string]string{}
	for _, p := range Placeholders() {
		texts := given[p.Name]
		if name, other := strings.CutPrefix(p.Default, "$"); len(texts) == 0 && other {
			values[p.Name] = values[name]
			continue
		}
		if len(texts) == 0 && p.Default != "" {
			texts = []string{p.Default}
		}
		if len(texts) == 0 && p.Required {
			errs = append(errs, &input.Error{Field: p.Name, Want: "want " + p.Want})
		}
		if p.Kind == List && len(texts) > maxAlarms {
			errs = append(errs, &input.Error{Field: p.Name, Got: strconv.Itoa(len(texts)), Want: "at most " + strconv.Itoa(maxAlarms)})
			continue
		}
		var all []string
		for _, text := range texts {
			value, err := p.read(text)
			errs = append(errs, err)
			all = append(all, value)
		}
		switch {
		case p.Kind == List:
			quoted, _ := json.Marshal(append([]string{}, all...)) // text always can be
			values[p.Name] = string(quoted)
		case len(all) > 0:
			values[p.Name] = all[len(all)-1]
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	low, _ := strconv.ParseFloat(values["min_capacity"], 64)
	if high, _ := strconv.ParseFloat(values["max_capacity"], 64); low > high {
		return nil, &input.Error{Field: "min_capacity", Got: values["min_capacity"], Want: "at most max_capacity, " + values["max_capacity"]}
	}
	return values, nil
}

// read is the value that a text stands for.
func (p Placeholder) read(text string) (string, error) {
	refused := &input.Error{Field: p.Name, Got: text, Want: p.Want}
	value := strings.TrimSpace(text)
	if strings.HasPrefix(value, "arn:") && p.arn != "" {
		_, behind, ok := strings.Cut(value, p.arn)
		if p.arn == ":" { // the last part
			behind = value[strings.LastIndexByte(value, ':')+1:]
		}
		if !ok {
			return "", refused
		}
		value = strings.TrimSuffix(behind, ":*")
		if p.form == ecsName {
			value = value[strings.LastIndexByte(value, '/')+1:] // of service/CLUSTER/NAME
		}
	}
	if p.Kind == Number {
		n, ok := input.Number(value)
		if !ok || n <= 0 && p.Name != "min_capacity" || n < 0 || math.IsInf(n, 0) || n > 1e12 {
			return "", refused
		}
		value = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if p.form != "" && !regexp.MustCompile(`^(?:`+p.form+`)$`).MatchString(value) {
		return "", refused
	}
	return value, nil
}

// without is a filled dashboard without the widgets that show nothing: of no alarm, or of a log without a name.
func without(text []byte) (body []byte, err error) {
	var all struct {
		Start          string            `json:"start"`
		PeriodOverride string            `json:"periodOverride"`
		Widgets        []json.RawMessage `json:"widgets"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	all.Widgets = slices.DeleteFunc(all.Widgets, func(raw json.RawMessage) bool {
		var w struct {
			Type       string
			Properties struct {
				Query  string
				Alarms []string
			}
		}
		err = errors.Join(err, json.Unmarshal(raw, &w))
		return w.Type == "alarm" && len(w.Properties.Alarms) == 0 || w.Type == "log" && strings.HasPrefix(w.Properties.Query, "SOURCE '' ")
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(all)
	return out.Bytes(), err
}
