package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// defaultFill is the share of its CPU that a generator is planned to use: well below 0.8, from where its verdict is SUSPECT.
const defaultFill = 0.7

// forecast is what `fargate plan` is told.
type forecast struct {
	rate, perVCPU, fill, length string
	measured, outputs           string
	subnets                     []string
	cpu, memory, connections    int
	arm, offline                bool
}

func newFargatePlan(env *env) *cobra.Command {
	var f forecast
	cmd := &cobra.Command{
		Use:   "plan --rate N",
		Short: "says what a rate takes: tasks, cost, and the limits that are met first",
		Example: `
loadgen fargate plan --rate 50000 --measured loadgen-results/20261128T150405Z -t 10m
loadgen fargate plan --rate 50000 --per-vcpu 9000 --cpu 2048 --offline
loadgen fargate plan --rate 50000 --per-vcpu 9000 --terraform-outputs outputs.json`,
		Long: `
What is asked of AWS
  Free addresses of the subnets (ec2:DescribeSubnets) and the account's quota of Fargate vCPUs
  (servicequotas:GetServiceQuota); --offline asks nothing. Where an answer is missing, it says so.
  A measured result says what one vCPU can send: a run against your service, from a task if
  possible. Prices are those of us-east-1.`,
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	text := func(to *string, name, arg, byDefault, help string) {
		flags.StringVar(to, name, "", help)
		annotate(flags.Lookup(name), noteArg, arg)
		annotate(flags.Lookup(name), noteDefault, byDefault)
	}
	text(&f.rate, "rate", "N[/D]", "", "requests per second that are wanted")
	text(&f.measured, "measured", "DIR", "", "result that says what one vCPU sends")
	text(&f.perVCPU, "per-vcpu", "N", "", "or: requests per second for each vCPU in use")
	text(&f.fill, "fill", "P%", units.Percent(defaultFill), "how much of its CPU a task may use")
	flags.IntVar(&f.cpu, "cpu", 1024, "CPU of a task, in 1/1024 vCPU")
	annotate(flags.Lookup("cpu"), noteArg, "UNITS")
	annotate(flags.Lookup("cpu"), noteDefault, "1024")
	flags.IntVar(&f.memory, "memory", 0, "memory of a task")
	annotate(flags.Lookup("memory"), noteArg, "MIB")
	annotate(flags.Lookup("memory"), noteDefault, "the least for that CPU")
	flags.BoolVar(&f.arm, "arm", false, "tasks for arm64, which cost less")
	flags.IntVar(&f.connections, "connections", 0, "connections in all, if they are many")
	annotate(flags.Lookup("connections"), noteArg, "N")
	flags.StringVarP(&f.length, "run-time", "t", "", "length of the load")
	annotate(flags.Lookup("run-time"), noteArg, "D")
	annotate(flags.Lookup("run-time"), noteDefault, "10m")
	flags.StringSliceVar(&f.subnets, "subnet", nil, "subnets whose free addresses are counted; repeatable")
	annotate(flags.Lookup("subnet"), noteArg, "ID")
	text(&f.outputs, "terraform-outputs", "FILE", "", "read the subnets from terraform output -json")
	flags.BoolVar(&f.offline, "offline", false, "ask AWS nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return env.fargatePlan(cmd.Context(), &f) }
	return cmd
}

// want reads what was given.
func (f *forecast) want() (w tasks.Want, from string, err error) {
	w = tasks.Want{CPU: f.cpu, Memory: f.memory, ARM: f.arm, Fill: defaultFill, Length: 10 * time.Minute, Connections: f.connections}
	if f.rate == "" {
		return w, "", usagef("--rate", "", "", "want the requests per second that are wanted, e.g. --rate 50000")
	}
	rate, err := plan.ParseRate(f.rate)
	if err != nil {
		return w, "", usage(input.WithField(err, "--rate"))
	}
	w.Rate = rate.PerSecond()
	if f.length != "" {
		d, err := plan.ParseDuration(f.length)
		if err != nil {
			return w, "", usage(input.WithField(err, "--run-time"))
		}
		w.Length = time.Duration(d)
	}
	if f.fill != "" {
		percent, ok := input.Number(strings.TrimSuffix(f.fill, "%"))
		if !ok || !strings.HasSuffix(f.fill, "%") {
			return w, "", usage(input.WithField(input.Refuse(f.fill, "a share, e.g. 70%"), "--fill"))
		}
		w.Fill = percent / 100
	}
	switch {
	case f.measured != "" && f.perVCPU != "":
		return w, "", usagef("--per-vcpu", "", "", "cannot be combined with --measured: both say what one vCPU sends")
	case f.measured != "":
		o, err := result.Open(f.measured)
		if err != nil {
			return w, "", usage(err)
		}
		if w.PerVCPU, err = perVCPU(o.Result); err != nil {
			return w, "", usage(input.WithField(err, "--measured "+f.measured))
		}
		return w, "measured in " + f.measured, nil
	case f.perVCPU == "":
		return w, "", usagef("--measured", "", "", "want a result that says what one vCPU sends, or --per-vcpu N")
	}
	n, ok := input.Number(f.perVCPU)
	if !ok {
		return w, "", usage(input.WithField(input.Refuse(f.perVCPU, "a number of requests per second"), "--per-vcpu"))
	}
	w.PerVCPU = n
	return w, "given", nil
}

// perVCPU is what a run sent each second for each vCPU that it used.
func perVCPU(r *result.Result) (float64, error) {
	used := float64(r.Health.CPU.UsedRatioMean) * float64(r.Generator.CPULimit)
	switch {
	case !(used > 0) || math.IsInf(used, 0):
		return 0, &input.Error{Want: "the CPU that it used is not known: want a result whose generator could read it"}
	case r.Totals.RequestsPerSecond <= 0:
		return 0, &input.Error{Want: "it sent nothing"}
	}
	return r.Totals.RequestsPerSecond / used, nil
}

func (e *env) fargatePlan(ctx context.Context, f *forecast) error {
	w, from, err := f.want()
	if err != nil {
		return err
	}
	subnets := f.subnets
	if f.outputs != "" {
		data, err := os.ReadFile(f.outputs)
		if err != nil {
			return usage(&input.Error{Field: "--terraform-outputs", Got: f.outputs, Want: "a file that can be read: " + reason(err)})
		}
		o, err := tasks.ParseOutputs(data)
		if err != nil {
			return usage(input.WithField(err, "--terraform-outputs "+f.outputs))
		}
		if len(subnets) == 0 {
			subnets = o.Subnets
		}
	}
	room := tasks.Room{Addresses: -1, VCPUs: -1}
	first, err := tasks.Predict(w, room) // before anything is asked
	if err != nil {
		return usage(input.Rename(err, func(field string) string { return "--" + field }))
	}
	if !f.offline {
		room = e.roomOf(ctx, subnets)
		first, _ = tasks.Predict(w, room)
	}
	e.writeForecast(first, room, from)
	return nil
}

// roomOf asks AWS; what it does not say is not known, with a note why.
func (e *env) roomOf(ctx context.Context, subnets []string) tasks.Room {
	room := tasks.Room{Addresses: -1, VCPUs: -1}
	cfg, err := session.Load(ctx, session.Options{Version: buildOf(version, debug.ReadBuildInfo).version})
	if err != nil {
		e.say("note: AWS was not asked: %v", err)
		return room
	}
	account := tasks.Account{Config: cfg}
	if n, err := account.VCPUs(ctx); err == nil {
		room.VCPUs = n
	} else {
		e.say("note: the quota of vCPUs is not known: %v", err)
		if session.KindOf(err) == session.NoCredentials {
			return room
		}
	}
	if len(subnets) > 0 {
		if n, err := account.Addresses(ctx, subnets); err == nil {
			room.Addresses = n
		} else {
			e.say("note: free addresses are not known: %v", err)
		}
	}
	return room
}

func (e *env) writeForecast(f tasks.Forecast, room tasks.Room, from string) {
	out := e.stdout
	fmt.Fprintf(out, "%s requests/s for %s: %s of %s vCPU and %s MiB\n", units.Count(int64(math.Round(f.Rate))), units.Duration(f.Length),
		countOf(f.Tasks, "task"), units.Decimal(float64(f.CPU)/1024), units.Count(int64(f.Memory)))
	fmt.Fprintf(out, "  each sends up to %s: %s a vCPU in use (%s), of which %s are used\n", units.Rate(f.PerTask), units.Rate(f.PerVCPU), from, units.Percent(f.Fill))
	fmt.Fprintf(out, "  %s vCPUs, %s in the subnets, all started after %s at best\n", units.Decimal(f.VCPUs), countOf(f.Tasks, "address"), units.Duration(max(f.Launch, time.Minute)))
	fmt.Fprintf(out, "  $%.2f for the tasks, $%.2f for what they exchange by S3 (us-east-1; not: load balancer, traffic, logs, metrics)\n", f.Cost, f.Storage)

	fmt.Fprintf(out, "\nToward 1,000,000 requests/s with such tasks, on paper\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "requests/s\ttasks\tvCPUs\tstarted after\ttasks cost\t")
	for _, rate := range []float64{1e3, 1e4, 1e5, 1e6} {
		w := f.Want
		w.Connections = int(float64(w.Connections) * rate / w.Rate)
		w.Rate = rate
		x, err := tasks.Predict(w, room)
		if err != nil {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t$%.2f\t\n", units.Count(int64(rate)), units.Count(int64(x.Tasks)), units.Decimal(x.VCPUs), units.Duration(max(x.Launch, time.Minute)), x.Cost)
	}
	_ = t.Flush()

	fmt.Fprintf(out, "\nLimits, the one that is met first on top\n")
	for _, l := range f.Limits {
		at := "not known"
		if l.Known {
			at = units.Count(int64(l.Rate)) + " requests/s"
			if l.Rate < f.Rate {
				at += ", too little"
			}
		}
		fmt.Fprintf(out, "  %s: %s\n    %s [%s]\n", l.Name, at, l.Detail, l.Source)
	}
}

// countOf is a number of something that may be one: "1 task", "2 tasks", "2 addresses".
func countOf(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		what += "e"
	}
	return units.Count(int64(n)) + " " + what + "s"
}
