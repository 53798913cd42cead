package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by image builds, which have no repository to take it from: -ldflags "-X main.version=v1.2.3".
var version string

// versionOf is the linked version, else the one that the go command stamped from the tag, else the revision.
func versionOf(linked string, read func() (*debug.BuildInfo, bool)) string {
	v := linked
	if info, ok := read(); ok && v == "" {
		v = info.Main.Version
		if v == "(devel)" {
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					v = s.Value
				}
			}
		}
	}
	return fmt.Sprintf("%s (%s %s/%s)", cmp.Or(v, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
