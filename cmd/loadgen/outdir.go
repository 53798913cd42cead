package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/result"
)

// defaultOut is where the results of runs without --out lie beside each other.
const defaultOut = "loadgen-results"

// directory is the sink that keeps a run, and the first of its sinks: one that cannot be used is refused before anything else
// is written, and what it keeps is finished before anything else is waited for.
type directory struct {
	name  string   // how the path was given: --out, LOADGEN_OUT; empty for the default
	path  string   // empty: a new one
	fresh bool     // it did not exist before
	above []string // directories above it that did not exist either, the lowest first

	overwrite bool          // a result that is there
	keeps     bool          // the command has no --overwrite
	aside     *result.Aside // what was there, until the run has begun; nil: nothing is to be replaced
	*result.Writer
}

// Window keeps a window. The first is the sign that the run has begun: what was there before is not needed any more.
func (d *directory) Window(w *result.Window) error { return errors.Join(d.drop(), d.Writer.Window(w)) }

// Finish keeps the result.
func (d *directory) Finish(r *result.Result) error { return errors.Join(d.drop(), d.Writer.Finish(r)) }

func (d *directory) drop() error {
	if d.aside == nil {
		return nil
	}
	err := errors.Join(d.aside.Drop(), os.RemoveAll(filepath.Join(d.path, recordsDir)))
	d.aside = nil
	return err
}

// Start makes the directory.
func (d *directory) Start(meta *result.Meta) error {
	if store.IsURL(d.path) {
		return &input.Error{Field: cmp.Or(d.name, "--out"), Got: d.path, Want: "a directory", Hint: "loadgen run --s3 " + d.path + " keeps a result in S3"}
	}
	err := d.make(meta)
	switch {
	case err != nil:
	case d.overwrite:
		if d.aside, err = result.PutAside(d.path); err == nil {
			if d.Writer, err = result.PrepareBeside(d.aside, *meta); err != nil {
				err = errors.Join(err, d.aside.Restore())
			}
		}
	default:
		d.Writer, err = result.Prepare(d.path, *meta)
	}
	if err == nil {
		return nil
	}
	e := &input.Error{Want: err.Error()}
	if d.name != "" {
		e.Want = d.name + ": " + e.Want
	} else {
		e.Hint = "give a directory with --out DIR, or --out none to keep nothing"
	}
	e.Hint = cmp.Or(hintOfOwner(err, d.path), e.Hint)
	for _, name := range []string{"result.json", "plan.json"} {
		if _, bad := os.Stat(filepath.Join(d.path, name)); bad == nil && !d.fresh && !d.overwrite && !d.keeps {
			e.Hint = "--overwrite replaces the result that is there"
		}
	}
	return e
}

// make finds a new name below defaultOut when none was given: of runs that start in the same second
// each has a directory of its own.
func (d *directory) make(meta *result.Meta) error {
	if d.path != "" {
		_, err := os.Stat(d.path)
		d.fresh = errors.Is(err, fs.ErrNotExist)
		d.above = missingAbove(d.path)
		return nil
	}
	d.path = filepath.Join(defaultOut, meta.StartedAt.UTC().Format("20060102T150405Z"))
	d.above = missingAbove(d.path)
	if err := os.MkdirAll(defaultOut, 0o755); err != nil {
		return fmt.Errorf("result directory %s: %w", d.path, shortened{err})
	}
	for base, i := d.path, 2; ; i++ {
		err := os.Mkdir(d.path, 0o755)
		if !errors.Is(err, fs.ErrExist) {
			d.fresh = true
			if err != nil {
				return fmt.Errorf("result directory %s: %w", d.path, shortened{err})
			}
			return nil
		}
		d.path = fmt.Sprintf("%s-%d", base, i)
	}
}

// missingAbove are the directories above a path that do not exist, the lowest first.
func missingAbove(path string) (missing []string) {
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	return missing
}

// shortened is an error whose text is its reason alone.
type shortened struct{ error }

func (e shortened) Error() string { return reason(e.error) }
func (e shortened) Unwrap() error { return e.error }

// kept is where the result is, empty when it is nowhere.
func (d *directory) kept() string {
	if d == nil {
		return ""
	}
	return d.path
}

// recordsDir is where the output of a lab's programs lies, a file each.
const recordsDir = "replicas"

// addRecords writes what programs wrote, by name.
func (d *directory) addRecords(records map[string][]byte) error {
	if d == nil || d.Writer == nil || len(records) == 0 {
		return nil
	}
	dir := filepath.Join(d.path, recordsDir)
	err := os.MkdirAll(dir, 0o755)
	for name, text := range records {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".log"), text, 0o644))
	}
	return err
}

// discard takes away what was written for a run that then did not begin.
func (d *directory) discard() {
	if d == nil || d.Writer == nil {
		return
	}
	_ = d.Writer.Close()
	if d.aside != nil { // there was something before, and it is to be there again
		_ = result.Remove(d.path)
		_ = d.aside.Restore()
		return
	}
	entries, _ := os.ReadDir(d.path)
	for _, e := range entries { // it was empty before
		_ = os.RemoveAll(filepath.Join(d.path, e.Name()))
	}
	if d.fresh {
		_ = os.Remove(d.path)
		for _, dir := range d.above {
			_ = os.Remove(dir) // unless something is in it by now
		}
	}
}
