package mounts

import (
	"strings"
	"testing"
)

// table is of a container with two volumes, one of them with a space in its name.
const table = `100 99 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l
101 100 0:52 / /proc rw - proc proc rw
102 100 8:1 /var/lib/docker/volumes/results/_data /results rw - ext4 /dev/sda1 rw
103 100 8:1 /home/me/my\040results /results/mine rw shared:3 - ext4 /dev/sda1 rw
104 100 0:60 / /results/mine rw - tmpfs tmpfs rw,size=64k
not a line of it
`

func TestAPathLiesOnTheMountWithTheLongestPointAboveIt(t *testing.T) {
	all := Parse(table)
	if len(all) != 5 {
		t.Fatalf("%d mounts: %+v", len(all), all)
	}
	for name, want := range map[string]string{
		"/":                   "overlay",
		"/results-old":        "overlay", // a longer name, and no part of /results
		"/results":            "/var/lib/docker/volumes/results/_data",
		"/results/a/b":        "/var/lib/docker/volumes/results/_data",
		"/results/../proc/x":  "proc",
		"/results/mine/x":     "tmpfs", // the later one hides the other
		"/results/mine//x/./": "tmpfs",
	} {
		m, ok := Holding(all, name)
		if got := m.FSType; !ok || got != want && m.Root != want {
			t.Errorf("%s: on %+v, want %s", name, m, want)
		}
	}
	if all[3].Root != "/home/me/my results" {
		t.Errorf("root %q", all[3].Root)
	}
	if m, ok := Holding(nil, "/x"); ok {
		t.Errorf("on %+v", m)
	}
}

// escape is what the kernel does to a path in mountinfo.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(path)
}

func FuzzUnescapeUndoesWhatTheKernelDoes(f *testing.F) {
	for _, path := range []string{"/", "/a b\\c", "/\t\n", `/\04`, `/\999`, ""} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if got := unescape(escape(path)); got != path {
			t.Errorf("path %q came back as %q", path, got)
		}
		for _, m := range Parse(path) {
			Holding([]Mount{m}, m.Point)
		}
	})
}
