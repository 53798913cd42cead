package main

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"scalableappbackend/server"
)

func TestOpenTelemetrysVariablesSayWhetherAndHowRequestsAreTraced(t *testing.T) {
	const on = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.test:4318"
	for _, tt := range []struct {
		why  string
		env  []string
		want string // URL, sampler, header, resource; empty: not at all
	}{
		{"nothing is said", nil, ""},
		{"an empty variable counts as not set", []string{"OTEL_EXPORTER_OTLP_ENDPOINT="}, ""},
		{"other variables start nothing", []string{"OTEL_SERVICE_NAME=api", "OTEL_TRACES_SAMPLER=nonsense"}, ""},
		{"a base URL", []string{on}, "http://collector.test:4318/v1/traces {1 false} map[] [{service.name server}]"},
		{"of traces alone, which wins", []string{on, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://other.test/v1/traces"}, "http://other.test/v1/traces {1 false} map[] [{service.name server}]"},
		{"switched off", []string{on, "OTEL_SDK_DISABLED=true"}, ""},
		{"no exporter", []string{on, "OTEL_TRACES_EXPORTER=none"}, ""},
		{"headers, a name and attributes", []string{on, "OTEL_EXPORTER_OTLP_HEADERS=api-key=k%3D", "OTEL_SERVICE_NAME=api", "OTEL_RESOURCE_ATTRIBUTES=service.name=x,deployment.environment.name=test"},
			"http://collector.test:4318/v1/traces {1 false} map[Api-Key:[k=]] [{service.name api} {deployment.environment.name test}]"},
		{"a share", []string{on, "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.1"}, "http://collector.test:4318/v1/traces {0.1 false} map[] [{service.name server}]"},
		{"the parent's word is not asked", []string{on, "OTEL_TRACES_SAMPLER=always_off"}, "http://collector.test:4318/v1/traces {0 true} map[] [{service.name server}]"},
		{"the protocol that there is", []string{on, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, "http://collector.test:4318/v1/traces {1 false} map[] [{service.name server}]"},
	} {
		cfg, err := parse(nil, environment(tt.env...))
		got := ""
		if c := cfg.traces; c != nil {
			got = fmt.Sprint(c.URL, " ", c.Sampler, " ", map[string][]string(c.Header), " ", c.Resource)
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.why, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ env, want string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317", `OTEL_EXPORTER_OTLP_ENDPOINT "collector:4317": want the URL of an OpenTelemetry receiver, e.g. http://localhost:4318`},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", `OTEL_EXPORTER_OTLP_PROTOCOL "grpc": want http/protobuf`},
		{"OTEL_EXPORTER_OTLP_HEADERS=secret", `OTEL_EXPORTER_OTLP_HEADERS: want key=value, separated by commas, with % as %25`},
		{"OTEL_TRACES_SAMPLER=sometimes", `OTEL_TRACES_SAMPLER "sometimes": want always_on, always_off or traceidratio, each also with parentbased_ before it`},
		{"OTEL_TRACES_SAMPLER=traceidratio,OTEL_TRACES_SAMPLER_ARG=2", `OTEL_TRACES_SAMPLER_ARG "2": want a share of the requests, 0 to 1`},
	} {
		_, err := parse(nil, environment(append(strings.Split(tt.env, ","), on)...))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.env, err, tt.want)
		}
		if cfg, err := parse([]string{"healthcheck"}, environment(append(strings.Split(tt.env, ","), on)...)); err != nil || cfg.traces != nil {
			t.Errorf("healthcheck with %s: %v", tt.env, err)
		}
	}
}

// discard is a ResponseWriter whose header is used again.
type discard struct{ h http.Header }

func (w discard) Header() http.Header         { return w.h }
func (w discard) WriteHeader(int)             {}
func (w discard) Write(b []byte) (int, error) { return len(b), nil }

// What is switched off costs nothing: there is no handler in between, and a request allocates nothing, with a trace or without.
func TestWithoutAnEndpointARequestCostsWhatItCostBefore(t *testing.T) {
	wrap, end := traced(nil, "v1.2.3 (go1.26)", "a")
	if wrap != nil || end(time.Second) != nil {
		t.Fatal("something was wrapped around the routes")
	}
	srv := server.New(server.Options{Instance: "a", Wrap: wrap})
	q := httptest.NewRequest("GET", "/", nil)
	q.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	w := discard{http.Header{}}
	if n := testing.AllocsPerRun(100, func() { srv.ServeHTTP(w, q) }); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkServeHTTPWithoutAnEndpoint(b *testing.B) {
	wrap, _ := traced(nil, "v1", "a")
	srv := server.New(server.Options{Instance: "a", Wrap: wrap})
	q := httptest.NewRequest("GET", "/", nil)
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		srv.ServeHTTP(w, q)
	}
}

// The program itself, over sockets: a trace that came is continued in the span that arrives, at the latest when the server ends.
func TestTheServerSendsSpansBeforeItEnds(t *testing.T) {
	var mu sync.Mutex
	var spans []*traces.Span
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, _ := io.ReadAll(z)
		var data traces.TracesData
		if err := proto.Unmarshal(body, &data); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Api-Key") != "k" {
			t.Errorf("%s %v: %v", r.URL.Path, r.Header, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range data.ResourceSpans {
			spans = append(spans, rs.ScopeSpans[0].Spans...)
		}
	}))
	defer receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k")
	p := startProcess(t, "-drain-delay", "0")
	q, err := http.NewRequest("GET", p.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	p.want("/health", 200)
	http.DefaultClient.CloseIdleConnections()
	p.signal(syscall.SIGTERM)
	if code, log := p.exit(); code != 0 || strings.Contains(log, "spans") {
		t.Errorf("exit %d: %s", code, log)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(spans) != 1 || hex.EncodeToString(spans[0].TraceId) != "0af7651916cd43dd8448eb211c80319c" || hex.EncodeToString(spans[0].ParentSpanId) != "b7ad6b7169203331" || spans[0].Name != "GET /" {
		t.Errorf("spans %v, want one of the trace that came", spans)
	}
}

func TestAReceiverThatIsNotThereIsSaidAtTheEnd(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	p := startProcess(t, "-drain-delay", "0")
	p.want("/", 200)
	http.DefaultClient.CloseIdleConnections()
	p.signal(syscall.SIGTERM)
	lost := p.await("spans were lost")
	if code, _ := p.exit(); code != 0 || !strings.HasPrefix(fmt.Sprint(lost["error"]), "1 span could not be sent to http://127.0.0.1:1/v1/traces: dial tcp 127.0.0.1:1: connect: connection refused") {
		t.Errorf("exit %d: %v", code, lost)
	}
}
