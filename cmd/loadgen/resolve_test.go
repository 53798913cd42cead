package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"scalableappbackend/loadgen/plan"
)

// resolved is what `run` makes of a command line and variables.
func resolved(t *testing.T, args []string, variables map[string]string) (*resolution, error) {
	t.Helper()
	set := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags := define(set, runSettings())
	if err := set.Parse(args); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return resolve(flags, func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok && value != ""
	})
}

// The plan files of the tables below.
const (
	closedPlan = `{"model":"closed","host":"http://plan","users":7,"run_time":"9s","think":"1s","seed":3,
		"tags":{"from":"plan","kept":"yes"},"thresholds":["rps>1"],
		"client":{"timeout":"1s","max_body":5,"header":{"X-A":["plan"],"X-B":["plan"]}}}`
	openPlan   = `{"model":"open","host":"http://plan","rate":"70","run_time":"9s","max_in_flight":11,"seed":3}`
	stagedPlan = `{"model":"closed","host":"http://plan","stages":[{"duration":"1s","to":8}],"seed":3}`
	pacedPlan  = `{"host":"http://plan","pacing":"2s","seed":3}`
)

func planFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFlagsVariablesAndPlanFileBecomeOnePlan(t *testing.T) {
	type env = map[string]string
	seconds := func(n float64) plan.Duration { return plan.Duration(n * float64(time.Second)) }
	for _, row := range []struct {
		args string
		env  env
		file string
		want func(p *plan.Plan) // what differs from the default plan, or from the file's
		why  string
	}{
		{"", nil, "", func(p *plan.Plan) {}, "nothing given is the default profile"},
		{"-u 3 -r 2.5 -t 90 --think 0 -s 1s", nil, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime, p.Think, p.StopTimeout = 3, 2.5, seconds(90), plan.Range{}, seconds(1)
		}, "Locust's short flags; a bare integer is seconds"},
		{"--duration 20m", nil, "", func(p *plan.Plan) { p.RunTime = seconds(1200) }, "--duration is --run-time"},
		{"-t 1s --duration 2s -u 1 -u 2", nil, "", func(p *plan.Plan) { p.RunTime, p.Users = seconds(2), 2 }, "of a flag given twice the later one counts"},
		{"--pacing 1s", nil, "", func(p *plan.Plan) { p.Pacing, p.Think = seconds(1), plan.Range{} }, "pacing takes the place of thinking"},

		{"--rate 50", nil, "", func(p *plan.Plan) { open(p); p.Rate = plan.Rate{N: 50} }, "a rate is the open model"},
		{"--rate 3000/1m --arrivals Poisson --max-in-flight 9", nil, "", func(p *plan.Plan) {
			open(p)
			p.Rate, p.Arrivals, p.MaxInFlight = plan.Rate{N: 3000, Per: seconds(60)}, plan.Poisson, 9
		}, "and what shapes it"},
		{"--stage 1s:10 --stage 2s:0", nil, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
			p.Stages = []plan.Stage{{Duration: seconds(1), To: 10}, {Duration: seconds(2)}}
		}, "stages start at no users, and are the run time"},
		{"--stage 1s:10 -u 5", nil, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime = 5, 0, 0
			p.Stages = []plan.Stage{{Duration: seconds(1), To: 10}}
		}, "or at -u"},
		{"--rate 0 --stage 1s:10", nil, "", func(p *plan.Plan) {
			open(p)
			p.RunTime, p.Stages = 0, []plan.Stage{{Duration: seconds(1), To: 10}}
		}, "a rate of 0 with stages"},

		{"", env{"LOADGEN_USERS": "8", "LOADGEN_RUN_TIME": "7"}, "", func(p *plan.Plan) { p.Users, p.RunTime = 8, seconds(7) }, "variables"},
		{"", env{"LOCUST_USERS": "9", "LOCUST_SPAWN_RATE": "1", "LOCUST_RUN_TIME": "1h30m", "LOCUST_STOP_TIMEOUT": "3"}, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime, p.StopTimeout = 9, 1, seconds(5400), seconds(3)
		}, "Locust's variables"},
		{"-u 1", env{"LOADGEN_USERS": "2", "LOCUST_USERS": "3"}, closedPlan, func(p *plan.Plan) { p.Users = 1 }, "a flag counts most"},
		{"", env{"LOADGEN_USERS": "2", "LOCUST_USERS": "3"}, closedPlan, func(p *plan.Plan) { p.Users = 2 }, "then LOADGEN_"},
		{"", env{"LOCUST_USERS": "3"}, closedPlan, func(p *plan.Plan) { p.Users = 3 }, "then LOCUST_"},
		{"", nil, closedPlan, func(p *plan.Plan) {}, "then the plan file"},
		{"", env{"LOADGEN_USERS": "", "LOCUST_USERS": "3"}, "", func(p *plan.Plan) { p.Users = 3 }, "an empty variable is not set"},

		{"--rate 5", env{"LOADGEN_USERS": "2", "LOADGEN_THINK": "1s", "LOCUST_SPAWN_RATE": "3"}, "", func(p *plan.Plan) { open(p); p.Rate = plan.Rate{N: 5} }, "a flag of one model silences the variables of the other"},
		{"-u 2", env{"LOADGEN_RATE": "5", "LOADGEN_ARRIVALS": "poisson"}, "", func(p *plan.Plan) { p.Users = 2 }, "both ways"},
		{"--max-in-flight 3", env{"LOADGEN_RATE": "5", "LOADGEN_USERS": "2"}, "", func(p *plan.Plan) { open(p); p.Rate, p.MaxInFlight = plan.Rate{N: 5}, 3 }, "a flag that only shapes a rate, too"},
		{"", env{"LOADGEN_RATE": "5", "LOCUST_USERS": "2"}, "", func(p *plan.Plan) { open(p); p.Rate = plan.Rate{N: 5} }, "LOADGEN_ silences LOCUST_"},
		{"", env{"LOADGEN_RATE": "5", "LOADGEN_USERS": "2"}, "", func(p *plan.Plan) { open(p); p.Rate = plan.Rate{N: 5} }, "of two variables the rate counts: users may be the image's"},
		{"", env{"LOADGEN_ARRIVALS": "poisson", "LOADGEN_MAX_IN_FLIGHT": "3"}, "", func(p *plan.Plan) {}, "what only shapes a rate asks for none"},
		{"", env{"LOADGEN_ARRIVALS": "poisson", "LOCUST_USERS": "3"}, "", func(p *plan.Plan) { p.Users = 3 }, "nor does it silence the users of a lower level"},
		{"", env{"LOADGEN_THINK": "3s"}, openPlan, func(p *plan.Plan) {}, "nor does a think time ask for users"},
		{"-t 5s", env{"LOADGEN_STAGES": "1s:3"}, "", func(p *plan.Plan) { p.RunTime = seconds(5) }, "a flag silences what excludes it in the variables"},
		{"--stage 1s:3", env{"LOADGEN_RUN_TIME": "5s", "LOCUST_SPAWN_RATE": "3"}, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime, p.Stages = 0, 0, 0, []plan.Stage{{Duration: seconds(1), To: 3}}
		}, "both ways"},
		{"--think 1s", env{"LOADGEN_PACING": "2s"}, "", func(p *plan.Plan) { p.Think = plan.Range{Min: seconds(1), Max: seconds(1)} }, "as pacing and thinking do"},
		{"", env{"LOADGEN_STAGES": "1s:3, 2s:4,", "LOADGEN_RUN_TIME": "5s"}, "", func(p *plan.Plan) {
			p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
			p.Stages = []plan.Stage{{Duration: seconds(1), To: 3}, {Duration: seconds(2), To: 4}}
		}, "stages by commas"},

		{"--rate 5", nil, closedPlan, func(p *plan.Plan) {
			open(p)
			p.Rate = plan.Rate{N: 5}
		}, "a flag of the other model replaces the plan's load, and keeps its run time"},
		{"-u 5", nil, openPlan, func(p *plan.Plan) {
			d := plan.Default()
			p.Model, p.Users, p.SpawnRate, p.Think, p.Rate, p.Arrivals, p.MaxInFlight = plan.Closed, 5, d.SpawnRate, d.Think, plan.Rate{}, "", 0
		}, "both ways"},
		{"--max-in-flight 3", nil, openPlan, func(p *plan.Plan) { p.MaxInFlight = 3 }, "a plan's rate is a rate"},
		{"-t 5s", nil, stagedPlan, func(p *plan.Plan) {
			d := plan.Default()
			p.Stages, p.Users, p.SpawnRate, p.RunTime = nil, d.Users, d.SpawnRate, seconds(5)
		}, "a run time replaces a plan's stages"},
		{"--stage 2s:1", nil, closedPlan, func(p *plan.Plan) {
			p.Stages, p.Users, p.SpawnRate, p.RunTime = []plan.Stage{{Duration: seconds(2), To: 1}}, 0, 0, 0
		}, "and stages its run time"},
		{"--think 1s", nil, pacedPlan, func(p *plan.Plan) { p.Think, p.Pacing = plan.Range{Min: seconds(1), Max: seconds(1)}, 0 }, "thinking replaces a plan's pacing"},

		{"--header X-A:1 --header x-a:2", nil, closedPlan, func(p *plan.Plan) {
			p.Client.Header = map[string][]string{"X-A": {"1"}, "x-a": {"2"}, "X-B": {"plan"}}
		}, "headers replace the plan's of the same name, and keep their case"},
		{"--header x-b:1", nil, closedPlan, func(p *plan.Plan) {
			p.Client.Header = map[string][]string{"X-A": {"plan"}, "x-b": {"1"}}
		}, "in whatever case"},
		{"", env{"LOADGEN_STAGES": " , ", "LOADGEN_THRESHOLDS": "\n"}, "", func(p *plan.Plan) {}, "separators around nothing are nothing"},
		{"", env{"LOADGEN_HEADERS": "Accept: a;q=1, b\nX-C: d"}, "", func(p *plan.Plan) {
			p.Client.Header = map[string][]string{"Accept": {"a;q=1, b"}, "X-C": {"d"}}
		}, "headers by newlines, because ; and , are in them"},
		{"--tag kept=no --tag a=b=c", nil, closedPlan, func(p *plan.Plan) { p.Tags = map[string]string{"from": "plan", "kept": "no", "a": "b=c"} }, "tags are added to the plan's"},
		{"", env{"LOADGEN_TAGS": "a=1, b=2"}, "", func(p *plan.Plan) { p.Tags = map[string]string{"a": "1", "b": "2"} }, "tags by commas"},
		{"", env{"LOADGEN_THRESHOLDS": "p(99)<50ms; rps>=1\n{GET /,phase:steady}:p(95)<1s\n"}, closedPlan, func(p *plan.Plan) {
			p.Thresholds = []string{"p(99)<50ms", "rps>=1", "{GET /,phase:steady}:p(95)<1s"}
		}, "expressions by ; and newlines; they replace the plan's"},
		{"--abort-on error_rate>50% --exit-code-on-error 7 --name n --seed 9", nil, "", func(p *plan.Plan) {
			p.AbortOn, p.ExitCodeOnError, p.Name, p.Seed = "error_rate>50%", new(7), "n", 9
		}, "the rest of the load's and the verdict's flags"},
		{"--timeout 2s --no-keepalive --connection-max-age 1m --insecure --ca /ca.pem --cookies --max-body 1k --body @b", nil, "", func(p *plan.Plan) {
			p.Client = plan.Client{Timeout: seconds(2), NoKeepAlive: true, ConnectionMaxAge: seconds(60), Insecure: true, CAFile: "/ca.pem", Cookies: true, MaxBody: 1000, Body: plan.Body{File: "b"}}
		}, "the client's"},
		{"--insecure=false --cookies=0", env{"LOADGEN_INSECURE": "1", "LOADGEN_COOKIES": "true", "LOADGEN_NO_KEEPALIVE": "TRUE"}, "", func(p *plan.Plan) { p.Client.NoKeepAlive = true }, "switches are true, false, 1 or 0, and a flag can switch off"},
		{"--body {\"a\":1}", nil, "", func(p *plan.Plan) { p.Client.Body = plan.Body{Inline: []byte(`{"a":1}`)} }, "a body in place"},
	} {
		args := strings.Fields(row.args)
		want := plan.Default()
		want.Host = "http://host"
		if row.file != "" {
			var err error
			if want, err = plan.ReadFile([]byte(row.file)); err != nil {
				t.Fatal(err)
			}
			args = append(args, "--plan", planFile(t, row.file))
		} else {
			args = append(args, "-H", "http://host")
		}
		row.want(&want)
		got, err := resolved(t, args, row.env)
		if err != nil {
			t.Errorf("%s %v: %v (%s)", row.args, row.env, err, row.why)
			continue
		}
		if want.Seed == 0 { // random
			if got.plan.Seed == 0 || got.plan.Seed > plan.MaxSeed {
				t.Errorf("%s: seed %d", row.args, got.plan.Seed)
			}
			want.Seed = got.plan.Seed
		}
		if !reflect.DeepEqual(got.plan, want) {
			t.Errorf("%s %v: %s\n got %s\nwant %s", row.args, row.env, row.why, asJSON(t, got.plan), asJSON(t, want))
		}
		if err := got.plan.Validate(); err != nil {
			t.Errorf("%s %v is accepted and not valid: %v", row.args, row.env, err)
		}
	}
}

func open(p *plan.Plan) {
	d := plan.DefaultOpen()
	p.Model, p.Users, p.SpawnRate, p.Think, p.Arrivals, p.MaxInFlight = d.Model, 0, 0, plan.Range{}, d.Arrivals, d.MaxInFlight
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhatIsNotPartOfThePlan(t *testing.T) {
	type env = map[string]string
	yes, no := true, false
	for _, row := range []struct {
		args string
		env  env
		want options
	}{
		{"", nil, options{}},
		{"-o none --csv p --json --headless", nil, options{out: "none", csv: "p", json: true, headless: &yes}},
		{"", env{"LOADGEN_OUT": "dir", "LOADGEN_CSV": "q", "LOADGEN_JSON": "1", "LOADGEN_HEADLESS": "0"}, options{out: "dir", csv: "q", json: true, headless: &no}},
		{"--json=false --headless=true", env{"LOADGEN_JSON": "true", "LOADGEN_HEADLESS": "false"}, options{headless: &yes}},
	} {
		got, err := resolved(t, append(strings.Fields(row.args), "-H", "http://host"), row.env)
		if err != nil {
			t.Error(err)
			continue
		}
		o := got.options
		o.plan = plan.Plan{}
		if !reflect.DeepEqual(o, row.want) {
			t.Errorf("%s %v: %+v, want %+v", row.args, row.env, o, row.want)
		}
	}
}

func TestVariablesThatAreNotUsedAreNoticedUnlessAFlagSaysSo(t *testing.T) {
	type env = map[string]string
	for _, row := range []struct {
		args string
		env  env
		file string
		want string // notes
	}{
		{"--rate 5", env{"LOADGEN_USERS": "2"}, "", ""},
		{"", env{"LOADGEN_RATE": "5", "LOADGEN_USERS": "2"}, "", "LOADGEN_USERS is not used: LOADGEN_RATE is set, and users wait for answers, a rate does not; a run has one of them"},
		{"", env{"LOADGEN_STAGES": "1s:1", "LOADGEN_RUN_TIME": "2s"}, "", "LOADGEN_RUN_TIME is not used: LOADGEN_STAGES is set, and the stages are the run time"},
		{"", env{"LOADGEN_PACING": "1s", "LOADGEN_THINK": "2s"}, "", "LOADGEN_THINK is not used: LOADGEN_PACING is set, and a user pauses or keeps a pace"},
		{"", env{"LOADGEN_ARRIVALS": "poisson"}, "", "LOADGEN_ARRIVALS is not used: it applies to a rate, and this run has users"},
		{"", env{"LOADGEN_THINK": "1s"}, openPlan, "LOADGEN_THINK is not used: it applies to users, and this run has a rate"},
		{"", env{"LOADGEN_USERS": "1"}, openPlan, "FILE has a rate, and this run has users"},
		{"-u 1", nil, closedPlan, ""},
	} {
		args, file := strings.Fields(row.args), ""
		if row.file != "" {
			file = planFile(t, row.file)
			args = append(args, "--plan", file)
		}
		got, err := resolved(t, append(args, "-H", "http://host"), row.env)
		if err != nil {
			t.Errorf("%s %v: %v", row.args, row.env, err)
			continue
		}
		notes := strings.Join(got.notes, "\n")
		if file != "" {
			notes = strings.ReplaceAll(notes, file, "FILE")
		}
		if notes != row.want {
			t.Errorf("%s %v:\n got %q\nwant %q", row.args, row.env, notes, row.want)
		}
	}
}

func TestASeedThatAPlanFileNamesIsKeptEvenWhenItIsZero(t *testing.T) {
	for content, kept := range map[string]bool{
		`{"host":"http://h","seed":0}`:  true,
		`{"host":"http://h","seed":12}`: true,
		`{"host":"http://h"}`:           false,
	} {
		first, err := resolved(t, []string{"--plan", planFile(t, content)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		second, err := resolved(t, []string{"--plan", planFile(t, content)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if same := first.plan.Seed == second.plan.Seed; same != kept {
			t.Errorf("%s: seeds %d and %d", content, first.plan.Seed, second.plan.Seed)
		}
	}
}
