//go:build e2e

package scalableappbackend

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The blocks that need Docker, typed as the documents have them, in this folder. What they make gets names of the
// test's own, so that a reader's image called server is not replaced by ours.
func TestContainersOfTheDocumentsDoWhatTheyShow(t *testing.T) {
	names := strings.NewReplacer("container:api", "container:docs-e2e-api", "results:", "docs-e2e-results:")
	for _, name := range []string{"server", "loadgen", "api"} {
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
					if slices.Contains([]string{"server", "loadgen", "api"}, word) {
						word = "docs-e2e-" + word
					}
					argv[j] = names.Replace(word)
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
