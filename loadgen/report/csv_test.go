package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// What Locust writes as first lines, literally (locust/stats.py, StatsCSV and StatsCSVFileWriter).
const (
	locustStatsHeader      = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n"
	locustHistoryHeader    = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size\r\n"
	locustFailuresHeader   = "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"
	locustExceptionsHeader = "Count,Message,Traceback,Nodes\r\n"
)

// handMeta starts at 1772600767.6 s of Unix time.
func handMeta() *result.Meta {
	return &result.Meta{
		StartedAt: time.UnixMilli(1772600767600).UTC(),
		Endpoints: []plan.Endpoint{{Name: "GET /health", Method: "GET"}, {Name: "GET /", Method: "GET"}, {Name: `Sign in, "fast"`, Method: "POST"}, {Name: "GET /never", Method: "GET"}},
		Phases:    []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: 13 * time.Second}},
	}
}

// handWindows is a run small enough to add up by hand. Latencies up to 2,047 µs have buckets of their own.
func handWindows() []*result.Window {
	var windows []*result.Window
	for i := range 13 {
		w := &result.Window{From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second, Name: plan.Steady, Users: 2 + i}
		for e := range 4 {
			w.Endpoints = append(w.Endpoints, result.EndpointWindow{Endpoint: e})
		}
		windows = append(windows, w)
	}
	done(windows[0], 1, 400*us, 0, 0)
	done(windows[0], 1, 1000*us, 0, 0)
	done(windows[0], 1, 2000*us, 0, 0)
	failed(windows[1], 1, 1500*ms, 1600*us, "status", "503 Service Unavailable")
	done(windows[1], 0, 1200*us, 50*ms, 0) // late: raw latency does not hold it
	failed(windows[11], 2, 11*time.Second, 100*us, "connection_refused", "connection refused")
	failed(windows[11], 2, 11900*ms, 100*us, "connection_refused", "connection refused")
	failed(windows[11], 2, 11*time.Second, 100*us, "status", "503 Service Unavailable")
	return windows
}

// writeHand runs the sink over the run made by hand and returns its files.
func writeHand(t *testing.T) (files map[string]string) {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "run")
	c := NewCSV(prefix)
	if err := c.Start(handMeta()); err != nil {
		t.Fatal(err)
	}
	for _, w := range handWindows() {
		if err := c.Window(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return readCSVs(t, prefix)
}

func readCSVs(t *testing.T, prefix string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, suffix := range csvSuffixes {
		data, err := os.ReadFile(prefix + suffix)
		if err != nil {
			t.Fatal(err)
		}
		files[suffix] = string(data)
	}
	return files
}

func TestTheFilesBeginWithLocustsColumns(t *testing.T) {
	files := writeHand(t)
	for suffix, header := range map[string]string{
		"_stats.csv": locustStatsHeader, "_stats_history.csv": locustHistoryHeader,
		"_failures.csv": locustFailuresHeader, "_exceptions.csv": locustExceptionsHeader,
	} {
		if !strings.HasPrefix(files[suffix], header) {
			t.Errorf("%s begins with\n%.300q, want\n%q", suffix, files[suffix], header)
		}
		rows, err := csv.NewReader(strings.NewReader(files[suffix])).ReadAll() // refuses rows of unequal length
		if err != nil || len(rows) == 0 {
			t.Errorf("%s: %d rows, %v", suffix, len(rows), err)
		}
	}
	if files["_exceptions.csv"] != locustExceptionsHeader {
		t.Errorf("exceptions: %q", files["_exceptions.csv"])
	}
}

func TestStatsAreThoseAddedUpByHand(t *testing.T) {
	want := locustStatsHeader +
		// 0.4, 1.0, 2.0 and a failure after 1.6 ms; 3 × 27 bytes; the last request ended by 12 s.
		"GET,/,4,1,1,1.25,0.4,2.0,20.25,0.3333333333333333,0.08333333333333333,1,2,2,2,2,2,2,2,2,2,2\r\n" +
		"GET,/health,1,0,1.2,1.2,1.2,1.2,27.0,0.08333333333333333,0.0,1,1,1,1,1,1,1,1,1,1,1\r\n" +
		"POST,\"Sign in, \"\"fast\"\"\",3,3,0.1,0.1,0.1,0.1,0.0,0.25,0.25,0,0,0,0,0,0,0,0,0,0,0\r\n" +
		// 0.1 0.1 0.1 0.4 1.0 1.2 1.6 2.0: 66 % is the 6th, 75 % the 6th, 80 % the 7th.
		// The median of 0.4 ms would round to 0, which is below the minimum.
		",Aggregated,8,4,0.4,0.813,0.1,2.0,13.5,0.6666666666666666,0.3333333333333333,0,1,1,2,2,2,2,2,2,2,2\r\n"
	if got := writeHand(t)["_stats.csv"]; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHistoryCountsUpAndItsPercentilesAreOfTheLastTenSeconds(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(writeHand(t)["_stats_history.csv"])).ReadAll()
	if err != nil || len(rows) != 14 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, x := range []struct {
		row  int
		want []string
		why  string
	}{
		{1, slices.Concat([]string{"1772600768", "2", "", "Aggregated", "3.000000", "0.000000"},
			[]string{"1", "1", "2", "2", "2", "2", "2", "2", "2", "2", "2"},
			[]string{"3", "0", "1", "1.133", "0.4", "2.0", "27.0"}), "3 requests in the first second, which ends at …768.6"},
		{2, slices.Concat([]string{"1772600769", "3", "", "Aggregated", "2.500000", "0.500000"},
			[]string{"1", "2", "2", "2", "2", "2", "2", "2", "2", "2", "2"},
			[]string{"5", "1", "1", "1.24", "0.4", "2.0", "21.6"}), "two seconds: a failure's latency counts"},
		{10, slices.Concat([]string{"1772600777", "11", "", "Aggregated", "0.500000", "0.100000"},
			[]string{"1", "2", "2", "2", "2", "2", "2", "2", "2", "2", "2"},
			[]string{"5", "1", "1", "1.24", "0.4", "2.0", "21.6"}), "ten seconds hold all so far"},
		{11, slices.Concat([]string{"1772600778", "12", "", "Aggregated", "0.200000", "0.100000"},
			[]string{"1", "2", "2", "2", "2", "2", "2", "2", "2", "2", "2"},
			[]string{"5", "1", "1", "1.24", "0.4", "2.0", "21.6"}), "the first second has left, 1.2 and 1.6 ms stay"},
		{12, slices.Concat([]string{"1772600779", "13", "", "Aggregated", "0.300000", "0.300000"},
			slices.Repeat([]string{"0"}, 11),
			[]string{"8", "4", "0.4", "0.813", "0.1", "2.0", "13.5"}), "three failures after 0.1 ms, and nothing else in ten seconds"},
	} {
		if !slices.Equal(rows[x.row], x.want) {
			t.Errorf("row %d is\n%q, want\n%q: %s", x.row, rows[x.row], x.want, x.why)
		}
	}
}

func TestFailuresAreByEndpointAndMessage(t *testing.T) {
	want := locustFailuresHeader +
		// The run starts at 05:06:07.6, and fractions are cut off: 1.5 s later it is …09.1.
		"GET,/,503 Service Unavailable,1,2026-03-04T05:06:09Z,2026-03-04T05:06:09Z\r\n" +
		"POST,\"Sign in, \"\"fast\"\"\",connection refused,2,2026-03-04T05:06:18Z,2026-03-04T05:06:19Z\r\n" +
		"POST,\"Sign in, \"\"fast\"\"\",503 Service Unavailable,1,2026-03-04T05:06:18Z,2026-03-04T05:06:18Z\r\n"
	if got := writeHand(t)["_failures.csv"]; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestARunWithoutRequestsHasNoPercentiles(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "run")
	c := NewCSV(prefix)
	if err := c.Start(handMeta()); err != nil {
		t.Fatal(err)
	}
	if err := c.Window(&result.Window{To: time.Second, Name: plan.Steady, Users: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	na := strings.Repeat(",N/A", 11)
	files := readCSVs(t, prefix)
	if want := locustStatsHeader + ",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0" + na + "\r\n"; files["_stats.csv"] != want {
		t.Errorf("stats: %q", files["_stats.csv"])
	}
	if want := locustHistoryHeader + "1772600768,1,,Aggregated,0.000000,0.000000" + na + ",0,0,0,0.0,0,0,0\r\n"; files["_stats_history.csv"] != want {
		t.Errorf("history: %q", files["_stats_history.csv"])
	}
}

func TestHistoryIsOnDiskWhileTheRunGoesOn(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "run")
	c := NewCSV(prefix)
	if err := c.Start(handMeta()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for i, w := range handWindows() {
		if err := c.Window(w); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(readCSVs(t, prefix)["_stats_history.csv"], "\n"); got != i+1 {
			t.Fatalf("%d lines after window %d, want the header and one for each second that is over", got, i+1)
		}
	}
}

// Windows are cut where a phase ends and where the run does, so that several end in one second of the clock on the wall.
func TestHistoryHasNoTimestampTwiceAndEndsWithTheTotals(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		prefix := filepath.Join(dir, "run")
		c := NewCSV(prefix)
		meta := handMeta()
		meta.StartedAt = meta.StartedAt.Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "start")) * ms)
		if err := c.Start(meta); err != nil {
			t.Fatal(err)
		}
		var at time.Duration
		n := rapid.IntRange(1, 12).Draw(t, "windows")
		for range n {
			w := &result.Window{From: at, To: at + time.Duration(rapid.IntRange(1, 1000).Draw(t, "length"))*ms, Endpoints: []result.EndpointWindow{{Endpoint: 1}}}
			done(w, 0, ms, 0, 0)
			at = w.To
			if err := c.Window(w); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(prefix + "_stats_history.csv")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		before := ""
		for _, row := range rows[1:] {
			if row[0] <= before {
				t.Fatalf("timestamp %s after %s:\n%s", row[0], before, data)
			}
			before = row[0]
		}
		if last := rows[len(rows)-1]; last[0] != whole(meta.StartedAt.Add(at).Unix()) || last[17] != whole(int64(n)) {
			t.Fatalf("the last line is %q, want the %d requests of the whole run", last, n)
		}
	})
}

func TestExistingFilesAreOverwritten(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "run")
	for _, suffix := range csvSuffixes {
		if err := os.WriteFile(prefix+suffix, bytes.Repeat([]byte("old\n"), 10_000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := NewCSV(prefix)
	if err := errors.Join(c.Start(handMeta()), c.Window(handWindows()[0]), c.Close()); err != nil {
		t.Fatal(err)
	}
	for suffix, content := range readCSVs(t, prefix) {
		if strings.Contains(content, "old") {
			t.Errorf("%s still holds what was there before", suffix)
		}
	}
}

func TestAPrefixThatCannotBeWrittenIsRefusedBeforeTheRun(t *testing.T) {
	err := NewCSV(filepath.Join(t.TempDir(), "missing", "run")).Start(handMeta())
	if err == nil || !strings.HasPrefix(err.Error(), "--csv ") || !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that names --csv and what is wrong", err)
	}
}

func TestAFullDiskIsToldOnceAndTheOtherFilesAreStillWritten(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "run")
	c := NewCSV(prefix)
	if err := c.Start(handMeta()); err != nil {
		t.Fatal(err)
	}
	windows := handWindows()
	c.files[historyFile].Close() // every write to it fails from here on
	if err := errors.Join(c.Window(windows[0]), c.Window(windows[1])); err == nil || !strings.HasPrefix(err.Error(), "--csv: no more history: ") {
		t.Errorf("the first two windows: %v", err)
	}
	for _, w := range windows[2:] {
		if err := c.Window(w); err != nil {
			t.Errorf("told again: %v", err)
		}
	}
	if err := c.Close(); err == nil {
		t.Error("closing what is closed gave no error")
	}
	if files := readCSVs(t, prefix); !strings.Contains(files["_stats.csv"], ",Aggregated,8,4,") || !strings.Contains(files["_failures.csv"], "refused,2") {
		t.Errorf("the other files are not whole: %q", files)
	}
}

func TestAWindowBeforeTheStartIsAnErrorAndCloseIsNone(t *testing.T) {
	c := NewCSV(filepath.Join(t.TempDir(), "run"))
	if err := c.Window(handWindows()[0]); err == nil {
		t.Error("a window before Start was taken")
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close before Start: %v", err)
	}
}

func TestTheReportIsTheSinksStatsFile(t *testing.T) {
	s := &sample{meta: *handMeta(), windows: handWindows()}
	var b bytes.Buffer
	if err := Write(&b, "csv", s.input()); err != nil {
		t.Fatal(err)
	}
	if want := writeHand(t)["_stats.csv"]; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestNamesAreLocustsUnlessTwoWouldBeOne(t *testing.T) {
	for _, row := range []struct {
		endpoints []plan.Endpoint
		want      []string
		why       string
	}{
		{[]plan.Endpoint{{Name: "GET /", Method: "GET"}}, []string{"/"}, "the method has a column of its own"},
		{[]plan.Endpoint{{Name: "GET shop.example.com/a", Method: "GET"}}, []string{"shop.example.com/a"}, "hosts differ"},
		{[]plan.Endpoint{{Name: "sign in", Method: "POST"}}, []string{"sign in"}, "a target's own name"},
		{[]plan.Endpoint{{Name: "GET /", Method: "GET"}, {Name: "/", Method: "GET"}}, []string{"GET /", "/"}, "a target is named like another's path"},
		{[]plan.Endpoint{{Name: "GET /", Method: "GET"}, {Name: "POST /", Method: "POST"}}, []string{"/", "/"}, "told apart by type"},
		{[]plan.Endpoint{{Name: plan.OtherEndpoint, Method: ""}}, []string{plan.OtherEndpoint}, "no method"},
		{[]plan.Endpoint{{Name: "GET ", Method: "GET"}}, []string{"GET "}, "nothing would be left"},
	} {
		var got []string
		for _, e := range newLocustStats(row.endpoints).entries {
			got = append(got, e.name)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%+v become %q, want %q: %s", row.endpoints, got, row.want, row.why)
		}
	}
}
