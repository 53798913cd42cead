//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"scalableappbackend/loadgen/result"
)

// ragged answers after times that are spread over two orders of magnitude, and fails one request in twenty. The header
// X-Task says whose requests are fast: "0", or slow: "2".
func ragged() http.Handler {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(1, 1))
	medians := map[string]time.Duration{"0": time.Millisecond, "1": 4 * time.Millisecond, "2": 30 * time.Millisecond}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		mu.Lock()
		takes, fails := time.Duration(float64(medians[request.Header.Get("X-Task")])*math.Exp(r.NormFloat64())), r.IntN(20) == 0
		mu.Unlock()
		time.Sleep(min(takes, time.Second))
		if fails {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

// metricsRead is what CloudWatch says of a metric, over all tasks and the whole run: the statistics in their order.
func metricsRead(t *testing.T, conf aws.Config, namespace, name string, dims map[string]string, period time.Duration, stats ...string) []float64 {
	t.Helper()
	metric := &types.Metric{Namespace: aws.String(namespace), MetricName: aws.String(name)}
	for _, d := range slices.Sorted(keys(dims)) {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(d), Value: aws.String(dims[d])})
	}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(day.Add(-24 * time.Hour)), EndTime: aws.Time(day.Add(48 * time.Hour))}
	for i, s := range stats {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(int32(period.Seconds())), Stat: aws.String(s)},
		})
	}
	out, err := cloudwatch.NewFromConfig(conf).GetMetricData(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, len(stats))
	for i := range stats {
		for _, r := range out.MetricDataResults {
			if *r.Id != fmt.Sprintf("m%d", i) {
				continue
			}
			if len(r.Values) != 1 {
				t.Fatalf("%s %s%v has %d values in %v: the test ran over midnight, or nothing was published", stats[i], name, dims, len(r.Values), period)
			}
			values[i] = r.Values[0]
		}
	}
	return values
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// agrees says whether a percentile that was read back is the one of a histogram, within 1 %. An emulator that interpolates
// between two ranks may say anything between them.
func agrees(t *testing.T, what string, got float64, h *result.Histogram, q float64) {
	t.Helper()
	step := 1 / float64(h.Count())
	low, high := ms(h.Quantile(q-step)), ms(h.Quantile(min(q+step, 1)))
	if got < low*0.99 || got > high*1.01 {
		t.Errorf("%s: p%v read back is %.4f ms, by HDR it is %.4f ms", what, 100*q, got, ms(h.Quantile(q)))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// distributions are the corrected and raw latencies of a result, from its windows, and of the endpoint "GET /".
func distributions(t *testing.T, dir string) (res *result.Result, corrected, raw, root *result.Histogram) {
	t.Helper()
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	corrected, raw, root = &result.Histogram{}, &result.Histogram{}, &result.Histogram{}
	for w, err := range o.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range w.Endpoints {
			corrected.Merge(e.Corrected)
			raw.Merge(e.Raw)
			if o.Meta.Endpoints[e.Endpoint].Name == "GET /" {
				root.Merge(e.Corrected)
			}
		}
	}
	return o.Result, corrected, raw, root
}

// Three tasks load a service that answers them at very different speed, and publish under one name: what CloudWatch says of all of them is
// what the merged result says.
func TestPercentilesReadBackFromCloudWatchAreThoseOfTheMergedResult(t *testing.T) {
	conf := emulator(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "loadgen")
	stdoutOf(t, "go", "build", "-o", program, "../cmd/loadgen")
	namespace, host := fmt.Sprintf("E2E/%d", time.Now().UnixNano()), listen(t, ragged())
	for _, resolution := range []string{"60", "1"} {
		service := "tasks-" + resolution
		merge := []string{"merge", "-o", filepath.Join(dir, "all"+resolution)}
		var all sync.WaitGroup
		for i := range 3 {
			out := filepath.Join(dir, fmt.Sprintf("task%s-%d", resolution, i))
			merge = append(merge, out)
			all.Go(func() {
				cmd := exec.CommandContext(t.Context(), program, "run", "-H", host, "--header", "X-Task: ${TASK}", "--rate", "60", "-t", "6s", "-o", out, "--cloudwatch", "--cloudwatch-namespace", namespace, "--cloudwatch-resolution", resolution, "--service", service)
				cmd.Env = append(os.Environ(), fmt.Sprintf("TASK=%d", i))
				if text, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 96 { // a machine that others use is no generator
					t.Errorf("%v\n%s", err, text)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		cmd := exec.CommandContext(t.Context(), program, merge...)
		if text, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 96 {
			t.Fatalf("%v\n%s", err, text)
		}
		res, corrected, raw, root := distributions(t, merge[2])
		if len(res.Deliveries) != 1 || res.Deliveries[0].Lost != 0 || res.Deliveries[0].Sent == 0 {
			t.Errorf("deliveries %+v", res.Deliveries)
		}
		const day = 24 * time.Hour
		whole := map[string]string{"Service": service}
		for name, h := range map[string]*result.Histogram{"Latency": corrected, "RawLatency": raw} {
			got := metricsRead(t, conf, namespace, name, whole, day, "p50", "p90", "p99", "SampleCount", "Maximum")
			agrees(t, name, got[0], h, 0.5)
			agrees(t, name, got[1], h, 0.9)
			agrees(t, name, got[2], h, 0.99)
			agrees(t, name, got[4], h, 1)
			if int64(got[3]) != h.Count() {
				t.Errorf("%s: %v latencies read back, %d measured", name, got[3], h.Count())
			}
			t.Logf("%s s, %s: read back p50 %.3f p90 %.3f p99 %.3f of %v; HDR %.3f %.3f %.3f", resolution, name, got[0], got[1], got[2], got[3], ms(h.Quantile(0.5)), ms(h.Quantile(0.9)), ms(h.Quantile(0.99)))
		}
		agrees(t, "GET /", metricsRead(t, conf, namespace, "Latency", map[string]string{"Service": service, "Endpoint": "GET /"}, day, "p99")[0], root, 0.99)
		for name, want := range map[string]int64{"Requests": res.Totals.Requests, "Errors": res.Totals.Failures} {
			if got := metricsRead(t, conf, namespace, name, whole, day, "Sum")[0]; int64(got) != want {
				t.Errorf("%s: %v read back, %d counted", name, got, want)
			}
		}
	}
}

// A task that is told to stop has published what it measured, and its percentile gauges are those of its report.
func TestARunThatIsToldToStopHasPublishedWhatItMeasured(t *testing.T) {
	conf := emulator(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "loadgen")
	stdoutOf(t, "go", "build", "-o", program, "../cmd/loadgen")
	namespace, out := fmt.Sprintf("E2E/%d", time.Now().UnixNano()), filepath.Join(dir, "out")
	// In one whole minute, for the gauges: they are of periods.
	if left := time.Minute - time.Since(time.Now().Truncate(time.Minute)); left < 15*time.Second {
		time.Sleep(left)
	}
	cmd := exec.CommandContext(t.Context(), program, "run", "-H", listen(t, ragged()), "--header", "X-Task: 1", "-u", "5", "-r", "5", "-t", "10m", "-o", out)
	cmd.Env = append(os.Environ(), "LOADGEN_CLOUDWATCH=true", "LOADGEN_SERVICE=stopped", "LOADGEN_CLOUDWATCH_RUN=1", "LOADGEN_TAGS=run=e2e", "LOADGEN_CLOUDWATCH_NAMESPACE="+namespace)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_ = cmd.Wait()
	if took := time.Since(began); cmd.ProcessState.ExitCode() != 105 || took > 20*time.Second {
		t.Fatalf("exit code %d after %v\n%s", cmd.ProcessState.ExitCode(), took, text.String())
	}
	res, corrected, _, _ := distributions(t, out)
	whole := map[string]string{"Service": "stopped"}
	if got := metricsRead(t, conf, namespace, "Latency", whole, time.Minute, "SampleCount")[0]; int64(got) != corrected.Count() {
		t.Errorf("%v latencies read back, %d measured", got, corrected.Count())
	}
	for name, want := range map[string]float64{
		"LatencyP50": res.Totals.Latency.Corrected.P50, "LatencyP99": res.Totals.Latency.Corrected.P99, "Users": 5,
		"Verdict": float64(slices.Index([]result.Validity{result.Valid, result.Suspect, result.Invalid}, res.Verdict.Validity)),
	} {
		if got := metricsRead(t, conf, namespace, name, whole, time.Minute, "Maximum")[0]; got != want {
			t.Errorf("%s: %v read back, want %v", name, got, want)
		}
	}
	ofRun := map[string]string{"Service": "stopped", "Run": "e2e"}
	if got := metricsRead(t, conf, namespace, "Requests", ofRun, time.Minute, "Sum")[0]; int64(got) != res.Totals.Requests {
		t.Errorf("%v requests of the run read back, %d counted", got, res.Totals.Requests)
	}
	if d := res.Deliveries; len(d) != 1 || d[0].Lost != 0 || cmp.Compare(d[0].Sent, 0) <= 0 {
		t.Errorf("deliveries %+v", d)
	}
}
