package scalableappbackend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// runner is a machine on which action.yml runs: the folders and files that GitHub's has, and its API on loopback.
type runner struct {
	dir     string // GITHUB_WORKSPACE
	temp    string // RUNNER_TEMP
	summary string // GITHUB_STEP_SUMMARY
	loadgen string
	api     *issueAPI
	event   map[string]string // expressions of github.
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "jq", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil || runtime.GOOS == "windows" {
			if os.Getenv("CI") == "true" && runtime.GOOS == "linux" {
				t.Fatalf("%s: %v", tool, err)
			}
			t.Skipf("the action's scripts want bash, curl, jq and xargs: %s: %v", tool, err)
		}
	}
	r := &runner{dir: t.TempDir(), temp: t.TempDir(), api: newIssueAPI(t), event: map[string]string{
		"github.token":                                  "the-token",
		"github.event.pull_request.number":              "7",
		"github.event.pull_request.head.repo.full_name": "owner/repo",
		"github.event.pull_request.base.sha || github.event.merge_group.base_sha || github.event.before": "",
	}}
	r.summary = filepath.Join(r.temp, "summary.md")
	return r
}

func (r *runner) environ(output string, more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LOADGEN_") || strings.HasPrefix(v, "LOCUST_") || strings.HasPrefix(v, "GITHUB_") || strings.HasPrefix(v, "RUNNER_")
	})
	root, _ := os.Getwd()
	return append(append(env, "GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+root, "GITHUB_WORKSPACE="+r.dir, "RUNNER_TEMP="+r.temp, "GITHUB_STEP_SUMMARY="+r.summary,
		"GITHUB_OUTPUT="+output, "GITHUB_REPOSITORY=owner/repo", "GITHUB_API_URL="+r.api.url, "GITHUB_SERVER_URL=https://example.test", "GITHUB_RUN_ID=42",
		"GITHUB_SHA="+strings.Repeat("ab", 20), "RUNNER_OS=Linux"), more...)
}

// step is a step of action.yml.
type step struct {
	name, id, condition, uses, run string
	env                            map[string]string
}

// steps reads action.yml, which is written so that this can.
func steps(t *testing.T) (all []step) {
	t.Helper()
	_, rest, ok := strings.Cut(workflows(t)["action.yml"], "\n  steps:\n")
	if !ok {
		t.Fatal("action.yml has no steps")
	}
	key := regexp.MustCompile(`^(    - |      |        )([\w-]+):(?: (.*))?$`)
	inEnv := false
	for line := range strings.Lines(rest) {
		m := key.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		if m[1] == "    - " {
			all = append(all, step{env: map[string]string{}})
		}
		s, value := &all[len(all)-1], strings.Trim(m[3], "'")
		if m[1] == "        " {
			if inEnv {
				s.env[m[2]] = value
			}
			continue
		}
		inEnv = m[2] == "env"
		switch m[2] {
		case "name":
			s.name = value
		case "id":
			s.id = value
		case "if":
			s.condition = value
		case "uses":
			s.uses = value
		case "run":
			s.run = value
		}
	}
	return all
}

// defaults are those of action.yml's inputs.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	section, _, _ := strings.Cut(workflows(t)["action.yml"], "\noutputs:\n")
	all, at := map[string]string{}, ""
	for line := range strings.Lines(section) {
		if m := regexp.MustCompile(`^  ([a-z-]+):\n$`).FindStringSubmatch(line); m != nil {
			at = m[1]
			all[at] = ""
		} else if value, ok := strings.CutPrefix(line, "    default: "); ok {
			all[at] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return all
}

var interpolated = regexp.MustCompile(`\$\{\{ (.*?) \}\}`)

// action runs action.yml with inputs, as the runner does: it returns the outputs of its steps by ID.NAME, the exit code, and
// all that was written. Steps that use other actions are left out; that they would run is what ran says.
func (r *runner) action(t *testing.T, inputs map[string]string) (outputs map[string]string, ran []string, code int, log string) {
	t.Helper()
	given := defaults(t)
	for name, value := range inputs {
		if _, known := given[name]; !known {
			t.Fatalf("action.yml has no input %s", name)
		}
		given[name] = value
	}
	outputs = map[string]string{}
	evaluate := func(text string) string {
		return interpolated.ReplaceAllStringFunc(text, func(e string) string {
			e = interpolated.FindStringSubmatch(e)[1]
			if name, ok := strings.CutPrefix(e, "inputs."); ok {
				return given[name]
			}
			if name, ok := strings.CutPrefix(e, "steps."); ok {
				return outputs[strings.Replace(name, ".outputs", "", 1)]
			}
			value, known := r.event[e]
			if !known {
				t.Errorf("an expression that this test does not know: %s", e)
			}
			return value
		})
	}
	for name, value := range given {
		given[name] = evaluate(value)
	}
	// holds is an if: of action.yml: terms of == and != joined by &&.
	holds := func(condition string) bool {
		for term := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(condition, "${{ "), " }}"), " && ") {
			if term == "!cancelled()" {
				continue
			}
			m := regexp.MustCompile(`^(\S+) (==|!=) '(.*)'$`).FindStringSubmatch(term)
			if m == nil {
				t.Fatalf("a condition that this test does not know: %s", term)
			}
			if (evaluate("${{ "+m[1]+" }}") == m[3]) != (m[2] == "==") {
				return false
			}
		}
		return true
	}
	var all strings.Builder
	for _, s := range steps(t) {
		if s.condition == "" && code != 0 || s.condition != "" && !holds(s.condition) {
			continue
		}
		ran = append(ran, s.name)
		if s.uses != "" {
			continue
		}
		output := filepath.Join(r.temp, "output")
		_ = os.Remove(output)
		var env []string
		for name, value := range s.env {
			env = append(env, name+"="+evaluate(value))
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.run) // as shell: bash is
		cmd.Dir, cmd.Env = r.dir, r.environ(output, env...)
		out, err := cmd.CombinedOutput()
		all.Write(out)
		if err != nil {
			code = cmd.ProcessState.ExitCode()
		}
		text, _ := os.ReadFile(output)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			outputs[s.id+"."+name] = value
		}
	}
	return outputs, ran, code, all.String()
}

func (r *runner) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// issueAPI is GitHub's API of the comments on an issue.
type issueAPI struct {
	url string

	mu       sync.Mutex
	comments []issueComment
	calls    []string
	refuse   int // status of every write, when not 0
	next     int
}

type issueComment struct {
	ID   int               `json:"id"`
	Body string            `json:"body"`
	User map[string]string `json:"user"`
}

func newIssueAPI(t *testing.T) *issueAPI {
	t.Helper()
	a := &issueAPI{next: 1000}
	server := httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *issueAPI) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	var sent issueComment
	_ = json.Unmarshal(body, &sent)
	say := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	const list, one = "/repos/owner/repo/issues/7/comments", "/repos/owner/repo/issues/comments/"
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, one))
	at := slices.IndexFunc(a.comments, func(c issueComment) bool { return c.ID == id })
	switch {
	case r.Header.Get("Authorization") != "Bearer the-token":
		say(http.StatusUnauthorized, "Bad credentials")
	case r.URL.Path == "/user": // the job's own token is no user's
		say(http.StatusForbidden, "Resource not accessible by integration")
	case r.Method == http.MethodGet && r.URL.Path == list:
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		from, to := min((page-1)*size, len(a.comments)), min(page*size, len(a.comments))
		say(http.StatusOK, append([]issueComment{}, a.comments[from:to]...))
	case a.refuse != 0:
		say(a.refuse, "no")
	case r.Method == http.MethodPost && r.URL.Path == list && sent.Body != "":
		a.next++
		a.comments = append(a.comments, issueComment{a.next, sent.Body, map[string]string{"login": "github-actions[bot]", "type": "Bot"}})
		say(http.StatusCreated, a.comments[len(a.comments)-1])
	case r.Method == http.MethodPatch && at >= 0 && sent.Body != "":
		a.comments[at].Body = sent.Body
		say(http.StatusOK, a.comments[at])
	case r.Method == http.MethodDelete && at >= 0:
		a.comments = slices.Delete(a.comments, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	default:
		say(http.StatusNotFound, "Not Found")
	}
}

// service answers, and from breaks on with 500 every other time.
func service(t *testing.T) (url string, breaks *atomic.Bool) {
	t.Helper()
	breaks = new(atomic.Bool)
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 && breaks.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, breaks
}

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

// repository is a service under git, in the runner's checkout: its base answers, and the change on it does not always.
func (r *runner) repository(t *testing.T) (base, change string) {
	t.Helper()
	git := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", r.dir, "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const service = `package main

import (
	"net/http"
	"os"
	"sync/atomic"
)

func main() {
	var n atomic.Int64
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if every > 0 && n.Add(1)%every == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})))
}
`
	git("init", "--quiet")
	write("go.mod", "module service\n\ngo 1.26\n")
	write("main.go", service)
	write("every.go", "package main\n\nvar every int64 = 0\n")
	git("add", ".")
	git("commit", "--quiet", "-m", "base")
	base = git("rev-parse", "HEAD")
	write("every.go", "package main\n\nvar every int64 = 2\n")
	git("commit", "--quiet", "-am", "change")
	return base, git("rev-parse", "HEAD")
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
