package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/baseline"
)

// defaultBaselines is where baselines are kept.
const defaultBaselines = "loadgen-baselines"

func newBaseline(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline save|list|show",
		Short: "keeps results to compare with, by name, branch, plan and commit",
		Example: `
loadgen baseline save loadgen-results/20261124T150405Z --name checkout --commit 4e1f09
loadgen baseline list
loadgen compare "$(loadgen baseline show --name checkout)" new`,
	}
	var dir, reasonText string
	var want baseline.Entry
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, f := range []struct {
		to                     *string
		name, arg, usage, deft string
	}{
		{&dir, "dir", "DIR", "directory of the baselines", defaultBaselines},
		{&want.Name, "name", "S", "name of what was measured", "the result's name"},
		{&want.Branch, "branch", "S", "branch it was built from", "the result's tag branch, else main"},
		{&want.Commit, "commit", "S", "commit it was built from", "the result's tag commit"},
		{&reasonText, "reason", "TEXT", "with save: why the baseline changes", ""},
	} {
		flags.StringVar(f.to, f.name, "", f.usage)
		annotate(flags.Lookup(f.name), noteArg, f.arg)
		annotate(flags.Lookup(f.name), noteDefault, f.deft)
	}
	_ = cmd.MarkFlagDirname("dir")
	cmd.ValidArgsFunction = cobra.FixedCompletions([]cobra.Completion{"save", "list", "show"}, cobra.ShellCompDirectiveDefault)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if dir == "" {
			dir = defaultBaselines
		}
		if len(args) == 0 {
			return usagef("baseline", "", "", "want save DIR, list or show")
		}
		switch {
		case args[0] == "save" && len(args) == 2:
			return env.saveBaseline(dir, args[1], want, reasonText)
		case args[0] == "save":
			return usagef("baseline save", "", "", "want the directory of one result")
		case args[0] != "list" && args[0] != "show":
			return usagef("baseline", args[0], didYouMean(args[0], []string{"save", "list", "show"}, ""), "save, list or show")
		case len(args) > 1:
			return usagef("argument", args[1], "", "only flags after baseline %s", args[0])
		}
		fsys, err := env.cloud.folder(dir)
		if err != nil {
			return usage(input.WithField(err, "--dir"))
		}
		all, err := baseline.List(fsys)
		if err != nil {
			return usage(err)
		}
		if args[0] == "show" {
			e, ok := baseline.Find(all, want)
			if !ok {
				return usagef("baseline show", "", "loadgen baseline list shows what there is", "no such baseline in %s", dir)
			}
			_, err := io.WriteString(env.stdout, below(dir, e.Path())+"\n")
			return err
		}
		for _, e := range all {
			if _, fits := baseline.Find([]baseline.Entry{e}, want); !fits {
				continue
			}
			line := e.Saved.Format(time.DateTime) + "  " + e.Name + "  " + e.Branch + "  " + e.Commit + "  plan " + e.Plan
			if e.Reason != "" {
				line += "  (" + e.Reason + ")"
			}
			if _, err := io.WriteString(env.stdout, line+"\n"); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func (e *env) saveBaseline(dir, from string, want baseline.Entry, why string) error {
	runs, err := e.readRuns([]string{from})
	if err != nil {
		return usage(err)
	}
	entry, err := baseline.Of(runs[0], want.Name, want.Branch, want.Commit)
	if err != nil {
		return usage(&input.Error{Field: "baseline save", Want: err.Error()})
	}
	entry.Saved, entry.Reason = time.Now().UTC().Truncate(time.Second), why
	files, err := e.cloud.folder(from)
	if err != nil {
		return usage(err)
	}
	to, err := e.cloud.baselines(dir)
	if err != nil {
		return usage(input.WithField(err, "--dir"))
	}
	if err := baseline.Save(to, files, entry); err != nil {
		return usage(explained("", err))
	}
	e.plain("kept in %s", below(dir, entry.Path()))
	return nil
}

// baselines is where baselines are written, a directory or a place in S3.
func (c *cloud) baselines(where string) (baseline.Writer, error) {
	if !store.IsURL(where) {
		return kept{where}, nil
	}
	at, err := store.ParseURL(where)
	if err != nil {
		return nil, err
	}
	objects, err := c.objects(at)
	if err != nil {
		return nil, explained(where, err)
	}
	return bucketFolder{objects}, nil
}

// kept is a folder of baselines.
type kept struct{ dir string }

func (k kept) Write(name string, content io.Reader) error {
	full := filepath.Join(k.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}
