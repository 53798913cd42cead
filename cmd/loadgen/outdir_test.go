package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func someMeta() *result.Meta {
	p := plan.Default()
	p.Host = "http://h"
	return &result.Meta{
		ID: "id", Plan: p, Phases: p.Phases(), StartedAt: time.Date(2026, 11, 24, 16, 4, 5, 6, time.FixedZone("", 3600)),
		Endpoints: []plan.Endpoint{{Name: "GET /", Method: "GET", URL: "http://h/"}},
	}
}

var _ result.Sink = &directory{}

func TestRunsOfTheSameSecondHaveADirectoryEach(t *testing.T) {
	t.Chdir(t.TempDir())
	var paths []string
	for range 3 {
		d := &directory{}
		if err := d.Start(someMeta()); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.ToSlash(d.path))
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	want := []string{"loadgen-results/20261124T150405Z", "loadgen-results/20261124T150405Z-2", "loadgen-results/20261124T150405Z-3"}
	if !slices.Equal(paths, want) {
		t.Errorf("%q, want %q: the name is the start in UTC", paths, want)
	}
}

func TestADiscardedDirectoryIsAsItWasBefore(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{"fresh": false, "deep/fresh": false, "empty": true, "": false} {
		d := &directory{path: path}
		if err := d.Start(someMeta()); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(d.path); err != nil || len(entries) == 0 {
			t.Fatalf("nothing was written to %q: %v", d.path, err)
		}
		d.discard()
		entries, err := os.ReadDir(d.path)
		if stays != (err == nil) || len(entries) > 0 {
			t.Errorf("%q: %v %v", d.path, entries, err)
		}
	}
	var none *directory
	none.discard() // of a run that keeps nothing
}

func TestADirectoryThatCannotBeMadeIsRefusedByTheNameThatItWasGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(defaultOut, nil, 0o644); err != nil { // a file where the directory would be
		t.Fatal(err)
	}
	err := (&directory{}).Start(someMeta())
	e, ok := err.(*input.Error)
	if !ok || e.Hint == "" {
		t.Fatalf("%v, want an error with a hint at --out", err)
	}
	if got, want := filepath.ToSlash(err.Error()), "result directory loadgen-results/20261124T150405Z: not a directory"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
