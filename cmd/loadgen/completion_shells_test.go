//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A bash that has read nothing else, as in a container, is asked what it would offer.
func TestBashCompletesWithoutThePackageForIt(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	script := filepath.Join(t.TempDir(), "loadgen.bash")
	out, err := exec.Command("loadgen", "completion", "bash").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, out, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		line string
		want []string
	}{
		{"loadgen r", []string{"run", "report"}},
		{"loadgen run --spawn", []string{"--spawn-rate"}},
		{"loadgen run --arrivals ", []string{"uniform", "poisson"}},
		{"loadgen run --arrivals=p", []string{"poisson"}},
		{"loadgen run --host http://h:80 --arrivals p", []string{"poisson"}},
		{"loadgen completion f", []string{"fish"}},
	} {
		ask := exec.Command(bash, "--norc", "--noprofile", "-c", `source "$1"; COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9 COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
			compopt() { :; }
			__start_loadgen; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script, row.line)
		ask.Env = append(os.Environ(), "BASH_ENV=")
		out, err := ask.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", row.line, err, out)
		}
		var offered []string
		for l := range strings.Lines(string(out)) {
			if word := strings.Fields(l); len(word) > 0 {
				offered = append(offered, strings.TrimPrefix(word[0], "--arrivals="))
			}
		}
		slices.Sort(offered)
		slices.Sort(row.want)
		if !slices.Equal(offered, row.want) {
			t.Errorf("%q: offers %q, want %q", row.line, offered, row.want)
		}
	}
}
