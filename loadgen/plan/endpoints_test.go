package plan

import (
	"fmt"
	"strings"
	"testing"
)

func TestEndpointsAreNamedByMethodAndPath(t *testing.T) {
	for _, tt := range []struct {
		why     string
		host    string
		targets []string // METHOD URL
		want    []string
	}{
		{"without query, as the target writes it", "http://h/api", []string{"GET /", "GET /x?a=1", "POST /x?b#c"}, []string{"GET /", "GET /x", "POST /x"}},
		{"one endpoint for all with the same", "http://h", []string{"GET /x?a=1", "GET /x?a=2", "GET /y"}, []string{"GET /x", "GET /x", "GET /y"}},
		{"hosts that are the same stay unnamed", "http://h", []string{"GET /", "GET http://H:80/x", "GET http://u:p@h"}, []string{"GET /", "GET /x", "GET /"}},
		{"hosts that differ are named, without userinfo", "http://h:8080", []string{"GET /", "GET https://u:p@Other:443/x", "GET http://h:8080"}, []string{"GET h:8080/", "GET other/x", "GET h:8080/"}},
		{"references are not filled in", "http://h", []string{"GET /${TOKEN}", "GET http://h/x?t=${TOKEN}"}, []string{"GET /${TOKEN}", "GET /x"}},
		{"a host by reference is another host", "http://h", []string{"GET ${BASE}/x", "GET /x"}, []string{"GET ${BASE}/x", "GET h/x"}},
		{"escapes stay", "http://h", []string{"GET /a%20b"}, []string{"GET /a%20b"}},
	} {
		var targets []Target
		for _, line := range tt.targets {
			method, url, _ := strings.Cut(line, " ")
			targets = append(targets, Target{Method: method, URL: url})
		}
		r := prepared(t, tt.host, nil, targets...)
		for i, want := range tt.want {
			if got := r.Endpoints[r.Requests[i].Endpoint].Name; got != want {
				t.Errorf("%s: %s is %q, want %q", tt.why, tt.targets[i], got, want)
			}
		}
	}
}

func TestATargetsNameGroupsIt(t *testing.T) {
	r := prepared(t, "http://u:p@h", nil,
		Target{Method: "GET", URL: "/items/1?token=hunter2", Name: "an item"},
		Target{Method: "PUT", URL: "/items/2", Name: "an item"},
		Target{Method: "GET", URL: "/", Name: "with\nline\x00and\xff\u2028"},
	)
	want := []Endpoint{
		{"an item", "GET", "http://REDACTED@h/items/1?token=REDACTED"},
		{"with\uFFFDline\uFFFDand\uFFFD\uFFFD", "GET", "http://REDACTED@h/"},
	}
	if len(r.Endpoints) != 2 || r.Endpoints[0] != want[0] || r.Endpoints[1] != want[1] || r.Requests[1].Endpoint != 0 {
		t.Errorf("got %+q, want %+q", r.Endpoints, want)
	}
}

func TestNamesBeyondTheLimitShareOne(t *testing.T) {
	paths := func(n int) (targets []Target) {
		for i := range n {
			targets = append(targets, Target{Method: "GET", URL: fmt.Sprintf("/items/%d", i)})
		}
		return append(targets, Target{Method: "GET", URL: "/items/0"}) // known: never beyond
	}
	r := prepared(t, "http://h", nil, paths(MaxEndpoints)...)
	if len(r.Endpoints) != MaxEndpoints || len(r.Warnings) != 0 {
		t.Errorf("%d names, warnings %q; want all %d and none", len(r.Endpoints), r.Warnings, MaxEndpoints)
	}
	r = prepared(t, "http://h", nil, paths(MaxEndpoints+12)...)
	last := r.Endpoints[len(r.Endpoints)-1]
	if len(r.Endpoints) != MaxEndpoints+1 || last.Name != "other (more than 500 names)" || last.URL != "http://h/items/500" {
		t.Errorf("%d names, the last %+v", len(r.Endpoints), last)
	}
	for i, q := range r.Requests[:MaxEndpoints+12] {
		if want := min(i, MaxEndpoints); q.Endpoint != want {
			t.Fatalf("target %d is counted under %d, want %d", i, q.Endpoint, want)
		}
	}
	if r.Requests[len(r.Requests)-1].Endpoint != 0 {
		t.Error("a name that is known was put to the others")
	}
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], `512 names of endpoints: all after the first 500 are counted as "other (more than 500 names)".`) || !strings.Contains(r.Warnings[0], `"name":`) {
		t.Errorf("warnings: %q", r.Warnings)
	}
}
