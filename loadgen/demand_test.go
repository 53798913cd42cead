package loadgen

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

func seconds(from, to float64, offered float64, answer time.Duration) Seen {
	at := func(s float64) time.Duration { return time.Duration(s * 1e9) }
	return Seen{From: at(from), To: at(to), Offered: offered, Requests: int64(offered * (to - from)), Answer: answer}
}

// asked is the time for which a load asks for more than a number of tasks.
func asked(l timeline.Load, perTask float64, tasks int) (total time.Duration) {
	c := timeline.Capacity{PerTask: perTask, Utilisation: 1}
	for _, s := range l {
		if c.Tasks(s.Rate) > tasks {
			total += s.To - s.From
		}
	}
	return total
}

// By hand: a user of the seed's pauses 125 ms and is answered in 8⅓ ms by a task that does 120/s, so 32 users are what
// two tasks can do, and the 33rd is one too many. At 25 users a second it comes after 1.28 s, at 5 after 6.4 s.
func TestDemandOfUsersIsExactToTheUser(t *testing.T) {
	answer := time.Second/120 + 1 // 8⅓ ms, rounded up
	for _, row := range []struct {
		why    string
		spawn  float64
		length time.Duration
		from   time.Duration
	}{
		{"quick: 50 users in 2 s", 25, 20 * time.Second, 1280 * ms},
		{"the seed's: 50 users in 10 s", 5, 3 * time.Minute, 6400 * ms},
	} {
		p := plan.Default()
		p.SpawnRate, p.RunTime = row.spawn, plan.Duration(row.length)
		l := Demand(&p, []Seen{seconds(0, 1, 20, 50*ms), seconds(1, row.length.Seconds(), 300, answer)}, 120)
		if err := l.Validate(); err != nil {
			t.Fatal(err)
		}
		if got, want := asked(l, 120, 2), row.length-row.from; (got - want).Abs() > time.Microsecond {
			t.Errorf("%s: more than two tasks are asked for during %s, want %s", row.why, got, want)
		}
	}
}

// A rate is what was planned, to the instant at which it passes what a task can do.
func TestDemandOfARateIsExactToTheInstant(t *testing.T) {
	p := plan.DefaultOpen()
	p.Rate = plan.Rate{}
	p.Stages = []plan.Stage{{Duration: plan.Duration(10 * time.Second), To: 500}, {Duration: plan.Duration(10 * time.Second), To: 0}}
	l := Demand(&p, []Seen{seconds(0, 12, 3, 0), seconds(12, 20, 700, 0)}, 120)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		tasks int
		want  time.Duration
	}{{0, 20 * time.Second}, {1, 20*time.Second - 2*2400*ms}, {2, 20*time.Second - 2*4800*ms}, {4, 2 * 400 * ms}, {5, 0}} {
		if got := asked(l, 120, row.tasks); (got - row.want).Abs() > time.Microsecond {
			t.Errorf("more than %d tasks are asked for during %s, want %s", row.tasks, got, row.want)
		}
	}
}

func TestDemandOfOtherLoads(t *testing.T) {
	paced := plan.Default()
	paced.Think, paced.Pacing = plan.Range{}, plan.Duration(100*ms)
	closed := plan.Default()
	for _, row := range []struct {
		why  string
		plan plan.Plan
		seen []Seen
		want float64 // at 25 s
	}{
		{"a beat is known without an answer", paced, []Seen{seconds(0, 60, 100, 0)}, 500},
		{"users without an answer ask for what became due", closed, []Seen{seconds(0, 20, 7, 0), seconds(20, 60, 9, 0)}, 9},
		{"the fastest stretch is what an idle service takes", closed, []Seen{seconds(0, 20, 240, 83*ms), seconds(20, 60, 370, 10*ms)}, 50 / 0.135},
	} {
		for _, s := range Demand(&row.plan, row.seen, 0) {
			if s.From <= 25*time.Second && s.To > 25*time.Second && math.Abs(s.Rate-row.want) > 1e-6 {
				t.Errorf("%s: %v/s at 25 s, want %v/s", row.why, s.Rate, row.want)
			}
		}
	}
	if l := Demand(&closed, nil, 120); len(l) != 0 {
		t.Errorf("of a run that was never seen demand is %v, want none", l)
	}
}

// Whatever the plan and the windows: the integral is the curve's, counts add up, and a cut run asks for nothing after it.
func TestDemandKeepsWhatThePlanAndTheWindowsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plan.DefaultOpen()
		p.Rate = plan.Rate{N: float64(rapid.IntRange(0, 500).Draw(t, "from"))}
		if p.Rate.N == 0 {
			p.Rate = plan.Rate{}
		}
		for range rapid.IntRange(1, 5).Draw(t, "stages") {
			p.Stages = append(p.Stages, plan.Stage{
				Duration: plan.Duration(rapid.IntRange(0, 20_000).Draw(t, "over")) * plan.Duration(time.Millisecond),
				To:       float64(rapid.IntRange(0, 900).Draw(t, "to")),
			})
		}
		p.Stages = append(p.Stages, plan.Stage{Duration: plan.Duration(time.Second), To: 10})
		var seen []Seen
		var requests, errors int64
		end := p.Curve().End()
		for at := time.Duration(0); at < end; {
			to := min(end, at+time.Duration(rapid.IntRange(1, 4000).Draw(t, "window"))*time.Millisecond)
			s := Seen{From: at, To: to, Requests: int64(rapid.IntRange(0, 999).Draw(t, "requests"))}
			s.Errors = s.Requests / 3
			seen, at = append(seen, s), to
			requests, errors = requests+s.Requests, errors+s.Errors
		}
		perTask := float64(rapid.IntRange(0, 130).Draw(t, "per task"))
		l := Demand(&p, seen, perTask)
		if err := l.Validate(); err != nil {
			t.Fatal(err)
		}
		c := timeline.Capacity{PerTask: perTask, Utilisation: 1}
		var area float64
		for _, s := range l {
			area += s.Rate * (s.To - s.From).Seconds()
			requests, errors = requests-s.Requests, errors-s.Errors
			// Within a step the curve never asks for another number of tasks, but for the one instant of a turn: a rate that falls to 0 and rises again.
			middle, want := s.From+(s.To-s.From)/3, c.Tasks(s.Rate)
			other := c.Tasks(p.Curve().At(middle)) != want && c.Tasks(p.Curve().At(middle+1)) != want
			if other && s.To-s.From > time.Microsecond {
				t.Fatalf("the curve asks for %d tasks at %s, the step %+v for %d", c.Tasks(p.Curve().At(middle)), middle, s, want)
			}
		}
		if want := p.Curve().Integral(end); math.Abs(area-want) > 1e-3 {
			t.Fatalf("the demand is of %v requests, the curve of %v", area, want)
		}
		if requests != 0 || errors != 0 {
			t.Fatalf("%d requests and %d errors are left over", requests, errors)
		}
	})
}

func TestAHoldIsNoDemandAndNoneThatWasMissed(t *testing.T) {
	closed := plan.Default()
	closed.Users, closed.SpawnRate, closed.RunTime = 10, 1000, plan.Duration(60*time.Second)
	open := plan.DefaultOpen()
	open.Rate, open.RunTime = plan.Rate{N: 80}, plan.Duration(60*time.Second)
	for _, p := range []plan.Plan{closed, open} {
		p.Edits = []plan.Edit{{At: 20 * time.Second, Field: plan.EditPaused, Value: 1}, {At: 50 * time.Second, Field: plan.EditPaused}}
		var seen []Seen
		for from := time.Duration(0); from < 60*time.Second; from += time.Second {
			s := Seen{From: from, To: from + time.Second}
			if from < 20*time.Second || from >= 50*time.Second {
				s.Offered, s.Requests, s.Answer = 80, 80, 3*time.Millisecond
			}
			seen = append(seen, s)
		}
		demand := Demand(&p, seen, 50)
		if err := demand.Validate(); err != nil {
			t.Fatal(err)
		}
		var held time.Duration
		for _, s := range demand {
			inHold := s.From >= 20*time.Second && s.To <= 50*time.Second
			if s.Held != inHold || s.Held && (s.Rate != 0 || s.Requests != 0) {
				t.Fatalf("%s: step %+v", p.Model, s)
			}
			if s.Held {
				held += s.To - s.From
			}
		}
		if held != 30*time.Second {
			t.Errorf("%s: held for %v, want 30s", p.Model, held)
		}
		// One task where two are needed, all the time: under-provisioned as long as there was load, and no longer.
		line := &timeline.Timeline{Min: 1, Max: 2, LoadTo: 60 * time.Second, End: 60 * time.Second, Speedup: 1,
			Points: []timeline.Point{{Desired: 1, Running: 1, Healthy: 1}}}
		f := timeline.Compute(line, demand, timeline.Capacity{PerTask: 50})
		if f.Load.Service != 30*time.Second || f.Provisioning.DuringLoad.Under.Service < 29*time.Second || f.Provisioning.DuringLoad.Under.Service > 30*time.Second {
			t.Errorf("%s: under-provisioned %v of %v, want 30s of 30s", p.Model, f.Provisioning.DuringLoad.Under.Service, f.Load.Service)
		}
	}
}
