// Package baseline keeps results that others are compared with, in a folder that can lie in git, by name, branch,
// plan and commit:
//
//	NAME/BRANCH/PLAN/COMMIT/baseline.json and the files of the result
//
// Where it reads it takes an fs.FS, where it writes a [Writer], so that a bucket can be used instead of a folder. A kept result
// is never changed: a new commit moves the baseline, and a commit that is kept already is refused.
package baseline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/result"
)

// Writer is where baselines are kept. Names have slashes; a name that exists is fs.ErrExist.
type Writer interface {
	Write(name string, content io.Reader) error
}

// Entry is one kept result.
type Entry struct {
	Name    string    `json:"name"`
	Branch  string    `json:"branch"`
	Commit  string    `json:"commit"`
	Plan    string    `json:"plan"` // compare.Key of it
	ID      string    `json:"id"`   // of the result
	Started time.Time `json:"started_at"`
	Saved   time.Time `json:"saved_at"`
	Reason  string    `json:"reason,omitempty"` // why the baseline moved
}

const fileName = "baseline.json"

// Path is where the entry is kept. Slashes in its parts are escaped, so that each is one folder.
func (e Entry) Path() string {
	return path.Join(folder(e.Name), folder(e.Branch), folder(e.Plan), folder(e.Commit))
}

func folder(part string) string {
	s := url.PathEscape(part)
	if strings.Trim(s, ".") == "" { // "." and ".." are other folders
		s = strings.ReplaceAll(s, ".", "%2E")
	}
	return s
}

// Of is the entry for a result: name, branch and commit are those given, else the result's name and its tags.
func Of(r *compare.Run, name, branch, commit string) (Entry, error) {
	e := Entry{Name: cmp.Or(name, r.Plan.Name), Branch: cmp.Or(branch, r.Tags["branch"], "main"), Commit: cmp.Or(commit, r.Tags["commit"]),
		Plan: compare.Key(r.Plan), ID: r.ID, Started: r.Started.UTC()}
	switch {
	case e.Name == "":
		return e, errors.New("the result has no name: want --name, what the result is of")
	case e.Commit == "":
		return e, errors.New("the result has no tag commit: want --commit")
	case r.Cut || r.StoppedBy != "" || r.Validity == result.Invalid:
		return e, fmt.Errorf("%s: %w", r.Dir, compare.Unlike([]*compare.Run{r}))
	}
	return e, nil
}

// Save keeps the files of a result. baseline.json comes last: its presence means that the rest is there.
func Save(to Writer, from fs.FS, e Entry) error {
	files, err := fs.ReadDir(from, ".")
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		content, err := from.Open(f.Name())
		if err != nil {
			return err
		}
		err = to.Write(path.Join(e.Path(), f.Name()), content)
		_ = content.Close()
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("baseline %s: commit %s is kept already: what was kept is not changed", e.Name, e.Commit)
		}
		if err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return to.Write(path.Join(e.Path(), fileName), bytes.NewReader(append(data, '\n')))
}

// List returns what is kept, the newest first.
func List(from fs.FS) (all []Entry, err error) {
	names, err := fs.Glob(from, "*/*/*/*/"+fileName)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		var e Entry
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if e.Path() != path.Dir(name) {
			return nil, fmt.Errorf("%s: it says that it belongs to %s", name, e.Path())
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Or(b.Saved.Compare(a.Saved), cmp.Compare(a.Path(), b.Path())) })
	return all, nil
}

// Find returns the newest entry that has what is given of name, branch, commit and plan.
func Find(all []Entry, want Entry) (Entry, bool) {
	fits := func(have, want string) bool { return want == "" || have == want }
	for _, e := range all {
		if fits(e.Name, want.Name) && fits(e.Branch, want.Branch) && fits(e.Commit, want.Commit) && fits(e.Plan, want.Plan) {
			return e, true
		}
	}
	return Entry{}, false
}
