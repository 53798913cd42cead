package report

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// load is what was asked for, as far as it ran: 50 users for 3m on http://…; 30 of 50 users for 6s of 3m on http://….
func load(r *result.Result) string {
	p := &r.Plan
	if p.Requests > 0 {
		return fmt.Sprintf("%s, %s, on %s", level(r), plural(p.Requests, "request"), document.Clip(host(r), 100))
	}
	length := units.Duration(p.Length())
	if shortened(r) != "" {
		length = asTyped(sendingEnded(r)) + " of " + length
	}
	return fmt.Sprintf("%s for %s on %s", level(r), length, document.Clip(host(r), 100)) + edited(p)
}

// edited says that the load was changed while it ran, or planned to be.
func edited(p *plan.Plan) string {
	if len(p.Edits) == 0 {
		return ""
	}
	return ", with " + plural(int64(len(p.Edits)), "edit")
}

// level is the load at its highest. Users who never ran, and a rate that was never reached, are not claimed.
func level(r *result.Result) string {
	p := &r.Plan
	ran, planned := reached(r)
	text := units.Decimal(planned)
	if ran < planned {
		text = units.Decimal(ran) + " of " + text
	}
	switch {
	case p.Model == plan.Open:
		text += " requests/s"
	case p.Model == plan.Bench && planned == 1:
		text += " connection as fast as it goes"
	case p.Model == plan.Bench:
		text += " connections as fast as they go"
	case planned == 1:
		text += " user"
	default:
		text += " users"
	}
	if p.Model == plan.Open && p.Arrivals == plan.Poisson {
		text += " (Poisson)"
	}
	switch {
	case len(p.Stages) > 0:
		text = "up to " + text + " in " + plural(int64(len(p.Stages)), "stage")
	case len(p.Edits) > 0:
		text = "up to " + text
	}
	return text
}

// reached is the highest level that the load came to before sending ended, and the highest that was asked for: users, of
// whom each beginning one counts because the first is due at once, or requests a second.
func reached(r *result.Result) (ran, planned float64) {
	p := &r.Plan
	end := sendingEnded(r)
	planned = float64(p.Users)
	if p.Model == plan.Open {
		planned = p.Rate.PerSecond()
	}
	for _, s := range p.Stages {
		planned = max(planned, s.To)
	}
	if p.Model == plan.Bench { // all of them at once
		return planned, planned
	}
	for _, s := range p.Curve().Segments() {
		if s.From >= end {
			break
		}
		at := s.End
		if s.To > end {
			at = s.Start + (s.End-s.Start)*float64(end-s.From)/float64(s.To-s.From)
		}
		ran = max(ran, s.Start, at)
	}
	if p.Model != plan.Open {
		ran = math.Ceil(ran - 1e-6)
	} else {
		ran = math.Round(ran*100) / 100
	}
	if len(p.Edits) > 0 { // what was asked for is what there was, or it was changed
		return ran, ran
	}
	if ran >= planned || end <= 0 && r.Totals.Sent == 0 {
		return planned, planned
	}
	return max(ran, min(planned, 1)), planned
}

// neverRan says that fewer users were there than asked for.
func neverRan(r *result.Result) string {
	ran, planned := reached(r)
	if ran >= planned {
		return ""
	}
	what := "users"
	if r.Plan.Model == plan.Open {
		what = "requests/s"
	}
	return fmt.Sprintf("%s %s of %s: the ramp did not finish", what, units.Decimal(ran), units.Decimal(planned))
}

// host is where the load went: the plan's host, or those of its targets.
func host(r *result.Result) string {
	switch r.Plan.Host {
	case "":
	case plan.Embedded:
		return "the embedded server"
	case plan.Lab:
		return "the lab"
	default:
		return r.Plan.Host
	}
	var hosts []string
	for i := range r.Endpoints {
		u, err := url.Parse(r.Endpoints[i].URL)
		if err == nil && u.Host != "" {
			hosts = append(hosts, u.Scheme+"://"+u.Host)
		}
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	switch len(hosts) {
	case 0:
		return plural(int64(len(r.Plan.Targets)), "target")
	case 1:
		return hosts[0]
	}
	return fmt.Sprintf("%s and %s", hosts[0], plural(int64(len(hosts)-1), "more host"))
}

// shortened says, in words that nobody overlooks, that the run is not the whole plan.
func shortened(r *result.Result) string {
	ran := asTyped(sendingEnded(r)) + " of " + units.Duration(r.Plan.Length())
	switch {
	case r.StoppedBy == result.StoppedByCut:
		return fmt.Sprintf("CUT after %s: the run never finished; its process ended first, or is still at work. This is what it had written.", ran)
	case r.Interrupted:
		return fmt.Sprintf("INTERRUPTED after %s%s. The numbers are of the part that ran.", ran, because(r.StoppedBy))
	case r.StoppedBy != "":
		return fmt.Sprintf("STOPPED EARLY after %s%s. The numbers are of the part that ran.", ran, because(r.StoppedBy))
	}
	return ""
}

// meaning is what the verdict asks of the reader; the reasons follow it.
func meaning(v result.Validity) string {
	switch v {
	case result.Suspect:
		return "The numbers are usable, and the exit code is as if VALID, but look twice:"
	case result.Invalid:
		return "These numbers say nothing about the service, because the generator could not measure it:"
	}
	return ""
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return " by " + cause
}

// silence tells of a service that answered nothing for long. In a closed load one request a user is all that is
// unanswered then, so that no rate of errors shows it.
func silence(r *result.Result) string {
	s := r.Silence
	if s == nil {
		return ""
	}
	from, to := units.Clock(seconds(s.FromS)), units.Clock(seconds(s.ToS))
	if s.ToS >= r.DurationS-1 {
		return "Nothing was answered from " + from + " on, though requests were under way."
	}
	return "Nothing was answered from " + from + " to " + to + ", though requests were under way."
}

// impatient tells of a drain that was shorter than answers took.
func impatient(r *result.Result) string {
	p99, drain := r.Totals.Latency.Corrected.P99, time.Duration(r.Plan.StopTimeout)
	lost := result.Known(r.Totals.Unanswered) + result.Known(r.Totals.Cut)
	if lost == 0 || p99 <= float64(drain.Microseconds())/1000 {
		return ""
	}
	return fmt.Sprintf("--stop-timeout %s is shorter than the p99 of this run, %s: answers that would have come were not waited for.",
		r.Plan.StopTimeout, units.Milliseconds(p99))
}

// slowedRatio is how much the slowest 10 s may fall behind the fastest before it is told.
const slowedRatio = 0.8

// slowed tells of users who were held up: a slower service is asked less in a closed load.
func slowed(r *result.Result) string {
	p := r.Pace
	if p == nil || p.Slowest >= slowedRatio*p.Fastest {
		return ""
	}
	return fmt.Sprintf("Users slowed down with the service: %s in their fastest 10 s, %s in their slowest. With --rate it would have been asked as much all the time.",
		units.Rate(p.Fastest), units.Rate(p.Slowest))
}

// earlierVersion says what a result of an earlier version means by its words.
func earlierVersion(r *result.Result) string {
	if r.Schema != result.SchemaV1 {
		return ""
	}
	return "This result is of an earlier loadgen (" + result.SchemaV1 + "): its phases are by completion, and its corrected latency holds the generator's own lag."
}
