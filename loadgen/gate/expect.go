package gate

import (
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// Expectation is what capacity was expected to do during a run: one parsed expression. Two that mean the same are ==.
//
// # Grammar
//
//	expectation = figure operator number
//	            | duration order time
//	            | path ( "==" | "!=" ) number { "," number }
//	            | "healthy" ">=" "demand" "at" "steady"
//	            | level operator ( number | level ) [ "at" moment ] .
//	figure      = "max_tasks" | "min_tasks" | "max_healthy" | "min_healthy" | "max_desired" | "min_desired"
//	            | "activities" | "oscillations" | "overshoot" | "task_hours" | "errors" | "retried" .
//	duration    = "scale_out_within" | "back_to_min_within" | "time_under_provisioned" | "time_over_provisioned" .
//	path        = "scale_out_path" | "scale_in_path" .
//	level       = "tasks" | "running" | "healthy" | "desired" | "draining" .
//	moment      = "steady" | "end" .
//	operator    = "<" | "<=" | ">" | ">=" | "==" | "===" | "!=" .
//	order       = "<" | "<=" | ">" | ">=" .
//	number      = digits; of task_hours with at most one point .
//	time        = as of --run-time: 6m, 1h30m, 90s; a bare number is seconds .
//
// White space is allowed between any two of these and means nothing. running is another word for tasks.
//
// # Meaning
//
// Tasks are running ones, draining ones not included; healthy are those of them that serve. All is judged from the start of
// the load to the end of the observation, by the figures of package timeline, whose docs define them:
//
//	max_tasks, min_tasks …   the highest and the lowest count
//	scale_out_within         load start → the last new task is healthy
//	back_to_min_within       load end → capacity is at its minimum, to stay
//	time_under_provisioned   how long fewer tasks were healthy than the load needed (time_over_…: more)
//	scale_out_path           desired capacity from the load's start to the first time that it was highest: 2,6
//	scale_in_path            desired capacity from the last time that it was highest: 6,5,4,3,2
//	activities               scaling activities that came about
//	oscillations             reversals of desired capacity that the load did not ask for
//	overshoot                tasks beyond what was ever needed
//	task_hours               running and draining tasks × time
//	healthy>=demand          while capacity was steady under load, as many tasks were healthy as the load needed
//	errors, retried          failed requests of the whole run; requests that the transport sent twice
//
// A level holds at every instant: of the observation, or "at steady" from when the last capacity change has settled
// until the load ends, or "at end" when the observation ends.
//
// Every duration, and task_hours, is of service time.
//
// # Edges
//
// An expectation passes only on evidence: without data it fails. Capacity that never grew has no scale_out_within,
// not one of 0, and what never left the minimum did not come back to it. Counts and paths are compared exactly. No
// duration takes ==, because none is ever exactly anything. What could only hold or never hold is refused: a
// count below 0, healthy<=tasks, a scale_in_path that goes up above where it began.
type Expectation struct {
	Subject Subject
	Op      Op
	Limit   float64       // of figures, and of levels without Against: a count, or task-hours
	Within  time.Duration // of durations: service time
	Path    string        // of paths: "6,5,4,3,2"
	Against Subject       // of levels: the one to compare with, or empty
	At      Moment        // of levels
}

// Subject is what an expectation is about.
type Subject string

// The subjects of expectations.
const (
	MaxTasks     Subject = "max_tasks"
	MinTasks     Subject = "min_tasks"
	MaxHealthy   Subject = "max_healthy"
	MinHealthy   Subject = "min_healthy"
	MaxDesired   Subject = "max_desired"
	MinDesired   Subject = "min_desired"
	Activities   Subject = "activities"
	Oscillations Subject = "oscillations"
	Overshoot    Subject = "overshoot"
	TaskHours    Subject = "task_hours"
	Errors       Subject = "errors"
	Resent       Subject = "retried"

	ScaleOutWithin       Subject = "scale_out_within"
	BackToMinWithin      Subject = "back_to_min_within"
	TimeUnderProvisioned Subject = "time_under_provisioned"
	TimeOverProvisioned  Subject = "time_over_provisioned"

	ScaleOutPath Subject = "scale_out_path"
	ScaleInPath  Subject = "scale_in_path"

	Tasks    Subject = "tasks" // in expressions also "running"
	Healthy  Subject = "healthy"
	Desired  Subject = "desired"
	Draining Subject = "draining"

	// Demand is what Healthy may be compared with at steady, and no subject of its own.
	Demand Subject = "demand"
)

// Moment is when a level is to hold.
type Moment string

// The moments.
const (
	Always   Moment = "" // at every instant of the observation
	AtSteady Moment = "steady"
	AtEnd    Moment = "end"
)

func moments() []string { return []string{string(AtSteady), string(AtEnd)} }

// form is how an expectation is written and judged.
type form int

const (
	aFigure form = iota
	aDuration
	aPath
	aLevel
)

// need is what a run must have for an expectation to be judged.
type need int

const (
	needNothing  need = iota
	needRequests      // requests that were sent
	needDemand        // the capacity of a task
	needRecovery      // an observation that goes on after the load
)

// subject is a row of the table of subjects. What it reads depends on its form.
type subject struct {
	name  Subject
	form  form
	needs need

	figure   func(*evidence) (value float64, missing string)
	duration func(*evidence) (span *timeline.Span, missing string)
	path     func(*timeline.Figures) []int
	level    func(timeline.Point) int

	// grows says that there is more of it when capacity grew, so that too little is explained by what kept it
	// from growing, and too much by what made it grow.
	grows bool
}

// subjects is a table; nothing writes to it.
var subjects = [...]subject{
	{name: MaxTasks, grows: true, figure: counted(func(f *timeline.Figures) int { return f.MaxTasks })},
	{name: MinTasks, figure: counted(func(f *timeline.Figures) int { return f.MinTasks })},
	{name: MaxHealthy, grows: true, figure: counted(func(f *timeline.Figures) int { return f.MaxHealthy })},
	{name: MinHealthy, figure: counted(func(f *timeline.Figures) int { return f.MinHealthy })},
	{name: MaxDesired, grows: true, figure: counted(func(f *timeline.Figures) int { return f.MaxDesired })},
	{name: MinDesired, figure: counted(func(f *timeline.Figures) int { return f.MinDesired })},
	{name: Activities, grows: true, figure: counted(func(f *timeline.Figures) int { return f.Activities })},
	{name: Oscillations, figure: func(e *evidence) (float64, string) {
		if e.f.Oscillations == nil {
			return 0, "the load is not known"
		}
		return float64(*e.f.Oscillations), ""
	}},
	{name: Overshoot, needs: needDemand, grows: true, figure: func(e *evidence) (float64, string) {
		if e.f.Provisioning == nil {
			return 0, demandUnknown
		}
		return float64(e.f.Provisioning.Overshoot), ""
	}},
	{name: TaskHours, grows: true, figure: func(e *evidence) (float64, string) { return e.f.TaskHours, "" }},
	{name: Errors, needs: needRequests, figure: ofCounts(func(c *Counts) int64 { return c.Errors })},
	{name: Resent, needs: needRequests, figure: ofCounts(func(c *Counts) int64 { return c.Retried })},

	{name: ScaleOutWithin, form: aDuration, duration: scaleOut},
	{name: BackToMinWithin, form: aDuration, needs: needRecovery, duration: backToMin},
	{name: TimeUnderProvisioned, form: aDuration, needs: needDemand, duration: provisioned(func(a *timeline.Accuracy) *timeline.Span { return &a.Under })},
	{name: TimeOverProvisioned, form: aDuration, needs: needDemand, duration: provisioned(func(a *timeline.Accuracy) *timeline.Span { return &a.Over })},

	{name: ScaleOutPath, form: aPath, path: func(f *timeline.Figures) []int { return f.ScaleOutPath }},
	{name: ScaleInPath, form: aPath, path: func(f *timeline.Figures) []int { return f.ScaleInPath }},

	// Two levels are written in this order.
	{name: Healthy, form: aLevel, grows: true, level: func(p timeline.Point) int { return p.Healthy }},
	{name: Tasks, form: aLevel, grows: true, level: func(p timeline.Point) int { return p.Running }},
	{name: Desired, form: aLevel, grows: true, level: func(p timeline.Point) int { return p.Desired }},
	{name: Draining, form: aLevel, level: func(p timeline.Point) int { return p.Draining }},
}

// subjectOf is the row of a subject and its place in the table.
func subjectOf(name Subject) (row subject, place int, ok bool) {
	for i, s := range subjects {
		if s.name == name {
			return s, i, true
		}
	}
	return subject{}, 0, false
}

// String is the canonical form: one spelling for each meaning, which ParseExpectation reads back to the same
// Expectation.
func (e Expectation) String() string {
	s, _, _ := subjectOf(e.Subject)
	text := string(e.Subject)
	switch s.form {
	case aDuration:
		return text + string(e.Op) + units.Duration(e.Within)
	case aPath:
		return text + string(e.Op) + e.Path
	case aFigure:
		return text + string(e.Op) + plain(e.Limit, 0)
	}
	right := plain(e.Limit, 0)
	if e.Against != "" {
		text, right = word(e.Subject), word(e.Against)
	}
	text += string(e.Op) + right
	if e.At != Always {
		text += " at " + string(e.At)
	}
	return text
}

// word is a level beside another one: healthy==running.
func word(s Subject) string {
	if s == Tasks {
		return running
	}
	return string(s)
}

// running is what tasks are called beside another level.
const running = "running"

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
func DefaultExpectations(c Circumstances) (all []Expectation) {
	if c.Demand && !c.Disturbed {
		all = append(all, Expectation{Subject: Healthy, Op: GreaterEqual, Against: Demand, At: AtSteady})
		if c.Under > 0 {
			all = append(all, Expectation{Subject: TimeUnderProvisioned, Op: LessEqual, Within: c.Under})
		}
	}
	if c.Story && c.Low < c.High {
		var path []string
		for n := c.High; n >= c.Low; n-- {
			path = append(path, strconv.Itoa(n))
		}
		all = append(all, Expectation{Subject: MaxTasks, Op: Equal, Limit: float64(c.High)})
		if c.Recovery && !c.Disturbed {
			all = append(all, Expectation{Subject: ScaleInPath, Op: Equal, Path: strings.Join(path, ",")})
		}
	}
	if !c.Disturbed {
		all = append(all,
			Expectation{Subject: Healthy, Op: Equal, Against: Tasks, At: AtSteady},
			Expectation{Subject: Errors, Op: Equal})
	}
	all = append(all, Expectation{Subject: Oscillations, Op: Equal})
	if c.Recovery {
		all = append(all, Expectation{Subject: Tasks, Op: Equal, Limit: float64(c.Low), At: AtEnd})
	}
	if c.Disturbed {
		all = append(all, Expectation{Subject: Healthy, Op: Equal, Against: Desired, At: AtEnd})
	}
	return all
}
