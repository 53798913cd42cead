package awstest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// OneOff is how the fake starts tasks that no service wants: RunTask, StopTask, DescribeTasks and the definition of the task. A container
// is a function.
type OneOff struct {
	Definition Definition
	// Container is what a task does, in a goroutine of its own. ctx ends when the task is told to stop, as SIGTERM would; StopTimeout
	// later it is gone, whatever it does. What it returns is the exit code.
	Container func(ctx context.Context, t Started) (exit int)
	// StartsIn is how long it takes from RunTask until the container runs: pulling its image, say; nil: at once.
	StartsIn func(t Started) time.Duration
	// Failure is why a call of RunTask starts nothing though it succeeds, by its number from 1, as failures[] tells it; nil, or "": it does.
	Failure     func(call int) string
	StopTimeout time.Duration
	// PassRole says that the caller may not pass the task's role.
	DenyPassRole bool

	f     *Fake
	calls int
	tasks []*oneOff

	others Handler // of DescribeTasks, for a service's
}

// Definition is a task definition.
type Definition struct {
	Name       string // family:revision
	Containers []Container
	Inactive   bool
}

// Container is one of a definition.
type Container struct {
	Name         string
	Env, Secrets []string // names
}

// Started is a task that was started.
type Started struct {
	N       int // how manieth, from 1
	ARN     string
	Command []string
	Env     map[string]string // of the overrides
	Input   Object            // of RunTask
}

// oneOff is such a task. What is here is guarded by the fake's mutex.
type oneOff struct {
	Started
	created, started, stopped time.Time
	stopCode, reason          string
	exit                      *int
	stop                      context.CancelFunc
}

// RunTasks makes the fake start tasks.
func (f *Fake) RunTasks(o *OneOff) {
	o.f = f
	f.mu.Lock()
	o.others = f.handlers["ecs:DescribeTasks"]
	f.mu.Unlock()
	f.Handle("ecs:RunTask", o.runTask)
	f.Handle("ecs:StopTask", o.stopTask)
	f.Handle("ecs:DescribeTasks", o.describeTasks)
	f.Handle("ecs:DescribeTaskDefinition", o.describeDefinition)
	f.Handle("ecs:RegisterTaskDefinition", o.registerDefinition)
}

// Kill ends those of the tasks that are meant from outside, as ECS tells of it: SpotInterruption, or an error of its container.
func (o *OneOff) Kill(isMeant func(Started) bool, stopCode, reason string, exit *int) {
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	for _, t := range o.tasks {
		if isMeant(t.Started) {
			t.stop()
			t.end(o.f.now(), stopCode, reason, exit)
		}
	}
}

// Running is how many tasks have not stopped.
func (o *OneOff) Running() (n int) {
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	for _, t := range o.tasks {
		if t.stopped.IsZero() {
			n++
		}
	}
	return n
}

func (t *oneOff) end(at time.Time, stopCode, reason string, exit *int) {
	if t.stopped.IsZero() {
		t.stopped, t.stopCode, t.reason, t.exit = at, stopCode, reason, exit
	}
}

func (o *OneOff) runTask(in Object) (Object, error) {
	if o.DenyPassRole {
		e := Denied("iam:PassRole")
		e.Message = strings.ReplaceAll(e.Message, "resource: *", "resource: arn:aws:iam::"+Account+":role/load")
		return nil, e
	}
	if path.Base(in.Text("taskDefinition")) != o.Definition.Name {
		return nil, &Error{Code: "ClientException", Message: "TaskDefinition not found."}
	}
	if n, _ := in.Number("count"); n > 10 {
		return nil, &Error{Code: "InvalidParameterException", Message: "count cannot be more than 10."}
	}
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	for _, t := range o.tasks { // of one token there is one task
		if token := in.Text("clientToken"); token != "" && t.Input.Text("clientToken") == token {
			return Object{"tasks": []any{o.task(t)}, "failures": []any{}}, nil
		}
	}
	o.calls++
	if o.Failure != nil {
		if reason := o.Failure(o.calls); reason != "" {
			return Object{"tasks": []any{}, "failures": []any{Object{"reason": reason}}}, nil
		}
	}
	n := len(o.tasks) + 1
	t := &oneOff{created: o.f.now(), Started: Started{N: n, Input: in, Env: map[string]string{}}}
	t.ARN = arn("ecs", fmt.Sprintf("task/%s/%032x", path.Base(in.Text("cluster")), n))
	for _, c := range in.Object("overrides").Objects("containerOverrides") {
		t.Command = c.Texts("command")
		for _, e := range c.Objects("environment") {
			t.Env[e.Text("name")] = e.Text("value")
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	o.tasks = append(o.tasks, t)
	go o.live(ctx, t)
	return Object{"tasks": []any{o.task(t)}, "failures": []any{}}, nil
}

// live is a task's life.
func (o *OneOff) live(ctx context.Context, t *oneOff) {
	if o.StartsIn != nil {
		wait := time.NewTimer(o.StartsIn(t.Started))
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
			o.f.mu.Lock()
			defer o.f.mu.Unlock()
			t.end(o.f.now(), "UserInitiated", "Task stopped before it was running", nil)
			return
		}
	}
	o.f.mu.Lock()
	t.started = o.f.now()
	o.f.mu.Unlock()
	exit := o.Container(ctx, t.Started)
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	stopCode, reason := "EssentialContainerExited", "Essential container in task exited"
	if ctx.Err() != nil {
		stopCode, reason = "UserInitiated", "Task stopped by the user"
	}
	t.end(o.f.now(), stopCode, reason, &exit)
}

func (o *OneOff) knows(name string) bool {
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	return o.find(name) != nil
}

func (o *OneOff) find(name string) *oneOff {
	i := slices.IndexFunc(o.tasks, func(t *oneOff) bool { return t.ARN == name || strings.HasSuffix(t.ARN, "/"+name) })
	if i < 0 {
		return nil
	}
	return o.tasks[i]
}

func (o *OneOff) stopTask(in Object) (Object, error) {
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	t := o.find(in.Text("task"))
	if t == nil {
		return nil, &Error{Code: "InvalidParameterException", Message: "The referenced task was not found."}
	}
	t.stop()
	return Object{"task": o.task(t)}, nil
}

func (o *OneOff) describeTasks(in Object) (Object, error) {
	if asked := in.Texts("tasks"); len(asked) > 0 && !o.knows(asked[0]) {
		return o.others(in)
	}
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	asked := in.Texts("tasks")
	if len(asked) > 100 {
		return nil, &Error{Code: "InvalidParameterException", Message: "Tasks can have at most 100 items."}
	}
	found, missing := []any{}, []any{}
	for _, name := range asked {
		if t := o.find(name); t != nil {
			found = append(found, o.task(t))
			continue
		}
		missing = append(missing, Object{"arn": name, "reason": "MISSING"})
	}
	return Object{"tasks": o.f.arranged(found), "failures": missing}, nil
}

func (o *OneOff) task(t *oneOff) Object {
	status, desired := "PROVISIONING", "RUNNING"
	if !t.started.IsZero() {
		status = "RUNNING"
	}
	container := Object{"name": o.Definition.Containers[0].Name, "lastStatus": status}
	if !t.stopped.IsZero() {
		status, desired = "STOPPED", "STOPPED"
		if t.exit != nil {
			container["exitCode"] = *t.exit
		}
	}
	out := Object{
		"taskArn": t.ARN, "lastStatus": status, "desiredStatus": desired, "createdAt": t.created, "startedBy": orNil(t.Input.Text("startedBy")),
		"taskDefinitionArn": arn("ecs", "task-definition/"+o.Definition.Name), "containers": []any{container},
		"stopCode": orNil(t.stopCode), "stoppedReason": orNil(t.reason),
	}
	if !t.stopped.IsZero() {
		out["stoppedAt"] = t.stopped
	}
	return out
}

func (o *OneOff) definition() Object {
	status := "ACTIVE"
	if o.Definition.Inactive {
		status = "INACTIVE"
	}
	var containers []any
	for _, c := range o.Definition.Containers {
		env, secrets := []any{}, []any{}
		for _, name := range c.Env {
			env = append(env, Object{"name": name, "value": "1"})
		}
		for _, name := range c.Secrets {
			secrets = append(secrets, Object{"name": name, "valueFrom": arn("ssm", "parameter/"+name)})
		}
		containers = append(containers, Object{"name": c.Name, "environment": env, "secrets": secrets})
	}
	return Object{"taskDefinitionArn": arn("ecs", "task-definition/"+o.Definition.Name), "status": status, "containerDefinitions": containers}
}

func (o *OneOff) describeDefinition(in Object) (Object, error) {
	family, _, _ := strings.Cut(o.Definition.Name, ":")
	if asked := path.Base(in.Text("taskDefinition")); asked != o.Definition.Name && asked != family {
		return nil, &Error{Code: "ClientException", Message: "Unable to describe task definition."}
	}
	return Object{"taskDefinition": o.definition()}, nil
}

func (o *OneOff) registerDefinition(in Object) (Object, error) {
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	o.Definition = Definition{Name: in.Text("family") + ":1"}
	for _, c := range in.Objects("containerDefinitions") {
		o.Definition.Containers = append(o.Definition.Containers, Container{Name: c.Text("name")})
	}
	return Object{"taskDefinition": o.definition()}, nil
}

// Direct is a transport that reaches the fake without a socket, so that clients of it can be in a bubble of testing/synctest.
func (f *Fake) Direct() http.RoundTripper { return direct{f} }

type direct struct{ f *Fake }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	d.f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(w.body.Len()), Body: &body{&w.body},
	}, nil
}

// answer is what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header            { return a.header }
func (a *answer) WriteHeader(status int)         { a.status = status }
func (a *answer) Write(data []byte) (int, error) { return a.body.Write(data) }

type body struct{ *bytes.Buffer }

func (body) Close() error { return nil }
