package main

import (
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
)

// setting is one thing that can be said of a run: by a flag, by a variable or in a plan file.
type setting struct {
	flag, short     string
	aliases         []string // other names that mean the same, as other tools have them; of one letter: -c
	arg             string   // what stands for the value in help; empty for a switch
	help, byDefault string
	group           string
	locust          bool   // the variable is read under Locust's name as well
	plural          string // the end of the variable's name, where it is not the flag's with an S
	hidden          bool   // not in help
	// elsewhere says that a text, given to this flag, is meant for another one, and for which; nil: none is.
	elsewhere  func(text string) string
	isArgument bool     // it is what stands beside the flags, and no flag
	verbatim   bool     // white space around it is a part of it
	separators string   // between several in the variable; empty when there can be only one
	fields     []string // of the plan, as its errors name them
	set        func(o *options, texts []string) error
}

// options is what a command line asks for.
type options struct {
	service  service // of `lab` and `simulate`
	watch    ecsService
	watchLog string  // a log group
	pair     pairing // of a paired `run`
	fargate  fargate // of `fargate run`
	plan     plan.Plan
	planFile string
	targets  string // file
	out      string // directory, outNone, or empty for a new one
	s3       store.Location
	csv      string // prefix
	otlp     string // URL of metrics
	json     bool
	headless *bool // nil: as the terminal is
	control  bool  // commands are read from stdin
	startAt  time.Time
	publish  publishing

	arguments []string // URLs and paths
	method    string   // of them
	data      []string // and their body, as curl takes it
	isJSON    bool     // the body
	overwrite bool     // a result in the directory
}

const outNone = "none"

// The groups of `run`'s flags, in the order of its help.
const (
	groupLoad    = "Load"
	groupTargets = "Targets and client"
	groupResult  = "Result"
	groupVerdict = "Verdict"
)

// settings is the table of everything that `run` can be told.
func settings() []setting {
	return []setting{
		{flag: "users", short: "u", aliases: []string{"vus", "c", "concurrency", "connections"}, arg: "N", group: groupLoad, locust: true, fields: []string{"users"},
			help: "concurrent users; each waits for its answer, then sends again", byDefault: strconv.Itoa(plan.DefaultUsers),
			set: one(parseUsers, func(o *options, n int) { o.plan.Users = n })},
		{flag: "spawn-rate", short: "r", arg: "R", group: groupLoad, locust: true, fields: []string{"spawn_rate"},
			help: "users started per second", byDefault: strconv.Itoa(plan.DefaultSpawnRate),
			set: one(parseNumber, func(o *options, r float64) { o.plan.SpawnRate = r })},
		{flag: "run-time", short: "t", aliases: []string{"duration", "z"}, arg: "D", group: groupLoad, locust: true, fields: []string{"run_time"},
			help: "how long to send, e.g. 300s, 20m, 1h30m or 300 (seconds)", byDefault: plan.DefaultRunTime.String(),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.plan.RunTime = d })},
		{flag: "think", arg: "D[..D]", group: groupLoad, fields: []string{"think"},
			help: "pause after each answer: a time, a range, or 0", byDefault: plan.Range{Min: plan.DefaultThinkMin, Max: plan.DefaultThinkMax}.String(),
			set: one(inUnits(plan.ParseRange), func(o *options, r plan.Range) { o.plan.Think = r })},
		{flag: "pacing", arg: "D", group: groupLoad, fields: []string{"pacing"},
			help: "each user starts a request every D, instead of pausing",
			set:  one(inUnits(parsePacing), func(o *options, d plan.Duration) { o.plan.Pacing = d })},
		{flag: "rate", aliases: []string{"rps"}, arg: "N[/D]", group: groupLoad, fields: []string{"rate"},
			help: "requests per second instead of users, however slow the answers",
			set:  one(plan.ParseRate, func(o *options, r plan.Rate) { o.plan.Rate = r })},
		{flag: "stage", arg: "D:N", group: groupLoad, separators: ",", fields: []string{"stages"},
			help: "change to N users (with --rate: N/s) over D; repeatable",
			set:  each(plan.ParseStage, func(o *options, s []plan.Stage) { o.plan.Stages = s })},
		{flag: "warm-up", arg: "D", group: groupLoad, fields: []string{"warm_up"},
			help: "leave the first D of the load out of the thresholds",
			set:  one(inUnits(parsePacing), func(o *options, d plan.Duration) { o.plan.WarmUp = d })},
		{flag: "arrivals", arg: "HOW", group: groupLoad, fields: []string{"arrivals"},
			help: "how --rate spaces requests: uniform or poisson", byDefault: string(plan.DefaultArrivals),
			set: one(parseArrivals, func(o *options, a plan.Arrivals) { o.plan.Arrivals = a })},
		{flag: "max-in-flight", arg: "N", group: groupLoad, fields: []string{"max_in_flight"},
			help: "with --rate: most requests in flight; more are sent late", byDefault: strconv.Itoa(plan.DefaultMaxInFlight),
			set: one(parseCount, func(o *options, n int) { o.plan.MaxInFlight = n })},
		{flag: "stop-timeout", short: "s", arg: "D", group: groupLoad, locust: true, fields: []string{"stop_timeout"},
			help: "grace period for unfinished requests at the end", byDefault: plan.DefaultStopTimeout.String(),
			set: one(plan.ParseDuration, func(o *options, d plan.Duration) { o.plan.StopTimeout = d })},
		{flag: "seed", arg: "N", group: groupLoad, fields: []string{"seed"},
			help: "makes random choices repeatable", byDefault: "random, recorded",
			set: one(parseSeed, func(o *options, n uint64) { o.plan.Seed = n })},
		{flag: "plan", arg: "FILE", group: groupLoad,
			help: "repeat the run of a plan.json; flags and variables override it",
			set:  one(parseText, func(o *options, s string) { o.planFile = s })},
		{flag: "config", arg: "FILE", group: groupLoad,
			help: "read Locust's options from FILE, as from a locust.conf",
			set:  one(parseText, func(*options, string) {})},

		{flag: "host", short: "H", arg: "URL", group: groupTargets, locust: true, fields: []string{"host"}, elsewhere: headerOfHost,
			help: "base URL of the service; embedded starts one in this process",
			set:  one(parseText, func(o *options, s string) { o.plan.Host = plan.Trim(s) })},
		{flag: "targets", short: "T", arg: "FILE", group: groupTargets, fields: []string{"targets"},
			help: "file of requests: text, curl or JSON lines", byDefault: "GET / and GET /health",
			set: one(parseText, func(o *options, s string) { o.targets = s })},
		{flag: "argument", isArgument: true, fields: []string{"targets"},
			set: func(o *options, texts []string) error { o.arguments = texts; return nil }},
		{flag: "method", short: "X", aliases: []string{"request", "m"}, arg: "M", group: groupTargets,
			help: "method for URLs and paths given as arguments", byDefault: "GET, with --data POST",
			set: one(parseMethod, func(o *options, s string) { o.method = s })},
		{flag: "data", short: "d", aliases: []string{"data-raw", "data-binary", "data-ascii"}, arg: "B", group: groupTargets, verbatim: true,
			help: "body for URLs and paths given as arguments: text or @FILE",
			set:  each(dataUnless("-t"), func(o *options, all []string) { o.data = all })},
		{flag: "json-data", arg: "B", hidden: true, verbatim: true,
			help: "body in JSON for URLs and paths given as arguments",
			set:  one(parseText, func(o *options, s string) { o.data, o.isJSON = []string{s}, true })},
		{flag: "header", arg: "'K: V'", group: groupTargets, separators: "\n", fields: []string{"client.header"},
			help: "header for requests without it; ${NAME} is a variable; repeatable",
			set:  each(parseHeader, setHeaders)},
		{flag: "body", arg: "B", group: groupTargets, verbatim: true, fields: []string{"client.body"},
			help: "body for requests without one: text or @FILE",
			set:  one(plan.ParseBody, func(o *options, b plan.Body) { o.plan.Client.Body = b })},
		{flag: "timeout", arg: "D", group: groupTargets, fields: []string{"client.timeout"},
			help: "time limit of a request, with its redirects and body", byDefault: plan.DefaultTimeout.String(),
			set: one(inUnits(plan.ParseDuration), func(o *options, d plan.Duration) { o.plan.Client.Timeout = d })},
		{flag: "redirects", arg: "N", group: groupTargets, fields: []string{"client.redirects"},
			help: "redirects to follow; 0 takes the redirect as the answer", byDefault: strconv.Itoa(plan.DefaultRedirects),
			set: one(parseCount, func(o *options, n int) { o.plan.Client.Redirects = &n })},
		{flag: "resolve", arg: "H:P:ADDR", group: groupTargets, separators: "\n;", plural: "RESOLVES", fields: []string{"client.resolve"},
			help: "connect to ADDR for host H and port P, as curl does; repeatable",
			set:  each(plan.ParseResolve, func(o *options, all []plan.Resolve) { o.plan.Client.Resolve = all })},
		{flag: "no-keepalive", aliases: []string{"no-connection-reuse", "disable-keepalive"}, group: groupTargets, fields: []string{"client.no_keepalive"},
			help: "open a new connection for each request",
			set:  one(parseSwitch, func(o *options, on bool) { o.plan.Client.NoKeepAlive = on })},
		{flag: "connection-max-age", arg: "D", group: groupTargets, fields: []string{"client.connection_max_age"},
			help: "look up the host and connect again after D",
			set:  one(inUnits(plan.ParseDuration), func(o *options, d plan.Duration) { o.plan.Client.ConnectionMaxAge = d })},
		{flag: "insecure", short: "k", aliases: []string{"insecure-skip-tls-verify"}, group: groupTargets, fields: []string{"client.insecure"},
			help: "do not verify TLS certificates",
			set:  one(parseSwitch, func(o *options, on bool) { o.plan.Client.Insecure = on })},
		{flag: "ca", arg: "FILE", group: groupTargets, fields: []string{"client.ca_file"},
			help: "PEM file of more certificates to trust",
			set:  one(parseText, func(o *options, s string) { o.plan.Client.CAFile = s })},
		{flag: "cookies", group: groupTargets, fields: []string{"client.cookies"},
			help: "keep cookies, each user its own",
			set:  one(parseSwitch, func(o *options, on bool) { o.plan.Client.Cookies = on })},
		{flag: "max-body", arg: "SIZE", group: groupTargets, fields: []string{"client.max_body"},
			help: "read at most SIZE of each answer", byDefault: plan.FormatSize(plan.DefaultMaxBody),
			set: one(plan.ParseSize, func(o *options, n int64) { o.plan.Client.MaxBody = n })},

		{flag: "trace-ratio", arg: "X", group: groupTargets, fields: []string{"client.trace_ratio"},
			help: "share of requests that carry a trace, e.g. 0.01", byDefault: "0",
			set: one(parseNumber, func(o *options, x float64) { o.plan.Client.TraceRatio = x })},

		{flag: "out", short: "o", arg: "DIR", group: groupResult,
			help: "directory for the result, or none", byDefault: defaultOut + "/<UTC start>",
			set: one(parseText, func(o *options, s string) { o.out = s })},
		{flag: "s3", arg: "URL", group: groupResult, fields: []string{"s3"},
			help: "keep the result in S3 as well, e.g. s3://bucket/prefix/",
			set:  one(parseS3, func(o *options, at store.Location) { o.s3 = at })},
		{flag: "overwrite", group: groupResult,
			help: "replace the result in --out; other files in it stay",
			set:  one(parseSwitch, func(o *options, on bool) { o.overwrite = on })},
		{flag: "name", arg: "S", group: groupResult, fields: []string{"name"},
			help: "name of the run, stored with the result",
			set:  one(parseText, func(o *options, s string) { o.plan.Name = s })},
		{flag: "tag", arg: "K=V", group: groupResult, separators: ",", fields: []string{"tags"},
			help: "label stored with the result, e.g. commit=4e1f09; repeatable",
			set:  each(parseTag, setTags)},
		{flag: "csv", locust: true, arg: "PREFIX", group: groupResult,
			help: "write Locust's CSV files: PREFIX_stats.csv and three others",
			set:  one(parseText, func(o *options, s string) { o.csv = s })},
		otlpSetting(),
		{flag: "json", group: groupResult, elsewhere: dataOfJSON,
			help: "print the result as JSON instead of the report",
			set:  one(parseSwitch, func(o *options, on bool) { o.json = on })},
		{flag: "headless", locust: true, aliases: []string{"no-tui"}, group: groupResult,
			help: "print plain lines, no live view", byDefault: "when stdout is no terminal",
			set: one(parseSwitch, func(o *options, on bool) { o.headless = &on })},
		{flag: "control", group: groupLoad,
			help: "read commands from stdin, a line each: users 80, pause",
			set:  one(parseSwitch, func(o *options, on bool) { o.control = on })},

		{flag: "threshold", arg: "EXPR", group: groupVerdict, separators: "\n;", fields: []string{"thresholds"},
			help: "exit 99 if EXPR fails: 'p(99)<50ms', 'error_rate<1%'; repeatable",
			set:  each(checkedExpr, func(o *options, s []string) { o.plan.Thresholds = s })},
		{flag: "abort-on", arg: "EXPR", group: groupVerdict, fields: []string{"abort_on"},
			help: "stop with exit 99 when EXPR has not held for the last 10 s",
			set:  one(checkedExpr, func(o *options, s string) { o.plan.AbortOn = s })},
		{flag: "exit-code-on-error", locust: true, arg: "N", group: groupVerdict, fields: []string{"exit_code_on_error"},
			help: "exit code if a request failed and nothing else decides it", byDefault: "0",
			set: one(parseCount, func(o *options, n int) { o.plan.ExitCodeOnError = &n })},
	}
}

// variables are the names of the environment under which the setting is read, the first one that is
// set wins: LOADGEN_ and the flag's name, in the plural when there may be several.
func (s *setting) variables() []string {
	if s.isArgument {
		return nil
	}
	name := strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
	switch {
	case s.plural != "":
		name = s.plural
	case s.separators != "":
		name += "S"
	}
	all := []string{"LOADGEN_" + name}
	if s.locust {
		all = append(all, "LOCUST_"+name)
	}
	return all
}

// split takes a variable's text apart.
func (s *setting) split(text string) []string {
	if s.separators == "" {
		return []string{text}
	}
	var parts []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(s.separators, r) }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// one reads the last of the texts: of a flag that is given twice the later one counts.
func one[T any](parse func(string) (T, error), put func(*options, T)) func(*options, []string) error {
	return func(o *options, texts []string) error {
		value, err := parse(texts[len(texts)-1])
		if err == nil {
			put(o, value)
		}
		return err
	}
}

// checkedExpr refuses what is no expression and keeps its text, which is what a plan holds.
func checkedExpr(text string) (string, error) {
	_, err := gate.Parse(text)
	return text, err
}
