package result

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The histogram log is HdrHistogram's interval log (Java: HistogramLogWriter, HistogramLogScanner),
// written here line by line: the library's writer takes values for nanoseconds and lets tags
// through that its own and other readers drop.
//
//	#[Histogram log format version 1.3]
//	#[StartTime: 1763971200.000 (seconds since epoch), 2025-11-24T08:00:00Z]
//	#[BaseTime: 1763971200.000 (seconds since epoch)]
//	"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//	Tag=GET%20/|raw,0,1,14.207,HISTFAAAA…
//
// Start and length are seconds, the start since the base time; the maximum is in milliseconds; the
// values in the histogram are microseconds.

const logVersion = "#[Histogram log format version 1."

// The latencies that a histogram log holds, as the part of its tags after the endpoint.
const (
	tagRaw       = "raw"
	tagCorrected = "corrected"
	tagFailed    = "failed"
)

func appendLogHeader(dst []byte, start time.Time) []byte {
	epoch := fmt.Sprintf("%d.%03d (seconds since epoch)", start.Unix(), start.Nanosecond()/1e6)
	dst = append(dst, logVersion+"3]\n"...)
	dst = fmt.Appendf(dst, "#[StartTime: %s, %s]\n", epoch, start.UTC().Format(time.RFC3339))
	dst = fmt.Appendf(dst, "#[BaseTime: %s]\n", epoch)
	return append(dst, `"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`+"\n"...)
}

// logTags are the latencies of an endpoint that a histogram log holds, in its order.
func logTags(e *EndpointWindow) [3]taggedLatency {
	return [...]taggedLatency{
		{tagRaw, e.Requests - e.Failures, &e.Raw},
		{tagCorrected, e.Requests - e.Failures, &e.Corrected},
		{tagFailed, e.Failures, &e.Failed},
	}
}

type taggedLatency struct {
	kind  string
	count int64 // values, as the other counts have it
	of    **Histogram
}

// dueParts are a window's parts in the order of the log: its own phase first, then earlier ones.
func (w *Window) dueParts() []*Part {
	var own, earlier []*Part
	for p := range w.ByDue {
		if p.Phase == w.Phase {
			own = append(own, p)
		} else {
			earlier = append(earlier, p)
		}
	}
	return append(own, earlier...)
}

// appendLog appends the latencies of a window: for each endpoint and kind that has some a line for what was due in the
// window's own phase, and one for each earlier phase.
func (e *encoder) appendLog(dst []byte, w *Window, names []string) []byte {
	parts := w.dueParts()
	for i := range w.Endpoints {
		index := w.Endpoints[i].Endpoint
		for tag := range logTags(&w.Endpoints[i]) {
			for _, p := range parts {
				if at, found := findEndpoint(p.Endpoints, index); found {
					x := logTags(&p.Endpoints[at])[tag]
					dst = e.appendLogLine(dst, names[index], x.kind, w, *x.of)
				}
			}
		}
	}
	return dst
}

func (e *encoder) appendLogLine(dst []byte, endpoint, kind string, w *Window, h *Histogram) []byte {
	if h.Count() == 0 {
		return dst
	}
	dst = append(dst, "Tag="...)
	dst = appendTag(dst, endpoint)
	dst = append(dst, '|')
	dst = append(dst, kind...)
	dst = append(dst, ',')
	dst = seconds(w.From).appendTo(dst)
	dst = append(dst, ',')
	dst = seconds(w.To - w.From).appendTo(dst)
	dst = append(dst, ',')
	dst = strconv.AppendFloat(dst, milliseconds(h.Max()), 'f', 3, 64)
	dst = append(dst, ',')
	dst = e.appendText(dst, h)
	return append(dst, '\n')
}

// appendTag percent-encodes an endpoint's name for a tag: everything but the visible characters of
// ASCII, and of those the comma (ends the tag), the bar (ours) and the percent sign. Java's scanner
// ends a token at a space and a line at any of Unicode's separators; Python's reader stops at a
// file that is not in the encoding it expects.
func appendTag(dst []byte, name string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == ',' || c == '|' || c == '%' {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// parseTag undoes appendTag.
func parseTag(tag string) (endpoint, kind string, err error) {
	endpoint, kind, ok := strings.Cut(tag, "|")
	if !ok || kind != tagRaw && kind != tagCorrected && kind != tagFailed {
		return "", "", fmt.Errorf("tag %.80q: want ENDPOINT|raw, |corrected or |failed", tag)
	}
	if !strings.Contains(endpoint, "%") {
		return endpoint, kind, nil
	}
	name := make([]byte, 0, len(endpoint))
	for i := 0; i < len(endpoint); i++ {
		c := endpoint[i]
		if c == '%' {
			b, err := strconv.ParseUint(endpoint[i+1:min(i+3, len(endpoint))], 16, 8)
			if err != nil || i+3 > len(endpoint) {
				return "", "", fmt.Errorf("tag %.80q: want two hexadecimal digits after %%", tag)
			}
			c, i = byte(b), i+2
		}
		name = append(name, c)
	}
	return string(name), kind, nil
}

// logEntry is one line of a histogram log.
type logEntry struct {
	endpoint, kind string
	from, to       time.Duration
	latency        *Histogram
}

// logReader reads what appendLog wrote. Its errors name the line.
type logReader struct {
	lines *lineReader
	begun bool
}

// next returns the next entry, io.EOF after the last, or errCut when the last line was not finished.
func (r *logReader) next() (*logEntry, error) {
	for {
		line, err := r.lines.next()
		if err != nil {
			return nil, err
		}
		switch {
		case !r.begun:
			if !bytes.HasPrefix(line, []byte(logVersion)) {
				return nil, r.lines.errorf("not a histogram log of version 1")
			}
			r.begun = true
		case len(line) == 0 || line[0] == '#' || line[0] == '"':
		default:
			e, err := parseLogLine(string(line))
			if err != nil {
				return nil, r.lines.errorf("%w", err)
			}
			return e, nil
		}
	}
}

func parseLogLine(line string) (*logEntry, error) {
	tag, isTagged := strings.CutPrefix(line, "Tag=")
	fields := strings.Split(tag, ",")
	if !isTagged || len(fields) != 5 {
		return nil, errors.New("want Tag=ENDPOINT|KIND,START,LENGTH,MAX,HISTOGRAM")
	}
	e := &logEntry{latency: &Histogram{}}
	var err error
	if e.endpoint, e.kind, err = parseTag(fields[0]); err != nil {
		return nil, err
	}
	if e.from, err = parseSeconds(fields[1]); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	length, err := parseSeconds(fields[2])
	if err != nil {
		return nil, fmt.Errorf("length: %w", err)
	}
	e.to = e.from + length
	if _, err := parseSeconds(fields[3]); err != nil { // milliseconds, in the same form
		return nil, fmt.Errorf("maximum: %w", err)
	}
	if err := e.latency.UnmarshalText([]byte(fields[4])); err != nil {
		return nil, err
	}
	return e, nil
}
