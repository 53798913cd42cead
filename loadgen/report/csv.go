package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/loadgen/result"
)

// historySpan is how far back the percentiles and rates of the history look.
const historySpan = 10 * time.Second

// CSV is a sink that writes Locust's four files, PREFIX_stats.csv, PREFIX_stats_history.csv,
// PREFIX_failures.csv and PREFIX_exceptions.csv, with the columns, number formats and meaning of Locust 2.47:
// latency is raw and of failures too, percentiles are whole milliseconds, and Requests/s is over the
// time until the last request completed. What differs is better: percentiles are a histogram's, not
// of latencies rounded to two digits, and those of the history are of the last 10 s. The history is
// of Aggregated alone.
//
// The history is written as the run goes, a line for each second in which a window ended: windows are cut where
// a phase ends, and the last one of a second counts. A line is written when the next second has begun. The other
// files are written by Close, whether the run came to its end or not. There are no exceptions, because there is no user code to throw them: that file is a header.
type CSV struct {
	result.NopSink
	prefix string
	start  time.Time
	stats  *locustStats
	files  [4]*os.File
	lines  *csv.Writer // of the history; nil once it failed
	recent []recentWindow
	last   []string // line of the history for the second under way; not written yet
}

type recentWindow struct {
	from, to time.Duration
	*locustEntry
}

// The files, by their place in CSV.files.
const (
	statsFile = iota
	historyFile
	failuresFile
	exceptionsFile
)

var csvSuffixes = [4]string{"_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv"}

var _ result.Sink = (*CSV)(nil)

// NewCSV returns a sink that has not touched a file yet.
func NewCSV(prefix string) *CSV { return &CSV{prefix: prefix} }

// Start creates the files, with headers; existing ones are overwritten. An error names the prefix.
func (c *CSV) Start(meta *result.Meta) error {
	c.start, c.stats = meta.StartedAt, newLocustStats(meta.Endpoints)
	headers := [4][]string{statsColumns, historyColumns, failuresColumns, exceptionsColumns}
	for i, suffix := range csvSuffixes {
		f, err := os.Create(c.prefix + suffix)
		if err == nil {
			c.files[i] = f
			err = writeCSV(f, headers[i:i+1])
		}
		if err != nil {
			c.closeFiles()
			return fmt.Errorf("--csv %q: %w", c.prefix, err)
		}
	}
	c.lines = newCSVWriter(c.files[historyFile])
	return nil
}

// Begin takes the time of day from which the history counts, which Start could only guess.
func (c *CSV) Begin(meta *result.Meta) error {
	c.start = meta.StartedAt
	return nil
}

// Window adds a line to the history. When that fails it says so once, and leaves the history there.
func (c *CSV) Window(w *result.Window) error {
	if c.stats == nil {
		return errors.New("--csv: a window before the start of the run")
	}
	in := c.stats.add(w)
	c.recent = append(c.recent, recentWindow{w.From, w.To, in})
	c.recent = slices.DeleteFunc(c.recent, func(r recentWindow) bool { return r.to <= w.To-historySpan })
	if c.lines == nil {
		return nil
	}
	row := c.historyRow(w)
	var err error
	if c.last != nil && c.last[0] != row[0] {
		err = c.writeLast()
	}
	c.last = row
	return err
}

// writeLast writes the line of a second that is over.
func (c *CSV) writeLast() error {
	if c.lines == nil || c.last == nil {
		return nil
	}
	err := c.lines.Write(c.last)
	c.lines.Flush()
	if err = errors.Join(err, c.lines.Error()); err != nil {
		c.lines = nil
		return fmt.Errorf("--csv: no more history: %w", err)
	}
	return nil
}

func (c *CSV) historyRow(w *result.Window) []string {
	var last locustEntry
	for i := range c.recent {
		last.Add(&c.recent[i].EndpointWindow)
	}
	span := (w.To - c.recent[0].from).Seconds()
	total := &c.stats.total
	return slices.Concat(
		[]string{whole(c.start.Add(w.To).Unix()), strconv.Itoa(w.Users), "", aggregated},
		[]string{sixDigits(float64(last.Requests) / span), sixDigits(float64(last.Failures) / span)},
		last.percentiles(),
		[]string{whole(total.Requests), whole(total.Failures)},
		total.summary(),
	)
}

// sixDigits is Locust's f"{x:2f}".
func sixDigits(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }

// Close writes what the run came to and closes the files.
func (c *CSV) Close() error {
	if c.stats == nil {
		return nil
	}
	return errors.Join(
		c.writeLast(),
		c.rewrite(statsFile, c.stats.statsRows()),
		c.rewrite(failuresFile, c.stats.failureRows(c.start)),
		c.closeFiles(),
	)
}

// rewrite replaces a file's header by all of its rows.
func (c *CSV) rewrite(file int, rows [][]string) error {
	f := c.files[file]
	if f == nil {
		return nil
	}
	_, err := f.Seek(0, 0)
	if err == nil {
		err = writeCSV(f, rows)
	}
	if err != nil {
		return fmt.Errorf("--csv: %w", err)
	}
	return nil
}

func (c *CSV) closeFiles() error {
	var all []error
	for i, f := range c.files {
		if f == nil {
			continue
		}
		if err := f.Close(); err != nil {
			all = append(all, fmt.Errorf("--csv: %w", err))
		}
		c.files[i] = nil
	}
	return errors.Join(all...)
}
