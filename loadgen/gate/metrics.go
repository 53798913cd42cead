package gate

import "scalableappbackend/loadgen/result"

// Source answers what was measured.
type Source interface {
	// Metrics returns the figures of one endpoint (all of them when empty) in one phase, or
	// false when it measured nothing of that name.
	//
	// What counts is what was due there, whenever it was answered. All phases of a name count together. An
	// empty phase is the whole run without its warm-up.
	Metrics(endpoint, phase string) (Metrics, bool)
}

// Metrics are the figures that expressions are evaluated on. The zero value is of a stretch in
// which nothing was measured.
type Metrics struct {
	Seconds   float64 // length of the stretch
	Completed int64   // requests that completed within it, whenever they were due

	// Due is what was due in it and completed, or was abandoned: counts and histograms. Those of what no answer ended are below.
	Due result.EndpointWindow

	// Due in it and never answered, sent or not: Unanswered had the whole stop timeout, Cut had not. Nil where nobody
	// counted them. Their ages stand in Ages and AgesRaw: as a corrected and as a raw latency.
	Unanswered, Cut *int64
	Ages, AgesRaw   *result.Histogram
	// Those of Cut alone.
	AgesCut, AgesCutRaw *result.Histogram

	// Counted for the run as a whole only; nil where they are not counted.
	Offered *int64
	Sent    *int64
	Dropped *int64
}

// All is the endpoint of [Metrics.Add] that stands for every one.
const All = -1

// Add adds one window's figures, of what completed in it, of the endpoint with that index or of All. Offered and Sent are
// the run's, so they are added for All only. w stays as it is.
func (m *Metrics) Add(w *result.Window, endpoint int) {
	m.Seconds += w.Seconds()
	for i := range w.Endpoints {
		if e := &w.Endpoints[i]; endpoint == All || endpoint == e.Endpoint {
			m.Completed += e.Requests
			m.Due.Add(e)
		}
	}
	if endpoint == All {
		m.Offered, m.Sent = plus(m.Offered, &w.Offered), plus(m.Sent, &w.Sent)
	}
}

// merge adds another stretch, of what completed in it.
func (m *Metrics) merge(from *Metrics) {
	m.Seconds += from.Seconds
	m.Completed += from.Completed
	m.Due.Add(&from.Due)
	m.Offered, m.Sent = plus(m.Offered, from.Offered), plus(m.Sent, from.Sent)
}

// plus adds two counts that may not be kept; the sum is always a new one.
func plus(a, b *int64) *int64 {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return new(*b)
	case b == nil:
		return new(*a)
	}
	return new(*a + *b)
}

// unanswered is how many sends had no answer, as far as that is known.
func (m *Metrics) unanswered() int64 { return result.Known(m.Unanswered) }

// ages are those of sends that no answer ended, as a latency; nil of a latency that only an answer has.
func (m *Metrics) ages(l Latency) *result.Histogram {
	switch l {
	case Corrected:
		return m.Ages
	case Raw:
		return m.AgesRaw
	}
	return nil
}

// agesCut are those of Cut.
func (m *Metrics) agesCut(l Latency) *result.Histogram {
	if l == Raw {
		return m.AgesCutRaw
	}
	return m.AgesCut
}

func (m *Metrics) histogram(l Latency) *result.Histogram {
	switch l {
	case Corrected:
		return m.Due.Corrected
	case Raw:
		return m.Due.Raw
	case Failed:
		return m.Due.Failed
	case FirstByte:
		return m.Due.FirstByte
	case Connect:
		return m.Due.Connect
	}
	return nil
}

func errorRate(m *Metrics) (float64, string) {
	n := m.Due.Requests + m.unanswered()
	if n == 0 {
		return 0, noneCompleted
	}
	return float64(m.Due.Failures+m.unanswered()) / float64(n), ""
}

func throughput(m *Metrics) (float64, string) {
	if m.Seconds <= 0 {
		return 0, "no time was measured"
	}
	return float64(m.Completed) / m.Seconds, ""
}

func dropped(m *Metrics) (float64, string) {
	if m.Dropped != nil && *m.Dropped == 0 && m.Offered != nil && *m.Offered == 0 {
		return 0, "nothing was offered"
	}
	return kept(m.Dropped)
}

const noneCompleted = "no request completed"

// ofSent reads a count of something that requests do: none of it among no requests is no evidence.
func ofSent(count func(m *Metrics) int64) func(m *Metrics) (float64, string) {
	return func(m *Metrics) (float64, string) {
		n := count(m)
		if n == 0 && m.Due.Requests+m.unanswered() == 0 {
			return 0, noneCompleted
		}
		return float64(n), ""
	}
}

func kept(n *int64) (float64, string) {
	if n == nil {
		return 0, "it was not counted"
	}
	return float64(*n), ""
}
