package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/dashboards"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/terraform"
)

// dashboardOutput is the output of Terraform's that holds what all placeholders stand for.
const dashboardOutput = "dashboard"

// dashboardFlags are the flags by the placeholder that each fills in.
func dashboardFlags() []struct{ name, flag, arg, usage, byDefault string } {
	return []struct{ name, flag, arg, usage, byDefault string }{
		{"region", "region", "R", "region of the service and of the dashboard", "$AWS_REGION"},
		{"cluster", "cluster", "NAME", "ECS cluster, name or ARN", ""},
		{"service", "service", "NAME", "ECS service, name or ARN", ""},
		{"load_balancer", "load-balancer", "ARN", "Application Load Balancer: ARN, or app/NAME/ID", ""},
		{"target_group", "target-group", "ARN", "target group: ARN, or targetgroup/NAME/ID", ""},
		{"metrics_service", "metrics-service", "NAME", "--service of the runs that publish metrics", "the service"},
		{"watch_log_group", "watch-log", "GROUP", "log group that loadgen watch writes to", "not shown"},
		{"log_group", "log-group", "GROUP", "log group of the service's tasks, for api", "not shown"},
		{"alarm_arns", "alarm", "ARN", "an alarm to show; repeatable", "not shown"},
		{"min_capacity", "min", "N", "fewest tasks, as a line", "2"},
		{"max_capacity", "max", "N", "most tasks, as a line", "6"},
		{"requests_target", "requests-target", "N", "target of the policy on requests per task and minute", "50"},
		{"cpu_target", "cpu-target", "N", "target of the policy on CPU, percent", "50"},
		{"objective_ms", "objective", "D", "latency that p99 is to keep, as a line", "200ms"},
		{"resolution", "resolution", "S", "seconds between the metrics of a run, 60 or 1", "60"},
	}
}

func newDashboard(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboard [experiment|api]",
		Short: "prints a CloudWatch dashboard for given names, as JSON",
		Example: `
loadgen dashboard --terraform-outputs outputs.json > experiment.json  # of terraform output -json
loadgen dashboard api --region eu-central-1 --cluster prod --service checkout \
  --load-balancer app/checkout/50dc6c495c0c9188 --target-group targetgroup/checkout/73e2d6bc24d8a0
aws cloudwatch put-dashboard --dashboard-name checkout --dashboard-body file://experiment.json`,
		Long: `
experiment, the default, is one run on one page: load, capacity, what the policies watch, latency
with its objective, errors, verdict, alarms, and what the autoscaler did. api is the service in
normal operation. Nothing is called: the JSON is what PutDashboard takes. Flags override
--terraform-outputs, which reads the output named dashboard, else outputs of the same names
(region, cluster, …).`,
	}
	var outputs string
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&outputs, "terraform-outputs", "", "file of terraform output -json (or tofu)")
	annotate(flags.Lookup("terraform-outputs"), noteArg, "FILE")
	_ = cmd.MarkFlagFilename("terraform-outputs", "json")
	given := map[string]*[]string{}
	for _, f := range dashboardFlags() {
		given[f.name] = flags.StringArray(f.flag, nil, f.usage)
		annotate(flags.Lookup(f.flag), noteArg, f.arg)
		annotate(flags.Lookup(f.flag), noteDefault, f.byDefault)
	}
	var names []cobra.Completion
	for _, name := range dashboards.Names() {
		names = append(names, cobra.Completion(name))
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		name := dashboards.Names()[0]
		if len(args) > 1 {
			return usagef("argument", args[1], "", "one dashboard: %s", strings.Join(dashboards.Names(), " or "))
		}
		if len(args) == 1 {
			name = args[0]
		}
		values, err := outputValues(outputs)
		if err != nil {
			return usage(err)
		}
		for of, texts := range given {
			if len(*texts) > 0 {
				values[of] = *texts
			}
		}
		if err := convertObjective(values, *given["objective_ms"]); err != nil {
			return usage(err)
		}
		for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
			if region, set := env.variable(variable); set && len(values["region"]) == 0 {
				values["region"] = []string{region}
			}
		}
		body, left, err := dashboards.Body(name, values)
		if err != nil {
			return usage(input.Rename(err, dashboardName))
		}
		for _, of := range left {
			env.say("note: without %s its widget is left out", dashboardName(of))
		}
		_, err = env.stdout.Write(body)
		return err
	}
	return cmd
}

// dashboardName is a placeholder's flag.
func dashboardName(field string) string {
	for _, f := range dashboardFlags() {
		if f.name == field {
			return "--" + f.flag
		}
	}
	return field
}

// outputValues are those of a file of outputs, none without a file.
func outputValues(path string) (dashboards.Values, error) {
	values := dashboards.Values{}
	if path == "" {
		return values, nil
	}
	const flag = "--terraform-outputs"
	f, err := os.Open(path)
	if err != nil {
		return nil, &input.Error{Field: flag, Got: path, Want: "a file that can be read: " + reason(err)}
	}
	defer f.Close()
	all, err := terraform.Read(f)
	if err != nil {
		return nil, input.WithField(err, flag+" "+path)
	}
	inside, err := all.Inside(dashboardOutput)
	if err != nil {
		return nil, input.WithField(err, flag+" "+path)
	}
	var errs []error
	for _, p := range dashboards.Placeholders() {
		texts, ok, err := inside.Strings(p.Name)
		if !ok && err == nil {
			texts, ok, err = all.Strings(p.Name)
		}
		if err != nil {
			errs = append(errs, input.WithField(err, flag+" "+path))
		} else if ok {
			values[p.Name] = texts
		}
	}
	return values, errors.Join(errs...)
}

// convertObjective makes milliseconds of the duration that was typed.
func convertObjective(values dashboards.Values, typed []string) error {
	if len(typed) == 0 {
		return nil
	}
	last := typed[len(typed)-1]
	d, err := time.ParseDuration(strings.TrimSpace(last)) // a bare number could be either unit
	if err != nil || d <= 0 {
		return &input.Error{Field: "--objective", Got: last, Want: "a duration above 0, e.g. 200ms"}
	}
	values["objective_ms"] = []string{strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64)}
	return nil
}
