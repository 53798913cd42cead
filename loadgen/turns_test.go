package loadgen

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func turns() []Turn {
	return []Turn{
		{"http://one", plan.WarmUp, time.Second},
		{"http://two", plan.Steady, 2 * time.Second},
		{"http://one", plan.Steady, 1500 * time.Millisecond},
	}
}

func inTurns(model plan.Model) plan.Plan {
	p := plan.DefaultOpen()
	if model == plan.Closed {
		p = plan.Default()
		p.Users, p.SpawnRate = 20, 200
	} else {
		p.Rate = plan.Rate{N: 100}
	}
	p.Host, p.RunTime, p.Seed = "http://one", plan.Duration(4500*time.Millisecond), 1
	return p
}

// Who answers slowly is still asked for what is due in its own turn alone, and its answers count there.
func TestHostsAreAskedInTheirTurnAndCountInIt(t *testing.T) {
	for _, model := range []plan.Model{plan.Open, plan.Closed} {
		var mu sync.Mutex
		asked := map[string]int64{}
		sink := &record{}
		res, err := run(t, Runner{Plan: inTurns(model), Turns: turns(), Sinks: []result.Sink{sink},
			Transport: service(func(r *http.Request) (int, time.Duration) {
				mu.Lock()
				asked[r.URL.Host]++
				mu.Unlock()
				return 200, 300 * ms
			})}, nil)
		if err != nil {
			t.Fatal(err)
		}
		due := make([]int64, 4)
		for _, w := range sink.windows {
			for p := range w.ByDue {
				for _, e := range p.Endpoints {
					due[p.Phase] += e.Requests
				}
			}
		}
		if due[0]+due[2] != asked["one"] || due[1] != asked["two"] || due[3] != 0 || asked["one"] == 0 || asked["two"] == 0 {
			t.Errorf("%s: asked %v, due in the turns %v", model, asked, due)
		}
		if model == plan.Open && (due[0] != 100 || due[1] != 200 || due[2] != 150) {
			t.Errorf("due in the turns %v, want 100/s of 1, 2 and 1.5 s", due)
		}
		if n := len(res.Phases); n != 4 || res.Phases[0].Name != plan.WarmUp || res.Phases[3].Name != plan.Drain {
			t.Errorf("phases %+v", res.Phases)
		}
	}
}

func TestEachHostThatTakesTurnsHasItsOwnCookies(t *testing.T) {
	p := inTurns(plan.Open)
	p.Client.Cookies = true
	var mu sync.Mutex
	got := map[string]map[string]bool{"127.0.0.1:1": {}, "127.0.0.1:2": {}}
	list := turns()
	for i, host := range []string{"http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:1"} {
		list[i].Host = host
	}
	_, err := run(t, Runner{Plan: p, Turns: list, Transport: cookies(func(r *http.Request) string {
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Host][r.Header.Get("Cookie")] = true
		return "at=" + r.URL.Port()
	})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, seen := range got {
		want := "at=" + strings.TrimPrefix(host, "127.0.0.1:")
		if !seen[want] || len(seen) != 2 { // and none, at first
			t.Errorf("%s was given %v", host, seen)
		}
	}
}

// cookies answers with a cookie.
type cookies func(*http.Request) string

func (c cookies) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := service(healthy).RoundTrip(r)
	if err == nil {
		res.Header.Set("Set-Cookie", c(r))
	}
	return res, err
}

func TestTurnsThatDoNotFitAreRefused(t *testing.T) {
	absolute := inTurns(plan.Open)
	absolute.Targets = []plan.Target{{Method: "GET", URL: "http://elsewhere/"}}
	longer := inTurns(plan.Open)
	longer.RunTime *= 2
	for want, p := range map[string]plan.Plan{
		`targets[0].url "http://elsewhere/": want a path`:           absolute,
		`run_time "9s": want the 4.5s that the turns take together`: longer,
	} {
		_, err := run(t, Runner{Plan: p, Turns: turns(), Transport: service(healthy)}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
