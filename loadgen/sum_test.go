package loadgen

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// keptRun runs a plan in virtual time and returns its result as it was kept.
func keptRun(t *testing.T, p plan.Plan) *result.Opened {
	t.Helper()
	dir := t.TempDir() + "/r"
	keep := &keeper{dir: dir}
	if _, err := run(t, Runner{Plan: p, Transport: service(healthy), Sinks: []result.Sink{keep}}, nil); err != nil {
		t.Fatal(err)
	}
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// keeper keeps a run in a directory.
type keeper struct {
	dir string
	*result.Writer
}

func (k *keeper) Start(m *result.Meta) (err error) {
	k.Writer, err = result.Prepare(k.dir, *m)
	return err
}

func TestASumOfWhichAPartIsMissingIsARunError(t *testing.T) {
	p := brief()
	p.Users = 6
	shares, err := p.Shares(2)
	if err != nil {
		t.Fatal(err)
	}
	parts := []*result.Opened{keptRun(t, shares[0]), keptRun(t, shares[1])}
	for name, row := range map[string]struct {
		sum  Sum
		code int
		says string
	}{
		"whole":       {Sum{Parts: parts}, 0, ""},
		"one missing": {Sum{Parts: parts[:1], Broke: errors.New("task 2 left no result")}, 1, "task 2 left no result"},
		"interrupted": {Sum{Parts: parts, Interrupted: "signal: interrupt"}, 105, ""},
		"both":        {Sum{Parts: parts[:1], Interrupted: "signal: interrupt", Broke: errors.New("task 2 left no result")}, 105, "task 2 left no result"},
	} {
		res, err := row.sum.Merge()
		if res == nil {
			t.Fatalf("%s: %v", name, err)
		}
		if res.Verdict.ExitCode != row.code || row.says != "" && !slices.Contains(res.Warnings, row.says) {
			t.Errorf("%s: exit %d, want %d; warnings %q", name, res.Verdict.ExitCode, row.code, res.Warnings)
		}
		if row.sum.Interrupted != "" && res.StoppedBy != row.sum.Interrupted {
			t.Errorf("%s: stopped by %q", name, res.StoppedBy)
		}
		if len(row.sum.Parts) == 2 && res.Plan.Users != 6 {
			t.Errorf("%s: %d users", name, res.Plan.Users)
		}
	}
}

func TestASumIsHeldToWhatItsServiceDidMeanwhile(t *testing.T) {
	p := brief()
	p.Users = 6
	shares, err := p.Shares(2)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s int, n int) timeline.Point {
		return timeline.Point{At: time.Duration(s) * time.Second, Desired: n, Running: n, Healthy: n}
	}
	watched := Sum{
		Parts: []*result.Opened{keptRun(t, shares[0]), keptRun(t, shares[1])}, Until: 40 * time.Second, Expect: []string{"running<=4", "oscillations==0"},
		Facts: []timeline.Fact{
			of("service"), {Known: 40 * time.Second, Load: &timeline.Loaded{To: 20 * time.Second, Ended: true}},
			capacity("1", 0, at(0, 2)), capacity("2", 10*time.Second, at(10, 4)), capacity("3", 30*time.Second, at(30, 2)),
		},
	}
	res, err := watched.Merge()
	if err != nil || res.Timeline == nil || len(res.Expectations) != len(watched.Expect) {
		t.Fatalf("%v, %+v", err, res.Expectations)
	}
	if got := res.Timeline.Points; len(got) != 3 || res.Totals.Requests == 0 {
		t.Errorf("%d points of capacity", len(got))
	}
	watched.Expect = []string{"running<=3"}
	if res, err := watched.Merge(); err != nil || res.Verdict.ExitCode != 97 {
		t.Errorf("%+v, want exit 97: %v", res, err)
	}
}

func TestAPlanForElsewhereIsCheckedHere(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*plan.Plan)
		want   string // of the error
		names  string
	}{
		"good":                {func(*plan.Plan) {}, "", "GET / GET /health"},
		"an embedded host":    {func(p *plan.Plan) { p.Host = plan.Embedded }, "", "GET / GET /health"},
		"no users":            {func(p *plan.Plan) { p.Users = 0 }, `users "0"`, ""},
		"no threshold":        {func(p *plan.Plan) { p.Thresholds = []string{"p99"} }, "thresholds[0]", ""},
		"an unknown scope":    {func(p *plan.Plan) { p.Thresholds = []string{"{GET /other}:p(99)<1s"} }, "thresholds[0]", ""},
		"a missing file":      {func(p *plan.Plan) { p.Client.Body.File = "none" }, "client.body", ""},
		"a variable of there": {func(p *plan.Plan) { p.Targets[0].URL = "${ELSEWHERE}" }, "", ""},
	} {
		p := brief()
		p.Targets = slices.Clone(p.Targets)
		row.change(&p)
		endpoints, err := Check(&p, nil)
		var names []string
		for _, e := range endpoints {
			names = append(names, e.Name)
		}
		if err == nil && row.want != "" || err != nil && (row.want == "" || !strings.Contains(err.Error(), row.want)) || strings.Join(names, " ") != row.names && err == nil {
			t.Errorf("%s: %q, %v", name, names, err)
		}
	}
}
