package validity

import (
	"runtime"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

func TestReadingIsTheDifferenceOfTwoLooks(t *testing.T) {
	start := time.Now()
	second := start.Add(time.Second)
	for _, c := range []struct {
		why           string
		before, after counters
		limit         result.Reading
		want          result.Health
	}{
		{
			why: "one second of a generator with half a CPU",
			before: counters{at: start, cpu: 10, throttled: []result.Reading{3}, steal: 100, host: 1000, gc: 1,
				rss: 5, openFiles: 9},
			after: counters{at: second, cpu: 10.4, throttled: []result.Reading{3.2}, steal: 110, host: 1200, gc: 1.01,
				rss: 6, openFiles: 8},
			limit: 0.5,
			want:  result.Health{CPU: 0.8, Throttled: 0.2, Steal: 0.05, GC: 0.02, RSS: 6, OpenFiles: 8},
		},
		{
			why:    "two seconds of two CPUs: shares are of all that time",
			before: counters{at: start},
			after:  counters{at: start.Add(2 * time.Second), cpu: 1, gc: 0.04, host: 400, steal: 4},
			limit:  2,
			want:   result.Health{CPU: 0.25, Throttled: unknown, Steal: 0.01, GC: 0.01},
		},
		{
			why:    "an unknown limit leaves unknown what is measured against it, and nothing else",
			before: counters{at: start, throttled: []result.Reading{0}},
			after:  counters{at: second, cpu: 1, throttled: []result.Reading{0.5}, host: 100, steal: 1, gc: 1},
			limit:  unknown,
			want:   result.Health{CPU: unknown, Throttled: 0.5, Steal: 0.01, GC: unknown},
		},
		{
			why:    "what either look did not know is unknown",
			before: counters{at: start, cpu: unknown, throttled: []result.Reading{1}, steal: 1, host: 1, gc: unknown},
			after:  counters{at: second, cpu: 1, throttled: []result.Reading{unknown}, steal: unknown, host: 2, gc: 1, rss: unknown, openFiles: unknown},
			limit:  1,
			want:   result.Health{CPU: unknown, Throttled: unknown, Steal: unknown, GC: unknown, RSS: unknown, OpenFiles: unknown},
		},
		{
			why:    "no time has passed",
			before: counters{at: start},
			after:  counters{at: start, cpu: 1, throttled: []result.Reading{1}, steal: 1, host: 0, gc: 1},
			limit:  1,
			want:   result.Health{CPU: unknown, Throttled: unknown, Steal: unknown, GC: unknown},
		},
		{
			why:    "a quota overdrawn for a moment, and throttling on many CPUs: at most all of the time",
			before: counters{at: start, throttled: []result.Reading{0}},
			after:  counters{at: second, cpu: 0.6, throttled: []result.Reading{2.5}, host: 1, gc: 3},
			limit:  0.5,
			want:   result.Health{CPU: 1, Throttled: 1, GC: 1},
		},
		{
			why:    "collection measured by the clock while the host ran something else: at most what was used",
			before: counters{at: start},
			after:  counters{at: second, cpu: 0.3, host: 1, gc: 0.5},
			limit:  1,
			want:   result.Health{CPU: 0.3, Throttled: unknown, GC: 0.3},
		},
		{
			why:    "a counter that steps back, as some hypervisors' steal does",
			before: counters{at: start, steal: 10, host: 100},
			after:  counters{at: second, steal: 9, host: 200},
			limit:  1,
			want:   result.Health{Throttled: unknown},
		},
		{
			why:    "of several groups, the one that held back most",
			before: counters{at: start, throttled: []result.Reading{1, 1, 1}},
			after:  counters{at: second, throttled: []result.Reading{1, 1.3, 1.1}, host: 1},
			limit:  1,
			want:   result.Health{Throttled: 0.3},
		},
		{
			why:    "of several groups, one that cannot be read may have been the one",
			before: counters{at: start, throttled: []result.Reading{1, unknown}},
			after:  counters{at: second, throttled: []result.Reading{1, 2}, host: 1},
			limit:  1,
			want:   result.Health{Throttled: unknown},
		},
	} {
		// Rows leave out what they are not about; a look without groups knows no throttling.
		if c.before.throttled == nil && c.after.throttled != nil {
			c.before.throttled = make([]result.Reading, len(c.after.throttled))
		}
		got := difference(c.before, c.after, c.limit)
		for _, figure := range []struct {
			name      string
			got, want result.Reading
		}{
			{"CPU", got.CPU, c.want.CPU},
			{"throttled", got.Throttled, c.want.Throttled},
			{"steal", got.Steal, c.want.Steal},
			{"GC", got.GC, c.want.GC},
			{"RSS", got.RSS, c.want.RSS},
			{"open files", got.OpenFiles, c.want.OpenFiles},
		} {
			if !near(figure.got, figure.want) {
				t.Errorf("%s: %s %v, want %v", c.why, figure.name, figure.got, figure.want)
			}
		}
	}
}

// Real time: the CPU time of a real process is what is read, and compared with what it used.
func TestBusyProcessIsSeenToBeBusy(t *testing.T) {
	limits := Limits{CPUs: 1, Source: SourceHost}
	probe := NewProbe(limits, time.Now())
	defer func() {
		if err := probe.Close(); err != nil {
			t.Error(err)
		}
	}()

	start := time.Now()
	used := burn(200 * time.Millisecond)
	took := time.Since(start)
	busy := probe.Read(time.Now())
	if least := used.Seconds() / took.Seconds() / 2; !(float64(busy.CPU) > least) || busy.CPU > 1 {
		t.Errorf("%v of CPU time in %v, CPU use read %v of one CPU", used, took, busy.CPU)
	}
	if !busy.GC.Known() || busy.GC < 0 || busy.GC > 1 {
		t.Errorf("GC %v", busy.GC)
	}
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
		if busy.RSS < 1<<20 || busy.RSS > 1<<36 {
			t.Errorf("%v bytes resident", busy.RSS)
		}
		if busy.OpenFiles < 3 || busy.OpenFiles > 10_000 {
			t.Errorf("%v files open", busy.OpenFiles)
		}
	}
}

// burn keeps one CPU busy until the process has used some CPU time, however long the machine takes to give it that.
func burn(cpu time.Duration) (used time.Duration) {
	for start := processCPU(); used < cpu && start.Known(); {
		used = time.Duration(float64(processCPU()-start) * 1e9)
	}
	return used
}

// Real memory: collections of a real heap are what is read.
func TestGarbageCollectionIsSeen(t *testing.T) {
	start := time.Now()
	probe := NewProbe(Limits{CPUs: 1, Source: SourceHost}, start)
	defer probe.Close()

	// Pointers, so that there is something to mark.
	held := make([]*[64]*int, 50_000)
	for i := range held {
		held[i] = new([64]*int)
	}
	for range 3 {
		runtime.GC()
	}
	runtime.KeepAlive(held)
	if h := probe.Read(start.Add(time.Second)); !(h.GC > 0) {
		t.Errorf("three collections of 25 MB took %v of a CPU", h.GC)
	}
	if h := probe.Read(start.Add(2 * time.Second)); !h.GC.Known() {
		t.Error("a second without a collection is unknown")
	}
}

func BenchmarkRead(b *testing.B) {
	limits := ReadLimits(b.Context(), "")
	probe := NewProbe(limits, time.Now())
	defer probe.Close()
	b.ReportAllocs()
	for b.Loop() {
		probe.Read(time.Now())
	}
}
