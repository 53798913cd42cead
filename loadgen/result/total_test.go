package result

import (
	"testing"
	"time"
)

// Every count of an endpoint is in the sum, so that a new one is added in one place.
func TestTheTotalOfAWindowIsItsEndpointsAddedUp(t *testing.T) {
	one := func(requests, failures int64, took time.Duration) EndpointWindow {
		e := EndpointWindow{Requests: requests, Failures: failures, BytesIn: 10 * requests, Status: map[int]int64{200: requests - failures}, Raw: &Histogram{}}
		e.Raw.RecordN(took, requests-failures)
		if failures > 0 {
			e.Errors = []ErrorCount{{Kind: "reset", Message: "connection reset", Count: failures, First: took, Last: 2 * took}}
		}
		return e
	}
	w := &Window{Endpoints: []EndpointWindow{one(5, 2, time.Second), one(7, 1, 3*time.Second)}}
	got := w.Total()
	if got.Requests != 12 || got.Failures != 3 || got.BytesIn != 120 || got.Status[200] != 9 || got.Raw.Count() != 9 {
		t.Errorf("%+v", got)
	}
	if len(got.Errors) != 1 || got.Errors[0].Count != 3 || got.Errors[0].First != time.Second || got.Errors[0].Last != 6*time.Second {
		t.Errorf("errors are %+v", got.Errors)
	}
	if w.Endpoints[0].Requests != 5 || w.Endpoints[0].Raw.Count() != 3 || len(w.Endpoints[0].Errors) != 1 || w.Endpoints[0].Errors[0].Count != 2 {
		t.Errorf("the window was changed: %+v", w.Endpoints[0])
	}
	if empty := (&Window{}).Total(); empty.Requests != 0 || empty.Raw != nil {
		t.Errorf("of nothing: %+v", empty)
	}
}
