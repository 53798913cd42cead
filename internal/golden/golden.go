// Package golden compares what a test got with a file under testdata, and rewrites the file when
// the environment says UPDATE_GOLDEN=1:
//
//	UPDATE_GOLDEN=1 go test ./...
//
// It compares byte for byte and normalises nothing: a test that meets ports, paths or times makes
// them the same each time before it asks. It is for tests alone.
package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
)

// Updating reports whether expectations are to be rewritten, for tests that keep theirs elsewhere.
func Updating() bool { return os.Getenv("UPDATE_GOLDEN") == "1" }

// Check fails t unless testdata/<name> holds got. It then shows the difference and leaves got in the
// test's artifact directory (kept by go test -artifacts). A missing file is a difference from nothing.
func Check[T ~string | ~[]byte](t testing.TB, name string, got T) {
	t.Helper()
	check(t, filepath.Join("testdata", filepath.FromSlash(name)), []byte(got), Updating())
}

func check(t testing.TB, file string, got []byte, update bool) {
	t.Helper()
	if update {
		if err := write(file, got); err != nil {
			t.Fatalf("golden: %v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatalf("golden: %v", err)
	}
	if err == nil && bytes.Equal(got, want) {
		return
	}
	kept := filepath.Join(t.ArtifactDir(), filepath.Base(file))
	if err := write(kept, got); err != nil {
		t.Errorf("golden: %v", err)
	}
	t.Errorf("%s differs; UPDATE_GOLDEN=1 go test rewrites it, go test -artifacts keeps what was got\n%s",
		filepath.ToSlash(file), diff.Diff("want", want, "got", got))
}

func write(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
