package otlphttp

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// roundTripper is a receiver without sockets, for virtual time.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func message() *collector.ExportMetricsServiceRequest {
	return &collector.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{SchemaUrl: "x"}}}
}

func marshal(t *testing.T, m proto.Message) string {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAMessageArrivesAsItWasSentWithHeadersAndSignature(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(z)
		var got collector.ExportMetricsServiceRequest
		if err != nil || proto.Unmarshal(body, &got) != nil || !proto.Equal(&got, message()) {
			t.Errorf("%v: %q", err, body)
		}
		for name, want := range map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "Api-Key": "k", "X-Signed": "POST /v1/metrics"} {
			if have := r.Header.Get(name); have != want {
				t.Errorf("%s: %q, want %q", name, have, want)
			}
		}
	}))
	defer srv.Close()
	c := Client{URL: srv.URL + MetricsPath, Header: http.Header{"Api-Key": {"k"}}, Signer: signer(func(r *http.Request, body []byte) error {
		sent, _ := r.GetBody()
		whole, _ := io.ReadAll(sent)
		if string(whole) != string(body) {
			t.Error("the body to be signed is not the body that is sent")
		}
		r.Header.Set("X-Signed", r.Method+" "+r.URL.Path)
		return nil
	})}
	if reply, err := c.Send(t.Context(), message()); err != nil || reply != (Reply{Calls: 1}) {
		t.Errorf("%+v, %v", reply, err)
	}
}

type signer func(*http.Request, []byte) error

func (s signer) Sign(_ context.Context, r *http.Request, body []byte) error { return s(r, body) }

func TestWhatIsTriedAgainAndWhatIsNot(t *testing.T) {
	protobuf := http.Header{"Content-Type": {"application/x-protobuf"}}
	for _, tt := range []struct {
		why     string
		first   func() (*http.Response, error)
		again   bool
		wantErr string
	}{
		{"busy", func() (*http.Response, error) { return answer(503, nil, "overloaded\n"), nil }, true, "status 503 Service Unavailable: overloaded"},
		{"throttled", func() (*http.Response, error) { return answer(429, nil, ""), nil }, true, "status 429 Too Many Requests"},
		{"a proxy's", func() (*http.Response, error) {
			return answer(502, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "<html>"), nil
		}, true, "status 502 Bad Gateway"},
		{"late", func() (*http.Response, error) { return answer(504, nil, ""), nil }, true, "status 504 Gateway Timeout"},
		{"not there", func() (*http.Response, error) { return nil, errors.New("connection refused") }, true, "connection refused"},
		{"malformed", func() (*http.Response, error) { return answer(400, protobuf, "\x12\x05wrong"), nil }, false, "status 400 Bad Request: wrong"},
		{"forbidden", func() (*http.Response, error) { return answer(403, nil, ""), nil }, false, "status 403 Forbidden"},
		{"its own fault, which the specification has not among those to retry", func() (*http.Response, error) { return answer(500, nil, ""), nil }, false, "status 500 Internal Server Error"},
		{"a redirect, which a signature would not follow", func() (*http.Response, error) {
			return answer(307, http.Header{"Location": {"http://elsewhere.test/"}}, ""), nil
		}, false, "status 307 Temporary Redirect"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var tries int
			c := Client{URL: "http://receiver.test/v1/metrics", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				io.Copy(io.Discard, r.Body)
				if tries++; tries < 3 {
					return tt.first()
				}
				return answer(200, nil, ""), nil
			})}
			began := time.Now()
			reply, err := c.Send(t.Context(), message())
			if reply.Calls != tries {
				t.Errorf("%s: %d requests were made, and %d counted", tt.why, tries, reply.Calls)
			}
			if tt.again {
				// Two waits: 250 to 500 ms and 500 ms to 1 s.
				if took := time.Since(began); err != nil || tries != 3 || took < 750*time.Millisecond || took > 1500*time.Millisecond {
					t.Errorf("%s: %d tries in %s, error %v", tt.why, tries, took, err)
				}
			} else if tries != 1 || err == nil || err.Error() != tt.wantErr {
				t.Errorf("%s: %d tries, error %v, want %s", tt.why, tries, err, tt.wantErr)
			}

			tries = 0
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began = time.Now()
			_, err = c.Send(ctx, message())
			if err == nil || err.Error() != tt.wantErr || tries != 1 || time.Since(began) > 0 {
				t.Errorf("%s: with no time left %d tries in %s, error %v, want %s", tt.why, tries, time.Since(began), err, tt.wantErr)
			}
		})
	}
}

func TestTheReceiverSaysHowLongToWait(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   time.Duration
		why    string
	}{
		{"7", 7 * time.Second, "seconds"},
		{" 120 ", 2 * time.Minute, "longer than any wait of its own"},
		{"Sat, 01 Jan 2000 00:00:09 GMT", 9 * time.Second, "a date"},
	} {
		synctest.Test(t, func(t *testing.T) { // a bubble's clock begins at 2000-01-01
			var tries int
			c := Client{URL: "http://receiver.test/", Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				if tries++; tries == 1 {
					return answer(429, http.Header{"Retry-After": {tt.header}}, ""), nil
				}
				return answer(200, nil, ""), nil
			})}
			began := time.Now()
			if _, err := c.Send(t.Context(), message()); err != nil || time.Since(began) != tt.want {
				t.Errorf("%s: waited %s, want %s; %v", tt.why, time.Since(began), tt.want, err)
			}
		})
	}
	for _, text := range []string{"", "soon", "-1", "1.5", "99999999999999999999", "Fri, 31 Dec 1999 00:00:00 GMT"} {
		if got := retryAfter(text, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); got != 0 {
			t.Errorf("Retry-After %q: %s, want the client's own wait", text, got)
		}
	}
}

func TestWaitsGrowToABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		c := Client{URL: "http://receiver.test/", Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			return answer(503, nil, ""), nil
		})}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if _, err := c.Send(ctx, message()); err == nil {
			t.Error("no error")
		}
		gap := firstWait
		for i := 1; i < len(at); i++ {
			if d := at[i] - at[i-1]; d < gap/2 || d > gap {
				t.Errorf("wait %d is %s, want %s to %s", i, d, gap/2, gap)
			}
			gap = min(2*gap, longestGap)
		}
		if len(at) < 12 || len(at) > 25 {
			t.Errorf("%d tries in 5 minutes", len(at))
		}
	})
}

func TestWhatAReceiverRejectsIsTold(t *testing.T) {
	both := marshal(t, &collector.ExportMetricsServiceResponse{PartialSuccess: &collector.ExportMetricsPartialSuccess{
		RejectedDataPoints: 12, ErrorMessage: "too\nold",
	}})
	for _, tt := range []struct {
		why, kind, body string
		want            Reply
	}{
		{"rejected in part", "application/x-protobuf", both, Reply{12, "too old", 1}},
		{"all taken", "application/x-protobuf", "", Reply{Calls: 1}},
		{"a warning", "application/x-protobuf; charset=binary", marshal(t, &collector.ExportMetricsServiceResponse{
			PartialSuccess: &collector.ExportMetricsPartialSuccess{ErrorMessage: "slow down"}}), Reply{0, "slow down", 1}},
		{"not protobuf", "text/plain", both, Reply{Calls: 1}},
		{"cut off", "application/x-protobuf", both[:4], Reply{Calls: 1}},
		{"a message without end", "application/x-protobuf", "\x0a\xff", Reply{Calls: 1}},
	} {
		c := Client{URL: "http://receiver.test/", Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return answer(200, http.Header{"Content-Type": {tt.kind}}, tt.body), nil
		})}
		if got, err := c.Send(t.Context(), message()); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.why, got, err, tt.want)
		}
	}
}

func TestAHangingReceiverCostsTheTimeOfAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		c := Client{URL: "http://receiver.test/", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			tries.Add(1)
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Send(ctx, message())
		if err == nil || !strings.HasPrefix(err.Error(), "no answer in time") || tries.Load() < 2 || time.Since(began) > 25*time.Second {
			t.Errorf("%d tries in %s: %v", tries.Load(), time.Since(began), err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x0a\x06\x08\x0c\x12\x02no"), true)
	f.Add([]byte("\x12\x05wrong"), false)
	f.Fuzz(func(t *testing.T, body []byte, ok bool) {
		h := http.Header{"Content-Type": {"application/x-protobuf"}}
		text := said(h, body)
		if ok {
			text = partial(h, body).Message
		}
		if strings.ContainsAny(text, "\n\r\x1b\x00") || len(text) > 310 {
			t.Errorf("%q", text)
		}
	})
}
