//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/result"
)

// resultsBucket is a bucket of the emulator for results, and the folder of this test in it.
func resultsBucket(t *testing.T, cfg aws.Config) (url string, objects store.Objects) {
	t.Helper()
	const name = "e2e-store"
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil && !strings.Contains(err.Error(), "Bucket") {
		t.Fatal(err)
	}
	at := store.Location{Bucket: name}.Below(fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()))
	return at.String(), store.NewBucket(store.Client(cfg), at)
}

// built is a program of this repository.
func built(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// typed runs a command line as a user types it.
func typed(program string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// storedRun opens the one run that lies in a folder of a bucket.
func storedRun(t *testing.T, objects store.Objects) (*result.Opened, string, error) {
	t.Helper()
	all, err := objects.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return nil, "", errors.New("nothing is there")
	}
	id, _, _ := strings.Cut(all[0].Name, "/")
	fsys, err := store.OpenRun(t.Context(), store.Below(objects, id))
	if err != nil {
		return nil, id, err
	}
	o, err := result.OpenFS(id, fsys)
	return o, id, err
}

func TestAResultIsKeptInS3AndReadFromThere(t *testing.T) {
	cfg := emulator(t)
	loadgen := built(t, "loadgen")
	url, objects := resultsBucket(t, cfg)
	fixture, err := filepath.Abs("../loadgen/result/testdata/v2/complete")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())

	_, stderr, code := typed(loadgen, "run", "--host", "embedded", "--rate", "50", "-t", "2s", "-s", "1s", "-o", "local", "--name", "e2e", "--tag", "commit=c1", "--s3", url)
	if code != 0 && code != 96 { // which is of this machine
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	there, id, err := storedRun(t, objects)
	if err != nil || there.Cut {
		t.Fatal("in S3: ", err)
	}
	err = filepath.WalkDir("local", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got, err := store.Read(t.Context(), objects, id+"/"+d.Name(), 1<<30)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%s is another in S3", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	here, _, _ := typed(loadgen, "report", "local", "-f", "json")
	if far, stderr, code := typed(loadgen, "report", url+id, "-f", "json"); far != here || code != 0 {
		t.Errorf("the report of S3 is another than that of the directory: exit %d\n%s", code, stderr)
	}

	// Baselines: a conditional write lets a commit be saved once. This machine's own result may be INVALID, and none then.
	for i, want := range []int{0, 2} {
		if _, stderr, code := typed(loadgen, "baseline", "save", fixture, "--dir", url+"baselines"); code != want {
			t.Errorf("save %d: exit %d\n%s", i+1, code, stderr)
		}
	}
	if stdout, _, _ := typed(loadgen, "baseline", "list", "--dir", url+"baselines"); strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, "  0123abc  ") {
		t.Errorf("listed %q", stdout)
	}

	// Before any load.
	_, stderr, code = typed(loadgen, "run", "--host", "embedded", "-t", "2s", "-o", "other", "--s3", "s3://e2e-nobodys/x")
	if code != 2 || !strings.Contains(stderr, "loadgen: --s3: s3://e2e-nobodys: S3 PutObject: the bucket does not exist\n") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if _, err := os.Stat("other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory is left: %v", err)
	}
}

// oneOff starts loadgen's image as a task of the emulator, told all by its environment, and returns its ARN and the name of its
// container. The host's network is used because emulator and service are on the host's loopback: AWS would refuse it for Fargate.
func oneOff(t *testing.T, cfg aws.Config, environment map[string]string) (arn, container string) {
	t.Helper()
	const image, family = "localhost:1/loadgen:e2e-store", "e2e-store" // a name that no registry is asked for
	docker(t, "tag", buildImage(t, "loadgen"), image)
	t.Cleanup(func() { tryDocker("rmi", image) })
	client := ecs.NewFromConfig(cfg)
	var variables []types.KeyValuePair
	for name, value := range environment {
		variables = append(variables, types.KeyValuePair{Name: aws.String(name), Value: aws.String(value)})
	}
	if _, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(family)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeHost, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: aws.String("1024"), Memory: aws.String("2048"),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("loadgen"), Image: aws.String(image), Essential: aws.Bool(true), Environment: variables}},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := client.RunTask(t.Context(), &ecs.RunTaskInput{Cluster: aws.String(family), TaskDefinition: aws.String(family), LaunchType: types.LaunchTypeFargate})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("RunTask: %v, %+v", err, out)
	}
	arn = aws.ToString(out.Tasks[0].TaskArn)
	container = "ministack-ecs-" + arn[strings.LastIndexByte(arn, '/')+1:][:8] + "-loadgen"
	t.Cleanup(func() {
		if logs, _ := tryDocker("logs", container); t.Failed() {
			t.Logf("log of the task:\n%s", logs)
		}
		tryDocker("rm", "--force", "--volumes", container)
	})
	return arn, container
}

// api is cmd/server as a process of its own.
func api(t *testing.T) (url string) {
	t.Helper()
	addr := freeAddr(t)
	cmd := exec.Command(built(t, "server"), "-addr", addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, 10*time.Second, "the API answers", func() bool {
		res, err := http.Get("http://" + addr + "/health")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	})
	return "http://" + addr
}

// exitOf waits for the exit code of a task's container.
func exitOf(t *testing.T, cfg aws.Config, arn string, within time.Duration) (code int) {
	t.Helper()
	client := ecs.NewFromConfig(cfg)
	eventually(t, within, "the task has an exit code", func() bool {
		out, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("e2e-store"), Tasks: []string{arn}})
		if err != nil || len(out.Tasks) != 1 || len(out.Tasks[0].Containers) != 1 || out.Tasks[0].Containers[0].ExitCode == nil {
			return false
		}
		code = int(*out.Tasks[0].Containers[0].ExitCode)
		return true
	})
	return code
}

func TestATaskLoadsAServiceAndLeavesItsResultInS3(t *testing.T) {
	cfg := emulator(t)
	url, objects := resultsBucket(t, cfg)
	arn, container := oneOff(t, cfg, map[string]string{
		"AWS_REGION": "us-east-1", "LOADGEN_HOST": api(t), "LOADGEN_RATE": "100", "LOADGEN_RUN_TIME": "3s", "LOADGEN_STOP_TIMEOUT": "2s",
		"LOADGEN_NAME": "task", "LOADGEN_THRESHOLDS": "error_rate<1%;p(99)<1us", "LOADGEN_S3": url, "LOADGEN_OUT": "none",
	})
	var o *result.Opened
	eventually(t, time.Minute, "the result is in S3", func() (ok bool) {
		var err error
		o, _, err = storedRun(t, objects)
		return err == nil && !o.Cut
	})
	r := o.Result
	if r.Totals.Requests != 300 || r.Totals.Failures != 0 || r.Name != "task" || len(r.ServedBy) != 1 || o.Audit() != "" {
		t.Errorf("name %s, served by %v, totals %+v: %s", r.Name, r.ServedBy, r.Totals, o.Audit())
	}
	if task := r.Generator.Task; task == nil || task.ARN != arn || !strings.HasSuffix(arn, "/"+task.ID) || task.ID == "" || task.Zone == "" || task.LaunchType != "FARGATE" || task.Family != "e2e-store" {
		t.Errorf("the task knows of itself %+v, and is %s", task, arn)
	}
	// The exit code, or that of a generator on a busy machine.
	if code := exitOf(t, cfg, arn, time.Minute); code != r.Verdict.ExitCode || code != 99 && code != 96 {
		t.Errorf("exit %d, in the result %+v", code, r.Verdict)
	}
	// Each line of the log is an event in CloudWatch Logs.
	logs, _ := tryDocker("logs", container)
	if at := strings.IndexFunc(logs, func(c rune) bool { return c < ' ' && c != '\n' || c == 0x7f }); at >= 0 || !strings.Contains(logs, "\nraw: from the send to the end of the answer. corrected: what the service made the send wait before, as well.") {
		t.Errorf("the log has a control character at %d, or broken lines:\n%s", at, logs)
	}
	// Credentials, the address of the metadata and the like are nobody's business.
	data, err := json.Marshal(r)
	if err != nil || strings.Contains(string(data)+logs, "AUTHORIZATION_TOKEN") {
		t.Errorf("environment in the result: %v", err)
	}
}

func TestATaskThatIsToldToStopLeavesThePartialResultWhole(t *testing.T) {
	cfg := emulator(t)
	for _, c := range []struct {
		signal string
		code   int
		cut    bool
	}{
		{"TERM", 105, false},
		{"KILL", 137, true}, // what it had measured until its last part
	} {
		t.Run(c.signal, func(t *testing.T) {
			url, objects := resultsBucket(t, cfg)
			arn, container := oneOff(t, cfg, map[string]string{
				"AWS_REGION": "us-east-1", "LOADGEN_HOST": api(t), "LOADGEN_RATE": "50", "LOADGEN_RUN_TIME": "10m", "LOADGEN_S3": url,
			})
			eventually(t, time.Minute, "a part with windows is in S3", func() bool {
				all, err := objects.List(t.Context(), "")
				return err == nil && slices.ContainsFunc(all, func(o store.Object) bool { return strings.HasSuffix(o.Name, "/parts/000002") })
			})
			began := time.Now()
			docker(t, "kill", "--signal", c.signal, container)
			if code := exitOf(t, cfg, arn, 40*time.Second); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			took := time.Since(began)
			t.Logf("from the signal to the exit: %v", took.Round(10*time.Millisecond))
			if took > 30*time.Second {
				t.Errorf("the task took %v to end: Fargate kills it after 30 s", took)
			}
			o, _, err := storedRun(t, objects)
			if err != nil {
				t.Fatal(err)
			}
			r := o.Result
			if o.Cut != c.cut || !r.Interrupted || r.Totals.Requests < 300 || r.Totals.Failures != 0 || o.Audit() != "" {
				t.Errorf("cut %v, interrupted %v by %q, totals %+v: %s", o.Cut, r.Interrupted, r.StoppedBy, r.Totals, o.Audit())
			}
			if books := r.Totals.Offered - result.Known(r.Totals.Dropped) - r.Totals.Abandoned - r.Totals.Requests; !c.cut && books != 0 {
				t.Errorf("%d requests are in no book: %+v", books, r.Totals)
			}
		})
	}
}
