package plan

import (
	"sort"
	"time"
)

// Turn is which of Hosts the requests go to that are due at an instant: 0 where nobody takes turns.
func (r *Ready) Turn(due time.Duration) int {
	if len(r.Turns) == 0 {
		return 0
	}
	// The first phase that begins after due; what is due in the drain, nothing, would be of the last turn.
	after := sort.Search(len(r.Phases), func(i int) bool { return r.Phases[i].From > due })
	return r.Turns[min(max(after-1, 0), len(r.Turns)-1)]
}

// Of is the requests as they are sent to one of Hosts.
func (r *Ready) Of(host int) []Request {
	if len(r.Hosts) == 0 {
		return r.Requests
	}
	return r.Hosts[host]
}
