package gate

import (
	"strings"
	"time"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Subject is what an expression is about: a metric of requests or a figure of capacity.
type Subject string

// The metrics of requests. Those of a latency come first.
const (
	Percentile Subject = "p"
	Mean       Subject = "mean"
	Min        Subject = "min"
	Max        Subject = "max"
	StdDev     Subject = "stddev"
	// Within is the share of all sends that were answered well within a time.
	Within Subject = "within"

	ErrorRate Subject = "error_rate" // (failures + unanswered) ÷ (requests + unanswered)
	RPS       Subject = "rps"        // completed requests in a second
	Requests  Subject = "requests"   // completed, failures included
	Failures  Subject = "failures"   // unanswered included
	Abandoned Subject = "abandoned"
	Retried   Subject = "retried" // sent twice by the transport; of capacity too
	Truncated Subject = "truncated"
	Redirects Subject = "redirects"
	BytesIn   Subject = "bytes_in"
	BytesOut  Subject = "bytes_out"
	Offered   Subject = "offered"
	Sent      Subject = "sent"
	Dropped   Subject = "dropped"
)

// The figures of capacity; the package doc says what each is.
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

// kind is what a subject says something about, and with it where an expression of it may stand.
type kind int

const (
	ofRequests kind = 1 << iota // in a threshold
	ofCapacity                  // in an expectation
)

// form is how the right side of an expression is written, and how it is judged.
type form int

const (
	aNumber    form = iota
	aStatistic      // of a latency
	aShare          // of the requests whose latency is within a bound
	aDuration       // of simulated time
	aPath
	aLevel
)

// need is what a run must have for an expression to be judged.
type need int

const (
	needNothing  need = iota
	needRequests      // requests that were sent
	needDemand        // the capacity of a task
	needRecovery      // an observation that goes on after the load
)

// subject is a row of the table of subjects. What it reads depends on its form, and on what it is about.
type subject struct {
	name  Subject
	of    kind
	form  form
	unit  unit // of the limit
	needs need
	// runOnly: counted for the run as a whole, so that it takes no scope. late: known only when the drain is over.
	runOnly, late bool
	// grows says that there is more of it when capacity grew, so that too little is explained by what kept it
	// from growing, and too much by what made it grow.
	grows bool
	// example is an expression about it, where its unit does not make one.
	example string

	read      func(*Metrics) (value float64, missing string)
	statistic func(h *result.Histogram, percentile float64) time.Duration
	figure    func(*Evidence) (value float64, missing string)
	duration  func(*Evidence) (span *timeline.Span, missing string)
	path      func(*timeline.Figures) []int
	level     func(timeline.Point) int
}

// subjects is a table; nothing writes to it.
var subjects = [...]subject{
	{name: Percentile, of: ofRequests, form: aStatistic, unit: milliseconds, statistic: func(h *result.Histogram, percentile float64) time.Duration {
		// The same float64 that a summary asks for: 99.9/100 is the one after 0.999.
		q, _ := decimal{digits: plain(percentile, 0)}.times(-2)
		return h.Quantile(q)
	}},
	{name: Mean, of: ofRequests, form: aStatistic, unit: milliseconds, statistic: whole((*result.Histogram).Mean)},
	{name: Min, of: ofRequests, form: aStatistic, unit: milliseconds, statistic: whole((*result.Histogram).Min)},
	{name: Max, of: ofRequests, form: aStatistic, unit: milliseconds, statistic: whole((*result.Histogram).Max)},
	{name: StdDev, of: ofRequests, form: aStatistic, unit: milliseconds, statistic: whole((*result.Histogram).StdDev)},
	{name: Within, of: ofRequests, form: aShare, unit: ratio},

	{name: ErrorRate, of: ofRequests, unit: ratio, read: errorRate},
	{name: RPS, of: ofRequests, unit: perSecond, read: throughput},
	{name: Requests, of: ofRequests, read: func(m *Metrics) (float64, string) { return float64(m.Due.Requests), "" }},
	{name: Failures, of: ofRequests, read: ofSent(func(m *Metrics) int64 { return m.Due.Failures + m.unanswered() })},
	{name: Abandoned, of: ofRequests, late: true, read: ofSent(func(m *Metrics) int64 { return m.Due.Abandoned })},
	{name: Retried, of: ofRequests | ofCapacity, needs: needRequests, read: ofSent(func(m *Metrics) int64 { return m.Due.Retried }),
		figure: ofCounts(func(c *Counts) int64 { return c.Retried })},
	{name: Truncated, of: ofRequests, read: ofSent(func(m *Metrics) int64 { return m.Due.Truncated })},
	{name: Redirects, of: ofRequests, read: ofSent(func(m *Metrics) int64 { return m.Due.Redirects })},
	{name: BytesIn, of: ofRequests, unit: byteCount, read: ofSent(func(m *Metrics) int64 { return m.Due.BytesIn })},
	{name: BytesOut, of: ofRequests, unit: byteCount, read: ofSent(func(m *Metrics) int64 { return m.Due.BytesOut })},
	{name: Offered, of: ofRequests, runOnly: true, read: func(m *Metrics) (float64, string) { return kept(m.Offered) }},
	{name: Sent, of: ofRequests, runOnly: true, read: func(m *Metrics) (float64, string) { return kept(m.Sent) }},
	{name: Dropped, of: ofRequests, runOnly: true, late: true, read: dropped},

	{name: MaxTasks, of: ofCapacity, grows: true, example: "max_tasks==6", figure: counted(func(f *timeline.Figures) int { return f.MaxTasks })},
	{name: MinTasks, of: ofCapacity, example: "min_tasks>=2", figure: counted(func(f *timeline.Figures) int { return f.MinTasks })},
	{name: MaxHealthy, of: ofCapacity, grows: true, example: "max_healthy==6", figure: counted(func(f *timeline.Figures) int { return f.MaxHealthy })},
	{name: MinHealthy, of: ofCapacity, example: "min_healthy>=2", figure: counted(func(f *timeline.Figures) int { return f.MinHealthy })},
	{name: MaxDesired, of: ofCapacity, grows: true, example: "max_desired==6", figure: counted(func(f *timeline.Figures) int { return f.MaxDesired })},
	{name: MinDesired, of: ofCapacity, example: "min_desired>=2", figure: counted(func(f *timeline.Figures) int { return f.MinDesired })},
	{name: Activities, of: ofCapacity, grows: true, example: "activities<=5", figure: counted(func(f *timeline.Figures) int { return f.Activities })},
	{name: Oscillations, of: ofCapacity, figure: oscillations},
	{name: Overshoot, of: ofCapacity, needs: needDemand, grows: true, figure: overshoot},
	{name: TaskHours, of: ofCapacity, unit: taskHours, grows: true, example: "task_hours<=2.5", figure: func(e *Evidence) (float64, string) { return e.Figures.TaskHours, "" }},
	{name: Errors, of: ofCapacity, needs: needRequests, figure: ofCounts(func(c *Counts) int64 { return c.Errors })},

	{name: ScaleOutWithin, of: ofCapacity, form: aDuration, example: "scale_out_within<=6m", duration: scaleOut},
	{name: BackToMinWithin, of: ofCapacity, form: aDuration, needs: needRecovery, example: "back_to_min_within<=30m", duration: backToMin},
	{name: TimeUnderProvisioned, of: ofCapacity, form: aDuration, needs: needDemand, example: "time_under_provisioned<=2m",
		duration: provisioned(func(a *timeline.Accuracy) *timeline.Span { return &a.Under })},
	{name: TimeOverProvisioned, of: ofCapacity, form: aDuration, needs: needDemand, example: "time_over_provisioned<=2m",
		duration: provisioned(func(a *timeline.Accuracy) *timeline.Span { return &a.Over })},

	{name: ScaleOutPath, of: ofCapacity, form: aPath, example: "scale_out_path==2,6", path: func(f *timeline.Figures) []int { return f.ScaleOutPath }},
	{name: ScaleInPath, of: ofCapacity, form: aPath, example: "scale_in_path==6,5,4,3,2", path: func(f *timeline.Figures) []int { return f.ScaleInPath }},

	// Two levels are written in this order.
	{name: Healthy, of: ofCapacity, form: aLevel, grows: true, example: supplies, level: func(p timeline.Point) int { return p.Healthy }},
	{name: Tasks, of: ofCapacity, form: aLevel, grows: true, example: "tasks==2", level: func(p timeline.Point) int { return p.Running }},
	{name: Desired, of: ofCapacity, form: aLevel, grows: true, example: supplies, level: func(p timeline.Point) int { return p.Desired }},
	{name: Draining, of: ofCapacity, form: aLevel, example: supplies, level: func(p timeline.Point) int { return p.Draining }},
}

const supplies = "healthy==running at steady"

// subjectOf is the row of a subject and its place in the table.
func subjectOf(name Subject) (row subject, place int, ok bool) {
	for i, s := range subjects {
		if s.name == name {
			return s, i, true
		}
	}
	return subject{}, 0, false
}

// subjectIn is the row of a word that an expression of that kind may begin with.
func subjectIn(word string, of kind) (row subject, ok bool) {
	if of == ofCapacity && word == running {
		word = string(Tasks)
	}
	row, _, ok = subjectOf(Subject(word))
	return row, ok && row.of&of != 0
}

// namesOf are the words that an expression of that kind may begin with.
func namesOf(of kind) (names []string) {
	for _, s := range subjects {
		if s.of&of != 0 {
			names = append(names, string(s.name))
		}
	}
	return names
}

// shownAs is an expression about the subject.
func (s subject) shownAs() string {
	if s.example != "" {
		return s.example
	}
	return string(s.name) + "==0"
}

// accepted is what may stand after the operator.
func (s subject) accepted() string {
	switch s.form {
	case aDuration:
		return "a duration of simulated time after " + string(s.name)
	case aPath:
		return "counts of tasks with a comma between each two"
	case aLevel:
		return "a number, tasks, healthy, desired or draining after the operator"
	}
	_, want := parseLimit("", s.unit)
	return want
}

// running is what tasks are called beside another level.
const running = "running"

// word is a level beside another one: healthy==running.
func word(s Subject) string {
	if s == Tasks {
		return running
	}
	return string(s)
}

func whole(figure func(*result.Histogram) time.Duration) func(*result.Histogram, float64) time.Duration {
	return func(h *result.Histogram, _ float64) time.Duration { return figure(h) }
}

func ofMany(names []string) string {
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
