package main

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/simulate"
	"scalableappbackend/loadgen/timeline"
)

func newReport(env *env) *cobra.Command {
	var format string
	var schema bool
	cmd := &cobra.Command{
		Use:   "report [DIR]",
		Short: "shows a saved result, also of a run that was killed",
		Example: `
loadgen report                                   # the newest result
loadgen report loadgen-results/20261124T150405Z
loadgen report loadgen-results/20261124T150405Z -f markdown
loadgen report s3://bucket/prefix/20261124T150405Z-1f2e3d4c
loadgen report --schema > result.schema.json`,
	}
	flags := cmd.Flags()
	flags.StringVarP(&format, "format", "f", report.Formats()[0], strings.Join(report.Formats(), ", "))
	annotate(flags.Lookup("format"), noteArg, "F")
	annotate(flags.Lookup("format"), noteDefault, report.Formats()[0])
	flags.BoolVar(&schema, "schema", false, "print the JSON Schema of a result instead")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		switch {
		case schema:
			_, err := env.stdout.Write(result.SchemaJSON())
			return err
		case len(args) > 1:
			return usagef("argument", args[1], "loadgen merge adds several results up", "one directory")
		case !slices.Contains(report.Formats(), format):
			return usagef("--format", format, didYouMean(format, report.Formats(), ""), "one of %s", strings.Join(report.Formats(), ", "))
		}
		if len(args) == 0 {
			dir, ok := newest(defaultOut)
			if !ok {
				return usagef("report", "", "", "want the directory of a result, e.g. loadgen report %s/20261124T150405Z", defaultOut)
			}
			env.say("note: the newest result is %s", dir)
			args = []string{dir}
		}
		opened, err := env.cloud.open(args[0])
		if err != nil {
			return usage(err)
		}
		env.audit(opened)
		if err := loadgen.Rejudge(opened); err != nil {
			return usage(err)
		}
		if format == "csv" || format == "hdr" || format == "svg" { // which are made of the windows: without them nothing is to be written
			for _, err := range opened.Windows() {
				if err != nil {
					return usage(err)
				}
			}
		}
		return env.show(opened, format)
	}
	return cmd
}

// audit holds a result to its intervals and says where they differ, here and in whatever is made of it.
func (e *env) audit(o *result.Opened) {
	if differs := o.Audit(); differs != "" {
		e.say("warning: %s: %s", o.Dir, differs)
		o.Result.Warnings = append(o.Result.Warnings, differs)
	}
}

// newest is the directory below dir in which a run left something last.
func newest(dir string) (path string, ok bool) {
	entries, _ := os.ReadDir(dir)
	var last time.Time
	for _, e := range entries {
		for _, name := range []string{"plan.json", "result.json"} {
			info, err := os.Stat(filepath.Join(dir, e.Name(), name))
			if err == nil && (!ok || info.ModTime().After(last) || info.ModTime().Equal(last) && filepath.Join(dir, e.Name()) > path) {
				path, last, ok = filepath.Join(dir, e.Name()), info.ModTime(), true
			}
		}
	}
	return path, ok
}

// show reports an opened result.
func (e *env) show(o *result.Opened, format string) error {
	options := e.options(e.stdout)
	options.Dir = o.Dir
	return report.Write(e.stdout, format, report.Input{
		Result: o.Result, Windows: o.Windows(), Timeline: o.Result.Timeline, Expectations: expectations(o.Result), OnAWS: onAWS(o.Result, o.Windows()), Options: options,
	})
}

// onAWS is what a lab's load would have taken with AWS's numbers; a policy on latency needs the windows to know it.
func onAWS(r *result.Result, windows iter.Seq2[*result.Window, error]) string {
	if r.Timeline == nil || r.Timeline.Speedup == 1 {
		return ""
	}
	var f timeline.Figures
	perTask := 0.0
	if json.Unmarshal(r.Elasticity, &f) == nil && f.Provisioning != nil {
		perTask = f.Provisioning.PerTask
	}
	var latency simulate.Latency
	if watched, err := simulate.Policies(r.Timeline.Settings[autoscaling.SettingPolicy]); err == nil && (autoscaling.Config{Policies: watched}).Watches(autoscaling.MetricP99) {
		if windows == nil {
			return ""
		}
		if latency, err = simulate.LatencyOf(windows, r.Timeline); err != nil {
			return ""
		}
	}
	return simulate.OnAWS(&r.Plan, r.Timeline, perTask, latency)
}

// expectations are a result's as the report takes them.
func expectations(r *result.Result) []result.Outcome {
	var all []result.Outcome
	for _, e := range r.Expectations {
		all = append(all, result.Outcome(e))
	}
	return all
}
