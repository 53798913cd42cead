package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/s3like"
	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/result"
)

// aws is a cluster whose tasks are this program, in goroutines, a bucket, and a service that they load: all on loopback.
type aws struct {
	t      *testing.T
	fake   *awstest.Fake
	oneOff awstest.OneOff
	bucket s3like.Server
	asked  atomic.Int64
	hangs  atomic.Bool // the service, until it is told not to
	url    string      // of the service

	mu   sync.Mutex
	logs map[string]*bytes.Buffer // of the tasks, by the number that they were given
}

func newAWS(t *testing.T) *aws {
	t.Helper()
	t.Chdir(t.TempDir())
	w := &aws{t: t, fake: awstest.New(time.Now), logs: map[string]*bytes.Buffer{}}
	w.oneOff = awstest.OneOff{
		Definition: awstest.Definition{Name: "loadgen:3", Containers: []awstest.Container{{Name: "loadgen"}}},
		Container:  w.container,
	}
	w.fake.RunTasks(&w.oneOff)
	api := httptest.NewServer(w.fake)
	t.Cleanup(api.Close)
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		w.asked.Add(1)
		for w.hangs.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		rw.Header().Set("X-Served-By", "one")
		_, _ = io.WriteString(rw, "ok")
	}))
	t.Cleanup(service.Close)
	w.url = service.URL
	// The SDK reads the environment itself.
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": api.URL, "AWS_ENDPOINT_URL_S3": w.bucket.Start(t), "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(name, value)
	}
	return w
}

// command runs a command line of this program; stop ends it as a signal would.
func (w *aws) command(stdout, stderr io.Writer, variables map[string]string, signals <-chan os.Signal, args ...string) exit.Code {
	e := env{
		args: args, stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, judge: calm.Judge, cloud: newCloud(),
		pace:         tasks.Pace{Poll: 50 * time.Millisecond, Describe: 200 * time.Millisecond, Lead: 1500 * time.Millisecond},
		lookup:       func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		isTTY:        func(any) bool { return false },
		size:         func(any) (int, int) { return 0, 0 },
		signals:      func() (<-chan os.Signal, func()) { return signals, func() {} },
		outlivePipes: func() {},
	}
	return run(e)
}

// container runs what a task is told to do, with a task definition that says much of the load.
func (w *aws) container(ctx context.Context, t awstest.Started) int {
	log := &bytes.Buffer{}
	w.mu.Lock()
	w.logs[t.Command[len(t.Command)-1]] = log
	w.mu.Unlock()
	signals := make(chan os.Signal, 1)
	defer context.AfterFunc(ctx, func() { signals <- os.Interrupt })()
	return int(w.command(io.Discard, &syncWriter{mu: &w.mu, w: log}, map[string]string{
		"LOADGEN_USERS": "500", "LOADGEN_RUN_TIME": "1h", "LOADGEN_HOST": "http://127.0.0.1:1", "LOADGEN_S3": "s3://elsewhere/", "LOCUST_USERS": "7",
	}, signals, t.Command...))
}

type syncWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// launch runs `fargate run` on the service.
func (w *aws) launch(signals <-chan os.Signal, args ...string) (stderr string, code exit.Code) {
	w.t.Helper()
	var log bytes.Buffer
	code = w.command(io.Discard, &log, nil, signals, append([]string{
		"fargate", "run", "-H", w.url, "--cluster", "c", "--task-definition", "loadgen", "--subnet", "subnet-1", "--s3", "s3://results/runs", "-o", "sum",
	}, args...)...)
	return log.String(), code
}

func (w *aws) explain(stderr string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t.Log(stderr)
	for task, log := range w.logs {
		w.t.Logf("task %s:\n%s", task, log)
	}
}

func TestFargateRunMakesOneResultOfSeveralTasks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	w := newAWS(t)
	stderr, code := w.launch(nil, "--tasks", "2", "--rate", "60", "-t", "3s", "--threshold", "rps>=55", "--threshold", "error_rate<1%")
	o, err := result.Open("sum")
	if err != nil || code != exit.Passed {
		w.explain(stderr)
		t.Fatalf("exit %d: %v", code, err)
	}
	r := o.Result
	if r.Totals.Requests != 180 || w.asked.Load() != 180 || len(r.MergedFrom) != 2 || r.Plan.Rate.N != 60 || r.Plan.Users != 0 {
		t.Errorf("%d requests of %d tasks, the service counted %d, of %v requests/s and %d users", r.Totals.Requests, len(r.MergedFrom), w.asked.Load(), r.Plan.Rate, r.Plan.Users)
	}
	for _, want := range []string{
		"the run is s3://results/runs/", "2 of 2 tasks are ready", "all       sent 180  answered 180  failed 0  unanswered 0  sent again 0  VALID",
		"task 1    sent 90  answered 90", "service   answered 180, by the X-Served-By of 1 server\n", "exit 0: passed",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, stderr)
		}
	}
	url, _, _ := strings.Cut(stderr[strings.Index(stderr, "s3://"):], "\n")
	var out, log bytes.Buffer
	if code := w.command(&out, &log, nil, nil, "fargate", "collect", url, "-o", "again"); code != exit.Passed {
		t.Errorf("collect: exit %d\n%s", code, log.String())
	}
	if again, err := result.Open("again"); err != nil || again.Result.Totals.Requests != 180 {
		t.Errorf("collected again: %v", err)
	}
	left, _ := filepath.Glob("loadgen-*")
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestFargateRunWatchesTheServiceBesideTheTasks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	w := newAWS(t)
	long := time.Now().Add(-time.Hour)
	w.fake.Tell(awstest.Service{Cluster: "c", Name: "api"}, awstest.Desired{At: long, N: 2}, awstest.Target{At: long, Min: 2, Max: 6},
		awstest.Task{ID: "t1", Created: long, Started: long}, awstest.Task{ID: "t2", Created: long, Started: long})
	stderr, code := w.launch(nil, "--tasks", "2", "--rate", "60", "-t", "3s", "--watch", "ecs:c/api", "--recovery", "1s", "--expect", "max_tasks==4")
	o, err := result.Open("sum")
	if err != nil || code != exit.ScalingNotMet {
		w.explain(stderr)
		t.Fatalf("exit %d: %v", code, err)
	}
	r := o.Result
	if r.Timeline == nil || r.Timeline.Service == "" || len(r.Timeline.Points) == 0 || r.Timeline.Points[0].Running != 2 || r.Totals.Requests != 180 {
		t.Errorf("%d requests, timeline %+v", r.Totals.Requests, r.Timeline)
	}
	if stderr, code := w.launch(nil, "--tasks", "2", "--rate", "60", "-t", "3s", "--watch", "ecs:c/nobody"); code != exit.Usage || !strings.Contains(stderr, "--watch") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestAnInterruptedLaunchStopsItsTasksAndShowsWhatTheyMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	w := newAWS(t)
	signals := make(chan os.Signal, 1)
	go func() {
		for w.asked.Load() < 100 {
			time.Sleep(20 * time.Millisecond)
		}
		signals <- os.Interrupt
	}()
	stderr, code := w.launch(signals, "--tasks", "2", "--rate", "60", "-t", "10m")
	o, err := result.Open("sum")
	if err != nil || code != exit.Interrupted {
		w.explain(stderr)
		t.Fatalf("exit %d: %v", code, err)
	}
	if o.Result.Totals.Requests != w.asked.Load() || !o.Result.Interrupted || w.oneOff.Running() != 0 {
		t.Errorf("%d requests, the service counted %d; %d tasks are left", o.Result.Totals.Requests, w.asked.Load(), w.oneOff.Running())
	}
}

func TestASecondSignalLeavesAndSaysHowToCollect(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	w := newAWS(t)
	signals := make(chan os.Signal, 2)
	go func() {
		for w.asked.Load() < 60 {
			time.Sleep(20 * time.Millisecond)
		}
		w.hangs.Store(true) // what is under way keeps the tasks from ending
		signals <- os.Interrupt
		for len(w.fake.Calls("ecs:StopTask")) < 2 {
			time.Sleep(20 * time.Millisecond)
		}
		signals <- os.Interrupt
	}()
	stderr, code := w.launch(signals, "--tasks", "2", "--rate", "60", "-t", "10m")
	running := w.oneOff.Running()
	w.hangs.Store(false)
	_, collect, said := strings.Cut(stderr, "what the tasks measure is collected by: loadgen ")
	if code != exit.Interrupted || !said || running != 2 {
		w.explain(stderr)
		t.Fatalf("exit %d with %d tasks under way", code, running)
	}
	if _, err := os.Stat("sum"); err == nil {
		t.Error("a result was written")
	}
	collect, _, _ = strings.Cut(collect, "\n")
	var out, log bytes.Buffer
	if code := w.command(&out, &log, nil, nil, append(strings.Fields(collect), "-o", "sum")...); code != exit.Interrupted {
		t.Errorf("collect: exit %d\n%s", code, log.String())
	}
	if o, err := result.Open("sum"); err != nil || o.Result.Totals.Requests != w.asked.Load() {
		t.Errorf("collected: %v", err)
	}
}

func TestWhatKeepsALaunchFromStartingIsSaidInOneLine(t *testing.T) {
	w := newAWS(t)
	if err := os.WriteFile("null.json", []byte(`{"cluster":{"sensitive":false,"value":"c"},"load_task_definition":{"sensitive":false,"value":null}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"fargate", "run", "-H", w.url, "--tasks", "2", "--rate", "60", "-t", "2s"}
	place := []string{"--cluster", "c", "--task-definition", "loadgen", "--subnet", "subnet-1", "--s3", "s3://results/runs"}
	for _, row := range []struct {
		before func()
		args   []string
		want   string // of stderr, without the prefix of the lines
		code   exit.Code
	}{
		{nil, base, "--cluster: want the name of an ECS cluster, or --terraform-outputs FILE that has it\n" +
			"--task-definition: want the name of a task definition with loadgen's image, or --terraform-outputs FILE that has it\n" +
			"--subnet: want a subnet of the tasks, or --terraform-outputs FILE that has it\n" +
			"--s3: want where the run goes, e.g. s3://my-results/runs/, or --terraform-outputs FILE that has it\n", exit.Usage},
		{nil, append(base, "--terraform-outputs", "null.json", "--subnet", "s", "--s3", "s3://results/"), "--task-definition: want the name of a task definition with loadgen's image; load_task_definition is not in null.json, or null\n", exit.Usage},
		{nil, append(base, "--terraform-outputs", "none.json"), "--terraform-outputs \"none.json\": want a file that can be read: no such file or directory\n", exit.Usage},
		{nil, append(append(base, place...), "--tasks", "0"), "--tasks: want how many tasks share the load, e.g. --tasks 4\n", exit.Usage},
		{nil, append(append(base, place...), "--threshold", "{GET /x}:p(99)<1s"), "--threshold \"{GET /x}:p(99)<1s\": want ", exit.Usage},
		{nil, append(append(base, place...), "--env", "NOT_SET"), "--env \"NOT_SET\": want NAME=VALUE, or the name of a variable that is set\n", exit.Usage},
		{nil, append(append(base, place...), "--header", "Authorization: Bearer x"), "--header Authorization: holds a secret, which would lie in S3 for all to read: write ${NAME} in its place\nhint: NAME is a variable or secret of the task definition, or --env NAME hands on this process's\n", exit.Usage},
		{nil, append(append(base, place...), "--header", "Authorization: Bearer ${KEY}"), "${KEY}: no task has it: want a variable or secret of the task definition, or --env KEY\n", exit.Usage},
		{nil, append(append(base, place...), "--container", "app"), "--container \"app\": want one of task definition loadgen: loadgen\n", exit.Usage},
		{nil, append(append(base, place...), "--expect", "max_tasks==4"), "--expect: want --watch ecs:CLUSTER/SERVICE beside it\n", exit.Usage},
		{nil, append(append(base, place...), "--watch", "api"), "--watch \"api\": want ecs:CLUSTER/SERVICE, e.g. ecs:prod/checkout, or the ARN of a service\n", exit.Usage},
		{nil, append(append(base, place...), "--image", "i"), "--image: cannot be combined with --task-definition: both say what a task is\n", exit.Usage},
		{nil, append(append(base, place...), "--s3", "s3://elsewhere/runs"), "s3://elsewhere: S3 PutObject: the bucket does not exist\nhint: aws s3 mb makes one\n", exit.Usage},
		{func() { w.oneOff.DenyPassRole = true }, append(base, place...), "ECS RunTask: not allowed to iam:PassRole: ", exit.Usage},
		{func() { w.fake.Deny("ecs:RunTask") }, append(base, place...), "ECS RunTask: not allowed to ecs:RunTask: ", exit.Usage},
		{func() { w.bucket.Refuse("AccessDenied") }, append(base, place...), "s3://results/runs/", exit.Usage},
		{nil, []string{"fargate", "collect"}, "collect: want the URL of one run, e.g. loadgen fargate collect s3://my-results/runs/ID/\n", exit.Usage},
		{nil, []string{"fargate", "collect", "dir"}, "\"dir\": want s3://BUCKET/PREFIX/", exit.Usage},
		{func() { w.bucket.Refuse("") }, []string{"fargate", "collect", "s3://results/nothing"}, "s3://results/nothing/: no run.json is there\n", exit.Usage},
		{nil, []string{"fargate", "task", "s3://results/nothing", "1"}, "plans/1.json is not there: want the URL of a run, and a task of it\n", exit.Usage},
		{nil, []string{"fargate", "rnu"}, "command \"rnu\": want one of run, plan, collect\nhint: did you mean loadgen fargate run?\n", exit.Usage},
		{nil, []string{"fargate"}, "fargate: want one of run, plan, collect\n", exit.Usage},
		{nil, []string{"fargate", "plan"}, "--rate: want the requests per second that are wanted, e.g. --rate 50000\n", exit.Usage},
		{nil, []string{"fargate", "plan", "--rate", "5"}, "--measured: want a result that says what one vCPU sends, or --per-vcpu N\n", exit.Usage},
		{nil, []string{"fargate", "plan", "--rate", "5", "--per-vcpu", "5", "--cpu", "1000", "--offline"}, "--cpu \"1000\": want 256, 512, 1024, 2048, 4096, 8192 or 16384 units of 1/1024 vCPU\n", exit.Usage},
	} {
		if row.before != nil {
			row.before()
		}
		var log bytes.Buffer
		code := w.command(io.Discard, &log, nil, nil, row.args...)
		text := strings.TrimPrefix(strings.ReplaceAll("\n"+log.String(), "\nloadgen: ", "\n"), "\n")
		if code != row.code || !strings.HasPrefix(text, row.want) {
			t.Errorf("%q: exit %d\n got %s\nwant %s", row.args, code, text, row.want)
		}
		if _, err := os.Stat("sum"); err == nil || w.oneOff.Running() != 0 || w.asked.Load() != 0 {
			t.Errorf("%q: something was started or written", row.args)
		}
	}
}

// A task of a run reads from its definition what is about publishing, and nothing about the load, its result, or what the launcher does.
func TestATaskReadsNothingOfItsLoadFromTheEnvironment(t *testing.T) {
	all := func(string) (string, bool) { return "x", true }
	read := ofTask(runSettings(), all)
	for _, name := range []string{"LOADGEN_USERS", "LOCUST_USERS", "LOADGEN_RATE", "LOADGEN_STAGES", "LOADGEN_HOST", "LOADGEN_TARGETS", "LOADGEN_HEADERS",
		"LOADGEN_THRESHOLDS", "LOADGEN_SEED", "LOADGEN_PLAN", "LOADGEN_S3", "LOADGEN_OUT", "LOADGEN_NAME", "LOADGEN_TAGS", "LOADGEN_START_AT", "LOADGEN_NOTHING"} {
		if v, ok := read(name); ok {
			t.Errorf("%s is read as %q", name, v)
		}
	}
	for _, name := range []string{"LOADGEN_CLOUDWATCH", "LOADGEN_SERVICE", "LOADGEN_OTLP", "LOADGEN_HEADLESS", "AWS_REGION", "TOKEN"} {
		if _, ok := read(name); !ok {
			t.Errorf("%s is not read", name)
		}
	}
}
