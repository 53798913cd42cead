package report

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func text(t *testing.T, r *result.Result, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, "text", Input{Result: r, Options: o}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTracesToLookUpAreShownAndTheRestCounted(t *testing.T) {
	example := func(ms float64, message string, n int) result.ExampleJSON {
		return result.ExampleJSON{Endpoint: "GET /", LatencyMS: ms, Error: message, TraceID: strings.Repeat("0", 31) + string(rune('0'+n))}
	}
	r := &result.Result{}
	if got := traces(r); got != nil {
		t.Errorf("without traces: %q", got)
	}
	r.Exemplars = &result.ExemplarsJSON{}
	for i := range 5 {
		r.Exemplars.Slowest = append(r.Exemplars.Slowest, example(float64(90-i), "", i))
	}
	r.Exemplars.Failed = append(r.Exemplars.Failed, example(1, "503 Service Unavailable", 7))
	want := []string{
		"90.0 ms GET / 00000000000000000000000000000000", "89.0 ms GET / 00000000000000000000000000000001", "88.0 ms GET / 00000000000000000000000000000002",
		"503 Service Unavailable: GET / 00000000000000000000000000000007", "2 more in result.json, exemplars",
	}
	if got := traces(r); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheFirstWordIsTheVerdict(t *testing.T) {
	for _, s := range samples {
		got := text(t, s.made().result(), Options{})
		if first, _, _ := strings.Cut(got, " "); first != string(s.made().result().Verdict.Validity) {
			t.Errorf("%s begins with %q", s.name, first)
		}
	}
}

func TestTheReportOfARunIsNotLong(t *testing.T) {
	for _, name := range []string{"seed", "suspect", "invalid", "interrupted"} {
		s := named(t, name)
		s.options.Width = 100
		if n := strings.Count(text(t, s.result(), s.options), "\n"); n > 60 {
			t.Errorf("%s takes %d lines of 100 columns, want at most 60", name, n)
		}
	}
}

func TestNoLineIsWiderThanAskedFor(t *testing.T) {
	for _, s := range samples {
		for width := document.MinWidth; width <= document.MaxWidth; width += 5 {
			in := s.made().input()
			in.Options.Width = width
			for line := range strings.Lines(text(t, in.Result, in.Options)) {
				line = strings.TrimSuffix(line, "\n")
				if n := utf8.RuneCountInString(line); n > width && !verbatim(line) {
					t.Errorf("%s at %d has a line of %d: %s", s.name, width, n, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("%s at %d has blanks at the end of %q", s.name, width, line)
				}
			}
		}
	}
}

// verbatim says that a line may be as long as it is: what is copied, and a word that cannot be broken.
func verbatim(line string) bool {
	return strings.HasPrefix(line, "result ") || strings.HasPrefix(line, "more ") || len(strings.Fields(line)) == 1
}

func TestWidthsOutOfRangeAreTheNearestOfTheRange(t *testing.T) {
	r := named(t, "seed").result()
	for _, row := range [][2]int{{0, DefaultWidth}, {1, document.MinWidth}, {document.MinWidth - 1, document.MinWidth}, {10_000, document.MaxWidth}, {-5, document.MinWidth}} {
		if text(t, r, Options{Width: row[0]}) != text(t, r, Options{Width: row[1]}) {
			t.Errorf("width %d is not laid out as %d", row[0], row[1])
		}
	}
}

func TestColourIsAllThatColourAdds(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, s := range samples {
		r := s.made().result()
		plain, coloured := text(t, r, Options{}), text(t, r, Options{Color: true})
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s has colours that nobody asked for", s.name)
		}
		if !strings.Contains(coloured, "\x1b[1;3") {
			t.Errorf("%s has no coloured verdict", s.name)
		}
		if got := escapes.ReplaceAllString(coloured, ""); got != plain {
			t.Errorf("%s without its colours is\n%s\nwant\n%s", s.name, got, plain)
		}
		for line := range strings.Lines(coloured) {
			if strings.Count(line, "\x1b[0m")*2 != strings.Count(line, "\x1b[") {
				t.Errorf("%s leaves a colour on at the end of %q", s.name, line)
			}
		}
	}
}

func TestAnInvalidRunMakesNoClaim(t *testing.T) {
	r := named(t, "invalid").result()
	const heading = "These numbers describe the generator, not the service."
	for format, got := range map[string]string{"text": text(t, r, Options{}), "markdown": markdown(t, r)} {
		before, after, found := strings.Cut(got, heading)
		if !found || !strings.Contains(before, "These numbers say nothing about the service") {
			t.Errorf("%s does not say what its numbers are:\n%s", format, got)
		}
		for what, value := range map[string]string{
			"rate": units.Rate(r.Totals.RequestsPerSecond), "raw p99": units.Milliseconds(r.Totals.Latency.Raw.P99), "corrected p99": units.Milliseconds(r.Totals.Latency.Corrected.P99),
		} {
			if strings.Contains(before, value) {
				t.Errorf("%s claims a %s of %s", format, what, value)
			}
			if !strings.Contains(after, strings.TrimSuffix(value, " ms")) {
				t.Errorf("%s leaves out the %s of %s", format, what, value)
			}
		}
		if strings.Contains(before, "threshold") {
			t.Errorf("%s judges the service by thresholds: %s", format, before)
		}
	}
	for _, name := range []string{"seed", "suspect"} {
		if got := text(t, named(t, name).result(), Options{}); strings.Contains(got, heading) || !strings.Contains(strings.Join(strings.SplitN(got, "\n", 3)[:2], ""), "379.6/s") {
			t.Errorf("%s makes no claim:\n%s", name, got)
		}
	}
}

func markdown(t *testing.T, r *result.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, "markdown", Input{Result: r}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestARunThatIsNotWholeSaysSoBeforeAnyTable(t *testing.T) {
	for name, want := range map[string]string{
		"interrupted": "INTERRUPTED after 1m12s of 3m by signal: interrupt.",
		"many":        "STOPPED EARLY after 1m30s of 1m30s by abort-on error_rate>50%: error_rate was 61 %.",
		"empty":       "CUT after 500ms of 3m:",
	} {
		got := text(t, named(t, name).result(), Options{Width: 160})
		head, _, _ := strings.Cut(got, "latency, ms ")
		if !strings.Contains(head, want) {
			t.Errorf("%s begins with\n%s\nwant in it %q", name, head, want)
		}
	}
}

func TestManyEndpointsShowThoseThatMatterAndCountTheRest(t *testing.T) {
	for _, width := range []int{120, 80, 50} {
		got := text(t, named(t, "many").result(), Options{Width: width})
		_, table, _ := strings.Cut(got, "latency histogram")
		table, _, _ = strings.Cut(table, "all endpoints")
		if n := strings.Count(table, "/stock") + strings.Count(table, "POST /login"); n != maxEndpoints {
			t.Errorf("%d endpoints at %d columns, want %d", n, width, maxEndpoints)
		}
		if rest := strings.Join(strings.Fields(table), " "); !strings.Contains(rest, "and "+units.Count(500-maxEndpoints)+" more: see result.json.") || !strings.Contains(rest, "POST /login") {
			t.Errorf("the rest is not counted, or one with errors is left out:\n%s", table)
		}
	}
}

func TestConnectionsToOneAddressGetAHintWhereABalancerCanBe(t *testing.T) {
	for _, row := range []struct {
		address string
		change  func(*plan.Plan)
		want    string
		why     string
	}{
		{"203.0.113.7:443", func(*plan.Plan) {}, "--connection-max-age 30s", "a public address"},
		{"10.0.0.7:80", func(*plan.Plan) {}, "--connection-max-age 30s", "a private one"},
		{"203.0.113.7:443", func(p *plan.Plan) { p.Client.NoKeepAlive = true }, "look at its DNS record", "each request has a new connection already"},
		{"127.0.0.1:8080", func(*plan.Plan) {}, "", "this machine"},
		{"[::1]:8080", func(*plan.Plan) {}, "", "this machine"},
		{"[::ffff:127.0.0.1]:80", func(*plan.Plan) {}, "", "this machine"},
	} {
		p := seedPlan()
		row.change(&p)
		r := &result.Result{Plan: p, Connections: result.Connections{Opened: 9, ByAddress: map[string]int64{row.address: 9}}}
		got := strings.Join(connections(r), "\n")
		if hint := strings.Contains(got, "hint:"); hint != (row.want != "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want a hint with %q: %s", row.address, got, row.want, row.why)
		}
	}
}

func TestAPathIsQuotedWhereAShellWouldTakeItApart(t *testing.T) {
	for path, want := range map[string]string{
		"loadgen-results/20260304T050607Z": "loadgen-results/20260304T050607Z",
		`C:\runs\1`:                        `C:\runs\1`,
		"my runs/1":                        "'my runs/1'",
		"it's":                             `'it'\''s'`,
		"$(reboot)":                        "'$(reboot)'",
	} {
		if got := quoted(path); got != want {
			t.Errorf("quoted(%q) = %s, want %s", path, got, want)
		}
	}
}

func TestWhatWasPublishedAndWhatWasNotIsTold(t *testing.T) {
	for _, c := range []struct {
		why  string
		d    result.Delivery
		want []string
	}{
		{"all of it", result.Delivery{To: "CloudWatch, service a", What: "datums", Sent: 1432, Calls: 9},
			[]string{"CloudWatch, service a: 1,432 datums in 9 requests"}},
		{"no requests are made for it", result.Delivery{To: "EMF on stdout", What: "lines", Sent: 12}, []string{"EMF on stdout: 12 lines"}},
		{"a part, in the end", result.Delivery{To: "CloudWatch, service a", What: "datums", Sent: 20, Lost: 12, Calls: 9, Retries: 2, Reason: "HTTP 503"},
			[]string{"CloudWatch, service a: 20 datums in 9 requests, 2 of them a second try", "not published: 12 of 32 datums: HTTP 503"}},
	} {
		if got := published(&result.Result{Deliveries: []result.Delivery{c.d}}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}
