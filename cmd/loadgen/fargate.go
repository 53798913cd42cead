package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/plan"
)

// fargate is what `fargate` can be told beside a run's load.
type fargate struct {
	tasks       int
	where       tasks.Where
	image       tasks.Image
	outputsFile string
	outputs     tasks.Outputs
	env         []string
	readyWithin time.Duration
}

const groupTasks = "Tasks"

func newFargate(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fargate COMMAND",
		Short: "makes one load with several one-off ECS tasks",
		Example: `
loadgen fargate plan --rate 100000 --per-vcpu 9000        # what it would take
loadgen fargate run --tasks 4 --rate 8000 -t 10m --terraform-outputs outputs.json
loadgen fargate collect s3://my-results/runs/20261128T150405Z-1a2b3c4d/`,
		Long: `
How it works
  Each task gets its part of the load by S3, says that it is ready, and waits. When all are, they
  start at one instant. Their results go to S3 and are merged exactly. See docs/fargate.md.`,
		Args:               cobra.ArbitraryArgs,
		DisableFlagParsing: true,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("fargate", "", "", "want one of %s", strings.Join(commandNames(cmd), ", "))
		case args[0] == "-h" || args[0] == "--help":
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.AddCommand(newFargateRun(env), newFargatePlan(env), newFargateCollect(env), newFargateTask(env))
	return cmd
}

// fargateSettings is the table of everything that `fargate run` can be told: the load of `run`, and where it is to come from.
func fargateSettings() []setting {
	f := func(flag, arg, help, byDefault string, set func(o *options, texts []string) error) setting {
		return setting{flag: flag, arg: arg, group: groupTasks, help: help, byDefault: byDefault, set: set}
	}
	text := func(put func(*fargate, string)) func(*options, []string) error {
		return one(parseText, func(o *options, s string) { put(&o.fargate, s) })
	}
	list := func(put func(*fargate, []string)) func(*options, []string) error {
		return each(parseText, func(o *options, all []string) {
			var parts []string
			for _, s := range all {
				parts = append(parts, strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })...)
			}
			put(&o.fargate, parts)
		})
	}
	several := func(s setting, separators, plural string) setting {
		s.separators, s.plural = separators, plural
		return s
	}
	own := []setting{
		f("tasks", "N", "how many tasks share the load", "", one(parseCount, func(o *options, n int) { o.fargate.tasks = n })),
		f("terraform-outputs", "FILE", "read what is not given from terraform output -json", "", text(func(f *fargate, s string) { f.outputsFile = s })),
		f("cluster", "NAME", "ECS cluster", "", text(func(f *fargate, s string) { f.where.Cluster = s })),
		f("task-definition", "NAME", "task definition with loadgen's image: NAME, NAME:REVISION", "", text(func(f *fargate, s string) { f.where.TaskDefinition = s })),
		f("container", "NAME", "container of loadgen in it", "the only one, or loadgen", text(func(f *fargate, s string) { f.where.Container = s })),
		f("image", "IMAGE", "instead: register a task definition for IMAGE", "", text(func(f *fargate, s string) { f.image.Name = s })),
		f("execution-role", "ARN", "with --image: role that pulls it", "", text(func(f *fargate, s string) { f.image.ExecutionRole = s })),
		f("task-role", "ARN", "with --image: role that writes to S3", "", text(func(f *fargate, s string) { f.image.TaskRole = s })),
		f("log-group", "NAME", "with --image: where its output goes", "nowhere", text(func(f *fargate, s string) { f.image.LogGroup = s })),
		f("arm", "", "with --image: it is built for arm64", "", one(parseSwitch, func(o *options, on bool) { o.fargate.image.ARM = on })),
		several(f("subnet", "ID", "subnet of the tasks; repeatable, or separated by commas", "", list(func(f *fargate, all []string) { f.where.Subnets = all })), ",", ""),
		several(f("security-group", "ID", "security group of the tasks; repeatable", "", list(func(f *fargate, all []string) { f.where.SecurityGroups = all })), ",", ""),
		f("assign-public-ip", "", "give each task a public address", "", one(parseSwitch, func(o *options, on bool) { o.fargate.where.PublicIP = on })),
		f("cpu", "UNITS", "CPU of a task, in 1/1024 vCPU", "as defined", one(parseUnits, func(o *options, s string) { o.fargate.where.CPU = s })),
		f("memory", "MIB", "memory of a task", "as defined", one(parseUnits, func(o *options, s string) { o.fargate.where.Memory = s })),
		several(f("env", "NAME[=V]", "variable of the tasks; without =V, this process's; repeatable", "", each(parseText, func(o *options, all []string) { o.fargate.env = all })), "\n", "ENV"),
		f("ready-within", "D", "how long tasks may take until all are ready", "5m", one(plan.ParseDuration, func(o *options, d plan.Duration) { o.fargate.readyWithin = time.Duration(d) })),
	}
	var load []setting
	for _, s := range settings() {
		if s.group == groupLoad || s.group == groupTargets || s.group == groupVerdict || s.isArgument ||
			slices.Contains([]string{"out", "overwrite", "name", "tag", "json", "headless", "s3"}, s.flag) {
			if s.flag == "config" || s.flag == "control" {
				continue // of a person at one machine
			}
			switch s.flag {
			case "host":
				s.help = "base URL of the service, as the tasks reach it"
			case "s3":
				s.help, s.group = "where the run goes, in a folder of its own: s3://my-results/runs/", groupTasks
			}
			load = append(load, s)
		}
	}
	return slices.Concat(own, load, watchedSettings())
}

func parseUnits(s string) (string, error) {
	if n, ok := input.Whole(s); !ok || n == 0 {
		return "", input.Refuse(s, "a whole number, e.g. 1024")
	}
	return strings.TrimSpace(s), nil
}

// completeFargate fills in what Terraform knows, and says what is still missing.
func (r *resolution) completeFargate(variable func(string) (string, bool)) []error {
	f := &r.fargate
	var errs []error
	if f.outputsFile != "" {
		data, err := os.ReadFile(f.outputsFile)
		if err != nil {
			errs = append(errs, &input.Error{Field: r.nameOfFlag("terraform-outputs"), Got: f.outputsFile, Want: "a file that can be read: " + reason(err)})
		} else if f.outputs, err = tasks.ParseOutputs(data); err != nil {
			errs = append(errs, input.WithField(err, r.nameOfFlag("terraform-outputs")+" "+f.outputsFile))
		}
		if len(errs) > 0 {
			r.failed["plan"] = true // what is missing may be in it
			return errs
		}
	}
	o := &f.outputs
	take := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	take(&f.where.Cluster, o.Cluster)
	if f.image.Name == "" {
		take(&f.where.TaskDefinition, o.TaskDefinition)
	}
	if len(f.where.Subnets) == 0 {
		f.where.Subnets = o.Subnets
	}
	if len(f.where.SecurityGroups) == 0 {
		f.where.SecurityGroups = o.SecurityGroups
	}
	if !r.has("assign-public-ip") {
		f.where.PublicIP = o.PublicIP
	}
	if r.s3.Bucket == "" && o.Bucket != "" {
		r.s3 = store.Location{Bucket: o.Bucket, Prefix: "runs/"}
	}
	if r.plan.Host == "" && !r.failed["host"] {
		r.plan.Host = o.ALB
	}
	missing := func(flag, output, want string) {
		if r.failed[flag] {
			return
		}
		e := &input.Error{Field: "--" + flag, Want: "want " + want}
		switch {
		case f.outputsFile != "" && output != "":
			e.Want += "; " + output + " is not in " + f.outputsFile + ", or null"
		case output != "":
			e.Want += ", or --terraform-outputs FILE that has it"
		}
		errs = append(errs, e)
	}
	if f.tasks < 1 {
		missing("tasks", "", "how many tasks share the load, e.g. --tasks 4")
	}
	if f.where.Cluster == "" {
		missing("cluster", "cluster", "the name of an ECS cluster")
	}
	switch {
	case f.image.Name != "" && f.where.TaskDefinition != "":
		errs = append(errs, &input.Error{Field: "--image", Want: "cannot be combined with --task-definition: both say what a task is"})
	case f.image.Name == "" && f.where.TaskDefinition == "":
		missing("task-definition", "load_task_definition", "the name of a task definition with loadgen's image")
	case f.image.Name != "":
		image := f.image
		f.where.Image = &image
		if image.ExecutionRole == "" || image.TaskRole == "" {
			errs = append(errs, &input.Error{Field: "--image", Want: "want --execution-role and --task-role beside it: ECS pulls the image by the one, and the task writes to S3 by the other"})
		}
	}
	if len(f.where.Subnets) == 0 {
		missing("subnet", "load_subnets", "a subnet of the tasks")
	}
	if r.s3.Bucket == "" {
		missing("s3", "results_bucket", "where the run goes, e.g. s3://my-results/runs/")
	}
	if !r.has("watch") && !r.failed["watch"] {
		errs = append(errs, r.unused(besideWatch(), watchedFlags()...)...)
	}
	return append(errs, r.takeEnv(variable)...)
}

// takeEnv reads the variables that the tasks are to have.
func (r *resolution) takeEnv(variable func(string) (string, bool)) []error {
	f := &r.fargate
	f.where.Env = map[string]string{}
	var errs []error
	for _, text := range f.env {
		name, value, given := strings.Cut(text, "=")
		if !given {
			if value, given = variable(name); !given {
				errs = append(errs, &input.Error{Field: r.nameOfFlag("env"), Got: text, Want: "NAME=VALUE, or the name of a variable that is set"})
				continue
			}
		}
		if name == "" {
			errs = append(errs, &input.Error{Field: r.nameOfFlag("env"), Got: text, Want: "NAME=VALUE, or NAME"})
			continue
		}
		f.where.Env[name] = value
	}
	return errs
}

// nameOfFlag is a setting as the user knows it.
func (r *resolution) nameOfFlag(flag string) string {
	if g := r.find(flag); g != nil {
		return g.name
	}
	return "--" + flag
}

// named is an error of a launch with its fields as the user knows them: those of the plan and those of the tasks.
func (r *resolution) namedOfLaunch(err error) error {
	own := map[string]string{"tasks": "tasks", "container": "container", "task-definition": "task-definition", "env": "env", "host": "host"}
	err = input.Rename(err, func(field string) string {
		if flag, ok := own[field]; ok {
			return r.nameOfFlag(flag)
		}
		return field
	})
	if len(input.Errors(err)) == 0 {
		return err
	}
	return errors.Join(r.namedErrors(err)...)
}

// resolveFargate makes a plan and a place of what was given to `fargate run`, or says all that is wrong.
func resolveFargate(flags map[string]*typed, variable func(string) (string, bool)) (*resolution, error) {
	return resolveIn(fargateSettings(), service{}, flags, variable, func(r *resolution) []error { return r.completeFargate(variable) })
}
