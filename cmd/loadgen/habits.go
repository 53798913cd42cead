package main

import (
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/report"
)

// habit is a flag or variable of another tool, and what to do instead. A flag that means the same as one of ours is
// an alias in the table of settings and not a habit.
type habit struct {
	names   []string // flags; those of one letter are typed with one dash
	env     string   // the variable of Locust, if there is one
	value   bool     // the flag takes one
	instead string
	// harmless: the run does the same without this flag, so a note is enough. Any other flag is refused,
	// because the run would do something else.
	harmless bool
}

const (
	noPython    = "loadgen runs no Python: put the requests in a file, -T FILE, or name their URLs as arguments (docs/from-locust.md)"
	noPage      = "there is no web page: the terminal shows the progress, and loadgen report DIR shows a result"
	noMasters   = "there is no master and no worker: one process uses all CPUs; for more, start one on each machine and add up the results with loadgen merge"
	noClasses   = "there are no user classes: list the requests and their weights in a file, -T FILE"
	noLogs      = "not needed: progress goes to stderr, the result to stdout"
	selectTasks = "select the requests in the file of requests: -T FILE"
)

// habits are all flags and variables of Locust 2.47 that are not ours, and those of hey, oha, wrk, k6, vegeta and curl
// that people type most.
func habits() []habit {
	return []habit{
		// Locust.
		{names: []string{"locustfile", "f"}, env: "LOCUSTFILE", value: true, instead: noPython},
		{names: []string{"list", "l"}, instead: noClasses},
		{names: []string{"config-users"}, env: "CONFIG_USERS", value: true, instead: noClasses},
		{env: "USER_CLASSES", instead: noClasses},
		{names: []string{"web-host"}, env: "WEB_HOST", value: true, instead: noPage},
		{names: []string{"web-host-display-name"}, env: "WEB_HOST_DISPLAY_NAME", value: true, instead: noPage},
		{names: []string{"web-port", "P"}, env: "WEB_PORT", value: true, instead: noPage},
		{names: []string{"web-auth"}, env: "WEB_AUTH", value: true, instead: noPage},
		{names: []string{"web-login"}, env: "WEB_LOGIN", instead: noPage},
		{names: []string{"web-base-path"}, env: "WEB_BASE_PATH", value: true, instead: noPage},
		{names: []string{"tls-cert"}, env: "TLS_CERT", value: true, instead: noPage},
		{names: []string{"tls-key"}, env: "TLS_KEY", value: true, instead: noPage},
		{names: []string{"headful"}, env: "HEADFUL", instead: noPage},
		{names: []string{"build-path"}, env: "BUILD_PATH", value: true, instead: noPage},
		{names: []string{"legacy-ui"}, env: "LEGACY_UI", instead: noPage},
		{names: []string{"class-picker"}, env: "USERCLASS_PICKER", instead: noPage},
		{names: []string{"autostart"}, env: "AUTOSTART", harmless: true, instead: "not needed: a run starts at once"},
		{names: []string{"autoquit"}, env: "AUTOQUIT", value: true, harmless: true, instead: "not needed: the program exits when the run ends"},
		{names: []string{"master"}, env: "MODE_MASTER", instead: noMasters},
		{names: []string{"master-bind-host"}, env: "MASTER_BIND_HOST", value: true, instead: noMasters},
		{names: []string{"master-bind-port"}, env: "MASTER_BIND_PORT", value: true, instead: noMasters},
		{names: []string{"master-host"}, env: "MASTER_NODE_HOST", value: true, instead: noMasters},
		{names: []string{"master-port"}, env: "MASTER_NODE_PORT", value: true, instead: noMasters},
		{names: []string{"expect-workers"}, env: "EXPECT_WORKERS", value: true, instead: noMasters},
		{names: []string{"expect-workers-max-wait"}, env: "EXPECT_WORKERS_MAX_WAIT", value: true, instead: noMasters},
		{names: []string{"expect-slaves"}, instead: noMasters},
		{names: []string{"enable-rebalancing"}, env: "ENABLE_REBALANCING", instead: noMasters},
		{names: []string{"worker"}, env: "MODE_WORKER", instead: noMasters},
		{names: []string{"slave"}, instead: noMasters},
		{names: []string{"processes"}, env: "PROCESSES", value: true, harmless: true, instead: "not needed: one process uses all CPUs"},
		{names: []string{"tags"}, env: "TAGS", value: true, instead: selectTasks},
		{names: []string{"exclude-tags", "E"}, env: "EXCLUDE_TAGS", value: true, instead: selectTasks},
		{names: []string{"csv-full-history"}, env: "CSV_FULL_HISTORY", harmless: true, instead: "not needed: windows.jsonl in the result has the history of each endpoint"},
		{names: []string{"print-stats"}, env: "PRINT_STATS", harmless: true, instead: "not needed: stderr shows the progress"},
		{names: []string{"only-summary"}, env: "ONLY_SUMMARY", harmless: true, instead: "not needed: the summary goes to stdout, the progress to stderr"},
		{names: []string{"reset-stats"}, env: "RESET_STATS", harmless: true, instead: "not needed: the report separates the phases ramp and steady; a threshold for one is {phase:steady}:p(99)<50ms"},
		{names: []string{"html"}, env: "HTML", value: true, instead: "use loadgen report DIR -f " + strings.Join(report.Formats()[1:], "|") + " after the run"},
		{names: []string{"json-file"}, value: true, instead: "use --json > FILE"},
		{names: []string{"skip-log-setup"}, env: "SKIP_LOG_SETUP", harmless: true, instead: noLogs},
		{names: []string{"skip-log"}, harmless: true, instead: noLogs},
		{names: []string{"loglevel", "L"}, env: "LOGLEVEL", value: true, harmless: true, instead: noLogs},
		{names: []string{"logfile"}, env: "LOGFILE", value: true, harmless: true, instead: "use 2> FILE"},
		{names: []string{"show-task-ratio"}, instead: noClasses},
		{names: []string{"show-task-ratio-json"}, instead: noClasses},
		{names: []string{"version", "V"}, instead: "use loadgen version"},
		{names: []string{"equal-weights"}, instead: "leave the weights out of the file of requests"},
		{names: []string{"profile"}, value: true, instead: "use --name NAME or --tag profile=NAME"},
		{names: []string{"otel"}, env: "ENABLE_OPENTELEMETRY", instead: "use --otlp URL for metrics, and --trace-ratio 0.01 for traces of a share of the requests"},

		// Others.
		{names: []string{"n", "requests", "iterations", "i"}, value: true, instead: "use loadgen bench URL -n N to send N requests; run sends for a time, -t D, so --rate R sends R × D requests"},
		{names: []string{"q", "query-per-second"}, value: true, instead: "use --rate N: requests per second in total"},
		{names: []string{"w", "wait-ongoing-requests-after-deadline"}, instead: "use -s D: the grace period for unfinished requests at the end"},
		{names: []string{"D"}, value: true, instead: "use -d @FILE"},
		{names: []string{"a", "user"}, value: true, instead: "use --header 'Authorization: Basic ${CREDENTIALS}', or http://USER:PASSWORD@HOST"},
		{names: []string{"A", "user-agent"}, value: true, instead: "use --header 'NAME: VALUE'"},
		{names: []string{"F", "form"}, value: true, instead: "use -d @FILE with the encoded body, and --header with its Content-Type"},
		{names: []string{"proxy"}, value: true, instead: "use the URL of the proxy as the host; its latency is then measured as well"},
		{names: []string{"http2"}, instead: "requests are HTTP/1.1"},
		{names: []string{"disable-redirects", "no-redirects"}, instead: "use --redirects 0"},
		{names: []string{"location"}, harmless: true, instead: "not needed: redirects are followed; --redirects says how many"},
		{names: []string{"compressed", "disable-compression"}, harmless: true, instead: "not needed: bodies are never decompressed; --header 'Accept-Encoding: gzip' asks for compressed ones"},
		{names: []string{"latency-correction"}, harmless: true, instead: "not needed: reports always show corrected and raw latency"},
		{names: []string{"workers", "max-workers", "max-connections"}, value: true, instead: "use --max-in-flight N: most requests in flight, with --rate"},
	}
}

// variable is the name of the habit in the environment; empty for none.
func (h *habit) variable() string {
	if h.env == "" {
		return ""
	}
	return "LOCUST_" + h.env
}

// typedHabit is the value of a flag of another tool: how it was typed.
type typedHabit struct {
	*habit
	name string
	said *[]saidHabit
}

type saidHabit struct {
	*habit
	name string
}

func (t typedHabit) Set(string) error {
	*t.said = append(*t.said, saidHabit{t.habit, t.name})
	return nil
}
func (t typedHabit) String() string { return "" }
func (t typedHabit) Type() string   { return "" }

// defineHabits adds the flags of other tools to a command; said lists those that were typed, in order.
func defineHabits(flags *pflag.FlagSet, table []habit) (said *[]saidHabit) {
	said = new([]saidHabit)
	for i := range table {
		h := &table[i]
		for _, name := range h.names {
			short := ""
			if len(name) == 1 {
				short = name
			}
			f := flags.VarPF(typedHabit{h, dashed(name), said}, name, short, h.instead)
			f.Hidden = true
			annotate(f, noteArg, "a value")
			if !h.value {
				f.NoOptDefVal = "true"
			}
		}
	}
	return said
}

// answer says what to do instead of what was typed: notes where nothing is lost, else errors.
func answer(said []saidHabit) (notes []string, errs []error) {
	for _, s := range said {
		if s.harmless {
			notes = append(notes, s.name+": "+s.instead)
			continue
		}
		errs = append(errs, &input.Error{Field: s.name, Want: s.instead})
	}
	return notes, errs
}

// answerVariables says what to do instead of what stands in the environment, which is never an error: it may be there for
// another program.
func answerVariables(table []habit, variable func(string) (string, bool)) (notes []string) {
	for i := range table {
		if name := table[i].variable(); name != "" {
			if _, set := variable(name); set {
				notes = append(notes, name+" is not used: "+table[i].instead)
			}
		}
	}
	return notes
}

// typeOfBody is what hey and oha take with -T; a file of requests is hardly ever called so.
var typeOfBody = regexp.MustCompile(`^(application|audio|font|image|message|model|multipart|text|video)/[\w.+-]+(;.*)?$`)

// respelled is a command line with what it leaves out: the verb before a flag, a URL or a path, and which --json, -L or -T is
// meant.
func respelled(args []string) []string {
	if len(args) == 0 {
		return args
	}
	first := args[0]
	switch {
	case first == "--version" || first == "-V" || first == "-v":
		return append([]string{"version"}, args[1:]...)
	case first == "-h" || first == "--help":
	case strings.HasPrefix(first, "-") && len(first) > 1, isAddress(first):
		args = append([]string{"run"}, args...)
	}
	var all []string
	for i, arg := range args {
		last := len(all) - 1
		switch before := args[max(i-1, 0)]; {
		case i == 0:
		case before == "--json" && dataOfJSON(arg) != "":
			all[last] += "=" + arg
			continue
		case before == "-L" && (isAddress(arg) || strings.HasPrefix(arg, "-")): // curl's, which takes no value; Locust's has a level
			all[last] = "--location"
		case before == "-s" && isAddress(arg): // curl's silence
			all[last] = "--headless"
		case before == "-T" && typeOfBody.MatchString(arg): // hey's and oha's
			all[last], arg = "--header", "Content-Type: "+arg
		}
		all = append(all, arg)
	}
	if last := len(all) - 1; all[last] == "-L" { // curl's, again
		all[last] = "--location"
	}
	return all
}

// isAddress reports whether a word is a URL or a path, and no misspelt verb.
func isAddress(word string) bool {
	return strings.Contains(word, "://") || strings.HasPrefix(word, "/") || strings.HasPrefix(word, "${")
}
