package exit

import (
	"os"
	"strings"
	"testing"
)

func TestEachCodeHasItsNumberAndName(t *testing.T) {
	for _, row := range []struct {
		code   Code
		number int
		name   string
	}{
		{Passed, 0, "passed"},
		{RunError, 1, "run error"},
		{Usage, 2, "usage"},
		{Unhealthy, 96, "generator unhealthy"},
		{ScalingNotMet, 97, "scaling expectation not met"},
		{Regression, 98, "regression"},
		{ThresholdFailed, 99, "threshold failed"},
		{Interrupted, 105, "interrupted"},
	} {
		if int(row.code) != row.number || row.code.String() != row.name {
			t.Errorf("%d is %q, want %d %q", int(row.code), row.code, row.number, row.name)
		}
	}
	if got := Code(7).String(); got != "failed requests" {
		t.Errorf("7 is %q; only --exit-code-on-error gives another number", got)
	}
}

func TestTheLastLineNamesTheCode(t *testing.T) {
	if got, want := ThresholdFailed.Line(), "exit 99: threshold failed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Decide(Facts{RequestsFailed: true, OnError: 1}).Line(), "exit 1: failed requests"; got != want {
		t.Errorf("%q, want %q: the number is the user's, and the run itself went well", got, want)
	}
}

func TestTheFirstThatAppliesIsTheCodeInEveryCombination(t *testing.T) {
	precedence := []Code{105, 1, 96, 99, 97, 98} // INTERFACE.md, "Exit codes"
	facts := []struct {
		set  func(*Facts)
		code Code // 0: decided last, and only together
	}{
		{func(f *Facts) { f.Interrupted = true }, 105},
		{func(f *Facts) { f.RunError = true }, 1},
		{func(f *Facts) { f.Unhealthy = true }, 96},
		{func(f *Facts) { f.ThresholdFailed = true }, 99},
		{func(f *Facts) { f.Aborted = true }, 99},
		{func(f *Facts) { f.ScalingNotMet = true }, 97},
		{func(f *Facts) { f.Regression = true }, 98},
		{func(f *Facts) { f.RequestsFailed = true }, 0},
		{func(f *Facts) { f.NothingSucceeded = true }, 0},
		{func(f *Facts) { f.Ruled = true }, 0},
		{func(f *Facts) { f.OnError = 7 }, 0},
		{func(f *Facts) { f.OnError = 99 }, 0}, // a number that has a meaning of its own
	}
	for combination := range 1 << len(facts) {
		var f Facts
		applies := map[Code]bool{}
		for i, fact := range facts {
			if combination&(1<<i) != 0 {
				fact.set(&f)
				applies[fact.code] = true
			}
		}
		want := Status{Code: 0, Name: "passed"}
		switch {
		case f.RequestsFailed && f.OnError != 0:
			want = Status{Code: f.OnError, Name: "failed requests"}
		case f.NothingSucceeded && !f.Ruled:
			want = Status{Code: 1, Name: "no request succeeded"}
		}
		for _, code := range precedence {
			if applies[code] {
				want = code.Status()
				break
			}
		}
		if got := Decide(f); got != want {
			t.Fatalf("%+v\n got %+v\nwant %+v", f, got, want)
		}
	}
}

func TestThePageHoldsWhatTheCodeSays(t *testing.T) {
	if want := "105, 1, 96, 99, 97, 98"; !strings.Contains(Markdown(), want) {
		t.Errorf("the page does not say that the order is %s", want)
	}
	const page = "../../docs/exit-codes.md"
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(page, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may hold the page with the line ends of that system.
	if got := strings.ReplaceAll(string(have), "\r\n", "\n"); got != Markdown() {
		t.Errorf("docs/exit-codes.md is not what internal/exit says. UPDATE_GOLDEN=1 go test ./internal/exit mends it. Page:\n%s\nCode:\n%s", got, Markdown())
	}
}
