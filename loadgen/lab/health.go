package lab

// state is what health checks have said of a target.
type state int

const (
	initial state = iota // no verdict yet: gets no requests
	healthy
	unhealthy
)

func (s state) String() string { return [...]string{"initial", "healthy", "unhealthy"}[s] }

// health is the verdict on one target as an Application Load Balancer reaches it: a new target is healthy after its
// first passing check; a healthy one is unhealthy after `fall` failures in a row, an unhealthy one healthy after
// `rise` passes in a row. A new target that fails `fall` times is unhealthy.
// (User Guide for Application Load Balancers, "Health checks for your target groups".)
type health struct {
	state      state
	row        int // checks in a row that spoke against state
	rise, fall int
}

// observe takes the outcome of one check and says whether the verdict has changed.
func (h *health) observe(passed bool) (changed bool) {
	if h.state != initial && passed == (h.state == healthy) {
		h.row = 0
		return false
	}
	h.row++
	next, needs := healthy, h.rise
	switch {
	case !passed:
		next, needs = unhealthy, h.fall
	case h.state == initial:
		needs = 1
	}
	if h.row < needs {
		return false
	}
	h.state, h.row = next, 0
	return true
}
