package plan

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestAPlanReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan().Draw(t, "plan")
		data, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(data)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%s\nreads as %+v, %v\nwant     %+v", data, got, err, p)
		}
		// A result embeds the plan and reads it with encoding/json.
		var embedded Plan
		if err := json.Unmarshal(data, &embedded); err != nil || !reflect.DeepEqual(embedded, p) {
			t.Fatalf("%s\nreads within a result as %+v, %v", data, embedded, err)
		}
	})
}

func TestARedactedPlanReadsBackAndRunsWhenItHadNoSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan().Draw(t, "plan")
		data, err := json.Marshal(p.Redacted())
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%s\ndoes not run again: %v", data, err)
		}
	})
}

func TestAPlanFileIsWrittenInWordsOfTheUser(t *testing.T) {
	p := onHost()
	p.Targets[1].Expect = []Status{{200, 200}, {300, 399}}
	data, err := json.Marshal(p)
	want := `{"host":"http://localhost:8080","model":"closed","users":50,"spawn_rate":5,"think":"50ms..200ms","run_time":"3m",` +
		`"targets":[{"method":"GET","url":"/"},{"method":"GET","url":"/health","expect":[200,"3xx"]}],` +
		`"client":{"timeout":"10s","max_body":10485760},"stop_timeout":"10s","seed":0}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
}

func TestAPlanFileNeedsToSayOnlyWhatIsNotTheDefault(t *testing.T) {
	stage := []Stage{{1000 * ms, 5}}
	for text, want := range map[string]func(*Plan){
		`{}`: nil,
		`{"schema":"loadgen/plan/v1","run":{"id":"x"},"generator":{"any":["thing"]}}`: nil,
		`{"users":7,"run_time":20}`:                         func(p *Plan) { p.Users, p.RunTime = 7, Duration(20*time.Second) },
		`{"client":{"timeout":"1s"}}`:                       func(p *Plan) { p.Client.Timeout = 1000 * ms },
		`{"think":"0"}`:                                     func(p *Plan) { p.Think = Range{} },
		`{"users":null}`:                                    nil,
		`{"stages":null}`:                                   nil,
		`{"pacing":"1s"}`:                                   func(p *Plan) { p.Think, p.Pacing = Range{}, 1000*ms },
		`{"stages":[{"duration":"1s","to":5}]}`:             func(p *Plan) { *p = staged(*p, stage...) },
		`{"rate":50}`:                                       func(p *Plan) { *p = DefaultOpen(); p.Rate.N = 50 },
		`{"rate":"3000/1m","arrivals":"poisson"}`:           func(p *Plan) { *p = DefaultOpen(); p.Rate, p.Arrivals = Rate{3000, Duration(time.Minute)}, Poisson },
		`{"model":"open","stages":[{"duration":1,"to":5}]}`: func(p *Plan) { *p = staged(DefaultOpen(), stage...) },
		`{"targets":[{"method":"GET","url":"/x"}]}`:         func(p *Plan) { p.Targets = []Target{{Method: "GET", URL: "/x"}} },
		`{"targets":[{"method":"GET","url":"/","header":{"A":["b"]},"body":{"file":"f","sha256":"0"},"expect":["2xx"]}]}`: func(p *Plan) {
			p.Targets = []Target{{Method: "GET", URL: "/", Header: map[string][]string{"A": {"b"}}, Body: Body{File: "f", SHA256: "0"}, Expect: []Status{{200, 299}}}}
		},
	} {
		p := Default()
		if want != nil {
			want(&p)
		}
		if got, err := ReadFile([]byte(text)); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, p)
		}
	}
}

func TestErrorsOfAPlanFileSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      `not JSON: unexpected end of JSON input`,
		`nonsense`:                              `not JSON: invalid character 'o' in literal null (expecting 'u')`,
		"{\n\"users\": 5,\n}":                   `line 3: not JSON: invalid character '}' looking for beginning of object key string`,
		"{\"name\":\"\xff\"}":                   `not UTF-8 text`,
		`[]`:                                    `want an object, not a list`,
		`{"user":5}`:                            `user: unknown key, want "users"?`,
		`{"Users":5}`:                           `Users: unknown key, want "users"?`,
		`{"qqqqqq":5}`:                          `qqqqqq: unknown key`,
		`{"users":5,"users":6}`:                 `users: given twice`,
		`{"users":"5"}`:                         `users: want a whole number, not this text`,
		`{"users":5.5}`:                         `users: want a whole number, not this number`,
		`{"users":1e99}`:                        `users: want a whole number, not this number`,
		`{"seed":-1}`:                           `seed: want a whole number that is not negative, not this number`,
		`{"spawn_rate":true}`:                   `spawn_rate: want a number, not true or false`,
		`{"name":{}}`:                           `name: want text, not an object`,
		`{"tags":[]}`:                           `tags: want an object, not a list`,
		`{"tags":{"a":1}}`:                      `tags.a: want text, not this number`,
		`{"run_time":"soon"}`:                   `run_time "soon": want ` + "a duration, e.g. 300s, 20m, 1h30m or seconds as a bare number",
		`{"run_time":-5}`:                       `run_time "-5": want a duration that is not negative`,
		`{"run_time":{}}`:                       `run_time: want text, not an object`,
		`{"think":"2s..1s"}`:                    `think "2s..1s": want MIN..MAX with MIN not above MAX`,
		`{"rate":"1e9"}`:                        `rate "1e9": want at most 1,000,000 requests per second`,
		`{"stages":{}}`:                         `stages: want a list, not an object`,
		`{"stages":["30s:50"]}`:                 `stages[0]: want an object, not this text`,
		`{"stages":[{"to":"x"}]}`:               `stages[0].to: want a number, not this text`,
		`{"targets":[{"url":"/"},{"uri":"/"}]}`: `targets[1].uri: unknown key, want "url"?`,
		`{"targets":[{"schema":1}]}`:            `targets[0].schema: unknown key`,
		`{"targets":[{"expect":[200,"x"]}]}`:    `targets[0].expect[1] "x": want ` + wantStatus,
		`{"targets":[{"body":{"inline":"hunter2!"}}]}`:   `targets[0].body.inline: want bytes in base64, not this text`,
		`{"targets":[{"header":{"A":[{"hunter2":1}]}}]}`: `targets[0].header.A[0]: want text, not an object`,
		`{"client":{"cookies":"yes"}}`:                   `client.cookies: want true or false, not this text`,
		`{"client":5}`:                                   `client: want an object, not this number`,
		`{"client":{"timout":"5s"},"users":"x"}`:         "client.timout: unknown key, want \"timeout\"?\nusers: want a whole number, not this text",
	} {
		p, err := ReadFile([]byte(text))
		if err == nil || err.Error() != want || !reflect.DeepEqual(p, Plan{}) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
		if len(input.Errors(err)) != len(strings.Split(want, "\n")) {
			t.Errorf("%s: not all name a field: %v", text, err)
		}
	}
}

func FuzzReadFile(f *testing.F) {
	data, err := json.Marshal(onHost())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, s := range []string{
		`{}`, `{"rate":"50/s","stages":[{"duration":"1s","to":5}]}`, `{"targets":[{"method":"GET","url":"/","expect":[200,"2xx"]}]}`,
		`{"client":{"header":{"A":["REDACTED"]},"body":{"inline":"Rk9P"}}}`, `{"tags":{"a":"b"},"seed":9007199254740991}`, `null`, `{"\n":1,"tags":{"\r":1}}`, `{"think":5,"pacing":1.5}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadFile(data)
		if err != nil {
			for _, e := range input.Errors(err) {
				if strings.ContainsAny(e.Error(), "\n\r") {
					t.Errorf("%q: an error of more than one line: %q", data, e.Error())
				}
			}
			if len(input.Errors(err)) == 0 {
				t.Errorf("%q: not a input.Error: %v", data, err)
			}
			return
		}
		if p.Validate() != nil {
			return
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%q is valid, but cannot be written: %v", data, err)
		}
		again, err := ReadFile(written)
		if err != nil {
			t.Fatalf("%q is written as %s, which is refused: %v", data, written, err)
		}
		if rewritten, _ := json.Marshal(again); string(rewritten) != string(written) {
			t.Errorf("%q is written as %s, and then as %s", data, written, rewritten)
		}
		if _, err := json.Marshal(p.Redacted()); err != nil {
			t.Error(err)
		}
	})
}
