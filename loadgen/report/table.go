package report

import (
	"strings"
	"unicode/utf8"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
)

// minName is as little of a name as may be shown before the table is folded.
const minName = 18

// table lays out rows of figures: counts, then raw and corrected latency side by side. Where that
// does not fit, corrected stands under raw.
type table struct {
	paint  painter
	width  int
	counts [3]int // widths of requests, errors, rate
	times  [8]int // widths of p50, p95, p99, max, raw and corrected
	name   int
	folded bool
}

var countHeads = [3]string{"requests", "errors", "rate"}

var timeHeads = [4]string{"p50", "p95", "p99", "max"}

const (
	timeWidth = 5 // of a latency at least, so that columns of one table do not crowd
	foldLabel = len("corrected")
)

func counts(s *result.Stats) [3]string {
	return [3]string{units.Count(s.Requests), units.Count(s.Failures), units.Rate(s.RequestsPerSecond)}
}

// times are in milliseconds, without the unit that the table's head names; other units stay.
func times(s *result.Stats) [8]string {
	var cells [8]string
	for i, l := range [2]*result.Latency{&s.Latency.Raw, &s.Latency.Corrected} {
		for j, v := range [4]float64{l.P50, l.P95, l.P99, l.Max} {
			cells[4*i+j] = units.None
			if l.Count > 0 {
				cells[4*i+j] = strings.TrimSuffix(units.Milliseconds(v), " ms")
			}
		}
	}
	return cells
}

// newTable finds the widths that hold all rows, so that several groups of rows stand in one grid.
func newTable(paint painter, width int, rows []row) *table {
	t := &table{paint: paint, width: width}
	for i, h := range countHeads {
		t.counts[i] = len(h)
	}
	for i := range t.times {
		t.times[i] = timeWidth
	}
	for _, r := range rows {
		t.name = max(t.name, utf8.RuneCountInString(r.name))
		for i, c := range counts(r.stats) {
			t.counts[i] = max(t.counts[i], utf8.RuneCountInString(c))
		}
		for i, c := range times(r.stats) {
			t.times[i] = max(t.times[i], utf8.RuneCountInString(c))
		}
	}
	room := width - t.rest()
	if room < min(t.name, minName) {
		t.folded = true
		for i := range 4 {
			t.times[i] = max(t.times[i], t.times[4+i])
		}
		room = width - t.rest()
	}
	t.name = max(min(t.name, room), 8)
	return t
}

// rest is the width of all that stands right of the name.
func (t *table) rest() int {
	w := 0
	for _, c := range t.counts {
		w += 2 + c
	}
	w += len(" | ") + sumOf(t.times[:4])
	if t.folded {
		return w + foldLabel
	}
	return w + len(" | ") + sumOf(t.times[4:])
}

func sumOf(widths []int) int {
	w := 0
	for _, c := range widths {
		w += 1 + c
	}
	return w
}

// head is the heading of the grid; the name column's is left to the groups.
func (t *table) head(group string) []string {
	left := pad(group, t.name, false) + t.figures(countHeads, false)
	blank := strings.Repeat(" ", utf8.RuneCountInString(left))
	if t.folded {
		return []string{t.paint.dim(left + " | " + pad("ms", foldLabel, false) + t.cells(t.times[:4], timeHeads[:]))}
	}
	raw, corrected := t.cells(t.times[:4], timeHeads[:]), t.cells(t.times[4:], timeHeads[:])
	return []string{
		t.paint.dim(strings.TrimRight(blank+" | "+pad("raw, ms", len(raw), false)+" | "+"corrected, ms", " ")),
		t.paint.dim(left + " | " + raw + " | " + corrected),
	}
}

// figures are requests, errors and rate, the errors in red when there are some.
func (t *table) figures(texts [3]string, failing bool) string {
	errors := pad(texts[1], t.counts[1], true)
	if failing {
		errors = t.paint.bad(errors)
	}
	return "  " + pad(texts[0], t.counts[0], true) + "  " + errors + "  " + pad(texts[2], t.counts[2], true)
}

// cells are the given texts, each with a blank before it.
func (t *table) cells(widths []int, texts []string) string {
	var b strings.Builder
	for i, text := range texts {
		b.WriteString(" " + pad(text, widths[i], true))
	}
	return b.String()
}

// lines are one row: one line, or two when folded. A name that is too long for its column then
// takes the whole of the first line, and the counts the second.
func (t *table) lines(r row) []string {
	figures := t.figures(counts(r.stats), r.stats.Failures > 0)
	c := times(r.stats)
	raw, corrected := t.cells(t.times[:4], c[:4]), t.cells(t.times[4:], c[4:])
	if !t.folded {
		return []string{t.column(r.name, t.name) + figures + " | " + raw + " | " + corrected}
	}
	raw, corrected = " | "+pad("raw", foldLabel, false)+raw, " | "+pad("corrected", foldLabel, false)+t.cells(t.times[:4], c[4:])
	left := t.name
	for _, w := range t.counts {
		left += 2 + w
	}
	if utf8.RuneCountInString(r.name) <= t.name {
		return []string{t.column(r.name, t.name) + figures + raw, t.column("", left) + corrected}
	}
	return []string{t.column(r.name, left) + raw, t.column("", t.name) + figures + corrected}
}

// column is text in exactly as many columns.
func (t *table) column(text string, width int) string { return pad(clip(text, width), width, false) }
