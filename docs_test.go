package scalableappbackend

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/gate"
)

// Every ```console block of these documents is run, command by command, as it stands there:
//
//   - `$ command` is typed; a trailing \ continues it. What follows it up to the next one is what
//     it shows, stdout and stderr together; when nothing follows, what it shows is not looked at.
//   - What is shown is compared word by word; … is any text, and a number is any number, because no two runs
//     measure the same.
//   - A command succeeds, unless what is shown has a line "exit N: …".
//   - A ```text NAME block is a file, for the commands below it.
//   - A run that is too long for a test is shortened by a comment above the block,
//     <!-- tested with: OLD => NEW; … -->, which replaces text in its commands.
//   - https://api.example.com is a server of the test's own. Blocks that need Docker are run under the tag e2e.
var documents = []string{"README.md", "docs/*.md"}

func TestCommandsInTheDocumentsDoWhatTheyShow(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program twice and runs every command")
	}
	t.Parallel()
	for _, d := range readDocuments(t) {
		if len(d.blocks) == 0 {
			continue
		}
		t.Run(d.path, func(t *testing.T) {
			t.Parallel() // mostly they wait for seconds to pass
			s := newShell(t)
			for _, b := range d.blocks {
				if !b.needsDocker() {
					s.run(t, b)
				}
			}
		})
	}
}

// The README may be read by people who have a minute.
func TestReadmeIsShort(t *testing.T) {
	for path, limit := range map[string]int{"README.md": 200, "CONTRIBUTING.md": 40} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > limit {
			t.Errorf("%s has %d lines, want at most %d", path, n, limit)
		}
	}
}

var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// A path of ours in back quotes: it has a slash or an extension, and nothing that only a pattern or an example has.
	quotedPath = regexp.MustCompile("`((?:cmd|docs|e2e|internal|loadgen|server|\\.ci|\\.github)/[\\w./-]+|[\\w-]+\\.(?:go|md|mod))`")
	schema     = regexp.MustCompile(`/v\d+$`) // a name such as loadgen/result/v1 is no path
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

func TestDocumentsPointAtWhatExists(t *testing.T) {
	anchors := func(path string) (all []string) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
			name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
			all = append(all, strings.ReplaceAll(name, " ", "-"))
		}
		return all
	}
	for _, path := range documentPaths(t, append(documents, "CONTRIBUTING.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") {
				continue // somewhere else
			}
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(to))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: no such file", path, m[1])
			} else if anchor != "" && !slices.Contains(anchors(target), anchor) {
				t.Errorf("%s: link to %s: no such heading", path, m[1])
			}
		}
		for _, m := range quotedPath.FindAllStringSubmatch(string(text), -1) {
			if schema.MatchString(m[1]) {
				continue
			}
			if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", path, m[1])
			}
		}
	}
}

// A flag or a variable that a document mentions in passing must exist as well; those in command blocks are run.
func TestFlagsNamedInTheDocumentsExist(t *testing.T) {
	t.Parallel()
	name, err := asBuilt()
	if err != nil {
		t.Fatal(err)
	}
	var help strings.Builder
	for _, command := range []string{"run", "bench", "lab", "simulate", "watch", "report", "merge", "compare", "baseline", "fargate run", "fargate plan", "fargate collect", "dashboard", "version", "completion"} {
		out, err := exec.CommandContext(t.Context(), name, append(strings.Fields(command), "--help")...).CombinedOutput()
		if err != nil {
			t.Fatalf("loadgen %s --help: %v\n%s", command, err, out)
		}
		help.Write(out)
	}
	exists := func(flag string) bool {
		return regexp.MustCompile(`(^|[\s,])` + flag + `([\s,=]|$)`).MatchString(help.String())
	}
	flag, variable := regexp.MustCompile("`(--?[a-z][a-z-]*)[ `=]"), regexp.MustCompile(`\bLOADGEN_([A-Z_]+)`)
	for _, path := range documentPaths(t, documents) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var foreign []string
		for _, m := range flag.FindAllStringSubmatch(string(text), -1) {
			switch {
			case exists(m[1]):
			case filepath.Base(path) == "from-locust.md": // which names Locust's, too
				foreign = append(foreign, m[1])
			case filepath.Base(path) == "containers.md" && slices.Contains([]string{"-v", "--user", "--read-only", "--network", "--cpus"}, m[1]): // Docker's
			default:
				t.Errorf("%s names the flag %s, which no command's help has", path, m[1])
			}
		}
		if len(foreign) > 0 {
			typed := []string{"run", "--seed", "none"} // none, so that nothing starts
			for _, f := range foreign {
				typed = append(typed, f, "1")
			}
			out, _ := exec.CommandContext(t.Context(), name, typed...).CombinedOutput()
			for _, f := range foreign {
				if !strings.Contains(string(out), ": "+f+": ") {
					t.Errorf("%s names the flag %s, to which the program has no answer", path, f)
				}
			}
		}
		for _, m := range variable.FindAllStringSubmatch(string(text), -1) {
			name := "--" + strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
			one := strings.TrimSuffix(name, "s") // of a repeatable flag, in the plural
			if stem, ok := strings.CutSuffix(name, "ies"); ok {
				one = stem + "y"
			}
			if !exists(name) && !exists(one) {
				t.Errorf("%s names the variable %s, and no command has the flag %s", path, m[0], name)
			}
		}
	}
}

func TestThresholdsNamedInTheReadmeAreThresholds(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("`((?:\\{[^}`]*\\}:)?[a-z_.]+(?:\\([^)`]*\\))?(?:[<>]=?|==)[^`]+)`").FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Fatal("README.md shows none")
	}
	for _, m := range found {
		if _, err := gate.Parse(m[1]); err != nil {
			t.Errorf("README.md shows the threshold %s: %v", m[1], err)
		}
	}
}

func TestReadmeNamesTheExitCodesAsTheyAre(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \|`).FindAllStringSubmatch(string(text), -1)
	if len(rows) == 0 {
		t.Fatal("README.md has no table of exit codes")
	}
	for _, row := range rows {
		n, _ := strconv.Atoi(row[1]) // digits
		if got := exit.Code(n).String(); got != row[2] {
			t.Errorf("README.md calls exit code %d %q, the program %q", n, row[2], got)
		}
	}
}

func TestWhatABlockShowsIsCompared(t *testing.T) {
	const got = `loadgen: starting
SUSPECT   2 users for 2s
          1,234 requests
The numbers are usable:
  - lag p99 12 ms

GET /      1,234 requests  p99 2.1 ms
GET /health  99 requests  p99 12.5 ms
The gap: corrected is 29 ms,
because it was late.

generator  lag p99 0.2 ms, 5 % of
           2 CPUs
`
	for _, c := range []struct {
		why   string
		shown string
		want  bool
	}{
		{"everything, with other numbers, units, gaps and breaks, and without what a busy machine adds",
			"loadgen: starting\nVALID 9 users for 1m12s 7 requests\nGET / 7 requests p99 1 s\nGET /health 8 requests p99 –\n" +
				"generator lag p99 1 ms,\n5 % of 16 CPUs", true},
		{"dots are any text, at the beginning, in between and at the end", "…\nVALID …\nGET /health 8 requests p99 3 ms\n…", true},
		{"dots may be no text", "…\nloadgen: starting\n…\nVALID\n…", true},
		{"dots within a word", "…\nGET /heal… 8 …", true},
		{"another word", "…\nINVALID\n…", false},
		{"a part of a word", "…\ngen lag …", false},
		{"another unit", "…\nGET / 7 requests p99 1 MB …", false},
		{"the end is missing", "…\nVALID", false},
		{"a line is missing in between", "…\nGET / 7 requests p99 1 s\ngenerator …", false},
		{"another order", "…\nGET /health 8 …\nVALID\n…", false},
		{"a word where a number is", "…\nGET / many requests …", false},
		{"a number where a word is", "…\nGET / 7 8 …", false},
	} {
		if shows(c.shown, got) != c.want {
			t.Errorf("%s: got %v", c.why, !c.want)
		}
	}
	if got, want := firstWrong("loadgen: starting\nVALID 9 users for 1m12s 7 requests\nGET / 7 failures p99 1 s", got), "1m12s 7 requests GET / 7 failures p99 1"; got != want {
		t.Errorf("the place is %q, want %q", got, want)
	}
	if got := exitShown("…\nexit 99: threshold failed\n"); got != 99 {
		t.Errorf("exit %d, want 99", got)
	}
}

func TestShellWordsAreThoseOfAShell(t *testing.T) {
	for line, want := range map[string][]string{
		`loadgen run -H http://x`:                {"loadgen", "run", "-H", "http://x"},
		`A=1 B='x y' loadgen`:                    {"A=1", "B=x y", "loadgen"},
		`--threshold 'p(99)<50ms' "a b"c`:        {"--threshold", "p(99)<50ms", "a bc"},
		"  two \t gaps  ":                        {"two", "gaps"},
		`empty '' word`:                          {"empty", "", "word"},
		`"single ' in double" 'and " the other'`: {"single ' in double", `and " the other`},
	} {
		if got, err := words(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{`'open`, `a | b`, `a > b`, `a && b`, `a $B`, "a `b`"} {
		if got, err := words(line); err == nil {
			t.Errorf("%s: %q, want an error: the test is no shell", line, got)
		}
	}
}
