//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostile is a name with all that a tag of the log must not contain, and the escape itself.
const hostile = "a name, with 100% of | it, and ü"

// The log is for tools that others wrote. Python's HdrHistogram (package hdrhistogram, which E2E_PYTHON must have) reads
// it here, adds its intervals and must come to the same counts and percentiles as result.json, to the microsecond.
func TestHistogramLogReadByAnotherImplementationGivesTheResultsPercentiles(t *testing.T) {
	python := os.Getenv("E2E_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_PYTHON is not set: want a python3 with the package hdrhistogram")
		}
		t.Skip("E2E_PYTHON is not set: want a python3 with the package hdrhistogram")
	}
	dir := t.TempDir()
	loadgen, out, targets := filepath.Join(dir, "loadgen"), filepath.Join(dir, "out"), filepath.Join(dir, "targets.jsonl")
	stdoutOf(t, "go", "build", "-o", loadgen, "../cmd/loadgen")
	if err := os.WriteFile(targets, []byte(`
{"method":"GET","url":"/","weight":3}
{"method":"GET","url":"/health","name":"`+hostile+`","weight":2}
{"method":"GET","url":"/missing"}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	stdoutOf(t, loadgen, "run", "--host", "embedded", "--targets", targets, "--rate", "300", "--run-time", "5s", "--seed", "1", "--out", out)

	var result struct {
		StartedAt time.Time `json:"started_at"`
		DurationS float64   `json:"duration_s"`
		Totals    struct{ Requests, Failures, Offered int64 }
		Endpoints []struct {
			Name    string
			Latency map[string]map[string]float64 `json:"latency_ms"`
		}
	}
	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	if offered := result.Totals.Offered; math.Abs(float64(offered)-1500) > 1 {
		t.Errorf("offered %d, want 300/s × 5 s", offered)
	}
	if len(result.Endpoints) != 3 {
		t.Fatalf("%d endpoints, want 3", len(result.Endpoints))
	}

	var log struct {
		Start float64
		Tags  map[string]map[string]float64
	}
	if err := json.Unmarshal(stdoutOf(t, python, "testdata/hlog.py", filepath.Join(out, "latency.hlog")), &log); err != nil {
		t.Fatal(err)
	}
	if got, want := log.Start, float64(result.StartedAt.UnixMilli())/1000; math.Abs(got-want) > 0.0011 {
		t.Errorf("log starts at %.3f, the run at %.3f", got, want)
	}
	// Tags are compared by their names before they were encoded; Python's reader takes them as they stand.
	read := map[string]map[string]float64{}
	for tag, values := range log.Tags {
		if strings.ContainsAny(tag, " ,") {
			t.Errorf("tag %q: readers drop it", tag)
		}
		endpoint, kind, _ := strings.Cut(tag, "|")
		name, err := url.PathUnescape(endpoint)
		if err != nil {
			t.Errorf("tag %q: %v", tag, err)
		}
		read[name+"|"+kind] = values
	}
	var completed float64
	for _, e := range result.Endpoints {
		for _, kind := range []string{"raw", "corrected", "failed"} {
			tag := e.Name + "|" + kind
			want, got := e.Latency[kind], read[tag]
			delete(read, tag)
			if want["count"] == 0 {
				if got != nil {
					t.Errorf("%s: %v in the log, nothing in the result", tag, got)
				}
				continue
			}
			if kind != "corrected" {
				completed += got["count"]
			}
			if got["count"] != want["count"] {
				t.Errorf("%s: count %v in the log, %v in the result", tag, got["count"], want["count"])
			}
			for _, figure := range []string{"p50", "p90", "p95", "p99", "p99_9", "p99_99", "max"} {
				if micros := math.Round(want[figure] * 1000); got[figure] != micros {
					t.Errorf("%s: %s is %v µs in the log, %v µs in the result", tag, figure, got[figure], micros)
				}
			}
			if got["intervals"] < 5 || got["end_s"] > result.DurationS+0.0011 {
				t.Errorf("%s: %v intervals up to %v s, want one a second of the run's %v s", tag, got["intervals"], got["end_s"], result.DurationS)
			}
		}
	}
	if len(read) > 0 {
		t.Errorf("tags of no endpoint: %v", read)
	}
	if result.Totals.Failures == 0 || completed != float64(result.Totals.Requests) {
		t.Errorf("raw and failed hold %v latencies, the run had %d requests, %d of them failed", completed, result.Totals.Requests, result.Totals.Failures)
	}
}

// stdoutOf returns what a program wrote to stdout and ends the test when it fails.
func stdoutOf(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.String()))
	}
	return out
}
