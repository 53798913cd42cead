package otlp

import (
	"cmp"
	"net/http"
	"time"

	"scalableappbackend/internal/otlphttp"
	"scalableappbackend/loadgen/result"
)

// DefaultEvery is how often metrics are sent: often enough to be watched, and 6 requests a minute.
const DefaultEvery = 10 * time.Second

// Attribute is one of the resource's.
type Attribute struct{ Key, Value string }

// Config is where and how a run's metrics are sent. Only URL is needed.
type Config struct {
	URL       string // with the path: see otlphttp.SignalURL
	Header    http.Header
	Transport http.RoundTripper // nil: net/http's
	Signer    otlphttp.Signer   // nil: requests are not signed
	// Every is the length of an interval; 0: DefaultEvery. It ends with the first window that makes it as long.
	Every time.Duration
	// Cumulative sends what has added up since the run began, in place of what an interval added.
	Cumulative bool
	// Resource are attributes beside the Sink's own, which they replace where they have the same key.
	Resource []Attribute
}

// Sink publishes a run. It is used once.
type Sink struct {
	result.NopSink
	cfg    Config
	sender *sender
	meta   *result.Meta
	series series

	interval interval // under way
	total    interval // of all before, when temporality is cumulative
}

var (
	_ result.Sink      = (*Sink)(nil)
	_ result.Deliverer = (*Sink)(nil)
)

// New returns a sink that has not done anything yet.
func New(cfg Config) *Sink {
	cfg.Every = cmp.Or(cfg.Every, DefaultEvery)
	return &Sink{cfg: cfg}
}

// Begin starts to send. A receiver that is not there refuses no run.
func (s *Sink) Begin(m *result.Meta) error {
	s.meta = m
	s.series = newSeries(m, s.cfg.Resource, s.cfg.Cumulative)
	s.sender = newSender(&otlphttp.Client{URL: s.cfg.URL, Header: s.cfg.Header, Transport: s.cfg.Transport, Signer: s.cfg.Signer})
	return nil
}

// Window adds a window to the interval under way, and sends the interval when it is long enough.
func (s *Sink) Window(w *result.Window) error {
	s.interval.add(w)
	if s.interval.to-s.interval.from >= s.cfg.Every {
		s.cut()
	}
	return nil
}

// cut sends the interval under way and begins another.
func (s *Sink) cut() {
	told := &s.interval
	if s.cfg.Cumulative {
		s.total.follow(&s.interval)
		told = &s.total
	}
	for _, r := range s.series.requests(told, &s.interval) {
		s.sender.put(r)
	}
	s.interval = interval{}
}

// Close sends what is left, within CloseTimeout. The error is a receiver's warning; what could not be sent is in
// Deliveries.
func (s *Sink) Close() error {
	if s.sender == nil {
		return nil // the run was refused
	}
	if s.interval.windows > 0 {
		s.cut()
	}
	s.sender.close(CloseTimeout)
	return s.sender.said()
}

// Finish sends the verdict. It is not tried when something could not be sent before, so that the end of the run is not
// held up again.
func (s *Sink) Finish(r *result.Result) error {
	if s.sender != nil {
		s.sender.last(s.series.verdict(r), s.sender.lost() == 0)
	}
	return nil
}

// Deliveries is what became of the data points.
func (s *Sink) Deliveries() []result.Delivery {
	if s.sender == nil {
		return nil
	}
	return []result.Delivery{s.sender.delivery()}
}

// interval is what windows add up to.
type interval struct {
	windows  int
	from, to time.Duration

	endpoints     []result.EndpointWindow // by index into Meta.Endpoints; absent ones are nil at the end
	lag           *result.Histogram
	offered, sent int64
	ends          []result.End
	ended         bool

	// Of the last window: gauges say how things are.
	users, inFlight int
	exemplars       result.Exemplars // of all windows, and of none before
	health          result.Health
	hasHealth       bool
}

// add adds the window that comes next. What a window holds is not changed.
func (v *interval) add(w *result.Window) {
	if v.windows++; v.windows == 1 {
		v.from = w.From
	}
	v.to = w.To
	for i := range w.Endpoints {
		v.endpoint(w.Endpoints[i].Endpoint).Add(&w.Endpoints[i])
	}
	v.addLag(w.Lag)
	v.offered += w.Offered
	v.sent += w.Sent
	v.ends = append(v.ends, w.Ends...)
	v.ended = v.ended || w.Ended
	v.users, v.inFlight = w.Users, w.InFlight
	v.exemplars.Slowest = append(v.exemplars.Slowest, w.Exemplars.Slowest...)
	v.exemplars.Failed = append(v.exemplars.Failed, w.Exemplars.Failed...)
	if n := len(w.Health); n > 0 {
		v.health, v.hasHealth = w.Health[n-1], true
	}
}

// follow adds an interval that comes next, but for its exemplars and how things are at its end.
func (v *interval) follow(next *interval) {
	if v.windows == 0 {
		v.from = next.from
	}
	v.windows += next.windows
	v.to = next.to
	for i := range next.endpoints {
		v.endpoint(i).Add(&next.endpoints[i])
	}
	v.addLag(next.lag)
	v.offered += next.offered
	v.sent += next.sent
	v.ends = append(v.ends, next.ends...)
	v.ended = v.ended || next.ended
}

func (v *interval) addLag(h *result.Histogram) {
	if h.Count() == 0 {
		return
	}
	if v.lag == nil {
		v.lag = &result.Histogram{}
	}
	v.lag.Merge(h)
}

func (v *interval) endpoint(index int) *result.EndpointWindow {
	for len(v.endpoints) <= index {
		v.endpoints = append(v.endpoints, result.EndpointWindow{Endpoint: len(v.endpoints)})
	}
	return &v.endpoints[index]
}
