package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

func newBench(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench URL...",
		Short: "sends as fast as the machine can over some connections, and reports it as run does",
		Example: `
loadgen bench http://localhost:8080/               # 50 connections for 10 seconds
loadgen bench http://localhost:8080/ -c 200 -z 30s
loadgen bench http://localhost:8080/items -n 100000 -H 'Accept: text/html'
loadgen bench http://localhost:8080/items -d '{"a":1}' -H 'Content-Type: application/json'
loadgen bench --host embedded --threshold 'p(99)<5ms'`,
		Long: `
How it works
  Each connection sends its next request as soon as it has its answer, on all CPUs that the process
  may use. Several URLs take turns. The verdict says when this generator was the limit and not the
  service; for a load that does not depend on the answers use loadgen run --rate.
  Each flag is also a variable, as for run: LOADGEN_CONNECTIONS, LOADGEN_THRESHOLDS.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations: map[string]string{
			noteNot + "targets":    "a file of requests is for loadgen run; here URLs take turns",
			noteNot + "rate":       "a rate is for loadgen run URL --rate N",
			noteNot + "think":      "users that pause are for loadgen run; here nobody pauses",
			noteNot + "users":      "-c N is the number of connections",
			noteNot + "u":          "-c N is the number of connections",
			noteNot + "spawn-rate": "all connections start at once",
			noteNot + "stage":      "stages are for loadgen run; here the load is what the machine can do",
			noteNot + "plan":       "loadgen run --plan FILE runs the plan of a bench again",
		},
	}
	table := benchSettings()
	flags := define(cmd.Flags(), table)
	said := defineHabits(cmd.Flags(), benchHabits())
	profile := defineProfile(cmd.Flags())
	_ = cmd.MarkFlagDirname("out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env.outlivePipes()
		take(flags, args)
		notes, refused := answer(*said)
		r, err := resolveBench(flags, env.variable)
		if len(refused) > 0 { // what else is wrong may be of it
			err = errors.Join(refused...)
		}
		notes = append(notes, r.notes...)
		if err == nil {
			notes = append(notes, notesOfPlace(r.out)...)
			if note := noteOfProxy(&r.plan, env.variable); note != "" {
				notes = append(notes, note)
			}
		}
		env.note(notes, table)
		if err != nil {
			return usage(err)
		}
		return profiled(profile, func() error { return runPlan(cmd.Context(), env, r) })
	}
	return cmd
}

// resolveBench makes a bench's plan of what was given, or says all that is wrong with it.
func resolveBench(flags map[string]*typed, variable func(string) (string, bool)) (*resolution, error) {
	if argument := flags["argument"]; len(argument.texts) == 0 {
		argument.texts, argument.name = []string{"/"}, "argument"
	}
	return resolveIn(benchSettings(), service{model: plan.Bench}, flags, variable, (*resolution).completeBench)
}

// completeBench chooses what was not said: with a number of requests, as much time as they need.
func (r *resolution) completeBench() []error {
	if r.has("requests") && !r.has("duration") {
		r.plan.RunTime = plan.DefaultRequestsTime
	}
	if r.plan.Host == "" && !r.failed["host"] && !strings.Contains(r.plan.Targets[0].URL, "://") {
		r.failed["host"] = true
		return []error{&input.Error{Want: "want the URL to send to, e.g. loadgen bench http://localhost:8080/"}}
	}
	return nil
}

// benchSettings is the table of everything that `bench` can be told: what is its own, and what it has of `run`.
func benchSettings() []setting {
	own := []setting{
		{flag: "connections", short: "c", aliases: []string{"concurrency", "clients"}, arg: "N", group: groupLoad, fields: []string{"users"},
			help: "connections, each with one request at a time", byDefault: strconv.Itoa(plan.DefaultConnections),
			set: one(parseCount, func(o *options, n int) { o.plan.Users = n })},
		{flag: "duration", short: "z", aliases: []string{"run-time"}, arg: "D", group: groupLoad, fields: []string{"run_time"},
			help: "how long to send: 10s, 2m, 30", byDefault: plan.DefaultBenchTime.String(),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.plan.RunTime = d })},
		{flag: "requests", short: "n", arg: "N", group: groupLoad, fields: []string{"requests"},
			help: "how many to send at most", byDefault: "as many as the time allows",
			set: one(parseRequests, func(o *options, n int64) { o.plan.Requests = n })},
	}
	shared := []string{
		"stop-timeout", "host", "argument", "method", "data", "json-data", "header", "body", "timeout", "redirects", "resolve", "no-keepalive",
		"connection-max-age", "insecure", "ca", "cookies", "max-body", "trace-ratio", "out", "overwrite", "s3", "name", "tag", "csv", "otlp", "json", "headless", "threshold",
		"abort-on", "exit-code-on-error",
	}
	for _, s := range settings() {
		if !slices.Contains(shared, s.flag) {
			continue
		}
		switch s.flag {
		case "host":
			s.short, s.elsewhere = "", nil // -H is a header for whoever benches
			s.help = "base URL of paths; embedded starts an API in this process"
		case "header":
			s.short = "H"
		case "data":
			s.set = each(dataUnless("-z"), func(o *options, all []string) { o.data = all })
		}
		own = append(own, s)
	}
	return own
}

func parseRequests(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, input.Refuse(s, "a whole number of 1 or more, e.g. 100000")
	}
	return n, nil
}

// benchHabits are what people of wrk, hey, oha and ab type that means something else here, or nothing.
func benchHabits() []habit {
	const shown = "not needed: percentiles, errors and the whole distribution are always kept"
	return []habit{
		{names: []string{"t", "threads"}, value: true, instead: "a time is -z D, a time limit --timeout D; threads are not needed: all CPUs are used"},
		{names: []string{"L", "latency"}, harmless: true, instead: shown},
		{names: []string{"latency-correction"}, harmless: true, instead: "not needed: a connection waits for its answer, so no send is due meanwhile; for a rate whatever the answers do use loadgen run URL --rate N"},
		{names: []string{"q", "query-per-second"}, value: true, instead: "use loadgen run URL --rate N"},
		{names: []string{"w", "wait-ongoing-requests-after-deadline"}, instead: "use -s D: how long requests that are under way at the end may still take"},
		{names: []string{"T"}, value: true, instead: "a content type is -H 'Content-Type: …', a time limit --timeout D, a file of requests is for loadgen run -T FILE"},
		{names: []string{"D", "body-path"}, value: true, instead: "use -d @FILE"},
		{names: []string{"a", "user"}, value: true, instead: "use -H 'Authorization: Basic ${CREDENTIALS}', or http://USER:PASSWORD@HOST"},
		{names: []string{"A"}, value: true, instead: "use -H 'Accept: …', or -H 'User-Agent: …'"},
		{names: []string{"U", "user-agent"}, value: true, instead: "use -H 'User-Agent: …'"},
		{names: []string{"x", "proxy"}, value: true, instead: "name the proxy as the host: what is between the clocks is measured"},
		{names: []string{"p", "postdata"}, value: true, instead: "use -d @FILE"},
		{names: []string{"http2", "h2"}, instead: "requests are HTTP/1.1"},
		{names: []string{"disable-redirects"}, instead: "use --redirects 0"},
		{names: []string{"disable-compression"}, harmless: true, instead: "not needed: a body is read as it comes; -H 'Accept-Encoding: gzip' asks for a compressed one"},
		{names: []string{"cpus"}, value: true, harmless: true, instead: "not needed: all CPUs are used; GOMAXPROCS=N allows fewer"},
		{names: []string{"script"}, value: true, instead: "requests are given as URLs, -X, -H and -d; several URLs take turns"},
		{names: []string{"r"}, value: true, instead: "redirects are --redirects N"},
	}
}
