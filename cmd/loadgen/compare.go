package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/result"
)

// comparing is what `compare` is told.
type comparing struct {
	format, history           string
	failOn, minEffect, metric []string
	strict, force             bool
	calibrate                 bool
}

func newCompare(env *env) *cobra.Command {
	var told comparing
	cmd := &cobra.Command{
		Use:   "compare BASE… -- NEW…",
		Short: "compares two results or sets of results: worse, better, or cannot tell",
		Example: `
loadgen compare base new                              # two results
loadgen compare base-* -- new-*                       # several runs on each side
loadgen compare paired -f markdown                    # the result of a paired run
loadgen compare base new --fail-on 'p99>10%' -f markdown
loadgen compare --calibrate same-*                    # how noisy is this machine?
loadgen compare --history results --metric 'p99' --fail-on 'p99 within its last 20 runs'`,
		Long: `
Gate and exit codes
  Without --fail-on, p99, error_rate and rps are gated by --min-effect. Exit 0: no regression, or
  cannot tell (98 with --strict). Exit 2: the results cannot be compared. Exit 98: regression. A
  true change of exactly the limit fails half the time.`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&told.failOn, "fail-on", nil, "exit 98 if so: p99>10%, error_rate>0.1pp, rps<-5%; repeatable")
	annotate(flags.Lookup("fail-on"), noteArg, "EXPR")
	flags.StringArrayVar(&told.minEffect, "min-effect", nil, "smallest change that matters (error_rate: in pp); repeatable")
	annotate(flags.Lookup("min-effect"), noteArg, "N%")
	annotate(flags.Lookup("min-effect"), noteDefault, "5% and 0.1pp")
	flags.BoolVar(&told.strict, "strict", false, "exit 98 also if it cannot be told")
	flags.BoolVar(&told.force, "force", false, "compare results of different plans or generators, with a note")
	flags.StringVarP(&told.format, "format", "f", compare.Formats()[0], strings.Join(compare.Formats(), ", ")+"; with --history also csv")
	annotate(flags.Lookup("format"), noteArg, "F")
	annotate(flags.Lookup("format"), noteDefault, compare.Formats()[0])
	flags.StringVar(&told.history, "history", "", "directory of earlier results: estimate noise from them; alone: draw a chart")
	annotate(flags.Lookup("history"), noteArg, "DIR")
	flags.StringArrayVar(&told.metric, "metric", nil, "metric that --history draws; repeatable")
	annotate(flags.Lookup("metric"), noteArg, "M")
	annotate(flags.Lookup("metric"), noteDefault, "p50, p99, rps, error_rate")
	flags.BoolVar(&told.calibrate, "calibrate", false, "from runs of one build: how many runs find which change")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(append(compare.Formats(), "csv"), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("history")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dash := cmd.ArgsLenAtDash()
		if dash >= 0 { // here it stands between the sides, and does not end the flags
			base := slices.Clone(args[:dash])
			if err := cmd.Flags().Parse(slices.Clone(args[dash:])); err != nil {
				return flagError(cmd, err)
			}
			args = append(base, cmd.Flags().Args()...)
		}
		return env.compare(&told, args, dash)
	}
	return cmd
}

func (e *env) compare(told *comparing, args []string, dash int) error {
	formats := compare.Formats()
	alone := told.history != "" && len(args) == 0
	if alone {
		formats = compare.HistoryFormats()
	}
	options, err := told.options()
	draw, wrong := told.figures()
	err = errors.Join(err, wrong)
	if len(told.metric) > 0 && !alone {
		err = errors.Join(err, &input.Error{Field: "--metric", Want: "want --history DIR with it, and no results"})
	}
	if !slices.Contains(formats, told.format) {
		err = errors.Join(err, &input.Error{Field: "--format", Got: told.format, Want: "one of " + strings.Join(formats, ", "), Hint: didYouMean(told.format, formats, "")})
	}
	if err != nil {
		return usage(err)
	}
	if told.history != "" {
		if options.History, err = e.readHistory(told.history); err != nil {
			return usage(err)
		}
	}
	switch {
	case told.calibrate:
		return e.calibrate(args, told)
	case alone:
		return e.showHistory(told, draw, options)
	}
	if len(args) == 1 && dash < 0 {
		kept, err := e.readPair(args[0])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return usage(err)
		}
		if err == nil {
			if err := told.again(kept, &options); err != nil {
				return usage(err)
			}
			args = []string{below(args[0], "base"), below(args[0], "new")}
		}
	}
	baseDirs, newDirs, err := sidesOf(args, dash)
	if err != nil {
		return usage(err)
	}
	base, errBase := e.readRuns(baseDirs)
	next, errNext := e.readRuns(newDirs)
	if err := errors.Join(errBase, errNext); err != nil {
		return usage(err)
	}
	if slices.ContainsFunc(options.FailOn, func(c gate.Change) bool { return c.Last > 0 }) {
		return usagef("--fail-on", "", "", "within its last N runs: want --history DIR and no results; it judges the newest run")
	}
	c, err := compare.Compare(base, next, options)
	if unlike := compare.Errors(err); len(unlike) > 0 {
		return usage(&input.Error{Want: err.Error(), Hint: "--force compares them all the same"})
	}
	if err != nil {
		return usage(err)
	}
	if err := compare.Write(e.stdout, told.format, c); err != nil {
		return err
	}
	if !told.strict {
		e.warnUnknown(c)
	}
	if c.Validity == result.Invalid {
		return &ending{exit.Unhealthy.Status(), nil}
	}
	return judged(c.Failed(told.strict))
}

// warnUnknown says of each gate that could not be told that it could not.
func (e *env) warnUnknown(c *compare.Comparison) {
	for _, g := range c.Gates {
		if g.Outcome == compare.Unknown {
			e.say("warning: cannot tell whether %s: %s", g.Expression, g.Seen)
		}
	}
}

// judged is the ending of a comparison, which like a run's is always said.
func judged(failed bool) error {
	if failed {
		return &ending{exit.Regression.Status(), nil}
	}
	return &ending{exit.Passed.Status(), nil}
}

// options reads expressions, and says all that is wrong with them.
func (t *comparing) options() (o compare.Options, err error) {
	var errs []error
	for _, text := range t.failOn {
		c, err := gate.ParseChange(text)
		if err != nil {
			errs = append(errs, input.Rename(err, func(string) string { return "--fail-on" }))
			continue
		}
		o.FailOn = append(o.FailOn, c)
	}
	for _, text := range t.minEffect {
		v, isPoints, err := parseEffect(text)
		switch {
		case err != nil:
			errs = append(errs, input.WithField(err, "--min-effect"))
		case isPoints:
			o.MinErrorEffect = v
		default:
			o.MinEffect = v
		}
	}
	o.Force = t.force
	return o, errors.Join(errs...)
}

// parseEffect reads the least change that matters: a share such as 5%, or of error_rate points such as 0.1pp.
func parseEffect(text string) (effect float64, isPoints bool, err error) {
	number, isPoints := strings.CutSuffix(strings.TrimSpace(text), "pp")
	number, isPercent := strings.CutSuffix(number, "%")
	v, ok := input.Number(number)
	if !ok || isPoints == isPercent || !(v > 0 && v < 100) {
		return 0, false, &input.Error{Got: text, Want: "a change above 0 such as 5%, or of error_rate such as 0.1pp"}
	}
	return v / 100, isPoints, nil
}

func sidesOf(args []string, dash int) (base, next []string, err error) {
	switch {
	case dash < 0 && len(args) == 2:
		return args[:1], args[1:], nil
	case dash < 0:
		return nil, nil, &input.Error{Field: "compare", Want: fmt.Sprintf("want BASE NEW, or BASE… -- NEW…, and have %d arguments without --", len(args)),
			Hint: "e.g. loadgen compare base-1 base-2 -- new-1 new-2"}
	case dash == 0:
		return nil, nil, &input.Error{Field: "compare", Want: "no result before --: want at least one on each side"}
	case dash == len(args):
		return nil, nil, &input.Error{Field: "compare", Want: "no result after --: want at least one on each side"}
	}
	return args[:dash], args[dash:], nil
}

func (e *env) readRuns(dirs []string) (runs []*compare.Run, err error) {
	var errs []error
	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			errs = append(errs, &input.Error{Field: dir, Want: "named twice on one side"})
			continue
		}
		if what := foreign(dir); what != "" {
			errs = append(errs, &input.Error{Field: dir, Want: what + ": want the directory of a result of loadgen run"})
			continue
		}
		o, err := e.cloud.open(dir)
		if err == nil {
			e.audit(o)
			var r *compare.Run
			if r, err = compare.Read(o); err == nil {
				runs = append(runs, r)
			}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return runs, errors.Join(errs...)
}

// foreign says what stands where a directory should: a file, and of which program; empty for a directory, and for what is not
// there.
func foreign(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	head, _ := io.ReadAll(io.LimitReader(f, compare.HeadSize))
	what := compare.Foreign(head)
	if what == "" && slices.Contains([]string{"result.json", "plan.json", "windows.jsonl", "latency.hlog", "events.jsonl"}, filepath.Base(path)) {
		what = "a file of a result"
	}
	return cmp.Or(what, "a file")
}

func (e *env) readHistory(dir string) (runs []*compare.Run, err error) {
	fsys, err := e.cloud.folder(dir)
	if err != nil {
		return nil, input.WithField(err, "--history")
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, &input.Error{Field: "--history", Got: dir, Want: "a directory of results: " + reason(err)}
	}
	var dirs []string
	for _, entry := range entries {
		if _, err := fs.Stat(fsys, entry.Name()+"/result.json"); err == nil {
			dirs = append(dirs, below(dir, entry.Name()))
		}
	}
	for _, each := range dirs {
		r, err := e.readRuns([]string{each})
		if err != nil { // one that cannot be read does not take the others away
			e.say("note: left out of the history: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		runs = append(runs, r...)
	}
	if len(runs) == 0 {
		return nil, &input.Error{Field: "--history", Got: dir, Want: "a directory that holds directories of results"}
	}
	return runs, nil
}

// figures are what --metric asks a history to draw.
func (t *comparing) figures() (all []gate.Change, err error) {
	var errs []error
	for _, text := range t.metric {
		f, err := compare.ParseFigure(text)
		errs = append(errs, input.WithField(err, "--metric"))
		all = append(all, f)
	}
	return all, errors.Join(errs...)
}

func (e *env) showHistory(told *comparing, draw []gate.Change, o compare.Options) error {
	h, err := compare.NewHistory(o.History, draw, o)
	if err != nil {
		return usage(err)
	}
	if err := h.Write(e.stdout, told.format); err != nil {
		return err
	}
	if told.format == "csv" || told.format == "junit" { // they have no place for them
		for _, n := range h.Notes {
			e.say("note: %s", n)
		}
	}
	return judged(h.Failed(told.strict))
}

func (e *env) calibrate(dirs []string, told *comparing) error {
	if told.format != "text" {
		return usagef("--format", told.format, "", "text, which is what --calibrate writes")
	}
	runs, err := e.readRuns(dirs)
	if err == nil {
		var c *compare.Calibration
		if c, err = compare.Calibrate(runs); err == nil {
			return c.Text(e.stdout)
		}
	}
	return usage(err)
}
