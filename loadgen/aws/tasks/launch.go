package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
)

// ECS is what a launcher calls of the SDK's client.
type ECS interface {
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	RegisterTaskDefinition(context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error)
	RunTask(context.Context, *ecs.RunTaskInput, ...func(*ecs.Options)) (*ecs.RunTaskOutput, error)
	DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
	StopTask(context.Context, *ecs.StopTaskInput, ...func(*ecs.Options)) (*ecs.StopTaskOutput, error)
}

// Client is ECS with this configuration.
func Client(cfg aws.Config) ECS { return ecs.NewFromConfig(cfg) }

// Where is where tasks run.
type Where struct {
	Cluster        string
	TaskDefinition string // name, name:revision or ARN; empty with an Image
	Image          *Image // one that is to be registered as a task definition
	Container      string // in it; empty: the only one, or "loadgen"
	Subnets        []string
	SecurityGroups []string
	PublicIP       bool
	CPU, Memory    string // of the task, in units of 1/1024 vCPU and MiB; empty: as defined
	Env            map[string]string
}

// Image is a task definition that is made for an image: one container, on Fargate.
type Image struct {
	Name          string
	ExecutionRole string // ARN: with which ECS pulls the image and writes the log
	TaskRole      string // ARN: with which the task writes to S3
	LogGroup      string // of CloudWatch Logs; empty: no log is kept
	Region        string // of the log group
	ARM           bool   // built for arm64
}

// Order is a load and how many tasks make it.
type Order struct {
	ID      string // of the run: a part of its URL
	Plan    plan.Plan
	Tasks   int
	Version string // of this program
	Expect  []string
}

// Launcher starts the tasks of one run.
type Launcher struct {
	ECS   ECS
	Store store.Objects // of the run's URL
	URL   string        // s3://BUCKET/PREFIX/ID/
	Where Where
	// Say takes a line for people; nil: nobody listens.
	Say func(line string)
	Pace
}

// Pace is how often is looked and how long is waited. The zero value is for use.
type Pace struct {
	Poll        time.Duration // of what tasks write to S3; 0: 2 s
	Describe    time.Duration // of what ECS says of them; 0: 6 s
	ReadyWithin time.Duration // since the first RunTask; 0: 5 min
	Lead        time.Duration // between the last task's being ready and the start; 0: 8 s
	StopWithin  time.Duration // how long a task may take after it was told to stop; 0: 150 s, 30 s above the most that Fargate gives
}

func (p Pace) withDefaults() Pace {
	return Pace{
		orDefault(p.Poll, 2*time.Second), orDefault(p.Describe, 6*time.Second), orDefault(p.ReadyWithin, 5*time.Minute),
		orDefault(p.Lead, 8*time.Second), orDefault(p.StopWithin, 150*time.Second),
	}
}

// InputError is what a launcher was given and cannot use, or may not: no task was started.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// maxOverrides is how many characters the overrides of a task may have (ECS API reference, RunTask).
const maxOverrides = 8192

// Launch checks everything that can be, writes what the tasks need, and starts them, each by a call of its own: the tasks of one call have the
// same overrides. Before the first RunTask an error is an [*InputError], and so is the refusal of the first: RunTask and the passing
// of roles can be tried only by doing it. After another error the tasks that were started are stopped.
func (l *Launcher) Launch(ctx context.Context, o Order) (*Flight, error) {
	l.Pace = l.withDefaults()
	shares, files, err := l.prepare(&o)
	if err != nil {
		return nil, &InputError{err}
	}
	f := &Flight{ECS: l.ECS, Store: l.Store, Say: l.Say, Pace: l.Pace, Plan: o.Plan}
	f.manifest = Manifest{Schema: schema, ID: o.ID, Tasks: o.Tasks, Created: time.Now().UTC(), Version: o.Version, Plan: o.Plan, Expect: o.Expect, Files: sumsOf(files)}
	definition, err := l.check(ctx, &f.manifest.Plan)
	if err != nil {
		return nil, &InputError{err}
	}
	if err := f.open(ctx); err != nil {
		return nil, &InputError{err}
	}
	if err := l.write(ctx, &o, shares, files); err != nil {
		return nil, &InputError{err}
	}
	if err := l.start(ctx, f, definition); err != nil {
		return nil, err
	}
	return f, nil
}

// prepare divides the plan and reads the files that it names, without any call.
func (l *Launcher) prepare(o *Order) ([]plan.Plan, map[string][]byte, error) {
	if o.Tasks < 1 {
		return nil, nil, &input.Error{Field: "tasks", Got: strconv.Itoa(o.Tasks), Want: "1 or more"}
	}
	if o.Plan.Host == plan.Lab {
		return nil, nil, &input.Error{Field: "host", Got: plan.Lab, Want: "the URL of a service: a lab is on one machine"}
	}
	redacted := o.Plan.Redacted()
	var refused []error
	for _, e := range input.Errors(redacted.Validate()) {
		if strings.Contains(e.Want, "was redacted") {
			e.Want = "holds a secret, which would lie in S3 for all to read: write ${NAME} in its place"
			e.Hint = "NAME is a variable or secret of the task definition, or --env NAME hands on this process's"
		}
		refused = append(refused, e)
	}
	if len(refused) > 0 {
		return nil, nil, errors.Join(refused...)
	}
	o.Plan = redacted // the same but for nothing
	files := map[string][]byte{}
	for _, name := range filesOf(&o.Plan) {
		if _, known := files[*name]; known {
			continue
		}
		data, err := os.ReadFile(*name)
		if err != nil {
			return nil, nil, &input.Error{Field: "plan", Got: *name, Want: "a file that can be read: " + inner(err).Error()}
		}
		files[*name] = data
	}
	shares, err := o.Plan.Shares(o.Tasks)
	if err != nil {
		return nil, nil, err
	}
	return shares, files, nil
}

func inner(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func sumsOf(files map[string][]byte) map[string]string {
	sums := map[string]string{}
	for name, data := range files {
		sums[name] = digest(data)
	}
	return sums
}

// check reads the task definition and returns its ARN. For an image it registers one.
func (l *Launcher) check(ctx context.Context, p *plan.Plan) (arn string, err error) {
	w := &l.Where
	if w.Image != nil {
		return l.register(ctx, p)
	}
	out, err := l.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &w.TaskDefinition})
	if err != nil {
		return "", session.Explain(err)
	}
	d := out.TaskDefinition
	var names []string
	for _, c := range d.ContainerDefinitions {
		names = append(names, aws.ToString(c.Name))
	}
	if w.Container == "" && len(names) == 1 {
		w.Container = names[0]
	} else if w.Container == "" {
		w.Container = "loadgen"
	}
	i := slices.Index(names, w.Container)
	if i < 0 {
		return "", &input.Error{Field: "container", Got: w.Container, Want: "one of task definition " + w.TaskDefinition + ": " + strings.Join(names, ", ")}
	}
	if d.Status == types.TaskDefinitionStatusInactive {
		return "", &input.Error{Field: "task-definition", Got: w.TaskDefinition, Want: "one that is active"}
	}
	var has []string
	for _, e := range d.ContainerDefinitions[i].Environment {
		has = append(has, aws.ToString(e.Name))
	}
	for _, s := range d.ContainerDefinitions[i].Secrets {
		has = append(has, aws.ToString(s.Name))
	}
	if len(d.ContainerDefinitions[i].EnvironmentFiles) > 0 {
		return aws.ToString(d.TaskDefinitionArn), nil // what is in them is not known
	}
	return aws.ToString(d.TaskDefinitionArn), l.checkReferences(p, has)
}

// checkReferences refuses a plan with references that no task could fill.
func (l *Launcher) checkReferences(p *plan.Plan, has []string) error {
	var wrong []error
	for _, name := range p.References() {
		if _, given := l.Where.Env[name]; !given && !slices.Contains(has, name) {
			wrong = append(wrong, &input.Error{Field: "${" + name + "}", Want: "no task has it: want a variable or secret of the task definition, or --env " + name})
		}
	}
	return errors.Join(wrong...)
}

// register makes a task definition of the image.
func (l *Launcher) register(ctx context.Context, p *plan.Plan) (string, error) {
	if err := l.checkReferences(p, nil); err != nil {
		return "", err
	}
	w := &l.Where
	if w.Container == "" {
		w.Container = "loadgen"
	}
	container := types.ContainerDefinition{
		Name: &w.Container, Image: &w.Image.Name, Essential: new(true), StopTimeout: new(int32(120)),
		Ulimits: []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 65535, HardLimit: 65535}},
	}
	if w.Image.LogGroup != "" {
		container.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": w.Image.LogGroup, "awslogs-region": w.Image.Region, "awslogs-stream-prefix": "loadgen",
		}}
	}
	in := &ecs.RegisterTaskDefinitionInput{
		Family: new("loadgen"), NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: new(or(w.CPU, "1024")), Memory: new(or(w.Memory, "2048")), ContainerDefinitions: []types.ContainerDefinition{container},
		ExecutionRoleArn: optional(w.Image.ExecutionRole), TaskRoleArn: optional(w.Image.TaskRole),
		RuntimePlatform: &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyLinux, CpuArchitecture: types.CPUArchitectureX8664},
	}
	if w.Image.ARM {
		in.RuntimePlatform.CpuArchitecture = types.CPUArchitectureArm64
	}
	out, err := l.ECS.RegisterTaskDefinition(ctx, in)
	if err != nil {
		return "", session.Explain(err)
	}
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// write writes what tasks read before they are ready.
func (l *Launcher) write(ctx context.Context, o *Order, shares []plan.Plan, files map[string][]byte) error {
	for _, data := range files {
		if err := l.Store.Put(ctx, keyFile(digest(data)), bytes.NewReader(data)); err != nil {
			return err
		}
	}
	for i := range shares {
		share := Share{Schema: schema, Run: o.ID, Task: i + 1, Tasks: o.Tasks, Plan: shares[i], Files: sumsOf(files), Offset: offsetOf(&o.Plan, i, o.Tasks)}
		if err := put(ctx, l.Store, keyShare(i+1), share); err != nil {
			return err
		}
	}
	return nil
}

// offsetOf is by how much later task i starts, from 0, so that evenly spaced sends of n tasks are evenly spaced together. Users come as
// chance has it, and of a rate under 10/s the gaps are too long to be waited for.
func offsetOf(p *plan.Plan, i, n int) time.Duration {
	highest := p.Curve().Max()
	if p.Model != plan.Open || p.Arrivals != plan.Uniform || highest < 10 {
		return 0
	}
	return time.Duration(float64(i) / highest * float64(time.Second)).Round(time.Nanosecond)
}

// input is the call that starts task i, counted from 0.
func (l *Launcher) input(f *Flight, definition string, i int) *ecs.RunTaskInput {
	w := &l.Where
	container := types.ContainerOverride{Name: &w.Container, Command: Command(l.URL, i+1)}
	names := make([]string, 0, len(w.Env))
	for name := range w.Env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		container.Environment = append(container.Environment, types.KeyValuePair{Name: new(name), Value: new(w.Env[name])})
	}
	public := types.AssignPublicIpDisabled
	if w.PublicIP {
		public = types.AssignPublicIpEnabled
	}
	return &ecs.RunTaskInput{
		Cluster: &w.Cluster, TaskDefinition: &definition, Count: new(int32(1)), LaunchType: types.LaunchTypeFargate,
		ClientToken: new(f.manifest.ID + "-" + strconv.Itoa(i+1)), StartedBy: new("loadgen/" + f.manifest.ID),
		Tags: []types.Tag{{Key: new("loadgen-run"), Value: &f.manifest.ID}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: w.Subnets, SecurityGroups: w.SecurityGroups, AssignPublicIp: public,
		}},
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{container}, Cpu: optional(w.CPU), Memory: optional(w.Memory)},
	}
}

// Command is what task i of a run is told to do, as the command of the program's container.
func Command(url string, task int) []string {
	return []string{"fargate", "task", url, strconv.Itoa(task)}
}

// checkOverrides refuses overrides that ECS would, while it can be said which of ours are too long.
func checkOverrides(in *ecs.RunTaskInput) error {
	type pair struct{ Name, Value string }
	var env []pair
	for _, e := range in.Overrides.ContainerOverrides[0].Environment {
		env = append(env, pair{*e.Name, *e.Value})
	}
	text, err := json.Marshal(map[string]any{"containerOverrides": []any{map[string]any{
		"name": in.Overrides.ContainerOverrides[0].Name, "command": in.Overrides.ContainerOverrides[0].Command, "environment": env,
	}}})
	if err != nil {
		return err
	}
	if len(text) > maxOverrides {
		return &input.Error{Field: "env", Want: fmt.Sprintf("the variables make overrides of %d characters, and ECS takes %d: put them into the task definition", len(text), maxOverrides)}
	}
	return nil
}

// launchers is how many RunTask calls are under way at a time.
const launchers = 4

// start starts all tasks.
func (l *Launcher) start(ctx context.Context, f *Flight, definition string) error {
	f.began = time.Now()
	f.launched = Launched{Cluster: l.Where.Cluster, ARNs: make([]string, f.manifest.Tasks)}
	if err := checkOverrides(l.input(f, definition, f.manifest.Tasks-1)); err != nil {
		return &InputError{err}
	}
	ctx, cancel := context.WithDeadlineCause(ctx, f.began.Add(l.ReadyWithin), fmt.Errorf("not all tasks were started within %v", l.ReadyWithin))
	defer cancel()
	arn, err := l.runTask(ctx, l.input(f, definition, 0))
	if err != nil {
		if e, ok := errors.AsType[*session.Error](err); ok && !e.Passes() && ctx.Err() == nil {
			return &InputError{err} // nothing runs
		}
		return err
	}
	f.launched.ARNs[0] = arn
	var mu sync.Mutex
	var wait sync.WaitGroup
	var failed error
	next := make(chan int)
	for range min(launchers, f.manifest.Tasks) {
		wait.Go(func() {
			for i := range next {
				arn, err := l.runTask(ctx, l.input(f, definition, i))
				mu.Lock()
				if f.launched.ARNs[i] = arn; err != nil && failed == nil {
					failed = fmt.Errorf("task %d of %d: %w", i+1, f.manifest.Tasks, err)
				}
				stop := failed != nil
				mu.Unlock()
				if stop {
					cancel()
				}
			}
		})
	}
	for i := 1; i < f.manifest.Tasks && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	if failed == nil && ctx.Err() != nil {
		failed = context.Cause(ctx)
	}
	f.know()
	after := context.WithoutCancel(ctx)
	if err := put(after, l.Store, keyLaunched, f.launched); err != nil && failed == nil {
		failed = err
	}
	if failed != nil {
		return errors.Join(failed, f.Stop(after, "the launch failed"))
	}
	f.say("%d tasks are started in cluster %s; waiting until all are ready", f.manifest.Tasks, l.Where.Cluster)
	return nil
}

// runTask starts one task. What may pass (no capacity, throttling) is tried again until ctx ends.
func (l *Launcher) runTask(ctx context.Context, in *ecs.RunTaskInput) (arn string, err error) {
	said, why := false, ""
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		out, err := l.ECS.RunTask(ctx, in)
		switch {
		case ctx.Err() != nil && why != "":
			return "", fmt.Errorf("%w: %s", context.Cause(ctx), why)
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case err == nil && len(out.Tasks) > 0:
			return aws.ToString(out.Tasks[0].TaskArn), nil
		case err == nil && len(out.Failures) > 0:
			why = reasonOf(out.Failures[0])
		case err == nil:
			why = "ECS started no task and gave no reason"
		default:
			explained := session.Explain(err)
			if e, ok := errors.AsType[*session.Error](explained); !ok || !e.Passes() {
				return "", explained
			}
			why = explained.Error()
		}
		if !said {
			said = true
			l.say("a task does not start yet: %s", why)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", fmt.Errorf("%w: %s", context.Cause(ctx), why)
		}
	}
}

func reasonOf(f types.Failure) string {
	reason := or(aws.ToString(f.Reason), "no reason given")
	if d := aws.ToString(f.Detail); d != "" {
		reason += ": " + d
	}
	return reason
}

func (l *Launcher) say(format string, args ...any) {
	if l.Say != nil {
		l.Say(fmt.Sprintf(format, args...))
	}
}
