package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"time"
)

// reader brings the lines of a run's files together again.
type reader struct {
	meta  *Meta
	index map[string]int
	names []string
	cut   bool // the last lines may be missing or unfinished

	windows, events *lineReader
	latency         *logReader
	closers         []io.Closer

	event *Event        // read and not used yet
	from  time.Duration // of the last window
}

// windows yields the windows; events from after the last one end up in late.
func (o *Opened) windows(late *[]Event) iter.Seq2[*Window, error] {
	return func(yield func(*Window, error) bool) {
		r, err := o.reader()
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.close()
		// One window ahead: the last one takes what happened after it.
		var held *Window
		for {
			w, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if held != nil && !yield(held, nil) {
				return
			}
			held = w
		}
		rest, err := r.eventsBefore(math.MaxInt64)
		if err != nil {
			yield(nil, err)
			return
		}
		if held == nil {
			*late = rest
			return
		}
		held.Events = append(held.Events, rest...)
		yield(held, nil)
	}
}

func (o *Opened) reader() (_ *reader, err error) {
	fsys, closer, err := o.files()
	if err != nil {
		return nil, pathless(err)
	}
	r := &reader{meta: &o.Meta, index: o.Meta.index(), names: o.Meta.names(), cut: o.Cut, closers: []io.Closer{closer}}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if len(o.Meta.Phases) == 0 {
		return nil, fmt.Errorf("%s: no such file: the intervals cannot be read without it", planName)
	}
	opened := func(name string) (*lineReader, error) {
		file, err := fsys.Open(name)
		if err != nil {
			return nil, named(name, err)
		}
		r.closers = append(r.closers, file)
		return newLineReader(name, file), nil
	}
	if r.windows, err = opened(windowsName); err != nil {
		return nil, err
	}
	latency, err := opened(latencyName)
	if err != nil {
		return nil, err
	}
	r.latency = &logReader{lines: latency}
	r.events, err = opened(eventsName)
	if errors.Is(err, fs.ErrNotExist) { // a run without events is whole
		err = nil
	}
	return r, err
}

func (r *reader) close() {
	for i := range r.closers {
		_ = r.closers[len(r.closers)-1-i].Close()
	}
}

// next returns the next window, io.EOF after the last that is whole.
func (r *reader) next() (*Window, error) {
	line, err := r.windows.next()
	if err == io.EOF && !r.cut {
		return nil, r.nothingLeft()
	}
	if err != nil {
		return nil, r.unfinished(err)
	}
	var l windowLine
	if err := decode(line, &l); err != nil {
		return nil, r.windows.errorf("%w", err)
	}
	w, err := l.window(r.meta, r.index)
	if err != nil {
		return nil, r.windows.errorf("%w", err)
	}
	if w.From < r.from { // they may overlap: those of a merged result do where a phase ends
		return nil, r.windows.errorf("from_s: want lines in order of it")
	}
	r.from = w.From
	if err := r.latencies(w); err != nil {
		return nil, r.unfinished(err)
	}
	w.Events, err = r.eventsBefore(w.To)
	return w, err
}

// unfinished makes the end of a run of what the end of its process leaves.
func (r *reader) unfinished(err error) error {
	if r.cut && errors.Is(err, errCut) {
		return io.EOF
	}
	return err
}

// latencies reads the histograms of a window from latency.hlog, which holds just those that the
// window's counts ask for, in this order.
func (r *reader) latencies(w *Window) error {
	parts := w.dueParts()
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		for tag, whole := range logTags(e) {
			for _, p := range parts {
				at, found := findEndpoint(p.Endpoints, e.Endpoint)
				if !found {
					continue
				}
				want := logTags(&p.Endpoints[at])[tag]
				if want.count == 0 {
					continue
				}
				latency, err := r.latencyOf(w, r.names[e.Endpoint], want)
				if err != nil {
					return err
				}
				if *want.of = latency; w.Parts != nil {
					merge(whole.of, latency)
				}
			}
		}
	}
	return nil
}

// latencyOf reads the next line of latency.hlog, which must be the one that is wanted.
func (r *reader) latencyOf(w *Window, name string, want taggedLatency) (*Histogram, error) {
	entry, err := r.latency.next()
	if err == io.EOF {
		err = r.latency.lines.errorf("%w: no latencies of the interval from %v", errCut, w.From)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case entry.endpoint != name || entry.kind != want.kind || entry.from != w.From || entry.to != w.To:
		return nil, r.latency.lines.errorf("%.80q %s from %v to %v, want %.80q %s from %v to %v as in %s", entry.endpoint, entry.kind,
			entry.from, entry.to, name, want.kind, w.From, w.To, windowsName)
	case entry.latency.Count() != want.count:
		return nil, r.latency.lines.errorf("%d values, want %d as in %s", entry.latency.Count(), want.count, windowsName)
	}
	return entry.latency, nil
}

// nothingLeft is io.EOF when all of latency.hlog was read.
func (r *reader) nothingLeft() error {
	_, err := r.latency.next()
	if err == nil {
		err = r.latency.lines.errorf("no line of %s is for this interval", windowsName)
	}
	return err
}

// eventsBefore returns the events up to an instant, in the order in which they were written.
func (r *reader) eventsBefore(end time.Duration) ([]Event, error) {
	var events []Event
	for r.events != nil {
		if r.event == nil {
			line, err := r.events.next()
			if err == io.EOF || err != nil && r.unfinished(err) == io.EOF {
				r.events = nil
				break
			}
			if err != nil {
				return nil, err
			}
			var e EventJSON
			if err := decode(line, &e); err != nil {
				return nil, r.events.errorf("%w", err)
			}
			if math.Abs(e.TS) > maxSeconds {
				return nil, r.events.errorf("t_s: %v, want seconds on the run's clock", e.TS)
			}
			r.event = &Event{time.Duration(math.Round(e.TS * 1e9)), e.Type, e.Detail}
		}
		if r.event.At >= end {
			break
		}
		events = append(events, *r.event)
		r.event = nil
	}
	return events, nil
}
