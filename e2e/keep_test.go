//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// briefly is a run that is over at once. On a host that others keep busy it may be INVALID, and is kept all the same.
var briefly = []string{"run", "--host", "embedded", "-t", "1s", "-r", "50", "-s", "1s"}

func TestAResultIsKeptWhereItsMountIsAndElseSaysHowToKeepIt(t *testing.T) {
	image := buildImage(t, "loadgen")
	run := func(options ...string) (output string, code int) {
		all := append([]string{"run", "--rm", "--network", "none"}, options...)
		return tryDocker(append(append(all, image), briefly...)...)
	}
	ended := func(code int) bool { return code == 0 || code == 96 }

	if out, code := run(); !ended(code) || !strings.Contains(out, "on an anonymous volume and is lost with the container; keep it with docker run -v results:/results") {
		t.Errorf("without a mount: exit %d\n%s", code, out)
	}

	volume := fmt.Sprintf("e2e-kept-%d", os.Getpid())
	t.Cleanup(func() { _, _ = tryDocker("volume", "rm", volume) })
	if out, code := run("-v", volume+":/results"); !ended(code) || strings.Contains(out, "lost with the container") {
		t.Errorf("with a volume: exit %d\n%s", code, out)
	}
	if out, code := tryDocker("run", "--rm", "--network", "none", "-v", volume+":/results", image, "report"); code != 0 || !strings.Contains(out, "the embedded server") {
		t.Errorf("report of the volume: exit %d\n%s", code, out)
	}

	// A folder that Docker makes is root's.
	if os.Geteuid() != 0 {
		t.Skip("only root can clean up what Docker makes for root")
	}
	roots := filepath.Join(t.TempDir(), "results")
	if out, code := run("-v", roots+":/results"); code != 2 || !strings.Contains(out, "/results belongs to user 0, and loadgen runs as user "+nonRoot) || !strings.Contains(out, `--user "$(id -u):$(id -g)"`) {
		t.Errorf("with a folder of root's: exit %d\n%s", code, out)
	}
	mine := filepath.Join(t.TempDir(), "results")
	if err := os.MkdirAll(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(mine, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if out, code := run("--user", "12345:12345", "-v", mine+":/results"); !ended(code) {
		t.Errorf("with a folder of one's own: exit %d\n%s", code, out)
	}
	if found, err := filepath.Glob(filepath.Join(mine, "loadgen-results", "*", "result.json")); err != nil || len(found) != 1 {
		t.Errorf("the folder holds %q, %v", found, err)
	}
}

func TestAProxyOfDockersConfigurationIsToldOf(t *testing.T) {
	image := buildImage(t, "loadgen")
	out, _ := tryDocker("run", "--rm", "--network", "none", "-e", "HTTP_PROXY=http://proxy.test:3128", image, "run", "http://192.0.2.1/", "-t", "1s", "-u", "1", "-o", "none", "-s", "1s")
	if n := strings.Count(out, "HTTP_PROXY is not used"); n != 1 {
		t.Errorf("told of %d times\n%s", n, out)
	}
}

// compose is Docker Compose as it is here: a plugin, or a program of its own.
func compose(t *testing.T) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		t.Skip("no Docker Compose")
	}
	return []string{"docker-compose"}
}

// The images and the volume get names of the test's own.
func TestTheComposeFileRunsTheExperimentWithOneCommand(t *testing.T) {
	program := compose(t)
	if _, code := tryDocker("info"); code != 0 {
		t.Skip("no Docker engine")
	}
	override := filepath.Join(t.TempDir(), "override.yaml")
	if err := os.WriteFile(override, []byte("services:\n  server: {image: compose-e2e-server}\n  loadgen: {image: compose-e2e-loadgen}\nvolumes:\n  results: {name: compose-e2e-results}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) (string, error) {
		all := append(append(program, "-p", "compose-e2e", "-f", "compose.yaml", "-f", override), args...)
		cmd := exec.Command(all[0], all[1:]...)
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "LOADGEN_RUN_TIME=3s", "DOCKER_BUILDKIT=1", "COMPOSE_DOCKER_CLI_BUILD=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Cleanup(func() {
		_, _ = do("down", "-v")
		_, _ = tryDocker("rmi", "compose-e2e-server", "compose-e2e-loadgen")
	})
	out, err := do("up", "--build", "--exit-code-from", "loadgen")
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, fmt.Sprintf("exit %d: ", code)) || code != 0 && code != 96 {
		t.Errorf("exit %d\n%s", code, out)
	}
	out, code = tryDocker("run", "--rm", "--network", "none", "-v", "compose-e2e-results:/results", "compose-e2e-loadgen", "report")
	if code != 0 || !strings.Contains(out, "error_rate < 1 %") || !strings.Contains(out, " 0 errors") {
		t.Errorf("report: exit %d\n%s", code, out)
	}
}
