package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"scalableappbackend/internal/mounts"
	"scalableappbackend/loadgen/plan"
)

func TestAResultThatGoesWithItsContainerIsToldOfInOneLine(t *testing.T) {
	const root = "1 0 0:50 / / rw - overlay overlay rw\n"
	volume := func(name string) string {
		return root + "2 1 8:1 /var/lib/docker/volumes/" + name + "/_data /results rw - ext4 /dev/sda1 rw\n"
	}
	for _, c := range []struct {
		why, table, dir, want string
		outside               bool
	}{
		{why: "a named volume stays", table: volume("results"), dir: "/results"},
		{why: "a folder of the host stays", table: root + "2 1 8:1 /home/me/results /results rw - ext4 /dev/sda1 rw\n", dir: "/results/x"},
		{why: "a volume without a name", table: volume(strings.Repeat("0a", 32)), dir: "/results",
			want: "the result will be on an anonymous volume and is lost with the container; keep it with docker run -v results:/results"},
		{why: "no volume", table: volume("results"), dir: "/home/me",
			want: "the result will be in the container's own file system and is lost with the container; keep it with docker run -v results:/home/me"},
		{why: "a tmpfs", table: root + "2 1 0:9 / /results rw - tmpfs tmpfs rw\n", dir: "/results/a",
			want: "the result will be in memory (tmpfs) and is lost with the container; keep it with docker run -v results:/results"},
		{why: "no container", table: "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", dir: "/home/me", outside: true},
		{why: "a system without the table", dir: "/home/me", outside: true},
	} {
		if got := noteOfPlace(mounts.Parse(c.table), !c.outside, c.dir); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
	if notes := notesOfPlace(outNone); notes != nil {
		t.Errorf("of a result that is nowhere: %q", notes)
	}
}

func TestAFolderOfSomebodyElseIsNamedWithItsOwner(t *testing.T) {
	if hint := hintOfOwner(errors.New("no space"), "/"); hint != "" {
		t.Errorf("of another error: %q", hint)
	}
	denied := &fs.PathError{Op: "mkdir", Path: "x", Err: fs.ErrPermission}
	if hint := hintOfOwner(denied, t.TempDir()); hint != "" {
		t.Errorf("of a folder of one's own: %q", hint)
	}
	owner, user, ok := ownerOf("/")
	if !ok || owner == user {
		t.Skip("the root folder is one's own here")
	}
	if hint := hintOfOwner(denied, "/no/such/folder"); !strings.HasPrefix(hint, "/ belongs to user 0, and loadgen runs as user "+strconv.Itoa(os.Geteuid())) {
		t.Errorf("says %q", hint)
	}
}

func TestAProxyThatIsNotUsedIsToldOfOnceAndOnlyWhereItWouldBe(t *testing.T) {
	const at = "http://proxy:3128"
	for _, c := range []struct {
		why     string
		vars    map[string]string
		host    string
		targets []string
		want    string // the variable that is named; empty: no note
	}{
		{why: "none", host: "http://api.test"},
		{why: "for http", vars: map[string]string{"http_proxy": at}, host: "http://api.test", want: "http_proxy"},
		{why: "for https, and there is one for http only", vars: map[string]string{"HTTP_PROXY": at}, host: "https://api.test"},
		{why: "for both", vars: map[string]string{"ALL_PROXY": at}, host: "https://api.test", want: "ALL_PROXY"},
		{why: "the host is left out", vars: map[string]string{"HTTP_PROXY": at, "no_proxy": ".test"}, host: "http://api.test"},
		{why: "this machine never has one", vars: map[string]string{"HTTP_PROXY": at}, host: "http://127.0.0.1:8080"},
		{why: "nor has the embedded server", vars: map[string]string{"HTTP_PROXY": at}, host: plan.Embedded},
		{why: "a target on another host", vars: map[string]string{"HTTPS_PROXY": at}, host: "http://localhost", targets: []string{"/a", "https://b.test/"}, want: "HTTPS_PROXY"},
		{why: "what is no URL is no proxy", vars: map[string]string{"HTTP_PROXY": "http://\x7f"}, host: "http://api.test"},
	} {
		p := plan.Plan{Host: c.host}
		for _, u := range c.targets {
			p.Targets = append(p.Targets, plan.Target{Method: "GET", URL: u})
		}
		got := noteOfProxy(&p, func(name string) (string, bool) { v, ok := c.vars[name]; return v, ok })
		if name, _, _ := strings.Cut(got, " "); name != c.want || strings.Contains(got, "proxy:3128") {
			t.Errorf("%s: %q, want a note on %q", c.why, got, c.want)
		}
	}
}
