package input

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestFieldErrorsReadAsOneLine(t *testing.T) {
	for want, e := range map[string]Error{
		`--stage "30s": want DURATION:NUMBER, e.g. 30s:50`: {Field: "--stage", Got: "30s", Want: "DURATION:NUMBER, e.g. 30s:50"},
		`users: does not go with a rate`:                   {Field: "users", Want: "does not go with a rate"},
		`"x": want a number`:                               {Got: "x", Want: "a number"},
		`not JSON`:                                         {Want: "not JSON"},
		`host "a\nb": want a URL`:                          {Field: "host", Got: "a\nb", Want: "a URL"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	long := Error{Field: "x", Got: "x" + strings.Repeat("ä", 10_000), Want: "less"}
	if got := long.Error(); len(got) > 2*maxShown || !strings.Contains(got, `ä…": want less`) {
		t.Errorf("a long text is cut between letters: %s", got)
	}
}

func TestFieldsFindsAllThatAreJoinedOrWrapped(t *testing.T) {
	a, b, c := &Error{Field: "a"}, &Error{Field: "b"}, &Error{Field: "c"}
	err := errors.Join(a, fmt.Errorf("plan.json: %w", errors.Join(b, io.EOF)), fmt.Errorf("deep: %w", fmt.Errorf("er: %w", c)))
	var names []string
	for _, f := range Errors(err) {
		names = append(names, f.Field)
	}
	if got := strings.Join(names, " "); got != "a b c" {
		t.Errorf("found %q, want a b c", got)
	}
	if Errors(nil) != nil || Errors(io.EOF) != nil {
		t.Error("found fields where there are none")
	}
}

func TestFieldsArePlacedBelowOthers(t *testing.T) {
	for _, tt := range []struct{ inner, outer, want string }{
		{"", "--stage", "--stage"},
		{"timeout", "client", "client.timeout"},
		{"[1]", "stages", "stages[1]"},
		{"timeout", "", "timeout"},
	} {
		got := WithField(&Error{Field: tt.inner, Want: "x"}, tt.outer).Error()
		if want := tt.want + ": x"; got != want {
			t.Errorf("%q below %q: %s, want %s", tt.inner, tt.outer, got, want)
		}
	}
	err := WithField(errors.Join(&Error{Field: "a", Want: "x"}, io.EOF), "f")
	if got, want := err.Error(), "f.a: x\nf: EOF"; got != want || !errors.Is(err, io.EOF) {
		t.Errorf("joined: %q, want %q, still holding io.EOF", got, want)
	}
	if WithField(nil, "f") != nil {
		t.Error("no error became one")
	}
}

func TestRenamingLeavesTheErrorItselfAlone(t *testing.T) {
	flags := map[string]string{"users": "--users"}
	err := errors.Join(&Error{Field: "users", Got: "0", Want: "more"}, fmt.Errorf("plan: %w", &Error{Field: "users", Want: "no"}), io.EOF)
	renamed := Rename(err, func(f string) string { return flags[f] })
	if got, want := renamed.Error(), "--users \"0\": want more\n--users: no\nEOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Errors(err)[0].Field; got != "users" {
		t.Errorf("the error given was changed to %q", got)
	}
	if Rename(nil, nil) != nil || Rename(io.EOF, nil) != io.EOF {
		t.Error("an error without fields is not the same any more")
	}
}
