package attack

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// moment is an edit of a run that is made while it runs.
type moment struct {
	after time.Duration
	edits []plan.Edit
}

// randomMoments are up to some edits of either model, of which some are refused.
func randomMoments(t *rapid.T, model plan.Model) []moment {
	var all []moment
	at := time.Duration(0)
	for i := range rapid.IntRange(0, 6).Draw(t, "edits") {
		at += time.Duration(rapid.IntRange(0, 900_000).Draw(t, fmt.Sprint("pause before ", i))) * time.Microsecond
		e := plan.Edit{}
		switch kind := rapid.IntRange(0, 5).Draw(t, fmt.Sprint("kind ", i)); {
		case kind <= 1 && model == plan.Closed:
			e.Field, e.Value = plan.EditUsers, float64(rapid.IntRange(0, 25).Draw(t, fmt.Sprint("users ", i)))
		case kind <= 2 && model == plan.Open:
			e.Field, e.Value = plan.EditRate, float64(rapid.IntRange(0, 600).Draw(t, fmt.Sprint("rate ", i)))
		case kind == 2:
			e.Field, e.Value = plan.EditSpawnRate, float64(rapid.IntRange(1, 100).Draw(t, fmt.Sprint("spawn rate ", i)))
		case kind == 3:
			e.Field, e.Value = plan.EditPaused, 1
		case kind == 4:
			e.Field, e.Value = plan.EditPaused, 0
		default:
			e.Field, e.Value = plan.EditRunTime, float64(rapid.IntRange(1, 5000).Draw(t, fmt.Sprint("run time ", i)))/1000
		}
		m := moment{at, []plan.Edit{e}}
		if e.Field == plan.EditUsers && rapid.Bool().Draw(t, fmt.Sprint("both ", i)) {
			m.edits = append([]plan.Edit{{Field: plan.EditSpawnRate, Value: 7.5}}, e)
		}
		all = append(all, m)
	}
	return all
}

// steer makes the edits of moments, whatever is refused, and returns those that were made.
func (a *Attack) steer(moments []moment, stop <-chan struct{}) (made []plan.Edit, err error) {
	for _, m := range moments {
		select {
		case <-time.After(m.after - a.Elapsed()):
		case <-stop:
			return made, err
		}
		if e := a.Edit(func(r Revision) { made = r.Plan.Edits }, m.edits...); e != nil && !errors.Is(e, ErrEnded) && !refused(e) {
			err = e
		}
	}
	return made, err
}

func refused(err error) bool { return len(input.Errors(err)) > 0 }

// sent is what a service saw.
type sent struct {
	at   time.Duration
	path string
}

// observed runs a plan in virtual time against a service whose answers depend on nothing but what is asked and when, and
// returns what it saw and what was counted.
func observed(p plan.Plan, moments []moment) (seen []sent, r *run, made []plan.Edit, err error) {
	return observedWith(p, moments, nil)
}

// observedWith also calls something beside the run.
func observedWith(p plan.Plan, moments []moment, during func(*Attack)) (seen []sent, r *run, made []plan.Edit, err error) {
	var mu sync.Mutex
	begin := time.Now()
	service := transport(func(req *http.Request) (*http.Response, error) {
		at := time.Since(begin)
		mu.Lock()
		seen = append(seen, sent{at, req.URL.Path})
		mu.Unlock()
		h := fnv.New32a()
		fmt.Fprint(h, at, req.URL.Path)
		n := h.Sum32()
		sleep(req, time.Duration(1+n%60)*ms+137*time.Microsecond) // never at the instant of a time-out
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: []int{200, 200, 200, 503}[n%4], Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})
	done, steered, watched := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r = execute(ready(p), service, func(a *Attack) {
		go func() {
			defer close(watched)
			if during != nil {
				during(a)
			}
		}()
		made, err = a.steer(moments, done)
		close(steered)
	})
	close(done)
	<-steered
	<-watched
	slices.SortFunc(seen, func(a, b sent) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(a.path[len(a.path)-1]) - int(b.path[len(b.path)-1])
	})
	return seen, r, made, err
}

func TestARunThatWasEditedIsTheSameWhenItsPlanIsRunAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlan(rt)
		p.WarmUp = plan.Duration(rapid.IntRange(0, 1).Draw(rt, "warm-up")) * plan.Duration(300*ms)
		if p.Validate(); p.WarmUp > 0 && time.Duration(p.WarmUp) >= p.Length() {
			p.WarmUp = 0
		}
		moments := randomMoments(rt, p.Model)
		var wrong error
		synctest.Test(t, func(*testing.T) { wrong = compareReplay(p, moments) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

func compareReplay(p plan.Plan, moments []moment) error {
	seen, live, edits, err := observed(p, moments)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(edits)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(kept, &p.Edits); err != nil {
		return fmt.Errorf("edits %s: %w", kept, err)
	}
	if !reflect.DeepEqual(p.Edits, edits) {
		return fmt.Errorf("edits %v are read back as %v", edits, p.Edits)
	}
	again, replayed, _, err := observed(p, nil)
	if err != nil {
		return err
	}
	if !slices.Equal(seen, again) {
		for i := range min(len(seen), len(again)) {
			if seen[i] != again[i] {
				return fmt.Errorf("%d sends live, %d replayed; number %d: %v live, %v replayed; edits %s", len(seen), len(again), i, seen[i], again[i], kept)
			}
		}
		return fmt.Errorf("%d sends live, %d replayed; edits %s", len(seen), len(again), kept)
	}
	if live.Outcome != replayed.Outcome {
		return fmt.Errorf("live %+v, replayed %+v; edits %s", live.Outcome, replayed.Outcome, kept)
	}
	if len(live.windows) != len(replayed.windows) {
		return fmt.Errorf("%d windows live, %d replayed", len(live.windows), len(replayed.windows))
	}
	for i, w := range live.windows {
		x := replayed.windows[i]
		if w.From != x.From || w.To != x.To || w.Phase != x.Phase || w.Name != x.Name || w.Sent != x.Sent || !w.Lag.Equal(x.Lag) ||
			!slices.EqualFunc(w.Endpoints, x.Endpoints, sameCounts) || len(w.Parts) != len(x.Parts) {
			return fmt.Errorf("window %d differs:\n%v..%v phase %d %s, %d sent\n%v..%v phase %d %s, %d sent; edits %s",
				i, w.From, w.To, w.Phase, w.Name, w.Sent, x.From, x.To, x.Phase, x.Name, x.Sent, kept)
		}
	}
	return nil
}

func TestAnEditedRateJumpsAndKeepsItsPlaceInTheSequence(t *testing.T) {
	p := open(10, 4*time.Second)
	synctest.Test(t, func(t *testing.T) {
		seen, r, _, err := observed(p, []moment{
			{1050 * ms, []plan.Edit{{Field: plan.EditRate, Value: 100}}},
			{2000 * ms, []plan.Edit{{Field: plan.EditRate, Value: 1}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		// Half a request was due at 1.05 s since the last one; at 100 a second the other half takes 5 ms.
		if got, want := seen[11].at.Round(time.Microsecond), 1055*ms; got != want {
			t.Errorf("the first request by the new rate left at %v, want %v", got, want)
		}
		// 10.5 requests at 10 a second, 95 at 100, 2 at 1: those due before 4 s are 0 to 107.
		if len(seen) != 108 {
			t.Errorf("%d requests, want 108", len(seen))
		}
		if lag := r.lag.Max(); lag > time.Microsecond {
			t.Errorf("an edit upwards is %v of lag", lag)
		}
		r.balanced(t)
	})
}

func TestUsersOfAnEditSpawnAtTheSpawnRateAndLeaveAtIt(t *testing.T) {
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime = 10, 10, plan.Duration(10*time.Second)
	synctest.Test(t, func(t *testing.T) {
		var users []int
		_, r, _, err := observedWith(p, []moment{
			{3 * time.Second, []plan.Edit{{Field: plan.EditUsers, Value: 20}}},
			{6 * time.Second, []plan.Edit{{Field: plan.EditSpawnRate, Value: 2}, {Field: plan.EditUsers, Value: 16}}},
		}, func(a *Attack) {
			for i := range 10 {
				time.Sleep(time.Second - a.Elapsed()%time.Second)
				_, n := a.Gauges(time.Duration(i+1) * time.Second)
				users = append(users, n)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{10, 10, 10, 20, 20, 20, 19, 17, 16, 0}; !slices.Equal(users[:9], want[:9]) {
			t.Errorf("users %v, want %v", users, want)
		}
		var phases []string
		for _, w := range r.windows {
			if n := len(phases); n == 0 || phases[n-1] != fmt.Sprint(w.Phase, w.Name) {
				phases = append(phases, fmt.Sprint(w.Phase, w.Name))
			}
		}
		if want := []string{"0ramp", "1steady", "2ramp", "3steady", "4ramp", "5steady", "6drain"}; !slices.Equal(phases, want) {
			t.Errorf("phases %v, want %v", phases, want)
		}
	})
}

func TestNothingIsDueWhileAPlanIsHeldAndPausesGoOnFromThere(t *testing.T) {
	closed := plan.Default()
	closed.Users, closed.SpawnRate, closed.RunTime = 5, 1000, plan.Duration(10*time.Second)
	closed.Think = plan.Range{Min: plan.Duration(400 * ms), Max: plan.Duration(400 * ms)}
	paced := closed
	paced.Think, paced.Pacing = plan.Range{}, plan.Duration(500*ms)
	poisson := open(50, 10*time.Second)
	poisson.Arrivals = plan.Poisson
	for _, row := range []struct {
		why string
		p   plan.Plan
	}{{"think", closed}, {"pacing", paced}, {"uniform", open(50, 10*time.Second)}, {"poisson", poisson}} {
		t.Run(row.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, r, _, err := observed(row.p, []moment{
					{2200 * ms, []plan.Edit{{Field: plan.EditPaused, Value: 1}}},
					{5700 * ms, []plan.Edit{{Field: plan.EditPaused, Value: 0}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				var before, after int
				for _, s := range seen {
					switch {
					case s.at <= 2200*ms:
						before++
					case s.at < 5700*ms:
						t.Errorf("a request left at %v", s.at)
					default:
						after++
					}
				}
				if before == 0 || after == 0 || r.Dropped > 0 {
					t.Errorf("%d requests before the hold, %d after it, %d dropped", before, after, r.Dropped)
				}
				if r.SendingEnded != 10*time.Second {
					t.Errorf("sending ended at %v: a hold moves the end", r.SendingEnded)
				}
				if r.lag.Max() > time.Microsecond || r.corrected.Max() > 61*ms {
					t.Errorf("lag %v, corrected %v: a hold is in a latency", r.lag.Max(), r.corrected.Max())
				}
				// What passed of a pause before the hold is not waited for again: 3.5 s later all is as it would have been.
				if row.p.Pacing > 0 {
					unpaused, _, _, _ := observed(row.p, nil)
					for i := range seen {
						want := unpaused[i].at
						if want > 2200*ms {
							want += 3500 * ms
						}
						if seen[i].at != want {
							t.Errorf("beat %d at %v, want %v", i, seen[i].at, want)
							break
						}
					}
				}
			})
		})
	}
}

func TestTheEndOfARunMoves(t *testing.T) {
	for _, to := range []time.Duration{1500 * ms, 6 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			seen, r, _, err := observed(open(10, 3*time.Second), []moment{{1000 * ms, []plan.Edit{{Field: plan.EditRunTime, Value: to.Seconds()}}}})
			if err != nil {
				t.Fatal(err)
			}
			if want := int(to.Seconds() * 10); len(seen) != want || r.SendingEnded != to {
				t.Errorf("%d requests until %v, want %d until %v", len(seen), r.SendingEnded, want, to)
			}
		})
	}
}

func TestAnEditThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	for _, row := range []struct {
		why  string
		edit plan.Edit
	}{
		{"a rate for users", plan.Edit{Field: plan.EditRate, Value: 5}},
		{"half a user", plan.Edit{Field: plan.EditUsers, Value: 1.5}},
		{"an end that has passed", plan.Edit{Field: plan.EditRunTime, Value: 0.5}},
		{"resumed and never paused", plan.Edit{Field: plan.EditPaused}},
		{"nothing that there is", plan.Edit{Field: "colour", Value: 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := plan.Default()
			p.RunTime = plan.Duration(3 * time.Second)
			var got, late error
			asked := make(chan struct{})
			execute(ready(p), serve(func(*http.Request) int { return 200 }), func(a *Attack) {
				time.Sleep(time.Second)
				got = a.Edit(nil, row.edit)
				time.Sleep(2 * time.Second)
				late = a.Edit(nil, plan.Edit{Field: plan.EditUsers, Value: 5})
				close(asked)
			})
			<-asked
			if !refused(got) {
				t.Errorf("%s: %v", row.why, got)
			}
			if !errors.Is(late, ErrEnded) {
				t.Errorf("after the end: %v", late)
			}
		})
	}
}

func sameCounts(a, b result.EndpointWindow) bool {
	return a.Endpoint == b.Endpoint && a.Requests == b.Requests && a.Failures == b.Failures && a.Abandoned == b.Abandoned &&
		a.Raw.Equal(b.Raw) && a.Corrected.Equal(b.Corrected) && a.Failed.Equal(b.Failed)
}
