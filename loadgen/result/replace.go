package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// asidePrefix is what a file of a result is called while it may come back.
const asidePrefix = ".replaced-"

// FileNames are the files that a complete result may have, plan.json first and result.json last.
func FileNames() []string {
	return []string{planName, windowsName, latencyName, eventsName, factsName, timelineName, resultName}
}

// fileNames are the files that a result may have, those included that are there while it is written.
func fileNames() []string { return append(FileNames(), tempName, reserveName) }

// Aside is a result that was put aside to make room for another one in the same directory.
type Aside struct {
	dir   string
	moved []string
}

// PutAside makes room for a new result in a directory that holds one: its files, and no others, are renamed until
// [Aside.Drop] removes them or [Aside.Restore] brings them back. A directory that is missing or empty needs nothing, and one
// that holds other files and no result is refused: what lies there is not for a run to replace.
func PutAside(dir string) (*Aside, error) {
	a := &Aside{dir: dir}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return a, nil
	case err != nil:
		return nil, fmt.Errorf("result directory %s: %w", dir, pathless(err))
	case !isOurs(dir, planName) && !isOurs(dir, resultName):
		return nil, fmt.Errorf("result directory %s: holds %s and no result of loadgen: want one to replace, or a new directory", dir, entries[0].Name())
	}
	for _, name := range fileNames() {
		err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, asidePrefix+name))
		switch {
		case err == nil:
			a.moved = append(a.moved, name)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, errors.Join(fmt.Errorf("result directory %s: %w", dir, pathless(err)), a.Restore())
		}
	}
	return a, nil
}

// isOurs reports whether a file says that it is of a result of loadgen.
func isOurs(dir, name string) bool {
	data, err := os.ReadFile(filepath.Join(dir, name))
	var says struct {
		Schema string `json:"schema"`
	}
	return err == nil && json.Unmarshal(data, &says) == nil && strings.HasPrefix(says.Schema, "loadgen/")
}

// Drop removes what was put aside.
func (a *Aside) Drop() error {
	var errs []error
	for _, name := range a.moved {
		errs = append(errs, os.Remove(filepath.Join(a.dir, asidePrefix+name)))
	}
	a.moved = nil
	return errors.Join(errs...)
}

// Restore brings back what was put aside, over what stands there now.
func (a *Aside) Restore() error {
	var errs []error
	for _, name := range a.moved {
		errs = append(errs, os.Rename(filepath.Join(a.dir, asidePrefix+name), filepath.Join(a.dir, name)))
	}
	a.moved = nil
	return errors.Join(errs...)
}

// Remove takes the files of a result out of a directory, and no others.
func Remove(dir string) error {
	var errs []error
	for _, name := range fileNames() {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, pathless(err))
		}
	}
	return errors.Join(errs...)
}
