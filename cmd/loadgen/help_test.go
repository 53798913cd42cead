package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/golden"
)

func commands() []string {
	return []string{"run", "bench", "lab", "simulate", "watch", "report", "merge", "compare", "baseline", "fargate", "fargate run", "fargate plan", "fargate collect", "dashboard", "version", "completion", "help"}
}

func TestHelpIsAsItWasReadLast(t *testing.T) {
	for _, name := range append(commands(), "") {
		for _, asked := range [][]string{append(args(name), "-h"), append(args(name), "--help"), append([]string{"help"}, args(name)...)} {
			stdout, stderr, code := typedIn(t, nil, asked...)
			if code != exit.Passed || stderr != "" {
				t.Errorf("%q: exit %d, %s", asked, code, stderr)
			}
			file := "loadgen"
			if name != "" {
				file += "_" + strings.ReplaceAll(name, " ", "_")
			}
			golden.Check(t, "help/"+file+".txt", stdout)
		}
	}
}

// A screen is taken as 24 lines of 100 columns.
func TestHelpStartsWithAnExampleAndEachTopicFitsAScreen(t *testing.T) {
	for _, name := range append(commands(), "") {
		stdout, _, _ := typedIn(t, nil, append(args(name), "-h")...)
		if !strings.HasPrefix(stdout, "  loadgen ") && !strings.HasPrefix(stdout, "  source <(loadgen ") {
			t.Errorf("%s: starts with %.60q", name, stdout)
		}
		for topic := range strings.SplitSeq(stdout, "\n\n") {
			if n := strings.Count(topic, "\n") + 1; n > 24 {
				t.Errorf("%s: %d lines: %.40q…", name, n, topic)
			}
		}
		for l := range strings.SplitSeq(stdout, "\n") {
			if n := utf8.RuneCountInString(l); n > 100 {
				t.Errorf("%s: %d columns: %s", name, n, l)
			}
		}
	}
}

// Each example of the verbs with a table is read as it would be typed, but for its files; the flags of the others are
// tested where they are used.
func TestTheExamplesOfHelpWork(t *testing.T) {
	nothing := func(string) (string, bool) { return "", false }
	root := newRoot(&env{})
	for verb, read := range map[string]func(flags map[string]*typed) error{
		"run":   func(flags map[string]*typed) error { _, err := resolve(flags, nothing); return err },
		"bench": func(flags map[string]*typed) error { _, err := resolveBench(flags, nothing); return err },
		"lab":   func(flags map[string]*typed) error { _, err := resolveLab(flags, nothing); return err },
		"simulate": func(flags map[string]*typed) error {
			_, _, err := resolveSimulation(simulateSettings(), flags, nothing)
			return err
		},
	} {
		table := map[string]func() []setting{"run": runSettings, "bench": benchSettings, "lab": labSettings, "simulate": simulateSettings}[verb]()
		for l := range strings.SplitSeq(strings.TrimSpace(commandOf(root, verb).Example), "\n") {
			set := pflag.NewFlagSet(verb, pflag.ContinueOnError)
			flags := define(set, table)
			if err := set.Parse(inWords(l)[2:]); err != nil {
				t.Fatalf("%s: %v", l, err)
			}
			if verb == "bench" {
				take(flags, set.Args())
			}
			if err := read(flags); err != nil && !strings.Contains(l, "@") {
				t.Errorf("%s: %v", l, err)
			}
		}
	}
}

// inWords splits a line as a shell does that knows single quotes and remarks.
func inWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		part, _, remark := strings.Cut(part, "#")
		words = append(words, strings.Fields(part)...)
		if remark {
			break
		}
	}
	return words
}

func TestThePageOfTheCommandLineIsWhatTheProgramSays(t *testing.T) {
	const page = "../../docs/cli.md"
	want := markdown()
	if golden.Updating() {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may hold the page with the line ends of that system.
	if got := strings.ReplaceAll(string(have), "\r\n", "\n"); got != want {
		t.Errorf("docs/cli.md is not what the commands say; UPDATE_GOLDEN=1 go test ./cmd/loadgen mends it")
	}
}

// markdown is docs/cli.md.
func markdown() string {
	var b strings.Builder
	root := newRoot(&env{})
	b.WriteString("# The command line\n\nMade of the commands themselves; `UPDATE_GOLDEN=1 go test ./cmd/loadgen` makes it again.\n")
	for _, name := range commands() {
		if name != "help" {
			section(&b, commandAt(root, name))
		}
	}
	return b.String()
}

// commandAt is the command of a path such as "fargate run".
func commandAt(root *cobra.Command, path string) *cobra.Command {
	for _, name := range args(path) {
		root = commandOf(root, name)
	}
	return root
}

func section(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n`%s %s` %s.\n\n```sh\n%s\n```\n", cmd.CommandPath(), cmd.Parent().CommandPath(), cmd.Use, cmd.Short, strings.TrimSpace(cmd.Example))
	for _, g := range groupsOf(cmd) {
		withEnv := slices.ContainsFunc(g.flags, func(f *pflag.Flag) bool { return noteOf(f, noteEnv) != "" })
		if g.name != groupFlags {
			fmt.Fprintf(b, "\n### %s\n", g.name)
		}
		if withEnv {
			b.WriteString("\n| flag | variable | default | meaning |\n|---|---|---|---|\n")
		} else {
			b.WriteString("\n| flag | default | meaning |\n|---|---|---|\n")
		}
		for _, f := range g.flags {
			cells := []string{code(strings.TrimSpace(spelled(f)))}
			if withEnv {
				cells = append(cells, code(strings.Split(noteOf(f, noteEnv), ", ")...))
			}
			cells = append(cells, noteOf(f, noteDefault), f.Usage)
			for i, c := range cells {
				cells[i] = strings.NewReplacer("|", "\\|", "<UTC", "\\<UTC").Replace(c)
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	if cmd.Long != "" {
		heading, text, found := strings.Cut(strings.TrimSpace(cmd.Long), "\n  ")
		if !found {
			heading, text = "", heading
		} else {
			fmt.Fprintf(b, "\n### %s\n", heading)
		}
		fmt.Fprintf(b, "\n%s\n", strings.NewReplacer("\n  ", "\n", "*", "\\*", "_", "\\_").Replace(text))
	}
}

// code sets names in code.
func code(names ...string) string { return "`" + strings.Join(names, "`, `") + "`" }
