package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder is a testing.TB that keeps what a failing test would say.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()                     {}
func (r *recorder) Errorf(f string, a ...any)   { r.said = append(r.said, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any)   { r.Errorf(f, a...) }
func (r *recorder) text() string                { return strings.Join(r.said, "\n") }
func record(t *testing.T) *recorder             { return &recorder{TB: t} }
func file(t *testing.T, name string) string     { return filepath.Join(t.TempDir(), "sub", name) }
func read(t *testing.T, name string) (s string) { b, _ := os.ReadFile(name); return string(b) }

func TestUpdateWritesWhatTheNextCheckAccepts(t *testing.T) {
	r, name := record(t), file(t, "a.txt")
	check(r, name, []byte("one\ntwo\n"), true)
	if got := read(t, name); got != "one\ntwo\n" {
		t.Fatalf("the file holds %q", got)
	}
	check(r, name, []byte("one\ntwo\n"), false)
	if len(r.said) > 0 {
		t.Errorf("an equal file was refused: %s", r.text())
	}
}

func TestADifferenceIsShownByLineAndWhatWasGotIsKept(t *testing.T) {
	r, name := record(t), file(t, "a.txt")
	check(r, name, []byte("one\ntwo\nthree\n"), true)
	check(r, name, []byte("one\n2\nthree\n"), false)
	for _, want := range []string{"a.txt differs", "UPDATE_GOLDEN=1", "-two\n", "+2\n"} {
		if !strings.Contains(r.text(), want) {
			t.Errorf("no %q in:\n%s", want, r.text())
		}
	}
	if got := read(t, filepath.Join(t.ArtifactDir(), "a.txt")); got != "one\n2\nthree\n" {
		t.Errorf("kept %q", got)
	}
	if got := read(t, name); got != "one\ntwo\nthree\n" {
		t.Errorf("the wanted file was touched: %q", got)
	}
}

func TestAMissingFileFailsEvenWhenNothingWasGot(t *testing.T) {
	r := record(t)
	check(r, file(t, "a.txt"), nil, false)
	if len(r.said) == 0 {
		t.Error("a missing file was accepted")
	}
}

func TestWhatCannotBeReadFails(t *testing.T) {
	r := record(t)
	check(r, t.TempDir(), []byte("x"), false)
	if len(r.said) == 0 {
		t.Error("a directory was accepted")
	}
}
