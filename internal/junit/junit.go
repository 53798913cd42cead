// Package junit writes what was judged as a JUnit report, the XML in which CI systems show test cases.
//
// There is no standard of it but two schemas that tools go by: Jenkins' junit-10.xsd (jenkinsci/xunit-plugin) and the
// older one of Ant's task (windyroad/JUnit-Schema). What is written here is valid by both: elements are in their order, no
// attribute is left out that one of them requires, and a case has no output of its own, which only one of them allows.
// Characters that XML cannot hold become U+FFFD.
package junit

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"time"
)

// Suite is one run of cases.
type Suite struct {
	Name       string
	Host       string    // where it ran; localhost when it is not known
	At         time.Time // when it began; left out when it is not known, which the older schema does not allow
	Seconds    float64
	Properties [][2]string // names and values
	Cases      []Case
	Out        []string // lines for who reads more
}

// Outcome says what became of a case.
type Outcome int

// The outcomes.
const (
	Passed Outcome = iota
	Failed
	Skipped // not judged
)

// Case is one thing that was judged.
type Case struct {
	Class, Name string
	Seconds     float64
	Outcome     Outcome
	Type        string // of a failure: a fixed word
	Text        string // why it failed, or was not judged
}

type (
	wireSuites struct {
		XMLName xml.Name    `xml:"testsuites"`
		Suites  []wireSuite `xml:"testsuite"`
	}
	wireSuite struct {
		Name       string         `xml:"name,attr"`
		Tests      int            `xml:"tests,attr"`
		Failures   int            `xml:"failures,attr"`
		Skipped    int            `xml:"skipped,attr"`
		Errors     int            `xml:"errors,attr"`
		Time       string         `xml:"time,attr"`
		Timestamp  string         `xml:"timestamp,attr,omitempty"`
		Host       string         `xml:"hostname,attr"`
		ID         int            `xml:"id,attr"`
		Package    string         `xml:"package,attr"`
		Properties wireProperties `xml:"properties"`
		Cases      []wireCase     `xml:"testcase"`
		Out        string         `xml:"system-out"`
		Err        string         `xml:"system-err"`
	}
	wireProperties struct {
		All []wireProperty `xml:"property"`
	}
	wireProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	wireCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Time    string       `xml:"time,attr"`
		Skipped *wireSkipped `xml:"skipped"`
		Failure *wireFailure `xml:"failure"`
	}
	wireSkipped struct {
		Message string `xml:"message,attr"`
	}
	wireFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// Write writes suites as one document.
func Write(w io.Writer, suites ...Suite) error {
	var out wireSuites
	for i, s := range suites {
		x := wireSuite{
			Name: s.Name, ID: i, Package: "loadgen", Host: s.Host,
			Tests: len(s.Cases), Time: seconds(s.Seconds), Out: strings.Join(s.Out, "\n"),
		}
		if !s.At.IsZero() {
			x.Timestamp = s.At.UTC().Format("2006-01-02T15:04:05")
		}
		if x.Host == "" {
			x.Host = "localhost"
		}
		for _, p := range s.Properties {
			x.Properties.All = append(x.Properties.All, wireProperty{p[0], p[1]})
		}
		for _, c := range s.Cases {
			k := wireCase{Name: c.Name, Class: c.Class, Time: seconds(c.Seconds)}
			switch c.Outcome {
			case Failed:
				x.Failures++
				k.Failure = &wireFailure{c.Text, c.Type, c.Text}
			case Skipped:
				x.Skipped++
				k.Skipped = &wireSkipped{c.Text}
			}
			x.Cases = append(x.Cases, k)
		}
		out.Suites = append(out.Suites, x)
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }
