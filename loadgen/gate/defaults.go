package gate

import (
	"strconv"
	"strings"
	"time"
)

// Circumstances are what the default expectations of a run follow from.
type Circumstances struct {
	Low, High int  // the bounds on capacity
	Demand    bool // what one task can do is known, and with it what the load needs
	Disturbed bool // tasks are killed on purpose
	Recovery  bool // capacity is watched after the load
	// Story says that load, bounds and policies are those of the demonstration, of which the path is known too.
	Story bool
	// Under is how long the models in force take until there is as much capacity as the load needs, with what is
	// allowed beside it; 0 where that is not known, or does not come.
	Under time.Duration
}

// DefaultExpectations ask whether capacity followed load: while it was steady there was as much as the load needed, no
// later than the models in force say; each running task served; no request failed; capacity did not swing; after the load
// it came back to its minimum. What needs a demand is left out where that is not known.
//
// What a killed task takes with it is not held against a run with chaos: that one comes back to its minimum, does not swing,
// and at the end every task that is desired is healthy.
func DefaultExpectations(c Circumstances) (all []Expr) {
	if c.Demand && !c.Disturbed {
		all = append(all, Expr{Subject: Healthy, Op: GreaterEqual, Against: Demand, At: AtSteady})
		if c.Under > 0 {
			all = append(all, Expr{Subject: TimeUnderProvisioned, Op: LessEqual, Within: c.Under})
		}
	}
	if c.Story && c.Low < c.High {
		var path []string
		for n := c.High; n >= c.Low; n-- {
			path = append(path, strconv.Itoa(n))
		}
		all = append(all, Expr{Subject: MaxTasks, Op: Equal, Limit: float64(c.High)})
		if c.Recovery && !c.Disturbed {
			all = append(all, Expr{Subject: ScaleInPath, Op: Equal, Path: strings.Join(path, ",")})
		}
	}
	if !c.Disturbed {
		all = append(all,
			Expr{Subject: Healthy, Op: Equal, Against: Tasks, At: AtSteady},
			Expr{Subject: Errors, Op: Equal})
	}
	all = append(all, Expr{Subject: Oscillations, Op: Equal})
	if c.Recovery {
		all = append(all, Expr{Subject: Tasks, Op: Equal, Limit: float64(c.Low), At: AtEnd})
	}
	if c.Disturbed {
		all = append(all, Expr{Subject: Healthy, Op: Equal, Against: Desired, At: AtEnd})
	}
	return all
}
