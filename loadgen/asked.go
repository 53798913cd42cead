package loadgen

import (
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// LoadOf is what a run that was read again asked of its service, on the run's clock, without the drain: the demand by plan and
// windows where capacity was watched, else what each window offered. It is empty of a run that sent nothing.
func LoadOf(o *result.Opened) (load timeline.Load, err error) {
	t := o.Result.Timeline
	watched := t != nil && len(t.Settings) > 0
	var seen []Seen
	for w, err := range o.Windows() {
		switch {
		case err != nil:
			return nil, err
		case w.To <= w.From:
		case watched:
			seen = append(seen, SeenIn(w))
		case w.Name != plan.Drain:
			load = append(load, timeline.Step{From: w.From, To: w.To, Rate: float64(w.Offered) / w.Seconds()})
		}
	}
	if !watched {
		return load, nil
	}
	return Demand(&o.Result.Plan, seen, perTaskOf(o.Result)), nil
}
