package tasks

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Flight is a run whose tasks were started. It is for one goroutine.
type Flight struct {
	ECS   ECS // nil: ECS is not asked, and a task that is gone is found by its silence
	Store store.Objects
	Say   func(line string)
	Pace
	Plan plan.Plan // whole

	manifest Manifest
	launched Launched
	tasks    []Task
	began    time.Time
	skew     time.Duration // S3's clock − this one
	start    time.Time     // by S3's clock; zero before it is given
	chorus   *chorus

	described time.Time
	unknown   string // why ECS does not tell, when it does not
}

// Task is one task of a flight, as far as it is known.
type Task struct {
	Number int // from 1
	ARN    string
	Status string // ECS's lastStatus

	Ready bool // it has said so
	Done  bool // its whole result is in S3
	Gone  bool // ECS has stopped it, or it has ended

	Exit   *int32 // of its container; nil: not known, or it never started
	Reason string // why it is gone, in ECS's words

	told bool // its death was
}

// Died reports whether the task ended without having written its whole result.
func (t *Task) Died() bool { return t.Gone && !t.Done }

// short is how a task is named: by number, and by the id that ECS has for it.
func (t *Task) short() string {
	id := t.ARN[strings.LastIndexByte(t.ARN, '/')+1:]
	return strings.TrimSpace("task " + strconv.Itoa(t.Number) + " " + id[:min(len(id), 8)])
}

// Attach finds a run that was launched elsewhere. ecs may be nil.
func Attach(ctx context.Context, objects store.Objects, client ECS, say func(string), pace Pace) (*Flight, error) {
	m, err := ReadManifest(ctx, objects)
	if err != nil {
		return nil, err
	}
	f := &Flight{ECS: client, Store: objects, Say: say, Pace: pace.withDefaults(), Plan: m.Plan, manifest: *m, began: time.Now()}
	if _, err := get(ctx, objects, keyLaunched, &f.launched); err != nil {
		return nil, err
	}
	var s start
	if _, err := get(ctx, objects, keyStart, &s); err != nil {
		return nil, err
	}
	f.start = s.At
	f.know()
	return f, nil
}

// Manifest says what the run is.
func (f *Flight) Manifest() *Manifest { return &f.manifest }

// Tasks are the tasks as they were seen last, in order. They belong to the Flight.
func (f *Flight) Tasks() []Task { return f.tasks }

// Started is the instant of the common start; zero before it was given.
func (f *Flight) Started() time.Time { return f.start }

// LocalStart is Started by this machine's clock.
func (f *Flight) LocalStart() time.Time { return f.start.Add(-f.skew) }

// know makes the tasks of what was launched.
func (f *Flight) know() {
	f.tasks = make([]Task, f.manifest.Tasks)
	for i := range f.tasks {
		f.tasks[i].Number = i + 1
		if i < len(f.launched.ARNs) {
			f.tasks[i].ARN = f.launched.ARNs[i]
		}
	}
	f.chorus = newChorus(f.manifest.Tasks, beatOf(f.Plan.Length()))
}

// open writes the run's first object, and reads S3's clock from it.
func (f *Flight) open(ctx context.Context) error {
	before := time.Now()
	if err := put(ctx, f.Store, keyManifest, &f.manifest); err != nil {
		return err
	}
	now := before.Add(time.Since(before) / 2)
	objects, err := f.Store.List(ctx, keyManifest)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.Name == keyManifest && !o.Modified.IsZero() {
			// It is in whole seconds. Clocks that agree within two are taken as one.
			if skew := o.Modified.Add(time.Second / 2).Sub(now); skew.Abs() > 2*time.Second {
				f.skew = skew
			}
		}
	}
	return nil
}

// AwaitReady waits until all tasks are ready. When one is gone before, or when the time is over, all are stopped.
func (f *Flight) AwaitReady(ctx context.Context) error {
	err := f.awaitReady(ctx)
	if err == nil {
		return nil
	}
	return errors.Join(err, f.Stop(context.WithoutCancel(ctx), "not all tasks were ready"))
}

func (f *Flight) awaitReady(ctx context.Context) error {
	deadline := time.NewTimer(time.Until(f.began.Add(f.ReadyWithin)))
	defer deadline.Stop()
	poll := time.NewTicker(f.Poll)
	defer poll.Stop()
	count := 0
	for {
		objects, err := f.Store.List(ctx, prefixReady)
		if err != nil && !passes(err) {
			return cause(ctx, err)
		}
		for _, o := range objects {
			if n, err := strconv.Atoi(strings.TrimPrefix(o.Name, prefixReady)); err == nil && 1 <= n && n <= len(f.tasks) {
				f.tasks[n-1].Ready = true
			}
		}
		n := 0
		for i := range f.tasks {
			if f.tasks[i].Ready {
				n++
			}
		}
		if n > count {
			f.say("%d of %d tasks are ready", n, len(f.tasks))
			count = n
		}
		f.describe(ctx)
		for i := range f.tasks {
			if t := &f.tasks[i]; t.Gone {
				return fmt.Errorf("%s ended before the start: %s", t.short(), t.why())
			}
		}
		if n == len(f.tasks) {
			return nil
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return fmt.Errorf("not ready within %v: %s", f.ReadyWithin, f.notReady())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// notReady names up to five tasks that are not ready, with what ECS says of them.
func (f *Flight) notReady() string {
	const most = 5
	var names []string
	for i := range f.tasks {
		if t := &f.tasks[i]; !t.Ready {
			name := t.short()
			if t.Status != "" {
				name += " (" + t.Status + ")"
			}
			names = append(names, name)
		}
	}
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	text := strings.Join(names, ", ")
	if f.unknown != "" {
		text += "; what ECS says of them is unknown: " + f.unknown
	}
	return text
}

// Start gives the instant of the common start, by S3's clock.
func (f *Flight) Start(ctx context.Context) error {
	f.start = time.Now().Add(f.skew + f.Lead).UTC().Truncate(time.Millisecond)
	if err := put(ctx, f.Store, keyStart, start{At: f.start}); err != nil {
		return errors.Join(cause(ctx, err), f.Stop(context.WithoutCancel(ctx), "the start could not be given"))
	}
	if f.skew != 0 {
		f.say("this machine's clock differs from S3's by %v; the start is by S3's", f.skew.Round(time.Second))
	}
	f.say("all tasks are ready; the load starts at %s", f.start.Format("15:04:05Z"))
	return nil
}

// Watch waits until every task has written its result or is gone, and hands on what all of them do as windows of one run, each
// some seconds long. A task that has not ended a minute after it had to is stopped.
func (f *Flight) Watch(ctx context.Context, live func(*result.Window)) error {
	poll := time.NewTicker(f.Poll)
	defer poll.Stop()
	var stopped bool
	for {
		f.listen(ctx)
		f.describe(ctx)
		for i := range f.tasks {
			t := &f.tasks[i]
			f.chorus.gone[t.Number] = f.chorus.gone[t.Number] || t.Gone || t.Done
			if t.Died() && !t.told {
				t.told = true
				f.say("%s died: %s; what it has measured is counted", t.short(), t.why())
			}
		}
		for _, w := range f.chorus.sing() {
			live(w)
		}
		if !slices.ContainsFunc(f.tasks, func(t Task) bool { return !t.Done && !t.Gone }) {
			return nil
		}
		if over := time.Now().Add(f.skew).Sub(f.end()); over > 0 && !stopped {
			stopped = true
			f.say("tasks %s have not ended; they are stopped", f.notDone())
			if err := f.Stop(ctx, "it did not end in time"); err != nil {
				return err
			}
		} else if over > f.StopWithin {
			for i := range f.tasks { // nothing more will come of them
				if t := &f.tasks[i]; !t.Done && !t.Gone {
					t.Gone, t.Reason = true, "it has not ended, and was not heard of again"
				}
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end is when the last task should have written its result, by S3's clock.
func (f *Flight) end() time.Time {
	from := f.start
	if from.IsZero() {
		from = f.began.Add(f.ReadyWithin)
	}
	return from.Add(f.Plan.Length() + time.Duration(f.Plan.StopTimeout) + time.Minute)
}

// notDone are the numbers of tasks whose results are not there.
func (f *Flight) notDone() string {
	var numbers []string
	for i := range f.tasks {
		if t := &f.tasks[i]; !t.Done && !t.Gone {
			numbers = append(numbers, strconv.Itoa(t.Number))
		}
	}
	return strings.Join(numbers, ", ")
}

// listeners is how many tasks are asked at a time.
const listeners = 16

// listen reads how the tasks are doing, and whether their results are there. What cannot be read is read next time.
func (f *Flight) listen(ctx context.Context) {
	type news struct {
		beats Beats
		told  bool
		done  bool
	}
	heard := make([]news, len(f.tasks))
	work := make(chan int)
	var wait sync.WaitGroup
	for range min(listeners, len(f.tasks)) {
		wait.Go(func() {
			for i := range work {
				h := &heard[i]
				h.told, _ = get(ctx, f.Store, keyProgress(i+1), &h.beats)
				if h.beats.Ended || f.tasks[i].Gone || f.ECS == nil {
					h.done = f.hasResult(ctx, i+1)
				}
			}
		})
	}
	for i := range f.tasks {
		if !f.tasks[i].Done {
			work <- i
		}
	}
	close(work)
	wait.Wait()
	for i := range heard {
		if h := &heard[i]; h.told {
			f.chorus.hear(i+1, &h.beats)
		}
		f.tasks[i].Done = f.tasks[i].Done || heard[i].done
	}
}

// hasResult reports whether a task's whole result is there, in a folder that has the task's own ID.
func (f *Flight) hasResult(ctx context.Context, task int) bool {
	objects, err := f.Store.List(ctx, ResultPrefix(task))
	return err == nil && slices.ContainsFunc(objects, func(o store.Object) bool { return path.Base(o.Name) == "result.json" })
}

// describeMost is how many tasks one DescribeTasks call takes.
const describeMost = 100

// describe asks ECS for the tasks, now and then. Where it does not tell, what is known stays.
func (f *Flight) describe(ctx context.Context) {
	if f.ECS == nil || time.Since(f.described) < f.Describe {
		return
	}
	f.described = time.Now()
	byARN := map[string]*Task{}
	var arns []string
	for i := range f.tasks {
		if t := &f.tasks[i]; t.ARN != "" && !t.Gone {
			byARN[t.ARN] = t
			arns = append(arns, t.ARN)
		}
	}
	for part := range slices.Chunk(arns, describeMost) {
		out, err := f.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &f.launched.Cluster, Tasks: part})
		if err != nil {
			if f.unknown == "" && ctx.Err() == nil {
				f.unknown = session.Explain(err).Error()
				f.say("what becomes of the tasks is seen in S3 alone: %s", f.unknown)
			}
			return
		}
		f.unknown = ""
		for i := range out.Tasks {
			if t := byARN[aws.ToString(out.Tasks[i].TaskArn)]; t != nil {
				t.learn(&out.Tasks[i])
			}
		}
		for _, failure := range out.Failures {
			// ECS tells of a task at most some seconds after RunTask, and forgets it an hour after its end.
			if t := byARN[aws.ToString(failure.Arn)]; t != nil && (t.Status != "" || time.Since(f.began) > time.Minute) {
				t.Gone, t.Reason = true, "ECS does not know it any more"
			}
		}
	}
}

// learn takes what ECS says of a task.
func (t *Task) learn(d *types.Task) {
	if t.Status = aws.ToString(d.LastStatus); t.Status != "STOPPED" {
		return
	}
	t.Gone, t.Reason = true, aws.ToString(d.StoppedReason)
	if d.StopCode != "" {
		t.Reason = strings.TrimSuffix(string(d.StopCode)+": "+t.Reason, ": ")
	}
	for _, c := range d.Containers {
		if c.ExitCode != nil && (t.Exit == nil || *c.ExitCode != 0) {
			t.Exit = c.ExitCode
		}
		if reason := aws.ToString(c.Reason); reason != "" && !strings.Contains(t.Reason, reason) {
			t.Reason += ": " + reason
		}
	}
}

// why is why a task is gone.
func (t *Task) why() string {
	text := or(t.Reason, "no reason given")
	if t.Exit != nil {
		text += fmt.Sprintf(" (exit %d)", *t.Exit)
	}
	return text
}

// passes reports whether a call may succeed later.
func passes(err error) bool {
	e, ok := errors.AsType[*session.Error](session.Explain(err))
	return ok && e.Passes()
}

// Stop tells ECS to stop all tasks that are not known to be gone. Those that measure write what they have and exit.
func (f *Flight) Stop(ctx context.Context, reason string) error {
	if f.ECS == nil {
		return nil
	}
	var mu sync.Mutex
	var failed []error
	var wait sync.WaitGroup
	room := make(chan struct{}, launchers)
	for i := range f.tasks {
		t := &f.tasks[i]
		if t.ARN == "" || t.Gone || t.Done {
			continue
		}
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			_, err := f.ECS.StopTask(ctx, &ecs.StopTaskInput{Cluster: &f.launched.Cluster, Task: &t.ARN, Reason: &reason})
			if err != nil && session.KindOf(err) != session.NotFound {
				mu.Lock()
				failed = append(failed, fmt.Errorf("%s could not be stopped: %w", t.short(), session.Explain(err)))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	f.described = time.Time{} // to be looked at soon
	return errors.Join(failed...)
}

func (f *Flight) say(format string, args ...any) {
	if f.Say != nil {
		f.Say(fmt.Sprintf(format, args...))
	}
}

// Rename gives the files of a plan that a task ran the names by which who launched it knows them.
func (f *Flight) Rename(p *plan.Plan) {
	for _, name := range filesOf(p) {
		for original, sum := range f.manifest.Files {
			if strings.HasSuffix(*name, pathOf("", original, sum)) {
				*name = original
			}
		}
	}
}
