package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// storyOf cuts the story out of a report.
func storyOf(t *testing.T, text string) string {
	t.Helper()
	at := strings.Index(text, "\nscaling ")
	if at < 0 {
		t.Fatalf("no story:\n%s", text)
	}
	story, _, _ := strings.Cut(text[at+1:], "\n\n")
	return story + "\n"
}

func TestTheStoryOfTheSeedsRunFitsOneScreen(t *testing.T) {
	story := storyOf(t, scaledText(t, grownRun(), 100))
	if n := strings.Count(story, "\n"); n > 46 {
		t.Errorf("%d lines of 100 columns, want at most 46:\n%s", n, story)
	}
}

func TestAStoryStandsBetweenTheEndpointsAndTheThresholds(t *testing.T) {
	got := scaledText(t, realTimeRun(), 100)
	endpoints, story, thresholds := strings.Index(got, "all endpoints"), strings.Index(got, "\nscaling "), strings.Index(got, "\nthresholds ")
	if endpoints < 0 || endpoints > story || story > thresholds {
		t.Errorf("endpoints at %d, story at %d, thresholds at %d", endpoints, story, thresholds)
	}
}

func TestNoLineOfAStoryIsWiderThanAskedFor(t *testing.T) {
	check := func(name, text string, width int) {
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width && !strings.HasPrefix(line, "more ") {
				t.Errorf("%s at %d has a line of %d: %s", name, width, n, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s at %d has blanks at the end of %q", name, width, line)
			}
		}
	}
	for width := MinWidth; width <= maxWidth; width += 9 {
		for _, s := range scaledSamples {
			check(s.name, scaledText(t, s.made(), width), width)
		}
		for _, s := range simulations {
			var b bytes.Buffer
			if err := s.write(&b, Options{Width: width}); err != nil {
				t.Fatal(err)
			}
			check(s.name, b.String(), width)
		}
	}
}

func TestColourIsAllThatColourAddsToAStory(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, s := range scaledSamples {
		in := s.made().input()
		in.Options.Color = true
		var b bytes.Buffer
		if err := Write(&b, "text", in); err != nil {
			t.Fatal(err)
		}
		if got := escapes.ReplaceAllString(b.String(), ""); got != scaledText(t, s.made(), 0) {
			t.Errorf("%s without its colours is\n%s", s.name, got)
		}
	}
}

func TestExpectationsCountInTheFirstLinesButNotOfAnInvalidRun(t *testing.T) {
	for _, row := range []struct {
		validity result.Validity
		passed   []bool
		want     string // after the errors
	}{
		{result.Valid, []bool{true, true}, ", 2 expectations passed"},
		{result.Valid, []bool{true, false}, ", 1 of 2 expectations failed"},
		{result.Valid, []bool{false}, ", expectation failed"},
		{result.Suspect, []bool{true}, ", 1 expectation passed"},
		{result.Invalid, []bool{true, false}, ""},
		{result.Valid, nil, ""},
	} {
		r := &result.Result{Verdict: result.Verdict{Validity: row.validity}}
		r.Totals.Requests = 9
		in := Input{Result: r, Timeline: recorded("max-3")}
		for _, p := range row.passed {
			in.Expectations = append(in.Expectations, outcome(p, "errors==0", 0, "errors was 0"))
		}
		f := gather(in)
		if _, got, _ := strings.Cut(f.sum, "0 errors"); got != row.want {
			t.Errorf("%s, %v: %q, want it to end in %q", row.validity, row.passed, f.sum, row.want)
		}
		if f.failing != slices.Contains(row.passed, false) {
			t.Errorf("%v: failing is %t", row.passed, f.failing)
		}
		var b bytes.Buffer
		if err := Write(&b, "text", in); err != nil {
			t.Fatal(err)
		}
		if unfit := strings.Contains(b.String(), "that an unfit generator sent"); unfit != (row.validity == result.Invalid) {
			t.Errorf("%s: %t that the generator was unfit:\n%s", row.validity, unfit, b.String())
		}
	}
}

func TestFiguresAreTheResultsOrFollowFromTheTimeline(t *testing.T) {
	f := timeline.Compute(recorded("max-3"), nil, timeline.Capacity{})
	f.TaskHours = 4711
	own, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		elasticity string
		want       string
	}{
		{string(own), "task-hours 4,711"},
		{"", "task-hours 3.72"},
		{`{"task_hours":"many"}`, "task-hours 3.72"},
		{`[`, "task-hours 3.72"},
	} {
		r := &result.Result{Verdict: result.Verdict{Validity: result.Valid}, Elasticity: json.RawMessage(row.elasticity)}
		var b bytes.Buffer
		if err := Write(&b, "text", Input{Result: r, Timeline: recorded("max-3")}); err != nil || !strings.Contains(b.String(), row.want) {
			t.Errorf("%.30q: %v, want %q in\n%s", row.elasticity, err, row.want, b.String())
		}
	}
}

func TestWindowsThatBreakOffAreShownAsFarAsTheyGo(t *testing.T) {
	s := grownRun()
	in := s.input()
	broken := errors.New("latency.hlog line 7: not a histogram")
	in.Windows = iter.Seq2[*result.Window, error](func(yield func(*result.Window, error) bool) {
		for _, w := range s.windows[:90] {
			if !yield(w, nil) {
				return
			}
		}
		yield(nil, broken)
	})
	for _, format := range []string{"text", "markdown"} {
		var b bytes.Buffer
		if err := Write(&b, format, in); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "could be read: "+broken.Error()) || !strings.Contains(b.String(), "latency p99") {
			t.Errorf("%s leaves out the error or what was read:\n%s", format, b.String())
		}
	}
}

func TestWindowsAfterTheEndOfTheTimelineAreInNoColumn(t *testing.T) {
	s := grownRun()
	g := grid{length: 30 * time.Second, columns: 60}
	tr := ofWindows(g, s.each())
	if h := tr.latency[59]; h == nil || h.Count() == 0 || h.Count() > 400 {
		t.Errorf("the last half second has %d latencies, want those of one window", tr.latency[59].Count())
	}
	var done, want float64
	for _, n := range tr.done {
		done += n
	}
	for _, w := range s.windows {
		if w.To <= g.length {
			want += float64(w.Endpoints[0].Requests + w.Endpoints[1].Requests)
		}
	}
	if math.Abs(done-want) > 1e-6*want {
		t.Errorf("%v requests, want %v", done, want)
	}
}

func TestWhatIsNotKnownOfTheLoadHasNoRow(t *testing.T) {
	in := grownRun().input()
	in.Windows = nil
	var b bytes.Buffer
	if err := Write(&b, "text", in); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"\noffered", "\ndone", "\nlatency p50"} {
		if strings.Contains(b.String(), row) {
			t.Errorf("without windows there is a row %q:\n%s", row, b.String())
		}
	}
	if !strings.Contains(b.String(), "\nhealthy ") {
		t.Errorf("without windows there is no capacity:\n%s", b.String())
	}
}

func TestALoadThatIsTooShortForTheAlarmIsSaid(t *testing.T) {
	decided := timeline.Lags{Decision: &timeline.Span{}}
	for _, row := range []struct {
		service time.Duration
		speedup float64
		lags    timeline.Lags
		want    string // empty: nothing is said
		why     string
	}{
		{3 * time.Minute, 1, decided, "begin to serve just as the load ends; give it longer (-t 15m), or compress the clock", "the seed's load in real time"},
		{4 * time.Minute, 1, decided, "just as the load ends", "the last that is too short"},
		{4*time.Minute + 1, 1, decided, "", "the new tasks serve"},
		{3 * time.Minute, 1, timeline.Lags{}, "", "the load was too low, not too short"},
		{2 * time.Minute, 1, timeline.Lags{}, "lasted 2:00", "no alarm can come"},
		{2 * time.Minute, 20, timeline.Lags{}, "give it longer (-t 15m).", "compressed already"},
		{0, 1, timeline.Lags{}, "", "no load"},
	} {
		f := timeline.Figures{Speedup: row.speedup, Load: timeline.Span{Service: row.service}, Lags: row.lags}
		got := strings.Join(shortLoad(&f), "\n")
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%v at %v: %q, want %q: %s", row.service, row.speedup, got, row.want, row.why)
		}
	}
}

func TestATimelineFromOutsideCannotDriveTheTerminalNorMarkdown(t *testing.T) {
	const evil = "x\x1b[2J\x1b]0;owned\a\r\n```\n\u202e| a | `b` <script>@all [link](http://evil) *y* \x00\xff"
	tl := recorded("seed-hour")
	for i := range tl.Metrics {
		tl.Metrics[i].Policy = evil
	}
	tl.Metrics[0].Policy = "```"
	for i := range tl.Alarms {
		tl.Alarms[i].Policy, tl.Alarms[i].Alarm = evil, evil
	}
	for i := range tl.Activities {
		a := &tl.Activities[i]
		a.Policy, a.Cause, a.StatusMessage = evil, evil, evil
		if a.NotScaledReasons != nil {
			a.NotScaledReasons = []string{evil}
		}
	}
	for i := range tl.Tasks {
		k := &tl.Tasks[i]
		k.ID, k.Zone, k.Reason = evil, evil, evil
	}
	tl.Events = []timeline.Event{{Type: evil, Detail: evil}}
	r := &result.Result{Verdict: result.Verdict{Validity: result.Valid}}
	in := Input{Result: r, Timeline: tl, Expectations: []result.Outcome{{Expression: evil, Detail: evil}}}
	for _, format := range []string{"text", "markdown"} {
		var b bytes.Buffer
		if err := Write(&b, format, in); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
				t.Errorf("%s holds %U", format, r)
			}
		}
		if format == "text" {
			continue
		}
		before, rest, _ := strings.Cut(b.String(), "```text\n")
		chart, after, _ := strings.Cut(rest, "```\n")
		if strings.Contains(chart, "`") || !strings.Contains(chart, "draining") {
			t.Errorf("the chart's code ends early:\n%s", chart)
		}
		outside := withoutCode(before + after)
		for _, bad := range []string{"<script", "@all", "](http"} {
			if at := strings.Index(outside, bad); at > 0 && outside[at-1] != '\\' && bad != "@all" || bad == "@all" && at >= 0 {
				t.Errorf("markdown holds %q: %.80q", bad, outside[max(0, at-20):])
			}
		}
		want := 0
		for line := range strings.Lines(after) {
			if !strings.HasPrefix(line, "|") {
				want = 0
				continue
			}
			cells := strings.Count(line, "|") - strings.Count(line, `\|`)
			if want == 0 {
				want = cells
			}
			if cells != want {
				t.Errorf("a row of %d bars in a table of %d: %s", cells, want, line)
			}
		}
	}
}

// drawTimeline is any timeline without activities.
func drawTimeline(t *rapid.T) *timeline.Timeline {
	end := time.Duration(rapid.Int64Range(int64(time.Second), int64(30*time.Hour)).Draw(t, "end"))
	tl := &timeline.Timeline{
		Speedup: rapid.SampledFrom([]float64{1, 20, 50}).Draw(t, "speedup"), LoadTo: end / 2, End: end, Min: 1,
		Max: rapid.SampledFrom([]int{3, 9, 20, 5000}).Draw(t, "max"),
	}
	at := time.Duration(0)
	for range rapid.IntRange(1, 40).Draw(t, "points") {
		p := timeline.Point{At: at, Desired: rapid.IntRange(1, tl.Max).Draw(t, "desired"), Running: rapid.IntRange(0, tl.Max).Draw(t, "running"), Draining: rapid.IntRange(0, 3).Draw(t, "draining")}
		p.Healthy = rapid.IntRange(0, p.Running).Draw(t, "healthy")
		tl.Points = append(tl.Points, p)
		at += time.Duration(rapid.Int64Range(1, int64(end)/4).Draw(t, "for"))
		if at >= end {
			break
		}
	}
	return tl
}

func TestNothingThatWasHeldForAnyTimeIsLostBetweenColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tl := drawTimeline(t)
		if err := tl.Validate(); err != nil {
			t.Fatal(err)
		}
		g := gridOf(tl, rapid.IntRange(MinWidth, maxWidth).Draw(t, "width"))
		healthy := capacity(tl, g, func(p timeline.Point) int { return p.Healthy }, func(a, b int) int { return min(a, b) })
		draining := capacity(tl, g, func(p timeline.Point) int { return p.Draining }, func(a, b int) int { return max(a, b) })
		fewest, most := math.MaxInt, 0
		for _, p := range tl.Points {
			fewest, most = min(fewest, p.Healthy), max(most, p.Draining)
		}
		if slices.Min(healthy) != fewest || slices.Max(draining) != most {
			t.Fatalf("at least %d healthy and at most %d draining, want %d and %d", slices.Min(healthy), slices.Max(draining), fewest, most)
		}
		for _, row := range newChart(tl, newTraffic(g)).rows {
			if n := utf8.RuneCountInString(row.cells); n != g.columns {
				t.Fatalf("row %s has %d columns, want %d: %q", row.name, n, g.columns, row.cells)
			}
		}
	})
}

func TestRequestsSpreadOverColumnsAreAsManyAsBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "length"))
		tr := newTraffic(grid{length: length, columns: rapid.IntRange(40, 140).Draw(t, "columns")})
		var offered, known float64
		for range rapid.IntRange(1, 30).Draw(t, "stretches") {
			from := time.Duration(rapid.Int64Range(0, int64(length)-1).Draw(t, "from"))
			to := from + time.Duration(rapid.Int64Range(1, int64(length-from)).Draw(t, "for"))
			n := rapid.Float64Range(0, 1e6).Draw(t, "requests")
			tr.spread(from, to, n, 0)
			offered, known = offered+n, known+(to-from).Seconds()
		}
		var got, time float64
		for c := range tr.columns {
			got, time = got+tr.offered[c], time+tr.known[c].Seconds()
		}
		if math.Abs(got-offered) > 1e-6*(1+offered) || math.Abs(time-known) > 1e-6*(1+known) {
			t.Fatalf("%v requests in %v s, want %v in %v", got, time, offered, known)
		}
	})
}
