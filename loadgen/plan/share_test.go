package plan

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// exactly is a float's shortest decimal as a fraction.
func exactly(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(formatNumber(x))
	return r
}

// addUp is an error where the shares of a plan do not add up to it.
func addUp(t interface{ Errorf(string, ...any) }, p *Plan, shares []Plan) {
	sum := func(field string, want float64, of func(*Plan) float64) {
		total := new(big.Rat)
		for i := range shares {
			total.Add(total, exactly(of(&shares[i])))
		}
		if total.Cmp(exactly(want)) != 0 {
			t.Errorf("%s: shares of %v add up to %s", field, want, total.FloatString(12))
		}
	}
	sum("users", float64(p.Users), func(s *Plan) float64 { return float64(s.Users) })
	sum("spawn_rate", p.SpawnRate, func(s *Plan) float64 { return s.SpawnRate })
	sum("rate", p.Rate.N, func(s *Plan) float64 { return s.Rate.N })
	sum("max_in_flight", float64(p.MaxInFlight), func(s *Plan) float64 { return float64(s.MaxInFlight) })
	for k := range p.Stages {
		sum("stages", p.Stages[k].To, func(s *Plan) float64 { return s.Stages[k].To })
	}
	for k, e := range p.Edits {
		if e.Field != EditPaused && e.Field != EditRunTime {
			sum("edits", e.Value, func(s *Plan) float64 { return s.Edits[k].Value })
		}
	}
}

func TestSharesOfUsersAndRatesAreWhatPeopleExpect(t *testing.T) {
	rate := func(n float64, per time.Duration) Plan {
		p := DefaultOpen()
		p.Host, p.Rate = "http://h", Rate{n, Duration(per)}
		return p
	}
	for _, row := range []struct {
		plan Plan
		n    int
		want string
		why  string
	}{
		{rate(100, 0), 3, "34 33 33", "whole numbers stay whole, so that the sends of whole seconds add up as well"},
		{rate(3000, time.Minute), 4, "750/1m 750/1m 750/1m 750/1m", "the unit of time stays"},
		{rate(2, 0), 3, "0.7 0.7 0.6", "finer than written where one would have nothing"},
		{rate(12.5, 0), 2, "6.3 6.2", "in units of the last digit"},
		{rate(0.1, 0), 3, "0.04 0.03 0.03", "a number that no float holds exactly"},
		{rate(1_000_000, 0), 1, "1000000", "one generator has all"},
	} {
		shares, err := row.plan.Shares(row.n)
		if err != nil {
			t.Errorf("%v by %d: %v", row.plan.Rate, row.n, err)
			continue
		}
		var got []string
		for _, s := range shares {
			text, _ := s.Rate.MarshalText()
			got = append(got, string(text))
		}
		if g := strings.Join(got, " "); g != row.want {
			t.Errorf("%v by %d is %s, want %s: %s", row.plan.Rate, row.n, g, row.want, row.why)
		}
	}

	p := Default()
	p.Host = "http://h"
	shares, err := p.Shares(3)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		users int
		spawn float64
	}{{17, 1.7}, {17, 1.7}, {16, 1.6}} {
		if s := shares[i]; s.Users != want.users || s.SpawnRate != want.spawn {
			t.Errorf("share %d: %d users at %v/s, want %v: all have spawned when those of one generator would have", i, s.Users, s.SpawnRate, want)
		}
	}
	if shares[0].Seed != p.Seed || shares[1].Seed == shares[2].Seed {
		t.Errorf("seeds %d, %d, %d of %d", shares[0].Seed, shares[1].Seed, shares[2].Seed, p.Seed)
	}
}

func TestWhatCannotBeDividedIsRefusedByName(t *testing.T) {
	users := func(change func(*Plan)) Plan {
		p := Default()
		p.Host = "http://h"
		change(&p)
		return p
	}
	stages := func(start int, to ...float64) Plan {
		return users(func(p *Plan) {
			p.Users, p.SpawnRate, p.RunTime = start, 0, 0
			for _, x := range to {
				p.Stages = append(p.Stages, Stage{Duration(time.Minute), x})
			}
		})
	}
	bench := DefaultBench()
	for _, row := range []struct {
		plan Plan
		n    int
		want string
	}{
		{users(func(p *Plan) { p.Users = 2 }), 3, `users "2": want at least 3, 1 for each of 3 generators`},
		{stages(0, 50, 2, 50), 3, `stages[1] "2": want at least 3, 1 for each of 3 generators`},
		{stages(1, 50), 3, `users "1": want at least 3, 1 for each of 3 generators`},
		{stages(0, 10, 13), 5, "stages: a change of users is too small to be divided by 5: want one of at least 5 users, or fewer generators"},
		{users(func(p *Plan) { p.Edits = []Edit{{time.Second, EditUsers, 1}} }), 2, `edits[0] "1": want at least 2, 1 for each of 2 generators`},
		{func() Plan {
			p := DefaultOpen()
			p.Host, p.Rate, p.MaxInFlight = "http://h", Rate{N: 10}, 2
			return p
		}(), 3, `max_in_flight "2": want at least 3, 1 for each of 3 generators`},
		{bench, 2, "model: a bench is as fast as one machine goes, and cannot be divided"},
		{users(func(*Plan) {}), 0, `"0": want at least 1 generator`},
	} {
		_, err := row.plan.Shares(row.n)
		if err == nil || err.Error() != row.want {
			t.Errorf("got  %v\nwant %s", err, row.want)
		}
	}
	if _, err := new(stages(0, 50, 0, 50)).Shares(3); err != nil {
		t.Errorf("a stage of nobody is nobody for all: %v", err)
	}
}

// genShared are plans with all that is divided.
func genShared(t *rapid.T) Plan {
	number := func(name string, most int) float64 { // as people write it
		places := rapid.IntRange(0, 4).Draw(t, name+" places")
		return decimal(big.NewInt(int64(rapid.IntRange(1, most).Draw(t, name))), places)
	}
	p := Default()
	if isOpen := rapid.Bool().Draw(t, "open"); isOpen {
		p = DefaultOpen()
		p.Rate = Rate{N: number("rate", 1_000_000)}
		p.MaxInFlight = rapid.IntRange(1, 100_000).Draw(t, "in flight")
		if rapid.Bool().Draw(t, "a minute") {
			p.Rate.Per = Duration(time.Minute)
		}
	} else {
		p.Users, p.SpawnRate = rapid.IntRange(1, 10_000).Draw(t, "users"), number("spawn", 10_000)
	}
	p.Host = "http://h"
	if rapid.Bool().Draw(t, "staged") {
		p.SpawnRate, p.RunTime = 0, 0
		for range rapid.IntRange(1, 5).Draw(t, "stages") {
			to := float64(rapid.IntRange(0, 1000).Draw(t, "to users"))
			if p.Model == Open {
				to = number("to", 100_000)
			}
			p.Stages = append(p.Stages, Stage{Duration(time.Minute), to})
		}
	}
	if rapid.Bool().Draw(t, "edited") {
		edits := []Edit{{time.Second, EditSpawnRate, number("edit spawn", 1000)}, {2 * time.Second, EditUsers, float64(rapid.IntRange(0, 1000).Draw(t, "edit users"))}}
		if p.Model == Open {
			edits = []Edit{{time.Second, EditRate, number("edit rate", 1000)}}
		}
		p.Edits = append(edits, Edit{3 * time.Second, EditPaused, 1}, Edit{4 * time.Second, EditPaused, 0})
	}
	p.Seed = rapid.Uint64Range(0, MaxSeed).Draw(t, "seed")
	return p
}

func TestSharesAddUpExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genShared(t)
		if p.Validate() != nil {
			t.Skip()
		}
		n := rapid.IntRange(1, 40).Draw(t, "n")
		shares, err := p.Shares(n)
		if err != nil {
			if n == 1 {
				t.Fatalf("one generator takes any plan: %v", err)
			}
			if p.Model == Open && p.MaxInFlight >= n && len(p.Edits) == 0 {
				t.Fatalf("a rate can always be divided: %v", err)
			}
			return
		}
		addUp(t, &p, shares)
		for i := range shares {
			s := &shares[i]
			if err := s.Validate(); err != nil {
				t.Fatalf("share %d: %v", i, err)
			}
			if s.Length() != p.Length() {
				t.Fatalf("share %d lasts %v, the whole %v", i, s.Length(), p.Length())
			}
		}
	})
}

// What is due by a uniform rate of whole numbers is as much from any number of generators as from one.
func TestSendsOfAWholeRateAddUp(t *testing.T) {
	count := func(p *Plan) (n int) {
		due := NewDue(p.Curve(), p.Arrivals, p.Seed)
		for {
			if _, ok := due.Next(); !ok {
				return n
			}
			n++
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := DefaultOpen()
		p.Host, p.Rate = "http://h", Rate{N: float64(rapid.IntRange(10, 2000).Draw(t, "rate"))}
		p.RunTime = Duration(time.Duration(rapid.IntRange(1, 5).Draw(t, "seconds")) * time.Second)
		shares, err := p.Shares(rapid.IntRange(1, 10).Draw(t, "n"))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i := range shares {
			sum += count(&shares[i])
		}
		if want := count(&p); sum != want {
			t.Fatalf("%d sends of %d generators, %d of one", sum, len(shares), want)
		}
	})
}
