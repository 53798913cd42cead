package gate

import (
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

// window is one second of two endpoints, of which the second failed once.
func window(second int, latency time.Duration) *result.Window {
	return &result.Window{
		From: time.Duration(second) * time.Second, To: time.Duration(second+1) * time.Second,
		Name: "steady", Offered: 6, Sent: 5,
		Endpoints: []result.EndpointWindow{
			{Endpoint: 0, Requests: 2, Retried: 1, BytesIn: 10, BytesOut: 1, Truncated: 1, Redirects: 2,
				Raw: histogram(latency), Corrected: histogram(latency, latency), FirstByte: histogram(latency), Connect: histogram(latency)},
			{Endpoint: 2, Requests: 3, Failures: 1, Abandoned: 1, BytesIn: 20,
				Raw: histogram(latency), Corrected: histogram(2*latency, 2*latency), Failed: histogram(latency)},
		},
	}
}

func TestAddCountsOneEndpointOrAllOfThem(t *testing.T) {
	first, second := window(0, ms), window(1, 3*ms)
	var all, one, none Metrics
	for _, w := range []*result.Window{first, second} {
		all.Add(w, All)
		one.Add(w, 2)
		none.Add(w, 1)
	}

	if all.Seconds != 2 || all.Due.Requests != 10 || all.Due.Failures != 2 || all.Due.Abandoned != 2 || all.Due.Retried != 2 ||
		all.Due.Truncated != 2 || all.Due.Redirects != 4 || all.Due.BytesIn != 60 || all.Due.BytesOut != 2 {
		t.Errorf("all endpoints: %+v", all)
	}
	if *all.Offered != 12 || *all.Sent != 10 || all.Dropped != nil {
		t.Errorf("offered %d, sent %d, dropped %v; want 12, 10 and unknown", *all.Offered, *all.Sent, all.Dropped)
	}
	if !all.Due.Corrected.Equal(histogram(ms, ms, 2*ms, 2*ms, 3*ms, 3*ms, 6*ms, 6*ms)) || !all.Due.Raw.Equal(histogram(ms, ms, 3*ms, 3*ms)) ||
		!all.Due.Failed.Equal(histogram(ms, 3*ms)) || !all.Due.FirstByte.Equal(histogram(ms, 3*ms)) || !all.Due.Connect.Equal(histogram(ms, 3*ms)) {
		t.Error("a histogram is not the sum of the windows' histograms")
	}

	if one.Seconds != 2 || one.Due.Requests != 6 || one.Due.Failures != 2 || one.Due.BytesIn != 40 || one.Offered != nil || one.Sent != nil {
		t.Errorf("one endpoint: %+v", one)
	}
	if !one.Due.Corrected.Equal(histogram(2*ms, 2*ms, 6*ms, 6*ms)) {
		t.Error("the histogram of one endpoint holds another's")
	}
	if none.Seconds != 2 || none.Due.Requests != 0 || none.Due.Corrected.Count() != 0 {
		t.Errorf("an endpoint without requests: %+v", none)
	}
	if first.Endpoints[0].Corrected.Count() != 2 || first.Offered != 6 {
		t.Error("a window was changed, and windows are shared")
	}
}
