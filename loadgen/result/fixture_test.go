package result

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// fixtureDir is a result that an early release left. It must open for ever: it is not written
// again when the writer changes, but for UPDATE_FIXTURE, before the first release that has users.
const fixtureDir = "testdata/v1/complete"

// fixtureRun is the run in fixtureDir.
func fixtureRun() *fakeRun {
	load := smallLoad()
	load.perSecond, load.phases = 20, seedPhases(15*time.Second)
	r := load.run()
	r.meta.Plan.Name, r.meta.Plan.Tags = "fixture", map[string]string{"commit": "0123abc"}
	return r
}

func TestTheCommittedResultOpensForEver(t *testing.T) {
	if os.Getenv("UPDATE_FIXTURE") != "" {
		if err := os.RemoveAll(fixtureDir); err != nil {
			t.Fatal(err)
		}
		fixtureRun().write(t, fixtureDir, -1)
	}
	o, err := Open(fixtureDir)
	if err != nil {
		t.Fatal(err)
	}
	r := fixtureRun()
	mustEqual(t, o.Result, r.builder().Result(r.final()))
	b, err := o.Builder()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, b.Result(r.final()), o.Result)
}

func TestTheWriterStillWritesTheCommittedResult(t *testing.T) {
	// A change of the format is to be seen where it is made; whether old results open is the test
	// above. Compressors may differ between releases of Go: histograms are compared by their counts.
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
	dir := filepath.Join(t.TempDir(), "run")
	fixtureRun().write(t, dir, -1)
	for _, name := range names(t, fixtureDir) {
		if plain(readFile(t, dir, name)) != plain(readFile(t, fixtureDir, name)) {
			t.Errorf("%s is written differently: if that is meant, and compatible, commit another fixture beside this one", name)
		}
	}
}
