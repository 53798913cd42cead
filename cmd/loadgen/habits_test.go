package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/exit"
)

// locustOptions are the options of Locust 2.47.0, as its argument parser has them: names, variable, and whether it takes a
// value. Hidden ones are among them.
const locustOptions = `
-h --help |  | switch
-f --locustfile | LOCUST_LOCUSTFILE | value
--config |  | value
-H --host | LOCUST_HOST | value
-u --users | LOCUST_USERS | value
-r --spawn-rate | LOCUST_SPAWN_RATE | value
-t --run-time | LOCUST_RUN_TIME | value
-l --list |  | switch
--config-users | LOCUST_CONFIG_USERS | value
--web-host | LOCUST_WEB_HOST | value
--web-host-display-name | LOCUST_WEB_HOST_DISPLAY_NAME | value
--web-port -P | LOCUST_WEB_PORT | value
--headless | LOCUST_HEADLESS | switch
--autostart | LOCUST_AUTOSTART | switch
--autoquit | LOCUST_AUTOQUIT | value
--headful | LOCUST_HEADFUL | switch
--web-auth | LOCUST_WEB_AUTH | value
--web-login | LOCUST_WEB_LOGIN | switch
--tls-cert | LOCUST_TLS_CERT | value
--tls-key | LOCUST_TLS_KEY | value
--class-picker | LOCUST_USERCLASS_PICKER | switch
--build-path | LOCUST_BUILD_PATH | value
--legacy-ui | LOCUST_LEGACY_UI | switch
--master | LOCUST_MODE_MASTER | switch
--master-bind-host | LOCUST_MASTER_BIND_HOST | value
--master-bind-port | LOCUST_MASTER_BIND_PORT | value
--expect-workers | LOCUST_EXPECT_WORKERS | value
--expect-workers-max-wait | LOCUST_EXPECT_WORKERS_MAX_WAIT | value
--enable-rebalancing |  | switch
--expect-slaves |  | switch
--worker | LOCUST_MODE_WORKER | switch
--processes | LOCUST_PROCESSES | value
--slave |  | switch
--master-host | LOCUST_MASTER_NODE_HOST | value
--master-port | LOCUST_MASTER_NODE_PORT | value
--web-base-path | LOCUST_WEB_BASE_PATH | value
-T --tags | LOCUST_TAGS | value
-E --exclude-tags | LOCUST_EXCLUDE_TAGS | value
--csv | LOCUST_CSV | value
--csv-full-history | LOCUST_CSV_FULL_HISTORY | switch
--print-stats | LOCUST_PRINT_STATS | switch
--only-summary | LOCUST_ONLY_SUMMARY | switch
--reset-stats | LOCUST_RESET_STATS | switch
--html | LOCUST_HTML | value
--json |  | switch
--json-file |  | value
--skip-log-setup | LOCUST_SKIP_LOG_SETUP | switch
--loglevel -L | LOCUST_LOGLEVEL | value
--logfile | LOCUST_LOGFILE | value
--show-task-ratio |  | switch
--show-task-ratio-json |  | switch
--version -V |  | switch
--exit-code-on-error | LOCUST_EXIT_CODE_ON_ERROR | value
-s --stop-timeout | LOCUST_STOP_TIMEOUT | value
--equal-weights |  | switch
--profile |  | value
--otel | LOCUST_ENABLE_OPENTELEMETRY | switch
`

// Each is read as one of ours, passed over with a line, or refused by its name with what to do instead; never is it a
// flag that nobody knows.
func TestEveryOptionOfLocustIsAnswered(t *testing.T) {
	answers := map[string]int{}
	for line := range strings.SplitSeq(strings.TrimSpace(locustOptions), "\n") {
		parts := strings.Split(line, " | ")
		names, variable, takes := strings.Fields(parts[0]), parts[1], parts[2]
		if strings.Contains(variable, "LOCUST_") == (variable == "") {
			t.Fatalf("%q is no row", line)
		}
		for _, name := range names {
			if name == "-h" || name == "--help" || name == "-T" { // help; and -T, which is a file of requests here
				continue
			}
			typed := []string{"run", "http://h", "--seed", "x", name} // no seed, so that nothing starts
			switch {
			case name == "-H" || name == "--host":
				typed = append(typed, "http://h")
			case takes == "value":
				typed = append(typed, "1")
			}
			_, stderr, code := typedIn(t, nil, typed...)
			if code != exit.Usage || strings.Contains(stderr, "want a flag of") || strings.Contains(stderr, "did you mean") {
				t.Errorf("%s: exit %d, %s", name, code, stderr)
			}
			own := regexp.MustCompile(`loadgen: (?:note: )?` + regexp.QuoteMeta(name) + `:`).MatchString(stderr)
			isOurs := slices.ContainsFunc(runSettings(), func(s setting) bool { return dashed(s.flag) == name || "-"+s.short == name })
			if own == isOurs {
				t.Errorf("%s is ours: %v, and answered by name: %v: %s", name, isOurs, own, stderr)
			}
			if strings.Contains(name, "tags") && strings.Contains(stderr, "--tag ") {
				t.Errorf("%s hints at --tag, which is something else: %s", name, stderr)
			}
			answers[stderr]++
		}
		if variable != "" {
			known(t, variable)
		}
	}
	for name := range strings.FieldsSeq("LOCUST_USER_CLASSES") {
		known(t, name)
	}
	if len(answers) < 15 {
		t.Errorf("only %d different answers", len(answers))
	}
}

// known reports a variable that is neither read nor named.
func known(t *testing.T, name string) {
	t.Helper()
	ours := slices.ContainsFunc(runSettings(), func(s setting) bool { return slices.Contains(s.variables(), name) })
	_, stderr, _ := typedIn(t, map[string]string{name: "1", "LOADGEN_SEED": "x"}, "run", "http://h")
	if named := strings.Contains(stderr, "note: "+name+" is not used: "); named == ours {
		t.Errorf("%s is read: %v, and named: %v: %s", name, ours, named, stderr)
	}
}

func TestAHabitIsNoFlagOfOurs(t *testing.T) {
	taken := map[string]bool{}
	for _, s := range runSettings() {
		for _, name := range append([]string{s.flag, s.short}, s.aliases...) {
			taken[name] = name != ""
		}
	}
	for _, h := range habits() {
		for _, name := range h.names {
			if taken[name] {
				t.Errorf("%s is a flag of ours, or twice a habit", dashed(name))
			}
			taken[name] = true
		}
		if h.instead == "" || strings.HasSuffix(h.instead, ".") {
			t.Errorf("%v: %q is no answer", h.names, h.instead)
		}
	}
}

func TestWhatIsLeftOutOfACommandLine(t *testing.T) {
	for _, row := range []struct{ typed, means string }{
		{"--version", "version"}, {"-V", "version"}, {"-v", "version"},
		{"-H http://h -u 5", "run -H http://h -u 5"},
		{"http://h/a /b", "run http://h/a /b"},
		{"/a", "run /a"}, {"${BASE}/a", "run ${BASE}/a"},
		{"run /a", "run /a"}, {"-h", "-h"}, {"--help", "--help"}, {"", ""}, {"frob", "frob"}, {"-", "-"},
		{"run --json {} /a", "run --json={} /a"}, {"run --json [1]", "run --json=[1]"}, {"run --json @f", "run --json=@f"},
		{"run -L -s /a", "run --location --headless /a"}, {"run /a -L", "run /a --location"}, {"run /a -L DEBUG -s 5", "run /a -L DEBUG -s 5"},
		{"run --json /a", "run --json /a"}, {"run /a --json", "run /a --json"},
	} {
		if got := strings.Join(respelled(strings.Fields(row.typed)), " "); got != row.means {
			t.Errorf("%q means %q, want %q", row.typed, got, row.means)
		}
	}
}
