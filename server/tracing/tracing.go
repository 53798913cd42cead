// Package tracing makes requests to a handler OpenTelemetry spans, and sends them over OTLP/HTTP.
//
// It promises that a request never waits for a receiver: spans go into a bounded queue, from which one goroutine sends them in
// batches, and what finds no room is dropped and counted. A trace that comes with a request, in W3C's traceparent, is
// continued, and recorded if the caller records it; a request without one begins a trace, if the [Sampler] says so. A request that
// is not recorded allocates nothing here.
//
// It refuses metrics, logs and baggage, reads no environment, and knows of the API only what it is told of routes.
package tracing

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	traces "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"scalableappbackend/internal/otlphttp"
)

// Numbers of a Tracer: those of OpenTelemetry's batch processor, https://opentelemetry.io/docs/specs/otel/trace/sdk/.
const (
	queueSize = 2048
	batchSize = 512
	sendEvery = 5 * time.Second
	// patience is how long a batch is tried before the next one has its turn.
	patience = 30 * time.Second
)

// schemaURL is the version of the semantic conventions that the names are of.
const schemaURL = "https://opentelemetry.io/schemas/1.30.0"

// Sampler says which requests are recorded.
type Sampler struct {
	// Ratio of the requests without a trace begin one, 0 to 1.
	Ratio float64
	// IgnoreParent lets Ratio decide also of requests that come with a trace.
	IgnoreParent bool
}

// Config is where and as whom spans are sent, and which. URL and Resource are needed.
type Config struct {
	URL       string
	Header    http.Header
	Transport http.RoundTripper // nil: net/http's
	Resource  []otlphttp.Pair
	Sampler   Sampler
	// Routes are the paths that a span is named after; of others the method is its name.
	Routes []string
	// Quiet are routes, such as those of health checks, that begin no trace.
	Quiet []string
}

// Tracer records the requests of one handler.
type Tracer struct {
	cfg    Config
	client otlphttp.Client
	below  uint64 // of 2^63: the share that is recorded
	spans  chan *traces.Span
	ctx    context.Context
	give   context.CancelFunc
	end    chan struct{}
	done   chan struct{}
	once   sync.Once

	dropped atomic.Int64 // spans: no room, not taken, or rejected
	mu      sync.Mutex
	reason  error // why the first was
}

// New starts a Tracer. Close ends it.
func New(cfg Config) *Tracer {
	t := &Tracer{
		cfg: cfg, client: otlphttp.Client{URL: cfg.URL, Header: cfg.Header, Transport: cfg.Transport},
		below: uint64(math.Ldexp(min(max(cfg.Sampler.Ratio, 0), 1), 63)),
		spans: make(chan *traces.Span, queueSize), end: make(chan struct{}), done: make(chan struct{}),
	}
	t.ctx, t.give = context.WithCancel(context.Background())
	go t.run()
	return t
}

// Wrap records what a handler answers.
func (t *Tracer) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := parseParent(r.Header.Get("Traceparent"))
		if !t.records(&p, ok, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		s := &recorded{ResponseWriter: w, tracer: t, request: r, began: time.Now(), parent: p, continued: ok}
		defer s.finish()
		next.ServeHTTP(s, r)
	})
}

// records decides whether a request is recorded, and gives one that begins a trace its id.
func (t *Tracer) records(p *parent, continued bool, path string) bool {
	if continued && !t.cfg.Sampler.IgnoreParent {
		return p.sampled
	}
	if !continued {
		if slices.Contains(t.cfg.Quiet, path) {
			return false
		}
		for p.trace == [16]byte{} {
			binary.BigEndian.PutUint64(p.trace[:8], rand.Uint64())
			binary.BigEndian.PutUint64(p.trace[8:], rand.Uint64())
		}
	}
	// By the specification's TraceIdRatioBased the id decides, so that all services of a trace decide alike.
	return t.below > 0 && binary.BigEndian.Uint64(p.trace[8:])>>1 < t.below
}

// parent is what a traceparent says.
type parent struct {
	trace   [16]byte
	span    [8]byte
	sampled bool
}

// parseParent reads a traceparent, https://www.w3.org/TR/trace-context/#traceparent-header; what is malformed is none.
func parseParent(text string) (p parent, ok bool) {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(text) < length || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return p, false
	}
	var version, flags [1]byte
	for _, part := range []struct {
		into []byte
		from string
	}{{version[:], text[:2]}, {p.trace[:], text[3:35]}, {p.span[:], text[36:52]}, {flags[:], text[53:55]}} {
		for i := range len(part.from) {
			if c := part.from[i]; c >= 'A' && c <= 'F' {
				return parent{}, false
			}
		}
		if _, err := hex.Decode(part.into, []byte(part.from)); err != nil {
			return parent{}, false
		}
	}
	known := len(text) == length
	if version[0] > 0 { // a later version may have more
		known = version[0] < 0xff && (known || text[length] == '-')
	}
	p.sampled = flags[0]&1 == 1
	if !known || p.trace == [16]byte{} || p.span == [8]byte{} {
		return parent{}, false
	}
	return p, true
}

// recorded is an answer that is recorded.
type recorded struct {
	http.ResponseWriter
	tracer    *Tracer
	request   *http.Request
	began     time.Time
	parent    parent
	continued bool
	status    int
}

// WriteHeader keeps the final status.
func (s *recorded) WriteHeader(status int) {
	if s.status == 0 && status >= 200 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write is an answer of 200, unless another status was written.
func (s *recorded) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what else the writer can.
func (s *recorded) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// finish queues the span.
func (s *recorded) finish() {
	select {
	case s.tracer.spans <- s.span(time.Now()):
	default:
		s.tracer.lose(1, fmt.Errorf("%d spans were waiting", queueSize))
	}
}

// span is the request as OpenTelemetry's semantic conventions have one of an HTTP server.
func (s *recorded) span(ended time.Time) *traces.Span {
	r := s.request
	var id [8]byte
	for id == [8]byte{} {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	method := knownMethod(r.Method)
	out := &traces.Span{
		TraceId: s.parent.trace[:], SpanId: id[:], Kind: traces.Span_SPAN_KIND_SERVER, Flags: 1,
		StartTimeUnixNano: uint64(s.began.UnixNano()), EndTimeUnixNano: uint64(s.began.Add(ended.Sub(s.began)).UnixNano()),
		Name: method, Attributes: []*common.KeyValue{
			text("http.request.method", method), text("url.path", clip(r.URL.Path)), text("url.scheme", "http"), text("server.address", clip(r.Host)),
		},
	}
	if method != r.Method {
		out.Name = "HTTP"
		out.Attributes = append(out.Attributes, text("http.request.method_original", clip(r.Method)))
	}
	if slices.Contains(s.tracer.cfg.Routes, r.URL.Path) {
		out.Name += " " + r.URL.Path
		out.Attributes = append(out.Attributes, text("http.route", r.URL.Path))
	}
	if agent := r.UserAgent(); agent != "" {
		out.Attributes = append(out.Attributes, text("user_agent.original", clip(agent)))
	}
	if s.continued {
		out.ParentSpanId, out.TraceState, out.Flags = s.parent.span[:], clip(r.Header.Get("Tracestate")), 1|0x300 // it is remote, and that is known
	}
	status := s.status
	if status == 0 { // nothing was written, which net/http answers with 200
		status = http.StatusOK
	}
	out.Attributes = append(out.Attributes, &common.KeyValue{Key: "http.response.status_code", Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(status)}}})
	if status >= 500 {
		out.Status = &traces.Status{Code: traces.Status_STATUS_CODE_ERROR}
		out.Attributes = append(out.Attributes, text("error.type", fmt.Sprint(status)))
	}
	return out
}

// clip is a text from outside as protobuf takes it, and not without end.
func clip(text string) string {
	const most = 512
	return strings.ToValidUTF8(text[:min(len(text), most)], "�")
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return m
	}
	return "_OTHER"
}

// run sends what comes: when there is a batch, and what there is every few seconds.
func (t *Tracer) run() {
	defer close(t.done)
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	var batch []*traces.Span
	flush := func() {
		if len(batch) > 0 {
			t.send(batch)
			batch = nil
		}
	}
	for {
		select {
		case s := <-t.spans:
			if batch = append(batch, s); len(batch) == batchSize {
				flush()
			}
		case <-tick.C:
			flush()
		case <-t.end:
			for {
				select {
				case s := <-t.spans:
					if batch = append(batch, s); len(batch) == batchSize {
						flush()
					}
					continue
				default:
				}
				flush()
				return
			}
		}
	}
}

func (t *Tracer) send(batch []*traces.Span) {
	var attributes []*common.KeyValue
	for _, p := range t.cfg.Resource {
		attributes = append(attributes, text(p.Key, p.Value))
	}
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	reply, err := t.client.Send(ctx, &collector.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{
		Resource: &resource.Resource{Attributes: attributes}, SchemaUrl: schemaURL,
		ScopeSpans: []*traces.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "scalableappbackend/server"}, Spans: batch}},
	}}})
	switch {
	case errors.Is(err, context.Canceled):
		t.lose(int64(len(batch)), errors.New("no answer before the end"))
	case err != nil:
		t.lose(int64(len(batch)), err)
	case reply.Rejected > 0:
		t.lose(reply.Rejected, fmt.Errorf("rejected by the receiver: %s", reply.Message))
	}
}

func (t *Tracer) lose(n int64, why error) {
	t.dropped.Add(n)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reason == nil {
		t.reason = why
	}
}

// Close sends what is left until ctx ends. The error says how many spans were lost, of all, and why the first was. Requests that
// are answered meanwhile are recorded or not.
func (t *Tracer) Close(ctx context.Context) error {
	t.once.Do(func() { close(t.end) })
	select {
	case <-t.done:
	case <-ctx.Done():
		t.give()
		<-t.done
	}
	t.give()
	t.mu.Lock()
	defer t.mu.Unlock()
	n, what := t.dropped.Load(), "spans"
	if n == 0 {
		return nil
	}
	if n == 1 {
		what = "span"
	}
	return fmt.Errorf("%d %s could not be sent to %s: %w", n, what, otlphttp.Redacted(t.cfg.URL), t.reason)
}
