package attack

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// serve is a service in virtual time: it may sleep, and answers with a status.
type serve func(*http.Request) int

func (s serve) RoundTrip(r *http.Request) (*http.Response, error) {
	status := s(r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

// sleep waits as a service does: until it is done or the caller hangs up.
func sleep(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// ready is a plan on two endpoints that nothing needs to be read for.
func ready(p plan.Plan) *plan.Ready {
	r := &plan.Ready{Plan: p, Load: p.Load()}
	for i, path := range []string{"/", "/health"} {
		u := &url.URL{Scheme: "http", Host: "service", Path: path}
		r.Requests = append(r.Requests, plan.Request{Endpoint: i, Method: "GET", URL: u, Weight: 1, Header: http.Header{}})
		r.Endpoints = append(r.Endpoints, plan.Endpoint{Name: "GET " + path, Method: "GET", URL: u.String()})
	}
	return r
}

type run struct {
	Outcome
	attack                            *Attack
	windows                           []*result.Window
	requests, failures, abandoned     int64
	raw, corrected, lag, wait, failed result.Histogram
}

// virtual runs a plan against a service, in a bubble of its own, and calls during beside it.
func virtual(t *testing.T, p plan.Plan, service http.RoundTripper, during func(*Attack)) *run {
	var out *run
	synctest.Test(t, func(t *testing.T) {
		out = execute(ready(p), service, during)
	})
	return out
}

func execute(p *plan.Ready, service http.RoundTripper, during func(*Attack)) *run {
	return executeOn(p, service, nil, during)
}

// executeOn also replaces the way to wait, when it is given one.
func executeOn(p *plan.Ready, service http.RoundTripper, alarm alarm, during func(*Attack)) *run {
	return executeWith(Config{Plan: p, Transport: service}, alarm, during)
}

// executeWith runs an attack with a recorder of its own.
func executeWith(cfg Config, alarm alarm, during func(*Attack)) *run {
	p := cfg.Plan
	recorder := measure.New(measure.Config{Endpoints: p.Endpoints, Phases: p.Phases, Timeout: time.Duration(p.Plan.Client.Timeout)})
	cfg.Recorder = recorder
	a := New(cfg)
	if alarm != nil {
		a.pacer.alarm.close()
		a.pacer.alarm = alarm
	}
	a.Begin()
	if during != nil {
		go during(a)
	}
	out := &run{Outcome: a.Run(), attack: a}
	out.windows = recorder.Close(out.DrainEnded)
	for _, w := range out.windows {
		out.lag.Merge(w.Lag)
		out.wait.Merge(w.SlotWait)
		for _, e := range w.Endpoints {
			out.requests += e.Requests
			out.failures += e.Failures
			out.abandoned += e.Abandoned
			out.raw.Merge(e.Raw)
			out.corrected.Merge(e.Corrected)
			out.failed.Merge(e.Failed)
		}
	}
	return out
}

// balanced fails the test when the run's books do not add up.
func (r *run) balanced(t *testing.T) {
	t.Helper()
	if r.Offered != r.Sent+r.Dropped || r.Sent != r.requests+r.Outcome.Abandoned || r.abandoned != r.Outcome.Abandoned {
		t.Errorf("books: offered %d, sent %d, dropped %d, requests %d, abandoned %d/%d",
			r.Offered, r.Sent, r.Dropped, r.requests, r.Outcome.Abandoned, r.abandoned)
	}
	var sent int64
	for _, w := range r.windows {
		sent += w.Sent
	}
	if sent != r.Sent {
		t.Errorf("windows count %d sends, the attack %d", sent, r.Sent)
	}
}

func open(rate float64, runTime time.Duration) plan.Plan {
	p := plan.DefaultOpen()
	p.Rate = plan.Rate{N: rate}
	p.RunTime = plan.Duration(runTime)
	return p
}

func TestTheSeedsProfileInVirtualTime(t *testing.T) {
	t.Parallel()
	const latency = 3 * ms
	p := plan.Default()
	p.Seed = 7
	var mu sync.Mutex
	var first []time.Duration
	var start time.Time
	r := virtual(t, p, serve(func(req *http.Request) int {
		mu.Lock()
		if start.IsZero() {
			start = time.Now()
		}
		if len(first) < 50 {
			first = append(first, time.Since(start))
		}
		mu.Unlock()
		sleep(req, latency)
		return 200
	}), nil)
	r.balanced(t)

	// Renewal theory: 50 users, a cycle of 125 ms + latency each, started 0.2 s apart.
	rate := 50 / (125*ms + latency).Seconds()
	want := rate * (180 - 4.9)
	if got := float64(r.requests); math.Abs(got-want) > 0.01*want {
		t.Errorf("%v requests, want %.0f within 1 %%", got, want)
	}
	if r.failures != 0 || r.Dropped != 0 || r.Outcome.Abandoned != 0 {
		t.Errorf("failures %d, dropped %d, abandoned %d", r.failures, r.Dropped, r.Outcome.Abandoned)
	}
	if got := r.lag.Max(); got > time.Microsecond {
		t.Errorf("lag %v in virtual time", got)
	}
	if got := r.corrected.Quantile(0.99); got != 3*ms && got != 3001*time.Microsecond {
		t.Errorf("corrected p99 %v, want the service's %v", got, latency)
	}

	var names []string
	var steady int64
	for _, w := range r.windows {
		if n := len(names); n == 0 || names[n-1] != w.Name {
			names = append(names, w.Name)
		}
		if w.Name == plan.Steady {
			for _, e := range w.Endpoints {
				steady += e.Requests
			}
		}
	}
	if !slices.Equal(names, []string{plan.Ramp, plan.Steady, plan.Drain}) {
		t.Errorf("phases %v", names)
	}
	if got := float64(steady) / (180 - 9.8); math.Abs(got-rate) > 0.01*rate {
		t.Errorf("steady rate %.1f/s, want %.1f/s", got, rate)
	}
}

func TestUsersSpawnAtTheSpawnRateAndHaveOneRequestAtATime(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 10, 4, plan.Duration(5*time.Second)
	p.Think = plan.Range{Min: plan.Duration(time.Hour), Max: plan.Duration(time.Hour)}
	var mu sync.Mutex
	var at []time.Duration
	var start time.Time
	virtual(t, p, serve(func(*http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		if start.IsZero() {
			start = time.Now()
		}
		at = append(at, time.Since(start))
		return 200
	}), nil)
	for k, got := range at {
		if want := time.Duration(k) * 250 * ms; got != want {
			t.Errorf("user %d sent first at %v, want %v", k, got, want)
		}
	}
	if len(at) != 10 {
		t.Errorf("%d first requests", len(at))
	}
}

func TestTheSameSeedGivesEveryUserTheSameSequence(t *testing.T) {
	sequence := func(seed uint64) map[string][]string {
		p := plan.Default()
		p.Users, p.SpawnRate, p.RunTime, p.Seed = 5, 100, plan.Duration(10*time.Second), seed
		p.Client.Cookies = true
		var mu sync.Mutex
		got := map[string][]string{}
		last := map[string]time.Time{}
		next := 0
		virtual(t, p, jarServer(func(req *http.Request) string {
			mu.Lock()
			defer mu.Unlock()
			user := ""
			if c, err := req.Cookie("user"); err == nil {
				user = c.Value
			} else {
				// Users spawn in order, 10 ms apart, so the n-th without a cookie is user n.
				user = string(rune('a' + next))
				next++
			}
			got[user] = append(got[user], req.URL.Path+" "+time.Since(last[user]).Truncate(ms).String())
			last[user] = time.Now()
			return user
		}), nil)
		for user := range got {
			got[user] = got[user][1:] // the first gap is since the epoch
		}
		return got
	}
	a, b, c := sequence(1), sequence(1), sequence(2)
	if len(a) != 5 {
		t.Fatalf("%d users", len(a))
	}
	for user := range a {
		if !slices.Equal(a[user], b[user]) {
			t.Errorf("user %s differs between two runs with one seed:\n%v\n%v", user, a[user], b[user])
		}
		if slices.Equal(a[user], c[user]) {
			t.Errorf("user %s is the same under another seed", user)
		}
	}
}

// jarServer answers with a cookie that names the user.
type jarServer func(*http.Request) string

func (s jarServer) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Set-Cookie": {"user=" + s(r)}}
	return &http.Response{StatusCode: 200, Header: h, Body: http.NoBody, Request: r}, nil
}

func TestPacingKeepsTheBeatAndItsBacklog(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 1, 1, plan.Duration(10*time.Second)
	p.Think, p.Pacing = plan.Range{}, plan.Duration(100*ms)
	stalled := false
	r := virtual(t, p, serve(func(req *http.Request) int {
		if !stalled {
			stalled = true
			sleep(req, 2*time.Second) // 19 more beats fall due meanwhile
			return 200
		}
		sleep(req, 10*ms)
		return 200
	}), nil)
	r.balanced(t)
	if r.Sent != 100 {
		t.Errorf("%d sends in 10 s with a beat of 100 ms, want 100: no beat is skipped", r.Sent)
	}
	// Beat k is due at 100 ms · k and, while the backlog lasts, ends 10 ms after the one before.
	if got, want := r.corrected.Max(), 2*time.Second; got < want || got > want+2*ms {
		t.Errorf("slowest %v, want %v", got, want)
	}
	if got, want := r.corrected.Quantile(0.99), 1910*ms; got < want || got > want+2*ms {
		t.Errorf("corrected p99 %v, want %v: the second beat waited 1.9 s", got, want)
	}
	if got := r.lag.Max(); got > time.Microsecond {
		t.Errorf("lag %v: a beat that waits for its own user is not late by the generator's doing", got)
	}
}

func TestStagesRaiseAndLowerTheUsersAndTheLastSpawnedLeavesFirst(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
	p.Stages = []plan.Stage{{Duration: plan.Duration(4 * time.Second), To: 8}, {Duration: plan.Duration(2 * time.Second), To: 8}, {Duration: plan.Duration(4 * time.Second), To: 0}}
	p.Think = plan.Range{Min: plan.Duration(10 * ms), Max: plan.Duration(10 * ms)}
	var gauge []int
	r := virtual(t, p, serve(func(req *http.Request) int { sleep(req, 10*ms); return 200 }), func(a *Attack) {
		for i := range 10 {
			time.Sleep(time.Duration(i)*time.Second + 300*ms - a.Elapsed())
			_, users := a.Gauges(a.Elapsed())
			gauge = append(gauge, users)
		}
	})
	r.balanced(t)
	if want := []int{1, 3, 5, 7, 8, 8, 8, 6, 4, 2}; !slices.Equal(gauge, want) {
		t.Errorf("users %v, want %v", gauge, want)
	}
}

// Windows are collected a little after they ended, two at a time where a phase ends; what is offered in each must not
// depend on that.
func TestOfferedIsCountedWhereItWasDue(t *testing.T) {
	closed := plan.Default()
	closed.Users, closed.SpawnRate, closed.RunTime = 4, 4, plan.Duration(4*time.Second)
	closed.Think = plan.Range{Min: plan.Duration(90 * ms), Max: plan.Duration(90 * ms)}
	for name, p := range map[string]plan.Plan{"closed": closed, "open": open(40, 4*time.Second)} {
		var got []int64
		virtual(t, p, serve(func(req *http.Request) int { sleep(req, 10*ms); return 200 }), func(a *Attack) {
			time.Sleep(3*time.Second + 100*ms)
			for _, at := range []time.Duration{time.Second, 2 * time.Second, 2500 * ms, 3 * time.Second} {
				offered, _ := a.Gauges(at)
				got = append(got, offered)
			}
		})
		// Four users due every 100 ms once all have joined at 0, 250, 500, 750 ms; 40 a second.
		want := []int64{10 + 8 + 5 + 3, 66, 86, 106}
		if name == "open" {
			want = []int64{40, 80, 100, 120}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: offered %v, want %v", name, got, want)
		}
	}
}

func TestAnOpenRateSendsOnTheDotWhateverTheAnswersDo(t *testing.T) {
	r := virtual(t, open(200, 10*time.Second), serve(func(req *http.Request) int { sleep(req, 700*ms); return 503 }), nil)
	r.balanced(t)
	if r.Sent != 2000 || r.failures != 2000 {
		t.Errorf("sent %d, failures %d, want 2000", r.Sent, r.failures)
	}
	if got := r.lag.Max(); got > time.Microsecond {
		t.Errorf("lag %v", got)
	}
	if r.raw.Count() != 0 || r.failed.Count() != 2000 {
		t.Errorf("failures must be in failed alone: raw %d, failed %d", r.raw.Count(), r.failed.Count())
	}
}

// stall answers in 2 ms but holds everything for 1 s in each 10 s, from 4 s on. A bubble's clock begins at a
// full second, and the attack with it.
func stall(req *http.Request) int {
	at := time.Duration(time.Now().UnixNano()) % (10 * time.Second)
	if at >= 4*time.Second && at < 5*time.Second {
		sleep(req, 5*time.Second-at)
	}
	sleep(req, 2*ms)
	return 200
}

// queueTruth is the slow obvious version: a server with slots, each request taking the first that is free.
func queueTruth(rate float64, runTime time.Duration, slots int) []time.Duration {
	free := make([]time.Duration, slots)
	var latencies []time.Duration
	for k := 0; ; k++ {
		due := time.Duration(float64(k) / rate * 1e9)
		if due >= runTime {
			slices.Sort(latencies)
			return latencies
		}
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		start := max(due, free[first])
		if at := start % (10 * time.Second); at >= 4*time.Second && at < 5*time.Second {
			start += 5*time.Second - at
		}
		free[first] = start + 2*ms
		latencies = append(latencies, free[first]-due)
	}
}

func TestCorrectedLatencyIsTheTruthOfAStall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why      string
		inFlight int
		waited   bool
	}{
		{"nothing holds a send back, so raw and corrected agree", 10_000, false},
		{"the backlog leaves ten at a time: raw lies, corrected does not", 10, true},
	} {
		p := open(200, 60*time.Second)
		p.MaxInFlight = row.inFlight
		r := virtual(t, p, serve(stall), nil)
		r.balanced(t)
		truth := queueTruth(200, 60*time.Second, row.inFlight)
		for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999, 1} {
			want := truth[int(math.Ceil(q*float64(len(truth))))-1]
			got := r.corrected.Quantile(q)
			if got < want || got > want+want/1000+time.Microsecond {
				t.Errorf("%s: corrected p%g = %v, truth %v", row.why, 100*q, got, want)
			}
		}
		if waited := r.wait.Count() > 0; waited != row.waited {
			t.Errorf("%s: %d sends waited for a slot", row.why, r.wait.Count())
		}
		if row.waited {
			if p99 := r.raw.Quantile(0.99); p99 > 3*ms {
				t.Errorf("raw p99 %v: it should show nothing of the stall", p99)
			}
		}
		if got := r.lag.Max(); got > time.Microsecond {
			t.Errorf("%s: lag %v counted as the generator's", row.why, got)
		}
	}
}

func TestStopDrainsWhatIsDueAndUnderWay(t *testing.T) {
	p := open(10, time.Minute)
	p.MaxInFlight = 2
	// Two slots, 1 s each: 2/s leave of 10/s, at 0, 1, 2 … and 0.1, 1.1, 2.1 … s.
	r := virtual(t, p, serve(func(req *http.Request) int { sleep(req, time.Second); return 200 }), func(a *Attack) {
		time.Sleep(3*time.Second + 50*ms)
		a.Stop()
		a.Stop()
	})
	r.balanced(t)
	if r.Offered != 31 {
		t.Errorf("offered %d, want the 31 that were due before the stop", r.Offered)
	}
	if r.SendingEnded != 3*time.Second+50*ms {
		t.Errorf("sending ended at %v", r.SendingEnded)
	}
	// The drain lasts 10 s: sends go on at 2/s, the ones under way at its end are cut.
	if r.DrainEnded != 13*time.Second+50*ms || r.Outcome.Abandoned != 2 || r.requests != 25 {
		t.Errorf("drain ended at %v with %d abandoned, %d requests; want 13.05 s, 2, 25", r.DrainEnded, r.Outcome.Abandoned, r.requests)
	}
	if r.Dropped != 4 || r.OwnDrops != 0 {
		t.Errorf("dropped %d, own %d; want 4, none of the generator's making", r.Dropped, r.OwnDrops)
	}
}

func TestCutEndsAtOnce(t *testing.T) {
	r := virtual(t, open(100, time.Minute), serve(func(req *http.Request) int { sleep(req, time.Hour); return 200 }), func(a *Attack) {
		time.Sleep(2 * time.Second)
		a.Cut()
	})
	r.balanced(t)
	// What was due at just that instant may have left, and was due before the end.
	if r.DrainEnded.Truncate(time.Microsecond) != 2*time.Second || r.SendingEnded.Truncate(time.Microsecond) != 2*time.Second {
		t.Errorf("ended at %v/%v", r.SendingEnded, r.DrainEnded)
	}
	if r.requests != 0 || r.Offered < 200 || r.Offered > 201 {
		t.Errorf("requests %d, offered %d", r.requests, r.Offered)
	}
}

func TestARunWhoseSendsAreAllDoneStillLastsItsTime(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 1, 1, plan.Duration(10*time.Second)
	p.Think = plan.Range{Min: plan.Duration(time.Hour), Max: plan.Duration(time.Hour)}
	r := virtual(t, p, serve(func(*http.Request) int { return 200 }), nil)
	r.balanced(t)
	if r.Sent != 1 || r.DrainEnded != 10*time.Second {
		t.Errorf("sent %d, ended at %v", r.Sent, r.DrainEnded)
	}
}

func TestATimeoutEndsARequestAndNamesItself(t *testing.T) {
	p := open(10, time.Second)
	p.Client.Timeout = plan.Duration(300 * ms)
	r := virtual(t, p, serve(func(req *http.Request) int { sleep(req, time.Hour); return 200 }), nil)
	r.balanced(t)
	if r.failures != 10 || r.failed.Max() < 300*ms || r.failed.Max() > 301*ms {
		t.Errorf("failures %d, slowest %v", r.failures, r.failed.Max())
	}
	for _, w := range r.windows {
		for _, e := range w.Endpoints {
			for _, x := range e.Errors {
				if x.Kind != "timeout" || x.Message != "timeout after 300ms" {
					t.Errorf("error %s %q", x.Kind, x.Message)
				}
			}
		}
	}
}

func TestPoissonSendsLeaveWhenTheyWerePlanned(t *testing.T) {
	p := open(300, 10*time.Second)
	p.Arrivals, p.Seed = plan.Poisson, 42
	var mu sync.Mutex
	var start time.Time
	var got []time.Duration
	r := virtual(t, p, serve(func(*http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		if start.IsZero() {
			start = time.Now()
		}
		got = append(got, time.Since(start))
		return 200
	}), nil)
	r.balanced(t)
	var want []time.Duration
	planned := plan.NewDue(p.Curve(), p.Arrivals, p.Seed)
	for due, ok := planned.Next(); ok; due, ok = planned.Next() {
		want = append(want, due)
	}
	for i := range want {
		if got[i] != want[i]-want[0] {
			t.Fatalf("send %d left at %v after the first, planned %v", i, got[i], want[i]-want[0])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d sends, planned %d", len(got), len(want))
	}
}

func TestOfferedIsTheIntegralOfTheStages(t *testing.T) {
	p := open(0, 0)
	p.RunTime = 0
	p.Stages = []plan.Stage{{Duration: plan.Duration(10 * time.Second), To: 100}, {Duration: plan.Duration(5 * time.Second), To: 100}, {Duration: plan.Duration(3 * time.Second), To: 40}}
	r := virtual(t, p, serve(func(*http.Request) int { return 200 }), nil)
	r.balanced(t)
	if want := int64(500 + 500 + 210); r.Offered < want-1 || r.Offered > want+1 {
		t.Errorf("offered %d, want %d within 1", r.Offered, want)
	}
}
