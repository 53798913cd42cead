//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/resulttest"
)

// otavaConfig is what a user of Apache Otava writes to have it read our export.
const otavaTest = `
  %s:
    type: csv
    file: %s
    time_column: time
    attributes: [commit]
    metrics: [p50, p99, rps, error_rate]
    csv_options:
      delimiter: ","
      quotechar: '"'
`

// Apache Otava (E2E_OTAVA is its program) finds change points by E-divisive means as we do, with Student's test in place of
// permutations. It reads what `compare --history` exports, and has to find the same changes in the same figures.
func TestApacheOtavaReadsOurHistoryAndFindsTheSameChangePoints(t *testing.T) {
	otava := os.Getenv("E2E_OTAVA")
	if otava == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_OTAVA is not set: want the program otava of the package apache-otava")
		}
		t.Skip("E2E_OTAVA is not set: want the program otava of the package apache-otava")
	}
	top := t.TempDir()
	loadgen := filepath.Join(top, "loadgen")
	stdoutOf(t, "go", "build", "-o", loadgen, "../cmd/loadgen")
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	histories := []struct {
		name   string
		runs   int
		level  func(run int) float64 // factor of latency
		rate   func(run int) int
		latent []int // where latency changes
		rates  []int // where rps does
	}{
		{"nothing-changed", 40, func(int) float64 { return 1 }, constant, nil, nil},
		{"slower", 40, step(20, 1.12), constant, []int{20}, nil},
		{"faster-early", 30, step(8, 0.8), constant, []int{8}, nil},
		{"slower-and-mended", 45, func(i int) float64 { return step(15, 1.15)(i) * step(30, 1/1.15)(i) }, constant, []int{15, 30}, nil},
		{"slower-three-times", 60, func(i int) float64 { return step(15, 1.1)(i) * step(30, 1.1)(i) * step(45, 1.1)(i) }, constant, []int{15, 30, 45}, nil},
		{"fewer-requests", 40, func(int) float64 { return 1 }, func(i int) int { return int(math.Round(100 / step(25, 1.25)(i))) }, nil, []int{25}},
	}
	config, names := "tests:", []string{}
	ours := map[string]map[string][]int{}
	for _, h := range histories {
		dir := filepath.Join(top, h.name)
		rng := rand.New(rand.NewPCG(uint64(h.runs), 7))
		for i := range h.runs {
			resulttest.Write(t, filepath.Join(dir, fmt.Sprintf("run-%02d", i)), resulttest.Run{
				Started: began.Add(time.Duration(i) * time.Hour), Tags: map[string]string{"commit": fmt.Sprintf("c%02d", i)},
				Rate: h.rate(i) + i%3, Seconds: 3, Latency: time.Duration(1e7 * h.level(i) * math.Exp(0.02*rng.NormFloat64())), Seed: uint64(i),
			})
		}
		if err := os.WriteFile(dir+".csv", stdoutOf(t, loadgen, "compare", "--history", dir, "--force", "-f", "csv"), 0o600); err != nil {
			t.Fatal(err)
		}
		ours[h.name] = changesSaid(string(stdoutOf(t, loadgen, "compare", "--history", dir, "--force")))
		config, names = config+fmt.Sprintf(otavaTest, h.name, dir+".csv"), append(names, h.name)
	}
	if err := os.WriteFile(filepath.Join(top, "otava.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	type changes []struct {
		Time    float64
		Changes []struct{ Metric string }
	}
	found := map[string]changes{}
	out := stdoutOf(t, otava, append([]string{"analyze", "--config-file", filepath.Join(top, "otava.yaml"), "--output", "json", "--since", "2026-02-01"}, names...)...)
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		if err := d.Decode(&found); err != nil { // each adds its name
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, h := range histories {
		if _, said := found[h.name]; !said {
			t.Errorf("Otava says nothing of %s:\n%s", h.name, out)
		}
		theirs := map[string][]int{}
		for _, c := range found[h.name] {
			at := int(math.Round((c.Time - float64(began.Unix())) / 3600))
			for _, m := range c.Changes {
				theirs[m.Metric] = append(theirs[m.Metric], at)
			}
		}
		for metric, want := range map[string][]int{"p50": h.latent, "p99": h.latent, "rps": h.rates, "error_rate": nil} {
			if our := ours[h.name][metric]; !near(our, theirs[metric]) || !near(our, want) {
				t.Errorf("%s: %s changes at runs %v, Otava says %v, and they were made at %v", h.name, metric, our, theirs[metric], want)
			}
		}
	}
}

func constant(int) int { return 100 }

// step is 1 before a run and factor from it on.
func step(at int, factor float64) func(int) float64 {
	return func(i int) float64 {
		if i < at {
			return 1
		}
		return factor
	}
}

// near: as many, and none further than one run from its like: which of two neighbours begins a level is noise's to say.
func near(a, b []int) bool {
	return slices.EqualFunc(a, b, func(x, y int) bool { return x-y <= 1 && y-x <= 1 })
}

// changesSaid reads the text of `compare --history`: a line that begins with a metric's name, and below it its changes.
func changesSaid(text string) map[string][]int {
	said, metric := map[string][]int{}, ""
	change := regexp.MustCompile(`^ +change at c(\d+) `)
	for line := range strings.Lines(text) {
		if m := change.FindStringSubmatch(line); m != nil {
			var at int
			_, _ = fmt.Sscanf(m[1], "%d", &at)
			said[metric] = append(said[metric], at)
		} else if name, _, ok := strings.Cut(line, " "); ok && name != "" {
			metric = name
		}
	}
	return said
}
