package plan

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

// onHost is the default plan with what it lacks.
func onHost() Plan {
	p := Default()
	p.Host = "http://localhost:8080"
	return p
}

func openOnHost(rate float64) Plan {
	p := DefaultOpen()
	p.Host, p.Rate.N = "http://localhost:8080", rate
	return p
}

func staged(p Plan, stages ...Stage) Plan {
	p.Users, p.SpawnRate, p.RunTime, p.Stages = 0, 0, 0, stages
	return p
}

func TestTheDefaultPlansNeedNothingButAHost(t *testing.T) {
	for name, p := range map[string]Plan{"closed": onHost(), "open": openOnHost(10), "staged": staged(onHost(), Stage{1000 * ms, 5})} {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := Default()
	f := input.Errors(p.Validate())
	if len(f) != 1 || f[0].Error() != `host: needed for targets that are paths, such as "/"` || !strings.Contains(f[0].Hint, "embedded") {
		t.Errorf("without a host: %v", p.Validate())
	}
}

func TestTheDefaultPlanIsTheSeedsProfile(t *testing.T) {
	p := Default()
	if p.Users != 50 || p.SpawnRate != 5 || p.RunTime.String() != "3m" || p.Think.String() != "50ms..200ms" || p.Client.Timeout.String() != "10s" ||
		FormatSize(p.Client.MaxBody) != "10MiB" || p.StopTimeout.String() != "10s" {
		t.Errorf("%+v", p)
	}
	if len(p.Targets) != 2 || p.Targets[0].URL != "/" || p.Targets[1].URL != "/health" {
		t.Errorf("targets %+v", p.Targets)
	}
	if o := DefaultOpen(); o.Arrivals != Uniform || o.MaxInFlight != 10_000 {
		t.Errorf("open %+v", o)
	}
}

func TestEachFaultOfAPlanIsSaidInOneLine(t *testing.T) {
	target := func(change func(*Target)) func(*Plan) {
		return func(p *Plan) { change(&p.Targets[1]) }
	}
	for _, tt := range []struct {
		from   Plan
		change func(*Plan)
		want   string
	}{
		// Model.
		{onHost(), func(p *Plan) { p.Model = "" }, `model: empty, want closed, open or bench`},
		{onHost(), func(p *Plan) { p.Model = "half" }, `model "half": want closed, open or bench`},
		{onHost(), func(p *Plan) { p.Rate.N = 5 }, `rate: does not go with users (the closed model)`},
		{onHost(), func(p *Plan) { p.Arrivals = Poisson }, `arrivals: does not go with users (the closed model)`},
		{onHost(), func(p *Plan) { p.MaxInFlight = 5 }, `max_in_flight: does not go with users (the closed model)`},
		{openOnHost(5), func(p *Plan) { p.Users = 5 }, `users: does not go with a rate (the open model)`},
		{openOnHost(5), func(p *Plan) { p.SpawnRate = 5 }, `spawn_rate: does not go with a rate (the open model)`},
		{openOnHost(5), func(p *Plan) { p.Think.Max = 5 }, `think: does not go with a rate (the open model)`},
		{openOnHost(5), func(p *Plan) { p.Pacing = 5 }, `pacing: does not go with a rate (the open model)`},
		// Warm-up.
		{onHost(), func(p *Plan) { p.WarmUp = -1 }, `warm_up "-1ns": want a duration that is not negative`},
		{onHost(), func(p *Plan) { p.WarmUp = p.RunTime }, `warm_up "3m": want less than the 3m of the load, of which it is the first part`},
		// Client and answers.
		{onHost(), func(p *Plan) { p.Client.Redirects = new(11) }, `client.redirects "11": want 0 to 10; 0 takes the redirect as the answer`},
		{onHost(), func(p *Plan) { p.Client.Redirects = new(-1) }, `client.redirects "-1": want 0 to 10; 0 takes the redirect as the answer`},
		{onHost(), func(p *Plan) { p.Client.Resolve = []Resolve{{Host: "h", Port: 80}} }, `client.resolve[0] "h:80:": want HOST:PORT:ADDRESS as curl has it, e.g. example.com:443:127.0.0.1 or example.com:443:[::1]`},
		{onHost(), target(func(t *Target) { t.Method, t.ExpectBody = "HEAD", "ok" }), `targets[1].expect_body "ok": want another method: the answer to HEAD has no body`},
		// Users.
		{onHost(), func(p *Plan) { p.Users = 0 }, `users "0": want 1 to 1,000,000`},
		{onHost(), func(p *Plan) { p.Users = -1 }, `users "-1": want 1 to 1,000,000`},
		{onHost(), func(p *Plan) { p.Users = 1_000_001 }, `users "1000001": want 1 to 1,000,000`},
		{onHost(), func(p *Plan) { p.SpawnRate = 0 }, `spawn_rate "0": want users per second, above 0, at most 1,000,000`},
		{onHost(), func(p *Plan) { p.SpawnRate = -1 }, `spawn_rate "-1": want users per second, above 0, at most 1,000,000`},
		{onHost(), func(p *Plan) { p.SpawnRate = math.NaN() }, `spawn_rate "NaN": want users per second, above 0, at most 1,000,000`},
		{onHost(), func(p *Plan) { p.SpawnRate = 1e9 }, `spawn_rate "1000000000": want users per second, above 0, at most 1,000,000`},
		{onHost(), func(p *Plan) { p.Think = Range{200 * ms, 50 * ms} }, `think "200ms..50ms": want MIN..MAX with MIN not above MAX, none negative`},
		{onHost(), func(p *Plan) { p.Think = Range{-1 * ms, 50 * ms} }, `think "-1ms..50ms": want MIN..MAX with MIN not above MAX, none negative`},
		{onHost(), func(p *Plan) { p.Pacing = 1000 * ms }, `think: does not go with pacing: give one of them`},
		{onHost(), func(p *Plan) { p.Think, p.Pacing = Range{}, -1000*ms }, `pacing "-1s": want a duration above 0`},
		// Rate.
		{openOnHost(0), func(*Plan) {}, `rate "0": want more than 0 requests per second; 0 is a start for stages`},
		{openOnHost(-1), func(*Plan) {}, `rate "-1": want ` + wantRate},
		{openOnHost(math.NaN()), func(*Plan) {}, `rate "NaN": want ` + wantRate},
		{openOnHost(math.Inf(1)), func(*Plan) {}, `rate "+Inf": want ` + wantRate},
		{openOnHost(5), func(p *Plan) { p.Rate.Per = -1000 * ms }, `rate "5/-1s": want ` + wantRate},
		{openOnHost(1e9), func(*Plan) {}, `rate "1000000000": want at most 1,000,000 requests per second`},
		{openOnHost(1e6 + 1), func(*Plan) {}, `rate "1000001": want at most 1,000,000 requests per second`},
		{openOnHost(5), func(p *Plan) { p.Arrivals = "" }, `arrivals: empty, want uniform or poisson`},
		{openOnHost(5), func(p *Plan) { p.Arrivals = "bursts" }, `arrivals "bursts": want uniform or poisson`},
		{openOnHost(5), func(p *Plan) { p.MaxInFlight = 0 }, `max_in_flight "0": want 1 to 1,000,000`},
		// Time.
		{onHost(), func(p *Plan) { p.RunTime = 0 }, `run_time "0s": want a duration above 0`},
		{onHost(), func(p *Plan) { p.RunTime = -1000 * ms }, `run_time "-1s": want a duration above 0`},
		{onHost(), func(p *Plan) { p.RunTime = MaxRunTime + 1 }, `run_time "720h0m0.000000001s": want at most 720h`},
		// Stages.
		{staged(onHost(), Stage{1000 * ms, 5}), func(p *Plan) { p.RunTime = 5 }, `run_time: does not go with stages: they are the run time`},
		{staged(onHost(), Stage{1000 * ms, 5}), func(p *Plan) { p.SpawnRate = 5 }, `spawn_rate: does not go with stages: they say how users are started`},
		{staged(onHost(), Stage{1000 * ms, 5}), func(p *Plan) { p.Users = -1 }, `users "-1": want 0 to 1,000,000`},
		{staged(onHost(), Stage{1000 * ms, 5}, Stage{1000 * ms, 5.5}), func(*Plan) {}, `stages[1] "1s:5.5": want a whole number of users, 0 to 1,000,000`},
		{staged(onHost(), Stage{1000 * ms, 1_000_001}), func(*Plan) {}, `stages[0] "1s:1000001": want a whole number of users, 0 to 1,000,000`},
		{staged(onHost(), Stage{-1000 * ms, 5}), func(*Plan) {}, `stages[0] "-1s:5": want a duration from 0 to 720h`},
		{staged(openOnHost(0), Stage{1000 * ms, 1e9}), func(*Plan) {}, `stages[0] "1s:1000000000": want 0 to 1,000,000 requests per second`},
		{staged(openOnHost(0), Stage{1000 * ms, math.NaN()}), func(*Plan) {}, `stages[0] "1s:NaN": want 0 to 1,000,000 requests per second`},
		{staged(openOnHost(0), Stage{0, 5}, Stage{0, 6}), func(*Plan) {}, `stages: at least one must take time: DURATION:NUMBER with a duration above 0`},
		{staged(onHost(), Stage{1000 * ms, 0}), func(*Plan) {}, `stages: all at 0: nothing would be sent`},
		{staged(openOnHost(0), Stage{1000 * ms, 0}, Stage{0, 5}), func(*Plan) {}, `stages: all at 0: nothing would be sent`},
		{staged(onHost(), slices.Repeat([]Stage{{1000 * ms, 5}}, 1001)...), func(*Plan) {}, `stages "1001 stages": want at most 1,000`},
		{staged(onHost(), slices.Repeat([]Stage{{MaxRunTime / 2, 5}}, 3)...), func(*Plan) {}, `stages "1080h": want at most 720h in all`},
		// Host.
		{onHost(), func(p *Plan) { p.Host = "ftp://h" }, `host "ftp://h": want a base URL, e.g. http://localhost:8080`},
		{onHost(), func(p *Plan) { p.Host = "http://" }, `host "http://": want a base URL, e.g. http://localhost:8080`},
		{onHost(), func(p *Plan) { p.Host = "http://:80" }, `host "http://:80": want a base URL, e.g. http://localhost:8080`},
		{onHost(), func(p *Plan) { p.Host = "http://h:0" }, `host "http://h:0": want a port from 1 to 65535`},
		{onHost(), func(p *Plan) { p.Host = "http://h:65536" }, `host "http://h:65536": want a port from 1 to 65535`},
		{onHost(), func(p *Plan) { p.Host = "http://h/?a=b" }, `host "http://h/?a=b": want a base URL, e.g. http://localhost:8080, without a query or a fragment`},
		{onHost(), func(p *Plan) { p.Host = "http://h#x" }, `host "http://h#x": want a base URL, e.g. http://localhost:8080, without a query or a fragment`},
		{onHost(), func(p *Plan) { p.Host = "http://u:hunter2@h:x" }, `host "http://REDACTED@h:x": want a base URL, e.g. http://localhost:8080`},
		{onHost(), func(p *Plan) { p.Host = "http://${H}" }, `host "http://${H}": want a base URL, e.g. http://localhost:8080`},
		{onHost(), func(p *Plan) { p.Host = "http://REDACTED@h" }, `host: was redacted when the plan was kept: give it again with --host`},
		// Targets.
		{onHost(), func(p *Plan) { p.Targets = nil }, `targets: at least one is needed`},
		{onHost(), target(func(t *Target) { t.Method = "" }), `targets[1].method: empty, want an HTTP method, e.g. GET`},
		{onHost(), target(func(t *Target) { t.Method = "GE T" }), `targets[1].method "GE T": want an HTTP method, e.g. GET`},
		{onHost(), target(func(t *Target) { t.URL = "" }), `targets[1].url: empty, want ` + wantURL},
		{onHost(), target(func(t *Target) { t.URL = "health" }), `targets[1].url "health": want ` + wantURL},
		{onHost(), target(func(t *Target) { t.URL = "mailto:a@b" }), `targets[1].url "REDACTED@b": want ` + wantURL},
		{onHost(), target(func(t *Target) { t.URL = "/a\nb" }), `targets[1].url "/a\nb": want a path without control characters`},
		{onHost(), target(func(t *Target) { t.URL = "/${A-B}" }), `targets[1].url "${A-B}": want ` + wantReference},
		{onHost(), target(func(t *Target) { t.URL = "http://h:99999/" }), `targets[1].url "http://h:99999/": want a port from 1 to 65535`},
		{onHost(), target(func(t *Target) { t.URL = "/?token=REDACTED" }), `targets[1].url: was redacted when the plan was kept: give it again with --targets`},
		{onHost(), target(func(t *Target) { t.Weight = -1 }), `targets[1].weight "-1": want 1 to 1,000,000`},
		{onHost(), target(func(t *Target) { t.Weight = 1_000_001 }), `targets[1].weight "1000001": want 1 to 1,000,000`},
		{onHost(), target(func(t *Target) { t.Expect = []Status{{200, 200}, {99, 200}} }), `targets[1].expect[1] "99-200": want ` + wantStatus},
		{onHost(), target(func(t *Target) { t.Header = http.Header{"X Y": nil} }), `targets[1].header "X Y": want a header name of letters, digits and dashes`},
		{onHost(), target(func(t *Target) { t.Header = http.Header{"X-Y": {"hunter2\n"}} }), `targets[1].header.X-Y: a header value cannot hold line breaks or control characters`},
		{onHost(), target(func(t *Target) { t.Header = http.Header{"X-Y": {"${"}} }), `targets[1].header "${": want ` + wantReference},
		{onHost(), target(func(t *Target) { t.Header = http.Header{"host": {"a b"}} }), `targets[1].header.host: not a host name`},
		{onHost(), target(func(t *Target) { t.Header = http.Header{"Cookie": {"REDACTED"}} }), `targets[1].header.Cookie: was redacted when the plan was kept: give it again with "--header Cookie: …"`},
		{onHost(), target(func(t *Target) { t.Body = Body{Inline: []byte("x"), File: "y"} }), `targets[1].body: inline and file do not go together: give one of them`},
		// Client.
		{onHost(), func(p *Plan) { p.Client.Header = http.Header{"": {"x"}} }, `client.header: empty, want a header name of letters, digits and dashes`},
		{onHost(), func(p *Plan) { p.Client.Header = http.Header{"authorization": {"REDACTED"}} }, `client.header.authorization: was redacted when the plan was kept: give it again with "--header authorization: …"`},
		{onHost(), func(p *Plan) { p.Client.Body = Body{Inline: []byte("x"), File: "y"} }, `client.body: inline and file do not go together: give one of them`},
		{onHost(), func(p *Plan) { p.Client.Timeout = 0 }, `client.timeout "0s": want a duration above 0`},
		{onHost(), func(p *Plan) { p.Client.ConnectionMaxAge = -1 }, `client.connection_max_age "-1ns": want a duration that is not negative`},
		{onHost(), func(p *Plan) { p.Client.MaxBody = 0 }, `client.max_body "0": want a size above 0`},
		// The rest.
		{onHost(), func(p *Plan) { p.StopTimeout = -1000 * ms }, `stop_timeout "-1s": want a duration that is not negative`},
		{onHost(), func(p *Plan) { p.Seed = 1 << 53 }, `seed "9007199254740992": want a whole number below 2^53`},
		{onHost(), func(p *Plan) {
			p.Model, p.Users, p.SpawnRate, p.Think = Open, 0, 0, Range{}
			p.Rate, p.Arrivals, p.MaxInFlight, p.RunTime, p.Seed = Rate{N: 1, Per: Duration(time.Hour)}, Poisson, 10, Duration(36*time.Second), 1
		}, `rate: nothing is due: 0.01 requests are to be expected in 36s, and with seed 1 the first comes after the end`},
		{onHost(), func(p *Plan) {
			p.Model, p.Users, p.SpawnRate, p.Think, p.RunTime = Open, 0, 0, Range{}, 0
			p.Stages, p.Arrivals, p.MaxInFlight, p.Seed = []Stage{{Duration(time.Second), 0.01}}, Poisson, 10, 1
		}, `stages: nothing is due: 0.005 requests are to be expected in 1s, and with seed 1 the first comes after the end`},
		{onHost(), func(p *Plan) { p.ExitCodeOnError = new(126) }, `exit_code_on_error "126": want 0 to 125`},
		{onHost(), func(p *Plan) { p.ExitCodeOnError = new(-1) }, `exit_code_on_error "-1": want 0 to 125`},
		{onHost(), func(p *Plan) { p.Tags = map[string]string{"": "x"} }, `tags: a tag needs a key: KEY=VALUE`},
	} {
		tt.change(&tt.from)
		err := tt.from.Validate()
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
		if _, err := tt.from.Prepare("", environment()); len(input.Errors(err)) == 0 {
			t.Errorf("%s: prepared all the same", tt.want)
		}
	}
}

func TestWhatIsJustAllowedIsAccepted(t *testing.T) {
	for why, p := range map[string]Plan{
		"the largest plan": func() Plan {
			p := onHost()
			p.Users, p.SpawnRate, p.RunTime, p.Seed, p.ExitCodeOnError = MaxUsers, MaxRate, MaxRunTime, MaxSeed, new(MaxExitCode)
			return p
		}(),
		"no think time": func() Plan { p := onHost(); p.Think = Range{}; return p }(),
		"pacing":        func() Plan { p := onHost(); p.Think, p.Pacing = Range{}, 1; return p }(),
		"no drain":      func() Plan { p := onHost(); p.StopTimeout = 0; return p }(),
		"absolute targets without a host": func() Plan {
			p := onHost()
			p.Host, p.Targets = "", []Target{{Method: "GET", URL: "HTTPS://[::1]:8443"}}
			return p
		}(),
		"a URL that is all reference": func() Plan {
			p := onHost()
			p.Host, p.Targets = "", []Target{{Method: "get", URL: "${URL}", Header: http.Header{"Host": {"${H}:${P}"}, "X-Empty": {""}}}}
			return p
		}(),
		"references all over a URL": func() Plan {
			p := onHost()
			p.Targets = []Target{{Method: "GET", URL: "http://${U}:${P}@${H}:${PORT}/${A}?b=${C}#${D}"}}
			return p
		}(),
		"a path prefix and userinfo": func() Plan { p := onHost(); p.Host = "https://u:p@h/api/"; return p }(),
		"the highest rate":           openOnHost(MaxRate),
		"the lowest rate":            openOnHost(5e-324),
		"a start that only falls":    func() Plan { p := staged(onHost(), Stage{1000 * ms, 0}); p.Users = 5; return p }(),
		"a rate that only falls":     staged(openOnHost(5), Stage{1000 * ms, 0}),
		"fractions of a rate":        staged(openOnHost(0), Stage{1000 * ms, 0.5}),
		"the most stages":            staged(onHost(), slices.Repeat([]Stage{{1000 * ms, 5}}, MaxStages)...),
		"a redacted header that the client gives again": func() Plan {
			p := onHost()
			p.Targets[0].Header = http.Header{"Authorization": {"REDACTED"}}
			p.Client.Header = http.Header{"authorization": {"Bearer new"}}
			return p
		}(),
		"the word in a header that is no secret": func() Plan { p := onHost(); p.Client.Header = http.Header{"X-A": {"REDACTED"}}; return p }(),
	} {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestAllFaultsAreSaidAtOnce(t *testing.T) {
	p := Default()
	p.Users, p.SpawnRate, p.Client.Timeout, p.Seed = 0, 0, 0, 1<<60
	p.Targets[0].Method = ""
	var names []string
	for _, f := range input.Errors(p.Validate()) {
		names = append(names, f.Field)
	}
	want := []string{"users", "spawn_rate", "host", "targets[0].method", "client.timeout", "seed"}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("faults in %v, want %v", names, want)
	}
}

func TestAHostWithoutASchemeIsSuggestedWithOne(t *testing.T) {
	for host, hint := range map[string]string{
		"localhost:8080": "did you mean http://localhost:8080?",
		"example.com":    "did you mean http://example.com?",
		"embeded":        "did you mean embedded?",
		"ftp://h":        "",
		"":               "give a base URL, e.g. http://localhost:8080, or embedded for the API in this process",
	} {
		p := Default()
		p.Host = host
		if f := input.Errors(p.Validate()); len(f) != 1 || f[0].Hint != hint {
			t.Errorf("host %q: %v, hint %q; want %q", host, p.Validate(), f[0].Hint, hint)
		}
	}
}

// anyPlan draws valid plans of all kinds.
func anyPlan() *rapid.Generator[Plan] {
	return rapid.Custom(func(t *rapid.T) Plan {
		p := Default()
		if rapid.Bool().Draw(t, "open") {
			p = DefaultOpen()
			p.Rate = rapid.Custom(func(t *rapid.T) Rate {
				return anyRate().Filter(func(r Rate) bool { return r.PerSecond() > 0 }).Draw(t, "")
			}).Draw(t, "rate")
			p.Arrivals = rapid.SampledFrom([]Arrivals{Uniform, Poisson}).Draw(t, "arrivals")
			p.MaxInFlight = rapid.IntRange(1, MaxUsers).Draw(t, "in flight")
		} else {
			p.Users = rapid.IntRange(1, 500).Draw(t, "users")
			p.SpawnRate = rapid.Float64Range(1e-9, MaxRate).Draw(t, "spawn rate")
			p.Think = anyRange().Draw(t, "think")
			if p.Pacing = Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pacing")); p.Pacing > 0 {
				p.Think = Range{}
			}
		}
		p.RunTime = Duration(rapid.Int64Range(1, int64(MaxRunTime)).Draw(t, "run time"))
		if rapid.Bool().Draw(t, "staged") {
			p.RunTime, p.SpawnRate = 0, 0
			p.Stages = anyShape(p.Model == Closed).Draw(t, "shape").stages
			p.Stages = append(p.Stages, Stage{1000 * ms, 3})
		}
		p.Host = rapid.SampledFrom([]string{"http://localhost:8080", "https://example.com/api/", "http://[::1]:1/x"}).Draw(t, "host")
		text := rapid.StringMatching(`[ -~]{0,10}`)
		header := rapid.Custom(func(t *rapid.T) http.Header {
			h := http.Header{}
			for range rapid.IntRange(0, 3).Draw(t, "headers") {
				name := rapid.StringMatching(`X-[A-Z0-9]{1,5}`).Filter(func(n string) bool { return !isSecretName(n) }).Draw(t, "name")
				h[name] = append(h[name], strings.ReplaceAll(text.Draw(t, "value"), "${", ""))
			}
			if len(h) == 0 {
				return nil
			}
			return h
		})
		body := rapid.Custom(func(t *rapid.T) Body {
			return Body{Inline: []byte(rapid.String().Draw(t, "inline"))}
		})
		p.Targets = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Target {
			u := "/" + rapid.StringMatching(`[a-z/]{0,5}(\?[a-z]=[0-9])?`).Draw(t, "url")
			if rapid.Bool().Draw(t, "absolute") {
				u = "http://other.example" + u
			}
			b := body.Draw(t, "body")
			if len(b.Inline) == 0 {
				b.Inline = nil
			}
			low := rapid.IntRange(100, 599).Draw(t, "low")
			return Target{
				Name: text.Draw(t, "name"), Method: rapid.SampledFrom([]string{"GET", "POST", "X-Y"}).Draw(t, "method"), URL: u,
				Header: header.Draw(t, "header"), Body: b, Weight: rapid.IntRange(0, 9).Draw(t, "weight"),
				Expect: rapid.SampledFrom([][]Status{nil, {{low, low}}, {{low, 599}, {200, 299}}}).Draw(t, "expect"),
			}
		}), 1, 4).Draw(t, "targets")
		p.Client.Header = header.Draw(t, "client header")
		p.Client.Timeout = Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "timeout"))
		p.Client.MaxBody = rapid.Int64Range(1, math.MaxInt64).Draw(t, "max body")
		p.Client.Insecure, p.Client.Cookies = rapid.Bool().Draw(t, "insecure"), rapid.Bool().Draw(t, "cookies")
		p.StopTimeout = Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "stop timeout"))
		p.Thresholds = rapid.SampledFrom([][]string{nil, {"error_rate<1%"}}).Draw(t, "thresholds")
		p.Seed = rapid.Uint64Range(0, MaxSeed).Draw(t, "seed")
		if p.Arrivals == Poisson {
			if _, ok := NewDue(p.Curve(), Poisson, p.Seed).Next(); !ok {
				p.Arrivals = Uniform // of few random arrivals there may be none
			}
		}
		return p
	})
}

func TestEveryPlanThatIsAcceptedCanRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan().Draw(t, "plan")
		if err := p.Validate(); err != nil {
			t.Fatalf("not valid: %v", err)
		}
		r, err := p.Prepare("", environment())
		if err != nil {
			t.Fatalf("not prepared: %v", err)
		}
		if r.End() <= 0 || r.End() != r.Curve.End() || r.Phases[len(r.Phases)-1].Name != Drain || r.Phases[0].From != 0 || r.Curve.Max() <= 0 {
			t.Fatalf("the load ends at %v, curve at %v, phases %v", r.End(), r.Curve.End(), r.Phases)
		}
		if !slices.IsSortedFunc(r.Phases, func(a, b Phase) int { return int(a.From - b.From) }) {
			t.Fatalf("phases out of order: %v", r.Phases)
		}
		for _, request := range r.Requests {
			if request.URL.Host == "" || request.Endpoint >= len(r.Endpoints) || request.Weight < 1 || request.Header == nil {
				t.Fatalf("request %+v", request)
			}
		}
		if p.Model == Open {
			NewDue(r.Curve, p.Arrivals, p.Seed).Next()
		}
	})
}
