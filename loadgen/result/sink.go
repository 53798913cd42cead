package result

import (
	"cmp"
	"slices"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// Sink reads a run while it goes on: a directory, a screen, a publisher of metrics. Its methods are called one at a time,
// in this order: Start, Begin, Window for each window and Facts for what is told of capacity, Close, Finish. It may be as slow as it likes (see [Sinks]) but in Begin.
//
// What a sink is handed is shared with other readers, and nobody changes it afterwards: neither those that handed it nor
// the sink. A sink that needs only a part of this embeds [NopSink].
type Sink interface {
	// Start is called before the run's clock reads 0, however long it takes. An error refuses the run: nothing is sent.
	// m.StartedAt is about when the run will start.
	Start(m *Meta) error
	// Begin is called when the run's clock has just read 0, at m.StartedAt to the nanosecond. The first request waits for
	// it: it writes what has to be there before, and nothing else. An error refuses the run.
	Begin(m *Meta) error
	// Window takes the next window. Its error becomes a warning of the result and does not end the run.
	Window(w *Window) error
	// Facts takes what was told of capacity since the last call, where capacity is watched: while load is on and, when the
	// windows have ended, during recovery. Its error becomes a warning.
	Facts(f *Facts) error
	// Close is called once, after the last window and the last facts, to write what is left. Its error becomes a warning.
	Close() error
	// Finish takes the finished result, after Close. An error says that the sink has not done what it was asked for,
	// which makes the run's exit code 1. The first of a run's sinks may be given a second result, which
	// replaces the first: it has the warnings and deliveries of the other sinks as well.
	Finish(r *Result) error
}

// Deliverer is a Sink that sends what it takes elsewhere, and counts what arrived there.
type Deliverer interface {
	// Deliveries says what has arrived and what was lost so far. Unlike a Sink's methods it may be called from any goroutine at any time: a
	// sink that does not end in time is asked all the same. What it returns is the caller's.
	Deliveries() []Delivery
}

// Delivery is what became of what a run sent to one place while it went on: metrics, not the load. Sent and Lost are in
// units of What.
type Delivery struct {
	To      string `json:"to"`               // "CloudWatch, namespace LoadGen, service checkout"
	What    string `json:"what"`             // what is counted, in the plural: "datums"
	Sent    int64  `json:"sent"`             // accepted there
	Lost    int64  `json:"lost"`             // given up: refused, or not accepted in time
	Calls   int64  `json:"calls"`            // requests that were made for it, those of Retries included
	Retries int64  `json:"retries"`          // requests that were made again
	Reason  string `json:"reason,omitempty"` // why the first of what was lost was, in one line
}

// addDeliveries adds up what several runs, or several sinks of one, sent to the same places.
func addDeliveries(all, more []Delivery) []Delivery {
	all = slices.Clone(all)
	for _, d := range more {
		i := slices.IndexFunc(all, func(x Delivery) bool { return x.To == d.To && x.What == d.What })
		if i < 0 {
			all = append(all, d)
			continue
		}
		x := &all[i]
		x.Sent, x.Lost, x.Calls, x.Retries = x.Sent+d.Sent, x.Lost+d.Lost, x.Calls+d.Calls, x.Retries+d.Retries
		x.Reason = cmp.Or(x.Reason, d.Reason)
	}
	return all
}

// Facts are what was told of capacity at a time.
type Facts struct {
	// Until is the instant until which everything that is known was told, on the run's clock.
	Until time.Duration
	// Facts are new: none was told before in this state. They may be of long ago.
	Facts []timeline.Fact
	// Events are what happened after the last window. Those before are in windows.
	Events []Event
}

// NopSink is a Sink that does nothing. Embed it in one that needs only a part of what a Sink is told.
type NopSink struct{}

// Start does nothing.
func (NopSink) Start(*Meta) error { return nil }

// Begin does nothing.
func (NopSink) Begin(*Meta) error { return nil }

// Window does nothing.
func (NopSink) Window(*Window) error { return nil }

// Facts does nothing.
func (NopSink) Facts(*Facts) error { return nil }

// Close does nothing.
func (NopSink) Close() error { return nil }

// Finish does nothing.
func (NopSink) Finish(*Result) error { return nil }
