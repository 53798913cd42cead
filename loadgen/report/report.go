package report

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Input is a run to report.
type Input struct {
	Result *result.Result
	// Windows are the run's, in order, with endpoints by their place in Result.Endpoints. csv and hdr are made of them; a
	// document takes its histogram of latencies from them, and load and latency over time where there is a Timeline.
	Windows iter.Seq2[*result.Window, error]
	// Timeline is what capacity did meanwhile; nil, and there is no story of scaling.
	Timeline *timeline.Timeline
	// Expectations are what was expected of scaling, judged.
	Expectations []result.Outcome
	// OnAWS is what the same load would have taken with AWS's numbers, of a run on another clock; empty: not known.
	OnAWS   string
	Options Options
}

// Options say how text is laid out. The zero value is plain text of DefaultWidth columns.
type Options struct {
	Width  int  // columns; 0 is DefaultWidth, and what is out of range is the nearest of it
	Height int  // lines of the reader's terminal; 0 when it has no end
	Color  bool // ANSI colours
	// Unbroken text has each sentence, fact and item on a line of its own, for a log that takes lines for events.
	Unbroken bool
	Dir      string // where the result is kept; empty when it is not
}

// DefaultWidth is that of text whose reader's is not known.
const DefaultWidth = document.DefaultWidth

// Formats are the names that Write knows, the default first.
func Formats() []string {
	return []string{"text", "markdown", "json", "csv", "junit", "hdr", "svg"}
}

// FormatError is a name that is no format.
type FormatError struct{ Name string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("format %q: want %s", e.Name, strings.Join(Formats(), ", "))
}

// Write reports in the named format. It returns a *FormatError for a name that is none, before
// anything is written, and else what writing, or reading the windows, failed with.
func Write(w io.Writer, format string, in Input) error {
	switch format {
	case "text":
		return document.Text(w, Document(in), in.Options.layout())
	case "markdown":
		return document.Markdown(w, Document(in))
	case "json":
		return JSON(w, in.Result)
	case "csv":
		return StatsCSV(w, in.Result, in.Windows)
	case "junit":
		return JUnit(w, in)
	case "svg":
		return SVG(w, in)
	case "hdr":
		return HDR(w, in.Result, in.Windows)
	}
	return &FormatError{Name: format}
}

func (o Options) layout() document.Layout {
	return document.Layout{Width: o.Width, Color: o.Color, Unbroken: o.Unbroken}
}

var errNoWindows = errors.New("report: this format is made of the run's windows, and none were given")
