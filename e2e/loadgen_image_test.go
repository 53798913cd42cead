//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

// target starts the API's container without a network: it has a loopback of its own, which a load
// generator that joins its namespace can reach, and nothing else can.
func target(t *testing.T) (join []string) {
	t.Helper()
	c := start(t, buildImage(t, "server"), append([]string{"--network", "none"}, hardened...))
	c.awaitHealth("healthy")
	return append([]string{"--network", "container:" + c.id}, hardened...)
}

// kept opens the result that a container left in its volume.
func (c *container) kept() *result.Result {
	c.t.Helper()
	to := c.t.TempDir()
	docker(c.t, "cp", c.id+":/results/loadgen-results/.", to)
	out, err := exec.Command("find", to, "-name", "result.json").Output()
	if err != nil {
		c.t.Fatal(err)
	}
	dir, _, _ := strings.Cut(strings.TrimSpace(string(out)), "/result.json")
	opened, err := result.Open(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	return opened.Result
}

func TestTheLoadgenImageLoadsTheServerImage(t *testing.T) {
	join := target(t)
	image := buildImage(t, "loadgen", "--build-arg", "VERSION=v1.2.3-e2e")
	size := imageBytes(t, image)
	pulled := pulledBytes(t, image)
	t.Logf("loadgen image: %.1f MB, %.1f MB packed", float64(size)/1e6, float64(pulled)/1e6)
	if size > maxLoadgenBytes || pulled > maxPulledBytes {
		t.Errorf("image has %d bytes, %d packed, want at most %d and %d", size, pulled, maxLoadgenBytes, maxPulledBytes)
	}

	t.Run("with nothing but the host in the environment it runs the default profile", func(t *testing.T) {
		c := start(t, image, append([]string{"-e", "LOADGEN_HOST=http://127.0.0.1"}, join...))
		eventually(t, 20*time.Second, "the first line of progress", func() bool { return strings.Contains(c.logs(), "0:10/3:00 ") })
		if code := c.stop(); code != 105 {
			t.Errorf("exit code %d after docker stop, want 105", code)
		}
		r := c.kept()
		if r.Plan.Users != 50 || r.Plan.SpawnRate != 5 || r.Plan.RunTime.String() != "3m" || !r.Interrupted || r.Totals.Requests == 0 || r.Totals.Failures != 0 {
			t.Errorf("plan %+v, interrupted %v, totals %+v", r.Plan, r.Interrupted, r.Totals)
		}
	})

	t.Run("a whole run says so in its exit code and leaves its result in the volume", func(t *testing.T) {
		c := start(t, image, join, "run", "-H", "http://127.0.0.1", "-u", "20", "-r", "20", "-t", "3s", "--json")
		code := c.wait()
		r := c.kept()
		// On a host that others keep busy the generator stands still, and says so: its result is as whole.
		if busy := code == 96 && r.Verdict.Validity == result.Invalid; code != 0 && !busy || code != r.Verdict.ExitCode {
			t.Errorf("exit code %d, verdict %+v", code, r.Verdict)
		}
		if r.Totals.Requests < 200 || r.Totals.Failures != 0 || r.Generator.Version != "v1.2.3-e2e" || len(r.ServedBy) != 1 {
			t.Errorf("version %s, served by %v, totals %+v", r.Generator.Version, r.ServedBy, r.Totals)
		}
		var printed result.Result
		stdout, err := exec.Command("docker", "logs", c.id).Output() // stdout alone
		if err != nil || json.Unmarshal(stdout, &printed) != nil || printed.ID != r.ID {
			t.Errorf("stdout is not the result: %v\n%.300s", err, stdout)
		}
	})

	t.Run("a share of a CPU is what its use is measured against", func(t *testing.T) {
		c := start(t, image, append([]string{"--cpus", "0.1"}, join...), "run", "-H", "http://127.0.0.1", "--rate", "3000", "-t", "6s", "-s", "3s")
		code := c.wait()
		r := c.kept()
		if float64(r.Generator.CPULimit) != 0.1 || !strings.HasPrefix(r.Generator.CPULimitSource, "cgroup") {
			t.Errorf("limit %v from %q", r.Generator.CPULimit, r.Generator.CPULimitSource)
		}
		if r.Verdict.Validity != result.Invalid || code != 96 || !r.Health.CPU.ThrottledRatio.Known() || r.Health.CPU.ThrottledRatio == 0 {
			t.Errorf("exit code %d, verdict %+v, cpu %+v: a tenth of a CPU cannot send 3,000 a second", code, r.Verdict, r.Health.CPU)
		}
		if claims := c.logs(); !strings.Contains(claims, "INVALID") {
			t.Errorf("the report does not say INVALID")
		}
	})
}
