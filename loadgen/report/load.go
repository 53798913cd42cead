package report

import (
	"fmt"
	"net/url"
	"slices"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// load is what was asked for: 50 users for 3:00 on http://…
func load(r *result.Result) string {
	p := &r.Plan
	if p.Requests > 0 {
		return fmt.Sprintf("%s, %s, on %s", level(p), plural(p.Requests, "request"), clip(clean(host(r)), 100))
	}
	return fmt.Sprintf("%s for %s on %s", level(p), units.Clock(p.Length()), clip(clean(host(r)), 100))
}

// level is the load at its highest.
func level(p *plan.Plan) string {
	peak := float64(p.Users)
	if p.Model == plan.Open {
		peak = p.Rate.PerSecond()
	}
	for _, s := range p.Stages {
		peak = max(peak, s.To)
	}
	var text string
	switch {
	case p.Model == plan.Bench && peak == 1:
		text = "1 connection as fast as it goes"
	case p.Model == plan.Bench:
		text = units.Decimal(peak) + " connections as fast as they go"
	case p.Model != plan.Open && peak == 1:
		text = "1 user"
	case p.Model != plan.Open:
		text = units.Decimal(peak) + " users"
	default:
		text = units.Decimal(peak) + " requests/s"
	}
	if p.Model == plan.Open && p.Arrivals == plan.Poisson {
		text += " (Poisson)"
	}
	if len(p.Stages) > 0 {
		text = "up to " + text + " in " + plural(int64(len(p.Stages)), "stage")
	}
	return text
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
	ran := units.Clock(sendingEnded(r)) + " of " + units.Clock(r.Plan.Length())
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
		return "No claim is made of the service, because the generator was not fit to measure it:"
	}
	return ""
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return " by " + clean(cause)
}
