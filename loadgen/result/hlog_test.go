package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

func TestTagsHoldNothingThatEndsAToken(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"GET /", "GET%20/"},
		{"GET /a,b|c", "GET%20/a%2Cb%7Cc"},
		{"100%", "100%25"},
		{"tab\tnew\nline\r\x00\x7f", "tab%09new%0Aline%0D%00%7F"},
		{"ü\u2028\u00a0", "%C3%BC%E2%80%A8%C2%A0"},
		{"#=\"Tag=", "#=\"Tag="}, // these are safe behind Tag=
		{"", ""},
	} {
		got := string(appendTag(nil, tt.name))
		if got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.name, got, tt.want)
		}
		name, kind, err := parseTag(got + "|raw")
		if name != tt.name || kind != tagRaw || err != nil {
			t.Errorf("%q reads back as %q %q, %v", got, name, kind, err)
		}
	}
}

func TestAnyNameSurvivesATag(t *testing.T) {
	safe := regexp.MustCompile(`^[!-$&-+\-.-{}~%]*$`) // visible ASCII without comma and bar
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.Byte()).Draw(t, "name"))
		tag := string(appendTag(nil, name))
		if !safe.MatchString(tag) {
			t.Fatalf("tag %q", tag)
		}
		if got, kind, err := parseTag(tag + "|failed"); got != name || kind != tagFailed || err != nil {
			t.Fatalf("%q reads back as %q %q, %v", name, got, kind, err)
		}
	})
}

func TestALogBeginsAsJavasToolsExpect(t *testing.T) {
	got := string(appendLogHeader(nil, time.Date(2025, 11, 24, 9, 0, 0, 7_999_999, time.FixedZone("", 3600))))
	want := `#[Histogram log format version 1.3]
#[StartTime: 1763971200.007 (seconds since epoch), 2025-11-24T08:00:00Z]
#[BaseTime: 1763971200.007 (seconds since epoch)]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
`
	if got != want {
		t.Errorf("header\n%swant\n%s", got, want)
	}
}

func TestALineHoldsSecondsAndTheMaximumInMilliseconds(t *testing.T) {
	h := histogramOf([]time.Duration{1500 * time.Microsecond, 3 * time.Second})
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	w := &Window{From: 9800 * time.Millisecond, To: 10*time.Second + 1, Endpoints: []EndpointWindow{{Endpoint: 1, Corrected: h}}}
	var e encoder
	got := string(e.appendLog(nil, w, []string{"GET /", "GET /health"}))
	if want := "Tag=GET%20/health|corrected,9.8,0.200000001,3000.319," + string(text) + "\n"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
}

// librarysView reads a log as the library's own reader does: counts by tag.
func librarysView(t *testing.T, log []byte) (map[string]int64, map[string]*hdrhistogram.Histogram, time.Duration) {
	t.Helper()
	counts, sums := map[string]int64{}, map[string]*hdrhistogram.Histogram{}
	var first time.Duration = -1
	reader := hdrhistogram.NewHistogramLogReader(bytes.NewReader(log))
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			return counts, sums, first
		}
		if first < 0 {
			first = time.Duration(h.StartTimeMs()) * time.Millisecond
		}
		counts[h.Tag()] += h.TotalCount()
		if sums[h.Tag()] == nil {
			sums[h.Tag()] = hdrhistogram.New(minMicros, maxMicros, SignificantDigits)
		}
		if dropped := sums[h.Tag()].Merge(h); dropped > 0 {
			t.Fatalf("%d values do not fit", dropped)
		}
	}
}

func TestTheLibrarysReaderFindsTheSameCountsInTheCommittedLog(t *testing.T) {
	log, err := os.ReadFile(fixtureDir + "/" + latencyName)
	if err != nil {
		t.Fatal(err)
	}
	got, sums, first := librarysView(t, log)
	o, err := Open(fixtureDir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{}
	for _, e := range o.Result.Endpoints {
		tag := string(appendTag(nil, e.Name))
		want[tag+"|raw"] = e.Requests - e.Failures
		want[tag+"|corrected"] = e.Requests - e.Failures
		if e.Failures > 0 {
			want[tag+"|failed"] = e.Failures
		}
		if got, want := float64(sums[tag+"|corrected"].Max())/1000, e.Latency.Corrected.Max; got != want {
			t.Errorf("%s: the library's maximum is %v, the result's %v", e.Name, got, want)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	if want := time.Duration(o.Meta.StartedAt.UnixMilli()) * time.Millisecond; first != want {
		t.Errorf("the first interval begins at %v, want %v", first, want)
	}
}

func TestJavasReaderFoundTheFiguresOfTheResultInTheCommittedLog(t *testing.T) {
	// What HdrHistogram 2.2.2 for Java read from the log of the committed result: its
	// HistogramLogReader, one Histogram a tag, microseconds.
	data, err := os.ReadFile("testdata/hdrhistogram-java-2.2.2-log.json")
	if err != nil {
		t.Fatal(err)
	}
	var java struct {
		Intervals int
		FirstMS   int64 `json:"first_ms"`
		Tags      map[string]struct {
			Count              int64
			P50, P95, P99, Max int64
			P99_9              int64 `json:"p99_9"`
			Mean               float64
		}
	}
	if err := json.Unmarshal(data, &java); err != nil {
		t.Fatal(err)
	}
	o, err := Open(fixtureV1)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Count(readFile(t, fixtureV1, latencyName), []byte("\nTag="))
	if java.FirstMS != o.Result.StartedAt.UnixMilli() || java.Intervals != lines {
		t.Errorf("Java read %d intervals of %d, the first from %d ms", java.Intervals, lines, java.FirstMS)
	}
	for _, e := range o.Result.Endpoints {
		tag := string(appendTag(nil, e.Name))
		for kind, have := range map[string]Latency{tagRaw: e.Latency.Raw, tagCorrected: e.Latency.Corrected, tagFailed: e.Latency.Failed} {
			want := java.Tags[tag+"|"+kind]
			for name, pair := range map[string][2]float64{
				"count": {float64(have.Count), float64(want.Count)}, "p50": {have.P50 * 1000, float64(want.P50)}, "p95": {have.P95 * 1000, float64(want.P95)},
				"p99": {have.P99 * 1000, float64(want.P99)}, "p99.9": {have.P999 * 1000, float64(want.P99_9)}, "max": {have.Max * 1000, float64(want.Max)},
				"mean": {have.Mean * 1000, math.Round(want.Mean)},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-6 {
					t.Errorf("%s|%s: %s is %v, Java says %v", tag, kind, name, pair[0], pair[1])
				}
			}
		}
	}
}

const logHead = "#[Histogram log format version 1.3]\n"

func TestALogIsReadWithItsCommentsAndOtherLineEnds(t *testing.T) {
	text, err := histogramOf([]time.Duration{time.Millisecond}).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	log := strings.ReplaceAll(logHead+"# hello\n\n\"StartTimestamp\",…\nTag=a%20b|failed,1.5,2,1.000,"+string(text)+"\n", "\n", "\r\n")
	r := &logReader{lines: newLineReader(latencyName, strings.NewReader(log))}
	e, err := r.next()
	if err != nil {
		t.Fatal(err)
	}
	if e.endpoint != "a b" || e.kind != tagFailed || e.from != 1500*time.Millisecond || e.to != 3500*time.Millisecond || e.latency.Count() != 1 {
		t.Errorf("read %+v", e)
	}
	if _, err := r.next(); err != io.EOF {
		t.Errorf("after the last line: %v", err)
	}
}

func TestLinesThatNoLogHoldsAreRefusedByNumber(t *testing.T) {
	text, _ := histogramOf([]time.Duration{time.Millisecond}).MarshalText()
	good := string(text)
	for _, tt := range []struct{ log, want string }{
		{"hello\n", "line 1: not a histogram log of version 1"},
		{"#[Histogram log format version 2.0]\n", "line 1: not a histogram log of version 1"},
		{logHead + "1,1,1," + good + "\n", "line 2: want Tag=ENDPOINT|KIND,START,LENGTH,MAX,HISTOGRAM"},
		{logHead + "Tag=a|raw,1,1," + good + "\n", "line 2: want Tag="},
		{logHead + "Tag=a,1,1,1," + good + "\n", `line 2: tag "a": want ENDPOINT|raw, |corrected or |failed`},
		{logHead + "Tag=a|wrong,1,1,1," + good + "\n", "line 2: tag"},
		{logHead + "Tag=a%2|raw,1,1,1," + good + "\n", "two hexadecimal digits"},
		{logHead + "Tag=a%zz|raw,1,1,1," + good + "\n", "two hexadecimal digits"},
		{logHead + "Tag=a|raw,NaN,1,1," + good + "\n", `line 2: start: "NaN": want seconds`},
		{logHead + "Tag=a|raw,-1,1,1," + good + "\n", `line 2: start: "-1": want seconds`},
		{logHead + "Tag=a|raw,1,1e300,1," + good + "\n", `line 2: length: "1e300": want seconds`},
		{logHead + "Tag=a|raw,1,99999999999999999999,1," + good + "\n", "line 2: length"},
		{logHead + "Tag=a|raw,1,400000000,1," + good + "\n", `line 2: length: "400000000": want seconds`}, // 12 years
		{logHead + "Tag=a|raw,1,0.0000000001,1," + good + "\n", "line 2: length"},
		{logHead + "Tag=a|raw,1,1,Infinity," + good + "\n", "line 2: maximum"},
		{logHead + "Tag=a|raw,1,1,1,HISTgarbage\n", "line 2: histogram: "},
	} {
		r := &logReader{lines: newLineReader(latencyName, strings.NewReader(tt.log))}
		_, err := r.next()
		if err == nil || !strings.HasPrefix(err.Error(), latencyName+" line ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.log, err, tt.want)
		}
	}
}

func TestALogThatEndsWithinALineSaysSo(t *testing.T) {
	r := &logReader{lines: newLineReader(latencyName, strings.NewReader(logHead+"Tag=a|raw,1,1"))}
	if _, err := r.next(); !errors.Is(err, errCut) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
}

func TestALineWithoutEndIsNotReadIntoMemory(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(logHead), io.LimitReader(zeros{}, maxLine+1<<20))
	r := &logReader{lines: newLineReader(latencyName, endless)}
	if _, err := r.next(); err == nil || !strings.Contains(err.Error(), "line 2: longer than 64 MiB") {
		t.Errorf("error %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestSecondsAreExactToTheNanosecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, maxSeconds*1e9).Draw(t, "ns"))
		text := string(seconds(want).appendTo(nil))
		if got, err := parseSeconds(text); got != want || err != nil {
			t.Fatalf("%v is %q and reads back as %v, %v", want, text, got, err)
		}
		if strings.ContainsAny(text, "e-+") || strings.HasSuffix(text, ".") {
			t.Fatalf("%v is %q", want, text)
		}
	})
}

func FuzzHistogramLog(f *testing.F) {
	if log, err := os.ReadFile(fixtureV1 + "/" + latencyName); err == nil {
		f.Add(log[:min(len(log), 5000)])
	}
	f.Add([]byte(logHead + "Tag=a|raw,1,1,1,HISTFAAAACR42pNpmSzMwMDAwgABzFCaEURcm7yEwf4DRGD+FkYmAGgmBeE=\n"))
	f.Add([]byte(logHead + "Tag=%,|,,,\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		r := &logReader{lines: newLineReader(latencyName, bytes.NewReader(log))}
		for {
			e, err := r.next()
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Fatalf("error of several lines: %q", err)
				}
				return
			}
			if e.from < 0 || e.to < e.from || e.latency.Count() < 0 {
				t.Fatalf("read %+v", e)
			}
		}
	})
}
