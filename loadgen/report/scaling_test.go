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

	"scalableappbackend/loadgen/document"
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
	story, _, _ := strings.Cut(text[at+1:], "\nlatency histogram")
	return story
}

func TestTheStoryOfTheSeedsRunFitsOneScreen(t *testing.T) {
	story := storyOf(t, scaledText(t, grownRun(), 100))
	if n := strings.Count(story, "\n"); n > 52 {
		t.Errorf("%d lines of 100 columns, want at most 52:\n%s", n, story)
	}
}

func TestAStoryStandsBetweenTheThresholdsAndWhatIsLookedUp(t *testing.T) {
	s := realTimeRun()
	s.final.Thresholds = []result.Outcome{outcome(true, "p(99)<1s", 20, "was 20.0 ms")}
	s.summed = nil
	got := scaledText(t, s, 100)
	thresholds, story, endpoints := strings.Index(got, "\nthresholds "), strings.Index(got, "\nscaling "), strings.Index(got, "\nall endpoints ")
	if thresholds < 0 || thresholds > story || story > endpoints {
		t.Errorf("thresholds at %d, story at %d, endpoints at %d", thresholds, story, endpoints)
	}
}

func TestNoLineOfAStoryIsWiderThanAskedFor(t *testing.T) {
	check := func(name, text string, width int) {
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width && !verbatim(line) {
				t.Errorf("%s at %d has a line of %d: %s", name, width, n, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s at %d has blanks at the end of %q", name, width, line)
			}
		}
	}
	for width := document.MinWidth; width <= document.MaxWidth; width += 9 {
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
		v := verdict(in)
		if _, got, _ := strings.Cut(v.Sum, "0 errors"); got != row.want {
			t.Errorf("%s, %v: %q, want it to end in %q", row.validity, row.passed, v.Sum, row.want)
		}
		if failing := v.SumTone == document.Bad; failing != slices.Contains(row.passed, false) {
			t.Errorf("%v: failing is %t", row.passed, failing)
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

func TestWindowsAfterTheEndOfTheTimelineAreInNoSeries(t *testing.T) {
	s := grownRun()
	tl := *s.timeline
	tl.End, tl.LoadTo = 30*time.Second, 30*time.Second
	load, err := ofWindows(spanOf(&tl), s.each())
	if err != nil {
		t.Fatal(err)
	}
	var done, want float64
	for _, p := range load[1].Points {
		if p.From >= tl.End {
			t.Errorf("a point from %v", p.From)
		}
		done += p.Value * (p.To - p.From).Seconds()
	}
	for _, w := range s.windows {
		if w.To <= tl.End {
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
