package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheVersionIsLinkedElseStampedElseTheRevision(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) func() (*debug.BuildInfo, bool) {
		return func() (*debug.BuildInfo, bool) {
			return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}, true
		}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123abcd"}
	for _, tt := range []struct {
		linked string
		read   func() (*debug.BuildInfo, bool)
		want   string
		why    string
	}{
		{"v1.2.3", info("v9.9.9"), "v1.2.3", "an image build"},
		{"", info("v1.0.0", revision), "v1.0.0", "go install of a tag"},
		{"", info("(devel)", revision), "0123abcd", "go build in a clone without tags"},
		{"", info("(devel)"), "(devel)", "go build -buildvcs=false"},
		{"", func() (*debug.BuildInfo, bool) { return nil, false }, "unknown", "no build info"},
		{"", info(""), "unknown", "empty build info"},
	} {
		got := versionOf(tt.linked, tt.read)
		if v, rest, _ := strings.Cut(got, " "); v != tt.want || rest != "("+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+")" {
			t.Errorf("%q, want %s and the platform: %s", got, tt.want, tt.why)
		}
	}
}
