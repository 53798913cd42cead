package loadgen

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
)

// queueing answers one request after another, each in so long.
func queueing(each time.Duration) http.RoundTripper {
	var mu sync.Mutex
	var free time.Time
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		free = free.Add(each)
		until := free
		mu.Unlock()
		select {
		case <-time.After(time.Until(until)):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func searching(transport http.RoundTripper, objective ...string) Ceiling {
	p := brief()
	p.Host = "http://service.test"
	return Ceiling{Runner: Runner{Plan: p, Transport: transport, Judge: calm.Judge}, Objective: objective}
}

func TestTheCeilingIsWhatOneServerCanDo(t *testing.T) {
	for _, row := range []struct {
		each time.Duration
		want float64
		why  string
	}{
		{10 * time.Millisecond, 100, "a hundredth of a second each: 100/s, and a queue above it"},
		{time.Second / 7, 7, "below the rate that is tried first"},
		{time.Millisecond, 1000, "far above it"},
	} {
		synctest.Test(t, func(t *testing.T) {
			found, err := searching(queueing(row.each), "p(99)<400ms").Search(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", row.why, err)
			}
			if math.Abs(found.Rate/row.want-1) > 0.12 || found.AtLeast {
				t.Errorf("%s: %.1f/s after %v, want %v within 12 %%: tried %+v", row.why, found.Rate, found.Took, row.want, found.Tried)
			}
		})
	}
}

func TestAnObjectiveThatNothingKeepsHasNoCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := searching(queueing(200*time.Millisecond), "p(99)<100ms").Search(t.Context())
		if !errors.Is(err, ErrNoRate) || !strings.Contains(err.Error(), "p(99)<100ms") {
			t.Errorf("%v, want that it does not hold at any rate, and what was seen", err)
		}
	})
}

func TestFailuresAreNoCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
		})
		if found, err := searching(bad, "p(99)<400ms").Search(t.Context()); err == nil {
			t.Errorf("%+v of a service that answers 503 to everything at once, want an error", found)
		}
	})
}

func TestASearchEndsWhereNoMoreIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := searching(queueing(0), "p(99)<400ms")
		c.Most = 60
		found, err := c.Search(t.Context())
		if err != nil || found.Rate != 60 || !found.AtLeast || found.Why == "" {
			t.Errorf("%+v, %v, want at least 60, and why no more", found, err)
		}
	})
}
