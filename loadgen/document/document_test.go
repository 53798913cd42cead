package document

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func text(t interface{ Fatal(...any) }, o Layout, blocks ...Block) string {
	var b bytes.Buffer
	if err := Text(&b, &Document{Blocks: blocks}, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func marked(t interface{ Fatal(...any) }, blocks ...Block) string {
	var b bytes.Buffer
	if err := Markdown(&b, &Document{Blocks: blocks}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// drawDocument is any document of words that fit into a line.
func drawDocument(t *rapid.T) []Block {
	words := rapid.StringMatching(`([a-z]{1,9} |[0-9]{1,3}\.[0-9] ms |[0-9]{1,6} ){1,12}`)
	word := rapid.StringMatching(`[a-z]{1,9}[0-9]{0,3}`)
	number := rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,2})?`)
	tone := rapid.Custom(func(t *rapid.T) Tone { return Tone(rapid.IntRange(0, int(StrongBad)).Draw(t, "tone")) })
	table := rapid.Custom(func(t *rapid.T) Table {
		b := Table{Label: rapid.SampledFrom([]string{"", "errors"}).Draw(t, "label"), Columns: []Column{{Head: "name"}}}
		n := rapid.IntRange(0, 4).Draw(t, "numbers")
		for range n {
			b.Columns = append(b.Columns, Column{Head: word.Draw(t, "head"), Right: true, Spare: 0})
		}
		if rapid.Bool().Draw(t, "grouped") {
			for _, g := range []string{"raw, ms", "corrected, ms"} {
				for _, h := range []string{"p50", "p99"} {
					b.Columns = append(b.Columns, Column{Head: h, Group: g, Right: true})
				}
			}
		} else if rapid.Bool().Draw(t, "wrapped") {
			b.Columns = append(b.Columns, Column{Head: "why", Wrap: true})
		}
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			row := Row{Cells: []Cell{{Text: words.Draw(t, "name"), IsCode: rapid.Bool().Draw(t, "code")}}}
			for _, c := range b.Columns[1:] {
				cell := Cell{Text: number.Draw(t, "cell"), Tone: tone.Draw(t, "tone")}
				if c.Wrap {
					cell.Text = words.Draw(t, "why")
				}
				row.Cells = append(row.Cells, cell)
			}
			b.Rows = append(b.Rows, row)
		}
		return b
	})
	block := rapid.Custom(func(t *rapid.T) Block {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return Verdict{Word: word.Draw(t, "word"), Tone: tone.Draw(t, "tone"), What: words.Draw(t, "what"), Sum: words.Draw(t, "sum"),
				Notes: rapid.SliceOfN(words, 0, 2).Draw(t, "notes"), Reasons: rapid.SliceOfN(words, 0, 2).Draw(t, "reasons")}
		case 1:
			return Section{word.Draw(t, "name"), words.Draw(t, "title")}
		case 2:
			return Note{tone.Draw(t, "tone"), rapid.SampledFrom([]string{"", "the gap"}).Draw(t, "lead"), words.Draw(t, "text")}
		case 3:
			return Facts{{Name: word.Draw(t, "name"), Lines: rapid.SliceOfN(words, 1, 3).Draw(t, "lines")}}
		case 4:
			l := List{Name: word.Draw(t, "name"), None: "none"}
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				l.Items = append(l.Items, Item{Mark: Mark(rapid.IntRange(0, 2).Draw(t, "mark")), Lead: word.Draw(t, "lead"), IsCode: rapid.Bool().Draw(t, "code"),
					Text: words.Draw(t, "text"), Cause: rapid.SampledFrom([]string{"", "alarm 7"}).Draw(t, "cause")})
			}
			return l
		case 5:
			h := Histogram{Name: "latency"}
			for range rapid.IntRange(0, 4).Draw(t, "bins") {
				h.Bins = append(h.Bins, Bin{number.Draw(t, "bound") + " ms", rapid.Int64Range(0, 1e6).Draw(t, "n"), number.Draw(t, "count")})
			}
			return h
		}
		return table.Draw(t, "table")
	})
	return rapid.SliceOfN(block, 1, 5).Draw(t, "blocks")
}

var (
	escape  = regexp.MustCompile("\x1b\\[[0-9;]*m")
	numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
)

func TestNoLineIsWiderThanAskedForAndColourIsAllThatColourAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks, width := drawDocument(t), rapid.IntRange(MinWidth, MaxWidth).Draw(t, "width")
		plain := text(t, Layout{Width: width}, blocks...)
		for line := range strings.Lines(plain) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width {
				t.Fatalf("a line of %d in %d columns: %q\n%s", n, width, line, plain)
			}
			if strings.HasSuffix(line, " ") {
				t.Fatalf("blanks at the end of %q", line)
			}
		}
		coloured := text(t, Layout{Width: width, Color: true}, blocks...)
		if got := escape.ReplaceAllString(coloured, ""); got != plain {
			t.Fatalf("without its colours\n%s\nwant\n%s", got, plain)
		}
		for line := range strings.Lines(coloured) {
			if strings.Count(line, "\x1b[0m")*2 != strings.Count(line, "\x1b[") {
				t.Fatalf("a colour stays on at the end of %q", line)
			}
		}
	})
}

func TestEveryNumberOfTheTextIsInTheMarkdownAndTheOtherWayRound(t *testing.T) {
	count := func(s string) map[string]int {
		all := map[string]int{}
		for _, n := range numbers.FindAllString(s, -1) {
			all[n]++
		}
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		blocks := drawDocument(t)
		a, b := text(t, Layout{Width: rapid.IntRange(60, MaxWidth).Draw(t, "width")}, blocks...), marked(t, blocks...)
		inText, inMarkdown := count(a), count(b)
		for n := range inText {
			if inMarkdown[n] == 0 && !strings.Contains(a, "…") {
				t.Fatalf("%s is in the text alone:\n%s\n%s", n, a, b)
			}
		}
		for n := range inMarkdown {
			if inText[n] == 0 && !strings.Contains(a, "…") {
				t.Fatalf("%s is in the Markdown alone:\n%s\n%s", n, a, b)
			}
		}
	})
}

func TestATableGivesUpWhatCanBeSparedBeforeItFolds(t *testing.T) {
	grouped := Table{Columns: []Column{{Head: "endpoint"}, {Head: "errors", Right: true}}, Rows: []Row{
		{Cells: []Cell{{Text: "GET /a"}, {Text: "7"}, {Text: "1.25"}, {Text: "2.50"}, {Text: "3.75"}, {Text: "5.00"}}},
		{Sub: "phase"},
		{Cells: []Cell{{Text: "steady 0:00-0:10"}, {Text: "0"}, {Text: "1"}, {Text: "2"}, {Text: "3"}, {Text: "4"}}},
	}}
	for _, g := range []string{"raw, ms", "corrected, ms"} {
		for _, h := range []string{"p50", "p99"} {
			grouped.Columns = append(grouped.Columns, Column{Head: h, Group: g, Right: true})
		}
	}
	spare := Table{Columns: []Column{{Head: "task"}, {Head: "placed"}, {Head: "running soon", Spare: 2}, {Head: "healthy later", Spare: 1}}, Rows: []Row{
		{Cells: []Cell{{Text: "task-1"}, {Text: "0:01"}, {Text: "+0:30"}, {Text: "+0:40"}}},
	}}
	for _, row := range []struct {
		table Table
		width int
		want  string
	}{
		{grouped, 80, `
                         | raw, ms     | corrected, ms
endpoint          errors |   p50   p99 |     p50   p99
GET /a                 7 |  1.25  2.50 |    3.75  5.00
phase
steady 0:00-0:10       0 |     1     2 |       3     4
`},
		{grouped, 52, `
endpoint          errors | ms          p50   p99
GET /a                 7 | raw        1.25  2.50
                         | corrected  3.75  5.00
phase
steady 0:00-0:10       0 | raw           1     2
                         | corrected     3     4
`},
		{grouped, 40, `
endpoint  errors | ms          p50   p99
GET /a         7 | raw        1.25  2.50
                 | corrected  3.75  5.00
phase
ste…0:10       0 | raw           1     2
                 | corrected     3     4
`},
		{spare, 50, `
task    placed  running soon  healthy later
task-1  0:01    +0:30         +0:40
`},
		{spare, 40, `
task    placed  healthy later
task-1  0:01    +0:40
`},
	} {
		if got := "\n" + text(t, Layout{Width: row.width}, row.table); got != row.want {
			t.Errorf("at %d:%s\nwant:%s", row.width, got, row.want)
		}
	}
}

func TestATableThatFitsNowhereHasALineForEachRow(t *testing.T) {
	long := Table{Columns: []Column{{Head: "endpoint"}}, Rows: []Row{{Cells: []Cell{{Text: "GET /a"}}}, {Note: "and 7 more"}}}
	for _, h := range []string{"requests", "errors", "rate", "received", "sent"} {
		long.Columns = append(long.Columns, Column{Head: h, Right: true})
		long.Rows[0].Cells = append(long.Rows[0].Cells, Cell{Text: "12,345"})
	}
	want := `GET /a
  requests 12,345, errors 12,345, rate
    12,345, received 12,345, sent 12,345
and 7 more
`
	if got := text(t, Layout{Width: 40}, long); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestACauseThatFollowsItselfIsSaidOnce(t *testing.T) {
	const cause = "alarm cpu-low in state ALARM"
	l := List{Name: "activities", Items: []Item{{Lead: "1:00", Text: "first", Cause: cause}, {Lead: "2:00", Text: "second", Cause: cause}, {Lead: "3:00", Text: "third", Cause: "another"}, {Lead: "4:00", Text: "fourth"}}}
	want := `activities   1:00  first
             2:00  second Cause of these 2: alarm cpu-low in state ALARM
             3:00  third Cause: another
             4:00  fourth
`
	if got := text(t, Layout{}, l); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestOutcomesHaveASignAndAWordInEveryFormat(t *testing.T) {
	l := List{Name: "thresholds", Items: []Item{{Mark: Passed, Lead: "p(99) < 50 ms", IsCode: true, Text: "was 2.40 ms"}, {Mark: Failed, Lead: "rps >= 370", IsCode: true, Text: "was 12.0/s"}}}
	if got, want := text(t, Layout{}, l), "thresholds   ✓ passed  p(99) < 50 ms: was 2.40 ms\n             ✗ FAILED  rps >= 370: was 12.0/s\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if got, want := marked(t, l), "**thresholds**\n\n- ✓ passed `p(99) < 50 ms`: was 2.40 ms\n- **✗ FAILED** `rps >= 370`: was 12.0/s\n\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestALevelIsWrittenWhereItBeginsToHold(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		values []float64
		want   string
		fits   bool
	}{
		{[]float64{2, 2, 2, 6, 6}, "2──6─", true},
		{[]float64{6, 5, 4}, "654", true},
		{[]float64{0, 0, 1}, "0─1", true},
		{[]float64{nan, nan, 1, nan}, "  1 ", true},
		{[]float64{10, 10, 10, 9}, "10─9", true},
		{[]float64{10, 10, 9, 9}, "109─", false}, // a hundred and nine?
		{[]float64{9, 12, 9}, "9129", false},
		{nil, "", true},
	} {
		if got, fits := steps(row.values); got != row.want || fits != row.fits {
			t.Errorf("%v: %q, fits %t; want %q, %t", row.values, got, fits, row.want, row.fits)
		}
	}
}

func TestABarIsAnEighthOfTheHighestAndNothingIsNoBar(t *testing.T) {
	if got, want := DrawBars([]float64{math.NaN(), 0, 0.1, 1, 1.01, 4, 7.9, 8}, 8), " _▁▁▂▄██"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheAxisMarksWholeStepsWithRoomBetweenThem(t *testing.T) {
	for _, row := range []struct {
		length time.Duration
		clocks []Clock
		want   []string
	}{
		{60 * time.Second, []Clock{{"run", 1}, {"service", 50}}, []string{"|0:00     |0:15     |0:30     |0:45", "|0:00     |12:30    |25:00    |37:30"}},
		{90 * time.Minute, []Clock{{"time", 1}}, []string{"|0:00        |30:00       |1:00:00"}},
		{40 * time.Millisecond, []Clock{{"time", 1}}, []string{"|0:00"}},
		{400 * 24 * time.Hour, []Clock{{"time", 1}}, []string{"|0:00"}},
	} {
		ch := &Chart{Length: row.length, Clocks: row.clocks}
		rows := ch.axes(grid{row.length, 40})
		if len(rows) != len(row.want) {
			t.Fatalf("%v: %d rows", row.length, len(rows))
		}
		for i, want := range row.want {
			got := strings.TrimRight(rows[i].cells, " ")
			if row.length > 24*time.Hour { // a century of labels is not worth a line each
				if n := strings.Count(got, "|"); n < 2 || n > 4 {
					t.Errorf("%v: %q", row.length, got)
				}
				continue
			}
			if got != want {
				t.Errorf("%v: %q, want %q", row.length, got, want)
			}
		}
	}
}

// drawPoints are values on end of each other from 0 to an end.
func drawPoints(t *rapid.T, end time.Duration, value *rapid.Generator[float64]) (points []Point) {
	for at := time.Duration(0); at < end; {
		to := min(at+time.Duration(rapid.Int64Range(1, max(1, int64(end)/3)).Draw(t, "for")), end)
		points = append(points, Point{From: at, To: to, Value: value.Draw(t, "value")})
		at = to
	}
	return points
}

func TestNothingThatWasHeldForAnyTimeIsLostBetweenColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := time.Duration(rapid.Int64Range(int64(time.Second), int64(30*time.Hour)).Draw(t, "end"))
		tasks := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(0, 5000).Draw(t, "tasks")) })
		s := Series{Form: Levels, Points: drawPoints(t, end, tasks)}
		g := grid{end, rapid.IntRange(8, 140).Draw(t, "columns")}
		lowest, highest := math.Inf(1), 0.0
		for _, p := range s.Points {
			lowest, highest = min(lowest, p.Value), max(highest, p.Value)
		}
		s.Join = Least
		if got := slices.Min(s.values(g)); got != lowest {
			t.Fatalf("at least %v, want %v", got, lowest)
		}
		s.Join = Most
		if got := slices.Max(s.values(g)); got != highest {
			t.Fatalf("at most %v, want %v", got, highest)
		}
		for _, row := range (&Chart{Length: end, Clocks: []Clock{{"time", 1}}, Series: []Series{s}}).draw(g.columns) {
			if n := utf8.RuneCountInString(row.cells); n != g.columns {
				t.Fatalf("row %s has %d columns, want %d: %q", row.name, n, g.columns, row.cells)
			}
		}
	})
}

func TestRatesSpreadOverColumnsComeToAsManyRequestsAsBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "end"))
		s := Series{Points: drawPoints(t, end, rapid.Float64Range(0, 1e6))}
		g := grid{end, rapid.IntRange(8, 140).Draw(t, "columns")}
		var want, got float64
		for _, p := range s.Points {
			want += p.Value * (p.To - p.From).Seconds()
		}
		for c, v := range s.values(g) {
			got += v * (g.edge(c+1) - g.edge(c)).Seconds()
		}
		if math.Abs(got-want) > 1e-6*(1+want) {
			t.Fatalf("%v requests, want %v", got, want)
		}
	})
}

func TestClippedTextKeepsBothEnds(t *testing.T) {
	for _, row := range []struct {
		text string
		n    int
		want string
	}{
		{"GET /", 5, "GET /"},
		{"GET /a", 5, "GE…/a"},
		{"GET /orders/7/items", 11, "GET /…items"},
		{"éèêëìíîï", 5, "éè…îï"},
	} {
		if got := Clip(row.text, row.n); got != row.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", row.text, row.n, got, row.want)
		}
	}
}

func TestUnbrokenTextHasAFactOnALine(t *testing.T) {
	long := strings.Repeat("word ", 100) + "end"
	d := &Document{Blocks: []Block{
		Verdict{Word: "VALID", What: long, Sum: long, Notes: []string{long}, Reasons: []string{long}},
		Note{Text: long + "\x1b[31m\r\n"},
		Facts{{Name: "a", Lines: []string{long, long}}},
		List{Name: "b", Items: []Item{{Text: long}}},
	}}
	var b strings.Builder
	if err := Text(&b, d, Layout{Unbroken: true, Width: 40}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "word end\n") + strings.Count(b.String(), "word end"); got != strings.Count(b.String(), "word end")*2-1 || strings.Count(b.String(), "word end") != 8 {
		t.Errorf("%d ends of lines:\n%s", got, b.String())
	}
	if strings.ContainsAny(b.String(), "\x1b\r") {
		t.Error("control characters are left")
	}
}
