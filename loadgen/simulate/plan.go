package simulate

import (
	"time"

	"scalableappbackend/loadgen/plan"
)

// OfPlan is the load of a run's plan in the time of its service, speedup times as long: of an open plan its rate, of a
// closed one what its users send where each is answered after answer. Such a load is for [Config.Closed]. It is nil
// where the users' cycle is not known.
func OfPlan(p *plan.Plan, answer time.Duration, speedup float64) (load Load, closed bool) {
	at := func(t time.Duration) time.Duration { return time.Duration(float64(t) * speedup) }
	curve := p.Curve()
	if p.Model == plan.Open {
		for _, s := range curve.Segments() {
			load = append(load, Point{at(s.From), s.Start}, Point{at(s.To), s.End})
		}
		return load, false
	}
	cycle := p.Cycle(answer)
	if cycle <= 0 {
		return nil, true
	}
	present := 0
	rate := func() float64 { return float64(present) / cycle.Seconds() }
	load = append(load, Point{0, 0})
	for c := range curve.Crossings() {
		t := at(c.At)
		before := rate()
		if present = c.User; c.Join {
			present++
		}
		if last := &load[len(load)-1]; last.At == t {
			last.Rate = rate()
			continue
		}
		load = append(load, Point{t, before}, Point{t, rate()})
	}
	return append(load, Point{at(curve.End()), rate()}), true
}
