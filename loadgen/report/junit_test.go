package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/result"
)

// testsuites is what a reader of JUnit reports takes from one.
type testsuites struct {
	Suites []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junitOf(t interface{ Fatal(...any) }, in Input) (report testsuites) {
	var b bytes.Buffer
	if err := Write(&b, "junit", in); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), &report); err != nil {
		t.Fatal(err, b.String())
	}
	return report
}

// What exits with 0 is green, and nothing else is; a case that failed says in its words what the summary says.
func TestAJUnitReportFailsWhereTheRunDid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &result.Result{Plan: seedPlan(), Verdict: result.Verdict{Validity: rapid.SampledFrom([]result.Validity{result.Valid, result.Suspect, result.Invalid}).Draw(t, "validity")}}
		in := Input{Result: r}
		draw := func(label string) (all []result.Outcome) {
			for i := range rapid.IntRange(0, 3).Draw(t, label) {
				all = append(all, outcome(rapid.Bool().Draw(t, "passed"), fmt.Sprintf("p(99)<%dms", i), 1, "was 1.00 ms"))
			}
			return all
		}
		r.Thresholds, in.Expectations = draw("thresholds"), draw("expectations")
		failed := func(all []result.Outcome) bool {
			return slices.ContainsFunc(all, func(o result.Outcome) bool { return !o.Passed })
		}
		f := exit.Facts{
			Interrupted: rapid.Bool().Draw(t, "interrupted"), RunError: rapid.Bool().Draw(t, "error"), Aborted: rapid.Bool().Draw(t, "aborted"),
			RequestsFailed: rapid.Bool().Draw(t, "requests failed"), OnError: exit.Code(rapid.SampledFrom([]int{0, 1, 5, 99}).Draw(t, "on error")),
			Unhealthy: r.Verdict.Validity == result.Invalid, ThresholdFailed: failed(r.Thresholds), ScalingNotMet: failed(in.Expectations),
		}
		if f.Interrupted {
			r.Interrupted, r.StoppedBy = true, "Ctrl-C"
		} else if f.Aborted {
			r.StoppedBy = "abort-on error_rate<1%"
		}
		status := exit.Decide(f)
		r.Verdict.ExitCode, r.Verdict.ExitName = int(status.Code), status.Name

		suite := junitOf(t, in).Suites[0]
		if green := suite.Failures == 0; green != (status.Code == exit.Passed) {
			t.Fatalf("%d failures of a run that ends with %s", suite.Failures, status.Line())
		}
		if want := 2 + len(r.Thresholds) + len(in.Expectations); suite.Tests != want || len(suite.Cases) != want {
			t.Fatalf("%d tests, %d cases, want %d", suite.Tests, len(suite.Cases), want)
		}
		failures, skipped := 0, 0
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Skipped != nil {
				skipped++
			}
			if c.Skipped != nil && claims(r) || c.Failure != nil && c.Failure.Message == "" {
				t.Fatalf("case %+v of a run that is %s", c, r.Verdict.Validity)
			}
		}
		if failures != suite.Failures || skipped != suite.Skipped {
			t.Fatalf("counts %d failures and %d skipped, cases are %d and %d", suite.Failures, suite.Skipped, failures, skipped)
		}
	})
}

func TestWhatComesFromOutsideStaysTextInJUnit(t *testing.T) {
	const evil = "x\x1b[2J<b>&amp;]]>\"'\r\n\u202e{GET /?a=1&b=<2>}:p(99)<1ms \x00\xff\ufffe"
	r := &result.Result{Plan: seedPlan(), Name: evil, Verdict: result.Verdict{Validity: result.Invalid, ExitCode: 96, ExitName: evil}}
	r.Generator.Hostname = evil
	r.Verdict.Reasons = []result.Reason{{Code: "lag", Level: result.Invalid, Detail: evil}}
	r.Thresholds = []result.Outcome{{Expression: evil, Detail: evil}}
	suite := junitOf(t, Input{Result: r}).Suites[0]
	for what, got := range map[string]string{"name": suite.Name, "threshold": suite.Cases[2].Name, "reason": suite.Cases[0].Failure.Message, "text": suite.Cases[0].Failure.Text, "seen": suite.Cases[2].Failure.Message} {
		for _, part := range []string{"<b>&amp;]]>\"'", "{GET /?a=1&b=<2>}"} {
			if !strings.Contains(got, part) {
				t.Errorf("the %s is %q, want %q in it", what, got, part)
			}
		}
		if strings.ContainsAny(got, "\x00\x1b\ufffe") {
			t.Errorf("the %s holds what XML cannot: %q", what, got)
		}
	}
}
