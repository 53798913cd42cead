package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// What both schemas that tools go by require, in the order in which they require it: windyroad/JUnit-Schema's JUnit.xsd
// and jenkinsci/xunit-plugin's junit-10.xsd.
func TestASuiteHasWhatTheSchemasRequire(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b, Suite{Name: "a", At: time.Date(2026, 3, 4, 5, 6, 7, 8e8, time.FixedZone("", 3600)), Seconds: 1.23456, Properties: [][2]string{{"k", "<v>"}}, Cases: []Case{
		{Class: "c", Name: "passes", Seconds: 1},
		{Class: "c", Name: "fails", Outcome: Failed, Type: "threshold", Text: "p(99) < 50 ms & more \x00"},
		{Class: "c", Name: "is skipped", Outcome: Skipped, Text: "why"},
	}, Out: []string{"one", "two"}}, Suite{Name: "b"})
	if err != nil {
		t.Fatal(err)
	}
	var elements []string
	attributes := map[string][]string{}
	values := map[string]string{}
	for dec := xml.NewDecoder(&b); ; {
		token, err := dec.Token()
		if token == nil {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements = append(elements, e.Name.Local)
			if attributes[e.Name.Local] != nil {
				continue
			}
			for _, a := range e.Attr {
				attributes[e.Name.Local] = append(attributes[e.Name.Local], a.Name.Local)
				values[e.Name.Local+"."+a.Name.Local] = a.Value
			}
		}
	}
	if got, want := strings.Join(elements, " "), "testsuites testsuite properties property testcase testcase failure testcase skipped system-out system-err testsuite properties system-out system-err"; got != want {
		t.Errorf("elements are\n%s, want\n%s", got, want)
	}
	for element, required := range map[string][]string{
		"testsuite": {"name", "id", "package", "timestamp", "hostname", "tests", "failures", "errors", "time"},
		"property":  {"name", "value"}, "testcase": {"name", "classname", "time"}, "failure": {"type", "message"},
	} {
		for _, name := range required {
			if !slices.Contains(attributes[element], name) {
				t.Errorf("%s has no %s: %q", element, name, attributes[element])
			}
		}
	}
	for name, want := range map[string]string{
		"testsuite.timestamp": "2026-03-04T04:06:07", "testsuite.time": "1.235", "testsuite.hostname": "localhost", "testsuite.tests": "3",
		"testsuite.failures": "1", "testsuite.skipped": "1", "property.value": "<v>", "failure.message": "p(99) < 50 ms & more \ufffd",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAWriterThatFailsIsToldOf(t *testing.T) {
	if err := Write(full{}, Suite{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
