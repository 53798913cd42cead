package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// drawRun is any run of two endpoints over a few seconds.
func drawRun(t *rapid.T) *sample {
	p := seedPlan()
	p.RunTime = plan.Duration(rapid.IntRange(2, 12).Draw(t, "seconds")) * plan.Duration(time.Second)
	s := begin(p, 0, "GET /", "GET /health")
	latency := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(math.Pow(10, rapid.Float64Range(3, 10.5).Draw(t, "log10 ns")))
	})
	for range rapid.IntRange(1, 60).Draw(t, "requests") {
		w := s.windows[rapid.IntRange(0, len(s.windows)-1).Draw(t, "window")]
		e := rapid.IntRange(0, 1).Draw(t, "endpoint")
		if rapid.IntRange(0, 5).Draw(t, "outcome") == 0 {
			failed(w, e, w.From, latency.Draw(t, "to failure"), "reset", "connection reset")
		} else {
			done(w, e, latency.Draw(t, "raw"), latency.Draw(t, "lag"), 0)
		}
	}
	return s
}

// agreed is what every format must agree on, in the words of package units.
type agreed struct{ requests, errors, rawP99, correctedP99 string }

func figuresOf(r *result.Result) agreed {
	ms := func(l result.Latency) string {
		if l.Count == 0 {
			return units.None
		}
		return units.Milliseconds(l.P99)
	}
	return agreed{units.Count(r.Totals.Requests), units.Count(r.Totals.Failures), ms(r.Totals.Latency.Raw), ms(r.Totals.Latency.Corrected)}
}

func written(t *rapid.T, format string, in Input) string {
	var b bytes.Buffer
	if err := Write(&b, format, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unit gives a latency of the table its unit again.
func unit(cell string) string {
	if cell == units.None || strings.HasSuffix(cell, " s") {
		return cell
	}
	return cell + " ms"
}

// textFigures reads the counts in the row over all endpoints, and the latencies in the table of the whole run.
func textFigures(t *rapid.T, text string) agreed {
	row := func(name string) []string {
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				var cells []string // "1.25 s" is two words
				for w := range strings.FieldsSeq(rest) {
					if w == "s" {
						cells[len(cells)-1] += " s"
					} else {
						cells = append(cells, w)
					}
				}
				return cells
			}
		}
		return nil
	}
	latency := func(name string) string {
		if cells := row(name); cells != nil {
			return unit(cells[2])
		}
		return units.None
	}
	counts := row("all endpoints")
	if counts == nil {
		t.Fatalf("no row over all endpoints:\n%s", text)
	}
	return agreed{counts[0], counts[1], latency("raw"), latency("corrected")}
}

func markdownFigures(t *rapid.T, text string) agreed {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| **all endpoints** |") {
			c := strings.Split(strings.TrimSpace(line), " | ")
			// errors are bold when there are some
			return agreed{c[1], strings.Trim(c[2], "*"), unit(c[6]), unit(c[10])}
		}
	}
	t.Fatalf("no row over all endpoints:\n%s", text)
	return agreed{}
}

func TestEveryFormatSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawRun(t)
		r := s.result()
		want := figuresOf(r)
		in := s.input()

		for _, in.Options.Width = range []int{80, 120} {
			if got := textFigures(t, written(t, "text", in)); got != want {
				t.Fatalf("text of %d columns says %+v, want %+v\n%s", in.Options.Width, got, want, written(t, "text", in))
			}
		}
		if got := markdownFigures(t, written(t, "markdown", in)); got != want {
			t.Fatalf("markdown says %+v, want %+v", got, want)
		}

		var read result.Result
		if err := json.Unmarshal([]byte(written(t, "json", in)), &read); err != nil {
			t.Fatal(err)
		}
		if got := figuresOf(&read); got != want {
			t.Fatalf("json says %+v, want %+v", got, want)
		}

		// CSV: raw latency, failures included, so that its p99 is that of all latencies together.
		var all, corrected result.Histogram
		for _, w := range s.windows {
			for i := range w.Endpoints {
				all.Merge(w.Endpoints[i].Raw)
				all.Merge(w.Endpoints[i].Failed)
				corrected.Merge(w.Endpoints[i].Corrected)
			}
		}
		rows, err := csv.NewReader(strings.NewReader(written(t, "csv", in))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		row := rows[len(rows)-1]
		wholeMS := strconv.FormatFloat(math.RoundToEven(all.Quantile(0.99).Seconds()*1000), 'f', -1, 64)
		if row[1] != "Aggregated" || row[2] != fmt.Sprint(r.Totals.Requests) || row[3] != fmt.Sprint(r.Totals.Failures) || row[18] != wholeMS {
			t.Fatalf("csv says %q, want %d requests, %d failures, p99 %s", row, r.Totals.Requests, r.Totals.Failures, wholeMS)
		}

		// HDR: the lines around 99 % enclose p99, and the counts are exact.
		below, above := 0.0, math.Inf(1)
		text := written(t, "hdr", in)
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) < 3 || line[0] == '#' || words[0] == "Value" {
				continue
			}
			value, _ := strconv.ParseFloat(words[0], 64)
			switch level, _ := strconv.ParseFloat(words[1], 64); {
			case level <= 0.99:
				below = max(below, value)
			default:
				above = min(above, value)
			}
		}
		p99 := r.Totals.Latency.Corrected.P99
		if corrected.Count() > 0 && (p99 < below || p99 > above) {
			t.Fatalf("hdr encloses p99 in %v to %v, want %v in it\n%s", below, above, p99, text)
		}
		if want := fmt.Sprintf("\n#[Max     = %12.3f, Total count    = %12d]\n", r.Totals.Latency.Corrected.Max, corrected.Count()); !strings.Contains(text, want) {
			t.Fatalf("hdr has no line %q\n%s", want, text)
		}
		if want := fmt.Sprintf("%d requests, %d errors", r.Totals.Requests, r.Totals.Failures); !strings.Contains(text, want) {
			t.Fatalf("hdr does not say %q\n%s", want, text)
		}
	})
}

func TestJSONIsTheFileByteForByte(t *testing.T) {
	s := named(t, "interrupted")
	want, err := result.Encode(s.result())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, "json", s.input()); err != nil || !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%v, %d bytes that differ from the file's %d", err, b.Len(), len(want))
	}
}

func TestEveryNumberOfTheTextIsInTheMarkdown(t *testing.T) {
	number := regexp.MustCompile(`[0-9][0-9,.:]*[0-9]|[0-9]`)
	check := func(name string, in Input) {
		said := map[string]bool{}
		in.Options.Width = 100 // at which the chart is that of the Markdown
		var md, text bytes.Buffer
		if err := errors.Join(Write(&md, "markdown", in), Write(&text, "text", in)); err != nil {
			t.Fatal(err)
		}
		for _, n := range number.FindAllString(md.String(), -1) {
			said[n] = true
		}
		for _, n := range number.FindAllString(text.String(), -1) {
			if !said[n] {
				t.Errorf("%s: %s is in the text alone", name, n)
			}
		}
	}
	for _, s := range samples {
		if s.name != "many" { // whose names are too long for a line of text
			check(s.name, s.made().input())
		}
	}
	for _, s := range scaledSamples {
		check(s.name, s.made().input())
	}
}
