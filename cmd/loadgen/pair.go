package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/pair"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const groupPair = "Paired run: two services in turns, compared"

// pairing is what `run` is told of a paired run.
type pairing struct {
	start, baseStart, baseHost string
	restarts                   int
	block                      plan.Duration
	comparing
}

// pairSettings is the table of what makes a run a paired one, and of what is for one alone.
func pairSettings() []setting {
	return []setting{
		{flag: "base-host", arg: "URL", group: groupPair, fields: []string{"base_host"},
			help: "compare --host with this service, which is measured in turns with it",
			set:  one(parseText, func(o *options, s string) { o.pair.baseHost = plan.Trim(s) })},
		{flag: "start", arg: "CMD", group: groupPair, fields: []string{"start"},
			help: "instead of --host: start this program, which listens on $PORT",
			set:  one(parseText, func(o *options, s string) { o.pair.start = s })},
		{flag: "base-start", arg: "CMD", group: groupPair, fields: []string{"base_start"},
			help: "and compare it with this one, e.g. './old --port $PORT'",
			set:  one(parseText, func(o *options, s string) { o.pair.baseStart = s })},
		{flag: "restarts", arg: "N", group: groupPair, fields: []string{"restarts"},
			help: "how often both are started, at least " + strconv.Itoa(pair.LeastRestarts), byDefault: strconv.Itoa(pair.DefaultRestarts),
			set: one(parseCount, func(o *options, n int) { o.pair.restarts = n })},
		{flag: "block", arg: "D", group: groupPair, fields: []string{"block"},
			help: "length of a turn; pairs of turns are in random order", byDefault: units.Duration(pair.DefaultBlock),
			set: one(inUnits(plan.ParseDuration), func(o *options, d plan.Duration) { o.pair.block = d })},
		{flag: "fail-on", arg: "EXPR", group: groupPair, separators: "\n;", plural: "FAIL_ON", fields: []string{"fail_on"},
			help: "exit 98 if so: p99>10%, error_rate>0.1pp, rps<-5%; repeatable",
			set:  each(checkedChange, func(o *options, all []string) { o.pair.failOn = all })},
		{flag: "min-effect", arg: "N%", group: groupPair, separators: ",", plural: "MIN_EFFECT",
			help: "smallest change that matters; repeatable", byDefault: "5% and 0.1pp",
			set: each(checkedEffect, func(o *options, all []string) { o.pair.minEffect = all })},
		{flag: "strict", group: groupPair,
			help: "exit 98 also if it cannot be told",
			set:  one(parseSwitch, func(o *options, on bool) { o.pair.strict = on })},
	}
}

// runSettings is the table of everything that `run` can be told.
func runSettings() []setting {
	return slices.Concat(settings(), startSettings(), publishSettings(), pairSettings(), watchSettings())
}

// isPaired reports whether two services were named.
func (r *resolution) isPaired() bool {
	return r.has("base-host") || r.has("start") || r.has("base-start")
}

// completePair is what is wrong with what was said of a paired run. Where programs are started there is no host to be
// named.
func (r *resolution) completePair() []error {
	if !r.isPaired() {
		return r.unused(purpose{run: "a paired run", want: "want --base-host URL, or --start CMD and --base-start CMD, beside it: it is for a paired run"},
			"restarts", "block", "fail-on", "min-effect", "strict")
	}
	if g := r.find("s3"); g != nil {
		return []error{&input.Error{Field: g.name, Want: "not of a paired run, which is two results: want aws s3 cp --recursive DIR URL after it"}}
	}
	if r.pair.start != "" || r.pair.baseStart != "" {
		r.plan.Host = "http://127.0.0.1" // until it is known where the program listens
	}
	return r.namedErrors(errors.Join(r.pairConfig().Validate()...))
}

// pairConfig is the paired run that was asked for.
func (r *resolution) pairConfig() pair.Config {
	c := pair.Config{Plan: r.plan, Restarts: r.pair.restarts, Block: time.Duration(r.pair.block)}
	c.Services = [2]pair.Service{{Command: r.pair.baseStart, Host: r.pair.baseHost}, {Command: r.pair.start, Host: r.plan.Host}}
	c.Compare, _ = r.pair.options() // its errors were the flags'
	return c
}

// runPaired runs both services in turns, shows how they compare, and returns the ending.
func runPaired(ctx context.Context, world *env, r *resolution) error {
	quiet := *world
	quiet.stderr = world.wholeLines()
	env := &quiet
	ctx, stopper := newStopper(ctx, func(cause string) {
		env.say("%s: sending stops, requests in flight have up to %s; a second signal ends them at once", cause, r.plan.StopTimeout)
	})
	signals, release := env.signals()
	defer release()
	done := make(chan struct{})
	defer close(done)
	go stopper.watch(signals, done)

	c := r.pairConfig()
	c.Env, c.Guard, c.Lookup, c.Cut, c.Judge = env.environ, env.guard, env.lookup, stopper.cut, env.judge
	c.Version = buildOf(version, debug.ReadBuildInfo).version
	c.MetadataURI, _ = env.variable("ECS_CONTAINER_METADATA_URI_V4")
	c.Say = func(line string) { env.plain("%s", line) }
	root, dirs, err := r.pairDirectories()
	if err != nil {
		return usage(err)
	}
	for i, dir := range dirs {
		if dir != nil {
			c.Sinks[i] = []result.Sink{dir}
		}
	}
	if err := c.Check(); err != nil {
		return usage(errors.Join(r.namedErrors(err)...))
	}
	env.plain("%s", r.describePair(&c, root))

	out, err := pair.Run(ctx, c)
	if out == nil {
		for _, dir := range dirs {
			dir.discard()
		}
		_ = os.Remove(root) // made for them, and empty again
		return r.pairEnding(ctx, err)
	}
	if root != "" {
		err = errors.Join(err, keepPair(root, out))
	}
	return env.finishPair(r, root, out, err)
}

// describePair is a paired run in a line.
func (r *resolution) describePair(c *pair.Config, root string) string {
	base, next := cmp.Or(c.Services[pair.Base].Command, plan.RedactURL(c.Services[pair.Base].Host)), cmp.Or(c.Services[pair.New].Command, plan.RedactURL(c.Services[pair.New].Host))
	kept := "; nothing is kept"
	if root != "" {
		kept = "; results in " + root
	}
	shape := c.Shape()
	times := ""
	if shape.Restarts > 0 {
		times = fmt.Sprintf(", both started %d times", shape.Restarts)
	}
	return fmt.Sprintf("paired: base %s, new %s: %d pairs of blocks of %s%s; %s of load, %s of it warm-up%s", base, next, shape.Pairs,
		units.Duration(time.Duration(shape.BlockS*float64(time.Second))), times, units.Clock(shape.Length), units.Clock(shape.WarmUp), kept)
}

// pairDirectories are where a paired run is kept: one directory for both, and in it one for each; nothing with --out none.
func (r *resolution) pairDirectories() (root string, dirs [2]*directory, err error) {
	if r.out == outNone {
		return "", dirs, nil
	}
	root, name := r.out, ""
	if g := r.find("out"); g != nil {
		name = g.name
	}
	if root == "" {
		root = filepath.Join(defaultOut, time.Now().UTC().Format("20060102T150405Z"))
		for base, i := root, 2; ; i++ {
			if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
				break
			}
			root = fmt.Sprintf("%s-%d", base, i)
		}
	}
	entries, err := os.ReadDir(root)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", dirs, &input.Error{Field: cmp.Or(name, "--out"), Got: root, Want: "a directory that can be made: " + reason(err)}
	case len(entries) > 0 && !r.overwrite:
		return "", dirs, &input.Error{Field: cmp.Or(name, "--out"), Got: root, Want: fmt.Sprintf("a new directory, or an empty one: it holds %s", entries[0].Name()),
			Hint: "--overwrite replaces the result in it"}
	}
	for i, side := range []string{"base", "new"} {
		dirs[i] = &directory{name: name, path: filepath.Join(root, side), overwrite: r.overwrite && len(entries) > 0}
	}
	return root, dirs, nil
}

// pairName is the file that holds a paired run's comparison.
const pairName = "compare.json"

// keepPair writes what is of both sides.
func keepPair(root string, out *pair.Outcome) error {
	var errs []error
	if out.Comparison != nil {
		f, err := os.Create(filepath.Join(root, pairName))
		if err == nil {
			err = errors.Join(compare.Write(f, "json", out.Comparison), f.Close())
		}
		errs = append(errs, err)
	}
	for i, side := range []string{"base", "new"} {
		if len(out.Output[i]) > 0 {
			errs = append(errs, os.WriteFile(filepath.Join(root, side+".log"), out.Output[i], 0o644))
		}
	}
	return errors.Join(errs...)
}

// pairEnding is the ending of a paired run of which nothing was measured.
func (r *resolution) pairEnding(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &ending{exit.Interrupted.Status(), fmt.Errorf("%w while the programs were starting: nothing was measured", context.Cause(ctx))}
	}
	if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
		return usage(errors.Join(r.namedErrors(refused.Err)...))
	}
	if bad := r.programErrors(err); bad != nil {
		return usage(bad)
	}
	return err
}

// programErrors are the errors of programs, each named by the flag that gave it; nil when there is none.
func (r *resolution) programErrors(err error) error {
	var errs []error
	for _, each := range flatten(err) {
		if bad, ok := errors.AsType[*pair.ProgramError](each); ok {
			errs = append(errs, errors.New(bad.Named(r.nameOf([]string{"base_start", "start"}[bad.Side]))))
		}
	}
	return errors.Join(errs...)
}

// finishPair shows a paired run, and returns the ending.
func (e *env) finishPair(r *resolution, root string, out *pair.Outcome, failed error) error {
	text := e.stdout
	if r.json {
		text = e.stderr
		if out.Comparison != nil {
			failed = errors.Join(failed, unlessUnread(compare.Write(e.stdout, "json", out.Comparison)))
		}
	}
	if out.Comparison != nil {
		failed = errors.Join(failed, unlessUnread(compare.Write(text, "text", out.Comparison)))
		if !r.pair.strict {
			e.warnUnknown(out.Comparison)
		}
	} else {
		e.say("no comparison: %s", out.Why)
	}
	next := out.Sides[pair.New]
	for _, t := range next.Thresholds {
		word := "passed"
		if !t.Passed {
			word = "FAILED"
		}
		fmt.Fprintf(text, "%s  --threshold %s of new: %s\n", word, t.Expression, t.Detail)
	}
	if root != "" {
		e.plain("loadgen report %s and %s show each side", filepath.Join(root, "base"), filepath.Join(root, "new"))
	}
	if bad := r.programErrors(failed); bad != nil {
		failed = bad
	}
	base := out.Sides[pair.Base]
	onError := r.plan.ExitCodeOnError
	facts := exit.Facts{
		Interrupted:      next.Interrupted,
		RunError:         failed != nil && !next.Interrupted,
		Unhealthy:        next.Verdict.Validity == result.Invalid,
		ThresholdFailed:  slices.ContainsFunc(next.Thresholds, func(o result.Outcome) bool { return !o.Passed }),
		Regression:       out.Comparison != nil && out.Comparison.Failed(r.pair.strict),
		RequestsFailed:   next.Totals.Failures > 0,
		NothingSucceeded: next.Totals.Requests == next.Totals.Failures || base.Totals.Requests == base.Totals.Failures,
		Ruled:            len(next.Thresholds) > 0 || onError != nil,
	}
	if onError != nil {
		facts.OnError = exit.Code(*onError)
	}
	if next.Interrupted {
		failed = nil // it has been said
	}
	return &ending{exit.Decide(facts), failed}
}

// checkedChange refuses what is no change, and keeps its text.
func checkedChange(text string) (string, error) {
	_, err := gate.ParseChange(text)
	return text, err
}

// checkedEffect refuses what is no effect, and keeps its text.
func checkedEffect(text string) (string, error) {
	_, _, err := parseEffect(text)
	return text, err
}

// readPair is the comparison that a paired run left in a directory.
func (e *env) readPair(dir string) (*compare.Comparison, error) {
	fsys, err := e.cloud.folder(dir)
	if err != nil {
		return nil, err
	}
	f, err := fsys.Open(pairName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := compare.Decode(f)
	if err != nil {
		return nil, &input.Error{Field: below(dir, pairName), Want: err.Error()}
	}
	if c.Paired == nil {
		return nil, &input.Error{Field: below(dir, pairName), Want: "is not of a paired run"}
	}
	return c, nil
}

// again takes over how a paired run was compared, but for what is told anew.
func (t *comparing) again(c *compare.Comparison, o *compare.Options) error {
	o.Paired = c.Paired
	if len(t.minEffect) == 0 {
		o.MinEffect = c.MinEffect
	}
	if len(t.failOn) > 0 || len(t.minEffect) > 0 { // without --fail-on the limits are the least effects
		return nil
	}
	for _, g := range c.Gates {
		f, err := gate.ParseChange(g.Expression)
		if err != nil {
			return input.WithField(err, pairName)
		}
		o.FailOn = append(o.FailOn, f)
	}
	return nil
}
