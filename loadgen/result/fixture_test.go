package result

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// fixtureDir is a result of version 1 that must open for ever. It is never written again; a change
// of the format gets a directory beside it, made with MAKE_FIXTURE=testdata/v1/NAME.
const fixtureDir = "testdata/v1/complete"

// newestDir is the one that the writer still writes.
const newestDir = "testdata/v1/freezes"

func fixtureRun() *fakeRun {
	load := smallLoad()
	load.perSecond, load.phases = 20, seedPhases(15*time.Second)
	r := load.run()
	r.meta.Plan.Name, r.meta.Plan.Tags = "fixture", map[string]string{"commit": "0123abc"}
	return r
}

func TestMakeAFixtureWhenAskedTo(t *testing.T) {
	dir := os.Getenv("MAKE_FIXTURE")
	if dir == "" {
		t.Skip("MAKE_FIXTURE names no directory")
	}
	fixtureRun().write(t, dir, -1)
}

// finalOf is what a result holds beside the sums.
func finalOf(r *Result) Final {
	return Final{
		Dropped: r.Totals.Dropped, Interrupted: r.Interrupted, StoppedBy: r.StoppedBy, Verdict: r.Verdict, Health: r.Health,
		Thresholds: r.Thresholds, Warnings: r.Warnings, MergedFrom: r.MergedFrom,
	}
}

func TestTheCommittedResultOpensForEver(t *testing.T) {
	o, err := Open(fixtureDir)
	if err != nil {
		t.Fatal(err)
	}
	r := o.Result
	if o.Cut || r.Name != "fixture" || r.Tags["commit"] != "0123abc" || r.Totals.Requests != 302 || r.Totals.Offered != 306 ||
		r.Endpoints[0].Latency.Corrected.P99 != 59.551 || r.Health.CPU.StealRatio.Known() || r.Plan.Users != 50 || len(r.Events) != 4 {
		t.Errorf("read %+v, %d events, p99 %v", r.Totals, len(r.Events), r.Endpoints[0].Latency.Corrected.P99)
	}
	b, err := o.Builder()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, b.Result(finalOf(r)), r)
}

func TestTheWriterStillWritesTheCommittedResult(t *testing.T) {
	o, err := Open(newestDir)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, o.Meta)
	if err != nil {
		t.Fatal(err)
	}
	for win, err := range o.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(o.Result); err != nil {
		t.Fatal(err)
	}
	// Compressors may differ between releases of Go: histograms are compared by their counts.
	plain := func(data []byte) string {
		return string(regexp.MustCompile(`HIST[A-Za-z0-9+/=]+`).ReplaceAllFunc(data, func(text []byte) []byte {
			var h Histogram
			if err := h.UnmarshalText(text); err != nil {
				t.Fatal(err)
			}
			var buckets []int64
			for v, n := range h.Buckets {
				buckets = append(buckets, v, n)
			}
			return fmt.Append(nil, buckets)
		}))
	}
	for _, name := range names(t, newestDir) {
		if plain(readFile(t, dir, name)) != plain(readFile(t, newestDir, name)) {
			t.Errorf("%s is written differently: if that is meant, and compatible, commit another fixture beside this one", name)
		}
	}
}
