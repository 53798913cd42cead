package scalableappbackend

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTheActionGatesAPullRequest(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program and runs it for seconds")
	}
	r := newRunner(t)
	loadgen := newShell(t).loadgen
	host, breaks := service(t)
	kept := filepath.Join(r.temp, "kept")
	inputs := func(more ...string) map[string]string {
		all := map[string]string{"loadgen": loadgen, "host": host, "baseline": kept, "runs": "2", "args": "--rate 100 -t 1s", "fail-on": "error_rate>5pp\n\nrps<-50%"}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}

	// The first run of all has nothing to be compared with; it passes, and its result is the baseline from then on.
	got, ran, code, log := r.action(t, inputs("runs", "1"))
	if code != 0 || got["gate.verdict"] != "none" || !strings.Contains(log, "::warning title=loadgen::baseline: no folder "+kept) {
		t.Fatalf("without a baseline: exit %d, %v\n%s", code, got, log)
	}
	if want := []string{"Build loadgen", "Run and compare", "Upload the results", "Comment on the pull request", "Decide"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
	for _, text := range []string{r.read(t, r.summary), r.read(t, got["gate.report"]), r.api.comments[0].Body} {
		for _, want := range []string{"### Performance: measured, not compared", "There is no baseline yet", "<sub>loadgen", "[the run, with its results](https://example.test/owner/repo/actions/runs/42)"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
	for _, name := range []string{"1", "2"} {
		if err := os.MkdirAll(kept, 0o755); err != nil {
			t.Fatal(err)
		}
		if name == "1" {
			if err := os.Rename(got["gate.result"], filepath.Join(kept, name)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, _, _, _ = r.action(t, inputs("baseline", "", "runs", "1"))
		if err := os.Rename(got["gate.result"], filepath.Join(kept, name)); err != nil {
			t.Fatal(err)
		}
	}

	// The same build passes.
	got, _, code, log = r.action(t, inputs())
	if code != 0 || got["gate.code"] != "0" || got["gate.verdict"] == "worse" || got["gate.verdict"] == "none" {
		t.Fatalf("the same: exit %d, %v\n%s", code, got, log)
	}
	if n := len(r.api.comments); n != 1 || !strings.Contains(r.api.comments[0].Body, "base: 2 kept runs") || !strings.HasPrefix(r.api.comments[0].Body, "<!-- loadgen: loadgen -->\n### ") {
		t.Errorf("%d comments, the last: %s", n, r.api.comments[n-1].Body)
	}

	// So it does against what loadgen baseline keeps.
	folder := filepath.Join(r.temp, "baselines")
	if out, err := exec.CommandContext(t.Context(), loadgen, "baseline", "save", filepath.Join(kept, "1"), "--dir", folder, "--name", "gate", "--commit", "abc").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, _, code, log = r.action(t, inputs("baseline", folder, "runs", "1")); code != 0 || got["gate.verdict"] == "none" || !strings.Contains(r.api.comments[0].Body, "base: 1 kept run ") {
		t.Errorf("against a kept baseline: exit %d, %v\n%s", code, got, log)
	}

	// A worse one fails, with the results kept and the one comment changed.
	breaks.Store(true)
	got, ran, code, log = r.action(t, inputs())
	if code != 98 || got["gate.code"] != "98" || got["gate.verdict"] != "worse" || !strings.Contains(log, "::error title=loadgen::regression") {
		t.Fatalf("worse: exit %d, %v\n%s", code, got, log)
	}
	if _, err := os.Stat(filepath.Join(got["gate.result"], "2", "result.json")); err != nil || !slices.Contains(ran, "Upload the results") {
		t.Errorf("the second run is not kept: %v, %v", err, ran)
	}
	body := r.api.comments[0].Body
	if len(r.api.comments) != 1 || !strings.Contains(body, "**New is worse, and the check fails**: failed requests rose by **") || !strings.Contains(body, "exit code 98") {
		t.Errorf("%d comments: %s", len(r.api.comments), body)
	}
	if !strings.Contains(r.read(t, r.summary), "### ❌ Performance: worse") {
		t.Error("the summary does not say it")
	}

	// A fork's change is judged the same, and nobody is asked to write.
	r.event["github.event.pull_request.head.repo.full_name"] = "stranger/repo"
	before := len(r.api.calls)
	if _, _, code, log = r.action(t, inputs()); code != 98 || len(r.api.calls) != before || !strings.Contains(log, "::notice title=loadgen::a change from a fork") {
		t.Errorf("a fork: exit %d, %d calls\n%s", code, len(r.api.calls)-before, log)
	}
	r.event["github.event.pull_request.head.repo.full_name"] = "owner/repo"

	// A threshold of the run itself comes before the comparison, as the exit codes say, and both are shown.
	if got, _, code, log = r.action(t, inputs("args", "--rate 100 -t 1s --threshold 'error_rate<1%'")); code != 99 || got["gate.verdict"] != "worse" {
		t.Errorf("a threshold: exit %d, %v\n%s", code, got, log)
	}

	// Without a pull request there is nothing to comment on.
	r.event["github.event.pull_request.number"] = ""
	before = len(r.api.calls)
	if _, _, code, _ = r.action(t, inputs("baseline", "")); code != 0 || len(r.api.calls) != before {
		t.Errorf("without a pull request: exit %d, %d calls", code, len(r.api.calls)-before)
	}
}

// Three lines: build and start, and what the pull request is based on comes from the event.
func TestTheActionBuildsBaseAndChangeAndRunsThemByTurns(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds three programs and runs them for seconds")
	}
	r := newRunner(t)
	loadgen := newShell(t).loadgen
	base, change := r.repository(t)
	const event = "github.event.pull_request.base.sha || github.event.merge_group.base_sha || github.event.before"
	inputs := func(more ...string) map[string]string {
		all := map[string]string{"loadgen": loadgen, "build": "go build -o 'the server' .", "start": `"./the server" "$PORT"`,
			"args": "--rate 100 -t 2s --block 200ms", "fail-on": "error_rate>5pp"}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}

	r.event[event] = base
	got, ran, code, log := r.action(t, inputs())
	if code != 98 || got["gate.verdict"] != "worse" {
		t.Fatalf("exit %d, %v\n%s", code, got, log)
	}
	for _, name := range []string{"compare.json", "base/result.json", "new/result.json"} {
		if _, err := os.Stat(filepath.Join(got["gate.result"], name)); err != nil || !slices.Contains(ran, "Upload the results") {
			t.Errorf("%v, ran %v", err, ran)
		}
	}
	if body := r.api.comments[0].Body; !strings.Contains(body, "**New is worse, and the check fails**: failed requests rose by **") || !strings.Contains(body, "base: "+base[:12]) || !strings.Contains(body, "both programs started 5 times") {
		t.Errorf("the comment is\n%s", body)
	}

	// A change against itself, on a machine on which the last run left its checkout of the base.
	r.event[event] = change
	if got, _, code, log = r.action(t, inputs()); code != 0 || got["gate.verdict"] == "worse" || got["gate.verdict"] == "none" {
		t.Errorf("against itself: exit %d, %v\n%s", code, got, log)
	}

	for _, row := range []struct {
		why, ref string
		more     []string
		code     int
		want     string
	}{
		{"a branch's first push", strings.Repeat("0", 40), nil, 2, "base-ref: this event names no commit"},
		{"no event with a base", "", nil, 2, "base-ref: this event names no commit"},
		{"a commit that nobody has", strings.Repeat("1", 40), nil, 2, "is not in this checkout and cannot be fetched"},
		{"an option", "--upload-pack=touch pwned", nil, 2, "base-ref: this event names no commit"},
		{"a build that fails", base, []string{"build", "echo went wrong; false; echo and on"}, 1, "The build of base failed:"},
		{"a folder that is not there", base, []string{"directory", "nowhere"}, 2, "directory: nowhere is not in the checkout of base"},
		{"a service that ends at once", base, []string{"start", "echo no >&2; exit 3"}, 2, "exit status 3"},
	} {
		r.event[event] = row.ref
		_ = os.Remove(r.summary)
		_, _, code, log := r.action(t, inputs(row.more...))
		if summary := r.read(t, r.summary); code != row.code || !strings.Contains(summary, row.want) || strings.Contains(log, "\nand on\n") {
			t.Errorf("%s: exit %d, want %d and %q in the summary:\n%s\n%s", row.why, code, row.code, row.want, summary, log)
		}
		if found, _ := filepath.Glob(filepath.Join(r.dir, "pwned*")); found != nil {
			t.Fatalf("%s: an input was run", row.why)
		}
	}
}

// What cannot be used, and what came to nothing, is said where people look, and nothing that an input holds is run.
func TestTheActionSaysWhatItCannotUse(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	fake := filepath.Join(r.temp, "fake")
	for path, text := range map[string]string{
		fake:                                  "#!/usr/bin/env bash\ncase $1 in version) exit 0 ;; esac\nprintf 'loadgen: saw <%s>\\n' \"$@\"\necho 'exit 96: generator unhealthy' >&2\nexit 96\n",
		filepath.Join(r.dir, "empty", "note"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil { // #nosec: it is a program
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		why    string
		inputs map[string]string
		code   int
		want   string
	}{
		{"nothing is asked", nil, 2, "want start, a command that serves a checkout, or host"},
		{"an open quote", map[string]string{"host": "http://h", "args": "--header 'K: V"}, 2, "args: want words of a command line"},
		{"the result is the action's", map[string]string{"host": "http://h", "args": "-o here"}, 2, "args: -o: the action keeps the result itself"},
		{"no run", map[string]string{"host": "http://h", "runs": "0"}, 2, "runs: want a number from 1 to 99"},
		{"neither", map[string]string{"host": "http://h", "strict": "yes"}, 2, "strict: want true or false"},
		{"two ways", map[string]string{"host": "http://h", "start": "x"}, 2, "start: the action starts the service itself"},
		{"a folder without results", map[string]string{"host": "http://h", "baseline": "empty"}, 2, "baseline: empty holds no result"},
		{"the generator was too slow", map[string]string{"host": "http://h"}, 96, "exit 96: generator unhealthy"},
		{"a command in an address", map[string]string{"host": "http://$(touch pwned)`touch pwned`;touch pwned"}, 96, "saw <http://$(touch pwned)"},
		{"a command in arguments", map[string]string{"host": "http://h", "args": "--header 'K: $(touch pwned)' ; touch pwned"}, 96, "saw <K: $(touch pwned)>"},
		{"lines in a value", map[string]string{"host": "http://h\ncode=0"}, 96, "saw <http://h"},
	} {
		if row.inputs == nil {
			row.inputs = map[string]string{}
		}
		row.inputs["loadgen"] = fake
		_ = os.Remove(r.summary)
		got, ran, code, log := r.action(t, row.inputs)
		if code != row.code || got["gate.code"] != strconv.Itoa(row.code) || !strings.Contains(log, row.want) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", row.why, code, row.code, row.want, log)
		}
		summary := r.read(t, r.summary)
		if plain := strings.ReplaceAll(row.want, "`", ""); !strings.Contains(summary, "### ⚠️ Performance: not measured") || !strings.Contains(summary, plain) {
			t.Errorf("%s: the summary does not say so:\n%s", row.why, summary)
		}
		if busy := strings.Contains(summary, "The runner was too busy to generate the load"); busy != (row.code == 96) {
			t.Errorf("%s: says that the runner was too busy: %v", row.why, busy)
		}
		if !slices.Contains(ran, "Comment on the pull request") {
			t.Errorf("%s: no comment", row.why)
		}
		if found, _ := filepath.Glob(filepath.Join(r.dir, "pwned*")); found != nil {
			t.Fatalf("%s: an input was run", row.why)
		}
	}
	if _, _, code, log := r.action(t, map[string]string{"loadgen": fake, "host": "http://h", "name": "../x"}); code != 2 && code != 1 || !strings.Contains(log, "name: want letters") {
		t.Errorf("a name that is a path: exit %d\n%s", code, log)
	}
	if _, ran, code, log := r.action(t, map[string]string{"loadgen": "/nowhere", "host": "http://h"}); code != 1 || !strings.Contains(log, "/nowhere: does not run") || !slices.Contains(ran, "Decide") {
		t.Errorf("no program: exit %d, ran %v\n%s", code, ran, log)
	}
}

// comment runs comment.sh with a report, and returns what it said. It never fails.
func (r *runner) comment(t *testing.T, report, name string, more ...string) string {
	t.Helper()
	file := filepath.Join(r.temp, "report.md")
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), ".github/scripts/comment.sh")
	cmd.Env = r.environ(filepath.Join(r.temp, "output"), append([]string{"REPORT=" + file, "NAME=" + name, "TOKEN=the-token", "PULL_REQUEST=7", "HEAD_REPOSITORY=owner/repo"}, more...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

func TestThereIsOneCommentForEachGateAndItIsUpdated(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	person := func(login string) map[string]string { return map[string]string{"login": login, "type": "User"} }
	for i := range 150 { // ours will be on the second page
		r.api.comments = append(r.api.comments, issueComment{i, fmt.Sprintf("talk %d", i), person("somebody")})
	}
	r.api.comments[3].Body = "<!-- loadgen: gate -->\nquoted by a stranger"
	hostile := "a \"quote\", a \\ and $(touch pwned) `code`\n\ttab ü ❌\n"
	if said := r.comment(t, hostile, "gate"); said != "" {
		t.Errorf("says %s", said)
	}
	if last := r.api.comments[len(r.api.comments)-1]; len(r.api.comments) != 151 || last.Body != "<!-- loadgen: gate -->\n"+hostile {
		t.Fatalf("%d comments, the last %q", len(r.api.comments), last.Body)
	}
	r.comment(t, "second", "gate")
	r.comment(t, "another gate", "other")
	r.comment(t, "third", "gate")
	bodies := []string{}
	for _, c := range r.api.comments[150:] {
		bodies = append(bodies, c.Body)
	}
	if want := []string{"<!-- loadgen: gate -->\nthird", "<!-- loadgen: other -->\nanother gate"}; !slices.Equal(bodies, want) {
		t.Errorf("comments are %q, want %q", bodies, want)
	}
	if r.api.comments[3].Body != "<!-- loadgen: gate -->\nquoted by a stranger" {
		t.Error("a stranger's comment was changed")
	}

	// Two jobs at once made two: one is left.
	r.api.comments = append(r.api.comments, issueComment{9000, "<!-- loadgen: gate -->\nthe same", map[string]string{"type": "Bot"}})
	r.comment(t, "fourth", "gate")
	if len(r.api.comments) != 152 || r.api.comments[150].Body != "<!-- loadgen: gate -->\nfourth" {
		t.Errorf("%d comments, ours %q", len(r.api.comments), r.api.comments[150].Body)
	}

	// GitHub refuses a comment of more than 65,536 characters.
	r.comment(t, "<details>"+strings.Repeat("ü", 70000), "gate")
	if body := []rune(r.api.comments[150].Body); len(body) > 65536 || !strings.HasSuffix(string(body), "</details>\n\nThe rest is in the summary of this job.\n") {
		t.Errorf("%d characters, ending %q", len(body), string(body[len(body)-80:]))
	}
}

func TestAGateThatMayNotCommentSaysSoAndDoesNotFail(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.api.refuse = http.StatusForbidden
	for _, row := range []struct{ why, set, want string }{
		{"no permission", "", "::warning title=loadgen::no comment: the token may not write comments (403): give the job permissions: pull-requests: write; the report is in the summary"},
		{"a fork", "HEAD_REPOSITORY=stranger/repo", "::notice title=loadgen::a change from a fork has no token"},
		{"a fork that is gone", "HEAD_REPOSITORY=", "::notice title=loadgen::a change from a fork"},
		{"no pull request", "PULL_REQUEST=", ""},
		{"no number", "PULL_REQUEST=7/../8", "is no number"},
		{"no token", "TOKEN=", "the token is empty"},
		{"a stale token", "TOKEN=old", "the token is not accepted (401)"},
		{"no API", "GITHUB_API_URL=http://127.0.0.1:1", "does not answer"},
	} {
		said := r.comment(t, "report", "gate", row.set)
		if !strings.Contains(said, row.want) || row.want == "" && said != "" || strings.Contains(said, "the-token") {
			t.Errorf("%s: says %q, want %q", row.why, said, row.want)
		}
	}
	if len(r.api.comments) != 0 {
		t.Errorf("wrote %v", r.api.comments)
	}
}
