//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/result"
)

// fleet is a cluster of the emulator in which loadgen's image can be started, as real containers, and a service to be loaded. What is
// asserted are effects (what the service counted, what lies in S3, exit codes of our program), never what the emulator says of tasks.
type fleet struct {
	t       *testing.T
	program string
	url     string // of the service
	served  atomic.Int64
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	cfg := emulator(t)
	needDocker(t)
	const image = "localhost:1/loadgen:e2e" // a name that no registry is asked for
	docker(t, "tag", buildImage(t, "loadgen"), image)
	t.Cleanup(func() { tryDocker("rmi", image) })

	f := &fleet{t: t, program: filepath.Join(t.TempDir(), "loadgen")}
	if out, err := exec.Command("go", "build", "-o", f.program, "../cmd/loadgen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.served.Add(1)
		w.Header().Set("X-Served-By", "e2e")
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(service.Close)
	f.url = service.URL

	if _, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("e2e-results")}); err != nil &&
		!strings.Contains(err.Error(), "Bucket") {
		t.Fatal(err)
	}
	cluster := ecs.NewFromConfig(cfg)
	if _, err := cluster.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("e2e")}); err != nil {
		t.Fatal(err)
	}
	// The host's network, because the emulator and the service are on its loopback; AWS would refuse it for Fargate. What the definition
	// says of the load is there to be passed over.
	if _, err := cluster.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("loadgen-e2e"), NetworkMode: types.NetworkModeHost, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: aws.String("1024"), Memory: aws.String("2048"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("loadgen"), Image: aws.String(image), Essential: aws.Bool(true),
			Environment: []types.KeyValuePair{
				{Name: aws.String("AWS_REGION"), Value: aws.String("us-east-1")},
				{Name: aws.String("LOADGEN_USERS"), Value: aws.String("500")}, {Name: aws.String("LOADGEN_RUN_TIME"), Value: aws.String("1h")},
				{Name: aws.String("LOADGEN_HOST"), Value: aws.String("http://127.0.0.1:1")},
			},
		}},
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

// flying is a launcher under way.
type flying struct {
	f      *fleet
	cmd    *exec.Cmd
	out    bytes.Buffer
	stderr *lines
	dir    string
}

// lines is what a program wrote so far.
type lines struct {
	text chan string
	all  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) { l.text <- string(p); return len(p), nil }

// until waits for a pattern and returns its first group.
func (l *lines) until(t *testing.T, pattern string) string {
	t.Helper()
	p := regexp.MustCompile(pattern)
	deadline := time.After(2 * time.Minute)
	for {
		if m := p.FindStringSubmatch(l.all.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case s, open := <-l.text:
			if !open {
				t.Fatalf("no %q in:\n%s", pattern, l.all.String())
			}
			l.all.WriteString(s)
		case <-deadline:
			t.Fatalf("no %q in two minutes:\n%s", pattern, l.all.String())
		}
	}
}

func (f *fleet) run(args ...string) *flying {
	f.t.Helper()
	x := &flying{f: f, dir: filepath.Join(f.t.TempDir(), "result"), stderr: &lines{text: make(chan string, 10_000)}}
	x.cmd = exec.Command(f.program, append([]string{"fargate", "run", "-H", f.url, "--cluster", "e2e", "--task-definition", "loadgen-e2e", "--subnet", "subnet-1",
		"--s3", "s3://e2e-results/runs/", "-o", x.dir}, args...)...)
	x.cmd.Stdout, x.cmd.Stderr = &x.out, x.stderr
	if err := x.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = x.cmd.Process.Kill() })
	return x
}

// wait returns the exit code.
func (x *flying) wait() exit.Code {
	x.f.t.Helper()
	_ = x.cmd.Wait() // the code says it
	close(x.stderr.text)
	for s := range x.stderr.text {
		x.stderr.all.WriteString(s)
	}
	x.f.t.Logf("%s\n%s", x.stderr.all.String(), x.out.String())
	return exit.Code(x.cmd.ProcessState.ExitCode())
}

func (x *flying) result() *result.Result {
	x.f.t.Helper()
	o, err := result.Open(x.dir)
	if err != nil {
		x.f.t.Fatal(err)
	}
	return o.Result
}

// containerOf is the emulator's container of one of the run's tasks.
func (x *flying) containerOf(task int) string {
	x.f.t.Helper()
	url := x.stderr.until(x.f.t, `the run is (\S+)`)
	for id := range strings.FieldsSeq(docker(x.f.t, "ps", "-q", "--filter", "label=ministack=ecs")) {
		if command := docker(x.f.t, "inspect", "--format", "{{join .Config.Cmd \" \"}}", id); strings.TrimSpace(command) == fmt.Sprintf("fargate task %s %d", url, task) {
			return id
		}
	}
	x.f.t.Fatalf("no container does task %d of %s", task, url)
	return ""
}

func TestTasksOfOurImageMakeOneLoadAndOneResult(t *testing.T) {
	f := newFleet(t)
	x := f.run("--tasks", "3", "--rate", "100", "-t", "10s", "--threshold", "error_rate<1%", "--threshold", "rps>=95")
	code := x.wait()
	r := x.result()
	if code != exit.Passed && code != exit.Unhealthy || r.Totals.Requests != 1000 || r.Totals.Failures != 0 || f.served.Load() != 1000 || len(r.MergedFrom) != 3 {
		t.Errorf("exit %d, %d requests, %d failures, %d parts; the service counted %d, want 1,000 of 3", code, r.Totals.Requests, r.Totals.Failures, len(r.MergedFrom), f.served.Load())
	}
	if r.Plan.Rate.N != 100 || r.Plan.Users != 0 {
		t.Errorf("the sum is of %v requests/s and %d users", r.Plan.Rate, r.Plan.Users)
	}
	for _, want := range []string{"3 of 3 tasks are ready", "task 3", "service   answered 1,000, by the X-Served-By of 1 server"} {
		if !strings.Contains(x.stderr.all.String(), want) {
			t.Errorf("stderr does not say %q", want)
		}
	}
	url := regexp.MustCompile(`the run is (\S+)`).FindStringSubmatch(x.stderr.all.String())[1]
	again := filepath.Join(t.TempDir(), "again")
	out, _ := exec.Command(f.program, "fargate", "collect", url, "-o", again).CombinedOutput() // its exit code is that of the load
	o, err := result.Open(again)
	if err != nil || o.Result.Totals.Requests != 1000 {
		t.Errorf("collected again: %v\n%s", err, out)
	}
}

func TestATaskThatIsKilledIsSaidToHaveDiedAndItsPartIsCounted(t *testing.T) {
	f := newFleet(t)
	x := f.run("--tasks", "2", "--rate", "40", "-t", "35s")
	x.stderr.until(t, `0:2\d/0:35`)
	docker(t, "kill", "--signal", "KILL", x.containerOf(2))
	if code := x.wait(); code != exit.RunError {
		t.Errorf("exit %d", code)
	}
	r := x.result()
	if n := r.Totals.Requests; r.StoppedBy != result.StoppedByCut || n < 700+20*10-5 || n > 700+20*35 || n > f.served.Load() {
		t.Errorf("%d requests, stopped by %q; the service counted %d: want all 700 of the first task and at least 10 s of the second", n, r.StoppedBy, f.served.Load())
	}
	if !strings.Contains(x.stderr.all.String(), "task 2 ") || !strings.Contains(x.stderr.all.String(), " died: ") {
		t.Error("nobody said that it died")
	}
}

func TestATaskThatIsToldToStopLeavesAWholePartialResult(t *testing.T) {
	f := newFleet(t)
	x := f.run("--tasks", "2", "--rate", "40", "-t", "10m")
	x.stderr.until(t, `0:1\d/10:00`)
	first, second := x.containerOf(1), x.containerOf(2)
	docker(t, "kill", "--signal", "TERM", first)
	docker(t, "kill", "--signal", "TERM", second)
	if code := x.wait(); code != exit.Interrupted {
		t.Errorf("exit %d", code)
	}
	if r := x.result(); !r.Interrupted || r.Totals.Requests != f.served.Load() {
		t.Errorf("interrupted %v, %d requests; the service counted %d", r.Interrupted, r.Totals.Requests, f.served.Load())
	}
	if got := strings.TrimSpace(docker(t, "inspect", "--format", "{{.State.ExitCode}}", first)); got != "105" {
		t.Errorf("the container's exit code is %s", got)
	}
}

func TestCtrlCStopsTheTasksAndCollects(t *testing.T) {
	f := newFleet(t)
	x := f.run("--tasks", "2", "-u", "10", "-r", "100", "-t", "10m")
	x.stderr.until(t, `0:1\d/10:00`)
	if err := x.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := x.wait(); code != exit.Interrupted {
		t.Errorf("exit %d", code)
	}
	if r := x.result(); r.Totals.Requests != f.served.Load() || r.Plan.Users != 10 {
		t.Errorf("%d requests of %d users; the service counted %d", r.Totals.Requests, r.Plan.Users, f.served.Load())
	}
	if left := docker(t, "ps", "-q", "--filter", "label=ministack=ecs"); strings.TrimSpace(left) != "" {
		t.Errorf("containers are left: %s", left)
	}
}
