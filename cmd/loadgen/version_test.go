package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"scalableappbackend/internal/exit"
)

func TestTheVersionIsTheLinkedOneOrTheStampedOne(t *testing.T) {
	info := func(version string, settings ...string) func() (*debug.BuildInfo, bool) {
		return func() (*debug.BuildInfo, bool) {
			b := &debug.BuildInfo{Main: debug.Module{Version: version}}
			for i := 0; i < len(settings); i += 2 {
				b.Settings = append(b.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
			}
			return b, true
		}
	}
	none := func() (*debug.BuildInfo, bool) { return nil, false }
	made := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, row := range []struct {
		linked string
		read   func() (*debug.BuildInfo, bool)
		want   string
		why    string
	}{
		{"v1.2.3", info("(devel)"), "loadgen v1.2.3 (" + made + ")", "an image build has no repository"},
		{"", info("v1.2.3", "vcs.revision", "4e1f09"), "loadgen v1.2.3 (" + made + ", commit 4e1f09)", "the go command stamps the tag"},
		{"v9", info("v1.2.3"), "loadgen v9 (" + made + ")", "the linked one counts"},
		{"", info("(devel)", "vcs.revision", "4e1f09", "vcs.modified", "true"), "loadgen devel (" + made + ", commit 4e1f09 with changes)", "without a tag the commit says it"},
		{"", none, "loadgen devel (" + made + ")", "no build information at all"},
	} {
		if got := buildOf(row.linked, row.read).String(); got != row.want {
			t.Errorf("%q, want %q: %s", got, row.want, row.why)
		}
	}
	stdout, stderr, code := typedIn(t, nil, "version")
	if !strings.HasPrefix(stdout, "loadgen ") || strings.Count(stdout, "\n") != 1 || stderr != "" || code != exit.Passed {
		t.Errorf("version says %q, %q and exits %d", stdout, stderr, code)
	}
}
