package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
)

func newFargateRun(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [URL|PATH...] --tasks N",
		Short: "starts tasks, waits for them and merges their results",
		Example: `
loadgen fargate run --tasks 4 --rate 8000 -t 10m --terraform-outputs outputs.json
loadgen fargate run --tasks 2 -H http://internal-api.example.com -u 400 -r 40 --cluster main \
  --task-definition loadgen --subnet subnet-0a1b,subnet-2c3d --security-group sg-4e5f \
  --s3 s3://my-results/runs/ --threshold 'p(99)<50ms'`,
		Long: `
What happens
  The load is divided by the tasks, so that the parts add up to it exactly; thresholds and the exit
  code are of the sum. outputs.json is what terraform output -json prints. One Ctrl-C stops the
  tasks and shows what they measured (exit 105); a second one leaves at once and says how to collect
  it later. The flags of the load are those of loadgen run; what LOADGEN_* variables of the task
  definition say of the load is not used. Credentials and region are taken as the AWS command
  line takes them.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	table := fargateSettings()
	flags := define(cmd.Flags(), table)
	completeRunFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env.outlivePipes()
		take(flags, args)
		flags["targets"].stdin = env.stdin
		r, err := resolveFargate(flags, env.variable)
		env.note(r.notes, table)
		if err != nil {
			return usage(err)
		}
		return env.fargateRun(cmd.Context(), r)
	}
	return cmd
}

// abroad is a run on AWS: what is needed to look at it and to bring its result home.
type abroad struct {
	*launch
	at      store.Location
	objects store.Objects // of the run
	flight  *tasks.Flight
	broke   []error // what kept it from going on

	observer *observer // of the service's capacity; nil: nobody watches it
}

// abroad makes no call yet.
func (e *env) abroad(ctx context.Context, r *resolution, at store.Location, ends string) (*abroad, session.Config, error) {
	cfg, err := e.cloud.load()
	if err != nil {
		return nil, cfg, usage(hinted(err))
	}
	objects, err := e.cloud.objects(at)
	if err != nil {
		return nil, cfg, usage(hinted(err))
	}
	return &abroad{launch: e.launch(ctx, r, ends), at: at, objects: objects}, cfg, nil
}

// fargateRun launches the tasks, watches and collects them, and returns the ending.
func (e *env) fargateRun(ctx context.Context, r *resolution) error {
	f := &r.fargate
	if _, err := loadgen.Check(&r.plan, e.lookup); err != nil {
		return usage(errors.Join(r.namedErrors(err)...))
	}
	build := buildOf(version, debug.ReadBuildInfo).version
	if _, set := e.variable("AWS_REGION"); !set && f.outputs.Region != "" {
		e.cloud.load = sync.OnceValues(func() (session.Config, error) {
			return session.Load(context.Background(), session.Options{Region: f.outputs.Region, Version: build})
		})
	}
	id := tasks.NewID(time.Now())
	a, cfg, err := e.abroad(ctx, r, r.s3.Below(id), "the tasks are stopped")
	if err != nil {
		return err
	}
	defer a.close()
	if a.observer, err = a.observe(cfg); err != nil {
		return err
	}
	if a.observer != nil {
		defer a.observer.close()
	}
	if f.image.LogGroup != "" && f.where.Image != nil {
		f.where.Image.Region = cfg.Region
	}
	l := &tasks.Launcher{ECS: tasks.Client(cfg), Store: a.objects, URL: a.at.String(), Where: f.where, Say: a.tell, Pace: e.pace}
	if f.readyWithin > 0 {
		l.ReadyWithin = f.readyWithin
	}
	if a.flight, err = l.Launch(a.ctx, tasks.Order{ID: id, Plan: r.plan, Tasks: f.tasks, Version: build}); err != nil {
		return a.notLaunched(err)
	}
	a.tell("the run is " + a.at.String())
	if err := a.flight.AwaitReady(a.ctx); err != nil {
		return a.notLaunched(err)
	}
	if err := a.flight.Start(a.ctx); err != nil {
		return a.notLaunched(err)
	}
	return a.home()
}

// notLaunched is the ending of a run whose load did not start.
func (a *abroad) notLaunched(err error) error {
	if refused, ok := errors.AsType[*tasks.InputError](err); ok && a.ctx.Err() == nil {
		return usage(hinted(a.r.namedOfLaunch(refused.Err)))
	}
	if a.ctx.Err() != nil {
		return &ending{exit.Interrupted.Status(), errors.New("stopped before the start: nothing was sent")}
	}
	return &ending{exit.RunError.Status(), hinted(err)}
}

// hinted is an error of AWS with its hint, as messages have them.
func hinted(err error) error {
	if e, ok := errors.AsType[*session.Error](err); ok && e.Hint != "" {
		return fmt.Errorf("%w\nhint: %s", err, e.Hint)
	}
	return err
}

// tell shows a line of what goes on.
func (a *abroad) tell(line string) {
	if screen := a.screen.Load(); screen != nil {
		screen.News(line)
		return
	}
	a.plain.plain("%s", line)
}

// home watches the tasks to their end, or until it is told to stop, and makes one result of what they left.
func (a *abroad) home() error {
	sum := loadgen.Sum{Expect: a.r.service.expect}
	live, closeLive := a.live()
	err := a.flight.Watch(a.ctx, live)
	interrupted := a.ctx.Err() != nil
	if interrupted {
		// A second signal leaves: what the tasks do then is seen by nobody.
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-a.stopper.cut:
				cancel()
			case <-ctx.Done():
			}
		}()
		a.broke = append(a.broke, a.flight.Stop(ctx, "loadgen fargate run: "+context.Cause(a.ctx).Error()))
		if err = a.flight.Watch(ctx, live); ctx.Err() != nil {
			closeLive()
			a.tell("what the tasks measure is collected by: loadgen fargate collect " + a.at.String())
			return &ending{exit.Interrupted.Status(), nil}
		}
	}
	if err != nil {
		a.broke = append(a.broke, err)
	}
	if interrupted {
		sum.Interrupted = context.Cause(a.ctx).Error()
	}
	if o := a.observer; o != nil {
		ended := o.start.Add(a.flight.Plan.Length())
		if now := time.Now(); now.Before(ended) {
			ended = now
		}
		o.ended(a.ctx, ended, &sum)
	}
	closeLive()
	return a.collect(sum)
}

// live shows the tasks as one run. It returns what takes a window, and what ends it.
func (a *abroad) live() (func(*result.Window), func()) {
	p := &a.flight.Manifest().Plan
	meta := &result.Meta{Plan: *p, Phases: p.Phases(), StartedAt: a.flight.Started()}
	meta.Endpoints, _ = loadgen.Check(p, nil) // else the endpoints have no names
	var watched *watching
	if o := a.observer; o != nil {
		watched = &watching{Capacity: o.watcher, host: p.Host, recovery: o.recovery}
	}
	shown := a.show(watched)
	for _, s := range shown {
		_ = s.Start(meta)
		_ = s.Begin(meta)
	}
	if a.observer != nil {
		a.observer.began(a.flight.LocalStart(), shown)
		return a.observer.window, func() {
			for _, s := range shown {
				_ = s.Close()
			}
			a.screen.Store(nil)
		}
	}
	return func(w *result.Window) {
			for _, s := range shown {
				_ = s.Window(w)
			}
		}, func() {
			for _, s := range shown {
				_ = s.Close()
			}
			a.screen.Store(nil)
		}
}

// collect merges what the tasks left, shows it beside each task's part, and returns the ending.
func (a *abroad) collect(sum loadgen.Sum) error {
	var parts []*result.Opened
	var counts []string
	for _, t := range a.flight.Tasks() {
		o, err := a.env.cloud.openTask(a.at, t.Number)
		if err != nil {
			a.broke = append(a.broke, fmt.Errorf("task %d left no result: %w", t.Number, err))
			counts = append(counts, fmt.Sprintf("task %-3d  nothing", t.Number))
			continue
		}
		a.env.audit(o)
		a.flight.Rename(&o.Meta.Plan)
		a.flight.Rename(&o.Result.Plan)
		parts = append(parts, o)
		counts = append(counts, countsOf(fmt.Sprintf("task %-3d", t.Number), o.Result))
	}
	if len(parts) == 0 {
		status := exit.RunError.Status()
		if sum.Interrupted != "" {
			status = exit.Interrupted.Status()
		}
		return &ending{status, errors.Join(append(a.broke, errors.New("no task left a result"))...)}
	}
	sum.Parts, sum.Broke = parts, errors.Join(a.broke...)
	var sinks []result.Sink
	if a.r.out != outNone {
		a.dir = &directory{path: a.r.out, overwrite: a.r.overwrite}
		if g := a.r.find("out"); g != nil {
			a.dir.name = g.name
		}
		sinks = append(sinks, a.dir)
	}
	res, err := sum.Merge(sinks...)
	if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
		a.dir.discard()
		return &ending{exit.RunError.Status(), fmt.Errorf("%w\nhint: what the tasks left is in %s", refused.Err, a.at)}
	}
	ended := a.shownSum(res, err)
	for _, line := range append(counts, countsOf("all     ", res), servedOf(res)) {
		a.env.plain("%s", line)
	}
	return ended
}

// shownSum shows the sum, with its capacity where that was watched, and returns the ending.
func (a *abroad) shownSum(res *result.Result, err error) error {
	in := report.Input{Result: res, Options: report.Options{Dir: a.dir.kept()}}
	if res.Timeline != nil {
		in.Timeline, in.Expectations = res.Timeline, expectations(res)
		if opened, err := result.Open(a.dir.kept()); err == nil { // else the report does without
			in.Windows = opened.Windows()
		}
	}
	return a.env.finish(a.r.json, in, err)
}

// countsOf is what a result counted, in a line: it is to stand beside what the service counted.
func countsOf(name string, r *result.Result) string {
	t := &r.Totals
	return fmt.Sprintf("%s  sent %s  answered %s  failed %s  unanswered %s  sent again %s  %s", name,
		units.Count(t.Sent), units.Count(t.Requests), units.Count(t.Failures), units.Count(t.Abandoned), units.Count(r.Connections.Retried), r.Verdict.Validity)
}

// servedOf is what the service says of itself in its answers.
func servedOf(r *result.Result) string {
	if len(r.ServedBy) == 0 {
		return "service   its answers have no X-Served-By: compare with its own count"
	}
	var sum int64
	for _, n := range r.ServedBy {
		sum += n
	}
	return fmt.Sprintf("service   answered %s, by the X-Served-By of %s", units.Count(sum), countOf(len(r.ServedBy), "server"))
}

func newFargateCollect(env *env) *cobra.Command {
	r := &resolution{failed: map[string]bool{}}
	cmd := &cobra.Command{
		Use:   "collect s3://BUCKET/PREFIX/ID/",
		Short: "waits for tasks launched elsewhere and merges their results",
		Example: `
loadgen fargate collect s3://my-results/runs/20261128T150405Z-1a2b3c4d/ -o result`,
		Long: `
Each run prints its URL. Ctrl-C stops waiting and merges what is there; the tasks go on. Tasks that
were not launched by loadgen fargate run (aws ecs run-task) leave a result each: loadgen merge.`,
	}
	flags := cmd.Flags()
	var now bool
	flags.StringVarP(&r.out, "out", "o", "", "directory for the merged result, or none")
	annotate(flags.Lookup("out"), noteArg, "DIR")
	annotate(flags.Lookup("out"), noteDefault, defaultOut+"/<UTC start>")
	_ = cmd.MarkFlagDirname("out")
	flags.BoolVar(&r.json, "json", false, "print the result as JSON instead of the report")
	flags.BoolVar(&now, "now", false, "merge what is there now, without waiting")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env.outlivePipes()
		if len(args) != 1 {
			return usagef("collect", "", "", "want the URL of one run, e.g. loadgen fargate collect s3://my-results/runs/ID/")
		}
		at, err := store.ParseURL(args[0])
		if err != nil {
			return usage(err)
		}
		return env.fargateCollect(cmd.Context(), r, at, now)
	}
	return cmd
}

func (e *env) fargateCollect(ctx context.Context, r *resolution, at store.Location, now bool) error {
	a, cfg, err := e.abroad(ctx, r, at, "no more waiting")
	if err != nil {
		return err
	}
	defer a.close()
	if a.flight, err = tasks.Attach(a.ctx, a.objects, tasks.Client(cfg), a.tell, e.pace); err != nil {
		return usage(hinted(fmt.Errorf("%s: %w", a.at, err)))
	}
	r.plan = a.flight.Plan
	if !now {
		live, closeLive := a.live()
		err := a.flight.Watch(a.ctx, live)
		closeLive()
		if err != nil && a.ctx.Err() == nil {
			a.broke = append(a.broke, err)
		}
	}
	return a.collect(loadgen.Sum{})
}

func newFargateTask(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "task URL N",
		Short:   "is what a task of a run does",
		Example: "\nloadgen fargate task s3://my-results/runs/20261128T150405Z-1a2b3c4d/ 1",
		Hidden:  true,
		Args:    cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env.outlivePipes()
		if len(args) != 2 {
			return usagef("task", "", "", "want the URL of a run and the number of the task")
		}
		at, err := store.ParseURL(args[0])
		if err != nil {
			return usage(err)
		}
		n, err := parseCount(args[1])
		if err != nil {
			return usage(err)
		}
		return env.fargateTask(cmd.Context(), at, n)
	}
	return cmd
}

// fargateTask does one task's part of a run.
func (e *env) fargateTask(ctx context.Context, at store.Location, n int) error {
	objects, err := e.cloud.objects(at)
	if err != nil {
		return usage(hinted(err))
	}
	host, _ := os.Hostname()
	part := &tasks.Part{Store: objects, Task: n, Host: host, Poll: e.pace.Poll}
	dir, err := inputsDir(at.String())
	if err != nil {
		return &ending{exit.RunError.Status(), err}
	}
	share, err := part.Fetch(ctx, dir)
	if err != nil {
		return usage(hinted(err))
	}
	r, err := resolveShare(share, dir, e.variable)
	if err != nil {
		return usage(err)
	}
	r.out, r.s3 = outNone, at.Below(tasks.ResultPrefix(n))
	l := e.launch(ctx, r, "sending stops")
	defer l.close()
	l.held = part.Hold(share.Offset)
	l.sinks = []result.Sink{&tasks.Beacon{Store: objects, Task: n}}
	e.plain("task %d of %d of run %s: %s", n, share.Tasks, share.Run, describeShare(&share.Plan))
	res, err := l.run(r.plan.Host, nil)
	if res == nil {
		return err
	}
	return e.finish(false, report.Input{Result: res, Options: report.Options{Dir: l.shown()}}, err)
}

func describeShare(p *plan.Plan) string { return fmt.Sprintf("%s of load", units.Duration(p.Length())) }
