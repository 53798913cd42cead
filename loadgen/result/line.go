package result

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
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
	Earlier      []earlierLine    `json:"earlier,omitempty"` // what of the above was due in an earlier phase
	End          *[]endLine       `json:"end,omitempty"`     // in the last line of a run that ended
	Health       *healthColumns   `json:"health,omitempty"`
	Slowest      []exampleLine    `json:"slowest,omitempty"`
	Failed       []exampleLine    `json:"failed_examples,omitempty"`
	TracedSlow   []exampleLine    `json:"traced_slowest,omitempty"`
	TracedFailed []exampleLine    `json:"traced_failed,omitempty"`
}

// earlierLine is what was due in another phase than the line's own.
type earlierLine struct {
	Phase     int            `json:"phase"`
	Sent      int64          `json:"sent"`
	Lag       string         `json:"lag_hdr,omitempty"`
	SlotWait  string         `json:"slot_wait_hdr,omitempty"`
	Endpoints []endpointLine `json:"endpoints"`
}

// endLine is what was due in a phase and no answer ended. The ages are of what was never sent.
type endLine struct {
	Phase          int    `json:"phase"`
	Dropped        int64  `json:"dropped"`
	OwnDrops       int64  `json:"own_drops"`
	Unanswered     int64  `json:"unanswered"`
	Cut            int64  `json:"cut"`
	UnansweredAges string `json:"unanswered_hdr,omitempty"`
	CutAges        string `json:"cut_hdr,omitempty"`
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

	// Ages of those abandoned; the raw ones only where they are others.
	Unanswered    string `json:"unanswered_hdr,omitempty"`
	UnansweredRaw string `json:"unanswered_raw_hdr,omitempty"`
	Cut           string `json:"cut_hdr,omitempty"`
	CutRaw        string `json:"cut_raw_hdr,omitempty"`
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
	TraceID   string  `json:"trace_id,omitempty"`
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
		TracedSlow: exampleLines(w.Exemplars.Slowest), TracedFailed: exampleLines(w.Exemplars.Failed),
	}
	var corrected Histogram
	for i := range w.Endpoints {
		x := &w.Endpoints[i]
		line.Requests += x.Requests
		line.Failures += x.Failures
		corrected.Merge(x.Corrected)
	}
	line.Endpoints = e.endpointLines(w.Endpoints, details.Endpoints, names)
	for i := range w.Parts {
		p := &w.Parts[i]
		if p.Phase == w.Phase {
			continue
		}
		var more Part
		for j := range details.Parts {
			if details.Parts[j].Phase == p.Phase {
				more = details.Parts[j]
			}
		}
		line.Earlier = append(line.Earlier, earlierLine{
			Phase: p.Phase, Sent: p.Sent, Lag: e.text(more.Lag), SlotWait: e.text(more.SlotWait),
			Endpoints: e.endpointLines(p.Endpoints, more.Endpoints, names),
		})
	}
	if w.Ended {
		ends := make([]endLine, 0, len(w.Ends))
		for i := range w.Ends {
			x := &w.Ends[i]
			ends = append(ends, endLine{x.Phase, x.Dropped, x.OwnDrops, x.Unanswered, x.Cut, e.text(x.UnansweredAges), e.text(x.CutAges)})
		}
		line.End = &ends
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

// endpointLines are endpoints with the histograms of details in place of their own.
func (e *encoder) endpointLines(endpoints, details []EndpointWindow, names []string) []endpointLine {
	lines := []endpointLine{}
	for i := range endpoints {
		x := &endpoints[i]
		at := len(lines)
		lines = append(lines, endpointLine{
			Name: names[x.Endpoint], Requests: x.Requests, Failures: x.Failures, Abandoned: x.Abandoned, Retried: x.Retried,
			BytesIn: x.BytesIn, BytesOut: x.BytesOut, Truncated: x.Truncated, Redirects: x.Redirects,
			Status: x.Status,
			P50:    milliseconds(x.Corrected.Quantile(0.5)), P99: milliseconds(x.Corrected.Quantile(0.99)),
			Unanswered: e.text(x.Unanswered), Cut: e.text(x.Cut),
		})
		if !x.UnansweredRaw.Equal(x.Unanswered) {
			lines[at].UnansweredRaw = e.text(x.UnansweredRaw)
		}
		if !x.CutRaw.Equal(x.Cut) {
			lines[at].CutRaw = e.text(x.CutRaw)
		}
		for _, r := range x.Errors {
			lines[at].Errors = append(lines[at].Errors, errorLine{r.Kind, r.Message, r.Count, seconds(r.First), seconds(r.Last)})
		}
	}
	for i := range details {
		x := &details[i]
		at, found := findEndpoint(endpoints, x.Endpoint)
		if !found {
			at = len(lines)
			lines = append(lines, endpointLine{Name: names[x.Endpoint]})
		}
		lines[at].FirstByte, lines[at].Connect = e.text(x.FirstByte), e.text(x.Connect)
	}
	return lines
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
		lines = append(lines, exampleLine{seconds(x.At), x.Endpoint, x.Status, milliseconds(x.Latency), x.ServedBy, x.Error, x.Retried, x.TraceID})
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
	case w.To < w.From || w.To == w.From && l.End == nil: // a run may end where its drain begins
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
	if w.Exemplars.Slowest, err = examples("traced_slowest", l.TracedSlow); err != nil {
		return nil, err
	}
	if w.Exemplars.Failed, err = examples("traced_failed", l.TracedFailed); err != nil {
		return nil, err
	}
	if w.Endpoints, err = readEndpoints(l.Endpoints, index); err != nil {
		return nil, err
	}
	if err := l.readEnds(w, meta); err != nil {
		return nil, err
	}
	return w, l.readParts(w, meta, index)
}

func readEndpoints(lines []endpointLine, index map[string]int) (list []EndpointWindow, err error) {
	for i := range lines {
		x := &lines[i]
		at, known := index[x.Name]
		if !known {
			return nil, fmt.Errorf("endpoint %.80q: plan.json has none of this name", x.Name)
		}
		before := len(list)
		to := endpointIn(&list, at)
		if len(list) == before {
			return nil, fmt.Errorf("endpoint %.80q: twice in one line", x.Name)
		}
		if err := x.fill(to); err != nil {
			return nil, fmt.Errorf("endpoint %.80q: %w", x.Name, err)
		}
	}
	return list, nil
}

// readEnds reads what the last line of a run tells of its end.
func (l *windowLine) readEnds(w *Window, meta *Meta) error {
	if l.End == nil {
		return nil
	}
	w.Ended = true
	for _, x := range *l.End {
		if x.Phase < 0 || x.Phase >= len(meta.Phases) {
			return fmt.Errorf("end: phase %d, want 0 to %d", x.Phase, len(meta.Phases)-1)
		}
		if err := wantCounts("end", x.Dropped, x.OwnDrops, x.Unanswered, x.Cut); err != nil {
			return err
		}
		e := End{Phase: x.Phase, Dropped: x.Dropped, OwnDrops: x.OwnDrops, Unanswered: x.Unanswered, Cut: x.Cut}
		var err error
		if e.UnansweredAges, err = readHistogram("end: unanswered_hdr", x.UnansweredAges); err != nil {
			return err
		}
		if e.CutAges, err = readHistogram("end: cut_hdr", x.CutAges); err != nil {
			return err
		}
		w.end(x.Phase).add(&e)
	}
	return nil
}

// readParts divides a window by the phases in which its sends were due: the line says what was due in earlier
// phases, and the rest is its own. Latencies come later, from latency.hlog.
func (l *windowLine) readParts(w *Window, meta *Meta, index map[string]int) error {
	if len(l.Earlier) == 0 {
		return nil
	}
	own, whole := Part{Phase: w.Phase}, w.own()
	own.add(&whole) // a copy, down to the histograms
	for i := range l.Earlier {
		x := &l.Earlier[i]
		if x.Phase < 0 || x.Phase >= w.Phase {
			return fmt.Errorf("earlier: phase %d, want one before %d", x.Phase, w.Phase)
		}
		p := Part{Phase: x.Phase, Sent: x.Sent}
		var err error
		if p.Lag, err = readHistogram("earlier: lag_hdr", x.Lag); err != nil {
			return err
		}
		if p.SlotWait, err = readHistogram("earlier: slot_wait_hdr", x.SlotWait); err != nil {
			return err
		}
		if p.Endpoints, err = readEndpoints(x.Endpoints, index); err != nil {
			return fmt.Errorf("earlier: %w", err)
		}
		before := len(w.Parts)
		to := w.part(x.Phase)
		if len(w.Parts) == before {
			return fmt.Errorf("earlier: phase %d twice", x.Phase)
		}
		if *to = p; !own.take(&p) {
			return fmt.Errorf("earlier: more in phase %d than the line has in all", x.Phase)
		}
	}
	own.Endpoints = slices.DeleteFunc(own.Endpoints, func(e EndpointWindow) bool { return e.Requests+e.Abandoned == 0 })
	if own.Sent > 0 || len(own.Endpoints) > 0 {
		*w.part(w.Phase) = own
	}
	return nil
}

// take takes a part's counts away from those of the whole that it is in, and reports whether they were there.
func (p *Part) take(part *Part) bool {
	ok := part.Sent >= 0 && part.Sent <= p.Sent
	p.Sent -= part.Sent
	ok = less(&p.Lag, part.Lag) && ok
	ok = less(&p.SlotWait, part.SlotWait) && ok
	for i := range part.Endpoints {
		x := &part.Endpoints[i]
		at, found := findEndpoint(p.Endpoints, x.Endpoint)
		if !found {
			return false
		}
		ok = p.Endpoints[at].take(x) && ok
	}
	return ok
}

func (e *EndpointWindow) take(part *EndpointWindow) bool {
	ok := true
	for _, c := range []struct {
		of   *int64
		take int64
	}{
		{&e.Requests, part.Requests}, {&e.Failures, part.Failures}, {&e.Abandoned, part.Abandoned}, {&e.Retried, part.Retried},
		{&e.BytesIn, part.BytesIn}, {&e.BytesOut, part.BytesOut}, {&e.Truncated, part.Truncated}, {&e.Redirects, part.Redirects},
	} {
		*c.of -= c.take
		ok = ok && *c.of >= 0
	}
	for code, n := range part.Status {
		if e.Status[code] -= n; e.Status[code] == 0 {
			delete(e.Status, code)
		}
		ok = ok && e.Status[code] >= 0
	}
	for _, x := range part.Errors {
		i := slices.IndexFunc(e.Errors, func(have ErrorCount) bool { return have.Kind == x.Kind && have.Message == x.Message })
		if i < 0 || e.Errors[i].Count < x.Count {
			return false
		}
		if e.Errors[i].Count -= x.Count; e.Errors[i].Count == 0 {
			e.Errors = slices.Delete(e.Errors, i, i+1)
		}
	}
	for _, h := range []struct {
		of   **Histogram
		take *Histogram
	}{
		{&e.FirstByte, part.FirstByte}, {&e.Connect, part.Connect}, {&e.Unanswered, part.Unanswered},
		{&e.UnansweredRaw, part.UnansweredRaw}, {&e.Cut, part.Cut}, {&e.CutRaw, part.CutRaw},
	} {
		ok = less(h.of, h.take) && ok
	}
	return ok && e.Failures <= e.Requests
}

// less takes the counts of part away from a histogram, and reports whether they were there.
func less(h **Histogram, part *Histogram) bool {
	if part.Count() == 0 {
		return true
	}
	rest, ok := (*h).minus(part)
	if *h = rest; rest.Count() == 0 {
		*h = nil
	}
	return ok
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
	if to.Connect, err = readHistogram("connect_hdr", x.Connect); err != nil {
		return err
	}
	for _, h := range []struct {
		field, text string
		to          **Histogram
	}{
		{"unanswered_hdr", x.Unanswered, &to.Unanswered}, {"unanswered_raw_hdr", cmp.Or(x.UnansweredRaw, x.Unanswered), &to.UnansweredRaw},
		{"cut_hdr", x.Cut, &to.Cut}, {"cut_raw_hdr", cmp.Or(x.CutRaw, x.Cut), &to.CutRaw},
	} {
		if *h.to, err = readHistogram(h.field, h.text); err != nil {
			return err
		}
	}
	return nil
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

// fromMilliseconds undoes milliseconds.
func fromMilliseconds(ms float64) time.Duration {
	return time.Duration(math.Round(ms*1000)) * time.Microsecond
}

func examples(field string, lines []exampleLine) ([]Example, error) {
	var read []Example
	for _, x := range lines {
		if x.LatencyMS < 0 || x.LatencyMS > maxSeconds*1000 {
			return nil, fmt.Errorf("%s: latency_ms %v, want a time that is not negative", field, x.LatencyMS)
		}
		if id, err := hex.DecodeString(x.TraceID); err != nil || len(id) != 0 && len(id) != 16 {
			return nil, fmt.Errorf("%s: trace_id %.40q, want 32 hexadecimal digits", field, x.TraceID)
		}
		read = append(read, Example{time.Duration(x.At), x.Endpoint, x.Status, fromMilliseconds(x.LatencyMS), x.ServedBy, x.Error, x.Retried, x.TraceID})
	}
	return read, nil
}
