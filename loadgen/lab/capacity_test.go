package lab

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

// startLocal is one replica on loopback.
func startLocal(t *testing.T, c Capacity) *local {
	t.Helper()
	r, err := (&inProcess{capacity: c, healthPath: "/health"}).launch(t.Context(), "task-1", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	return r.(*local)
}

// get asks as the balancer does when forwarded, as a health check does when not.
func get(ctx context.Context, client *http.Client, url string, forwarded bool) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	if forwarded {
		req.Header.Set("X-Forwarded-For", "127.0.0.1")
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}

// newClient is a client with connections of its own, none of which outlives the test.
func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestABurstIsServedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const service, k, n = 60 * time.Millisecond, 3, 9
		l := newLimiter(Capacity{Slots: k, Service: service}, "/health", 1)
		handler := l.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		ends := make([]time.Duration, n)
		var all sync.WaitGroup
		began := time.Now()
		for i := range n {
			all.Go(func() {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
				ends[i] = time.Since(began)
			})
		}
		all.Wait()
		slices.Sort(ends)
		for i, end := range ends {
			if want := time.Duration(i/k+1) * service; end != want {
				t.Errorf("answer %d after %s, want %s: %d at a time", i, end, want, k)
			}
		}
	})
}

// How late an answer may be is the machine's; early is none.
func TestABurstIsServedInTurnOnSockets(t *testing.T) {
	t.Parallel()
	const service, k, n = 60 * time.Millisecond, 3, 9
	r := startLocal(t, Capacity{Slots: k, Service: service})
	client := newClient(t)
	ends := make([]time.Duration, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		all.Go(func() {
			if err := get(t.Context(), client, "http://"+r.address+"/", true); err != nil {
				t.Error(err)
			}
			ends[i] = time.Since(began)
		})
	}
	all.Wait()
	slices.Sort(ends)
	for i, end := range ends {
		if want := time.Duration(i/k+1) * service; end < want {
			t.Errorf("answer %d after %s, before its service could have ended at %s", i, end, want)
		}
	}
}

func TestHealthChecksPassTheQueueAndClientsDoNot(t *testing.T) {
	t.Parallel()
	r := startLocal(t, Capacity{Slots: 1, Service: time.Hour})
	client := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() { _ = get(ctx, client, "http://"+r.address+"/", true) })
	for r.limiter.served() == 0 {
		time.Sleep(time.Millisecond) // real sockets: nobody tells when a request has arrived
	}
	if err := get(t.Context(), client, "http://"+r.address+"/health", false); err != nil {
		t.Errorf("a health check of a replica that is busy for an hour: %v", err)
	}
	busy.Go(func() {
		if err := get(ctx, client, "http://"+r.address+"/health", true); err == nil {
			t.Error("a client's /health was answered out of turn")
		}
	})
	for r.limiter.served() < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	busy.Wait()
}

func TestCPUIsSlotTimeInUse(t *testing.T) {
	t.Parallel()
	l := newLimiter(Capacity{Slots: 2, Service: time.Hour}, "/health", 1)
	before := l.used()
	began := time.Now()
	l.admit() // one of two slots is in use from now on
	time.Sleep(50 * time.Millisecond)
	used, passed := l.used()-before, time.Since(began).Seconds()
	if used > passed/2 || used < 0.025 {
		t.Errorf("%.4f replica seconds in %.4f s with one of two slots in use, want half", used, passed)
	}
}

func TestDefaultCapacityShowsTheSeedsStory(t *testing.T) {
	const load = 375.0 // requests/s, as the seed saw
	c := Capacity{}
	if got := c.PerSecond(); got < autoscaling.DefaultTaskCapacity*0.999 || got > autoscaling.DefaultTaskCapacity*1.001 {
		t.Errorf("a default replica does %v/s, want %v", got, autoscaling.DefaultTaskCapacity)
	}
	if 2*c.PerSecond() >= load {
		t.Errorf("two replicas can do %v/s, which is enough for %v", 2*c.PerSecond(), load)
	}
	if share := load / (6 * c.PerSecond()); share > 0.6 {
		t.Errorf("six replicas would be in use to %.0f %%, want at most 60 %%", 100*share)
	}
	if got := (Capacity{Slots: 4, Service: 100 * time.Millisecond}).PerSecond(); got != 40 {
		t.Errorf("4 slots of 100 ms do %v/s, want 40", got)
	}
}
