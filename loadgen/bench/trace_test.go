package bench

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"scalableappbackend/loadgen/plan"
)

func TestABenchTracesItsSampleOverLoopsAndGoroutines(t *testing.T) {
	both(t, func(t *testing.T, drivers func(plan.Plan) plan.Plan) {
		var mu sync.Mutex
		ids := map[string]int{}
		var plain, bad int
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			parent, amazon := r.Header.Get("Traceparent"), r.Header.Get("X-Amzn-Trace-Id")
			switch part := strings.Split(parent, "-"); {
			case parent == "" && amazon == "":
				plain++
			case len(part) != 4 || amazon != "Root=1-"+part[1][:8]+"-"+part[1][8:]+";Parent="+part[2]+";Sampled=1":
				bad++
			default:
				ids[part[1]]++
			}
			if r.ContentLength > 5000 {
				w.WriteHeader(503)
			}
		}))
		defer srv.Close()
		p := drivers(few(srv.URL+"/a", 4, 2000))
		p.Targets = append(p.Targets, plan.Target{Method: "POST", URL: srv.URL + "/b", Body: plan.Body{Inline: []byte(strings.Repeat("x", 10_000))}})
		p.Seed, p.Client.TraceRatio = 3, 0.1
		r := execute(t, p, nil)
		mu.Lock()
		defer mu.Unlock()
		// A tenth of 2,000, within 6 standard deviations of 13.
		if bad > 0 || len(ids)+plain != 2000 || len(ids) < 120 || len(ids) > 280 {
			t.Errorf("%d traces, %d requests without, %d with two", len(ids), plain, bad)
		}
		var exemplars int
		for _, w := range r.windows {
			for _, x := range slices.Concat(w.Exemplars.Slowest, w.Exemplars.Failed) {
				if exemplars++; ids[x.TraceID] != 1 {
					t.Errorf("the service saw %+v %d times", x, ids[x.TraceID])
				}
			}
		}
		if exemplars < 23 {
			t.Errorf("%d exemplars, want 20 and 3 failures at least", exemplars)
		}
	})
}
