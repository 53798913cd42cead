package progress

import (
	"fmt"
	"strings"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
)

// shownStages is how many stages a description lists.
const shownStages = 5

// Describe is what a plan sends where for how long, in one line and without secrets. What matters
// most comes first, because a narrow terminal cuts the rest.
func Describe(p *plan.Plan) string {
	var how []string
	switch {
	case p.Model == plan.Open:
		how = append(how, string(p.Arrivals), "at most "+units.Count(int64(p.MaxInFlight))+" in flight")
	case p.Model == plan.Bench && p.Requests > 0:
		return fmt.Sprintf("%s on %s, %s requests", height(p), where(p), units.Count(p.Requests))
	case len(p.Stages) == 0 && p.Users > 1 && p.Model != plan.Bench:
		how = append(how, units.Decimal(p.SpawnRate)+" started each second")
	}
	switch {
	case p.Pacing > 0:
		how = append(how, "each a request every "+p.Pacing.String())
	case p.Think != (plan.Range{}):
		how = append(how, "thinking "+p.Think.String())
	}
	switch n := len(p.Edits); n {
	case 0:
	case 1:
		how = append(how, "with 1 edit")
	default:
		how = append(how, fmt.Sprintf("with %d edits", n))
	}
	text := fmt.Sprintf("%s on %s for %s", height(p), where(p), units.Duration(p.Length()))
	if len(how) > 0 {
		text += " (" + strings.Join(how, ", ") + ")"
	}
	return text
}

// height is the number of users, or of requests per second, over time.
func height(p *plan.Plan) string {
	isOpen := p.Model == plan.Open
	switch {
	case p.Model == plan.Bench && p.Users == 1:
		return "1 connection as fast as it goes"
	case p.Model == plan.Bench:
		return units.Count(int64(p.Users)) + " connections as fast as they go"
	case len(p.Stages) > 0:
		start, of := float64(p.Users), " users"
		if isOpen {
			start, of = p.Rate.PerSecond(), " requests/s"
		}
		var steps []string
		for _, s := range p.Stages[:min(len(p.Stages), shownStages)] {
			steps = append(steps, fmt.Sprintf("to %s in %s", units.Decimal(s.To), s.Duration))
		}
		if len(p.Stages) > shownStages {
			steps = append(steps, fmt.Sprintf("… (%d stages)", len(p.Stages)))
		}
		return "from " + units.Decimal(start) + " " + strings.Join(steps, ", ") + of
	case isOpen:
		return units.Decimal(p.Rate.PerSecond()) + " requests/s"
	case p.Users == 1:
		return "1 user"
	}
	return units.Count(int64(p.Users)) + " users"
}

func where(p *plan.Plan) string {
	switch {
	case p.Host == plan.Embedded:
		return "an API in this process"
	case p.Host == plan.Lab:
		return "the lab"
	case p.Host != "":
		return plan.RedactURL(p.Host)
	case len(p.Targets) == 1:
		return plan.RedactURL(p.Targets[0].URL)
	}
	return fmt.Sprintf("%d targets", len(p.Targets))
}
