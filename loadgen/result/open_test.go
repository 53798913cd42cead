package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

// openFiles opens a result that is in memory.
func openFiles(fsys fs.FS) (*Opened, error) {
	return open("DIR", func() (fs.FS, io.Closer, error) { return fsys, io.NopCloser(nil), nil })
}

// filesOf is a result in memory that a test may spoil.
func filesOf(t testing.TB, dir string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, name := range names(t, dir) {
		fsys[name] = &fstest.MapFile{Data: readFile(t, dir, name)}
	}
	return fsys
}

// sumUp reads everything that there is to read.
func sumUp(o *Opened) error {
	for _, err := range o.Windows() {
		if err != nil {
			return err
		}
	}
	_, err := o.Builder()
	return err
}

func TestAResultReadFromItsFilesIsTheOneThatWasWritten(t *testing.T) {
	t.Parallel()
	for _, interval := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute} {
		load := smallLoad()
		load.perSecond, load.phases = 20, seedPhases(62*time.Second)
		r := load.run()
		r.meta.Interval = interval
		dir := filepath.Join(t.TempDir(), "run")
		r.write(t, dir, -1)
		want := r.builder().Result(r.final())

		o, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if o.Cut || o.Dir != dir {
			t.Errorf("opened as %+v", o)
		}
		mustEqual(t, o.Result, want)
		mustEqual(t, o.Meta, r.meta)
		// And summed up again from windows.jsonl, latency.hlog and events.jsonl.
		b, err := o.Builder()
		if err != nil {
			t.Fatal(err)
		}
		mustEqual(t, b.Result(r.final()), want)
		if !b.Lag().Equal(r.builder().Lag()) || !b.SlotWait().Equal(r.builder().SlotWait()) || b.Clamped() != r.builder().Clamped() || len(b.Health()) != 63 {
			t.Errorf("intervals of %v: what a judge needs differs", interval)
		}
		mustEqual(t, b.Health(), r.builder().Health())
	}
}

func TestWindowsReadAsTheyWereHandedIn(t *testing.T) {
	t.Parallel()
	load := smallLoad()
	load.traced = true
	r := load.run()
	dir := filepath.Join(t.TempDir(), "run")
	r.write(t, dir, -1)
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for w, err := range o.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		want := *r.windows[i]
		want.Health = nil
		for _, h := range r.windows[i].Health {
			want.Health = append(want.Health, h.rounded())
		}
		for _, list := range []*[]Example{&want.Slowest, &want.FailedExamples, &want.Exemplars.Slowest, &want.Exemplars.Failed} {
			examples := *list
			*list = nil
			for _, x := range examples {
				x.Latency = x.rounded()
				*list = append(*list, x)
			}
		}
		w.Slowest, want.Slowest = slowest(w.Slowest), slowest(want.Slowest)
		w.Exemplars.Slowest, want.Exemplars.Slowest = slowest(w.Exemplars.Slowest), slowest(want.Exemplars.Slowest)
		mustEqual(t, w, want)
		i++
	}
	if i != len(r.windows) {
		t.Errorf("%d windows, want %d", i, len(r.windows))
	}
}

func TestReadingMayStopAtAnyWindow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	smallLoad().run().write(t, dir, -1)
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range o.Windows() {
		break
	}
	for range o.Windows() { // and begin again
		break
	}
}

func TestAKilledProcessLosesOneInterval(t *testing.T) {
	r := smallLoad().run()
	for _, until := range []int{0, 1, 7, 20} {
		dir := filepath.Join(t.TempDir(), "run")
		if until == 1 {
			r.windows[0].Offered += 2 // due, and not sent yet
		}
		r.write(t, dir, until)
		o, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if x := o.Result.Totals; x.Dropped != nil || x.Unanswered != nil || x.Cut != nil || until > 0 && x.Offered != x.Sent+2 {
			t.Errorf("after %d windows: %+v: what nobody counted is unknown, and not 0", until, x)
		}
		if !o.Cut || o.Result.StoppedBy != StoppedByCut || !o.Result.Interrupted || o.Result.Verdict.Validity != Suspect {
			t.Errorf("after %d windows: cut %v, stopped by %q, verdict %+v", until, o.Cut, o.Result.StoppedBy, o.Result.Verdict)
		}
		if len(o.Result.Warnings) != 1 || !strings.HasPrefix(o.Result.Warnings[0], "this run was cut: ") {
			t.Errorf("after %d windows: warnings %q", until, o.Result.Warnings)
		}
		if until == 0 {
			continue
		}
		b := NewBuilder(r.meta)
		for _, w := range r.windows[:until] {
			b.Add(w)
		}
		want := b.Result(Final{Cut: true})
		mustEqual(t, o.Result.Totals, want.Totals)
		mustEqual(t, o.Result.Phases, want.Phases)
		mustEqual(t, o.Result.Events, want.Events)
		if got := o.Result.Health; got.Lag != SummaryOfLag(b.Lag()) || got.GCRatio.Known() {
			t.Errorf("health %+v", got)
		}
		if err := o.Result.check(); err != nil {
			t.Errorf("after %d windows: %v", until, err)
		}
	}
}

func TestACutRunIsReadHoweverItsFilesEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	load := smallLoad()
	load.phases = seedPhases(11 * time.Second)
	load.run().write(t, dir, 9)
	whole := filesOf(t, dir)
	rapid.Check(t, func(t *rapid.T) {
		fsys := fstest.MapFS{}
		for name, f := range whole {
			data := f.Data
			if name != planName {
				data = data[:rapid.IntRange(0, len(data)).Draw(t, name)]
			}
			fsys[name] = &fstest.MapFile{Data: data}
		}
		o, err := openFiles(fsys)
		if err != nil {
			t.Fatalf("%v", err)
		}
		complete := min(bytes.Count(fsys[windowsName].Data, []byte("\n")), 9)
		n := 0
		for _, err := range o.Windows() {
			if err != nil {
				t.Fatalf("%v", err)
			}
			n++
		}
		if n > complete {
			t.Fatalf("%d windows of %d lines", n, complete)
		}
		if len(fsys[latencyName].Data) == len(whole[latencyName].Data) && n != complete {
			t.Fatalf("%d windows of %d whole lines", n, complete)
		}
	})
}

func TestWhatHappenedAfterTheLastIntervalOfACutRunIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := smallLoad().run()
	r.meta.Interval = 5 * time.Second
	r.windows[3].Events = []Event{{3200 * time.Millisecond, EventWarning, "before the first interval was complete"}}
	r.write(t, dir, 4)
	o, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Result.Events; len(got) != 2 || got[1].TS != 3.2 {
		t.Errorf("events %+v", got)
	}
}

func TestAResultAloneIsEnoughToShowIt(t *testing.T) {
	fsys := filesOf(t, fixtureDir)
	for _, name := range []string{planName, windowsName, latencyName, eventsName} {
		delete(fsys, name)
	}
	o, err := openFiles(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if o.Result.ID != "run-1" || o.Meta.ID != "run-1" {
		t.Errorf("opened %+v", o.Meta)
	}
	if err := sumUp(o); err == nil || err.Error() != "result DIR: plan.json: no such file: the intervals cannot be read without it" {
		t.Errorf("its windows: %v", err)
	}
}

func TestDirectoriesThatHoldNoResultAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{
		{filepath.Join(dir, "none"), ": no such file or directory"},
		{filepath.Join(dir, "file"), ": not a directory"},
		{dir, ": holds no result: neither result.json nor plan.json is there"},
	} {
		_, err := Open(tt.dir)
		if err == nil || !strings.HasPrefix(err.Error(), "result "+tt.dir+": ") || strings.Count(err.Error(), tt.dir) != 1 {
			t.Errorf("%s: error %v", tt.dir, err)
		} else if os.PathSeparator == '/' && !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: error %q, want it to end in %q", tt.dir, err, tt.want)
		}
	}
}

func TestALinkOutOfTheDirectoryIsNotFollowed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(outside, readFile(t, fixtureDir, resultName), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, resultName)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("error %v", err)
	}
}

func TestFilesThatARunCannotHaveLeftAreRefusedByFileAndField(t *testing.T) {
	for _, tt := range []struct{ file, old, new, want string }{
		{resultName, `"loadgen/result/v2"`, `"loadgen/result/v3"`, `result.json: schema: "loadgen/result/v3", want loadgen/result/v2: another program or a newer loadgen wrote it`},
		{resultName, `"schema": "loadgen/result/v2",`, ``, `result.json: schema: missing, want loadgen/result/v2`},
		{resultName, `{`, `[`, `result.json: not JSON: `},
		{resultName, `"VALID"`, `"GREAT"`, `result.json: field verdict.validity: "GREAT", want VALID, SUSPECT or INVALID`},
		{resultName, `"duration_s": 16.3`, `"duration_s": -16.3`, `result.json: field duration_s: -16.3, want a number that is not negative`},
		{resultName, `"duration_s": 16.3`, `"duration_s": 1e999`, `result.json: field duration_s: number 1e999 where float64 is wanted`},
		{resultName, `"duration_s": 16.3`, `"duration_s": NaN`, `result.json: not JSON: `},
		{resultName, `"bytes_out": `, `"bytes_out": -`, `result.json: field totals.bytes_out: -`},
		{resultName, `"200": `, `"200": -`, `result.json: field totals.status["200"]: -`},
		{resultName, `"endpoints": [`, `"endpoints": 7, "x": [`, `result.json: field endpoints: number where []result.Endpoint is wanted`},
		{resultName, `"started_at": "2025`, `"started_at": "yesterday`, `result.json: `},

		{planName, `"loadgen/plan/v1"`, `"loadgen/plan/v7"`, `plan.json: schema: "loadgen/plan/v7", want loadgen/plan/v1`},
		{planName, `"interval_s": 1`, `"interval_s": 0`, `plan.json: run: want interval_s above 0`},
		{planName, `"interval_s": 1`, `"interval_s": 1e3`, `plan.json: "1e3": want seconds as a decimal number`},
		{planName, `"name": "GET /health"`, `"name": "GET /"`, `plan.json: run.endpoints: "GET /" twice`},
		{planName, `"from_s": 9.8`, `"from_s": 99`, `plan.json: run.phases: want them in order of from_s`},
		{planName, `"cpus": 2`, `"cpus": -2`, `plan.json: field generator.cpus: -2`},
		{planName, `"think": "50ms..200ms"`, `"think": "often"`, `plan.json: `},

		{windowsName, `"from_s":1,`, `"from_s":-1,`, `windows.jsonl line 2: "-1": want seconds`},
		{windowsName, `"to_s":2,`, `"to_s":1,`, `windows.jsonl line 2: to_s: want a time after from_s`},
		{windowsName, `"to_s":2,`, `"to_s":2.5,`, `latency.hlog line `},
		{windowsName, `"from_s":2,`, `"from_s":0.5,`, `windows.jsonl line 3: from_s: want lines in order of it`},
		{windowsName, `"phase":0`, `"phase":3`, `windows.jsonl line 1: phase: 3, want 0 to 2`},
		{windowsName, `"phase":0`, `"phase":1`, `windows.jsonl line 1: name: "ramp", want "steady" as the name of phase 1`},
		{windowsName, `"offered":20`, `"offered":-20`, `windows.jsonl line 1: counts: -20, want 0 to 2^40`},
		{windowsName, `"offered":20`, `"offered":9223372036854775807`, `windows.jsonl line 1: counts: `},
		{windowsName, `"users":50`, `"users":-50`, `windows.jsonl line 1: counts: -50`},
		{windowsName, `"requests":10`, `"requests":11`, `latency.hlog line 5: 10 values, want 11 as in windows.jsonl`},
		{windowsName, `"requests":10,`, `"requests":10,"failures":11,`, `windows.jsonl line 1: endpoint "GET /": failures: 11 of 10 requests`},
		{windowsName, `"bytes_in":`, `"bytes_in":-`, `windows.jsonl line 1: endpoint "GET /": bytes_in, bytes_out: want`},
		{windowsName, `"status":{"200":`, `"status":{"200":-`, `windows.jsonl line 1: endpoint "GET /": status: -`},
		{windowsName, `"name":"GET /health"`, `"name":"GET /other"`, `windows.jsonl line 1: endpoint "GET /other": plan.json has none of this name`},
		{windowsName, `"name":"GET /health"`, `"name":"GET /"`, `windows.jsonl line 1: endpoint "GET /": twice in one line`},
		{windowsName, `"lag_hdr":"HIST`, `"lag_hdr":"TSIH`, `windows.jsonl line 1: lag_hdr: histogram: `},
		{windowsName, `"first_byte_hdr":"HIST`, `"first_byte_hdr":"`, `windows.jsonl line 1: endpoint "GET /": first_byte_hdr: histogram: `},
		{windowsName, `"cpu":`, `"cpu":-`, `windows.jsonl line 1: health.cpu: want readings that are not negative`},
		{windowsName, `"health":{"seconds":1`, `"health":{"seconds":1000000000`, `windows.jsonl line 1: health.seconds: want 0 to 86400`},
		{windowsName, `"gc":`, `"gcc":`, `windows.jsonl line 1: health.gc: want one reading for each second`},
		{windowsName, `"latency_ms":`, `"latency_ms":-`, `windows.jsonl line 1: slowest: latency_ms -`},
		{windowsName, `"served_by":{"task-a":`, `"served_by":{"task-a":-`, `windows.jsonl line 1: served_by: -`},
		{windowsName, `"by_address":{"10.0.0.1:80":`, `"by_address":{"10.0.0.1:80":-`, `windows.jsonl line 1: by_address: -`},
		{windowsName, `{"from_s":1,`, `{"from_s":1`, `windows.jsonl line 2: not JSON`},
		{windowsName, "\n", "\n\n", `windows.jsonl line 2: not JSON: `},

		{latencyName, `Tag=GET%20/|raw`, `Tag=GET%20/|failed`, `latency.hlog line 5: "GET /" failed from 0s to 1s, want "GET /" raw from 0s to 1s as in windows.jsonl`},
		{latencyName, `Tag=GET%20/health`, `Tag=GET%20/x`, `latency.hlog line 7: "GET /x" raw`},
		{latencyName, `|raw,0,1,`, `|raw,0,2,`, `latency.hlog line 5: "GET /" raw from 0s to 2s, want`},
		{latencyName, `#[Histogram log`, `#[Other log`, `latency.hlog line 1: not a histogram log`},

		{eventsName, `"t_s":0`, `"t_s":1e300`, `events.jsonl line 1: t_s: 1e+300`},
		{eventsName, `{`, `(`, `events.jsonl line 1: not JSON`},
		{eventsName, `"type":"phase"`, `"type":5`, `events.jsonl line 1: field type: number where string is wanted`},
	} {
		fsys := filesOf(t, fixtureDir)
		data := fsys[tt.file].Data
		if !bytes.Contains(data, []byte(tt.old)) {
			t.Errorf("%s does not hold %q: this test is out of date", tt.file, tt.old)
			continue
		}
		fsys[tt.file] = &fstest.MapFile{Data: bytes.Replace(data, []byte(tt.old), []byte(tt.new), 1)}
		o, err := openFiles(fsys)
		if err == nil {
			err = sumUp(o)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "result DIR: "+tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s with %s:\n\terror %v\n\twant  result DIR: %s", tt.file, tt.new, err, tt.want)
		}
	}
}

func TestFilesThatEndTooEarlyBesideAResultAreRefused(t *testing.T) {
	for _, name := range []string{windowsName, latencyName} {
		for _, cutLine := range []bool{true, false} {
			fsys := filesOf(t, fixtureDir)
			data := fsys[name].Data
			for range 2 { // the last window of all has no latencies
				data = data[:bytes.LastIndexByte(data[:len(data)-1], '\n')+1]
			}
			if cutLine {
				data = append(bytes.Clone(data), "{"...)
			}
			fsys[name] = &fstest.MapFile{Data: data}
			o, err := openFiles(fsys)
			if err != nil {
				t.Fatal(err)
			}
			if err := sumUp(o); err == nil {
				t.Errorf("%s without its last lines (a part of it there: %v) is read as if whole", name, cutLine)
			}
		}
	}
	for _, name := range []string{windowsName, latencyName} {
		fsys := filesOf(t, fixtureDir)
		delete(fsys, name)
		o, err := openFiles(fsys)
		if err != nil {
			t.Fatal(err)
		}
		if err := sumUp(o); err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}

func TestFieldsOfLaterWritersArePassedOver(t *testing.T) {
	fsys := filesOf(t, fixtureDir)
	for _, name := range []string{resultName, planName, windowsName, eventsName} {
		fsys[name] = &fstest.MapFile{Data: bytes.Replace(fsys[name].Data, []byte("{"), []byte(`{"new":{"a":[1]},`), 1)}
	}
	fsys["capacity.json"] = &fstest.MapFile{Data: []byte("{}")}
	o, err := openFiles(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if err := sumUp(o); err != nil {
		t.Error(err)
	}
}

func TestElasticitySurvivesAReadAndAWrite(t *testing.T) {
	r := fixtureRun().builder().Result(fixtureRun().final())
	r.Elasticity = json.RawMessage(`{"score": 0.5}`)
	data, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, again, r)
}

// FuzzOpen spoils the files of a result: whatever they hold, opening ends with a result or with an error of one line.
func FuzzOpen(f *testing.F) {
	// A short run, so that a mutation hits something.
	load := smallLoad()
	load.endpoints, load.perSecond, load.phases, load.drain = 1, 8, seedPhases(2*time.Second), 500*time.Millisecond
	load.phases[1].From = 1200 * time.Millisecond
	dir := filepath.Join(f.TempDir(), "run")
	load.run().write(f, dir, -1)
	read := func(name string) []byte { return readFile(f, dir, name) }
	f.Add(read(planName), read(windowsName), read(latencyName), read(eventsName), read(resultName))
	f.Add(read(planName), read(windowsName), read(latencyName), read(eventsName), []byte{})
	f.Add([]byte(`{"schema":"loadgen/plan/v1","run":{"interval_s":1,"phases":[{"name":"drain","from_s":0}]}}`),
		[]byte(`{"from_s":0,"to_s":1,"name":"drain","health":{"seconds":2,"cpu":[null,1e300],"throttled":1,"steal":1,"gc":1,"rss_bytes":1,"open_files":1}}`+"\n"), []byte(logHead), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, plan, windows, latency, events, result []byte) {
		fsys := fstest.MapFS{
			planName: {Data: plan}, windowsName: {Data: windows}, latencyName: {Data: latency}, eventsName: {Data: events},
		}
		if len(result) > 0 {
			fsys[resultName] = &fstest.MapFile{Data: result}
		}
		o, err := openFiles(fsys)
		if err == nil {
			if _, err := Encode(o.Result); err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			err = sumUp(o)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000) {
			t.Fatalf("error of several lines, or without end: %q", err)
		}
	})
}

func ExampleOpen() {
	o, err := Open("testdata/v1/complete")
	if err != nil {
		fmt.Println(err)
		return
	}
	t := o.Result.Totals
	fmt.Printf("%s: %d requests, %d failed, %.1f/s\n", o.Result.Verdict.Validity, t.Requests, t.Failures, t.RequestsPerSecond)
	var slow int
	for w, err := range o.Windows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, e := range w.Endpoints {
			if e.Corrected.Quantile(0.99) > 20*time.Millisecond {
				slow++
			}
		}
	}
	fmt.Println(slow, "times an endpoint had a second with a p99 above 20 ms")
	// Output:
	// VALID: 302 requests, 3 failed, 20.0/s
	// 6 times an endpoint had a second with a p99 above 20 ms
}
