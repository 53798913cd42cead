package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by image builds, which have no repository to take it from: -ldflags "-X main.version=v1.2.3".
var version string

// build is what this program was made of.
type build struct {
	version  string // a tag, "devel" without one
	commit   string // may be empty
	modified bool   // the working tree differed from the commit
}

// buildOf is the linked version, else the one that the go command stamped.
func buildOf(linked string, read func() (*debug.BuildInfo, bool)) build {
	b := build{version: linked}
	info, ok := read()
	if !ok {
		b.version = cmp.Or(b.version, "devel")
		return b
	}
	if stamped := info.Main.Version; b.version == "" && stamped != "(devel)" {
		b.version = stamped
	}
	b.version = cmp.Or(b.version, "devel")
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
	return b
}

// String is one line, e.g. "loadgen v1.2.3 (go1.26.8 linux/amd64, commit 4e1f09)".
func (b build) String() string {
	made := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	if b.commit != "" {
		made += ", commit " + b.commit
	}
	if b.modified {
		made += " with changes"
	}
	return fmt.Sprintf("loadgen %s (%s)", b.version, made)
}

func newVersion(env *env) *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "prints version, Go version, platform and commit",
		Example:           "\nloadgen version",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(env.stdout, buildOf(version, debug.ReadBuildInfo))
			return err
		},
	}
}
