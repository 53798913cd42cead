package result

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	// More at a time than there are CPUs: they wait for the disk. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Results that must open for ever. They are never written again; a change of the format gets a
// directory beside them, made with MAKE_FIXTURE=testdata/v2/NAME.
const (
	fixtureDir = "testdata/v2/complete"
	fixtureV1  = "testdata/v1/complete"
)

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
		Interrupted: r.Interrupted, StoppedBy: r.StoppedBy, Verdict: r.Verdict, Health: r.Health,
		Thresholds: r.Thresholds, Warnings: r.Warnings, Deliveries: r.Deliveries, MergedFrom: r.MergedFrom,
	}
}

func TestTheCommittedResultsOpenForEver(t *testing.T) {
	for _, tt := range []struct {
		dir, schema string
		requests    int64
		offered     int64
		p99         float64
	}{
		{fixtureV1, SchemaV1, 302, 306, 59.551},
		{fixtureDir, Schema, 302, 306, 15.711},
	} {
		o, err := Open(tt.dir)
		if err != nil {
			t.Fatal(err)
		}
		r := o.Result
		if o.Cut || r.Schema != tt.schema || r.Name != "fixture" || r.Tags["commit"] != "0123abc" || r.Totals.Requests != tt.requests || r.Totals.Offered != tt.offered ||
			r.Endpoints[0].Latency.Corrected.P99 != tt.p99 || r.Health.CPU.StealRatio.Known() || r.Plan.Users != 50 || len(r.Events) != 4 {
			t.Errorf("%s: read %+v, %d events, p99 %v", tt.dir, r.Totals, len(r.Events), r.Endpoints[0].Latency.Corrected.P99)
		}
		b, err := o.Builder()
		if err != nil {
			t.Fatal(err)
		}
		again := b.Result(finalOf(r))
		if tt.schema == SchemaV1 { // its files do not hold what was dropped
			again.Totals.Dropped, again.Totals.Offered, again.Silence, again.Pace = r.Totals.Dropped, r.Totals.Offered, r.Silence, r.Pace
		}
		mustEqual(t, again, r)
	}
}

func TestTheWriterStillWritesTheCommittedResult(t *testing.T) {
	o, err := Open(fixtureDir)
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
	for _, name := range names(t, fixtureDir) {
		if plain(readFile(t, dir, name)) != plain(readFile(t, fixtureDir, name)) {
			t.Errorf("%s is written differently: if that is meant, and compatible, commit another fixture beside this one", name)
		}
	}
}
