package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestADirectoryIsMadeWithEverythingAbove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "run")
	r := smallLoad().run()
	r.write(t, dir, -1)
	if got, want := names(t, dir), []string{eventsName, latencyName, planName, resultName, windowsName}; !slices.Equal(got, want) {
		t.Errorf("the directory holds %q, want %q", got, want)
	}
}

func TestThePlanIsThereBeforeTheFirstWindow(t *testing.T) {
	dir := t.TempDir() // an empty directory may exist
	meta := smallLoad().meta()
	w, err := Create(dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	got, err := decodePlan(readFile(t, dir, planName))
	if err != nil {
		t.Fatal(err)
	}
	meta.Interval = time.Second
	mustEqual(t, got, meta)
}

func TestPlanJSONIsThePlanAndThreeKeysBesideIt(t *testing.T) {
	meta := smallLoad().meta()
	data, err := encodePlan(&meta)
	if err != nil {
		t.Fatal(err)
	}
	var file, fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	bare, err := json.Marshal(meta.Plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bare, &fields); err != nil {
		t.Fatal(err)
	}
	var beside []string
	for _, key := range sortedKeys(file) {
		if _, isPlans := fields[key]; !isPlans {
			beside = append(beside, key)
		}
	}
	if !slices.Equal(beside, []string{"generator", "run", "schema"}) || len(file) != len(fields)+3 {
		t.Errorf("beside the plan's own, plan.json has the keys %q", beside)
	}
	again, err := plan.ReadFile(data)
	if err != nil {
		t.Fatalf("the plan cannot be run again: %v", err)
	}
	mustEqual(t, again, meta.Plan)
}

func TestSecretsDoNotReachTheFiles(t *testing.T) {
	r := smallLoad().run()
	r.meta.Plan.Host = "http://user:hunter2@127.0.0.1:8080"
	r.meta.Plan.Client.Header = map[string][]string{"Authorization": {"Bearer hunter2"}}
	dir := filepath.Join(t.TempDir(), "run")
	r.write(t, dir, -1)
	for _, name := range names(t, dir) {
		if bytes.Contains(readFile(t, dir, name), []byte("hunter2")) {
			t.Errorf("%s holds a secret", name)
		}
	}
}

func TestDirectoriesThatCannotTakeAResultAreRefused(t *testing.T) {
	base := t.TempDir()
	full := filepath.Join(base, "full")
	if err := os.MkdirAll(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "notes.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{
		{full, "not empty (it holds notes.txt): want a new directory, or an empty one"},
		{filepath.Join(full, "notes.txt"), "not a directory"},
		{filepath.Join(full, "notes.txt", "run"), "not a directory"},
	} {
		_, err := Create(tt.dir, smallLoad().meta())
		if err == nil || !strings.HasPrefix(err.Error(), "result directory "+tt.dir+": ") {
			t.Errorf("%s: error %v", tt.dir, err)
			continue
		}
		if runtime.GOOS != "windows" && !strings.HasSuffix(err.Error(), tt.want) { // other words there
			t.Errorf("error %q, want it to end in %q", err, tt.want)
		}
		if strings.Count(err.Error(), tt.dir) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q: want the directory once, in one line", err)
		}
	}
	if got := string(readFile(t, full, "notes.txt")); got != "mine" || len(names(t, full)) != 1 {
		t.Errorf("the refused directory was changed: %q, notes %q", names(t, full), got)
	}
}

func TestOfTwoRunsInOneDirectoryTheSecondIsRefused(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, smallLoad().meta())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := Create(dir, smallLoad().meta()); err == nil {
		t.Error("a second run writes into the same directory")
	}
}

func TestOfRunsThatBeginInOneDirectoryAtOnceOneGoesOn(t *testing.T) {
	meta := smallLoad().meta()
	for range 20 {
		dir := filepath.Join(t.TempDir(), "run")
		var group sync.WaitGroup
		var made atomic.Int32
		start := make(chan struct{})
		for range 4 {
			group.Go(func() {
				<-start
				if w, err := Create(dir, meta); err == nil {
					made.Add(1)
					_ = w.Close()
				}
			})
		}
		close(start)
		group.Wait()
		if made.Load() != 1 {
			t.Fatalf("%d runs write into one directory", made.Load())
		}
		if _, err := Open(dir); err != nil {
			t.Fatalf("the one that goes on was disturbed: %v", err)
		}
	}
}

func TestIntervalsAreSoLongThatThereAre1800AtMost(t *testing.T) {
	for _, tt := range []struct{ planned, want time.Duration }{
		{0, time.Second}, // a bench ends by its number of requests
		{3 * time.Minute, time.Second},
		{30 * time.Minute, time.Second},
		{30*time.Minute + 1, 2 * time.Second},
		{time.Hour, 2 * time.Second},
		{time.Hour + 1, 5 * time.Second},
		{2*time.Hour + 30*time.Minute, 5 * time.Second},
		{3 * time.Hour, 10 * time.Second},
		{5*time.Hour + 1, 30 * time.Second},
		{15 * time.Hour, 30 * time.Second},
		{15*time.Hour + 1, time.Minute},
		{24 * time.Hour, time.Minute},
		{30 * 24 * time.Hour, time.Minute}, // beyond 30 h there are more
	} {
		got := IntervalFor(tt.planned)
		if got != tt.want {
			t.Errorf("intervals of %v for %v, want %v", got, tt.planned, tt.want)
		}
		if tt.planned <= 30*time.Hour && (tt.planned+got-1)/got > MaxIntervals {
			t.Errorf("%v gives %d intervals", tt.planned, (tt.planned+got-1)/got)
		}
	}
}

func TestWindowsAreAddedUpToIntervalsButNotAcrossAPhase(t *testing.T) {
	load := smallLoad()
	for _, tt := range []struct {
		interval time.Duration
		want     string
	}{
		{time.Second, "0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-9.8 9.8-10 10-11 11-12 12-13 13-13.5"},
		{2 * time.Second, "0-2 2-4 4-6 6-8 8-9.8 9.8-10 10-12 12-13 13-13.5"},
		{5 * time.Second, "0-5 5-9.8 9.8-10 10-13 13-13.5"},
		{10 * time.Second, "0-9.8 9.8-10 10-13 13-13.5"},
		{time.Minute, "0-9.8 9.8-13 13-13.5"},
	} {
		load.phases, load.drain = seedPhases(13*time.Second), 500*time.Millisecond
		r := load.run()
		r.meta.Interval = tt.interval
		dir := filepath.Join(t.TempDir(), "run")
		r.write(t, dir, -1)
		o, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for w, err := range o.Windows() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%v-%v", w.From.Seconds(), w.To.Seconds()))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("intervals of %v: %s, want %s", tt.interval, s, tt.want)
		}
		if o.Result.IntervalS != tt.interval.Seconds() {
			t.Errorf("interval_s is %v, want %v", o.Result.IntervalS, tt.interval.Seconds())
		}
	}
}

func TestAnIntervalIsOnDiskAsSoonAsItIsComplete(t *testing.T) {
	dir := t.TempDir()
	r := smallLoad().run()
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i, win := range r.windows[:5] {
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(readFile(t, dir, windowsName), []byte("\n")); got != i+1 {
			t.Errorf("%d lines after %d windows", got, i+1)
		}
	}
	if got := string(readFile(t, dir, eventsName)); !strings.Contains(got, `"type":"phase","detail":"ramp"`) {
		t.Errorf("events.jsonl holds %q", got)
	}
}

func TestEventsAreOnDiskBeforeTheirIntervalIs(t *testing.T) {
	dir := t.TempDir()
	r := smallLoad().run()
	r.meta.Interval = time.Minute
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Window(r.windows[0]); err != nil {
		t.Fatal(err)
	}
	if len(readFile(t, dir, windowsName)) != 0 {
		t.Fatal("the interval was written before it was complete")
	}
	if got, want := string(readFile(t, dir, eventsName)), `{"t_s":0,"at":"2025-11-24T08:00:00.123456789Z","type":"phase","detail":"ramp"}`+"\n"; got != want {
		t.Errorf("events.jsonl holds %q, want %q", got, want)
	}
}

// disk is a file on a disk with so much room; it writes what fits, as a real one does.
type disk struct {
	storage
	room  *int64
	stuck bool // nor can the file be shortened
}

var errNoSpace = &fs.PathError{Op: "write", Path: "/somewhere/else", Err: syscall.ENOSPC}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	if int64(len(p)) <= *d.room {
		*d.room -= int64(len(p))
		return d.storage.WriteAt(p, off)
	}
	n, err := d.storage.WriteAt(p[:*d.room], off)
	if err != nil {
		return n, err
	}
	*d.room = 0
	return n, errNoSpace
}

func (d *disk) Truncate(size int64) error {
	if d.stuck {
		return &fs.PathError{Op: "truncate", Path: "/somewhere/else", Err: syscall.EIO}
	}
	return d.storage.Truncate(size)
}

func TestAFullDiskLosesIntervalsAndDamagesNothing(t *testing.T) {
	t.Parallel()
	load := smallLoad()
	load.phases = seedPhases(16 * time.Second)
	r := load.run()
	for _, stuck := range []bool{false, true} {
		for _, room := range []int64{0, 1, 500, 3000, 10_001, 30_000} {
			dir := filepath.Join(t.TempDir(), "run")
			w, err := Create(dir, r.meta)
			if err != nil {
				t.Fatal(err)
			}
			left := room
			for _, g := range []*growing{&w.windows, &w.latency, &w.events} {
				g.file = &disk{storage: g.file, room: &left, stuck: stuck}
			}
			for i, win := range r.windows {
				if i == 12 {
					left = 1 << 30 // somebody made room
				}
				if err := w.Window(win); err != nil {
					t.Fatalf("room for %d: Window: %v; want the error from Close", room, err)
				}
				for _, g := range []*growing{&w.windows, &w.latency, &w.events} {
					data := readFile(t, dir, g.name)
					if !stuck && len(data) > 0 && data[len(data)-1] != '\n' {
						t.Fatalf("room for %d: after the window from %v, %s ends within a line", room, win.From, g.name)
					}
				}
			}
			err = w.Close()
			if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "/somewhere/else") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("room for %d: Close: %v", room, err)
			}
			if want := fmt.Sprintf("(%d of %d intervals", w.lost, w.intervals); w.lost == 0 || !strings.Contains(err.Error(), want) {
				t.Errorf("room for %d: error %q, want it to hold %q", room, err, want)
			}
			if err := w.Finish(r.builder().Result(r.final())); err != nil {
				t.Fatal(err)
			}

			o, err := Open(dir)
			if err != nil {
				t.Fatalf("room for %d: %v", room, err)
			}
			var kept int
			for win, err := range o.Windows() {
				if err != nil {
					t.Fatalf("room for %d: %v", room, err)
				}
				kept++
				i := slices.IndexFunc(r.windows, func(of *Window) bool { return of.From == win.From })
				if !win.Endpoints[0].Raw.Equal(r.windows[i].Endpoints[0].Raw) {
					t.Errorf("room for %d: the interval from %v has other latencies", room, win.From)
				}
			}
			if kept != w.intervals-w.lost || kept < len(r.windows)-12 {
				t.Errorf("room for %d: %d intervals are there, %d of %d were lost", room, kept, w.lost, w.intervals)
			}
		}
	}
}

func TestAFileThatCouldNotBeCutBackIsWhenItIsClosed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := smallLoad().run()
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	room := int64(2000)
	full := &disk{storage: w.latency.file, room: &room, stuck: true}
	w.latency.file = full
	for _, win := range r.windows[:9] { // whole seconds: nothing is left for Close to write
		if err := w.Window(win); err != nil {
			t.Fatal(err)
		}
	}
	if data := readFile(t, dir, latencyName); data[len(data)-1] == '\n' {
		t.Fatal("the file is whole already: this test tests nothing")
	}
	full.stuck = false
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if data := readFile(t, dir, latencyName); data[len(data)-1] != '\n' {
		t.Error("the file ends within a line")
	}
}

func TestDetailsOfLongRunsComeWithEveryTenthIntervalAndTheLastOfAPhase(t *testing.T) {
	t.Parallel()
	load := smallLoad()
	load.phases = []plan.Phase{{Name: plan.Ramp}, {Name: plan.Steady, From: 2 * time.Minute}, {Name: plan.Drain, From: 25 * time.Minute}}
	meta := load.meta()
	meta.Interval = time.Minute
	minute := load.run().windows[0]
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(meta)
	for i := range 26 {
		m := *minute
		m.From = time.Duration(i) * time.Minute
		m.To, m.Events = m.From+time.Minute, nil
		for phase, p := range meta.Phases {
			if p.From <= m.From {
				m.Phase, m.Name = phase, p.Name
			}
		}
		b.Add(&m)
		if err := w.Window(&m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var with []int
	for i, line := range strings.Split(string(readFile(t, dir, windowsName)), "\n") {
		lag, first := strings.Contains(line, `"lag_hdr"`), strings.Contains(line, `"first_byte_hdr"`)
		if lag != first {
			t.Errorf("line %d: lag %v, first byte %v", i+1, lag, first)
		}
		if lag {
			with = append(with, i+1)
		}
		if line != "" && !strings.Contains(line, `"lag_p99_ms":0.`) {
			t.Errorf("line %d has no lag for charts", i+1)
		}
	}
	if want := []int{2, 12, 22, 25, 26}; !slices.Equal(with, want) {
		t.Errorf("details are in the lines %v, want %v", with, want)
	}
	o, err := Open(dir) // as of a run that was cut
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.Builder()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, again.Result(Final{}).Phases, b.Result(Final{}).Phases)
	if !again.Lag().Equal(b.Lag()) {
		t.Error("lags differ")
	}
}

func TestAFullDiskStillTakesResultJSON(t *testing.T) {
	t.Parallel()
	// What Create set aside must be more than the largest result needs: 500 endpoints and as many phases, errors in each.
	load := smallLoad()
	load.endpoints, load.phases, load.perSecond = 500, nil, 2000
	for i := range 60 {
		load.phases = append(load.phases, plan.Phase{Name: plan.Steady, From: time.Duration(i) * 100 * time.Millisecond})
	}
	load.phases = append(load.phases, plan.Phase{Name: plan.Drain, From: 6 * time.Second})
	r := load.run()
	data, err := Encode(r.builder().Result(r.final()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	info, err := os.Stat(filepath.Join(dir, reserveName))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("result.json takes %d KB, %d KB are set aside", len(data)>>10, info.Size()>>10)
	if int64(len(data)) > info.Size() {
		t.Errorf("result.json takes %d bytes, and %d are set aside", len(data), info.Size())
	}
}

func TestAResultThatCannotBeWrittenLeavesNoHalfOfOne(t *testing.T) {
	dir := t.TempDir()
	r := smallLoad().run()
	w, err := Create(dir, r.meta)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, resultName), 0o755); err != nil { // in the way of the rename
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, resultName, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err = w.Finish(r.builder().Result(r.final()))
	if err == nil || !strings.HasPrefix(err.Error(), "result directory "+dir+": result.json: ") {
		t.Errorf("error %v", err)
	}
	if slices.Contains(names(t, dir), tempName) {
		t.Error("a temporary file is left behind")
	}
}

func TestADayOfTheSeedsProfileTakesLessThanTwentyMegabytes(t *testing.T) {
	t.Parallel()
	if testing.Short() || underRace {
		t.Skip("writes 1,440 intervals")
	}
	// 50 users, GET / and GET /health, 390 requests/s, latencies with the median and the p99 of the
	// seed's run (3.5 and 29 ms). A handful of minutes differ; the rest repeats them.
	const perMinute, day = 390 * 60, 24 * time.Hour
	load := fakeLoad{seed: 7, endpoints: 2, perSecond: perMinute, phases: seedPhases(day), drain: time.Second, start: fakeStart, users: 50, median: 3400 * time.Microsecond, flawless: true}
	meta := load.meta()
	load.phases, load.drain = []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: 4 * time.Second}}, 0
	minutes := load.run().windows

	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for from := time.Duration(0); from < day; {
		m := *minutes[lines%len(minutes)]
		m.From, m.To, m.Phase, m.Name, m.Events = from, from.Truncate(time.Minute)+time.Minute, 1, plan.Steady, nil
		if from == 0 {
			m.To, m.Phase, m.Name = 9800*time.Millisecond, 0, plan.Ramp
		}
		m.FailedExamples = nil // the first minutes have had them all
		if lines > 20 {
			m.Slowest = m.Slowest[:1]
		}
		// A reading a second, as unsteady as those of a process that works.
		m.Health = nil
		for s := range 60 {
			m.Health = append(m.Health, Health{
				CPU: Reading(0.1 + float64((lines+s)*7919%1000)/2e4), GC: Reading(float64((lines+s)*104_729%1000) / 2e5),
				RSS: Reading(30<<20 + 4096*((lines+s)*31%100)), OpenFiles: Reading(61),
			})
		}
		if err := w.Window(&m); err != nil {
			t.Fatal(err)
		}
		from = m.To
		lines++
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var all Histogram
	for _, m := range minutes {
		for _, e := range m.Endpoints {
			all.Merge(e.Raw)
		}
	}
	if p50, p99 := all.Quantile(0.5), all.Quantile(0.99); p50 < 3*time.Millisecond || p50 > 4*time.Millisecond || p99 < 27*time.Millisecond || p99 > 35*time.Millisecond {
		t.Errorf("p50 %v and p99 %v: not the seed's 3 to 4 and 31 ms", p50, p99)
	}
	var size int64
	for _, name := range names(t, dir) {
		n := int64(len(readFile(t, dir, name)))
		t.Logf("%-14s %8d KB", name, n>>10)
		if name != reserveName {
			size += n
		}
	}
	if got := bytes.Count(readFile(t, dir, windowsName), []byte("\n")); got != 1441 {
		t.Errorf("%d intervals, want 1,440 and the ramp", got)
	}
	if size > 20e6 {
		t.Errorf("%d bytes in %d intervals, want at most 20 MB", size, lines)
	}
}
