package main

import (
	"strings"
	"testing"

	"scalableappbackend/internal/exit"
)

func TestEachShellGetsAScriptAndNothingElse(t *testing.T) {
	for shell, sign := range map[string]string{
		"bash": "__start_loadgen", "zsh": "#compdef loadgen", "fish": "complete -c loadgen", "powershell": "Register-ArgumentCompleter",
	} {
		stdout, stderr, code := typedIn(t, nil, "completion", shell)
		if code != exit.Passed || stderr != "" || !strings.Contains(stdout, sign) {
			t.Errorf("%s: exit %d, no %q in %d bytes, stderr %q", shell, code, sign, len(stdout), stderr)
		}
	}
}

// The scripts call the program to complete what was typed.
func TestWhatAShellOffers(t *testing.T) {
	for _, row := range []struct {
		typed []string
		want  []string // at the begin of offers
		not   []string
	}{
		{[]string{""}, []string{"run", "report", "merge", "compare", "baseline", "version", "completion", "help"}, nil},
		{[]string{"r"}, []string{"run", "report"}, []string{"merge"}},
		{[]string{"help", ""}, []string{"run", "merge"}, nil},
		{[]string{"run", "--spawn"}, []string{"--spawn-rate"}, []string{"--users"}},
		{[]string{"run", "--arrivals", ""}, []string{"uniform", "poisson"}, nil},
		{[]string{"run", "--host", "e"}, []string{"embedded"}, nil},
		{[]string{"report", "-f", ""}, []string{"text", "markdown", "json", "csv", "hdr"}, nil},
		{[]string{"completion", ""}, []string{"bash", "zsh", "fish", "powershell"}, nil},
	} {
		stdout, _, _ := typedIn(t, nil, append([]string{"__complete"}, row.typed...)...)
		offers := strings.Split(stdout, "\n")
		offered := func(word string) bool {
			for _, o := range offers {
				if name, _, _ := strings.Cut(o, "\t"); name == word {
					return true
				}
			}
			return false
		}
		for _, w := range row.want {
			if !offered(w) {
				t.Errorf("%q: %q is not offered in %q", row.typed, w, stdout)
			}
		}
		for _, n := range row.not {
			if offered(n) {
				t.Errorf("%q: %q is offered", row.typed, n)
			}
		}
	}
}
