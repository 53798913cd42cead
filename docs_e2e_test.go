//go:build e2e

package scalableappbackend

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A reader pastes the first block of the README, and has the program on the path.
func TestTheFirstCommandsOfTheReadmeGiveAProgramOnThePath(t *testing.T) {
	var typed []string
	for _, d := range readDocuments(t) {
		for _, b := range d.blocks {
			if d.path == "README.md" && len(typed) == 0 {
				for _, c := range b.commands {
					typed = append(typed, c.typed)
				}
			}
		}
	}
	if !slices.Equal(typed, setUp) {
		t.Fatalf("README.md begins with %q, want %q", typed, setUp)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	script := "set -e\n" + strings.Replace(strings.Join(typed, "\n"), "REPOSITORY", "'"+here+"'", 1) + "\nloadgen version\n"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\nloadgen ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The blocks that need Docker, typed as the documents have them, in this folder. What they make gets names of the
// test's own, so that a reader's image called server is not replaced by ours.
func TestContainersOfTheDocumentsDoWhatTheyShow(t *testing.T) {
	names := strings.NewReplacer("container:api", "container:docs-e2e-api", "results:", "docs-e2e-results:", "copy:/", "docs-e2e-copy:/")
	for _, name := range []string{"server", "loadgen", "api", "copy"} {
		t.Cleanup(func() {
			for _, args := range [][]string{{"rm", "-f", "docs-e2e-" + name}, {"rmi", "docs-e2e-" + name}} {
				_ = exec.Command("docker", args...).Run() // there may be no such thing
			}
		})
	}
	t.Cleanup(func() { _ = exec.Command("docker", "volume", "rm", "docs-e2e-results").Run() })

	found := 0
	for _, d := range readDocuments(t) {
		for _, b := range d.blocks {
			if !b.needsDocker() {
				continue
			}
			found++
			s := newShell(t)
			s.dir = "."
			for i := range b.commands {
				argv := strings.Fields(b.commands[i].typed)
				for j, word := range argv {
					if slices.Contains([]string{"server", "loadgen", "api", "copy"}, word) {
						word = "docs-e2e-" + word
					}
					argv[j] = names.Replace(word)
				}
				if argv[1] == "cp" { // not into this folder
					argv[len(argv)-1] = t.TempDir()
				}
				b.commands[i].typed = strings.Join(argv, " ")
			}
			s.run(t, b)
		}
	}
	if found == 0 {
		t.Error("no document shows a container")
	}
}
