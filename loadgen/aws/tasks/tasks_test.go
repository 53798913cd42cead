package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"scalableappbackend/internal/calm"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// service answers in virtual time, and counts.
type service struct{ asked atomic.Int64 }

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked.Add(1)
	select {
	case <-time.After(3 * ms):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

// world is a cluster, a bucket and a service.
type world struct {
	t       *testing.T
	fake    *awstest.Fake
	oneOff  awstest.OneOff
	bucket  *store.Memory
	service service

	mu    sync.Mutex
	lines []string
	began map[int]time.Time // of each task's load
	said  map[int]string    // how each task ended
	dirs  string
	dead  map[int]*atomic.Bool // tasks that were killed

	onWindow func(task int, w *result.Window)
}

// newWorld is to be made in a bubble.
func newWorld(t *testing.T) *world {
	w := &world{t: t, bucket: &store.Memory{}, began: map[int]time.Time{}, said: map[int]string{}, dirs: t.TempDir(), dead: map[int]*atomic.Bool{1: {}, 2: {}, 3: {}}}
	w.fake = awstest.New(time.Now)
	w.oneOff = awstest.OneOff{
		Definition:  awstest.Definition{Name: "loadgen:7", Containers: []awstest.Container{{Name: "loadgen", Env: []string{"LOADGEN_USERS"}, Secrets: []string{"TOKEN"}}}},
		Container:   w.container,
		StopTimeout: 30 * time.Second,
	}
	w.fake.RunTasks(&w.oneOff)
	return w
}

// number is which task of the run one is: ECS may start them in any order.
func number(t awstest.Started) int {
	n, _ := strconv.Atoi(t.Command[len(t.Command)-1])
	return n
}

func second(t awstest.Started) bool { return number(t) == 2 }

// container is what the program does in a task.
func (w *world) container(ctx context.Context, t awstest.Started) int {
	if len(t.Command) != 4 || t.Command[0] != "fargate" || t.Command[1] != "task" || t.Command[2] != "s3://results/runs/ID/" {
		w.t.Errorf("task %d was told to do %q", t.N, t.Command)
		return 2
	}
	task := number(t)
	end := func(err error) int {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.said[task] = fmt.Sprint(err)
		return 1
	}
	part := &Part{Store: w.bucket, Task: task, Host: "host-" + t.Command[3]}
	share, err := part.Fetch(ctx, filepath.Join(w.dirs, "inputs"))
	if err != nil {
		return end(err)
	}
	dead := w.dead[task]
	kept := &disk{dead: dead, dir: filepath.Join(w.dirs, "results", strconv.Itoa(task)), upload: func(name string, data []byte) error {
		return w.bucket.Put(context.Background(), ResultPrefix(task)+"id/"+name, bytes.NewReader(data))
	}}
	r := loadgen.Runner{
		Plan: share.Plan, Transport: &w.service, Judge: calm.Judge, Hold: part.Hold(share.Offset),
		Lookup: func(name string) (string, bool) { return "secret", name == "TOKEN" },
		Sinks:  []result.Sink{kept, &Beacon{Store: mortal{w.bucket, dead}, Task: task}},
	}
	if w.onWindow != nil {
		r.Sinks = append(r.Sinks, windows(func(win *result.Window) { w.onWindow(task, win) }))
	}
	h, err := r.Start(ctx)
	if err != nil {
		return end(err)
	}
	w.mu.Lock()
	w.began[task] = time.Now()
	w.mu.Unlock()
	res, err := h.Wait()
	if err != nil {
		return end(err)
	}
	return res.Verdict.ExitCode
}

// windows is a sink.
type windows func(*result.Window)

func (windows) Start(*result.Meta) error        { return nil }
func (windows) Begin(*result.Meta) error        { return nil }
func (f windows) Window(w *result.Window) error { f(w); return nil }
func (windows) Facts(*result.Facts) error       { return nil }
func (windows) Close() error                    { return nil }
func (windows) Finish(*result.Result) error     { return nil }

// disk keeps a run in a directory, and uploads its result at the end, as the S3 sink does.
type disk struct {
	dead   *atomic.Bool
	dir    string
	upload func(name string, data []byte) error
	*result.Writer
}

func (d *disk) Start(m *result.Meta) (err error) {
	d.Writer, err = result.Prepare(d.dir, *m)
	return err
}

func (d *disk) Finish(r *result.Result) error {
	if d.dead.Load() {
		return errors.New("killed")
	}
	if err := d.Writer.Finish(r); err != nil {
		return err
	}
	return d.upload("result.json", []byte("{}"))
}

// mortal takes nothing from the dead.
type mortal struct {
	store.Objects
	dead *atomic.Bool
}

func (m mortal) Put(ctx context.Context, name string, content io.ReadSeeker) error {
	if m.dead.Load() {
		return errors.New("killed")
	}
	return m.Objects.Put(ctx, name, content)
}

// launcher is one that looks more often than it has to, of a run of n tasks.
func (w *world) launcher() *Launcher {
	cfg := w.fake.Config("http://aws")
	cfg.HTTPClient = &http.Client{Transport: w.fake.Direct()}
	return &Launcher{
		ECS: ecs.NewFromConfig(cfg), Store: w.bucket, URL: "s3://results/runs/ID/",
		Where: Where{Cluster: "c", TaskDefinition: "loadgen", Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, Env: map[string]string{}},
		Say: func(line string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.lines = append(w.lines, line)
		},
	}
}

func (w *world) order(n int) Order {
	p := plan.DefaultOpen()
	p.Host, p.Rate, p.RunTime, p.Seed = "http://service", plan.Rate{N: 60}, plan.Duration(20*time.Second), 1
	return Order{ID: "ID", Plan: p, Tasks: n}
}

func (w *world) heard(part string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.lines, "\n"), part)
}

// merged merges what the tasks left on disk.
func (w *world) merged(n int) *result.Result {
	w.t.Helper()
	var parts []*result.Opened
	for i := range n {
		o, err := result.Open(filepath.Join(w.dirs, "results", strconv.Itoa(i+1)))
		if err != nil {
			w.t.Fatal(err)
		}
		parts = append(parts, o)
	}
	sum, err := loadgen.Merge(parts)
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// fly launches and watches, and returns the windows that were shown.
func (w *world) fly(ctx context.Context, l *Launcher, o Order) (*Flight, []*result.Window, error) {
	f, err := l.Launch(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if err := f.AwaitReady(ctx); err != nil {
		return f, nil, err
	}
	if err := f.Start(ctx); err != nil {
		return f, nil, err
	}
	var shown []*result.Window
	err = f.Watch(ctx, func(w *result.Window) { shown = append(shown, w) })
	return f, shown, err
}

func TestTasksThatAreReadyAtDifferentTimesStartTogetherAndMakeOneLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.oneOff.StartsIn = func(t awstest.Started) time.Duration { return time.Duration(number(t)*number(t)) * 10 * time.Second } // up to 90 s
		began := time.Now()
		f, shown, err := w.fly(t.Context(), w.launcher(), w.order(3))
		if err != nil {
			t.Fatal(err)
		}
		if d := f.Started().Sub(began); d < 90*time.Second || d > 110*time.Second {
			t.Errorf("the start was %v after the launch", d)
		}
		w.mu.Lock()
		for task := 1; task <= 3; task++ {
			if at, want := w.began[task], f.Started().Add(time.Duration(float64(task-1)/60*1e9)); !at.Equal(want) {
				t.Errorf("task %d began at %v, want %v: sends of tasks fall between each other", task, at, want)
			}
		}
		w.mu.Unlock()
		sum := w.merged(3)
		if sum.Totals.Requests != 1200 || w.service.asked.Load() != 1200 || sum.Verdict.ExitCode != 0 {
			t.Errorf("%d requests in the sum, the service counted %d, want 1,200; exit %d", sum.Totals.Requests, w.service.asked.Load(), sum.Verdict.ExitCode)
		}
		if got := sum.Plan.Rate.N; got != 60 {
			t.Errorf("the sum's rate is %v", got)
		}
		var seen int64
		for i, x := range shown {
			for k := range x.Endpoints {
				seen += x.Endpoints[k].Requests
			}
			if i > 0 && x.From < shown[i-1].To-50*ms {
				t.Errorf("windows are shown out of order: %v after %v", x.From, shown[i-1].To)
			}
		}
		if seen != 1200 {
			t.Errorf("%d requests were shown while the tasks ran", seen)
		}
		for _, task := range f.Tasks() {
			if !task.Done || task.Died() {
				t.Errorf("%+v", task)
			}
		}
		for _, c := range w.fake.Calls("ecs:RunTask") {
			if n, _ := c.In.Number("count"); n != 1 || c.In.Text("launchType") != "FARGATE" || !strings.HasPrefix(c.In.Text("startedBy"), "loadgen/") {
				t.Errorf("RunTask %v", c.In)
			}
		}
		if n := len(w.fake.Calls("ecs:StopTask")); n != 0 {
			t.Errorf("%d tasks were stopped", n)
		}
	})
}

func TestATaskThatIsNotReadyInTimeStopsAllOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.oneOff.StartsIn = func(t awstest.Started) time.Duration {
			if second(t) {
				return time.Hour
			}
			return 20 * time.Second
		}
		began := time.Now()
		_, _, err := w.fly(t.Context(), w.launcher(), w.order(3))
		if err == nil || !strings.Contains(err.Error(), "not ready within 5m0s: task 2 00000000 (PROVISIONING)") {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d < 5*time.Minute || d > 5*time.Minute+5*time.Second {
			t.Errorf("after %v", d)
		}
		synctest.Wait()
		if n := w.oneOff.Running(); n != 0 || w.service.asked.Load() != 0 {
			t.Errorf("%d tasks are left, %d requests were sent", n, w.service.asked.Load())
		}
	})
}

func TestATaskThatEndsBeforeTheStartStopsTheOthersAndIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.oneOff.StartsIn = func(t awstest.Started) time.Duration { return time.Duration(number(t)) * 30 * time.Second }
		time.AfterFunc(45*time.Second, func() {
			w.oneOff.Kill(second, "TaskFailedToStart", "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found", nil)
		})
		_, _, err := w.fly(t.Context(), w.launcher(), w.order(3))
		if err == nil || !strings.Contains(err.Error(), "task 2 00000000 ended before the start: TaskFailedToStart: CannotPullContainerError") {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		if n := w.oneOff.Running(); n != 0 {
			t.Errorf("%d tasks are left", n)
		}
	})
}

func TestADeathIsSaidAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.onWindow = func(task int, win *result.Window) {
			if task == 2 && win.To == 10*time.Second {
				w.dead[2].Store(true)
				w.oneOff.Kill(second, awstest.SpotInterruption, "Your Spot Task was interrupted.", new(137))
			}
		}
		f, shown, err := w.fly(t.Context(), w.launcher(), w.order(3))
		if err != nil {
			t.Fatal(err)
		}
		died := 0
		for _, task := range f.Tasks() {
			if task.Died() {
				died = 10*died + task.Number
			}
		}
		if died != 2 || !w.heard("task 2 00000000 died: SpotInterruption: Your Spot Task was interrupted. (exit 137); what it has measured is counted") {
			t.Errorf("tasks that died: %d; said: %q", died, w.lines)
		}
		if last := shown[len(shown)-1]; last.To < 20*time.Second {
			t.Errorf("what the others did was shown until %v", last.To)
		}
		sum := w.merged(3)
		if sum.Verdict.ExitCode != 1 || sum.StoppedBy != result.StoppedByCut {
			t.Errorf("exit %d, stopped by %q", sum.Verdict.ExitCode, sum.StoppedBy)
		}
		if n := sum.Totals.Requests; n < 400+400+190 || n > 400+400+205 {
			t.Errorf("%d requests in the sum, want those of 20 s of two tasks and 10 s of the one that died", n)
		}
	})
}

func TestNoCapacityAndThrottlingAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.oneOff.Failure = func(call int) string {
			if call <= 3 {
				return "Capacity is unavailable at this time. Please try again later or in a different availability zone"
			}
			return ""
		}
		w.fake.Fail("ecs:RunTask", &awstest.Fault{Err: awstest.Throttled, Times: 4})
		_, _, err := w.fly(t.Context(), w.launcher(), w.order(2))
		if err != nil {
			t.Fatal(err)
		}
		if !w.heard("a task does not start yet: ") {
			t.Errorf("nothing was said of it: %q", w.lines)
		}
		if sum := w.merged(2); sum.Totals.Requests != 1200 {
			t.Errorf("%d requests", sum.Totals.Requests)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.oneOff.Failure = func(call int) string {
			if call > 1 {
				return "Capacity is unavailable at this time."
			}
			return ""
		}
		_, _, err := w.fly(t.Context(), w.launcher(), w.order(2))
		if err == nil || !strings.Contains(err.Error(), "not all tasks were started within 5m0s: Capacity is unavailable at this time.") {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		if n := w.oneOff.Running(); n != 0 {
			t.Errorf("%d tasks are left", n)
		}
	})
}

func TestWhatIsMissingIsNamedBeforeAnyTaskRuns(t *testing.T) {
	secret := func(o *Order) { o.Plan.Client.Header = http.Header{"Authorization": {"Bearer abc"}} }
	for name, row := range map[string]struct {
		world func(*world)
		order func(*Order)
		where func(*Where)
		want  string
	}{
		"RunTask is not allowed":        {func(w *world) { w.fake.Deny("ecs:RunTask") }, nil, nil, "not allowed to ecs:RunTask"},
		"the role may not be passed":    {func(w *world) { w.oneOff.DenyPassRole = true }, nil, nil, "not allowed to iam:PassRole"},
		"tags are not allowed":          {func(w *world) { w.fake.Fail("ecs:RunTask", &awstest.Fault{Err: awstest.Denied("ecs:TagResource")}) }, nil, nil, "not allowed to ecs:TagResource"},
		"the definition is not allowed": {func(w *world) { w.fake.Deny("ecs:DescribeTaskDefinition") }, nil, nil, "not allowed to ecs:DescribeTaskDefinition"},
		"no such definition":            {nil, nil, func(w *Where) { w.TaskDefinition = "other" }, "Unable to describe task definition"},
		"no such container":             {nil, nil, func(w *Where) { w.Container = "app" }, `container "app": want one of task definition loadgen: loadgen`},
		"an inactive definition":        {func(w *world) { w.oneOff.Definition.Inactive = true }, nil, nil, `task-definition "loadgen": want one that is active`},
		"a reference that no task has":  {nil, func(o *Order) { o.Plan.Targets[0].URL = "/?k=${KEY}" }, nil, "${KEY}: no task has it: want a variable or secret of the task definition, or --env KEY"},
		"a secret in the plan":          {nil, secret, nil, "client.header.Authorization: holds a secret, which would lie in S3 for all to read"},
		"a file that is not there":      {nil, func(o *Order) { o.Plan.Client.Body.File = "none.json" }, nil, `plan "none.json": want a file that can be read: no such file or directory`},
		"more tasks than users": {nil, func(o *Order) {
			o.Plan = plan.Default()
			o.Plan.Host, o.Plan.Users = "http://h", 2
		}, nil, `users "2": want at least 3, 1 for each of 3 generators`},
		"no task":            {nil, func(o *Order) { o.Tasks = 0 }, nil, `tasks "0": want 1 or more`},
		"a lab":              {nil, func(o *Order) { o.Plan.Host = plan.Lab }, nil, "a lab is on one machine"},
		"overrides too long": {nil, nil, func(w *Where) { w.Env["LONG"] = strings.Repeat("x", 8100) }, "env: the variables make overrides of "},
		"a refused first put": {func(w *world) {
			w.bucket.Before = func(_ context.Context, op, name string) error { return errors.New("refused " + op + " " + name) }
		}, nil, nil, "refused put run.json"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			l, o := w.launcher(), w.order(3)
			if row.world != nil {
				row.world(w)
			}
			if row.order != nil {
				row.order(&o)
			}
			if row.where != nil {
				row.where(&l.Where)
			}
			_, err := l.Launch(t.Context(), o)
			if _, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %v, want %s", name, err, row.want)
			}
			if n := w.oneOff.Running(); n != 0 {
				t.Errorf("%s: %d tasks were started", name, n)
			}
		})
	}
}

func TestVariablesAndFilesReachTheTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := filepath.Join(t.TempDir(), "order.json")
		if err := os.WriteFile(body, []byte(`{"n":1}`), 0o600); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		l, o := w.launcher(), w.order(2)
		l.Where.Env["KEY"] = "k"
		o.Plan.Targets[0].Method, o.Plan.Targets[0].Body = "POST", plan.Body{File: body}
		o.Plan.Targets[0].Header = http.Header{"Authorization": {"Bearer ${TOKEN}"}}
		f, _, err := w.fly(t.Context(), l, o)
		if err != nil {
			t.Fatal(err)
		}
		sum := w.merged(2)
		if sum.Totals.Requests != 1200 || sum.Totals.BytesOut != 600*7 {
			t.Errorf("%d requests, %d bytes out, want 600 bodies of 7: %v", sum.Totals.Requests, sum.Totals.BytesOut, w.said)
		}
		f.Rename(&sum.Plan)
		if got := sum.Plan.Targets[0].Body.File; got != body {
			t.Errorf("the file is called %s in the result, want %s as it was typed", got, body)
		}
		objects, err := w.bucket.List(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range objects {
			data, err := store.Read(t.Context(), w.bucket, x.Name, 1<<20)
			if err != nil || bytes.Contains(data, []byte("secret")) {
				t.Errorf("%s holds what no bucket should: %v", x.Name, err)
			}
		}
		if env := w.fake.Calls("ecs:RunTask")[0].In.Object("overrides").Objects("containerOverrides")[0].Objects("environment"); len(env) != 1 || env[0].Text("name") != "KEY" {
			t.Errorf("environment %v", env)
		}
	})
}

func TestAnInterruptedRunIsStoppedAndWhatItMeasuredIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		w.onWindow = func(task int, win *result.Window) {
			if task == 1 && win.To == 8*time.Second {
				cancel(errors.New("signal: interrupt"))
			}
		}
		f, _, err := w.fly(ctx, w.launcher(), w.order(2))
		if err == nil || err.Error() != "signal: interrupt" {
			t.Fatal(err)
		}
		if err := f.Stop(t.Context(), "interrupted"); err != nil {
			t.Fatal(err)
		}
		if err := f.Watch(t.Context(), func(*result.Window) {}); err != nil {
			t.Fatal(err)
		}
		sum := w.merged(2)
		if sum.Verdict.ExitCode != 105 || sum.Totals.Requests != w.service.asked.Load() || sum.Totals.Requests < 420 || sum.Totals.Requests > 660 {
			t.Errorf("exit %d, %d requests, the service counted %d", sum.Verdict.ExitCode, sum.Totals.Requests, w.service.asked.Load())
		}
	})
}

func TestARunIsFoundAgainFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.launcher()
		f, err := l.Launch(t.Context(), w.order(2))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.AwaitReady(t.Context()), f.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second) // the launcher is gone
		for _, client := range []ECS{l.ECS, nil} {
			again, err := Attach(t.Context(), w.bucket, client, nil, Pace{})
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Watch(t.Context(), func(*result.Window) {}); err != nil {
				t.Fatal(err)
			}
			for _, task := range again.Tasks() {
				if !task.Done {
					t.Errorf("%+v", task)
				}
			}
			if !again.Started().Equal(f.Started()) || again.Manifest().Tasks != 2 {
				t.Errorf("another run: %+v", again.Manifest())
			}
		}
		if _, err := Attach(t.Context(), store.Below(w.bucket, "elsewhere"), nil, nil, Pace{}); err == nil || err.Error() != "no run.json is there" {
			t.Errorf("%v", err)
		}
	})
}

func TestATaskThatMissedTheStartSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := put(t.Context(), w.bucket, keyStart, start{At: time.Now().Add(-time.Second)}); err != nil {
			t.Fatal(err)
		}
		p := &Part{Store: w.bucket, Task: 1}
		err := p.Hold(0)(t.Context())
		if e, ok := errors.AsType[*loadgen.LateError](err); !ok || e.By != time.Second {
			t.Errorf("%v", err)
		}
		p = &Part{Store: store.Below(w.bucket, "other"), Task: 1, Patience: time.Minute}
		began := time.Now()
		if err := p.Hold(0)(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "no start was given within 1m0s") || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestAnImageOfAnotherVersionIsRefusedByTheTask(t *testing.T) {
	objects := &store.Memory{}
	share, err := json.Marshal(Share{Schema: "loadgen/tasks/v9"})
	if err != nil {
		t.Fatal(err)
	}
	if err := objects.Put(t.Context(), keyShare(1), bytes.NewReader(share)); err != nil {
		t.Fatal(err)
	}
	p := &Part{Store: objects, Task: 1}
	if _, err := p.Fetch(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "the image is of another version than the launcher") {
		t.Errorf("%v", err)
	}
	p.Task = 2
	if _, err := p.Fetch(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "plans/2.json is not there") {
		t.Errorf("%v", err)
	}
}
