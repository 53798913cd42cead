package otlp

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// receiver decodes with the full protocol what comes, and keeps it.
type receiver struct {
	t  *testing.T
	mu sync.Mutex
	// of each request its answer; after the last one, or when there is none, 200
	answers  []int
	requests int
	received []*metrics.ResourceMetrics
}

func (r *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w.Result(), nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	z, err := gzip.NewReader(q.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	body, err := io.ReadAll(z)
	// An ExportMetricsServiceRequest is a MetricsData on the wire.
	var data metrics.MetricsData
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil {
		r.t.Error(err)
	}
	if unknown := data.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		r.t.Errorf("%d bytes that the protocol does not know", len(unknown))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if len(r.answers) > 0 {
		status := r.answers[0]
		r.answers = r.answers[1:]
		if status != 200 {
			w.WriteHeader(status)
			return
		}
	}
	r.received = append(r.received, data.ResourceMetrics...)
}

// point is a data point of any kind, with what names its series.
type point struct {
	series   string
	from, to uint64
	n        float64
	hist     *metrics.ExponentialHistogramDataPoint
}

// points are all data points of a metric.
func (r *receiver) points(name string) (all []point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rm := range r.received {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				if m.Name != name {
					continue
				}
				for _, p := range m.GetExponentialHistogram().GetDataPoints() {
					all = append(all, point{fmt.Sprint(p.Attributes), p.StartTimeUnixNano, p.TimeUnixNano, float64(p.Count), p})
				}
				for _, p := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
					all = append(all, point{fmt.Sprint(p.Attributes), p.StartTimeUnixNano, p.TimeUnixNano, float64(p.GetAsInt()) + p.GetAsDouble(), nil})
				}
			}
		}
	}
	return all
}

// names are the metrics that came.
func (r *receiver) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]bool{}
	for _, rm := range r.received {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				all[m.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

var started = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func meta() *result.Meta {
	p := plan.DefaultOpen()
	p.Name, p.Tags = "checkout", map[string]string{"commit": "4e1f09"}
	return &result.Meta{
		ID: "20260304T050607Z-00000001", StartedAt: started, Plan: p,
		Endpoints: []plan.Endpoint{
			{Name: "GET /", Method: "GET", URL: "http://api.test/"},
			{Name: "buy", Method: "PURGE", URL: "https://api.test:8443/buy"},
		},
		Phases:    []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: time.Minute}},
		Generator: result.Generator{Version: "v1.2.3", Go: "go1.26.0", OS: "linux", Arch: "arm64", Hostname: "ip-10-0-0-1", Task: &result.Task{ARN: "arn:t", Family: "load", Cluster: "c"}},
	}
}

// window is the i-th second, of n requests of each endpoint, and what they took.
func window(i, n int, rng *rand.Rand) *result.Window {
	w := &result.Window{
		From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second, Name: plan.Steady,
		Users: 7, InFlight: 3, Offered: int64(2*n + 1), Sent: int64(2 * n), Lag: &result.Histogram{},
		Health: []result.Health{{CPU: 0.25, Throttled: result.Unknown(), Steal: result.Unknown(), GC: result.Unknown(), RSS: 1 << 20, OpenFiles: result.Unknown()}},
	}
	for e := range 2 {
		x := result.EndpointWindow{
			Endpoint: e, Requests: int64(n), Failures: 2, Status: map[int]int64{200: int64(n - 2), 503: 1},
			Raw: &result.Histogram{}, Corrected: &result.Histogram{}, Failed: &result.Histogram{},
			Errors: []result.ErrorCount{{Kind: "status", Message: "503 Service Unavailable", Count: 1}, {Kind: "timeout", Message: "timeout after 10s", Count: 1}},
		}
		for range n - 2 {
			d := time.Duration(rng.ExpFloat64() * float64(20*time.Millisecond))
			x.Raw.Record(d)
			x.Corrected.Record(d + time.Millisecond)
		}
		x.Failed.RecordN(time.Second, 2)
		w.Endpoints = append(w.Endpoints, x)
	}
	w.Lag.RecordN(100*time.Microsecond, int64(2*n))
	return w
}

// publish runs a whole run of seconds through a sink, and returns what each call said.
func publish(t *testing.T, s *Sink, seconds int, every func()) (total *result.Tally, closed, finished error) {
	t.Helper()
	m := meta()
	if err := s.Start(m); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(m); err != nil {
		t.Fatal(err)
	}
	total = &result.Tally{}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range seconds {
		w := window(i, 50, rng)
		if i == seconds-1 {
			w.Ended, w.Ends = true, []result.End{{Dropped: 5, Unanswered: 4, Cut: 1}}
		}
		total.Add(w)
		if err := s.Window(w); err != nil {
			t.Error(err)
		}
		if every != nil {
			every()
		}
	}
	closed = s.Close()
	finished = s.Finish(&result.Result{EndedAt: started.Add(time.Duration(seconds) * time.Second), Verdict: result.Verdict{Validity: result.Suspect}})
	return total, closed, finished
}

func TestWhatIsReceivedAddsUpToTheRun(t *testing.T) {
	for _, cumulative := range []bool{false, true} {
		r := &receiver{t: t}
		srv := httptest.NewServer(r)
		s := New(Config{URL: srv.URL + "/v1/metrics", Cumulative: cumulative})
		total, closed, finished := publish(t, s, 25, nil)
		srv.Close()
		if closed != nil || finished != nil {
			t.Fatalf("%v, %v", closed, finished)
		}
		// sum adds what deltas add up to, and takes the last of what is cumulative.
		sum := func(name string) float64 {
			of := map[string]float64{}
			for _, p := range r.points(name) {
				if cumulative {
					of[p.series] = p.n
				} else {
					of[p.series] += p.n
				}
			}
			var all float64
			for _, n := range of {
				all += n
			}
			return all
		}
		for name, want := range map[string]int64{
			RequestDuration: total.Raw.Count() + total.Failed.Count(), CorrectedDuration: total.Corrected.Count(), SendLag: total.Lag.Count(),
			Requests: total.Requests, Failures: total.Failures, Offered: total.Offered, Sent: total.Sent, Unanswered: 4,
		} {
			if got := sum(name); got != float64(want) {
				t.Errorf("cumulative %v: %s adds up to %v, want %d", cumulative, name, got, want)
			}
		}
		// The p99 of all, from the buckets as they came.
		buckets := map[int32]uint64{}
		for _, p := range r.points(CorrectedDuration) {
			if p.hist.Scale != Scale {
				t.Fatalf("scale %d", p.hist.Scale)
			}
			if cumulative && p.to != uint64(started.Add(25*time.Second).UnixNano()) {
				continue
			}
			for i, n := range p.hist.Positive.BucketCounts {
				buckets[p.hist.Positive.Offset+int32(i)] += n
			}
		}
		d := Distribution{Count: uint64(total.Corrected.Count())}
		indices := slices.Sorted(maps.Keys(buckets))
		d.Offset = indices[0]
		d.Buckets = make([]uint64, indices[len(indices)-1]-d.Offset+1)
		for _, i := range indices {
			d.Buckets[i-d.Offset] = buckets[i]
		}
		want := total.Corrected.Quantile(0.99).Seconds()
		if lower, upper := d.ends(0.99); !(lower < want && want <= upper) {
			t.Errorf("cumulative %v: p99 is %v, outside of (%v, %v]", cumulative, want, lower, upper)
		}
		if got := r.points(Verdict); len(got) != 1 || got[0].n != 1 {
			t.Errorf("verdict %+v, want 1, once", got)
		}
		if got := r.points(OfferedRate); got[0].n != 101 {
			t.Errorf("offered rate %v, want 101", got[0].n)
		}
		if got := r.points(OpenFiles); got != nil {
			t.Errorf("a reading that is unknown came as %+v", got)
		}
		wantNames := []string{ActiveRequests, CorrectedDuration, CPUUtilization, Failures, MemoryUsage, Offered, OfferedRate, RequestDuration, Requests, SendLag, Sent, Unanswered, Users, Verdict}
		slices.Sort(wantNames)
		if got := r.names(); !slices.Equal(got, wantNames) {
			t.Errorf("names %q", got)
		}
	}
}

func TestIntervalsFollowEachOtherWithoutGap(t *testing.T) {
	r := &receiver{t: t}
	s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: r})
	publish(t, s, 25, nil)
	at := uint64(started.UnixNano())
	for _, p := range r.points(Sent) {
		if p.from != at {
			t.Errorf("an interval begins at %d, the one before ended at %d", p.from, at)
		}
		at = p.to
	}
	if want := uint64(started.Add(25 * time.Second).UnixNano()); at != want || len(r.points(Sent)) != 3 {
		t.Errorf("%d intervals that end at %d, want 3 and %d: 10, 10 and 5 s", len(r.points(Sent)), at, want)
	}
	for _, p := range r.points(ActiveRequests) {
		if p.from != uint64(started.UnixNano()) {
			t.Errorf("a level begins at %d: it is since the start", p.from)
		}
	}
}

func TestAttributesAreThoseOfTheSemanticConventions(t *testing.T) {
	r := &receiver{t: t}
	s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: r, Resource: []Attribute{{"deployment.environment.name", "test"}, {"service.name", "mine"}}})
	publish(t, s, 1, nil)
	resource := fmt.Sprint(r.received[0].Resource.Attributes)
	for key, value := range map[string]string{
		"service.name": "mine", "service.version": "v1.2.3", "service.instance.id": "20260304T050607Z-00000001", "host.name": "ip-10-0-0-1",
		"os.type": "linux", "process.runtime.version": "1.26.0", "loadgen.run.name": "checkout", "loadgen.tag.commit": "4e1f09",
		"cloud.platform": "aws_ecs", "aws.ecs.task.arn": "arn:t", "deployment.environment.name": "test",
	} {
		if n := strings.Count(spaced(resource), fmt.Sprintf(`key:%q value:{string_value:%q}`, key, value)); n != 1 {
			t.Errorf("%s=%s stands %d times in %s", key, value, n, resource)
		}
	}
	var all []string
	for _, p := range r.points(RequestDuration) {
		all = append(all, spaced(p.series))
	}
	for i, want := range [][]string{
		{`"loadgen.endpoint" value:{string_value:"GET /"}`, `"http.request.method" value:{string_value:"GET"}`, `"server.address" value:{string_value:"api.test"}`, `"server.port" value:{int_value:80}`, `"url.scheme" value:{string_value:"http"}`},
		{`"error.type" value:{string_value:"_OTHER"}`},
		{`"http.request.method" value:{string_value:"_OTHER"}`, `"http.request.method_original" value:{string_value:"PURGE"}`, `"server.port" value:{int_value:8443}`},
	} {
		for _, each := range want {
			if !strings.Contains(all[i], each) {
				t.Errorf("series %d lacks %s: %s", i, each, all[i])
			}
		}
	}
	if strings.Contains(all[0], "error.type") {
		t.Errorf("a success has error.type: %s", all[0])
	}
	failures := fmt.Sprint(r.points(Failures))
	for _, want := range []string{"503", "timeout"} {
		if !strings.Contains(failures, want) {
			t.Errorf("no failures of error.type %s: %s", want, failures)
		}
	}
}

// spaced is the text of messages without the second space that the library puts in at random.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }

// Traces go out as exemplars of the histogram that counts them: slow ones of the corrected latency, failures of those with
// error.type. In a later interval they are not sent again, whatever the temporality.
func TestTracedRequestsAreExemplarsOfTheirHistogram(t *testing.T) {
	for _, cumulative := range []bool{false, true} {
		r := &receiver{t: t}
		s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: r, Every: time.Second, Cumulative: cumulative})
		if err := s.Begin(meta()); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 3 {
			w := window(i, 50, rng)
			if i == 1 {
				w.Exemplars = result.Exemplars{
					Slowest: []result.Example{{At: 1200 * time.Millisecond, Endpoint: "buy", Latency: 80 * time.Millisecond, TraceID: "69a7bdbf000000000000000000000abc"}},
					Failed:  []result.Example{{At: 1300 * time.Millisecond, Endpoint: "GET /", Latency: time.Second, TraceID: "69a7bdbf000000000000000000000def"}, {Endpoint: "GET /", TraceID: "none"}},
				}
			}
			if err := s.Window(w); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{RequestDuration, CorrectedDuration} {
			for _, p := range r.points(name) {
				for _, x := range p.hist.Exemplars {
					got = append(got, fmt.Sprintf("%s %v %x %x %v %v", name, strings.Contains(p.series, "error.type"), x.TraceId, x.SpanId, x.GetAsDouble(), time.Duration(x.TimeUnixNano-uint64(started.UnixNano()))))
				}
			}
		}
		want := []string{
			RequestDuration + " true 69a7bdbf000000000000000000000def 0000000000000def 1 1.3s",
			CorrectedDuration + " false 69a7bdbf000000000000000000000abc 0000000000000abc 0.08 1.2s",
		}
		if !slices.Equal(got, want) {
			t.Errorf("cumulative %v: exemplars %q, want %q", cumulative, got, want)
		}
	}
}

func TestManyEndpointsGoIntoSeveralRequests(t *testing.T) {
	m := meta()
	m.Endpoints = nil
	w := &result.Window{To: time.Second}
	for i := range 500 {
		m.Endpoints = append(m.Endpoints, plan.Endpoint{Name: fmt.Sprintf("GET /%d", i), Method: "GET", URL: "http://api.test/"})
		h := &result.Histogram{}
		for us := int64(1); us < 4_000_000_000; us *= 3 {
			h.Record(time.Duration(us) * time.Microsecond)
		}
		w.Endpoints = append(w.Endpoints, result.EndpointWindow{Endpoint: i, Requests: 1, Status: map[int]int64{200: 1}, Raw: h, Corrected: h})
	}
	var v interval
	v.add(w)
	s := newSeries(m, nil, false)
	var points int
	for _, r := range s.requests(&v, &v) {
		points += r.points
		if size := proto.Size(r.message); r.points > maxPoints || size > 1<<20 {
			t.Errorf("%d points of %d bytes in one request", r.points, size)
		}
	}
	if want := 3*500 + 5; points != want {
		t.Errorf("%d points, want %d", points, want)
	}
}

func TestWhatCouldNotBeSentIsCounted(t *testing.T) {
	const to, what = "OpenTelemetry at http://receiver.test/v1/metrics", "data points"
	// An interval has 16 points of two endpoints, lag, offered, sent and 5 levels; the last one what was unanswered, and after
	// the three comes the verdict.
	for _, tt := range []struct {
		why     string
		answers []int
		want    result.Delivery
	}{
		{"a receiver that is back in time", []int{503, 429}, result.Delivery{To: to, What: what, Sent: 74, Calls: 6, Retries: 2}},
		{"one interval is refused for good, so that the verdict is not tried", []int{200, 400},
			result.Delivery{To: to, What: what, Sent: 49, Lost: 25, Calls: 3, Reason: "status 400 Bad Request"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &receiver{t: t, answers: tt.answers}
			s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: r})
			_, closed, finished := publish(t, s, 25, func() { time.Sleep(time.Second) })
			if got := s.Deliveries(); closed != nil || finished != nil || !slices.Equal(got, []result.Delivery{tt.want}) {
				t.Errorf("%s: %+v, want %+v; %v, %v", tt.why, got, tt.want, closed, finished)
			}
		})
	}
}

func TestWhatAReceiverRejectsIsCounted(t *testing.T) {
	for _, tt := range []struct {
		why, body string
		lost      int64
		reason    string
		warning   string
	}{
		{"a part", "\x0a\x09\x08\x03\x12\x05stale", 3 * 2, "rejected by the receiver: stale", ""},
		{"a part, without a word", "\x0a\x02\x08\x03", 3 * 2, "rejected by the receiver: no reason given", ""},
		{"nothing, with a word", "\x0a\x06\x12\x04slow", 0, "", "OpenTelemetry: the receiver took the data points and says: slow"},
	} {
		s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: saying(tt.body)})
		_, closed, _ := publish(t, s, 1, nil)
		d := s.Deliveries()[0]
		if d.Lost != tt.lost || d.Sent != 26-tt.lost || d.Reason != tt.reason || (closed == nil) != (tt.warning == "") || closed != nil && closed.Error() != tt.warning {
			t.Errorf("%s: %+v, %v", tt.why, d, closed)
		}
	}
}

type saying string

func (s saying) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-protobuf"}}, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

// A receiver that never answers holds up nothing: not the run, and not its end for longer than CloseTimeout.
func TestADeadReceiverCostsTheRunNothingAndItsEndABoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: hanging{}})
		sinks, err := result.StartSinks([]result.Sink{result.NopSink{}, s}, *meta())
		if err != nil {
			t.Fatal(err)
		}
		if err := sinks.Begin(*meta(), 300); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 120 {
			began := time.Now()
			sinks.Window(window(i, 10, rng))
			if held := time.Since(began); held > 0 {
				t.Fatalf("a window was held up for %s", held)
			}
			time.Sleep(time.Second)
		}
		began := time.Now()
		res, failed := sinks.Finish(func(warnings []string, deliveries []result.Delivery, failed error) *result.Result {
			return &result.Result{Warnings: warnings, Deliveries: deliveries}
		})
		if took := time.Since(began); took > CloseTimeout || failed != nil || len(res.Warnings) > 0 {
			t.Errorf("ended in %s with %v, %q: telling others is no reason to fail a run", took, failed, res.Warnings)
		}
		d := res.Deliveries[0]
		if d.Sent != 0 || d.Lost != 12*24+1 || d.Calls < 12 || !strings.HasPrefix(d.Reason, "no answer in time") {
			t.Errorf("%+v", d)
		}
	})
}

type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// An old interval gives way to a new one, and is counted.
func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{URL: "http://receiver.test/v1/metrics", Transport: hanging{}, Every: time.Second})
		publish(t, s, queued+50, nil)
		if d := s.Deliveries()[0]; d.Sent != 0 || d.Lost != (queued+50)*24+2 || d.Reason != fmt.Sprintf("%d requests were waiting", queued) {
			t.Errorf("%+v", d)
		}
		if s.sender.lost() != queued+50 {
			t.Errorf("%d requests were lost", s.sender.lost())
		}
	})
}

func TestARunThatWasRefusedClosesAsIfNothingHadBeen(t *testing.T) {
	s := New(Config{URL: "http://receiver.test/v1/metrics"})
	if err := s.Start(meta()); err != nil || s.Close() != nil || s.Finish(&result.Result{}) != nil || s.Deliveries() != nil {
		t.Errorf("%v", err)
	}
}
