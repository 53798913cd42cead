package attack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
)

// ending is what ends a run.
type ending int

const (
	byPlan  ending = iota
	byStop         // a first signal, or a rule of --abort-on
	byCut          // a second signal
	byDeath        // of the service, whose requests all fail from then on
	endings
)

var endingNames = [endings]string{"the plan", "a stop", "a cut", "the service's death"}

// audit says what is wrong with a run's books; nothing when they balance. served is how many requests the service saw.
func (r *run) audit(served int64) error {
	var sent, dropped, own, unanswered, cut, retried int64
	for _, w := range r.windows {
		sent += w.Sent
		retried += w.Connections.Retried
		for _, e := range w.Ends {
			dropped, own, unanswered, cut = dropped+e.Dropped, own+e.OwnDrops, unanswered+e.Unanswered, cut+e.Cut
		}
	}
	o := r.Outcome
	var wrong []error
	for _, row := range []struct {
		why       string
		got, want int64
	}{
		{"offered = sent + dropped", o.Offered, o.Sent + o.Dropped},
		{"sent = requests + abandoned", o.Sent, r.requests + o.Abandoned},
		{"dropped + abandoned = unanswered + cut + own drops", o.Dropped + o.Abandoned, unanswered + cut + own},
		{"windows' sends = the run's", sent, o.Sent},
		{"windows' drops = the run's", dropped, o.Dropped},
		{"windows' own drops = the run's", own, o.OwnDrops},
		{"windows' abandoned = the run's", r.abandoned, o.Abandoned},
		{"the service's count = requests + abandoned + retried", served, r.requests + o.Abandoned + retried},
		{"latencies = requests", r.raw.Count() + r.failed.Count(), r.requests},
		{"lags = sends", r.lag.Count(), o.Sent},
	} {
		if row.got != row.want {
			wrong = append(wrong, fmt.Errorf("%s: %d ≠ %d", row.why, row.got, row.want))
		}
	}
	return errors.Join(wrong...)
}

// randomPlan is one of either model with load of up to some thousand sends.
func randomPlan(t *rapid.T) plan.Plan {
	upTo := func(label string, n int) int { return rapid.IntRange(0, n).Draw(t, label) }
	d := func(label string, n int, unit time.Duration) plan.Duration {
		return plan.Duration(upTo(label, n)) * plan.Duration(unit)
	}
	p := plan.Default()
	if isOpen := rapid.Bool().Draw(t, "open"); isOpen {
		p = open(float64(1+upTo("rate", 500)), 0)
		p.MaxInFlight = 1 + upTo("max in flight", 20)
		if rapid.Bool().Draw(t, "poisson") {
			p.Arrivals = plan.Poisson
		}
	} else {
		p.Users, p.SpawnRate = 1+upTo("users", 20), float64(1+upTo("spawn rate", 100))
		p.Think = plan.Range{Min: 0, Max: d("think", 100, ms)}
		if pacing := d("pacing", 100, ms); pacing > 0 && rapid.Bool().Draw(t, "paced") {
			p.Think, p.Pacing = plan.Range{}, pacing
		}
	}
	p.RunTime = plan.Duration(ms) + d("run time", 3000, ms)
	if n := upTo("stages", 4); n > 0 {
		p.Users, p.SpawnRate, p.Rate.N, p.RunTime = 0, 0, 0, 0
		for i := range n {
			p.Stages = append(p.Stages, plan.Stage{Duration: d(fmt.Sprint("stage ", i), 1000, ms), To: float64(upTo(fmt.Sprint("level ", i), 20))})
		}
		p.Stages = append(p.Stages, plan.Stage{Duration: plan.Duration(500 * ms), To: 3})
	}
	p.StopTimeout = d("stop timeout", 2000, ms)
	p.Client.Timeout = plan.Duration(ms) + d("timeout", 1000, ms)
	p.Seed = uint64(upTo("seed", 1000))
	return p
}

func TestTheBooksBalanceHoweverARunEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlan(rt)
		end := ending(rapid.IntRange(0, int(endings)-1).Draw(rt, "end"))
		at := time.Duration(rapid.IntRange(0, 4000).Draw(rt, "at")) * ms
		typical := time.Duration(1+rapid.IntRange(0, 700).Draw(rt, "latency")) * ms
		moments := randomMoments(rt, p.Model)
		var wrong error
		synctest.Test(t, func(*testing.T) { wrong = randomRun(p, end, at, typical, moments) })
		if wrong != nil {
			rt.Fatalf("ended by %s at %v, edited at %v: %v", endingNames[end], at, moments, wrong)
		}
	})
}

// randomRun runs a plan, with edits, against a service in virtual time that answers well and badly, hangs, and may die.
func randomRun(p plan.Plan, end ending, at, typical time.Duration, moments []moment) error {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(p.Seed, 1))
	var served atomic.Int64
	died := make(chan struct{})
	service := transport(func(req *http.Request) (*http.Response, error) {
		served.Add(1)
		sleep(req, ms) // an instant without length would never end where users do not pause
		mu.Lock()
		takes, luck := time.Duration(float64(typical)*random.ExpFloat64()), random.IntN(20)
		mu.Unlock()
		if luck == 0 {
			takes = time.Hour
		}
		select {
		case <-died:
			return nil, errors.New("connection refused")
		case <-req.Context().Done():
			return nil, req.Context().Err()
		case <-time.After(takes):
		}
		return &http.Response{StatusCode: []int{200, 503}[min(1, luck%7)], Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})
	var offered []int64
	done, watched, steered := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var unwanted error // of an edit
	r := execute(ready(p), service, func(a *Attack) {
		go func() {
			defer close(steered)
			_, unwanted = a.steer(moments, done)
		}()
		defer close(watched)
		ended := time.NewTimer(at)
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for i := 1; ; {
			select {
			case <-done:
				return
			case <-second.C:
				time.Sleep(100 * ms) // as late as a run collects its windows
				n, _ := a.Gauges(time.Duration(i) * time.Second)
				offered = append(offered, n)
				i++
			case <-ended.C:
				switch end {
				case byStop:
					a.Stop()
				case byCut:
					a.Stop()
					time.Sleep(20 * ms)
					a.Cut()
				case byDeath:
					close(died)
				}
			}
		}
	})
	close(done)
	<-watched
	<-steered
	last, _ := r.attack.Gauges(r.DrainEnded)
	wrong := []error{r.audit(served.Load()), unwanted}
	for i, n := range append(offered, last) {
		if i > 0 && n < offered[i-1] {
			wrong = append(wrong, fmt.Errorf("offered falls: %v", append(offered, last)))
			break
		}
	}
	if last != r.Offered {
		wrong = append(wrong, fmt.Errorf("windows offer %d, the run %d", last, r.Offered))
	}
	if r.OwnDrops != 0 {
		wrong = append(wrong, fmt.Errorf("%d sends dropped by a generator that was never late", r.OwnDrops))
	}
	return errors.Join(wrong...)
}

// transport is a service as a function.
type transport func(*http.Request) (*http.Response, error)

func (s transport) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// The same on real sockets, where what ends a run meets connections, and in real time.
func TestTheBooksBalanceOnRealSockets(t *testing.T) {
	for end := range endings {
		for _, isOpen := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, open %v", endingNames[end], isOpen), func(t *testing.T) {
				t.Parallel()
				var served atomic.Int64
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n := served.Add(1)
					if n%7 == 0 {
						w.WriteHeader(http.StatusServiceUnavailable)
					}
					if n%50 == 0 {
						<-r.Context().Done()
						return
					}
					time.Sleep(time.Duration(n%10) * ms) // real sockets, real time
				}))
				server.Config.ErrorLog = discard
				server.Start()
				defer server.Close()
				p := plan.Default()
				p.Users, p.SpawnRate, p.Think, p.RunTime = 10, 100, plan.Range{Max: plan.Duration(10 * ms)}, plan.Duration(600*ms)
				if isOpen {
					p = open(800, 600*ms)
					p.MaxInFlight = 8
				}
				p.StopTimeout, p.Client.Timeout = plan.Duration(300*ms), plan.Duration(200*ms)
				r := execute(at(p, server.URL), nil, func(a *Attack) {
					time.Sleep(300 * ms) // real sockets, real time
					switch end {
					case byStop:
						a.Stop()
					case byCut:
						a.Cut()
					case byDeath:
						server.Listener.Close()
						server.CloseClientConnections()
					}
				})
				count, seen := served.Load(), r.requests+r.Outcome.Abandoned+retries(r)
				// A request that timed out or was cut may never have been read by a busy service. When the service is gone
				// or everything is cut, nobody knows how many were on their way.
				unread := r.messages()["timeout after 200ms"] + r.Outcome.Abandoned
				if end == byDeath || end == byCut {
					unread = seen
				}
				if count > seen || count < seen-unread {
					t.Errorf("the service counted %d of the run's %d, of which %d may not have been read", count, seen, unread)
				}
				if err := r.audit(seen); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func retries(r *run) int64 { _, _, n := r.connections(); return n }
