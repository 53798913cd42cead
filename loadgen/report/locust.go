package report

import (
	"cmp"
	"encoding/csv"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Columns of Locust's files, from StatsCSV and StatsCSVFileWriter of its version 2.47 (locust/stats.py).
var (
	percentileColumns = []string{"50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%"}

	statsColumns = slices.Concat([]string{
		"Type", "Name", "Request Count", "Failure Count", "Median Response Time", "Average Response Time",
		"Min Response Time", "Max Response Time", "Average Content Size", "Requests/s", "Failures/s",
	}, percentileColumns)

	historyColumns = slices.Concat([]string{
		"Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s",
	}, percentileColumns, []string{
		"Total Request Count", "Total Failure Count", "Total Median Response Time", "Total Average Response Time",
		"Total Min Response Time", "Total Max Response Time", "Total Average Content Size",
	})

	failuresColumns   = []string{"Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"}
	exceptionsColumns = []string{"Count", "Message", "Traceback", "Nodes"}
)

// quantiles are the percentile columns as shares.
var quantiles = [...]float64{0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1}

const (
	aggregated    = "Aggregated" // name of the row over all endpoints; its type is empty
	notApplicable = "N/A"        // a percentile of nothing
)

// StatsCSV writes what Locust would write to PREFIX_stats.csv; see CSV. It needs the windows, because
// a percentile over successes and failures together cannot be made of two.
func StatsCSV(w io.Writer, r *result.Result, windows iter.Seq2[*result.Window, error]) error {
	if windows == nil {
		return errNoWindows
	}
	endpoints := make([]plan.Endpoint, len(r.Endpoints))
	for i := range r.Endpoints {
		endpoints[i] = plan.Endpoint{Name: r.Endpoints[i].Name, Method: r.Endpoints[i].Method}
	}
	s := newLocustStats(endpoints)
	for window, err := range windows {
		if err != nil {
			return err
		}
		s.add(window)
	}
	return writeCSV(w, s.statsRows())
}

func writeCSV(w io.Writer, rows [][]string) error {
	c := newCSVWriter(w)
	return c.WriteAll(rows)
}

// newCSVWriter ends lines as Python's csv module does.
func newCSVWriter(w io.Writer) *csv.Writer {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return c
}

// locustStats is a run as Locust counts it: raw latency, failures included.
type locustStats struct {
	entries []locustEntry
	total   locustEntry
	last    time.Duration // end of the last window in which a request completed
}

// locustEntry is one of Locust's StatsEntry.
type locustEntry struct {
	method, name string
	result.EndpointWindow
}

// times are all of an entry's latencies, which Locust does not tell apart.
func (l *locustEntry) times() *result.Histogram { return result.Sum(l.Raw, l.Failed) }

// newLocustStats names entries as Locust does, which has the method in a column of its own:
// "GET /health" is GET and /health, unless another endpoint has that name.
func newLocustStats(endpoints []plan.Endpoint) *locustStats {
	s := &locustStats{entries: make([]locustEntry, len(endpoints)), total: locustEntry{name: aggregated}}
	taken := map[[2]string]bool{}
	for _, e := range endpoints {
		taken[[2]string{e.Method, e.Name}] = true
	}
	for i, e := range endpoints {
		name := e.Name
		if bare, found := strings.CutPrefix(name, e.Method+" "); found && bare != "" && !taken[[2]string{e.Method, bare}] {
			name = bare
		}
		s.entries[i] = locustEntry{method: e.Method, name: name}
	}
	return s
}

// add counts a window and returns what it alone holds over all endpoints.
func (s *locustStats) add(w *result.Window) *locustEntry {
	in := &locustEntry{}
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		if e.Endpoint < 0 || e.Endpoint >= len(s.entries) {
			continue // of another run: the caller's mistake, and no reason to stop a run
		}
		s.entries[e.Endpoint].Add(e)
		in.Add(e)
	}
	s.total.Add(&in.EndpointWindow)
	if in.Requests > 0 {
		s.last = max(s.last, w.To)
	}
	return in
}

// sorted are the entries with something to tell, in Locust's order: by name, then by method.
func (s *locustStats) sorted() []*locustEntry {
	var entries []*locustEntry
	for i := range s.entries {
		if s.entries[i].Requests > 0 {
			entries = append(entries, &s.entries[i])
		}
	}
	slices.SortStableFunc(entries, func(a, b *locustEntry) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.method, b.method))
	})
	return entries
}

func (s *locustStats) statsRows() [][]string {
	rows := [][]string{statsColumns}
	for _, l := range append(s.sorted(), &s.total) {
		rows = append(rows, slices.Concat(
			[]string{l.method, l.name, whole(l.Requests), whole(l.Failures)},
			l.summary(),
			[]string{perSecond(l.Requests, s.last), perSecond(l.Failures, s.last)},
			l.percentiles(),
		))
	}
	return rows
}

// failureRows say when errors were seen in Locust's form: UTC, fractions of a second cut off (format_utc_timestamp).
func (s *locustStats) failureRows(start time.Time) [][]string {
	seen := func(at time.Duration) string { return start.Add(at).UTC().Format("2006-01-02T15:04:05Z") }
	rows := [][]string{failuresColumns}
	for _, l := range s.sorted() {
		messages := map[string]result.ErrorCount{} // Locust has no kinds
		for _, e := range l.Errors {
			have, found := messages[e.Message]
			if !found {
				have = result.ErrorCount{First: e.First}
			}
			messages[e.Message] = result.ErrorCount{Count: have.Count + e.Count, First: min(have.First, e.First), Last: max(have.Last, e.Last)}
		}
		for _, message := range slices.SortedFunc(maps.Keys(messages), func(a, b string) int {
			return cmp.Or(cmp.Compare(messages[b].Count, messages[a].Count), cmp.Compare(a, b))
		}) {
			e := messages[message]
			rows = append(rows, []string{l.method, l.name, message, whole(e.Count), seen(e.First), seen(e.Last)})
		}
	}
	return rows
}

// summary are the five columns from median to content size, in milliseconds and bytes.
func (l *locustEntry) summary() []string {
	times := l.times()
	if l.Requests == 0 {
		return []string{"0", "0.0", "0", "0", "0"}
	}
	lowest, highest := milliseconds(times.Min()), milliseconds(times.Max())
	exact := times.Quantile(0.5)
	median := wholeMilliseconds(exact)
	// Where rounding leaves the range, Locust puts the minimum or maximum; its readers expect a
	// fraction there, and the median's own is the better one.
	if rounded := math.RoundToEven(milliseconds(exact)); rounded < lowest || rounded > highest {
		median = float(milliseconds(exact))
	}
	return []string{median, float(milliseconds(times.Mean())), float(lowest), float(highest), float(float64(l.BytesIn) / float64(l.Requests))}
}

func (l *locustEntry) percentiles() []string {
	cells, times := make([]string, len(quantiles)), l.times()
	for i, q := range quantiles {
		cells[i] = notApplicable
		if times.Count() > 0 {
			cells[i] = wholeMilliseconds(times.Quantile(q))
		}
	}
	return cells
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

// milliseconds are those of a result: to 1 µs.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}

// wholeMilliseconds rounds as Python's round does, halves to even: Locust's percentiles are integers.
func wholeMilliseconds(d time.Duration) string {
	return strconv.FormatFloat(math.RoundToEven(milliseconds(d)), 'f', 0, 64)
}

// float is a number as Python prints a float: the shortest digits that name it, and always a point.
func float(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func perSecond(n int64, d time.Duration) string {
	if d <= 0 {
		return "0.0"
	}
	return float(float64(n) / d.Seconds())
}
