package validity

import (
	"os"
	"runtime"
	"testing"

	"scalableappbackend/loadgen/result"
)

func TestGeneratorIsDescribedByItsLimits(t *testing.T) {
	task := &result.Task{ARN: "arn:t", Family: "f", Cluster: "c"}
	got := Describe("v1.2.3", Limits{
		CPUs: 0.25, Source: SourceECS, HostCPUs: 2, MemoryBytes: 512 << 20, Files: 65535, Task: task,
	})
	hostname, _ := os.Hostname()
	want := result.Generator{
		Version: "v1.2.3", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUs: 2, CPULimit: 0.25, CPULimitSource: "ECS task",
		MemoryLimitBytes: 512 << 20, FileLimit: 65535, Hostname: hostname, BootID: got.BootID, Task: task,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if again := Describe("", Limits{}); again.BootID != got.BootID || runtime.GOOS == "linux" && len(got.BootID) != 36 {
		t.Errorf("the host's start is %q, and then %q", got.BootID, again.BootID)
	}
}
