package compare

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/gate"
)

// HistoryFormats are the names of the formats that History.Write takes, the default first.
func HistoryFormats() []string { return []string{"text", "json", "junit", "csv"} }

// HistorySchema names the version of a history's JSON.
const HistorySchema = "loadgen/history/v1"

// Write writes a history in a format.
func (h *History) Write(w io.Writer, format string) error {
	var text string
	switch format {
	case "text":
		text = h.text()
	case "json":
		data, err := json.MarshalIndent(h.json(), "", "  ")
		if err != nil {
			return err
		}
		text = string(data) + "\n"
	case "junit":
		return writeJUnit(w, "loadgen compare --history", h.Gates)
	case "csv":
		return h.csv(w)
	default:
		return fmt.Errorf("format %q: want one of %s", format, strings.Join(HistoryFormats(), ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

func (h *History) figure(m Metric, v float64) string {
	x := Cell{Unit: unitOf(m)}
	if m.Kind == gate.ErrorRate {
		v = max(v, 0)
	}
	return x.figure(Number(v))
}

// unitOf is that of a metric's values.
func unitOf(m Metric) string {
	switch m.Kind {
	case gate.RPS:
		return "1/s"
	case gate.ErrorRate:
		return "ratio"
	}
	return "ms"
}

// mostDrawn is how many runs a line has room for: the newest.
const mostDrawn = 100

// text draws each figure over the runs, oldest first, and names the runs at which it changed its level.
func (h *History) text() string {
	var b strings.Builder
	first, last := h.runs[0], h.runs[len(h.runs)-1]
	fmt.Fprintf(&b, "%s from %s to %s", runsOf(len(h.runs)), first.Started.UTC().Format(time.DateTime), last.Started.UTC().Format(time.DateTime))
	from := max(0, len(h.runs)-mostDrawn)
	if from > 0 {
		fmt.Fprintf(&b, ", the newest %d of them drawn", mostDrawn)
	}
	b.WriteString("\n\n")
	width := 0
	for i := range h.series {
		width = max(width, utf8.RuneCountInString(h.series[i].name()))
	}
	for i := range h.series {
		s := &h.series[i]
		m := s.metric()
		line, low, high := spark(s.values[from:])
		fmt.Fprintf(&b, "%s  %s  %s to %s\n", pad(s.name(), width, false), line, h.figure(m, low), h.figure(m, high))
		marks := []rune(strings.Repeat(" ", len(s.values)))
		for _, at := range s.changes {
			marks[at] = '^'
		}
		if drawn := strings.TrimRight(string(marks[from:]), " "); drawn != "" {
			b.WriteString(pad("", width, false) + "  " + drawn + "\n")
		}
		for _, c := range s.levels() {
			fmt.Fprintf(&b, "%s  change at %s: median of the runs before %s, from it %s\n", pad("", width, false), h.runs[c.at].label(), h.figure(m, c.before), h.figure(m, c.after))
		}
	}
	if len(h.Gates)+len(h.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, g := range h.Gates {
		b.WriteString(pad(gateWord(g.Outcome), 12, false) + g.Expression + "   " + g.Seen + "\n")
	}
	for _, n := range h.Notes {
		b.WriteString("note: " + n + "\n")
	}
	return b.String()
}

func runsOf(n int) string {
	if n == 1 {
		return "1 run"
	}
	return units.Count(int64(n)) + " runs"
}

// spark draws values as bars between the least and the greatest; a blank where there is none.
func spark(values []float64) (line string, low, high float64) {
	low, high = math.NaN(), math.NaN()
	if known := slices.DeleteFunc(slices.Clone(values), math.IsNaN); len(known) > 0 {
		low, high = slices.Min(known), slices.Max(known)
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	drawn := make([]rune, len(values))
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			drawn[i] = ' '
		case high > low:
			drawn[i] = bars[int((v-low)/(high-low)*float64(len(bars)-1)+0.5)]
		default:
			drawn[i] = bars[0]
		}
	}
	return string(drawn), low, high
}

func (h *History) json() any {
	type run struct {
		Source
		Validity string `json:"validity"`
	}
	type level struct {
		Run    int    `json:"run"` // the first of the new level, as an index into runs
		Before Number `json:"median_before"`
		After  Number `json:"median_after"`
	}
	type figure struct {
		Metric  string   `json:"metric"`
		Unit    string   `json:"unit"`
		Values  []Number `json:"values"` // of each run
		Changes []level  `json:"changes"`
	}
	out := struct {
		Schema  string   `json:"schema"`
		Runs    []run    `json:"runs"` // oldest first
		Metrics []figure `json:"metrics"`
		Gates   []Gate   `json:"gates"`
		Notes   []string `json:"notes"`
	}{Schema: HistorySchema, Gates: append([]Gate{}, h.Gates...), Notes: append([]string{}, h.Notes...)}
	for _, r := range h.runs {
		out.Runs = append(out.Runs, run{r.source(), string(r.Validity)})
	}
	for i := range h.series {
		s := &h.series[i]
		f := figure{Metric: s.name(), Unit: unitOf(s.metric()), Values: numbers(s.values), Changes: []level{}}
		for _, c := range s.levels() {
			f.Changes = append(f.Changes, level{c.at, Number(c.before), Number(c.after)})
		}
		out.Metrics = append(out.Metrics, f)
	}
	return out
}

// csv writes time, commit and each figure of each run, oldest first: times as RFC 3339, latencies in ms,
// rates in 1/s, shares as ratios, nothing where there is none. Other programs find change points in it, Apache Otava for one.
func (h *History) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"time", "commit"}
	for i := range h.series {
		head = append(head, h.series[i].name())
	}
	_ = out.Write(head) // Flush's error is its
	for i, r := range h.runs {
		row := []string{r.Started.UTC().Format(time.RFC3339), r.Tags["commit"]}
		for _, s := range h.series {
			text := ""
			if v := s.values[i]; !math.IsNaN(v) {
				text = strconv.FormatFloat(v, 'g', 6, 64)
			}
			row = append(row, text)
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}
