package publish

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// emfSchema is the schema that the specification gives, closed where it is open: what stands in a line is what it names.
const emfSchema = `{
  "type": "object", "required": ["_aws"],
  "properties": {"_aws": {
    "type": "object", "additionalProperties": false, "required": ["Timestamp", "CloudWatchMetrics"],
    "properties": {
      "Timestamp": {"type": "integer", "exclusiveMinimum": 1000000000000},
      "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": {
        "type": "object", "additionalProperties": false, "required": ["Namespace", "Dimensions", "Metrics"],
        "properties": {
          "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^(.*)$"},
          "Dimensions": {"type": "array", "minItems": 1, "items": {
            "type": "array", "minItems": 1, "maxItems": 9, "items": {"type": "string", "minLength": 1, "maxLength": 250}}},
          "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": {
            "type": "object", "additionalProperties": false, "required": ["Name", "Unit"],
            "properties": {
              "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
              "Unit": {"enum": ["Count", "Count/Second", "Milliseconds", "None"]},
              "StorageResolution": {"enum": [1, 60]}
            }}}
        }}}
    }}}
}`

// emfValue is one value that CloudWatch makes of a line.
type emfValue struct {
	name, dims string
	at         int64
	value      float64
}

// readEMF reads lines as CloudWatch does, and holds each to the schema and the limits.
func readEMF(t *testing.T, text string) (all []emfValue) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(emfSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("emf.json")
	for line := range strings.Lines(text) {
		if len(line)+26 > 256<<10 {
			t.Errorf("a line of %d bytes", len(line))
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var members map[string]any
		var head struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := errors.Join(json.Unmarshal([]byte(line), &members), json.Unmarshal([]byte(line), &head)); err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{"_aws": true}
		for _, d := range head.AWS.CloudWatchMetrics {
			for _, set := range d.Dimensions {
				var dims []string
				for _, name := range set {
					value, ok := members[name].(string)
					if !ok {
						t.Fatalf("%s: dimension %s has no value", line, name)
					}
					dims, used[name] = append(dims, name+"="+value), true
				}
				for _, m := range d.Metrics {
					value, ok := members[m.Name].(float64)
					if !ok {
						t.Fatalf("%s: metric %s has no number", line, m.Name)
					}
					used[m.Name] = true
					all = append(all, emfValue{m.Name, strings.Join(dims, ","), head.AWS.Timestamp, value})
				}
			}
		}
		for name := range members {
			if !used[name] {
				t.Errorf("%s: %s belongs to nothing", line, name)
			}
		}
	}
	return all
}

func TestEMFSaysWhatCloudWatchIsTold(t *testing.T) {
	for _, config := range []Config{{}, {Resolution: time.Second, Run: true}, {Several: true}} {
		c := newCloud(t)
		if err := publishAll(t, NewCloudWatch(config, c.config()), metaOf(), windowsOf(90, 1), result.Suspect); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		sink := &EMF{Config: config, Out: &out}
		if err := publishAll(t, sink, metaOf(), windowsOf(90, 1), result.Suspect); err != nil {
			t.Fatal(err)
		}
		got := map[emfValue]bool{}
		for _, v := range readEMF(t, out.String()) {
			if got[v] {
				t.Errorf("%+v: twice", v)
			}
			got[v] = true
		}
		want := map[emfValue]bool{}
		for _, d := range c.datums[1:] { // the first is of the start
			if len(d.values) == 0 {
				want[emfValue{d.name, d.dims, d.at.UnixMilli(), d.value}] = true
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%+v: %d values in EMF, %d by PutMetricData that are no distributions", config, len(got), len(want))
		}
		d := sink.Deliveries()[0]
		if d.Sent != int64(strings.Count(out.String(), "\n")) || d.Lost != 0 || d.What != "lines" || d.To != "EMF on stdout, namespace LoadGen, service checkout" {
			t.Errorf("%+v", d)
		}
		if f := NewForecast(config, metaOf(), true); f.Count != len(metricsIn(want)) {
			t.Errorf("%+v: the dry run counts %d metrics, there are %d", config, f.Count, len(metricsIn(want)))
		}
	}
}

func metricsIn(values map[emfValue]bool) map[string]bool {
	all := map[string]bool{}
	for v := range values {
		all[v.name+v.dims] = true
	}
	return all
}

// fails takes some bytes and then no more.
type fails struct{ left int }

func (f *fails) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestALineThatCannotBeWrittenIsCounted(t *testing.T) {
	sink := &EMF{Out: &fails{left: 1200}}
	err := publishAll(t, sink, metaOf(), windowsOf(90, 1), result.Valid)
	d := sink.Deliveries()[0]
	if err == nil || err.Error() != "--emf: no space left on device" || d.Sent == 0 || d.Lost == 0 || d.Reason != "no space left on device" {
		t.Errorf("%v, %+v", err, d)
	}
}

func TestTheServiceIsNamedByWhatIsKnown(t *testing.T) {
	for _, x := range []struct{ why, given, name, host, endpoint, want string }{
		{"it is said", "checkout", "a run", "http://h", "", "checkout"},
		{"else the run has a name", "", "a run", "http://h", "", "a run"},
		{"else the host, without what is secret", "", "", "https://u:p@shop.example:8443/api", "", "shop.example:8443"},
		{"the API in this process", "", "", plan.Embedded, "", "embedded"},
		{"else the first endpoint's", "", "", "", "https://api.example/x", "api.example"},
		{"nothing is known", "", "", "", "/x", "unnamed"},
		{"letters that CloudWatch does not take", "", "café: naïve", "", "", "caf%C3%A9: na%C3%AFve"},
		{"a colon in front", "", ":8080", "", "", "%3A8080"},
		{"a line end", "", "a\nb", "", "", "a%0Ab"},
	} {
		m := &result.Meta{Plan: plan.Plan{Name: x.name, Host: x.host}, Endpoints: []plan.Endpoint{{URL: x.endpoint}}}
		if got := serviceOf(&Config{Service: x.given}, m); got != x.want {
			t.Errorf("%s: %q, want %q", x.why, got, x.want)
		}
	}
	long, other := strings.Repeat("x", 2000)+"a", strings.Repeat("x", 2000)+"b"
	if a, b := dimension(long), dimension(other); len(a) != maxDimension || a == b {
		t.Errorf("two long names: %d and %d bytes, equal: %v", len(a), len(b), a == b)
	}
}

func TestWhatIsGivenIsReadOrRefused(t *testing.T) {
	for text, want := range map[string]string{
		"LoadGen": "", "my/app.load_1#x:y-z": "", "": "empty", "AWS/ECS": "AWS's own", ":x": "colon", "with space": "letters",
		strings.Repeat("x", 256): "255", "ä": "letters",
	} {
		got, err := ParseNamespace(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && got != text {
			t.Errorf("namespace %.20q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{"60": time.Minute, "60s": time.Minute, "1m": time.Minute, "1": time.Second, "1s": time.Second, "30": 0, "": 0, "0": 0, "10": 0} {
		if got, err := ParseResolution(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("resolution %q: %v, %v", text, got, err)
		}
	}
	for text, ok := range map[string]bool{"checkout": true, "a b/c:1": true, "": false, ":x": false, "é": false, strings.Repeat("x", 1025): false, " x": false} {
		if _, err := ParseService(text); (err == nil) != ok {
			t.Errorf("service %.20q: %v", text, err)
		}
	}
}

func TestTheForecastIsOfWhatThereIsToPublish(t *testing.T) {
	var out bytes.Buffer
	f := NewForecast(Config{Run: true, Resolution: time.Second}, metaOf(), false)
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	// 10 metrics of the service, as many of the run, 6 of each of two endpoints; a call every 5 s.
	for _, want := range []string{
		"in namespace LoadGen", "{Service=checkout}  all", "{Service=checkout, Run=20261124T150435Z-0a0b0c0d}", "{Service=checkout, Endpoint=GET /health}",
		"32 metrics at $0.30 a month each, charged by the hour: $0.0132", "720 calls at $0.01 a thousand: $0.0072", "about $0.0204 an hour", "no load, and no metrics",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	many := metaOf()
	for len(many.Endpoints) < 500 {
		many.Endpoints = append(many.Endpoints, plan.Endpoint{Name: "GET /x" + strings.Repeat("y", len(many.Endpoints))})
	}
	if f := NewForecast(Config{}, many, false); f.Calls != 4*60 { // 3,009 datums a minute
		t.Errorf("%v calls an hour for 500 endpoints", f.Calls)
	}
	emf := NewForecast(Config{}, metaOf(), true)
	var lines bytes.Buffer
	if err := publishAll(t, &EMF{Out: &lines}, metaOf(), windowsOf(60, 1), result.Valid); err != nil {
		t.Fatal(err)
	}
	perMinute := float64(lines.Len()) / 3 // it wrote two minutes, and a verdict
	if emf.LogBytes < 60*perMinute || emf.LogBytes > 180*perMinute || slices.ContainsFunc(emf.Metrics, func(m Metric) bool { return m.Kind == Distributed }) {
		t.Errorf("%v bytes of logs an hour, where a minute takes some %v", emf.LogBytes, perMinute)
	}
}
