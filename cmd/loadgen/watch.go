package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/aws/scaling"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/progress"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// ecsService is a service of Amazon ECS: what --watch and `watch` name.
type ecsService struct{ cluster, name string }

func (s ecsService) String() string { return "ecs:" + s.cluster + "/" + s.name }

// parseECS reads ecs:CLUSTER/SERVICE, or the ARN of a service.
func parseECS(text string) (ecsService, error) {
	const want = "ecs:CLUSTER/SERVICE, e.g. ecs:prod/checkout, or the ARN of a service"
	rest, ok := strings.CutPrefix(text, "ecs:")
	if !ok && strings.HasPrefix(text, "arn:") {
		_, rest, ok = strings.Cut(text, ":service/")
	}
	cluster, name, named := strings.Cut(rest, "/")
	if !ok || !named || !isECSName(cluster) || !isECSName(name) {
		return ecsService{}, input.Refuse(text, want)
	}
	return ecsService{cluster, name}, nil
}

// isECSName is what ECS takes as a name: letters, digits, hyphens and underscores, up to 255.
func isECSName(s string) bool {
	const most = 255
	return s != "" && len(s) <= most && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// groupWatch is of `run` and `fargate run`.
const groupWatch = "Capacity on AWS"

// watchSettings are those of `run` about a service on AWS that is watched.
func watchSettings() []setting {
	return append(watchedSettings(), setting{flag: "watch-log", arg: "GROUP", group: groupWatch,
		help: "with --watch: write scaling activities to this CloudWatch log group",
		set:  one(parseText, func(o *options, s string) { o.watchLog = s })})
}

// watchedSettings are those that `run` and `fargate run` have.
func watchedSettings() []setting {
	return []setting{
		{flag: "watch", arg: "SERVICE", group: groupWatch,
			help: "watch this service scale: ecs:CLUSTER/SERVICE",
			set:  one(parseECS, func(o *options, s ecsService) { o.watch = s })},
		{flag: "recovery", arg: "D", group: groupWatch, fields: []string{"recovery"},
			help: "with --watch: how long to watch after the load", byDefault: units.Duration(scaling.DefaultRecovery),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.service.recovery = d })},
		{flag: "task-capacity", arg: "RPS", group: groupWatch,
			help: "with --watch: requests/s that one task of the service can handle",
			set:  one(parseTaskCapacity, func(o *options, rps float64) { o.service.taskCapacity = rps })},
		{flag: "expect", arg: "EXPR", group: groupWatch, separators: "\n;", fields: []string{"expect"},
			help: "with --watch: exit 97 if EXPR fails, e.g. 'max_tasks==6'; repeatable",
			set:  each(parseExpectation, func(o *options, all []string) { o.service.expect = all })},
	}
}

// watchedFlags are those of watchedSettings that mean nothing without --watch.
func watchedFlags() []string { return []string{"recovery", "task-capacity", "expect"} }

// besideWatch is what they are for.
func besideWatch() purpose {
	return purpose{run: "a run with --watch", want: "want --watch ecs:CLUSTER/SERVICE beside it"}
}

// completeWatch is what is wrong with what was said of a service that is watched.
func (r *resolution) completeWatch() (errs []error) {
	if r.has("watch") || r.failed["watch"] {
		if r.isPaired() {
			errs = append(errs, &input.Error{Field: r.find("watch").name, Want: "cannot be combined with a paired run: it watches one service"})
		}
		return errs
	}
	return r.unused(besideWatch(), append(watchedFlags(), "watch-log")...)
}

// watchOptions are what a run says of how a service is watched.
func (r *resolution) watchOptions(say func(string)) scaling.Options {
	return scaling.Options{
		Cluster: r.watch.cluster, Service: r.watch.name, Recovery: time.Duration(r.service.recovery), TaskCapacity: r.service.taskCapacity, Say: say,
	}
}

// openWatch opens a watcher of a service, and the log if there is one. The name is that of the flag or argument that asked for it. Its
// error is an ending, before anything was started.
func (e *env) openWatch(ctx context.Context, name string, o scaling.Options, logGroup string) (w *scaling.Watcher, l *scaling.Log, err error) {
	cfg, err := session.Load(ctx, session.Options{Version: version})
	if err != nil {
		return nil, nil, usage(refusedByAWS(name, err))
	}
	w = scaling.New(cfg, o)
	if err := w.Open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, nil, &ending{exit.Interrupted.Status(), fmt.Errorf("%w before anything was started", context.Cause(ctx))}
		}
		if len(input.Errors(err)) > 0 {
			return nil, nil, usage(input.Rename(err, func(field string) string { return name + " " + field }))
		}
		return nil, nil, usage(refusedByAWS(name, err))
	}
	if logGroup != "" {
		if l, err = scaling.OpenLog(ctx, cfg, logGroup, ecsService{o.Cluster, o.Service}.String(), time.Now()); err != nil {
			return nil, nil, usage(refusedByAWS("--watch-log", err))
		}
	}
	return w, l, nil
}

// runWatched runs the plan while a service on AWS is watched.
func runWatched(ctx context.Context, env *env, r *resolution) error {
	l := env.launch(ctx, r, "sending stops")
	defer l.close()
	w, log, err := l.plain.openWatch(l.ctx, r.find("watch").name, r.watchOptions(func(line string) { l.plain.say("note: %s", line) }), r.watchLog)
	if err != nil {
		return err
	}
	w.Start()
	defer w.Close()
	if log != nil {
		l.sinks = append(l.sinks, log)
	}
	res, err := l.run(r.plan.Host, &watching{Capacity: w, host: r.plan.Host, recovery: cmp.Or(time.Duration(r.service.recovery), scaling.DefaultRecovery), late: scaling.Lag})
	if res == nil {
		return err
	}
	defer env.noteStrangers(&r.plan, res)
	return l.finishWatched(res, err)
}

func newWatch(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch SERVICE",
		Short: "shows what a service on AWS does: the scaling timeline, without load",
		Example: `
loadgen watch ecs:prod/checkout                        # until Ctrl-C
loadgen watch ecs:prod/checkout -t 30m --watch-log /loadgen/watch
loadgen watch ecs:prod/checkout --since 3h -t 0s       # only look back
loadgen watch ecs:prod/checkout -t 30m --json > timeline.json`,
		Long: `
What it reads
  ECS, Elastic Load Balancing, CloudWatch and Application Auto Scaling, by AWS's usual variables and
  files for region and credentials. A line is one thing that happened; the clock is 0 when watching
  starts, or at --since. An alarm that leads to nothing gets its cause. What a permission is missing
  for is said once, and the rest goes on. Figures that need a load are unknown here: loadgen run
  --watch has them. See docs/watch.md.`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var o watchFlags
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, f := range []struct {
		to               *string
		name, short, arg string
		usage, byDefault string
	}{
		{&o.length, "run-time", "t", "D", "how long to watch, e.g. 30m; 0s only looks back", "until Ctrl-C"},
		{&o.since, "since", "", "D|TIME", "look back as far: 3h, or 2026-11-28T09:00:00Z", "start of watching"},
		{&o.log, "watch-log", "", "GROUP", "write scaling activities to this CloudWatch log group", ""},
	} {
		flags.StringVarP(f.to, f.name, f.short, "", f.usage)
		annotate(flags.Lookup(f.name), noteArg, f.arg)
		annotate(flags.Lookup(f.name), noteDefault, f.byDefault)
	}
	flags.BoolVar(&o.json, "json", false, "print the timeline as JSON at the end; lines go to stderr")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage(&input.Error{Field: "argument", Got: strings.Join(args, " "), Want: wantOne(len(args))})
		}
		service, err := parseECS(args[0])
		if err != nil {
			return usage(input.WithField(err, "argument"))
		}
		length, since, err := o.parse(time.Now())
		if err != nil {
			return usage(err)
		}
		return watchService(cmd.Context(), env, service, &o, length, since)
	}
	return cmd
}

type watchFlags struct {
	length, since, log string
	json               bool
}

// forEver is how long is watched when nothing ends it.
const forEver = time.Duration(math.MaxInt64)

// mostSince is how far a timeline is looked back: activities are kept six weeks, the history of alarms 30 days.
const mostSince = 14 * 24 * time.Hour

func (o *watchFlags) parse(now time.Time) (length time.Duration, since time.Time, err error) {
	length = forEver
	var errs []error
	if o.length != "" {
		d, err := plan.ParseDuration(o.length)
		length = time.Duration(d)
		errs = append(errs, input.WithField(err, "--run-time"))
	}
	if o.since != "" {
		if t, isTime := time.Parse(time.RFC3339, o.since); isTime == nil {
			since = t
		} else if d, bad := plan.ParseDuration(o.since); bad == nil && d > 0 {
			since = now.Add(-time.Duration(d))
		} else {
			errs = append(errs, &input.Error{Field: "--since", Got: o.since, Want: "a duration such as 3h, or a time such as 2026-11-28T09:00:00Z"})
		}
		if !since.IsZero() && (since.After(now) || now.Sub(since) > mostSince) {
			errs = append(errs, &input.Error{Field: "--since", Got: o.since, Want: "a time within the last 14 days"})
		}
	}
	if o.length != "" && length == 0 && since.IsZero() && len(errs) < 2 {
		errs = append(errs, &input.Error{Field: "--run-time", Got: o.length, Want: "more than 0s, or --since beside it"})
	}
	return length, since, errors.Join(errs...)
}

// watchService watches until the time is over or a signal comes, and returns the ending.
func watchService(ctx context.Context, env *env, service ecsService, o *watchFlags, length time.Duration, since time.Time) error {
	env.outlivePipes()
	quiet := *env
	quiet.stderr = &wholeLines{w: env.stderr}
	ctx, stop := newStopper(ctx, func(cause string) { quiet.say("%s: watching ends", cause) })
	signals, release := env.signals()
	done := make(chan struct{})
	defer func() {
		close(done)
		release()
	}()
	go stop.watch(signals, done)

	out := io.Writer(env.stdout)
	if o.json {
		out = quiet.stderr
	}
	options := scaling.Options{Cluster: service.cluster, Service: service.name, Since: since, Say: func(line string) { quiet.say("note: %s", line) }}
	w, log, err := quiet.openWatch(ctx, "argument", options, o.log)
	if err != nil {
		return err
	}
	zero := time.Now()
	if !since.IsZero() {
		zero = since
	}
	w.Begin(zero)
	if log != nil {
		log.From(zero)
	}
	x := watchedService{w: w, log: log, zero: zero, out: out}
	x.story.Late = scaling.Lag
	x.story.Say = func(line string) { fmt.Fprintln(out, line) }
	fmt.Fprintf(out, "watching %s; 0:00 is %s\n", service, zero.UTC().Format(time.RFC3339))
	w.Start()
	if length > 0 {
		x.until(ctx, length)
	}
	w.Close()
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookBackTimeout)
	w.LookBack(final)
	cancel()
	x.learn()
	_ = x.story.Close() // it has no error
	line := x.ledger.Timeline(time.Since(zero))
	if err := x.finish(line); err != nil {
		return err
	}
	if o.json && line != nil {
		data, err := timeline.Encode(line)
		if err != nil {
			return err
		}
		_, err = env.stdout.Write(data)
		return unlessUnread(err)
	}
	return nil
}

// lookBackTimeout is how long the last look may take.
const lookBackTimeout = 10 * time.Second

// watchedService is a watch without load.
type watchedService struct {
	w      *scaling.Watcher
	log    *scaling.Log
	zero   time.Time
	out    io.Writer
	story  progress.Story
	ledger timeline.Ledger
}

// until tells what happens until the time is over or ctx ends.
func (x *watchedService) until(ctx context.Context, length time.Duration) {
	over := time.NewTimer(length)
	defer over.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		x.learn()
		select {
		case <-tick.C:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (x *watchedService) learn() {
	facts := &result.Facts{Until: time.Since(x.zero), Facts: x.ledger.Tell(x.w.Facts()...)}
	_ = x.story.Facts(facts) // it has no error
	if x.log != nil {
		_ = x.log.Facts(facts) // nor has this one; what is lost is told at the end
	}
}

// finish writes what the timeline comes to.
func (x *watchedService) finish(t *timeline.Timeline) error {
	var b strings.Builder
	switch {
	case t == nil || len(t.Points) == 0:
		b.WriteString("nothing is known of capacity\n")
	default:
		f := timeline.Compute(t, nil, timeline.Capacity{})
		unknown := func(c timeline.Count, text string) string {
			if slices.Contains(f.Unknown, c) {
				return text + " (where it is known)"
			}
			return text
		}
		fmt.Fprintf(&b, "\nwatched %s: %s, %s, %s; bounds %d to %d\n", units.Clock(t.End), unknown(timeline.CountDesired, between("desired", f.MinDesired, f.MaxDesired)),
			unknown(timeline.CountRunning, between("running", f.MinTasks, f.MaxTasks)), unknown(timeline.CountHealthy, between("healthy", f.MinHealthy, f.MaxHealthy)), t.Min, t.Max)
		fmt.Fprintf(&b, "activities %d, not scaled %d, tasks placed for others %d; lags, recovery and demand are unknown without a load\n", f.Activities, f.NotScaled, f.Replacements)
		for _, u := range t.Unseen {
			fmt.Fprintf(&b, "not known: %s, %s to %s: %s\n", u.Count, units.Clock(u.From), units.Clock(u.To), u.Why)
		}
		for _, s := range x.w.Steps() {
			if at := s.At.Sub(x.zero); at >= 0 {
				fmt.Fprintf(&b, "step: %s %s took %s, by the model %s\n", units.Clock(at), strings.TrimSuffix(s.What, ","), units.Duration(s.Took.Round(time.Second/10)), units.Duration(s.Model))
			}
		}
		for _, text := range t.Contradictions() {
			fmt.Fprintf(&b, "note: %s\n", text)
		}
	}
	for _, text := range append(x.w.Warnings(), x.ledger.Warnings()...) {
		fmt.Fprintf(&b, "note: %s\n", text)
	}
	if x.log != nil {
		if err := x.log.Close(); err != nil {
			fmt.Fprintf(&b, "note: %s\n", err)
		}
	}
	_, err := io.WriteString(x.out, b.String())
	return unlessUnread(err)
}

func between(what string, low, high int) string {
	if low == high {
		return what + " " + strconv.Itoa(low)
	}
	return fmt.Sprintf("%s %d to %d", what, low, high)
}

// wantOne is what an error says of so many arguments; without any there is none to quote.
func wantOne(n int) string {
	const one = "one service: ecs:CLUSTER/SERVICE"
	if n == 0 {
		return "want " + one
	}
	return one
}
