package scalableappbackend

import (
	"encoding/json"
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
