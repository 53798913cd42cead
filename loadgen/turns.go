package loadgen

import (
	"fmt"
	"slices"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// Turn is a part of a run's time in which one of several hosts is asked. The load goes on over all turns as if there
// were one host: a request goes to the host whose turn it is when the request is due, however late it is sent, and its
// windows are those of the turn's phase.
type Turn struct {
	Host   string        // base URL
	Phase  string        // its name in the windows: plan.WarmUp, plan.Steady …
	Length time.Duration // above 0
}

// takeTurns divides the load of a plan among hosts. Every target has to be a path: an absolute URL would be asked in
// everybody's turn.
func takeTurns(p *plan.Plan, ready *plan.Ready, turns []Turn, lookup func(string) (string, bool)) error {
	for i := range p.Targets {
		if !isPath(p.Targets[i].URL) {
			return &input.Error{Field: fmt.Sprintf("targets[%d].url", i), Got: plan.RedactURL(p.Targets[i].URL),
				Want: "a path, because several hosts take turns"}
		}
	}
	var names []string
	var phases []plan.Phase
	var at time.Duration
	for _, t := range turns {
		host := slices.Index(names, t.Host)
		if host < 0 {
			other, err := p.Prepare(t.Host, lookup)
			if err != nil {
				return err
			}
			host = len(names)
			names, ready.Hosts = append(names, t.Host), append(ready.Hosts, other.Requests)
		}
		ready.Turns = append(ready.Turns, host)
		phases = append(phases, plan.Phase{Name: t.Phase, From: at})
		at += t.Length
	}
	if at != ready.End() {
		return &input.Error{Field: "run_time", Got: plan.Duration(ready.End()).String(), Want: "the " + plan.Duration(at).String() + " that the turns take together"}
	}
	ready.Phases = append(phases, plan.Phase{Name: plan.Drain, From: at})
	return nil
}

func isPath(url string) bool { return len(url) > 0 && url[0] == '/' }

// Embed starts the project's own API in this process, on a free loopback port, until stop is called.
func Embed() (url string, stop func(), err error) {
	e, err := embed(&plan.Plan{Host: plan.Embedded})
	if err != nil {
		return "", nil, err
	}
	return e.url, e.stop, nil
}
