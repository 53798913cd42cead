package loadgen

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// service answers in virtual time.
type service func(*http.Request) (status int, takes time.Duration)

func (s service) RoundTrip(r *http.Request) (*http.Response, error) {
	status, takes := s(r)
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: http.Header{"X-Served-By": {"task-1"}}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

func healthy(*http.Request) (int, time.Duration) { return 200, 3 * ms }

// brief is 5 users for 20 s.
func brief() plan.Plan {
	p := plan.Default()
	p.Host = "http://service"
	p.Users, p.RunTime, p.Seed = 5, plan.Duration(20*time.Second), 1
	return p
}

// record keeps what a sink is given.
type record struct {
	result.NopSink
	windows  []*result.Window
	finished *result.Result
	started  *result.Meta
	closed   int
	onWindow func(*result.Window) error
}

func (k *record) Start(m *result.Meta) error { k.started = m; return nil }
func (k *record) Window(w *result.Window) error {
	k.windows = append(k.windows, w)
	if k.onWindow != nil {
		return k.onWindow(w)
	}
	return nil
}
func (k *record) Close() error                  { k.closed++; return nil }
func (k *record) Finish(r *result.Result) error { k.finished = r; return nil }

// run runs in a bubble; cancelled, when not nil, is called with the function that interrupts the run.
func run(t *testing.T, r Runner, meanwhile func(stop context.CancelCauseFunc)) (*result.Result, error) {
	t.Helper()
	if r.Judge == nil {
		r.Judge = calm.Judge // time is virtual here, but the probe would read the real machine
	}
	var res *result.Result
	var err error
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(context.Background())
		defer stop(nil)
		if meanwhile != nil {
			go meanwhile(stop)
		}
		res, err = r.Run(ctx)
		time.Sleep(time.Hour) // a sink that was left to itself may finish
	})
	return res, err
}

func TestARunsFiguresAddUp(t *testing.T) {
	sink := &record{}
	res, err := run(t, Runner{Plan: brief(), Transport: service(healthy), Sinks: []result.Sink{sink}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict.ExitCode != 0 || res.Verdict.Validity != result.Valid {
		t.Errorf("verdict %+v", res.Verdict)
	}
	var endpoints, phases, windows, offered int64
	for _, e := range res.Endpoints {
		endpoints += e.Requests
	}
	for _, p := range res.Phases {
		phases += p.Totals.Requests
	}
	for _, w := range sink.windows {
		offered += w.Offered
		for _, e := range w.Endpoints {
			windows += e.Requests
		}
	}
	n := res.Totals.Requests
	if n == 0 || endpoints != n || phases != n || windows != n || res.Totals.Status["200"] != n || res.ServedBy["task-1"] != n {
		t.Errorf("requests: total %d, endpoints %d, phases %d, windows %d, 200s %v, served by %v", n, endpoints, phases, windows, res.Totals.Status, res.ServedBy)
	}
	if offered != res.Totals.Offered || res.Totals.Offered != res.Totals.Sent+result.Known(res.Totals.Dropped) || res.Totals.Sent != n+res.Totals.Abandoned {
		t.Errorf("books: windows offered %d; %+v", offered, res.Totals)
	}
	for _, w := range sink.windows {
		if want := 5; w.Name == plan.Steady && w.Users != want {
			t.Errorf("%v to %v: %d users, want %d", w.From, w.To, w.Users, want)
		}
	}
	if len(res.Warnings) > 0 {
		t.Errorf("warnings %v", res.Warnings)
	}
	if sink.started == nil || sink.closed != 1 || sink.finished != res {
		t.Errorf("sink started %v, closed %d times, finished with the result: %v", sink.started != nil, sink.closed, sink.finished == res)
	}
	var names []string
	for _, e := range res.Events {
		if e.Type == result.EventPhase {
			names = append(names, e.Detail)
		}
	}
	if !slices.Equal(names, []string{plan.Ramp, plan.Steady, plan.Drain}) {
		t.Errorf("phase events %v", names)
	}
}

func TestWhatARunExitsWith(t *testing.T) {
	failing := func(r *http.Request) (int, time.Duration) {
		if r.URL.Path == "/health" {
			return 503, 3 * ms
		}
		return 200, 3 * ms
	}
	for _, row := range []struct {
		why      string
		change   func(*plan.Plan)
		service  service
		stopping func(context.CancelCauseFunc)
		code     int
		by       string
		inter    bool
		named    string
	}{
		{why: "all well", service: healthy},
		{why: "failed requests alone change nothing", service: failing},
		{why: "unless it was asked for", service: failing, change: func(p *plan.Plan) { p.ExitCodeOnError = new(7) }, code: 7},
		{why: "a threshold kept", service: healthy, change: func(p *plan.Plan) { p.Thresholds = []string{"p(99)<50ms"} }},
		{why: "a threshold broken", service: healthy, change: func(p *plan.Plan) { p.Thresholds = []string{"p(99)<2ms"} }, code: 99},
		{why: "one broken among others", service: failing, change: func(p *plan.Plan) { p.Thresholds = []string{"{GET /}:error_rate==0", "{GET /health}:error_rate<1%"} }, code: 99},
		{why: "a threshold goes before exit-code-on-error", service: failing, change: func(p *plan.Plan) { p.ExitCodeOnError = new(7); p.Thresholds = []string{"error_rate==0"} }, code: 99},
		{why: "a signal", service: healthy, code: 105, by: "signal: terminated", inter: true, stopping: func(stop context.CancelCauseFunc) {
			time.Sleep(5 * time.Second)
			stop(errors.New("signal: terminated"))
		}},
		{why: "a signal goes before a broken threshold", service: healthy, code: 105, by: "signal: terminated", inter: true, stopping: func(stop context.CancelCauseFunc) {
			time.Sleep(5 * time.Second)
			stop(errors.New("signal: terminated"))
		}, change: func(p *plan.Plan) { p.Thresholds = []string{"p(99)<2ms"} }},
		{why: "abort-on stops early", service: failing, change: func(p *plan.Plan) { p.AbortOn = "error_rate<10%" }, code: 99, by: "--abort-on error_rate<10%"},
		{why: "a drain that has to cut", service: func(*http.Request) (int, time.Duration) { return 200, time.Hour }, change: func(p *plan.Plan) {
			p.Client.Timeout, p.ExitCodeOnError = plan.Duration(time.Hour), new(0)
		}},
		{why: "nothing succeeded, and nobody said what is too many", service: down, code: 1, named: "no request succeeded"},
		{why: "a plan that says that none is too many", service: down, change: func(p *plan.Plan) { p.ExitCodeOnError = new(0) }},
		{why: "a threshold says what is too many, if only by being there", service: down, change: func(p *plan.Plan) { p.Thresholds = []string{"requests>0"} }},
		{why: "no answer at all", service: func(*http.Request) (int, time.Duration) { return 200, time.Hour }, change: func(p *plan.Plan) { p.Client.Timeout = plan.Duration(time.Hour) }, code: 1, named: "no request succeeded"},
		{why: "one answer of many is not none", service: onceWell()},
		{why: "nothing succeeded, until a signal", service: down, code: 105, by: "signal: terminated", inter: true, stopping: func(stop context.CancelCauseFunc) {
			time.Sleep(5 * time.Second)
			stop(errors.New("signal: terminated"))
		}},
		{why: "abort-on is what the run was stopped by", service: down, change: func(p *plan.Plan) { p.AbortOn = "error_rate<10%" }, code: 99, by: "--abort-on error_rate<10%"},
	} {
		p := brief()
		if row.change != nil {
			row.change(&p)
		}
		res, err := run(t, Runner{Plan: p, Transport: row.service}, row.stopping)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if row.named != "" && res.Verdict.ExitName != row.named {
			t.Errorf("%s: the code is called %q, want %q", row.why, res.Verdict.ExitName, row.named)
		}
		if res.Verdict.ExitCode != row.code {
			t.Errorf("%s: exit code %d (%s), want %d; %+v", row.why, res.Verdict.ExitCode, res.Verdict.ExitName, row.code, res.Thresholds)
		}
		if !strings.HasPrefix(res.StoppedBy, row.by) || row.by == "" && res.StoppedBy != "" || res.Interrupted != row.inter {
			t.Errorf("%s: stopped by %q, interrupted %v", row.why, res.StoppedBy, res.Interrupted)
		}
		if row.by != "" && res.DurationS > 12 {
			t.Errorf("%s: ran for %.1f s", row.why, res.DurationS)
		}
	}
}

func down(*http.Request) (int, time.Duration) { return 503, 3 * ms }

// onceWell is a service whose second answer is good and no other.
func onceWell() service {
	var n atomic.Int64
	return func(r *http.Request) (int, time.Duration) {
		if n.Add(1) == 2 {
			return healthy(r)
		}
		return down(r)
	}
}

func TestARunInWhichNothingSucceededSaysHowItFailed(t *testing.T) {
	for _, row := range []struct {
		why     string
		service service
		want    string
	}{
		{"a service that is down", down, `^no request succeeded: 503 Service Unavailable × [\d,]+$`},
		{"one that says so in several ways, the most frequent first", func() service {
			var n atomic.Int64
			return func(*http.Request) (int, time.Duration) {
				status := 500
				for i := n.Add(1); i%2 == 0 && status < 504; i /= 2 {
					status++
				}
				return status, 3 * ms
			}
		}(), `^no request succeeded: 500 Internal Server Error × [\d,]+, 501 Not Implemented × \d+, 502 Bad Gateway × \d+, …$`},
		{"one that never answers", func(*http.Request) (int, time.Duration) { return 200, 24 * time.Hour }, `^no request succeeded: no answer × 5$`},
	} {
		p := brief()
		p.Client.Timeout = plan.Duration(time.Hour)
		res, err := run(t, Runner{Plan: p, Transport: row.service}, nil)
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for _, w := range res.Warnings {
			if regexp.MustCompile(row.want).MatchString(w) {
				said++
			}
		}
		if said != 1 {
			t.Errorf("%s: warnings %q, want one like %s", row.why, res.Warnings, row.want)
		}
	}
}

func TestWhatCannotRunIsRefusedBeforeAnythingStarts(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*plan.Plan)
		fields []string
	}{
		{"nothing to send to", func(p *plan.Plan) { p.Host = "" }, []string{"host"}},
		{"all that is wrong at once", func(p *plan.Plan) { p.Users = -1; p.Thresholds = []string{"p(101)<1ms", "nonsense"} }, []string{"users", "thresholds[0]", "thresholds[1]"}},
		{"an endpoint that there is not", func(p *plan.Plan) { p.Thresholds = []string{"{GET /helth}:p(99)<1s"} }, []string{"thresholds[0]"}},
		{"a phase that there is not", func(p *plan.Plan) { p.AbortOn = "{phase:step}:p(99)<1s" }, []string{"abort_on"}},
		{"a reference that is not set", func(p *plan.Plan) { p.Client.Header = http.Header{"Authorization": {"Bearer ${TOKEN}"}} }, []string{"client.header"}},
		{"more users than descriptors or ports", func(p *plan.Plan) { p.Users, p.SpawnRate = 1_000_000, 1e6 }, []string{"users"}},
	} {
		p := brief()
		row.change(&p)
		sink := &record{}
		r := Runner{Plan: p, Transport: service(healthy), Sinks: []result.Sink{sink}}
		res, err := r.Run(context.Background())
		refused, ok := errors.AsType[*InputError](err)
		if !ok || res != nil || sink.started != nil {
			t.Errorf("%s: result %v, error %v, sink started: %v", row.why, res != nil, err, sink.started != nil)
			continue
		}
		fields := input.Errors(refused.Err)
		for i, want := range row.fields {
			if i >= len(fields) || !strings.HasPrefix(fields[i].Field, want) {
				t.Errorf("%s: %v, want an error about %s", row.why, err, want)
			}
		}
	}
}

func TestASinkThatFailsOrHangsSlowsNothing(t *testing.T) {
	alone, err := run(t, Runner{Plan: brief(), Transport: service(healthy)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why      string
		onWindow func(*result.Window) error
		warning  string
		code     int
	}{
		{"an error on the way is a warning", func(*result.Window) error { return errors.New("no space left on device") }, "no space left on device", 0},
		{"a sink that never finishes has not done what it was asked for", func(*result.Window) error { time.Sleep(10 * time.Second); return nil }, "not finished in time", 1},
	} {
		res, err := run(t, Runner{Plan: brief(), Transport: service(healthy), Sinks: []result.Sink{&record{onWindow: row.onWindow}}}, nil)
		if (err != nil) != (row.code != 0) || res.Verdict.ExitCode != row.code {
			t.Errorf("%s: exit code %d, error %v", row.why, res.Verdict.ExitCode, err)
		}
		if res.Totals.Requests != alone.Totals.Requests || res.Health.Lag.Max > 0.001 {
			t.Errorf("%s: %d requests, %d without the sink; lag %v ms", row.why, res.Totals.Requests, alone.Totals.Requests, res.Health.Lag.Max)
		}
		if !slices.ContainsFunc(res.Warnings, func(w string) bool { return strings.Contains(w, row.warning) }) {
			t.Errorf("%s: warnings %q", row.why, res.Warnings)
		}
	}
}

func TestCutEndsTheDrain(t *testing.T) {
	cut := make(chan struct{})
	p := brief()
	p.StopTimeout = plan.Duration(time.Minute)
	p.Client.Timeout = plan.Duration(time.Hour)
	hang := func(*http.Request) (int, time.Duration) { return 200, time.Hour }
	var res *result.Result
	synctest.Test(t, func(t *testing.T) {
		cut = make(chan struct{})
		ctx, stop := context.WithCancelCause(context.Background())
		go func() {
			time.Sleep(2 * time.Second)
			stop(errors.New("signal: interrupt"))
			time.Sleep(time.Second)
			close(cut)
		}()
		r := Runner{Plan: p, Transport: service(hang), Cut: cut, Judge: calm.Judge}
		res, _ = r.Run(ctx)
	})
	if res.DurationS != 3 || res.Totals.Abandoned != 5 || res.Verdict.ExitCode != 105 {
		t.Errorf("ran %v s, abandoned %d, exit %d", res.DurationS, res.Totals.Abandoned, res.Verdict.ExitCode)
	}
}

func TestTheEmbeddedServiceRunsAndLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	p := plan.Default()
	p.Host = plan.Embedded
	p.Users, p.SpawnRate, p.RunTime = 10, 100, plan.Duration(600*ms)
	r := Runner{Plan: p}
	res, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if res.Totals.Requests < 20 || res.Totals.Failures != 0 || res.Plan.Host != plan.Embedded {
		t.Errorf("requests %d, failures %d %v, host %q", res.Totals.Requests, res.Totals.Failures, res.Totals.Errors, res.Plan.Host)
	}
	if res.ServedBy["embedded"] != res.Totals.Requests {
		t.Errorf("served by %v", res.ServedBy)
	}
	// The last goroutines of closed connections need a moment to notice.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(5 * ms)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
