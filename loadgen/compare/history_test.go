package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// past is n runs a day apart, slower by a factor from one on.
func past(n, from int, factor float64) (runs []*Run) {
	noise := &noise{rand.New(rand.NewPCG(7, 7)), 0.01, 0.01}
	for i := range n {
		f := 1.0
		if i >= from {
			f = factor
		}
		r := noise.make(fmt.Sprintf("run%03d", i), 3, f)
		r.Started, r.Tags = r.Started.AddDate(0, 0, i), map[string]string{"commit": fmt.Sprintf("c%d", i)}
		runs = append(runs, r)
	}
	return runs
}

func mustHistory(t *testing.T, runs []*Run, o Options, draw ...string) *History {
	t.Helper()
	var of []gate.Change
	for _, text := range draw {
		f, err := ParseFigure(text)
		if err != nil {
			t.Fatal(err)
		}
		of = append(of, f)
	}
	h, err := NewHistory(runs, of, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func written(t *testing.T, h *History, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := h.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAHistoryDrawsWhatItIsAskedFor(t *testing.T) {
	h := mustHistory(t, past(16, 8, 1.3), Options{}, "{GET /}:p99.9", "mean")
	text := written(t, h, "text")
	if !strings.Contains(text, "{GET /}:p99.9  ") || !strings.Contains(text, "\nmean ") || strings.Contains(text, "rps") || !strings.Contains(text, "change at c8 (run008): median") {
		t.Error(text)
	}
	rows, err := csv.NewReader(strings.NewReader(written(t, h, "csv"))).ReadAll()
	if err != nil || len(rows) != 17 || strings.Join(rows[0], "|") != "time|commit|{GET /}:p99.9|mean" || rows[9][1] != "c8" {
		t.Errorf("%v %v", err, rows[0])
	}
	var back struct {
		Schema  string
		Runs    []struct{ ID string }
		Metrics []struct {
			Metric  string
			Values  []float64
			Changes []struct {
				Run    int
				Before float64 `json:"median_before"`
				After  float64 `json:"median_after"`
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, h, "json")), &back); err != nil {
		t.Fatal(err)
	}
	if m := back.Metrics[1]; back.Schema != HistorySchema || len(back.Runs) != 16 || m.Metric != "mean" || len(m.Values) != 16 || len(m.Changes) != 1 ||
		m.Changes[0].Run != 8 || m.Changes[0].After < 1.2*m.Changes[0].Before {
		t.Errorf("%+v", back)
	}
}

func TestAFigureIsReadAsAThresholdNamesIt(t *testing.T) {
	for text, want := range map[string]string{"p99": "p99", "p(99)": "p99", "{GET /}:p99_9": "{GET /}:p99.9", "error_rate": "error_rate", "rps": "rps", "{phase:steady}:mean": "{phase:steady}:mean"} {
		f, err := ParseFigure(text)
		if err != nil || subject(f) != want {
			t.Errorf("%s is %s: %v", text, subject(f), err)
		}
	}
	for _, text := range []string{"", "p100", "p99>10%", "max", "p99 p50"} {
		if f, err := ParseFigure(text); err == nil {
			t.Errorf("%q is read as %+v", text, f)
		}
	}
}

// A run of which every request failed has no latency: it is a gap, and not the end of the chart.
func TestARunWithoutAFigureIsAGap(t *testing.T) {
	runs := past(12, 6, 1.5)
	for i := range runs[3].Blocks {
		p := &runs[3].Blocks[i].Parts[0]
		p.Failures, p.Corrected = p.Requests, nil
	}
	h := mustHistory(t, runs, Options{}, "p50", "error_rate")
	text := written(t, h, "text")
	if !strings.Contains(text, "p50         ▁▁▁ ") && !strings.Contains(text, "change at c6 (run006)") || strings.Contains(text, "–") {
		t.Error(text)
	}
	if rows := strings.Split(written(t, h, "csv"), "\n"); !strings.Contains(rows[4], ",c3,,1") {
		t.Error(rows[4])
	}
	if !json.Valid([]byte(written(t, h, "json"))) || !strings.Contains(written(t, h, "json"), "null") {
		t.Error("JSON of a gap")
	}
}

func TestWhatCannotStandInAHistoryIsLeftOutWithANote(t *testing.T) {
	runs := past(8, 8, 1)
	runs[0].Validity = result.Invalid
	runs[1].StoppedBy = "signal: interrupt"
	runs[2].Plan.Rate = plan.Rate{N: 7}
	h := mustHistory(t, runs, Options{})
	notes := strings.Join(h.Notes, "\n")
	for _, want := range []string{"run000: the run is INVALID", "run001: the run was stopped early", "run007 and run002: plan field rate differs"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q, want %s", notes, want)
		}
	}
	if len(h.runs) != 5 {
		t.Errorf("%d runs are left", len(h.runs))
	}
	if h := mustHistory(t, runs, Options{Force: true}); len(h.runs) != 8 || len(h.Notes) > 0 {
		t.Errorf("forced, %d runs and %q", len(h.runs), h.Notes)
	}
	last := Options{FailOn: []gate.Change{{Metric: gate.RPS, Last: 5}}}
	if h := mustHistory(t, append(past(6, 6, 1), runs[2:]...), last); h.Gates[0].Outcome != Passed {
		t.Errorf("%+v", h.Gates)
	}
	runs[7].Validity = result.Invalid
	if h := mustHistory(t, append(past(6, 6, 1), runs[7]), last); h.Gates[0].Outcome != Unknown || !strings.Contains(h.Gates[0].Seen, "run007, was left out") {
		t.Errorf("an older run passes for the newest, which is INVALID: %+v", h.Gates)
	}
	for _, r := range runs {
		r.Validity = result.Invalid
	}
	if _, err := NewHistory(runs, nil, Options{}); err == nil || !strings.Contains(err.Error(), "no run in it can be used") {
		t.Errorf("%v", err)
	}
}

// Runs of another load say nothing of how runs of this one differ, and a run is no witness of itself.
func TestTheAllowanceOfAHistoryIsOfTheSameLoad(t *testing.T) {
	runs := past(9, 9, 1)
	base, changed := runs[7:8], runs[8:]
	width := func(o Options) float64 {
		x := find(mustCompare(t, base, changed, o), "p50")
		return float64(x.High - x.Low)
	}
	alike := width(Options{History: runs[:7]})
	wild := past(7, 7, 1)
	for i, r := range wild {
		r.ID, r.Plan.Rate = "wild"+r.ID, plan.Rate{N: 7}
		for j := range r.Blocks {
			r.Blocks[j].Parts[0].Corrected = latencies(390, time.Duration(i+1)*10*time.Millisecond)
		}
	}
	o := Options{History: append(wild, runs...)}
	c := mustCompare(t, base, changed, o)
	if got := width(o); got != alike {
		t.Errorf("an interval %v wide, want the %v of the runs that are alike", got, alike)
	}
	if text := strings.Join(c.Warnings, "\n"); !strings.Contains(text, "history: left out: run007 and run000: plan field rate differs") {
		t.Errorf("%q", text)
	}
	few := mustCompare(t, base, changed, Options{History: append(wild, runs[:3]...)})
	if text := strings.Join(few.Warnings, "\n"); !strings.Contains(text, "history: 3 runs of this load, want 5") || !strings.Contains(few.Method, "3 % a side") {
		t.Errorf("%q, %s", text, few.Method)
	}
}

func TestAHistoryRefusesWhatItDoesNotHave(t *testing.T) {
	runs := past(6, 6, 1)
	gone := gate.Change{Endpoint: "GET /gone", Metric: gate.RPS}
	_, err := NewHistory(runs, []gate.Change{gone}, Options{FailOn: []gate.Change{{Endpoint: "GET /gone", Metric: gate.RPS, Last: 5}, {Metric: gate.RPS, Limit: 0.1}}})
	var fields []string
	for _, e := range input.Errors(err) {
		fields = append(fields, e.Field+" "+e.Got)
	}
	if got := strings.Join(fields, "; "); got != "--metric {GET /gone}:rps; --fail-on {GET /gone}:rps within its last 5 runs; --fail-on rps<-10%" {
		t.Errorf("%s", got)
	}
}

func TestAHistoryOfManyRunsIsAsWideAsAScreen(t *testing.T) {
	text := written(t, mustHistory(t, past(150, 75, 1.5), Options{}, "p99"), "text")
	for line := range strings.Lines(text) {
		if n := len([]rune(line)); n > 130 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(text, "150 runs") || !strings.Contains(text, "the newest 100 of them drawn") || !strings.Contains(text, "change at c75") {
		t.Error(text)
	}
}

func TestTheGatesOfAHistoryAreTestCases(t *testing.T) {
	last := gate.Change{Metric: gate.Percentile, Percentile: 50, Last: 8}
	text := written(t, mustHistory(t, past(9, 8, 2), Options{FailOn: []gate.Change{last}}), "junit")
	if !strings.Contains(text, `<testsuite name="loadgen compare --history" tests="1" failures="1"`) || !strings.Contains(text, `name="p50 within its last 8 runs"`) {
		t.Error(text)
	}
}
