//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const otelcolConfig = `
receivers:
  otlp:
    protocols:
      http: {endpoint: %q}
exporters:
  otlp_http:
    endpoint: %q
    sending_queue: {enabled: false}
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlp_http]}
    traces: {receivers: [otlp], exporters: [otlp_http]}
`

// backend is what a collector sends on to.
type backend struct {
	t       *testing.T
	mu      sync.Mutex
	metrics []*metrics.Metric
	spans   []*traces.Span
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			b.t.Error(err)
			return
		}
		body = z
	}
	all, err := io.ReadAll(body)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r.URL.Path {
	case "/v1/metrics":
		var data metrics.MetricsData
		if err == nil {
			err = proto.Unmarshal(all, &data)
		}
		for _, rm := range data.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				b.metrics = append(b.metrics, sm.Metrics...)
			}
		}
	case "/v1/traces":
		var data traces.TracesData
		if err == nil {
			err = proto.Unmarshal(all, &data)
		}
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				b.spans = append(b.spans, ss.Spans...)
			}
		}
	}
	if err != nil {
		b.t.Errorf("%s: %v", r.URL.Path, err)
	}
}

// collect starts a collector that sends on to b, and returns where it receives. E2E_OTELCOL is its program.
func collect(t *testing.T, b *backend) string {
	t.Helper()
	program := os.Getenv("E2E_OTELCOL")
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_OTELCOL is not set: want the program of e2e/testdata/otelcol")
		}
		t.Skip("E2E_OTELCOL is not set: want the program of e2e/testdata/otelcol")
	}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	addr := freeAddr(t)
	file := filepath.Join(t.TempDir(), "otelcol.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, otelcolConfig, addr, srv.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config", file)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("collector:\n%s", &log)
		}
	})
	eventually(t, 30*time.Second, "the collector answers", func() bool {
		res, err := http.Get("http://" + addr + "/")
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	return "http://" + addr
}

// The real collector stands between: it decodes what loadgen and the server send, and sends it on in its own words. What
// arrives behind it has the counts and percentiles of the result, and the spans of the traces that the result names.
func TestTheRealCollectorTakesOurMetricsAndSpans(t *testing.T) {
	b := &backend{t: t}
	collector := collect(t, b)
	top := t.TempDir()
	loadgen, server := filepath.Join(top, "loadgen"), filepath.Join(top, "server")
	stdoutOf(t, "go", "build", "-o", loadgen, "../cmd/loadgen")
	stdoutOf(t, "go", "build", "-o", server, "../cmd/server")

	addr := freeAddr(t)
	api := exec.Command(server, "-addr", addr, "-drain-delay", "0")
	api.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+collector)
	var log bytes.Buffer
	api.Stderr = &log
	if err := api.Start(); err != nil {
		t.Fatal(err)
	}
	defer api.Process.Kill()
	eventually(t, 10*time.Second, "the server answers", func() bool {
		res, err := http.Get("http://" + addr + "/health")
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	run := exec.Command(loadgen, "run", "-H", "http://"+addr, "--rate", "200", "-t", "3s", "--trace-ratio", "0.5", "--otlp", collector, "-o", filepath.Join(top, "run"))
	run.Env = append(os.Environ(), "OTEL_METRIC_EXPORT_INTERVAL=1000")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	api.Process.Signal(syscall.SIGTERM)
	if err := api.Wait(); err != nil || strings.Contains(log.String(), "spans were lost") {
		t.Errorf("server: %v\n%s", err, &log)
	}

	var res struct {
		Totals struct {
			Requests, Offered int64
			Latency           struct {
				Corrected struct{ P50, P99, Max float64 }
			} `json:"latency_ms"`
		}
		Exemplars struct {
			Slowest []struct {
				TraceID string `json:"trace_id"`
			}
		}
		Deliveries []struct{ Sent, Lost int64 }
	}
	data, err := os.ReadFile(filepath.Join(top, "run", "result.json"))
	if err == nil {
		err = json.Unmarshal(data, &res)
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := res.Deliveries; len(d) != 1 || d[0].Lost != 0 || d[0].Sent == 0 {
		t.Errorf("deliveries %+v", d)
	}
	var requests, offered, exemplars int64
	buckets := map[float64]uint64{} // by upper end, in ms
	for _, m := range b.metrics {
		for _, p := range m.GetSum().GetDataPoints() {
			switch m.Name {
			case "loadgen.requests":
				requests += p.GetAsInt()
			case "loadgen.sends.offered":
				offered += p.GetAsInt()
			}
		}
		if m.Name != "loadgen.request.corrected_duration" {
			continue
		}
		for _, p := range m.GetExponentialHistogram().GetDataPoints() {
			exemplars += int64(len(p.Exemplars))
			for i, n := range p.Positive.BucketCounts {
				if n > 0 {
					buckets[1000*math.Exp2((float64(p.Positive.Offset)+float64(i)+1)/math.Exp2(float64(p.Scale)))] += n
				}
			}
		}
	}
	if requests != res.Totals.Requests || offered != res.Totals.Offered || requests < 500 {
		t.Errorf("%d requests and %d offered behind the collector, %d and %d in the result", requests, offered, res.Totals.Requests, res.Totals.Offered)
	}
	for q, want := range map[float64]float64{0.5: res.Totals.Latency.Corrected.P50, 0.99: res.Totals.Latency.Corrected.P99, 1: res.Totals.Latency.Corrected.Max} {
		rank, seen := uint64(math.Ceil(q*float64(requests))), uint64(0)
		for _, upper := range slices.Sorted(maps.Keys(buckets)) {
			if seen += buckets[upper]; seen >= rank {
				// The bucket's upper end is above the percentile by 0.55 % at most; the result rounds to the microsecond.
				if got := upper; got < want-0.001 || got > want*1.0055+0.001 {
					t.Errorf("p%g is %v ms behind the collector, %v in the result", 100*q, got, want)
				}
				break
			}
		}
	}
	spans := map[string]*traces.Span{}
	for _, s := range b.spans {
		spans[hex.EncodeToString(s.TraceId)] = s
	}
	for _, x := range res.Exemplars.Slowest {
		s := spans[x.TraceID]
		if s == nil || hex.EncodeToString(s.ParentSpanId) != x.TraceID[16:] || s.Kind != traces.Span_SPAN_KIND_SERVER {
			t.Errorf("trace %s of the result: the server's span is %v", x.TraceID, s)
		}
	}
	if len(res.Exemplars.Slowest) != 20 || exemplars < 20 || len(spans) < 200 {
		t.Errorf("%d exemplars in the result, %d behind the collector, %d spans; half of 600 requests were traced", len(res.Exemplars.Slowest), exemplars, len(spans))
	}
}
