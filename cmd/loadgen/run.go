package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
)

func newRun(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [URL|PATH...]",
		Short: "sends load to a service, reports the result and sets the exit code",
		Example: `
loadgen run --host embedded                              # try it, with a service in this process
loadgen run -H http://localhost:8080 -u 100 -r 10 -t 5m  # 100 users for 5 minutes
loadgen run -H http://localhost:8080 --rate 400 --threshold 'p(99)<50ms'
loadgen run -H http://localhost:8080 --stage 1m:50 --stage 5m:50 --stage 1m:0
loadgen run --start ./new --base-start ./old --rate 200 -t 2m  # is new slower than old?`,
		Long: `
Variables
  Each flag can be set by a variable: LOADGEN_USERS for --users, LOADGEN_SPAWN_RATE for
  --spawn-rate. Repeatable flags are in the plural: LOADGEN_STAGES and LOADGEN_TAGS are separated
  by commas, LOADGEN_THRESHOLDS by ; or newlines, LOADGEN_HEADERS by newlines. Locust's LOCUST_HOST,
  LOCUST_USERS, LOCUST_SPAWN_RATE, LOCUST_RUN_TIME and LOCUST_STOP_TIMEOUT are read too.
  Precedence: flag, LOADGEN_*, LOCUST_*, --plan, default.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	table := runSettings()
	flags := define(cmd.Flags(), table)
	said := defineHabits(cmd.Flags(), habits())
	profile := defineProfile(cmd.Flags())
	completeRunFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("host", cobra.FixedCompletions([]cobra.Completion{plan.Embedded}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env.outlivePipes()
		take(flags, args)
		flags["targets"].stdin = env.stdin
		notes, refused := answer(*said)
		notes = append(notes, answerVariables(habits(), env.variable)...)
		r, err := resolve(flags, env.variable)
		if len(refused) > 0 { // what else is wrong may be of it
			err = errors.Join(refused...)
		}
		notes = append(notes, r.notes...)
		if err == nil {
			notes = append(notes, r.pauses(flags)...)
			if r.s3.Bucket == "" {
				notes = append(notes, notesOfPlace(r.out)...)
			}
			if note := noteOfProxy(&r.plan, env.variable); note != "" {
				notes = append(notes, note)
			}
		}
		env.note(notes, table)
		if err != nil {
			return usage(err)
		}
		return profiled(profile, func() error {
			if r.publish.dryRun {
				return env.forecast(r)
			}
			if r.isPaired() {
				return runPaired(cmd.Context(), env, r)
			}
			if r.has("watch") {
				return runWatched(cmd.Context(), env, r)
			}
			return runPlan(cmd.Context(), env, r)
		})
	}
	return cmd
}

// pauses is a note for those who have another tool's name for users in their fingers, whose users do not pause.
func (r *resolution) pauses(flags map[string]*typed) []string {
	name := flags["users"].name
	if g := r.find("users"); g == nil || g.level < byFlag || name == "--users" || r.has("think") || r.has("pacing") || r.plan.Think == (plan.Range{}) {
		return nil
	}
	return []string{name + " is --users, who pause for " + r.plan.Think.String() + " after each answer; --think 0 for none"}
}

// noteStrangers says how to name one's own requests when the ones that nobody asked for are unknown to the host.
func (e *env) noteStrangers(p *plan.Plan, r *result.Result) {
	if !slices.EqualFunc(p.Targets, plan.DefaultTargets(), func(a, b plan.Target) bool {
		return a.Method == b.Method && a.URL == b.URL && len(a.Expect) == 0
	}) {
		return
	}
	for i := range r.Endpoints {
		if x := &r.Endpoints[i]; x.Requests > 0 && x.Status["404"] == x.Requests {
			e.say("note: %s is 404 on this host, and one of the default requests; name your own: loadgen run -H %s /a /b, or -T FILE", x.Name, plan.RedactURL(p.Host))
		}
	}
}

// note says what is to be noted of what was given.
func (e *env) note(notes []string, table []setting) {
	for _, n := range append(notes, strangers(table, e.environ)...) {
		e.say("note: %s", n)
	}
}

// completeRunFlags says what a shell may offer after a flag that `run` has and `lab` too.
func completeRunFlags(cmd *cobra.Command) {
	// The errors would be of a flag that does not exist; a test completes them all.
	_ = cmd.RegisterFlagCompletionFunc("arrivals", cobra.FixedCompletions([]cobra.Completion{string(plan.Uniform), string(plan.Poisson)}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("out")
}

// runPlan runs the plan, shows the result, and returns the ending.
func runPlan(ctx context.Context, env *env, r *resolution) error {
	l := env.launch(ctx, r, "sending stops")
	defer l.close()
	res, err := l.run(r.plan.Host, nil)
	if res == nil {
		return err
	}
	defer env.noteStrangers(&r.plan, res)
	if r.publish.emf {
		to := *env
		to.stdout = env.stderr
		env = &to
	}
	return env.finish(r.json, report.Input{Result: res, Options: report.Options{Dir: l.shown()}}, err)
}

// finish shows a result, which may come beside an error, and returns the ending.
func (e *env) finish(asJSON bool, in report.Input, err error) error {
	text := e.stdout
	if asJSON {
		text = e.stderr
		err = errors.Join(err, unlessUnread(report.Write(e.stdout, "json", in)))
	}
	dir := in.Options.Dir
	in.Options = e.options(text)
	in.Options.Dir = dir
	err = errors.Join(err, unlessUnread(report.Write(text, "text", in)))
	status := exit.Status{Code: exit.Code(in.Result.Verdict.ExitCode), Name: in.Result.Verdict.ExitName}
	if err != nil && status.Code == exit.Passed {
		status = exit.RunError.Status()
	}
	return &ending{status, err}
}

// unlessUnread is the error of writing a result, but nil when whoever read it has ended: the result is the run's, and is
// kept where it was asked to be.
func unlessUnread(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// options are how a report is laid out on a stream.
func (e *env) options(w io.Writer) report.Options {
	columns, lines := e.size(w)
	// A task's log is taken apart into events at the ends of lines.
	_, isTask := e.variable("ECS_CONTAINER_METADATA_URI_V4")
	return report.Options{Width: cmp.Or(columns, report.DefaultWidth), Height: lines, Color: e.color(w), Unbroken: isTask && !e.isTTY(w)}
}
