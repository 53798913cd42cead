package report

import (
	"fmt"
	"strings"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// failures says whose the answers with 5xx were, and what else was no answer of a task's; nothing when there was none.
func failures(a *timeline.Answers) []string {
	if a == nil {
		return nil
	}
	type part struct {
		n    int64
		what string
	}
	list := func(parts ...part) string {
		var all []string
		for _, p := range parts {
			if p.n > 0 {
				all = append(all, units.Count(p.n)+" "+p.what)
			}
		}
		return strings.Join(all, ", ")
	}
	balancers := list(part{a.BadGateway, "× 502 (the task refused, closed or answered nonsense)"},
		part{a.NoTarget, "× 503 (no task in service)"}, part{a.GatewayTimeout, "× 504 (the task was silent)"})
	others := list(part{a.Cut, "cut within the body"}, part{a.ClientLate, "× 408 (the client did not go on)"},
		part{a.ClientGone, "given up by the client"}, part{a.Refused, "refused by the balancer (400, 405, 414)"})
	var lines []string
	if balancers != "" || a.Target5xx > 0 {
		if balancers == "" {
			balancers = "none"
		}
		service := "none"
		if a.Target5xx > 0 {
			service = fmt.Sprintf("%s × 5xx", units.Count(a.Target5xx))
		}
		lines = append(lines, "the balancer's: "+balancers, "the service's own: "+service)
	}
	if others != "" {
		lines = append(lines, "besides: "+others)
	}
	return lines
}
