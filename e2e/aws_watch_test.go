//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// All that is asserted against the emulator is what it tells as AWS does: that a service is not there. It has no scaling activities, its
// targets are always healthy, and a service whose container does not stay is started again without end.
func TestAServiceThatTheEmulatorDoesNotHaveIsRefused(t *testing.T) {
	cfg := emulator(t)
	if _, err := ecs.NewFromConfig(cfg).CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("e2e-watch")}); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "loadgen")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/loadgen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(program, "watch", "ecs:e2e-watch/nothing", "-t", "1s").CombinedOutput()
	if err == nil || !strings.Contains(string(out), `service "nothing": want a service of the cluster e2e-watch`) || !strings.Contains(string(out), "exit 2") {
		t.Errorf("%v: %s", err, out)
	}
}
