package publish

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// epoch lies in the middle of a second and of a minute.
var epoch = time.Date(2026, 11, 24, 15, 4, 35, 300e6, time.UTC)

// metaOf is a closed run of two endpoints.
func metaOf() *result.Meta {
	p := plan.Default()
	p.Host, p.Name = "http://user:secret@shop.example:8080/api", "checkout"
	return &result.Meta{
		ID: "20261124T150435Z-0a0b0c0d", StartedAt: epoch, Plan: p,
		Endpoints: []plan.Endpoint{{Name: "GET /", Method: "GET", URL: "/"}, {Name: "GET /health", Method: "GET", URL: "/health"}},
		Phases:    []plan.Phase{{Name: plan.Steady}, {Name: plan.Drain, From: 90 * time.Second}},
	}
}

// windowsOf are seconds of load: 40 requests of each endpoint a second, every tenth of which fails, and a drain of 200 ms in
// which 3 sends get no answer, one of which never left, and 2 are dropped.
func windowsOf(seconds int, seed uint64) (all []*result.Window) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range seconds {
		w := &result.Window{From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second, Name: plan.Steady, Users: 50, Offered: 80, Sent: 80}
		for e := range 2 {
			corrected, raw := &result.Histogram{}, &result.Histogram{}
			for range 36 {
				d := time.Duration(math.Exp(r.NormFloat64()*1.2) * 8 * float64(time.Millisecond))
				raw.Record(d)
				corrected.Record(d + time.Duration(r.IntN(3))*time.Millisecond)
			}
			w.Endpoints = append(w.Endpoints, result.EndpointWindow{Endpoint: e, Requests: 40, Failures: 4, Corrected: corrected, Raw: raw})
		}
		all = append(all, w)
	}
	old := &result.Histogram{}
	old.RecordN(10*time.Second, 2)
	unsent := &result.Histogram{}
	unsent.Record(10 * time.Second)
	from := time.Duration(seconds) * time.Second
	return append(all, &result.Window{
		From: from, To: from + 200*time.Millisecond, Name: plan.Drain, Phase: 1, Ended: true,
		Endpoints: []result.EndpointWindow{{Endpoint: 0, Abandoned: 2, Unanswered: old}},
		Ends:      []result.End{{Dropped: 2, Unanswered: 3, UnansweredAges: unsent}},
	})
}

func resultOf(m *result.Meta, windows []*result.Window, v result.Validity) *result.Result {
	end := windows[len(windows)-1].To
	return &result.Result{StartedAt: m.StartedAt, EndedAt: m.StartedAt.Add(end), Verdict: result.Verdict{Validity: v}}
}

// publishAll is a run as a sink sees it.
func publishAll(t *testing.T, s result.Sink, m *result.Meta, windows []*result.Window, v result.Validity) error {
	t.Helper()
	for _, err := range []error{s.Start(m), s.Begin(m)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range windows {
		if err := s.Window(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Finish(resultOf(m, windows, v))
}

const (
	whole = "Service=checkout"
	root  = "Service=checkout,Endpoint=GET /"
)

func TestARunIsPublishedInWholeMinutesAndAddsUp(t *testing.T) {
	c := newCloud(t)
	sink := NewCloudWatch(Config{}, c.config())
	windows := windowsOf(90, 1)
	if err := publishAll(t, sink, metaOf(), windows, result.Suspect); err != nil {
		t.Fatal(err)
	}
	if c.namespace != "LoadGen" {
		t.Errorf("namespace %s", c.namespace)
	}
	for _, x := range []struct {
		name, dims string
		sum        float64
	}{
		{Requests, whole, 7200}, {Requests, root, 3600}, {Requests, "Service=checkout,Endpoint=GET /health", 3600},
		{Errors, whole, 723}, {Errors, root, 362}, {Dropped, whole, 2}, {Verdict, whole, 1},
	} {
		if got := c.sum(x.name, x.dims); got != x.sum {
			t.Errorf("%s{%s}: sum %v, want %v", x.name, x.dims, got, x.sum)
		}
	}
	// 15:04:35.3 to 15:06:05.5 is three minutes; the first has 25 seconds of load, the last 5 and the drain.
	for _, name := range []string{Requests, Users, OfferedRate, LatencyP50, LatencyP99} {
		var at []string
		for _, d := range c.of(name, whole) {
			if name == Requests && d.value == 0 {
				continue // that of the start
			}
			at = append(at, d.at.Format("15:04:05"))
			if want := map[string]float64{Users: 50, OfferedRate: 80}[name]; want > 0 && d.value != want {
				t.Errorf("%s at %v: %v, want %v, also in a minute that is not full", name, d.at, d.value, want)
			}
		}
		if want := []string{"15:04:00", "15:05:00", "15:06:00"}; !slices.Equal(at, want) {
			t.Errorf("%s at %v, want one a minute, %v", name, at, want)
		}
	}
	var corrected, raw result.Histogram
	for _, w := range windows {
		for _, e := range w.Endpoints {
			corrected.Merge(e.Corrected)
			raw.Merge(e.Raw)
		}
	}
	for name, h := range map[string]*result.Histogram{Latency: &corrected, RawLatency: &raw} {
		for _, q := range []float64{0.5, 0.9, 0.99, 1} {
			got, want := quantile(c.distribution(name, whole), q, h.Count()), milliseconds(h.Quantile(q))
			if math.Abs(got/want-1) >= bound {
				t.Errorf("%s p%v is %v, want %v", name, 100*q, got, want)
			}
		}
	}
	d := sink.Deliveries()[0]
	if d.Sent != int64(len(c.datums))-1 || d.Lost != 0 || d.Retries != 0 || d.To != "CloudWatch, namespace LoadGen, service checkout" {
		t.Errorf("%+v, and %d datums arrived, one of them to see whether they would", d, len(c.datums))
	}
}

func TestTheMetricsThatArePublishedAreThoseOfTheTable(t *testing.T) {
	open := metaOf()
	open.Plan.Model = plan.Open
	for _, x := range []struct {
		why    string
		config Config
		meta   *result.Meta
		not    []string
	}{
		{"closed load in one task", Config{}, metaOf(), nil},
		{"a rate has no users", Config{}, open, []string{Users}},
		{"of several tasks, percentiles would be averaged", Config{Several: true}, metaOf(), []string{LatencyP50, LatencyP99}},
		{"a run apart", Config{Run: true}, metaOf(), nil},
	} {
		c := newCloud(t)
		if err := publishAll(t, NewCloudWatch(x.config, c.config()), x.meta, windowsOf(5, 1), result.Valid); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, m := range Metrics() {
			if slices.Contains(x.not, m.Name) {
				continue
			}
			want = append(want, m.Name+" "+whole)
			if m.PerEndpoint {
				want = append(want, m.Name+" "+root, m.Name+" Service=checkout,Endpoint=GET /health")
			}
			if x.config.Run {
				want = append(want, m.Name+" "+whole+",Run=20261124T150435Z-0a0b0c0d")
			}
		}
		slices.Sort(want)
		if got := c.names(); !slices.Equal(got, want) {
			t.Errorf("%s: published\n%s\nwant\n%s", x.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		f := NewForecast(x.config, x.meta, false)
		if f.Count != len(want) {
			t.Errorf("%s: the dry run counts %d metrics, %d were published", x.why, f.Count, len(want))
		}
	}
}

func TestAtASecondEachSecondHasOneDatumOfEachGauge(t *testing.T) {
	c := newCloud(t)
	if err := publishAll(t, NewCloudWatch(Config{Resolution: time.Second}, c.config()), metaOf(), windowsOf(20, 1), result.Valid); err != nil {
		t.Fatal(err)
	}
	users := c.of(Users, whole)
	for i, d := range users {
		if want := epoch.Truncate(time.Second).Add(time.Duration(i) * time.Second); !d.at.Equal(want) || d.resolution != 1 {
			t.Errorf("datum %d is of %v at a resolution of %d s, want %v and 1", i, d.at, d.resolution, want)
		}
	}
	if len(users) != 21 || users[20].value != 0 { // the drain lies in a second of its own
		t.Errorf("%d datums of %s in 20.2 s, the last %+v", len(users), Users, users[len(users)-1])
	}
	if c.requests > 8 {
		t.Errorf("%d calls for 20 s, want one every 5 s, and those of start and end", c.requests)
	}
}

// Tasks of one run publish under the same names: Sum and percentiles are of all of them.
func TestWhatSeveralTasksPublishAddsUpToTheWholeRun(t *testing.T) {
	c := newCloud(t)
	var all result.Histogram
	for task := range 3 {
		m := metaOf()
		m.StartedAt = m.StartedAt.Add(time.Duration(task) * 70 * time.Millisecond)
		windows := windowsOf(70, uint64(task+1))
		for _, w := range windows {
			for i := range w.Endpoints {
				if h := w.Endpoints[i].Corrected; task == 2 && h != nil { // one task sees another service
					slow := &result.Histogram{}
					for v, n := range h.Buckets {
						slow.RecordN(time.Duration(v)*20*time.Microsecond, n)
					}
					w.Endpoints[i].Corrected = slow
				}
				all.Merge(w.Endpoints[i].Corrected)
			}
		}
		if err := publishAll(t, NewCloudWatch(Config{Several: true}, c.config()), m, windows, result.Valid); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.sum(Requests, whole); got != 3*70*80 {
		t.Errorf("sum of Requests %v", got)
	}
	perMinute := map[time.Time]float64{}
	for _, d := range c.of(Users, whole) {
		perMinute[d.at] += d.value
	}
	for at, users := range perMinute {
		if users != 150 {
			t.Errorf("sum of Users at %v: %v, want 150 of three tasks", at, users)
		}
	}
	for _, q := range []float64{0.5, 0.95, 0.99, 0.999} {
		got, want := quantile(c.distribution(Latency, whole), q, all.Count()), milliseconds(all.Quantile(q))
		if math.Abs(got/want-1) >= bound {
			t.Errorf("p%v of three tasks is %v, want %v", 100*q, got, want)
		}
	}
}

func TestCallsKeepToTheLimitsHoweverManyEndpointsThereAre(t *testing.T) {
	c := newCloud(t)
	m := metaOf()
	m.Endpoints = nil
	w := &result.Window{To: time.Second, Name: plan.Steady, Ended: true}
	for e := range 400 {
		m.Endpoints = append(m.Endpoints, plan.Endpoint{Name: fmt.Sprintf("GET /%s/%d", strings.Repeat("x", 900), e)})
		h := &result.Histogram{}
		for v := time.Microsecond; v < time.Hour; v = v * 21 / 20 {
			h.Record(v + time.Microsecond)
		}
		w.Endpoints = append(w.Endpoints, result.EndpointWindow{Endpoint: e, Requests: h.Count(), Corrected: h, Raw: h})
	}
	sink := NewCloudWatch(Config{}, c.config())
	sink.times.close = time.Minute // however slowly this machine writes 8 MB
	if err := publishAll(t, sink, m, []*result.Window{w}, result.Valid); err != nil {
		t.Fatal(err) // the fake holds each call to them
	}
	if c.largest < 900_000 || c.gzipped < c.requests-2 {
		t.Errorf("the largest call has %d bytes, %d of %d were compressed: want calls that are full", c.largest, c.gzipped, c.requests)
	}
	if got := len(c.names()); got != 10+400*6 {
		t.Errorf("%d metrics", got)
	}
}

// What a call's size is taken for is never below what the SDK makes of it.
func TestADatumIsNeverLargerThanItIsTakenFor(t *testing.T) {
	text := func(least, most int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune("aZ ~/")), least, most, -1)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := point{
			metric: &Metric{Name: text(1, 255).Draw(t, "metric"), Unit: rapid.SampledFrom([]string{"Count/Second", "None"}).Draw(t, "unit")},
			at:     time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "at")), endpoint: text(0, 1024).Draw(t, "endpoint"),
			run: text(0, 40).Draw(t, "run"), value: rapid.Float64().Draw(t, "value"),
		}
		for range rapid.IntRange(0, 150).Draw(t, "values") {
			p.Values, p.Counts = append(p.Values, rapid.Float64().Draw(t, "v")), append(p.Counts, rapid.Float64().Draw(t, "c"))
		}
		for _, d := range datumsOf(&p, text(1, 1024).Draw(t, "service"), time.Second) {
			if size := len(encoded(t, d)); size > sizeOf(&d) {
				t.Fatalf("%d bytes, taken for %d", size, sizeOf(&d))
			}
		}
	})
}
