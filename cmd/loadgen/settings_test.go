package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"scalableappbackend/loadgen/plan"
)

// The contract: the core flags and their variables, as its page has them. "…" stands for the
// variable that follows from the flag's name; "…_X" for it and Locust's.
const contract = `
-H, --host URL | LOADGEN_HOST, LOCUST_HOST
-u, --users N | LOADGEN_USERS, LOCUST_USERS
-r, --spawn-rate R | …_SPAWN_RATE
-t, --run-time D | …_RUN_TIME
--think D[..D] | LOADGEN_THINK
--pacing D | LOADGEN_PACING
--rate N[/D] | LOADGEN_RATE
--stage D:N | LOADGEN_STAGES
--warm-up D | …
--arrivals uniform\|poisson | …
--max-in-flight N | …
-T, --targets FILE | LOADGEN_TARGETS
-X, --method M | …
-d, --data B | …
--header K: V | …
--body @F | …
--timeout D | …
--redirects N | …
--resolve H:P:ADDR | LOADGEN_RESOLVES
--no-keepalive | …
--connection-max-age D | …
-k, --insecure | …
--ca FILE | …
--cookies | …
--max-body SIZE | …
-s, --stop-timeout D | …_STOP_TIMEOUT
--threshold EXPR | LOADGEN_THRESHOLDS
--abort-on EXPR | …
--name S | LOADGEN_NAME
--tag K=V | LOADGEN_TAGS
--plan FILE | LOADGEN_PLAN
--config FILE | …
--overwrite | …
-o, --out DIR | LOADGEN_OUT
--headless | …_HEADLESS
--control | …
--csv PREFIX | …_CSV
--otlp URL | …
--trace-ratio X | …
--json | …
--exit-code-on-error N | …_EXIT_CODE_ON_ERROR
--seed N | LOADGEN_SEED
--base-host URL | LOADGEN_BASE_HOST
--start CMD | …
--base-start CMD | …
--cloudwatch | …
--cloudwatch-namespace NS | …
--cloudwatch-resolution 60|1 | …
--cloudwatch-run | …
--cloudwatch-dry-run | …
--emf | …
--service NAME | …
--restarts N | …
--block D | …
--fail-on EXPR | LOADGEN_FAIL_ON
--min-effect N% | LOADGEN_MIN_EFFECT
--strict | …
--start-at TIME | …
--s3 URL | …
--watch SERVICE | …
--recovery D | …
--task-capacity RPS | …
--expect EXPR | …
--watch-log GROUP | …
`

// aliases are second names of flags, as other tools have them.
func aliases() map[string]string {
	return map[string]string{
		"duration": "run-time", "z": "run-time", "vus": "users", "c": "users", "concurrency": "users", "connections": "users", "rps": "rate",
		"request": "method", "m": "method", "data-raw": "data", "data-binary": "data", "data-ascii": "data", "no-connection-reuse": "no-keepalive",
		"disable-keepalive": "no-keepalive", "insecure-skip-tls-verify": "insecure", "no-tui": "headless", "json-data": "data",
	}
}

func TestTheFlagsAndVariablesAreThoseOfTheContract(t *testing.T) {
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	define(set, runSettings())
	promised := map[string]bool{}
	row := regexp.MustCompile(`^(?:-(\w), )?--([\w-]+)( \S.*)? \| (.*)$`)
	for line := range strings.SplitSeq(strings.TrimSpace(contract), "\n") {
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("%q is no row", line)
		}
		short, name, arg, variables := m[1], m[2], m[3], m[4]
		promised[name] = true
		f := set.Lookup(name)
		if f == nil {
			t.Errorf("--%s does not exist", name)
			continue
		}
		if f.Shorthand != short {
			t.Errorf("--%s is -%s, want -%s", name, f.Shorthand, short)
		}
		if takes := f.NoOptDefVal == ""; takes != (arg != "") {
			t.Errorf("--%s takes a value: %v", name, takes)
		}
		i := slices.IndexFunc(runSettings(), func(s setting) bool { return s.flag == name })
		s := runSettings()[i]
		got := strings.Join(s.variables(), ", ")
		want := variables
		if rest, ok := strings.CutPrefix(variables, "…_"); ok {
			want = "LOADGEN_" + rest + ", LOCUST_" + rest
		} else if variables == "…" {
			want = "LOADGEN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if s.separators != "" {
				want += "S"
			}
		}
		if got != want {
			t.Errorf("--%s is read from %s, want %s", name, got, want)
		}
	}
	set.VisitAll(func(f *pflag.Flag) {
		if of, ok := aliases()[f.Name]; ok {
			if !f.Hidden || !promised[of] {
				t.Errorf("--%s is to be a second name of --%s", f.Name, of)
			}
		} else if !promised[f.Name] {
			t.Errorf("--%s is not in the contract", f.Name)
		}
	})
}

// What a plan holds can be said on the command line, and its errors find the flag again.
func TestEveryFieldOfAPlanBelongsToOneSetting(t *testing.T) {
	for field, flag := range map[string]string{
		"name": "name", "tags": "tag", "tags.commit": "tag", "host": "host", "users": "users", "spawn_rate": "spawn-rate",
		"think": "think", "pacing": "pacing", "rate": "rate", "arrivals": "arrivals", "max_in_flight": "max-in-flight",
		"run_time": "run-time", "stages": "stage", "stages[3]": "stage", "targets": "targets", "targets[0].url": "targets",
		"stop_timeout": "stop-timeout", "thresholds[1]": "threshold", "abort_on": "abort-on",
		"exit_code_on_error": "exit-code-on-error", "seed": "seed",
		"client.header": "header", "client.header.X-A": "header", "client.body": "body", "client.timeout": "timeout",
		"client.no_keepalive": "no-keepalive", "client.connection_max_age": "connection-max-age", "client.insecure": "insecure",
		"client.ca_file": "ca", "client.cookies": "cookies", "client.redirects": "redirects", "client.resolve[0]": "resolve", "warm_up": "warm-up", "client.max_body": "max-body",
		"model": "", "hostess": "", "stage": "",
	} {
		s, _ := settingIn(runSettings(), field)
		switch {
		case s == nil && flag != "":
			t.Errorf("%s belongs to nothing, want --%s", field, flag)
		case s != nil && s.flag != flag:
			t.Errorf("%s belongs to --%s, want %q", field, s.flag, flag)
		}
	}
}

func TestHelpNamesTheDefaultsOfThePlan(t *testing.T) {
	d, o := plan.Default(), plan.DefaultOpen()
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	define(set, runSettings())
	for _, f := range []struct{ flag, want string }{
		{"users", "50"}, {"spawn-rate", "5"}, {"run-time", d.RunTime.String()}, {"think", d.Think.String()},
		{"arrivals", string(o.Arrivals)}, {"max-in-flight", "10000"}, {"stop-timeout", d.StopTimeout.String()},
		{"timeout", d.Client.Timeout.String()}, {"max-body", plan.FormatSize(d.Client.MaxBody)},
	} {
		if got := noteOf(set.Lookup(f.flag), noteDefault); got != f.want {
			t.Errorf("--%s says %q, want %q", f.flag, got, f.want)
		}
	}
	if d.Users != 50 || d.SpawnRate != 5 || o.MaxInFlight != 10000 {
		t.Errorf("the plan's defaults are %d, %v and %d", d.Users, d.SpawnRate, o.MaxInFlight)
	}
}

func TestAMisspeltVariableIsNoticed(t *testing.T) {
	for _, row := range []struct {
		name, want string
	}{
		{"LOADGEN_USER", "LOADGEN_USERS"},
		{"LOADGEN_RUNTIME", "LOADGEN_RUN_TIME"},
		{"LOADGEN_THRESHOLD", "LOADGEN_THRESHOLDS"},
		{"LOADGEN_USERS", ""}, // known
		{"LOADGEN_CLOUDWATCH_NAMESPACE", ""},
		{"LOADGEN_API_TOKEN", ""}, // a reference's, perhaps
		{"LOCUST_TAGS", ""},       // not ours
		{"USERS", ""},
	} {
		want := ""
		if row.want != "" {
			want = row.name + " is not known; did you mean " + row.want + "?"
		}
		if got := strings.Join(strangers(settings(), []string{"HOME=/", row.name + "=1"}), "\n"); got != want {
			t.Errorf("%s: %q, want %q", row.name, got, want)
		}
	}
}

func FuzzAnyCommandLineOrVariableGivesAValidPlanOrAnErrorOfOneLine(f *testing.F) {
	for _, s := range runSettings() {
		f.Add(s.flag, "5", "LOADGEN_STAGES", "1s:5")
	}
	f.Add("think", "50ms..200ms", "LOCUST_RUN_TIME", "1h30m")
	f.Add("header", "A: ${B}", "LOADGEN_HEADERS", "A: b\nC: d")
	f.Add("threshold", "p(99)<50ms", "LOADGEN_TAGS", "a=b,c")
	f.Fuzz(func(t *testing.T, flag, value, variable, content string) {
		if flag == "plan" || flag == "targets" || variable == "LOADGEN_PLAN" || variable == "LOADGEN_TARGETS" {
			t.Skip() // files are package plan's
		}
		set := pflag.NewFlagSet("run", pflag.ContinueOnError)
		flags := define(set, runSettings())
		if set.Lookup(flag) == nil || set.Set(flag, value) != nil {
			t.Skip()
		}
		r, err := resolve(flags, func(name string) (string, bool) {
			if name == "LOADGEN_HOST" {
				return "http://h", true
			}
			return content, name == variable && content != ""
		})
		if err == nil {
			if err := r.plan.Validate(); err != nil {
				t.Errorf("not valid: %v", err)
			}
			return
		}
		for _, each := range flatten(err) {
			if text := each.Error(); text == "" || strings.Contains(text, "\n") {
				t.Errorf("%q is not one line", text)
			}
		}
	})
}
