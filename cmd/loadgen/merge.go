package main

import (
	"errors"

	"github.com/spf13/cobra"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/result"
)

func newMerge(env *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "merge DIR... -o DIR",
		Short: "adds up the results of several generators that shared one load",
		Example: `
loadgen merge task-1 task-2 task-3 -o all
loadgen report all`,
		Long: `
Each part is a run of the same plan with its share of the load and its own seed. Histograms are
added, so percentiles are exact. Thresholds are evaluated on the sum, and so is the exit code.`,
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "new or empty directory for the merged result")
	annotate(cmd.Flags().Lookup("out"), noteArg, "DIR")
	_ = cmd.MarkFlagDirname("out")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("merge", "", "", "want the directories of results, e.g. loadgen merge task-1 task-2 -o all")
		case out == "":
			return usagef("--out", "", "", "want a new directory for the merged result, e.g. loadgen merge task-1 task-2 -o all")
		}
		var parts []*result.Opened
		for _, dir := range args {
			o, err := env.cloud.open(dir)
			if err != nil {
				return usage(err)
			}
			env.audit(o)
			parts = append(parts, o)
		}
		dir := &directory{name: "--out", path: out, keeps: true}
		res, err := loadgen.Merge(parts, dir)
		if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
			dir.discard()
			return usage(refused.Err)
		}
		return env.finish(false, report.Input{Result: res, Options: report.Options{Dir: out}}, err)
	}
	return cmd
}
