package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/report"
)

// Nothing is started by any of these: they are refused, each thing wrong in a line of its own that
// begins with what was typed.
func TestWhatCannotBeUsedIsSaidAtOnceInTheWordsOfWhoTypedIt(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"bad.json":     `{"model":"closed","userz":1}`,
		"wrong.json":   `{"host":"http://h","users":0,"run_time":"1s","think":"1s","pacing":"1s","thresholds":["p99<1"]}`,
		"secret.json":  `{"host":"http://h","client":{"header":{"Authorization":["REDACTED"]}}}`,
		"good.json":    `{"host":"http://h"}`,
		"notjson.json": `users: 5`,
		"targets.txt":  "GET /\nbad header\n\nGET ftp://h/\n",
		"empty.txt":    "# nothing\n",
		"token.txt":    "GET /\nAuthorization: Bearer ${TOKEN}\n",
		"ca.pem":       "no certificate",
		"full/file":    "",
		"other.txt":    "GET http://elsewhere/\n",
		"curve.txt":    "0,1\nx,2\n",
		"bad.conf":     "users = many\nhost = http://h\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	type env = map[string]string
	for _, row := range []struct {
		args []string
		env  env
		want string // lines of stderr, without the prefix
	}{
		// Commands.
		{nil, nil, "want a command, e.g. loadgen run --host embedded\nhint: loadgen -h lists them"},
		{args("rnu --host x"), nil, "command \"rnu\": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help\nhint: did you mean loadgen run?"},
		{args("frobnicate"), nil, `command "frobnicate": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help`},
		{args("--host x"), nil, "--host \"x\": want a base URL, e.g. http://localhost:8080\nhint: did you mean http://x?"},
		{args("attack -rate 50"), nil, "command \"attack\": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help\nhint: did you mean loadgen run?"},
		{args("example.com"), nil, `command "example.com": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help` + "\nhint: did you mean loadgen http://example.com?"},
		{args("-"), nil, `command "-": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help`},

		// What belongs to other tools.
		{args("-f locustfile.py --headless -u 5"), nil, "-f: loadgen runs no Python: put the requests in a file, -T FILE, or name their URLs as arguments (docs/from-locust.md)"},
		{args("run -H http://h --tags smoke"), nil, "--tags: select the requests in the file of requests: -T FILE"},
		{args("run -H http://h --html r.html"), nil, "--html: use loadgen report DIR -f " + strings.Join(report.Formats()[1:], "|") + " after the run"},
		{args("run http://h -n 1000 -c 5"), nil, "-n: use loadgen bench URL -n N to send N requests; run sends for a time, -t D, so --rate R sends R × D requests"},
		{args("run script.js --vus 10"), nil, "argument \"script.js\": want a URL that begins with http:// or https://, or a path that begins with /\nhint: loadgen runs no scripts: requests are arguments, or lines of a file, -T FILE (docs/targets.md)"},
		{args("127.0.0.1:8080/health -t 1s"), nil, "command \"127.0.0.1:8080/health\": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help\nhint: did you mean loadgen http://127.0.0.1:8080/health?"},
		{args("run http://h -q 10 -w"), nil, "-q: use --rate N: requests per second in total\n-w: use -s D: the grace period for unfinished requests at the end"},
		{args("run http://h --vus many --rps x"), nil, "--vus: cannot be combined with --rps: users wait for answers, a rate does not; a run has one of them\n--vus \"many\": want a whole number, e.g. 50\n--rps \"x\": want requests per second, or NUMBER/DURATION, e.g. 50, 0.5 or 3000/1m"},
		{args("run http://h -c many"), nil, `-c "many": want a whole number, e.g. 50`},
		{args("run http://h -z soon"), nil, `-z "soon": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{[]string{"run", "-H", "Host: bad host", "http://h"}, nil, `--host Host: not a host name`},
		{[]string{"run", "--json", "{}", "-H", "http://h"}, nil, "--json \"{}\": want a URL or path as well, e.g. loadgen run -X POST http://localhost:8080/"},

		// Bare numbers, which may mean one or the other.
		{args("run -H http://h --think 5"), nil, `--think "5": want a unit: 5s or 5ms`},
		{args("run -H http://h --think 50..200"), nil, `--think "50..200": want a unit: 50s..200s or 50ms..200ms`},
		{args("run -H http://h --think 0..200"), nil, `--think "0..200": want a unit: 0..200s or 0..200ms`},
		{args("run -H http://h --pacing 100"), nil, `--pacing "100": want a unit: 100s or 100ms`},
		{args("run -H http://h --timeout 1.5"), nil, `--timeout "1.5": want a unit: 1.5s or 1.5ms`},
		{args("run -H http://h"), env{"LOADGEN_CONNECTION_MAX_AGE": "30"}, `LOADGEN_CONNECTION_MAX_AGE "30": want a unit: 30s or 30ms`},
		{args("run -H http://h --warm-up 10"), nil, `--warm-up "10": want a unit: 10s or 10ms`},

		// Locust's files.
		{args("run --config none.conf"), nil, "--config \"none.conf\": want a file that can be read: no such file or directory"},
		{args("run --config bad.conf"), nil, "note: bad.conf sets users many, host http://h\nbad.conf users \"many\": want a whole number, e.g. 50"},
		{args("help rum"), nil, "command \"rum\": want one of run, bench, lab, simulate, watch, report, merge, compare, baseline, fargate, dashboard, version, completion, help\nhint: did you mean loadgen run?"},
		{args("help run extra"), nil, `argument "extra": want one command`},
		{args("version now"), nil, `argument "now": want only flags after loadgen version`},
		{args("completion"), nil, "completion: want a shell, one of bash, zsh, fish, powershell"},
		{args("completion bsh"), nil, "shell \"bsh\": want one of bash, zsh, fish, powershell\nhint: did you mean bash?"},
		{args("completion bash zsh"), nil, `argument "zsh": want one shell only`},

		// Flags as such.
		{args("run --hots x"), nil, "flag \"--hots\": want a flag of loadgen run\nhint: did you mean --host?"},
		{args("run --zzz"), nil, "flag \"--zzz\": want a flag of loadgen run\nhint: loadgen run -h lists them"},
		{args("run -x"), nil, "flag \"-x\": want a flag of loadgen run\nhint: loadgen run -h lists them"},
		{args("run -u"), nil, "-u: want N after it: concurrent users; each waits for its answer, then sends again"},
		{args("run --users"), nil, "--users: want N after it: concurrent users; each waits for its answer, then sends again"},
		{args("run --=5"), nil, "flag \"--=5\": want --NAME or --NAME=VALUE\nhint: loadgen run -h lists them"},

		// Arguments.
		{args("run -H http://h 5"), nil, "argument \"5\": want a URL that begins with http:// or https://, or a path that begins with /\nhint: did you mean http://5?"},
		{args("run localhost:8080/x"), nil, "argument \"localhost:8080/x\": want a URL that begins with http:// or https://, or a path that begins with /\nhint: did you mean http://localhost:8080/x?"},
		{args("run targets.txt"), nil, "argument \"targets.txt\": want a URL that begins with http:// or https://, or a path that begins with /\nhint: a file of requests is --targets targets.txt"},
		{args("run embedded"), nil, "argument \"embedded\": want a URL that begins with http:// or https://, or a path that begins with /\nhint: did you mean --host embedded?"},
		{args("run ftp://h/x"), nil, `argument "ftp://h/x": want a URL that begins with http:// or https://, or a path that begins with /`},
		{args("run /a /b"), nil, "--host: want the URL of the service, e.g. loadgen run --host http://localhost:8080, or --host embedded to try it with an API in this process"},
		{args("run -T token.txt http://h/x"), nil, `--targets: cannot be combined with the arguments: both say what to send`},
		{args("run -T token.txt -X POST -H http://h"), nil, `--method: cannot be combined with --targets: the file has the method and body of each request`},
		{args("run -H http://h -X POST"), nil, `--method "POST": want a URL or path as well, e.g. loadgen run -X POST http://localhost:8080/`},
		{args("run http://h/ -X PO/ST"), nil, `--method "PO/ST": want an HTTP method, e.g. POST`},
		{args("run http://h/ -u name:secret"), nil, "--users: want a number of users; a user and a password go into --header 'Authorization: Basic ${CREDENTIALS}', or http://USER:PASSWORD@HOST"},
		{args("run http://h/ -d 30s"), nil, `--data "30s": want a body; a duration is -t 30s`},
		{args("run http://h/ -d @a -d b"), nil, `--data: one @FILE, or texts, which are joined by &`},
		{args("run http://h/ -d @missing"), nil, `--data "missing": want a file that can be read: no such file or directory`},
		{args("run http://h/ --redirects 11"), nil, `--redirects "11": want 0 to 10; 0 takes the redirect as the answer`},
		{args("run http://h/ --warm-up 3m"), nil, `--warm-up "3m": want less than the 3m of the load, of which it is the first part`},
		{args("run http://h/ --resolve h:80"), nil, `--resolve "h:80": want HOST:PORT:ADDRESS as curl has it, e.g. example.com:443:127.0.0.1 or example.com:443:[::1]`},
		{args("report --format"), nil, "--format: want F after it: " + strings.Join(report.Formats(), ", ")},
		{args("report --schema=x"), nil, `--schema "x": want true or false, 1 or 0`},

		// No host.
		{args("run"), nil, "--host: want the URL of the service, e.g. loadgen run --host http://localhost:8080, or --host embedded to try it with an API in this process"},
		{args("run"), env{"LOADGEN_HOST": ""}, "--host: want the URL of the service, e.g. loadgen run --host http://localhost:8080, or --host embedded to try it with an API in this process"},

		// Values, from flags and variables.
		{[]string{"run", "-H", ""}, nil, "--host: empty, want a value"},
		{args("run -H localhost:8080"), nil, "--host \"localhost:8080\": want a base URL, e.g. http://localhost:8080\nhint: did you mean http://localhost:8080?"},
		{args("run"), env{"LOCUST_HOST": "ftp://h"}, `LOCUST_HOST "ftp://h": want a base URL, e.g. http://localhost:8080`},
		{args("run -H http://h:99999"), nil, `--host "http://h:99999": want a port from 1 to 65535`},
		{args("run -H http://h/?a=b"), nil, `--host "http://h/?a=b": want a base URL, e.g. http://localhost:8080, without a query or a fragment`},
		{args("run -H http://h -u many"), nil, `--users "many": want a whole number, e.g. 50`},
		{args("run -H http://h -u 0"), nil, `--users "0": want 1 to 1,000,000`},
		{args("run -H http://h -u -1"), nil, `--users "-1": want 1 to 1,000,000`},
		{args("run -H http://h"), env{"LOADGEN_USERS": "1e9"}, `LOADGEN_USERS "1e9": want a whole number, e.g. 50`},
		{args("run -H http://h"), env{"LOCUST_USERS": "2000000"}, `LOCUST_USERS "2000000": want 1 to 1,000,000`},
		{args("run -H http://h -r 0"), nil, `--spawn-rate "0": want users per second, above 0, at most 1,000,000`},
		{args("run -H http://h -r inf"), nil, `--spawn-rate "inf": want a number, e.g. 5 or 0.5`},
		{args("run -H http://h -t soon"), nil, `--run-time "soon": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{args("run -H http://h --duration soon"), nil, `--duration "soon": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number`},
		{args("run -H http://h --duration 0"), nil, `--duration "0s": want a duration above 0`},
		{args("run -H http://h -t -5s"), nil, `--run-time "-5s": want a duration that is not negative`},
		{args("run -H http://h --think 200ms..50ms"), nil, `--think "200ms..50ms": want MIN..MAX with MIN not above MAX`},
		{args("run -H http://h --pacing 0"), nil, `--pacing "0": want a duration above 0, e.g. 1s; for users that never pause --think 0`},
		{args("run -H http://h --stage 30s"), nil, `--stage "30s": want DURATION:NUMBER, e.g. 30s:50`},
		{args("run -H http://h --stage 1s:5 --stage 2s:x --stage y"), nil, "--stage \"2s:x\": want DURATION:NUMBER, e.g. 30s:50\n--stage \"y\": want DURATION:NUMBER, e.g. 30s:50"},
		{args("run -H http://h"), env{"LOADGEN_STAGES": "1s:5,2s"}, `LOADGEN_STAGES "2s": want DURATION:NUMBER, e.g. 30s:50`},
		{args("run -H http://h --stage 1s:0"), nil, `--stage: all at 0: nothing would be sent`},
		{args("run -H http://h --stage 1s:2.5"), nil, `--stage "1s:2.5": want a whole number of users, 0 to 1,000,000`},
		{args("run -H http://h --seed -1"), nil, `--seed "-1": want a whole number from 0 to 2^53-1`},
		{args("run -H http://h --seed 9007199254740992"), nil, `--seed "9007199254740992": want a whole number below 2^53`},
		{args("run -H http://h --timeout 0"), nil, `--timeout "0s": want a duration above 0`},
		{args("run -H http://h --max-body lots"), nil, `--max-body "lots": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`},
		{args("run -H http://h --insecure=maybe"), nil, `--insecure "maybe": want true or false, 1 or 0`},
		{args("run -H http://h"), env{"LOADGEN_HEADLESS": "yes"}, `LOADGEN_HEADLESS "yes": want true or false, 1 or 0`},
		{args("run -H http://h --tag commit"), nil, `--tag "commit": want KEY=VALUE, e.g. commit=4e1f09`},
		{[]string{"run", "-H", "http://h", "--header", "Authorization: "}, nil, `--header "Authorization:": want "Name: value"`},
		{[]string{"run", "-H", "http://h", "--header", "a b: secret"}, nil, `--header "a b": want a header name of letters, digits and dashes`},
		{args("run -H http://h --exit-code-on-error 300"), nil, `--exit-code-on-error "300": want 0 to 125`},

		// Rates.
		{args("run -H http://h --rate 0"), nil, `--rate "0": want more than 0 requests per second; 0 is a start for stages`},
		{args("run -H http://h --rate -5"), nil, `--rate "-5": want requests per second, or NUMBER/DURATION, e.g. 50, 0.5 or 3000/1m`},
		{args("run -H http://h --rate 1e9"), nil, `--rate "1e9": want at most 1,000,000 requests per second`},
		{args("run -H http://h --rate 1000000000"), nil, `--rate "1000000000": want at most 1,000,000 requests per second`},
		{args("run -H http://h --arrivals random --rate 5"), nil, `--arrivals "random": want uniform or poisson`},
		{args("run -H http://h --arrivals poisson"), nil, `--arrivals "poisson": want --rate as well, e.g. --rate 50`},
		{args("run -H http://h --max-in-flight 5 --stage 1s:5"), nil, `--max-in-flight "5": want --rate as well, e.g. --rate 50`},
		{args("run -H http://h --rate 5 --max-in-flight 0"), nil, `--max-in-flight "0": want 1 to 1,000,000`},

		// Flags that exclude each other.
		{args("run -H http://h -u 5 --rate 5"), nil, `--users: cannot be combined with --rate: users wait for answers, a rate does not; a run has one of them`},
		{args("run -H http://h --rate 5 --think 1s --pacing 2s -r 1"), nil, "--spawn-rate: cannot be combined with --rate: users wait for answers, a rate does not; a run has one of them\n" +
			"--think: cannot be combined with --pacing: a user pauses or keeps a pace\n" +
			"--pacing: cannot be combined with --rate: users wait for answers, a rate does not; a run has one of them"},
		{args("run -H http://h -u 5 --arrivals poisson"), nil, `--users: cannot be combined with --arrivals: it applies to a rate`},
		{args("run -H http://h --stage 1s:5 -t 5s"), nil, `--run-time: cannot be combined with --stage: the stages are the run time`},
		{args("run -H http://h --stage 1s:5 --duration 5s"), nil, `--duration: cannot be combined with --stage: the stages are the run time`},
		{args("run -H http://h --stage 1s:5 -r 5"), nil, `--spawn-rate: cannot be combined with --stage: the stages start the users`},
		{args("run -H http://h --think 1s --pacing 5s"), nil, `--think: cannot be combined with --pacing: a user pauses or keeps a pace`},

		// Thresholds.
		{[]string{"run", "-H", "http://h", "--threshold", "p99<50ms"}, nil, `--threshold "p99<50ms": want p(99) instead of p99`},
		{args("run -H http://h"), env{"LOADGEN_THRESHOLDS": "rps>1;rsp>2"}, `LOADGEN_THRESHOLDS "rsp>2": want rps instead of rsp`},
		{[]string{"run", "-H", "http://h", "--abort-on", "error_rate"}, nil, `--abort-on "error_rate": want one of < <= > >= == != after error_rate`},
		{[]string{"run", "-H", "http://h", "--threshold", "{GET /helth}:p(99)<50ms"}, nil, `--threshold "{GET /helth}:p(99)<50ms": want "GET /health" instead of "GET /helth"`},
		{[]string{"run", "-H", "http://h", "--abort-on", "dropped>1"}, nil, `--abort-on "dropped>1": want a metric that is known during the run; dropped is known only after the drain`},

		// Files.
		{args("run -H http://h -T missing.txt"), nil, `--targets "missing.txt": want a file that can be read: no such file or directory`},
		{args("run -H http://h"), env{"LOADGEN_TARGETS": "full"}, `full: cannot be read: is a directory`},
		{args("run -H http://h -T targets.txt"), nil, "targets.txt:2: bad header \"bad …\": want \"Name: value\"\ntargets.txt:4: bad URL \"ftp://h/\": want a URL that begins with http:// or https://, or a path that begins with /"},
		{args("run -H http://h -T empty.txt"), nil, "empty.txt: no targets in it, want METHOD URL, e.g. GET http://localhost:8080/"},
		{args("run -H http://h -T token.txt"), nil, `token.txt: targets[0].header.Authorization "${TOKEN}": want a variable that is set in the environment`},
		{[]string{"run", "-H", "http://h", "--header", "X: ${NOPE}"}, nil, `--header X "${NOPE}": want a variable that is set in the environment`},
		{args("run -H http://h --body @missing"), nil, `--body "missing": want a file that can be read: no such file or directory`},
		{args("run -H http://h --ca missing"), nil, `--ca "missing": want a file that can be read: no such file or directory`},
		{args("run -H http://h"), env{"LOADGEN_CA": "ca.pem"}, `LOADGEN_CA "ca.pem": want a file with a PEM certificate`},

		// Plan files.
		{args("run --plan missing.json"), nil, `--plan "missing.json": want a file that can be read: no such file or directory`},
		{args("run --plan bad.json"), nil, `bad.json: userz: unknown key, want "users"?`},
		{args("run"), env{"LOADGEN_PLAN": "notjson.json"}, `notjson.json: not JSON: invalid character 'u' looking for beginning of value`},
		{args("run --plan wrong.json"), nil, "wrong.json: users \"0\": want 1 to 1,000,000\nwrong.json: think: does not go with pacing: give one of them"},
		{args("run --plan secret.json"), nil, `secret.json: client.header.Authorization: was redacted when the plan was kept: give it again with "--header Authorization: …"`},

		// Where the result goes.
		{args("run -H http://h -o full"), nil, "--out: result directory full: not empty (it holds file): want a new directory, or an empty one"},
		{args("run -H http://h"), env{"LOADGEN_OUT": "full"}, "LOADGEN_OUT: result directory full: not empty (it holds file): want a new directory, or an empty one"},
		{args("run --plan good.json -o full"), nil, "--out: result directory full: not empty (it holds file): want a new directory, or an empty one"},
		{args("run -H http://h -o full/file"), nil, "--out: result directory full/file: mkdir: not a directory"},
		{args("run -H http://h -o none --csv missing/run"), nil, `--csv "missing/run": open missing/run_stats.csv: no such file or directory`},

		// Results.
		{args("report"), nil, "report: want the directory of a result, e.g. loadgen report loadgen-results/20261124T150405Z"},
		{args("report a b"), nil, "argument \"b\": want one directory\nhint: loadgen merge adds several results up"},
		{args("report missing"), nil, "result missing: open: no such file or directory"},
		{args("report full"), nil, "result full: holds no result: neither result.json nor plan.json is there"},
		{args("report full -f markdwon"), nil, "--format \"markdwon\": want one of " + strings.Join(report.Formats(), ", ") + "\nhint: did you mean markdown?"},
		{args("merge"), nil, "merge: want the directories of results, e.g. loadgen merge task-1 task-2 -o all"},
		{args("merge full"), nil, "--out: want a new directory for the merged result, e.g. loadgen merge task-1 task-2 -o all"},
		{args("merge full -o new"), nil, "result full: holds no result: neither result.json nor plan.json is there"},

		// The lab.
		{args("lab --host http://h"), nil, "flag \"--host\": want a flag of loadgen lab\nhint: the lab brings its own service; use loadgen run --host URL to test another one"},
		{args("lab -H http://h"), nil, "flag \"-H\": want a flag of loadgen lab\nhint: the lab brings its own service; use loadgen run --host URL to test another one"},
		{args("lab --plan good.json"), nil, "flag \"--plan\": want a flag of loadgen lab\nhint: a plan holds the load but not the service: give the lab's flags again"},
		{args("lab --chaos kil-task@5s"), nil, "--chaos \"kil-task@5s\": want kill-task@TIME, stop-task@TIME, spot-interrupt@TIME or kill-zone:ZONE@FROM..TO, e.g. kill-task@60s, kill-zone:b@90s..120s\nhint: did you mean kill-task?"},
		{args("lab --chaos kill-task@5m"), nil, `--chaos "kill-task@5m": want a time before the end of the load at 3m`},
		{args("lab --quick"), env{"LOADGEN_CHAOS": "kill-task@5s,kill-zone:b@10s..30s"}, `LOADGEN_CHAOS "kill-zone:b@10s..30s": want a time before the end of the load at 20s`},
		{args("lab --min 9"), nil, "--min: 9 is above the maximum of 6"},
		{args("lab --min 0"), nil, `--min "0": want at least 1 task: without one there is nothing to put load on`},
		{args("lab --max 101"), nil, `--max "101": want at most 100 tasks: they all run on this machine`},
		{args("lab --policy requests=0"), nil, `--policy "requests=0": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`},
		{args("lab --policy rps=5"), nil, `--policy "rps=5": want METRIC=TARGET, e.g. requests=50 or cpu=50`},
		{args("lab"), env{"LOADGEN_POLICIES": "cpu=50;cpu=60"}, "LOADGEN_POLICIES: a second policy on cpu, want at most one for a metric"},
		{args("lab --speedup 100"), nil, `--speedup "100": want at most 60: a period of 1m must take at least 1s to be measured`},
		{args("lab --speedup 0.5"), nil, `--speedup "0.5": want a number from 1 to 60`},
		{args("lab --speedup 0"), nil, `--speedup "0": want a number from 1 to 60`},
		{args("lab --speedup fast"), nil, `--speedup "fast": want a number, e.g. 5 or 0.5`},
		{args("lab --quick --speedup 10"), nil, `--speedup: cannot be combined with --quick: --quick sets the speed`},
		{args("run -H http://h --cloudwatch --cloudwatch-namespace AWS/ECS"), nil, `--cloudwatch-namespace "AWS/ECS": want a namespace that does not begin with AWS/, which is AWS's own`},
		{args("run -H http://h --cloudwatch"), env{"LOADGEN_CLOUDWATCH_RESOLUTION": "30"}, `LOADGEN_CLOUDWATCH_RESOLUTION "30": want 60 or 1 (seconds)`},
		{args("run -H http://h --emf --service é"), nil, `--service "é": want 1 to 1024 ASCII letters, digits and signs, not beginning with a colon or a space, e.g. checkout`},
		{args("run -H http://h --cloudwatch-run"), nil, `--cloudwatch-run: want --cloudwatch or --emf beside it: it is about what they publish`},
		{args("run -H http://h --emf=false --cloudwatch-resolution 1"), nil, `--cloudwatch-resolution: want --cloudwatch or --emf beside it: it is about what they publish`},
		{args("run -H http://h --emf --json"), nil, `--json: cannot be combined with --emf: standard output then holds EMF alone`},
		{args("run -H http://h --emf --cloudwatch"), nil, `--cloudwatch: cannot be combined with --emf: both would count everything twice`},
		{args("run -H http://h --base-host http://g --cloudwatch"), nil, `--cloudwatch: cannot be combined with --base-host: a paired run measures two services in turns, and its metrics would be of both`},
		{args("run -H http://h --cloudwatch=maybe"), nil, `--cloudwatch "maybe": want true or false, 1 or 0`},

		{args("lab --recovery 0"), nil, `--recovery "0": want a duration above 0, e.g. 30m`},
		{args("lab --recovery 25h"), nil, `--recovery "25h0m0s": want a time that is not negative and at most 24h`},
		{args("lab --task-capacity 0"), nil, `--task-capacity "0": want requests/s from 0.001 to 1,000,000, e.g. 120, or auto`},
		{args("lab --task-capacity atuo"), nil, `--task-capacity "atuo": want a number, e.g. 5 or 0.5, or auto`},
		{args("lab --objective p(99)<1s"), nil, `--objective "p(99)<1s": want --task-capacity auto as well: the objective is what auto measures against`},
		{args("lab --task-capacity auto --objective p(99)<"), nil, `--objective "p(99)<": want after < a latency, e.g. 50ms, 1.2s or 800us`},
		{args("lab --chaos stop-task:b@5s"), nil, `--chaos "stop-task:b@5s": want stop-task@TIME, e.g. stop-task@60s`},
		{args("lab --expect max_task==6"), nil, `--expect "max_task==6": want max_tasks instead of max_task`},
		{args("lab --expect errors==0 --expect p(99)<50ms"), nil, `--expect "p(99)<50ms": want an expectation about capacity, e.g. max_tasks==6; this is a threshold (--threshold)`},
		{args("lab --replica x --expect overshoot==0"), nil, `--expect "overshoot==0": want --task-capacity as well: without it the number of tasks that the load needs is not known`},
		{[]string{"lab", "--replica", "x 'y"}, nil, `--replica "x 'y": want a command whose quotes are closed: ' is missing`},
		{args("lab --replica-health /up"), nil, `--replica-health "/up": want --replica as well: this flag is about your own program`},
		{args("lab --replica x --replica-health up"), nil, `--replica-health "up": want a path, e.g. /health`},
		{args("lab --replica x --replica-cpus 0"), nil, `--replica-cpus "0": want a number of CPUs above 0, e.g. 0.5`},
		{args("lab -u 0 -t x"), nil, "--run-time \"x\": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number\n--users \"0\": want 1 to 1,000,000"},
		{args("lab -T other.txt"), nil, `other.txt: targets[0].url "http://elsewhere/": want a path: the lab sends load only to its own service`},
		{args("lab http://localhost:8080"), nil, `argument "http://localhost:8080": want only flags after loadgen lab`},

		// Simulations.
		{args("simulate --load 375"), nil, `--load "375": want TIME:RATE,… in requests a second, e.g. 0s:0,3m:375,15m:375`},
		{args("simulate --load 0s:1,3m:1,2m:1"), nil, "--load [2]: 2m after 3m, want times that do not go back"},
		{args("simulate --load @missing.csv"), nil, `--load "@missing.csv": want a file or the directory of a result that can be read: no such file or directory`},
		{args("simulate --load @curve.txt"), nil, `--load curve.txt: line 2 "x,2": want t,rps in seconds and requests a second, e.g. 60,375`},
		{args("simulate"), env{"LOADGEN_LOAD": "@full"}, "LOADGEN_LOAD: result full: holds no result: neither result.json nor plan.json is there"},
		{args("simulate --min 9"), nil, "--min: 9 is above the maximum of 6"},
		{args("simulate --policy cpu=-1"), nil, `--policy "cpu=-1": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`},
		{args("simulate --sweep target"), nil, `--sweep "target": want SETTING=FROM..TO, SETTING=FROM..TO:STEP or SETTING=A,B,…, e.g. target=25..400 or period=20,60`},
		{args("simulate --sweep max=1..4"), nil, "--sweep max=1: min: 2 is above the maximum of 1"},
		{args("simulate --sweep max=2..4 --expect max_tasks==6"), nil, `--expect: cannot be combined with --sweep: a sweep compares and has no verdict`},
		{args("simulate --expect errors==0"), nil, `--expect "errors==0": want an expectation about capacity: no request is sent, so none can be an error`},
		{args("simulate --recovery 0 --expect back_to_min_within<=30m"), nil, `--expect "back_to_min_within<=30m": want a recovery to watch: this run ends with its load`},
		{args("simulate --users 5"), nil, "flag \"--users\": want a flag of loadgen simulate\nhint: loadgen simulate -h lists them"},

		// Several at once.
		{args("run -u x -t y --stage"), nil, "--stage: want D:N after it: change to N users (with --rate: N/s) over D; repeatable"},
		{args("run -u x -t y"), env{"LOADGEN_SPAWN_RATE": "0", "LOADGEN_TAGS": "a"}, "--users \"x\": want a whole number, e.g. 50\n" +
			"--run-time \"y\": want a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number\n" +
			"LOADGEN_TAGS \"a\": want KEY=VALUE, e.g. commit=4e1f09\n" +
			"--host: want the URL of the service, e.g. loadgen run --host http://localhost:8080, or --host embedded to try it with an API in this process\n" +
			"LOADGEN_SPAWN_RATE \"0\": want users per second, above 0, at most 1,000,000"},
	} {
		began := time.Now()
		stdout, stderr, code := typedIn(t, row.env, row.args...)
		lines, last := cutLast(stderr)
		if last != "exit 2: usage" || code != exit.Usage {
			t.Errorf("%q %v: exit code %d, last line %q", row.args, row.env, code, last)
		}
		if got := strings.ReplaceAll(lines, "loadgen: ", ""); got != row.want {
			t.Errorf("%q %v:\n got %s\nwant %s", row.args, row.env, got, row.want)
		}
		if n := strings.Count(lines, "loadgen: "); n < strings.Count(lines, "\n")+1 {
			t.Errorf("%q: a line without a prefix: %s", row.args, lines)
		}
		if stdout != "" {
			t.Errorf("%q writes to stdout: %s", row.args, stdout)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q took %s", row.args, took)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); e.IsDir() && name != "full" || strings.HasSuffix(name, ".csv") {
			t.Errorf("%s was written", name)
		}
	}
}

func args(line string) []string { return strings.Fields(line) }

// cutLast takes the last line off a text.
func cutLast(text string) (before, last string) {
	text = strings.TrimSuffix(text, "\n")
	i := strings.LastIndexByte(text, '\n')
	return text[:max(i, 0)], text[i+1:]
}
