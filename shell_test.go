package scalableappbackend

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/server"
)

// document is a Markdown file; blocks are its command blocks and files, in order.
type document struct {
	path   string
	blocks []block
}

type block struct {
	at       string // file:line
	file     string // name, when it is a file
	text     string // of the file
	commands []command
}

type command struct {
	at    string
	typed string // as the test runs it
	shown string // "" when nothing is
}

func (b block) needsDocker() bool {
	return slices.ContainsFunc(b.commands, func(c command) bool { return strings.HasPrefix(c.typed, "docker ") })
}

func documentPaths(t *testing.T, patterns []string) (paths []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no such document (%v)", pattern, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

func readDocuments(t *testing.T) (all []document) {
	t.Helper()
	for _, path := range documentPaths(t, documents) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := document{path: filepath.ToSlash(path)}
		if d.blocks, err = parseBlocks(d.path, string(text)); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

var (
	fence      = regexp.MustCompile("^```(\\S*) ?(\\S*)$")
	testedWith = regexp.MustCompile(`^<!-- tested with: (.*) -->$`)
)

func parseBlocks(path, text string) (blocks []block, err error) {
	lines := strings.Split(text, "\n")
	replace := ""
	for i := 0; i < len(lines); i++ {
		if m := testedWith.FindStringSubmatch(lines[i]); m != nil {
			replace = m[1]
			continue
		}
		m := fence.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		b := block{at: fmt.Sprintf("%s:%d", path, i+1)}
		var content []string
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			content = append(content, lines[i])
		}
		if i == len(lines) {
			return nil, fmt.Errorf("%s: the block does not end", b.at)
		}
		switch kind, name := m[1], m[2]; {
		case kind == "console":
			if b.commands, err = parseCommands(b.at, content, replace); err != nil {
				return nil, err
			}
		case kind == "text" && name != "":
			b.file, b.text = name, strings.Join(content, "\n")+"\n"
		default:
			continue
		}
		replace = ""
		blocks = append(blocks, b)
	}
	if replace != "" {
		return nil, fmt.Errorf("%s: tested with %q, and no block follows", path, replace)
	}
	return blocks, nil
}

func parseCommands(at string, lines []string, replace string) (all []command, err error) {
	for i := 0; i < len(lines); i++ {
		typed, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			if len(all) == 0 {
				return nil, fmt.Errorf("%s: a console block begins with a command", at)
			}
			all[len(all)-1].shown += lines[i] + "\n"
			continue
		}
		for strings.HasSuffix(typed, `\`) && i+1 < len(lines) {
			i++
			typed = strings.TrimSuffix(typed, `\`) + strings.TrimSpace(lines[i])
		}
		all = append(all, command{at: at, typed: typed})
	}
	if replace == "" {
		return all, nil
	}
	for pair := range strings.SplitSeq(replace, "; ") {
		old, new, ok := strings.Cut(pair, " => ")
		found := false
		for i := range all {
			found = found || strings.Contains(all[i].typed, old)
			all[i].typed = strings.ReplaceAll(all[i].typed, old, new)
		}
		if !ok || !found {
			return nil, fmt.Errorf("%s: tested with %q: want OLD => NEW, with OLD in a command", at, pair)
		}
	}
	return all, nil
}

// shell is a folder in which commands are typed one after the other.
type shell struct {
	dir     string
	loadgen string // the program, built once
	target  string // what https://api.example.com stands for
}

const example = "https://api.example.com"

// buildCommand is how the README says that the program is built.
const buildCommand = "go build -o bin/ ./cmd/loadgen"

// setUp is how a reader comes to the program, in order: newShell has done as much, and the test of the README's first
// commands types it.
var setUp = []string{"git clone REPOSITORY loadgen", "cd loadgen", buildCommand, "export PATH=$PWD/bin:$PATH"}

// executable is the end of a program's name here.
var executable = map[string]string{"windows": ".exe"}[runtime.GOOS]

// builds is the folder of what is built for all tests; TestMain takes it away.
var builds = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "loadgen-docs-") })

// asBuilt is the program as the README says it is built.
var asBuilt = sync.OnceValues(func() (string, error) {
	dir, err := builds()
	if err != nil {
		return "", err
	}
	args := strings.Fields(buildCommand)
	args[slices.Index(args, "bin/")] = filepath.Join(dir, "bin") + string(filepath.Separator)
	return built(filepath.Join(dir, "bin", "loadgen"+executable), args)
})

// onCalmMachine is the test binary of the same program, which by its name is the program on a calm machine: a document must not
// be right or wrong by what else this one has to do.
var onCalmMachine = sync.OnceValues(func() (string, error) {
	dir, err := builds()
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "loadgen"+executable)
	return built(name, []string{"go", "test", "-c", "-o", name, "./cmd/loadgen"})
})

func built(name string, args []string) (string, error) {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%q: %w\n%s", args, err, out)
	}
	_, err := os.Stat(name)
	return name, err
}

func TestMain(m *testing.M) {
	// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	code := m.Run()
	if dir, err := builds(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func newShell(t *testing.T) *shell {
	t.Helper()
	if _, err := asBuilt(); err != nil {
		t.Fatal(err)
	}
	name, err := onCalmMachine()
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(server.New(server.Options{Instance: "docs"}))
	t.Cleanup(api.Close)
	return &shell{dir: t.TempDir(), loadgen: name, target: api.URL}
}

func (s *shell) run(t *testing.T, b block) {
	t.Helper()
	if b.file != "" {
		if err := os.WriteFile(filepath.Join(s.dir, b.file), []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range b.commands {
		if slices.Contains(setUp, c.typed) {
			continue
		}
		if strings.HasPrefix(c.typed, "go test ") {
			ci, err := os.ReadFile(".ci/run")
			if err != nil || !regexp.MustCompile(`(?m) `+regexp.QuoteMeta(c.typed)+`$`).Match(ci) {
				t.Errorf("%s: %s: want it to be a step of .ci/run (%v)", c.at, c.typed, err)
			}
			continue
		}
		argv, err := words(c.typed)
		if err != nil {
			t.Errorf("%s: %s: %v", c.at, c.typed, err)
			continue
		}
		out, code := s.exec(t, argv...)
		want := exitShown(c.shown)
		if code != want {
			t.Errorf("%s: %s: exit %d, want %d\n%s", c.at, c.typed, code, want, out)
		} else if c.shown != "" && !shows(c.shown, out) {
			t.Errorf("%s: %s: at or before %q this is not what the document shows:\n%s", c.at, c.typed, firstWrong(c.shown, out), out)
		}
	}
}

// exec runs a command of one of the programs that the documents use, and returns all that it wrote.
func (s *shell) exec(t *testing.T, argv ...string) (output string, code int) {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LOADGEN_") || strings.HasPrefix(v, "LOCUST_")
	})
	for len(argv) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(argv[0]) {
		env = append(env, strings.ReplaceAll(argv[0], example, s.target))
		argv = argv[1:]
	}
	switch {
	case len(argv) > 3 && slices.Equal(argv[:3], []string{"go", "run", "./cmd/loadgen"}):
		argv = slices.Concat([]string{s.loadgen}, argv[3:])
	case len(argv) > 0 && argv[0] == "loadgen":
		argv = slices.Concat([]string{s.loadgen}, argv[1:])
	case len(argv) > 0 && argv[0] == "docker":
	default:
		t.Fatalf("%q: want loadgen, go run ./cmd/loadgen or docker", argv)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], example, s.target)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = s.dir, env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%q: %v", argv, err)
	}
	return strings.ReplaceAll(string(out), s.target, example), cmd.ProcessState.ExitCode()
}

var exitLine = regexp.MustCompile(`(?m)^exit (\d+): `)

// exitShown is the exit code that a document shows.
func exitShown(shown string) (code int) {
	if m := exitLine.FindStringSubmatch(shown); m != nil {
		fmt.Sscan(m[1], &code)
	}
	return code
}

// figure is a number or the dash that stands for none, and a unit of time, which changes with its size. A length of
// time as it is typed is one, too: 3m, 1m12s.
var figure = regexp.MustCompile(`(?:\d[\d,.]*(?:(?:h|ms|m|s)\b|(?:h|m)\d+)*|–)(?: (?:µs|ms|s)\b)?`)

// shows reports whether output is what a document shows: the same words in the same order. Where lines are broken does
// not matter, because longer numbers break them elsewhere.
func shows(shown, output string) bool {
	return begins(strings.Fields(shown), strings.Fields(calm(output)), "$")
}

// begins reports whether words are what a document shows, or, with an empty end, begin so.
func begins(shown, words []string, end string) bool {
	pattern := figure.ReplaceAllString(strings.Join(shown, " "), "\x00")
	pattern = strings.ReplaceAll(regexp.QuoteMeta(pattern), "\x00", figure.String())
	// Dots between words may also stand for no word, and then for one of the spaces around them.
	pattern = strings.ReplaceAll(" "+pattern+" ", " … ", "(?: .*)? ")
	pattern = strings.ReplaceAll(pattern, "…", ".*")
	return regexp.MustCompile("^" + pattern + end).MatchString(" " + strings.Join(words, " ") + " ")
}

// firstWrong is the place in what a document shows from where on the output is another.
func firstWrong(shown, output string) string {
	words, got := strings.Fields(shown), strings.Fields(calm(output))
	n := sort.Search(len(words), func(n int) bool { return !begins(words[:n+1], got, "") })
	return strings.Join(words[max(0, n-6):min(n+3, len(words))], " ")
}

var (
	verdict = regexp.MustCompile(`(?m)^(?:VALID|SUSPECT)(   .*\n(?: {8,}.*\n)*)(?:.+\n)*`)
	gap     = regexp.MustCompile(`(?m)^The gap: .*\n(?:.+\n)*`)
)

// calm takes out of a report what a busy machine puts in: a run that lasts a second beside other tests may be SUSPECT,
// and say why.
func calm(report string) string {
	return gap.ReplaceAllString(verdict.ReplaceAllString(report, "VALID$1"), "")
}

// words splits a line as a shell does, quotes and all, and refuses what only a shell can do.
func words(line string) (all []string, err error) {
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				all = append(all, word.String())
			}
			word.Reset()
			inWord = false
		case strings.ContainsRune("|&;<>$`*?~#", r):
			return nil, fmt.Errorf("%q outside quotes needs a shell", r)
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote is open")
	}
	if inWord {
		all = append(all, word.String())
	}
	return all, nil
}
