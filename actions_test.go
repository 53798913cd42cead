package scalableappbackend

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// writes are the permissions to write that a job of a workflow may have, and why. All others read.
var writes = map[string]string{
	"benchmark.yml gate pull-requests":  "one comment",
	"image.yml push id-token":           "asks for the role that pushes",
	"deploy.yml plan id-token":          "asks for the role that plans",
	"deploy.yml images id-token":        "hands it to image.yml",
	"deploy.yml apply id-token":         "asks for the role that applies",
	"release.yml programs id-token":     "signs where it was built",
	"release.yml programs attestations": "keeps that",
	"release.yml images id-token":       "signs where it was built",
	"release.yml images attestations":   "keeps that",
	"release.yml images packages":       "pushes images",
	"release.yml publish contents":      "makes the release",
}

var (
	usesLine   = regexp.MustCompile(`^\s*(?:- )?uses:\s*(.*)$`)
	pinned     = regexp.MustCompile(`^([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)
	runLine    = regexp.MustCompile(`^(\s*(?:- )?)run:`)
	jobLine    = regexp.MustCompile(`^  ([\w-]+):$`)
	permission = regexp.MustCompile(`^      ([\w-]+): (read|write)(?: #.*)?$`)
	scriptName = regexp.MustCompile(`\.github/scripts/[\w-]+\.sh`)
)

// faults is what is wrong with a workflow, or with an action: a line each. pins has each action's commit so far.
func faults(path, text string, pins map[string]string) (all []string) {
	fault := func(line int, format string, args ...any) {
		all = append(all, fmt.Sprintf("%s:%d: ", path, line+1)+fmt.Sprintf(format, args...))
	}
	lines := strings.Split(text, "\n")
	shell := -1 // the column of the run: that a line belongs to
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if shell >= 0 && strings.TrimSpace(line) != "" && indent <= shell {
			shell = -1
		}
		if m := usesLine.FindStringSubmatch(line); m != nil {
			switch p := pinned.FindStringSubmatch(m[1]); {
			case strings.HasPrefix(m[1], "./"):
				if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
					fault(i, "%s is not there", m[1])
				}
			case p == nil:
				fault(i, "%s: want a commit of 40 digits, and its version behind # ", m[1])
			case pins[p[1]] != "" && pins[p[1]] != p[2]:
				fault(i, "%s is pinned to %s elsewhere", p[1], pins[p[1]])
			default:
				pins[p[1]] = p[2]
			}
		}
		if m := runLine.FindStringSubmatch(line); m != nil {
			shell = len(m[1])
		}
		if shell >= 0 && strings.Contains(line, "${{") {
			fault(i, "an expression in a shell's command is a way in for whoever names a branch: hand it over in env")
		}
		if strings.Contains(line, "pull_request_target") || strings.Contains(line, "secrets.") || strings.Contains(line, "secrets:") {
			fault(i, "keys are not stored, and strangers' code gets none")
		}
	}
	for _, name := range scriptName.FindAllString(text, -1) {
		if info, err := os.Stat(filepath.FromSlash(name)); err != nil || info.Mode()&0o100 == 0 && filepath.Separator == '/' {
			fault(0, "%s: want a script that may be executed (%v)", name, err)
		}
	}
	if filepath.Base(path) == "action.yml" {
		return all
	}
	if !strings.Contains(text, "\npermissions: {}\n") {
		fault(0, "want permissions: {} for all, and each job's own")
	}
	if !strings.Contains(text, "\nconcurrency:\n") {
		fault(0, "want concurrency")
	}
	_, jobs, _ := strings.Cut(text, "\njobs:\n")
	at := ""
	has := map[string]bool{}
	end := func() {
		for _, want := range []string{"permissions:", "timeout-minutes:"} {
			if at != "" && !has[want] && !(want == "timeout-minutes:" && has["uses:"]) {
				fault(0, "job %s: want %s", at, want)
			}
		}
	}
	for line := range strings.SplitSeq(jobs, "\n") {
		if m := jobLine.FindStringSubmatch(line); m != nil {
			end()
			at, has = m[1], map[string]bool{}
		}
		if word, _, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "     ") {
			has[word+":"] = true
		}
		if m := permission.FindStringSubmatch(line); m != nil && m[2] == "write" && writes[filepath.Base(path)+" "+at+" "+m[1]] == "" {
			fault(0, "job %s may write %s, which the table of this test does not have", at, m[1])
		}
	}
	end()
	return all
}

func workflows(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range documentPaths(t, []string{".github/workflows/*.yml", "action.yml"}) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.ToSlash(path)] = string(text)
	}
	return all
}

func TestWorkflowsArePinnedLeastPrivilegedAndHandNothingToAShell(t *testing.T) {
	pins := map[string]string{}
	var all strings.Builder
	for path, text := range workflows(t) {
		for _, f := range faults(path, text, pins) {
			t.Error(f)
		}
		all.WriteString(text)
	}
	if len(pins) < 5 {
		t.Errorf("only %v are pinned: are they read at all?", pins)
	}
	scripts, err := filepath.Glob(".github/scripts/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, s := range scripts {
		if !strings.Contains(all.String(), filepath.ToSlash(s)) {
			t.Errorf("%s: no workflow runs it", s)
		}
	}
}

// The test above passes on a clean tree; this one shows that it would not on another.
func TestFaultsOfWorkflowsAreSeen(t *testing.T) {
	const head, job = "on: push\npermissions: {}\nconcurrency:\n  group: g\njobs:\n", "  a:\n    timeout-minutes: 1\n    permissions:\n      contents: read\n    steps:\n"
	sha := strings.Repeat("0a", 20)
	for _, row := range []struct{ text, want, why string }{
		{head + job + "      - uses: actions/checkout@v6\n", "want a commit", "a tag moves"},
		{head + job + "      - uses: actions/checkout@" + sha[:12] + " # v6.0.0\n", "want a commit", "a short one may be another's"},
		{head + job + "      - uses: actions/checkout@" + sha + "\n", "want a commit", "nobody reads what a commit is"},
		{head + job + "      - uses: a/b@" + sha + " # v1.0.0\n      - uses: a/b@" + strings.Repeat("1", 40) + " # v1.0.0\n", "elsewhere", "one of them is old"},
		{head + job + "      - uses: ./nowhere\n", "not there", "a path"},
		{head + job + "      - run: echo ${{ github.event.pull_request.title }}\n", "way in", "a title is a stranger's"},
		{head + job + "      - run: |\n          set -e\n\n          echo ${{ inputs.name }}\n        env:\n", "way in", "deep in a block"},
		{head + job + "      - run: .github/scripts/nowhere.sh\n", "may be executed", "a script that is not there"},
		{head + job + "      - run: x\n        env:\n          KEY: ${{ secrets.AWS_KEY }}\n", "keys are not stored", "a stored key"},
		{strings.Replace(head, "push", "pull_request_target", 1) + job, "keys are not stored", "strangers' code with a token"},
		{strings.Replace(head, "permissions: {}\n", "", 1) + job, "permissions: {}", "everything by default"},
		{strings.Replace(head, "concurrency:\n  group: g\n", "", 1) + job, "want concurrency", "two at once"},
		{head + strings.Replace(job, "    timeout-minutes: 1\n", "", 1), "job a: want timeout-minutes", "six hours by default"},
		{head + strings.Replace(job, "    permissions:\n      contents: read\n", "", 1), "job a: want permissions", "which are needed is not said"},
		{head + strings.Replace(job, "contents: read", "contents: write", 1), "may write contents", "more than is needed"},
	} {
		if found := strings.Join(faults("x.yml", row.text, map[string]string{}), "\n"); !strings.Contains(found, row.want) {
			t.Errorf("%s: found %q, want %q in\n%s", row.why, found, row.want, row.text)
		}
	}
	if found := faults("x.yml", head+job+"      - uses: a/b@"+sha+" # v1.0.0\n      - run: echo \"$NAME\"\n        env:\n          NAME: ${{ github.head_ref }}\n", map[string]string{}); found != nil {
		t.Errorf("nothing is wrong, found %q", found)
	}
}

var actionKey = regexp.MustCompile(`(?m)^  ([a-z-]+):$`)

// actionKeys are the names below inputs: or outputs: of action.yml.
func actionKeys(t *testing.T, section string) (names []string) {
	t.Helper()
	_, rest, ok := strings.Cut(workflows(t)["action.yml"], "\n"+section+":\n")
	if !ok {
		t.Fatalf("action.yml has no %s", section)
	}
	if end := regexp.MustCompile(`(?m)^\S`).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	for _, m := range actionKey.FindAllStringSubmatch(rest, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestThePageOnCINamesEachInputAndOutputOfTheAction(t *testing.T) {
	page, err := os.ReadFile("docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, _, _ := strings.Cut(string(page), "\n## The workflows of this repository\n")
	action := workflows(t)["action.yml"]
	inputs := actionKeys(t, "inputs")
	for _, name := range slices.Concat(inputs, actionKeys(t, "outputs")) {
		if !strings.Contains(tables, "\n| `"+name+"` |") {
			t.Errorf("docs/ci.md has no row for %s", name)
		}
	}
	for _, name := range inputs {
		if !strings.Contains(action, "inputs."+name+" ") {
			t.Errorf("action.yml: nothing uses the input %s", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(tables, -1) {
		if !slices.Contains(slices.Concat(inputs, actionKeys(t, "outputs")), m[1]) {
			t.Errorf("docs/ci.md has a row for %s, which action.yml does not have", m[1])
		}
	}
}
