package attack

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
)

// visit is a script that logs in, keeps the token of the answer, and uses it three times before it logs in again. Failed
// logins are tried again.
type visit struct {
	login *plan.Request // the plan's first
	host  string
	token string
	uses  int
	told  []Answer
}

func (v *visit) Next() Step {
	if v.token == "" {
		return Step{KeepBody: true}
	}
	v.uses++
	use := *v.login // an endpoint of the plan's, an address and a header of its own
	use.Endpoint = 1
	use.URL = &url.URL{Scheme: "http", Host: v.host, Path: "/use"}
	use.Header = http.Header{"Token": {v.token}}
	return Step{Request: &use}
}

func (v *visit) Answered(a Answer) {
	v.told = append(v.told, a)
	switch {
	case v.token == "" && a.Kind == measure.KindNone:
		v.token = string(a.Body)
	case v.uses == 3:
		v.token, v.uses = "", 0
	}
}

// A user's whole flow, with what one answer said in the next request, takes a script and nothing else.
func TestAUserFollowsItsScript(t *testing.T) {
	for _, row := range []struct {
		why string
		p   plan.Plan
	}{
		{"users of a closed plan", func() plan.Plan {
			p := plan.Default()
			p.Users, p.SpawnRate, p.RunTime = 5, 100, plan.Duration(5*time.Second)
			return p
		}()},
		{"slots of an open plan", open(100, 5*time.Second)},
	} {
		t.Run(row.why, func(t *testing.T) {
			var mu sync.Mutex
			uses := map[string]int{} // by token
			logins, refused, wrong := 0, 0, 0
			service := transport(func(r *http.Request) (*http.Response, error) {
				sleep(r, 20*ms)
				mu.Lock()
				defer mu.Unlock()
				body, status := "", 200
				switch token := r.Header.Get("Token"); {
				case r.URL.Path == "/use":
					if _, known := uses[token]; !known {
						wrong++
					}
					uses[token]++
				case (logins+refused)%4 == 3:
					refused++
					body, status = "busy", 503
				default:
					logins++
					body = fmt.Sprint("token-", logins)
					uses[body] = 0
				}
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			})
			var scripts []*visit
			synctest.Test(t, func(t *testing.T) {
				p := ready(row.p)
				r := executeWith(Config{Plan: p, Transport: service, Script: func(int, *rand.Rand) Script {
					v := &visit{login: &p.Requests[0], host: "service"}
					scripts = append(scripts, v)
					return v
				}}, nil, nil)
				r.balanced(t)
				if r.requests < 100 {
					t.Errorf("%d requests", r.requests)
				}
			})
			if wrong > 0 || logins < 10 || refused < 3 {
				t.Errorf("%d logins, %d refused, %d uses of a token that nobody was given", logins, refused, wrong)
			}
			for token, n := range uses {
				if n > 3 {
					t.Errorf("%s was used %d times", token, n)
				}
			}
			for _, v := range scripts {
				for _, a := range v.told {
					if a.Status == 503 && (a.Kind != measure.KindStatus || string(a.Body) != "busy") {
						t.Errorf("of a refused login the script was told %v, %q", a.Kind, a.Body)
					}
				}
			}
		})
	}
}

func TestABodyReachesTheScriptOnlyWhenTheStepAsksForIt(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, row := range []struct {
		why       string
		keep      bool
		find      string
		limit     int64
		body      string
		want      string
		truncated bool
		kind      measure.Kind
	}{
		{"not asked for", false, "", 2000, long, "", false, measure.KindNone},
		{"asked for", true, "", 2000, long, long, false, measure.KindNone},
		{"up to the plan's limit", true, "", 100, long, long[:100], true, measure.KindNone},
		{"and looked through", true, "y", 2000, long + "y", long + "y", false, measure.KindNone},
		{"looked through in vain", true, "y", 2000, long, long, false, measure.KindBody},
		{"looked through and not asked for", false, "y", 2000, long + "y", "", false, measure.KindNone},
		{"empty", true, "", 2000, "", "", false, measure.KindNone},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := plan.Default()
			p.Users, p.SpawnRate, p.RunTime, p.Think = 1, 1, plan.Duration(time.Second), plan.Range{Min: plan.Duration(time.Minute), Max: plan.Duration(time.Minute)}
			p.Client.MaxBody = row.limit
			ready := ready(p)
			ready.Requests[0].ExpectBody = []byte(row.find)
			told := &once{step: Step{KeepBody: row.keep}}
			executeWith(Config{Plan: ready, Script: func(int, *rand.Rand) Script { return told }, Transport: transport(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{"A": {"b"}}, Body: io.NopCloser(strings.NewReader(row.body)), Request: r}, nil
			})}, nil, nil)
			if len(told.answers) != 1 {
				t.Fatalf("%s: %d answers", row.why, len(told.answers))
			}
			a := told.answers[0]
			if string(a.Body) != row.want || a.Truncated != row.truncated || a.Kind != row.kind || a.Header.Get("A") != "b" {
				t.Errorf("%s: told %d bytes, truncated %v, %v, header %v", row.why, len(a.Body), a.Truncated, a.Kind, a.Header)
			}
			if !row.keep && a.Body != nil {
				t.Errorf("%s: a body of %d bytes", row.why, len(a.Body))
			}
		})
	}
}

// once is a script of one step.
type once struct {
	step    Step
	answers []Answer
}

func (o *once) Next() Step        { return o.step }
func (o *once) Answered(a Answer) { o.answers = append(o.answers, a) }

func TestAScriptsOwnRequestsGoOverSocketsToo(t *testing.T) {
	var mu sync.Mutex
	uses, wrong := map[string]int{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/use" {
			token := fmt.Sprint("token-", len(uses))
			uses[token] = 0
			fmt.Fprint(w, token)
			return
		}
		if _, known := uses[r.Header.Get("Token")]; !known {
			wrong++
		}
		uses[r.Header.Get("Token")]++
	}))
	defer server.Close()
	p := plan.Default()
	p.Users, p.SpawnRate, p.Think, p.RunTime = 3, 100, plan.Range{Max: plan.Duration(5 * ms)}, plan.Duration(300*ms)
	ready := at(p, server.URL)
	ready.Endpoints = append(ready.Endpoints[:1:1], plan.Endpoint{Name: "use"})
	host := ready.Requests[0].URL.Host
	r := executeWith(Config{Plan: ready, Script: func(int, *rand.Rand) Script { return &visit{login: &ready.Requests[0], host: host} }}, nil, nil)
	r.balanced(t)
	mu.Lock()
	defer mu.Unlock()
	logins, used := 0, 0
	for _, n := range uses {
		logins, used = logins+1, used+n
	}
	if r.failures > 0 || wrong > 0 || logins < 3 || used < 2*logins-6 || int64(logins+used) != r.requests {
		t.Errorf("%d logins, %d uses of which %d of no token, of %d requests; %v", logins, used, wrong, r.requests, r.messages())
	}
}
