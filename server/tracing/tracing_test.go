package tracing

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"scalableappbackend/internal/otlphttp"
)

// receiver decodes with the full protocol what comes, and keeps it.
type receiver struct {
	t        *testing.T
	mu       sync.Mutex
	status   int
	requests int
	spans    []*traces.Span
	resource string
}

func (r *receiver) RoundTrip(q *http.Request) (*http.Response, error) {
	z, err := gzip.NewReader(q.Body)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(z)
	var data traces.TracesData // as an ExportTraceServiceRequest is on the wire
	if err != nil || proto.Unmarshal(body, &data) != nil || len(data.ProtoReflect().GetUnknown()) > 0 {
		r.t.Errorf("%v: not what the protocol says", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if r.status != 0 {
		return &http.Response{StatusCode: r.status, Body: http.NoBody}, nil
	}
	for _, rs := range data.ResourceSpans {
		r.resource = fmt.Sprint(rs.Resource.Attributes)
		for _, ss := range rs.ScopeSpans {
			r.spans = append(r.spans, ss.Spans...)
		}
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
}

// count is how many spans came so far.
func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.spans)
}

func config(r http.RoundTripper, s Sampler) Config {
	return Config{URL: "http://receiver.test/v1/traces", Transport: r, Sampler: s, Routes: []string{"/", "/health"}, Quiet: []string{"/health"},
		Resource: []otlphttp.Pair{{Key: "service.name", Value: "server"}}}
}

const (
	trace    = "0af7651916cd43dd8448eb211c80319c"
	span     = "b7ad6b7169203331"
	recorder = "00-" + trace + "-" + span + "-01"
	silent   = "00-" + trace + "-" + span + "-00"
)

func TestARequestBecomesASpanOfItsTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t}
		tracer := New(config(r, Sampler{Ratio: 1}))
		h := tracer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			time.Sleep(30 * time.Millisecond)
			switch q.URL.Path {
			case "/boom":
				w.WriteHeader(103)
				w.WriteHeader(503)
			case "/":
				io.WriteString(w, "ok")
			}
		}))
		ask := func(method, path, parent string) {
			q := httptest.NewRequest(method, "http://api.test"+path, nil)
			q.Header.Set("User-Agent", "loadgen")
			if parent != "" {
				q.Header.Set("Traceparent", parent)
				q.Header.Set("Tracestate", "vendor=1")
			}
			h.ServeHTTP(httptest.NewRecorder(), q)
		}
		began := time.Now()
		ask("GET", "/", recorder)
		ask("BREW", "/boom", "")
		ask("GET", "/health", "")       // a health check begins no trace
		ask("GET", "/health", recorder) // and is part of one
		ask("GET", "/", silent)         // its caller records nothing
		if err := tracer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(r.spans) != 3 || r.requests != 1 {
			t.Fatalf("%d spans in %d requests, want 3 in 1", len(r.spans), r.requests)
		}
		first, second, third := r.spans[0], r.spans[1], r.spans[2]
		if got := hex.EncodeToString(first.TraceId) + " " + hex.EncodeToString(first.ParentSpanId); got != trace+" "+span || first.TraceState != "vendor=1" {
			t.Errorf("the trace that came was not continued: %s, %q", got, first.TraceState)
		}
		if len(first.SpanId) != 8 || hex.EncodeToString(first.SpanId) == span || first.Name != "GET /" || first.Kind != traces.Span_SPAN_KIND_SERVER {
			t.Errorf("%v", first)
		}
		if from, to := time.Unix(0, int64(first.StartTimeUnixNano)), time.Unix(0, int64(first.EndTimeUnixNano)); !from.Equal(began) || to.Sub(from) != 30*time.Millisecond {
			t.Errorf("from %v for %v, want %v and 30ms", from, to.Sub(from), began)
		}
		if len(second.ParentSpanId) != 0 || hex.EncodeToString(second.TraceId) == trace || second.Name != "HTTP" || second.Status.GetCode() != traces.Status_STATUS_CODE_ERROR {
			t.Errorf("%v", second)
		}
		if third.Name != "GET /health" {
			t.Errorf("%v", third)
		}
		for i, wants := range [][]string{
			{`"http.request.method" value:{string_value:"GET"}`, `"http.route" value:{string_value:"/"}`, `"http.response.status_code" value:{int_value:200}`, `"server.address" value:{string_value:"api.test"}`, `"user_agent.original" value:{string_value:"loadgen"}`},
			{`"http.request.method" value:{string_value:"_OTHER"}`, `"http.request.method_original" value:{string_value:"BREW"}`, `"url.path" value:{string_value:"/boom"}`, `"http.response.status_code" value:{int_value:503}`, `"error.type" value:{string_value:"503"}`},
			{`"http.response.status_code" value:{int_value:200}`},
		} {
			got := strings.Join(strings.Fields(fmt.Sprint(r.spans[i].Attributes)), " ")
			for _, want := range wants {
				if !strings.Contains(got, want) {
					t.Errorf("span %d lacks %s: %s", i, want, got)
				}
			}
		}
		if !strings.Contains(r.resource, "service.name") {
			t.Errorf("resource %s", r.resource)
		}
	})
}

func TestASamplerDecidesAsTheSpecificationSays(t *testing.T) {
	for _, tt := range []struct {
		why    string
		s      Sampler
		parent string
		want   bool
	}{
		{"parentbased_always_on, no parent", Sampler{Ratio: 1}, "", true},
		{"parentbased_always_on, a parent that is recorded", Sampler{Ratio: 1}, recorder, true},
		{"parentbased_always_on, one that is not", Sampler{Ratio: 1}, silent, false},
		{"parentbased_always_off, no parent", Sampler{}, "", false},
		{"parentbased_always_off, a parent that is recorded", Sampler{}, recorder, true},
		{"always_on, a parent that is not recorded", Sampler{Ratio: 1, IgnoreParent: true}, silent, true},
		{"always_off, a parent that is recorded", Sampler{IgnoreParent: true}, recorder, false},
		{"a parent that cannot be read is none", Sampler{Ratio: 1}, strings.ToUpper(silent), true},
	} {
		tracer := New(config(&receiver{t: t}, tt.s))
		p, ok := parseParent(tt.parent)
		if got := tracer.records(&p, ok, "/"); got != tt.want {
			t.Errorf("%s: recorded %v", tt.why, got)
		}
		tracer.Close(t.Context())
	}
	tracer := New(config(&receiver{t: t}, Sampler{Ratio: 0.25}))
	defer tracer.Close(t.Context())
	var n int
	for range 10_000 {
		var p parent
		if tracer.records(&p, false, "/") {
			n++
		}
	}
	if n < 2240 || n > 2760 { // 2,500, within 6 standard deviations of 43
		t.Errorf("%d of 10,000, want a quarter", n)
	}
}

func TestWhatIsATraceparent(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
		why  string
	}{
		{recorder, true, "as it is sent"},
		{"cc-" + trace + "-" + span + "-01-later", true, "a later version, with more"},
		{"cc-" + trace + "-" + span + "-01", true, "a later version, without"},
		{"cc-" + trace + "-" + span + "-01.", false, "a later version, with something else"},
		{"ff-" + trace + "-" + span + "-01", false, "the version that cannot be"},
		{recorder + "-x", false, "more than version 00 has"},
		{"00-" + strings.Repeat("0", 32) + "-" + span + "-01", false, "no trace"},
		{"00-" + trace + "-" + strings.Repeat("0", 16) + "-01", false, "no span"},
		{strings.ToUpper(recorder), false, "capital letters"},
		{strings.Replace(recorder, "c", "g", 1), false, "no digit"},
		{recorder[:54], false, "cut"},
		{"", false, "nothing"},
	} {
		p, ok := parseParent(tt.text)
		if ok != tt.ok || ok && (hex.EncodeToString(p.trace[:]) != trace || hex.EncodeToString(p.span[:]) != span || !p.sampled) || !ok && p != (parent{}) {
			t.Errorf("%s: %v %+v", tt.why, ok, p)
		}
	}
}

func FuzzParseParent(f *testing.F) {
	f.Add(recorder)
	f.Add("cc-" + trace + "-" + span + "-01-later")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parseParent(text)
		if !ok {
			return
		}
		if again := fmt.Sprintf("%s-%x-%x-%s", text[:2], p.trace, p.span, text[53:]); again != text {
			t.Errorf("%q was read as %q", text, again)
		}
	})
}

// A request that is not recorded costs no memory, and a receiver that hangs costs a request no time.
func TestWhatIsNotRecordedAllocatesNothing(t *testing.T) {
	tracer := New(config(&receiver{t: t}, Sampler{}))
	defer tracer.Close(t.Context())
	h := tracer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, parent := range []string{"", silent} {
		q := httptest.NewRequest("GET", "/", nil)
		if parent != "" {
			q.Header.Set("Traceparent", parent)
		}
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(nil, q) }); n != 0 {
			t.Errorf("%q: %v allocations a request", parent, n)
		}
	}
}

type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestWhatFindsNoRoomIsDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := New(config(hanging{}, Sampler{Ratio: 1}))
		h := tracer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		began := time.Now()
		const n = queueSize + batchSize + 100
		for range n {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			synctest.Wait() // the sender has taken what it takes
		}
		if held := time.Since(began); held > 0 {
			t.Errorf("requests were held up for %s", held)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began = time.Now()
		err := tracer.Close(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("%d spans could not be sent to http://receiver.test/v1/traces: %d spans were waiting", n, queueSize)) || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestSpansGoInBatchesAndEveryFewSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t}
		tracer := New(config(r, Sampler{Ratio: 1}))
		h := tracer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for range batchSize + 3 {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}
		synctest.Wait()
		if n := r.count(); n != batchSize {
			t.Errorf("%d spans at once, want a batch", n)
		}
		time.Sleep(sendEvery)
		synctest.Wait()
		if n := r.count(); n != batchSize+3 {
			t.Errorf("%d spans after %s", n, sendEvery)
		}
		if err := tracer.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSpansThatAReceiverRefusesAreCounted(t *testing.T) {
	r := &receiver{t: t, status: 400}
	tracer := New(config(r, Sampler{Ratio: 1}))
	tracer.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if err := tracer.Close(t.Context()); err == nil || err.Error() != "1 span could not be sent to http://receiver.test/v1/traces: status 400 Bad Request" {
		t.Errorf("%v", err)
	}
}
