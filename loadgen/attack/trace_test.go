package attack

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

// seen is what a service was asked, and in which trace.
type seen struct {
	mu     sync.Mutex
	parent []string // by the order in which requests came; empty without a trace
	bad    []string
}

var (
	parentForm = regexp.MustCompile(`^00-([0-9a-f]{8})([0-9a-f]{24})-([0-9a-f]{16})-01$`)
	amazonForm = "Root=1-%s-%s;Parent=%s;Sampled=1"
)

func (s *seen) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parent, amazon := r.Header.Values("Traceparent"), r.Header.Values("X-Amzn-Trace-Id")
	if len(parent)+len(amazon) == 0 {
		s.parent = append(s.parent, "")
		return
	}
	m := parentForm.FindStringSubmatch(strings.Join(parent, ", "))
	if m == nil || strings.Join(amazon, ", ") != fmt.Sprintf(amazonForm, m[1], m[2], m[3]) {
		s.bad = append(s.bad, fmt.Sprint(parent, amazon))
		return
	}
	s.parent = append(s.parent, m[1]+m[2])
}

// service redirects /, answers /health with 503, and everything else with 200.
func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	switch r.URL.Path {
	case "/":
		http.Redirect(w, r, "/home", http.StatusFound)
	case "/health":
		w.WriteHeader(503)
	}
}

func traced(ratio float64) plan.Plan {
	p := open(500, 400*ms)
	p.StopTimeout = plan.Duration(5 * time.Second)
	p.Seed, p.Client.TraceRatio = 11, ratio
	return p
}

// transports are both ways to send: over connections of our own, and through a round tripper.
func transports(t *testing.T, f func(t *testing.T, over http.RoundTripper)) {
	t.Run("own connections", func(t *testing.T) { f(t, nil) })
	t.Run("net/http", func(t *testing.T) {
		over := &http.Transport{}
		defer over.CloseIdleConnections()
		f(t, over)
	})
}

func TestTheSampleOfRequestsCarriesATraceThroughItsRedirects(t *testing.T) {
	transports(t, func(t *testing.T, over http.RoundTripper) {
		s := &seen{}
		srv := httptest.NewServer(s)
		defer srv.Close()
		p := traced(0.3)
		r := executeWith(Config{Plan: at(p, srv.URL), Transport: over}, nil, nil)
		r.balanced(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.bad) > 0 {
			t.Fatalf("%d requests with other than one trace: %s", len(s.bad), s.bad[0])
		}
		hops := map[string]int{}
		for _, id := range s.parent {
			if id != "" {
				hops[id]++
			}
		}
		// The k-th request of a rate is in the sample, whichever slot sends it; targets take turns.
		var want, redirected int
		for k := range uint64(r.Sent) {
			if p.Traced().Has(0, 0, k) {
				want++
				if k%2 == 0 {
					redirected++
				}
			}
		}
		var twice int
		for _, n := range hops {
			if n == 2 {
				twice++
			}
		}
		if len(hops) != want || twice != redirected || r.Sent != 200 {
			t.Errorf("%d traces, %d of them with two hops, of %d requests; want %d and %d of 200", len(hops), twice, r.Sent, want, redirected)
		}
		// Those in the result are those that the service saw.
		var kept []string
		for _, w := range r.windows {
			for _, x := range slices.Concat(w.Exemplars.Slowest, w.Exemplars.Failed) {
				if kept = append(kept, x.TraceID); hops[x.TraceID] == 0 {
					t.Errorf("the service knows nothing of %+v", x)
				}
				if wantHops := map[string]int{"GET /": 2, "GET /health": 1}[x.Endpoint]; hops[x.TraceID] != wantHops {
					t.Errorf("%+v made %d hops, want %d", x, hops[x.TraceID], wantHops)
				}
			}
			for _, x := range slices.Concat(w.Slowest, w.FailedExamples) {
				if x.TraceID != "" && hops[x.TraceID] == 0 {
					t.Errorf("the service knows nothing of %+v", x)
				}
			}
		}
		if len(kept) < 20+3 {
			t.Errorf("%d exemplars, want the 20 slowest and 3 failures at least", len(kept))
		}
	})
}

func TestWithoutARatioNothingIsAdded(t *testing.T) {
	transports(t, func(t *testing.T, over http.RoundTripper) {
		s := &seen{}
		srv := httptest.NewServer(s)
		defer srv.Close()
		r := executeWith(Config{Plan: at(traced(0), srv.URL), Transport: over}, nil, nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range s.parent {
			if id != "" {
				t.Fatalf("a request carries the trace %s", id)
			}
		}
		for _, w := range r.windows {
			if len(w.Exemplars.Slowest)+len(w.Exemplars.Failed) > 0 {
				t.Errorf("exemplars %+v", w.Exemplars)
			}
		}
	})
}

// The plan's own header is shared by all users: a trace is added to a copy.
func TestATraceLeavesThePlansHeaderAsItIs(t *testing.T) {
	transports(t, func(t *testing.T, over http.RoundTripper) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		p := at(traced(1), srv.URL)
		p.Requests[0].Body, p.Requests[0].Method = []byte(strings.Repeat("x", 10_000)), "POST"
		executeWith(Config{Plan: p, Transport: over}, nil, nil)
		for _, q := range p.Requests {
			if len(q.Header) > 0 {
				t.Errorf("the plan's header has become %v", q.Header)
			}
		}
	})
}

// Which requests of a user are traced is its seed's to say, in virtual time as in real time.
func TestAUsersTracedRequestsAreTheSameEachTime(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.Think, p.Seed = 1, 1, plan.Duration(20*time.Second), plan.Range{Min: plan.Duration(100 * ms), Max: plan.Duration(100 * ms)}, 5
	p.Client.TraceRatio = 0.2
	var first []bool
	for range 2 {
		s := &seen{}
		r := virtual(t, p, serve(func(r *http.Request) int { s.note(r); return 200 }), nil)
		var got, want []bool
		for i, id := range s.parent {
			got = append(got, id != "")
			want = append(want, p.Traced().Has(0, 0, uint64(i+1)))
		}
		if !slices.Equal(got, want) || len(got) != int(r.Sent) || !slices.Contains(got, true) {
			t.Errorf("traced %v\nwant   %v", got, want)
		}
		if first != nil && !slices.Equal(got, first) {
			t.Error("the second time others were")
		}
		first = got
	}
}
