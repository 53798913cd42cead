package otlp

import (
	"maps"
	"slices"
	"strconv"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/trace"
)

// schemaURL is the version of the semantic conventions that the names are of.
const schemaURL = "https://opentelemetry.io/schemas/1.30.0"

// Bounds of one request: receivers limit what they take at once, and CloudWatch's own example sends 200 data points.
const (
	maxPoints = 200
	maxBytes  = 900 << 10
)

// series makes messages of intervals. It holds what is the same in all of them.
type series struct {
	start       time.Time
	resource    *resource.Resource
	scope       *common.InstrumentationScope
	endpoints   [][]*common.KeyValue // attributes, by index into Meta.Endpoints
	names       []string             // likewise
	temporality metrics.AggregationTemporality
}

func newSeries(m *result.Meta, more []Attribute, cumulative bool) series {
	s := series{
		start:       m.StartedAt,
		resource:    &resource.Resource{Attributes: resourceOf(m, more)},
		scope:       &common.InstrumentationScope{Name: "scalableappbackend/loadgen", Version: m.Generator.Version},
		temporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA,
	}
	if cumulative {
		s.temporality = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	}
	for _, e := range m.Endpoints {
		s.endpoints = append(s.endpoints, endpointAttributes(e))
		s.names = append(s.names, e.Name)
	}
	return s
}

// requests are the messages that end an interval, none of them too large: what has been counted, in it or since the run
// began, and how things are at its end.
func (s *series) requests(counted, now *interval) []request {
	b := batcher{series: s}
	b.from, b.to = s.at(counted.from), s.at(counted.to)
	s.latencies(&b, counted, &now.exemplars)
	s.counters(&b, counted)
	s.gauges(&b, now)
	b.flush()
	return b.done
}

func (s *series) at(t time.Duration) uint64 { return uint64(s.start.Add(t).UnixNano()) }

// The names of metrics. Those with dots and no "loadgen." are OpenTelemetry's.
const (
	RequestDuration   = "http.client.request.duration"
	ActiveRequests    = "http.client.active_requests"
	CPUUtilization    = "process.cpu.utilization"
	MemoryUsage       = "process.memory.usage"
	OpenFiles         = "process.open_file_descriptor.count"
	CorrectedDuration = "loadgen.request.corrected_duration"
	SendLag           = "loadgen.send.lag"
	Requests          = "loadgen.requests"
	Failures          = "loadgen.failures"
	Offered           = "loadgen.sends.offered"
	Sent              = "loadgen.sends.sent"
	Unanswered        = "loadgen.sends.unanswered"
	Users             = "loadgen.users"
	OfferedRate       = "loadgen.offered_rate"
	Verdict           = "loadgen.verdict"
)

// anyError is the value of error.type for failures that are not told apart, by the semantic conventions.
const anyError = "_OTHER"

func (s *series) latencies(b *batcher, v *interval, traced *result.Exemplars) {
	for i := range v.endpoints {
		e := &v.endpoints[i]
		own := s.endpoints[i]
		slow, failed := s.exemplars(traced.Slowest, s.names[i]), s.exemplars(traced.Failed, s.names[i])
		b.histogram(RequestDuration, "Time from the send of a request until its answer's body was read, or until it failed.", own, e.Raw, nil)
		b.histogram(RequestDuration, "", with(own, text("error.type", anyError)), e.Failed, failed)
		b.histogram(CorrectedDuration, "Time of a successful request, with what the service made its send wait: free of coordinated omission.", own, e.Corrected, slow)
	}
	b.histogram(SendLag, "How late requests left through the generator's own fault.", nil, v.lag, nil)
}

// exemplars are those of an endpoint, with the latency that the histogram has of them.
func (s *series) exemplars(of []result.Example, endpoint string) (all []*metrics.Exemplar) {
	for _, x := range of {
		id, ok := trace.Parse(x.TraceID)
		if x.Endpoint != endpoint || !ok {
			continue
		}
		span := id.Span()
		all = append(all, &metrics.Exemplar{
			TraceId: id[:], SpanId: span[:], TimeUnixNano: s.at(x.At), Value: &metrics.Exemplar_AsDouble{AsDouble: x.Latency.Seconds()},
		})
	}
	return all
}

func (s *series) counters(b *batcher, v *interval) {
	for i := range v.endpoints {
		e := &v.endpoints[i]
		own := s.endpoints[i]
		for _, code := range slices.Sorted(maps.Keys(e.Status)) {
			b.count(Requests, "Completed requests.", with(own, number("http.response.status_code", int64(code))), e.Status[code])
		}
		var answered int64
		for _, n := range e.Status {
			answered += n
		}
		b.count(Requests, "Completed requests.", own, e.Requests-answered)
		kinds := map[string]int64{}
		for _, x := range e.Errors {
			kinds[errorType(x)] += x.Count
		}
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			b.count(Failures, "Requests that failed.", with(own, text("error.type", kind)), kinds[kind])
		}
	}
	b.total(Offered, "Sends that came due.", nil, v.offered)
	b.total(Sent, "Requests that were sent.", nil, v.sent)
	if v.ended {
		var unanswered int64
		for _, e := range v.ends {
			unanswered += e.Unanswered
		}
		b.total(Unanswered, "Sends without an answer when the drain's time was over.", nil, unanswered)
	}
}

// errorType is the word of a failure: the status code of an answer that was not wanted, by the semantic conventions, else the
// kind.
func errorType(x result.ErrorCount) string {
	if code, _, ok := cutStatus(x.Message); ok && x.Kind == "status" {
		return code
	}
	return x.Kind
}

// cutStatus takes the code off a message such as "503 Service Unavailable".
func cutStatus(message string) (code, rest string, ok bool) {
	if len(message) < 3 {
		return "", message, false
	}
	if _, err := strconv.Atoi(message[:3]); err != nil {
		return "", message, false
	}
	return message[:3], message[3:], true
}

func (s *series) gauges(b *batcher, v *interval) {
	b.gauge(Users, "{user}", "Users who take part.", float64(v.users))
	b.level(ActiveRequests, "{request}", "Requests under way.", float64(v.inFlight))
	if length := v.to - v.from; length > 0 {
		b.gauge(OfferedRate, "{request}/s", "Sends that came due in a second, over the interval.", float64(v.offered)/length.Seconds())
	}
	if !v.hasHealth {
		return
	}
	for _, reading := range []struct {
		name, unit, what string
		value            result.Reading
	}{
		{CPUUtilization, "1", "Share that the generator used of the CPU time that it may use.", v.health.CPU},
		{MemoryUsage, "By", "Resident memory of the generator.", v.health.RSS},
		{OpenFiles, "{file_descriptor}", "Descriptors that the generator has open.", v.health.OpenFiles},
	} {
		switch {
		case !reading.value.Known():
		case reading.name == CPUUtilization:
			b.gauge(reading.name, reading.unit, reading.what, float64(reading.value))
		default:
			b.level(reading.name, reading.unit, reading.what, float64(reading.value))
		}
	}
}

// verdict is the message that ends a run.
func (s *series) verdict(r *result.Result) request {
	level := map[result.Validity]float64{result.Valid: 0, result.Suspect: 1, result.Invalid: 2}[r.Verdict.Validity]
	b := batcher{series: s, to: uint64(r.EndedAt.UnixNano())}
	b.gauge(Verdict, "1", "Whether the measurement can be believed: 0 VALID, 1 SUSPECT, 2 INVALID.", level)
	b.flush()
	return b.done[0]
}

// batcher gathers data points into metrics, and these into requests.
type batcher struct {
	series   *series
	from, to uint64

	metrics []*metrics.Metric
	points  int
	bytes   int
	done    []request
}

// metric is the metric of a name in the request under way. make makes the part that holds its points.
func (b *batcher) metric(name, unit, what string, data func(*metrics.Metric)) *metrics.Metric {
	for _, m := range b.metrics {
		if m.Name == name {
			return m
		}
	}
	m := &metrics.Metric{Name: name, Unit: unit, Description: what}
	data(m)
	b.metrics = append(b.metrics, m)
	return m
}

// added counts a data point, and ends the request when it is full.
func (b *batcher) added(point proto.Message) {
	b.points++
	if b.bytes += proto.Size(point); b.points == maxPoints || b.bytes > maxBytes {
		b.flush()
	}
}

func (b *batcher) flush() {
	if b.points == 0 {
		return
	}
	b.done = append(b.done, request{points: b.points, message: &collector.ExportMetricsServiceRequest{
		ResourceMetrics: []*metrics.ResourceMetrics{{
			Resource: b.series.resource, SchemaUrl: schemaURL,
			ScopeMetrics: []*metrics.ScopeMetrics{{Scope: b.series.scope, SchemaUrl: schemaURL, Metrics: b.metrics}},
		}},
	}})
	b.metrics, b.points, b.bytes = nil, 0, 0
}

func (b *batcher) histogram(name, what string, attributes []*common.KeyValue, h *result.Histogram, exemplars []*metrics.Exemplar) {
	if h.Count() == 0 {
		return
	}
	d := Exponential(h)
	point := &metrics.ExponentialHistogramDataPoint{
		Attributes: attributes, StartTimeUnixNano: b.from, TimeUnixNano: b.to,
		Count: d.Count, Sum: &d.Sum, Min: &d.Min, Max: &d.Max, Scale: Scale,
		Exemplars: exemplars,
		Positive:  &metrics.ExponentialHistogramDataPoint_Buckets{Offset: d.Offset, BucketCounts: d.Buckets},
	}
	m := b.metric(name, "s", what, func(m *metrics.Metric) {
		m.Data = &metrics.Metric_ExponentialHistogram{ExponentialHistogram: &metrics.ExponentialHistogram{AggregationTemporality: b.series.temporality}}
	})
	all := m.GetExponentialHistogram()
	all.DataPoints = append(all.DataPoints, point)
	b.added(point)
}

// count is a counter's data point, but for a count of 0.
func (b *batcher) count(name, what string, attributes []*common.KeyValue, n int64) {
	if n != 0 {
		b.total(name, what, attributes, n)
	}
}

// total is a counter's data point.
func (b *batcher) total(name, what string, attributes []*common.KeyValue, n int64) {
	point := &metrics.NumberDataPoint{
		Attributes: attributes, StartTimeUnixNano: b.from, TimeUnixNano: b.to, Value: &metrics.NumberDataPoint_AsInt{AsInt: n},
	}
	b.sum(name, "{request}", what, true, b.series.temporality, point)
}

// level is a count that rises and falls: an UpDownCounter, whose sum is cumulative whatever the preference (the
// specification's "delta" preference leaves it so).
func (b *batcher) level(name, unit, what string, n float64) {
	point := &metrics.NumberDataPoint{
		StartTimeUnixNano: b.series.at(0), TimeUnixNano: b.to, Value: &metrics.NumberDataPoint_AsInt{AsInt: int64(n)},
	}
	b.sum(name, unit, what, false, metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, point)
}

func (b *batcher) sum(name, unit, what string, monotonic bool, t metrics.AggregationTemporality, point *metrics.NumberDataPoint) {
	m := b.metric(name, unit, what, func(m *metrics.Metric) {
		m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: t, IsMonotonic: monotonic}}
	})
	all := m.GetSum()
	all.DataPoints = append(all.DataPoints, point)
	b.added(point)
}

func (b *batcher) gauge(name, unit, what string, value float64) {
	point := &metrics.NumberDataPoint{TimeUnixNano: b.to, Value: &metrics.NumberDataPoint_AsDouble{AsDouble: value}}
	m := b.metric(name, unit, what, func(m *metrics.Metric) { m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{}} })
	all := m.GetGauge()
	all.DataPoints = append(all.DataPoints, point)
	b.added(point)
}

// with is attributes and one more; the given ones are shared, and stay as they are.
func with(attributes []*common.KeyValue, more *common.KeyValue) []*common.KeyValue {
	return append(slices.Clip(attributes), more)
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}
