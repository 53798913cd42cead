package publish

import "slices"

// The names of the metrics, and of the dimensions that tell them apart.
const (
	Latency     = "Latency"
	RawLatency  = "RawLatency"
	LatencyP50  = "LatencyP50"
	LatencyP99  = "LatencyP99"
	Requests    = "Requests"
	Errors      = "Errors"
	Dropped     = "Dropped"
	OfferedRate = "OfferedRate"
	Users       = "Users"
	Verdict     = "Verdict"

	DimensionService  = "Service"
	DimensionEndpoint = "Endpoint"
	DimensionRun      = "Run"

	// DefaultNamespace is where they are unless told otherwise.
	DefaultNamespace = "LoadGen"
)

// Kind is how a metric is published.
type Kind string

// The kinds.
const (
	Distributed Kind = "distribution" // values and counts; p50, p99 and every other statistic are of all requests
	Count       Kind = "count"        // one value a period; Sum adds up periods and tasks
	Gauge       Kind = "gauge"        // one value a period; within a period Sum adds up tasks
	OneTask     Kind = "one task"     // a gauge of a run in one task; left out of one in several
	AtEnd       Kind = "at the end"   // one value a run; Maximum is the worst task's
)

// Metric is one of those that are published.
type Metric struct {
	Name string
	Unit string // as CloudWatch spells it
	Kind Kind
	// PerEndpoint says that it is published for each endpoint as well, with the dimensions Service and Endpoint. Every
	// metric is published with the dimension Service.
	PerEndpoint bool
	ClosedOnly  bool // not with a rate, which has no users
	Means       string
}

// Metrics are all that are published, in the order in which they are shown.
func Metrics() []Metric {
	return []Metric{
		{Name: Latency, Unit: "Milliseconds", Kind: Distributed, PerEndpoint: true, Means: "corrected latency of successes"},
		{Name: RawLatency, Unit: "Milliseconds", Kind: Distributed, PerEndpoint: true, Means: "raw latency of successes: from the send to the end of the answer"},
		{Name: LatencyP50, Unit: "Milliseconds", Kind: OneTask, PerEndpoint: true, Means: "p50 of Latency in the period, as the report computes it"},
		{Name: LatencyP99, Unit: "Milliseconds", Kind: OneTask, PerEndpoint: true, Means: "p99 of Latency in the period, as the report computes it"},
		{Name: Requests, Unit: "Count", Kind: Count, PerEndpoint: true, Means: "completed, failures included"},
		{Name: Errors, Unit: "Count", Kind: Count, PerEndpoint: true, Means: "failures, and in the end what had no answer in the whole --stop-timeout"},
		{Name: Dropped, Unit: "Count", Kind: Count, Means: "sends that were due and never left; known in the end"},
		{Name: OfferedRate, Unit: "Count/Second", Kind: Gauge, Means: "sends that came due ÷ seconds of load in the period"},
		{Name: Users, Unit: "Count", Kind: Gauge, ClosedOnly: true, Means: "most concurrent users in the period"},
		{Name: Verdict, Unit: "None", Kind: AtEnd, Means: "can the measurement be believed: 0 VALID, 1 SUSPECT, 2 INVALID"},
	}
}

// metricsOf are those that a run publishes: of a load with users or without, in one task or as one of several, with
// distributions or without.
func metricsOf(users, several, distributions bool) []Metric {
	return slices.DeleteFunc(Metrics(), func(m Metric) bool {
		return m.ClosedOnly && !users || m.Kind == OneTask && several || m.Kind == Distributed && !distributions
	})
}
