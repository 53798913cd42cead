package timeline

import (
	"math"
	"testing"
	"time"
)

// The worked example of the authors of the elasticity figures (NikolasHerbst/BUNGEE, its metric tests): demand and
// supply as time:tasks until 20, a unit being a second here.
func TestTheFiguresOfTheAuthorsOwnExample(t *testing.T) {
	type change struct{ at, tasks int }
	demand := []change{{0, 1}, {7, 5}, {16, 3}, {17, 2}, {19, 4}}
	supply := []change{{0, 1}, {2, 2}, {3, 1}, {5, 3}, {9, 7}, {11, 6}, {12, 8}, {14, 2}}
	const end = 20
	var load Load
	for i, d := range demand {
		to := end
		if i+1 < len(demand) {
			to = demand[i+1].at
		}
		load = append(load, Step{From: time.Duration(d.at) * time.Second, To: time.Duration(to) * time.Second, Rate: float64(d.tasks)})
	}
	of := func(supply []change) *Accuracy {
		x := &Timeline{Speedup: 1, Max: 100, LoadTo: end * time.Second, End: end * time.Second}
		for _, s := range supply {
			x.Points = append(x.Points, Point{At: time.Duration(s.at) * time.Second, Desired: s.tasks, Running: s.tasks, Healthy: s.tasks})
		}
		if err := x.Validate(); err != nil {
			t.Fatal(err)
		}
		return Compute(x, load, Capacity{PerTask: 1}).Provisioning.DuringLoad
	}
	always := func(more int) (all []change) {
		for _, d := range demand {
			all = append(all, change{d.at, d.tasks + more})
		}
		return all
	}
	for _, row := range []struct {
		why                                  string
		supply                               []change
		accuracyU, accuracyO, shareU, shareO float64
		jitter                               float64 // a second
	}{
		{"the example", supply, 13.0 / 20, 16.0 / 20, 6.0 / 20, 8.0 / 20, (17.0 - 9) / 20},
		{"always one too many", always(1), 0, 1, 0, 1, 0},
		{"always one too few", always(-1), 1, 0, 1, 0, 0},
	} {
		a := of(row.supply)
		for name, pair := range map[string][2]float64{
			"accuracy_U": {a.AUnder, row.accuracyU}, "accuracy_O": {a.AOver, row.accuracyO},
			"timeshare_U": {a.TauUnder / 100, row.shareU}, "timeshare_O": {a.TauOver / 100, row.shareO},
			"jitter": {a.JitterPerHour / 3600, row.jitter},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Errorf("%s: %s is %v, want %v", row.why, name, pair[0], pair[1])
			}
		}
	}
}

// What is asked of a service that has settled: as much as its load needs.
func TestSteadySupplyIsWhatWasThereOfWhatWasNeeded(t *testing.T) {
	x := &Timeline{Speedup: 10, Min: 2, Max: 6, LoadTo: 100 * time.Second, End: 120 * time.Second, Points: []Point{
		{Desired: 2, Running: 2, Healthy: 2},
		{At: 20 * time.Second, Desired: 4, Running: 2, Healthy: 2},
		{At: 30 * time.Second, Desired: 4, Running: 4, Healthy: 4},
	}}
	for _, row := range []struct {
		why  string
		load Load
		want SteadySupply
	}{
		{"as much as is needed", Load{{To: 100 * time.Second, Rate: 400}}, SteadySupply{4, 4, Span{}}},
		{"less than the minimum is needed", Load{{To: 100 * time.Second, Rate: 1}}, SteadySupply{2, 4, Span{}}},
		{"more, for a while", Load{{To: 50 * time.Second, Rate: 100}, {From: 50 * time.Second, To: 60 * time.Second, Rate: 420}},
			SteadySupply{5, 4, Span{10 * time.Second, 100 * time.Second}}},
	} {
		if got := Compute(x, row.load, Capacity{PerTask: 100}).Provisioning.Steady; got == nil || *got != row.want {
			t.Errorf("%s: %+v, want %+v", row.why, got, row.want)
		}
	}
	x.Points = x.Points[:2]
	if got := Compute(x, Load{{To: time.Second, Rate: 1}}, Capacity{PerTask: 100}).Provisioning.Steady; got != nil {
		t.Errorf("what never settled has %+v", got)
	}
}
