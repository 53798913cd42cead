package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// maxCount bounds what one interval may claim to have counted: 10,000 times what a generator can
// send in a minute, and so far below 2^63 that sums of intervals cannot overflow.
const maxCount = 1 << 40

// windowLine is one line of windows.jsonl. Raw, corrected and failed latencies of the same interval
// are in latency.hlog; rates and percentiles are for charts and are not read back.
type windowLine struct {
	From         seconds          `json:"from_s"`
	To           seconds          `json:"to_s"`
	Phase        int              `json:"phase"`
	Name         string           `json:"name"`
	Users        int              `json:"users"`
	InFlight     int              `json:"in_flight"`
	Offered      int64            `json:"offered"`
	Sent         int64            `json:"sent"`
	OfferedRate  float64          `json:"offered_rate"`  // per second
	AchievedRate float64          `json:"achieved_rate"` // requests completed per second
	Requests     int64            `json:"requests"`
	Failures     int64            `json:"failures"`
	P50          float64          `json:"p50_ms"` // corrected, of all endpoints
	P99          float64          `json:"p99_ms"`
	LagP99       float64          `json:"lag_p99_ms"`
	Clamped      int64            `json:"clamped,omitempty"`
	Frozen       float64          `json:"frozen_ms,omitempty"`
	Freezes      int64            `json:"freezes,omitempty"`
	Longest      float64          `json:"longest_freeze_ms,omitempty"`
	Jumps        int64            `json:"clock_jumps,omitempty"`
	Jumped       float64          `json:"clock_jump_ms,omitempty"`
	Endpoints    []endpointLine   `json:"endpoints"`
	Lag          string           `json:"lag_hdr,omitempty"`
	SlotWait     string           `json:"slot_wait_hdr,omitempty"`
	Connections  Connections      `json:"connections"`
	ServedBy     map[string]int64 `json:"served_by,omitempty"`
	Health       *healthColumns   `json:"health,omitempty"`
	Slowest      []exampleLine    `json:"slowest,omitempty"`
	Failed       []exampleLine    `json:"failed_examples,omitempty"`
}

type endpointLine struct {
	Name      string        `json:"name"`
	Requests  int64         `json:"requests"`
	Failures  int64         `json:"failures,omitempty"`
	Abandoned int64         `json:"abandoned,omitempty"`
	Retried   int64         `json:"retried,omitempty"`
	BytesIn   int64         `json:"bytes_in,omitempty"`
	BytesOut  int64         `json:"bytes_out,omitempty"`
	Truncated int64         `json:"truncated,omitempty"`
	Redirects int64         `json:"redirects,omitempty"`
	Status    map[int]int64 `json:"status,omitempty"`
	Errors    []errorLine   `json:"errors,omitempty"`
	P50       float64       `json:"p50_ms"` // corrected
	P99       float64       `json:"p99_ms"`
	FirstByte string        `json:"first_byte_hdr,omitempty"`
	Connect   string        `json:"connect_hdr,omitempty"`
}

type errorLine struct {
	Kind    string  `json:"kind"`
	Message string  `json:"message"`
	Count   int64   `json:"count"`
	First   seconds `json:"first_s"`
	Last    seconds `json:"last_s"`
}

type exampleLine struct {
	At        seconds `json:"at_s"`
	Endpoint  string  `json:"endpoint"`
	Status    int     `json:"status,omitempty"`
	LatencyMS float64 `json:"latency_ms"`
	ServedBy  string  `json:"served_by,omitempty"`
	Error     string  `json:"error,omitempty"`
	Retried   bool    `json:"retried,omitempty"`
}

// appendWindow appends w as a line of windows.jsonl, with the histograms of details in place of
// w's own: see Writer.details.
func (e *encoder) appendWindow(dst []byte, w, details *Window, names []string) ([]byte, error) {
	line := windowLine{
		From: seconds(w.From), To: seconds(w.To), Phase: w.Phase, Name: w.Name,
		Users: w.Users, InFlight: w.InFlight, Offered: w.Offered, Sent: w.Sent, Clamped: w.Clamped,
		Endpoints:   []endpointLine{},
		LagP99:      milliseconds(w.Lag.Quantile(0.99)),
		Lag:         e.text(details.Lag),
		SlotWait:    e.text(details.SlotWait),
		Connections: w.Connections, ServedBy: w.ServedBy,
		Health: newHealthColumns(w.Health),
		Frozen: milliseconds(w.Standstill.Frozen), Freezes: w.Standstill.Freezes, Longest: milliseconds(w.Standstill.Longest),
		Jumps: w.Standstill.Jumps, Jumped: milliseconds(w.Standstill.Jumped),
		Slowest: exampleLines(w.Slowest), Failed: exampleLines(w.FailedExamples),
	}
	var corrected Histogram
	for i := range w.Endpoints {
		x := &w.Endpoints[i]
		line.Requests += x.Requests
		line.Failures += x.Failures
		corrected.Merge(x.Corrected)
		at := len(line.Endpoints)
		line.Endpoints = append(line.Endpoints, endpointLine{
			Name: names[x.Endpoint], Requests: x.Requests, Failures: x.Failures, Abandoned: x.Abandoned, Retried: x.Retried,
			BytesIn: x.BytesIn, BytesOut: x.BytesOut, Truncated: x.Truncated, Redirects: x.Redirects,
			Status: x.Status,
			P50:    milliseconds(x.Corrected.Quantile(0.5)), P99: milliseconds(x.Corrected.Quantile(0.99)),
		})
		for _, r := range x.Errors {
			line.Endpoints[at].Errors = append(line.Endpoints[at].Errors, errorLine{r.Kind, r.Message, r.Count, seconds(r.First), seconds(r.Last)})
		}
	}
	for i := range details.Endpoints {
		x := &details.Endpoints[i]
		at, found := findEndpoint(w.Endpoints, x.Endpoint)
		if !found {
			at = len(line.Endpoints)
			line.Endpoints = append(line.Endpoints, endpointLine{Name: names[x.Endpoint]})
		}
		line.Endpoints[at].FirstByte, line.Endpoints[at].Connect = e.text(x.FirstByte), e.text(x.Connect)
	}
	line.P50, line.P99 = milliseconds(corrected.Quantile(0.5)), milliseconds(corrected.Quantile(0.99))
	if s := w.Seconds(); s > 0 {
		line.OfferedRate = roundTo(float64(w.Offered)/s, 1000)
		line.AchievedRate = roundTo(float64(line.Requests)/s, 1000)
	}

	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf) // ends the line, and leaves & in names as it is
	enc.SetEscapeHTML(false)
	err := enc.Encode(&line)
	return buf.Bytes(), err
}

func (e *encoder) text(h *Histogram) string {
	if h.Count() == 0 {
		return ""
	}
	return string(e.appendText(nil, h))
}

func exampleLines(examples []Example) []exampleLine {
	var lines []exampleLine
	for _, x := range examples {
		lines = append(lines, exampleLine{seconds(x.At), x.Endpoint, x.Status, milliseconds(x.Latency), x.ServedBy, x.Error, x.Retried})
	}
	return lines
}

func roundTo(v, steps float64) float64 { return math.Round(v*steps) / steps }

// window turns a line into a Window without its latencies, which are in latency.hlog.
func (l *windowLine) window(meta *Meta, index map[string]int) (*Window, error) {
	w := &Window{
		From: time.Duration(l.From), To: time.Duration(l.To), Phase: l.Phase, Name: l.Name,
		Users: l.Users, InFlight: l.InFlight, Offered: l.Offered, Sent: l.Sent, Clamped: l.Clamped,
		Connections: l.Connections, ServedBy: l.ServedBy,
	}
	switch {
	case w.To <= w.From:
		return nil, errors.New("to_s: want a time after from_s")
	case l.Phase < 0 || l.Phase >= len(meta.Phases):
		return nil, fmt.Errorf("phase: %d, want 0 to %d", l.Phase, len(meta.Phases)-1)
	case l.Name != meta.Phases[l.Phase].Name:
		return nil, fmt.Errorf("name: %.40q, want %q as the name of phase %d", l.Name, meta.Phases[l.Phase].Name, l.Phase)
	}
	c := l.Connections
	err := wantCounts("counts", int64(l.Users), int64(l.InFlight), l.Offered, l.Sent, l.Clamped, c.Opened, c.Reused, c.Retried)
	if err != nil {
		return nil, err
	}
	if err := wantEach("by_address", c.ByAddress); err != nil {
		return nil, err
	}
	if err := wantEach("served_by", l.ServedBy); err != nil {
		return nil, err
	}
	if w.Lag, err = readHistogram("lag_hdr", l.Lag); err != nil {
		return nil, err
	}
	if w.SlotWait, err = readHistogram("slot_wait_hdr", l.SlotWait); err != nil {
		return nil, err
	}
	if w.Standstill, err = l.standstill(); err != nil {
		return nil, err
	}
	if w.Health, err = l.Health.rows(); err != nil {
		return nil, err
	}
	if w.Slowest, err = examples("slowest", l.Slowest); err != nil {
		return nil, err
	}
	if w.FailedExamples, err = examples("failed_examples", l.Failed); err != nil {
		return nil, err
	}
	for i := range l.Endpoints {
		x := &l.Endpoints[i]
		at, known := index[x.Name]
		if !known {
			return nil, fmt.Errorf("endpoint %.80q: plan.json has none of this name", x.Name)
		}
		before := len(w.Endpoints)
		to := w.endpoint(at)
		if len(w.Endpoints) == before {
			return nil, fmt.Errorf("endpoint %.80q: twice in one line", x.Name)
		}
		if err := x.fill(to); err != nil {
			return nil, fmt.Errorf("endpoint %.80q: %w", x.Name, err)
		}
	}
	return w, nil
}

func (l *windowLine) standstill() (Standstill, error) {
	s := Standstill{Freezes: l.Freezes, Jumps: l.Jumps}
	if err := wantCounts("freezes, clock_jumps", l.Freezes, l.Jumps); err != nil {
		return s, err
	}
	for _, of := range []struct {
		name string
		ms   float64
		to   *time.Duration
	}{{"frozen_ms", l.Frozen, &s.Frozen}, {"longest_freeze_ms", l.Longest, &s.Longest}, {"clock_jump_ms", l.Jumped, &s.Jumped}} {
		if math.Abs(of.ms) > maxSeconds*1000 || of.ms < 0 && of.to != &s.Jumped {
			return s, fmt.Errorf("%s: %v, want milliseconds", of.name, of.ms)
		}
		*of.to = time.Duration(math.Round(of.ms*1000)) * time.Microsecond
	}
	return s, nil
}

func (x *endpointLine) fill(to *EndpointWindow) (err error) {
	*to = EndpointWindow{
		Endpoint: to.Endpoint, Requests: x.Requests, Failures: x.Failures, Abandoned: x.Abandoned, Retried: x.Retried,
		BytesIn: x.BytesIn, BytesOut: x.BytesOut, Truncated: x.Truncated, Redirects: x.Redirects, Status: x.Status,
	}
	if err := wantCounts("counts", x.Requests, x.Failures, x.Abandoned, x.Retried, x.Truncated, x.Redirects); err != nil {
		return err
	}
	if x.BytesIn < 0 || x.BytesIn > maxBytes || x.BytesOut < 0 || x.BytesOut > maxBytes {
		return errors.New("bytes_in, bytes_out: want a number of bytes, at most 2^50")
	}
	if x.Failures > x.Requests {
		return fmt.Errorf("failures: %d of %d requests", x.Failures, x.Requests)
	}
	if err := wantEach("status", x.Status); err != nil {
		return err
	}
	for _, r := range x.Errors {
		if err := wantCounts("errors", r.Count); err != nil {
			return err
		}
		to.Errors = append(to.Errors, ErrorCount{r.Kind, r.Message, r.Count, time.Duration(r.First), time.Duration(r.Last)})
	}
	if to.FirstByte, err = readHistogram("first_byte_hdr", x.FirstByte); err != nil {
		return err
	}
	to.Connect, err = readHistogram("connect_hdr", x.Connect)
	return err
}

// maxBytes is to bytes what maxCount is to counts: a minute at 10 Gbit/s is 2^36.
const maxBytes = 1 << 50

func wantCounts(field string, counts ...int64) error {
	for _, n := range counts {
		if n < 0 || n > maxCount {
			return fmt.Errorf("%s: %d, want 0 to 2^40", field, n)
		}
	}
	return nil
}

func wantEach[K comparable](field string, counts map[K]int64) error {
	for _, n := range counts {
		if err := wantCounts(field, n); err != nil {
			return err
		}
	}
	return nil
}

func readHistogram(field, text string) (*Histogram, error) {
	if text == "" {
		return nil, nil
	}
	h := &Histogram{}
	if err := h.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return h, wantCounts(field, h.Count())
}

func examples(field string, lines []exampleLine) ([]Example, error) {
	var read []Example
	for _, x := range lines {
		if x.LatencyMS < 0 || x.LatencyMS > maxSeconds*1000 {
			return nil, fmt.Errorf("%s: latency_ms %v, want a time that is not negative", field, x.LatencyMS)
		}
		latency := time.Duration(math.Round(x.LatencyMS*1000)) * time.Microsecond
		read = append(read, Example{time.Duration(x.At), x.Endpoint, x.Status, latency, x.ServedBy, x.Error, x.Retried})
	}
	return read, nil
}
