package result

import (
	"encoding/json"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// Schema names the version of result.json that this package writes. SchemaV1 is the one before, which is read and
// reported as it stands: its phases are by completion, and its corrected latency holds the generator's lag.
const (
	Schema   = "loadgen/result/v2"
	SchemaV1 = "loadgen/result/v1"
)

// Validity says whether the generator's own measurement can be believed.
type Validity string

// The three verdicts, from best to worst.
const (
	Valid   Validity = "VALID"
	Suspect Validity = "SUSPECT" // usable, with a reason to look twice; exits as if valid
	Invalid Validity = "INVALID" // the numbers describe the generator, not the service
)

// Result is what a run found, as result.json holds it. Times are RFC 3339 in UTC, latencies
// milliseconds, everything else in the unit that its name ends in.
type Result struct {
	Schema      string            `json:"schema"`
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Tags        map[string]string `json:"tags"`
	StartedAt   time.Time         `json:"started_at"`
	EndedAt     time.Time         `json:"ended_at"`
	DurationS   float64           `json:"duration_s"`
	IntervalS   float64           `json:"interval_s"`
	Interrupted bool              `json:"interrupted"`
	StoppedBy   string            `json:"stopped_by"`        // empty when the plan ran to its end
	Aborted     bool              `json:"aborted,omitempty"` // --abort-on ended it

	Verdict   Verdict   `json:"verdict"`
	Plan      plan.Plan `json:"plan"` // redacted: safe to keep
	Generator Generator `json:"generator"`

	Totals      Totals           `json:"totals"`
	Endpoints   []Endpoint       `json:"endpoints"`
	Phases      []Phase          `json:"phases"`
	Silence     *Stretch         `json:"silence,omitempty"` // the longest time in which something was under way and nothing was answered, when it is worth a word
	Pace        *Pace            `json:"pace,omitempty"`    // of a closed load that was steady for 10 s
	Health      HealthSummary    `json:"health"`
	Connections Connections      `json:"connections"`
	ServedBy    map[string]int64 `json:"served_by"`

	Slowest        []ExampleJSON `json:"slowest"`
	FailedExamples []ExampleJSON `json:"failed_examples"`
	// Exemplars are examples among the requests that carried a trace; nil when none did.
	Exemplars *ExemplarsJSON `json:"exemplars,omitempty"`

	Thresholds []Outcome `json:"thresholds"`
	// Expectations of what capacity was to do; none where nobody watched it.
	Expectations []Expectation `json:"expectations,omitempty"`
	Warnings     []string      `json:"warnings"`
	Events       []EventJSON   `json:"events"`
	// Deliveries are what was sent elsewhere while the run went on; none where nothing was to be.
	Deliveries []Delivery `json:"deliveries,omitempty"`
	MergedFrom []Source   `json:"merged_from,omitempty"` // the results that were added up into this one

	// Elasticity is timeline.Figures; absent where nobody watched capacity.
	Elasticity json.RawMessage `json:"elasticity,omitempty"`
	// Timeline is what capacity did; it has a file of its own, timeline.json. Nil where nobody watched.
	Timeline *timeline.Timeline `json:"-"`
	// Corrected is the distribution of the corrected latency of all successes. It is in the windows' files; nil of a result
	// that was read from result.json.
	Corrected *Histogram `json:"-"`
}

// Verdict is the run's answer in one place: can it be believed, and what did it exit with.
type Verdict struct {
	Validity Validity `json:"validity"`
	Reasons  []Reason `json:"reasons"`
	ExitCode int      `json:"exit_code"`
	ExitName string   `json:"exit_name"`
}

// Reason is one finding about the generator. Code is a fixed word.
type Reason struct {
	Code   string   `json:"code"`
	Level  Validity `json:"level"` // VALID for what is only noted, e.g. a probe that cannot be read
	Detail string   `json:"detail"`
}

// Generator describes the process that made the load.
type Generator struct {
	Version          string  `json:"version"`
	Go               string  `json:"go"`
	OS               string  `json:"os"`
	Arch             string  `json:"arch"`
	CPUs             int     `json:"cpus"`               // logical CPUs of the host
	CPULimit         Reading `json:"cpu_limit"`          // CPUs the process may use; null when unknown
	CPULimitSource   string  `json:"cpu_limit_source"`   // where the limit was read: cgroup v2, cgroup v1, affinity, ECS task, GOMAXPROCS, host
	MemoryLimitBytes Reading `json:"memory_limit_bytes"` // null without a limit
	FileLimit        Reading `json:"file_limit"`         // descriptors the process may open
	Hostname         string  `json:"hostname"`
	BootID           string  `json:"boot_id,omitempty"` // of the host's last start: the same for all that runs on it; empty when unknown
	Task             *Task   `json:"task,omitempty"`    // on ECS
}

// Task is the ECS task that the generator ran as.
type Task struct {
	ARN     string `json:"arn"`
	Family  string `json:"family"`
	Cluster string `json:"cluster"`

	// Empty where the endpoint did not say, and in results from before they were kept.
	ID         string `json:"id,omitempty"` // the end of the ARN
	Revision   string `json:"revision,omitempty"`
	Zone       string `json:"zone,omitempty"` // e.g. eu-central-1a
	LaunchType string `json:"launch_type,omitempty"`
}

// Stats are the figures of one endpoint, one phase or a whole run.
type Stats struct {
	Requests          int64            `json:"requests"` // completed, failures included
	Failures          int64            `json:"failures"`
	ErrorRate         float64          `json:"error_rate"`          // (failures + unanswered) ÷ (requests + unanswered), 0 when there are none
	RequestsPerSecond float64          `json:"requests_per_second"` // completions before sending ended, or within the phase, whenever due ÷ that time
	BytesIn           int64            `json:"bytes_in"`
	BytesOut          int64            `json:"bytes_out"`
	Truncated         int64            `json:"truncated"`
	Redirects         int64            `json:"redirects"`
	Abandoned         int64            `json:"abandoned"`
	Unanswered        *int64           `json:"unanswered"` // no answer in the whole stop timeout; null when nobody counted
	Cut               *int64           `json:"cut"`        // ended before that; null when nobody counted
	Retried           int64            `json:"retried"`
	Status            map[string]int64 `json:"status"`
	Errors            []ErrorJSON      `json:"errors"`
	Latency           LatencySet       `json:"latency_ms"`
}

// Totals are the Stats over all endpoints, with what only the run as a whole has.
type Totals struct {
	Stats
	Offered int64 `json:"offered"` // = sent + dropped, where dropped is known
	Sent    int64 `json:"sent"`    // = requests + abandoned
	// Of the whole run, null when nobody counted; dropped + abandoned = unanswered + cut + own_drops.
	Dropped  *int64 `json:"dropped"`
	OwnDrops *int64 `json:"own_drops"`
}

// Known is a count that may be unknown, 0 when it is: for sums in which what nobody counted has no part.
func Known(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// Endpoint is one name in the statistics.
type Endpoint struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	URL    string `json:"url"` // of the first target with this name, secrets redacted
	Stats
}

// Phase is a stretch of the run with one kind of load.
type Phase struct {
	Name   string  `json:"name"`
	FromS  float64 `json:"from_s"`
	ToS    float64 `json:"to_s"`
	Totals Stats   `json:"totals"`
}

// Stretch is a part of the run.
type Stretch struct {
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
}

// Pace is how many requests a second users made, in the fastest and the slowest 10 s in which their number was steady.
// A service that slows down is asked less, and that is all that shows of it in a closed load.
type Pace struct {
	Fastest float64 `json:"fastest"`
	Slowest float64 `json:"slowest"`
}

// LatencySet is every latency that is kept, each from its own histogram.
type LatencySet struct {
	Raw       Latency `json:"raw"`
	Corrected Latency `json:"corrected"`
	Failed    Latency `json:"failed"`
	FirstByte Latency `json:"first_byte"`
	Connect   Latency `json:"connect"`
}

// Latency sums up one histogram, in milliseconds to the microsecond; all 0 when Count is 0.
type Latency struct {
	Min    float64 `json:"min"`
	Mean   float64 `json:"mean"`
	StdDev float64 `json:"stddev"`
	P50    float64 `json:"p50"`
	P90    float64 `json:"p90"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	P999   float64 `json:"p99_9"`
	P9999  float64 `json:"p99_99"`
	Max    float64 `json:"max"`
	Count  int64   `json:"count"`
}

// ErrorJSON is an ErrorCount with times of day.
type ErrorJSON struct {
	Kind    string    `json:"kind"`
	Message string    `json:"message"`
	Count   int64     `json:"count"`
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
}

// ExampleJSON is an Example with a time of day.
type ExampleJSON struct {
	At        time.Time `json:"at"`
	Endpoint  string    `json:"endpoint"`
	Status    int       `json:"status"`
	LatencyMS float64   `json:"latency_ms"`
	ServedBy  string    `json:"served_by"`
	Error     string    `json:"error"`
	Retried   bool      `json:"retried"`
	TraceID   string    `json:"trace_id"`
}

// ExemplarsJSON are Exemplars with times of day.
type ExemplarsJSON struct {
	Slowest []ExampleJSON `json:"slowest"`
	Failed  []ExampleJSON `json:"failed"`
}

// EventJSON is an Event as events.jsonl and result.json hold it.
type EventJSON struct {
	TS     float64   `json:"t_s"` // on the run's clock
	At     time.Time `json:"at"`
	Type   string    `json:"type"`
	Detail string    `json:"detail"`
}

// HealthSummary is the generator's condition over the whole run. Readings are null when no probe could be read.
type HealthSummary struct {
	Lag           LagSummary    `json:"lag_ms"`
	WaitedForSlot LagSummary    `json:"waited_for_slot_ms"`
	CPU           CPUSummary    `json:"cpu"`
	GCRatio       Reading       `json:"gc_ratio"`
	RSSMaxBytes   Reading       `json:"rss_max_bytes"`
	OpenFilesMax  Reading       `json:"open_files_max"`
	Freezes       FreezeSummary `json:"freezes"`
	ClockJumps    JumpSummary   `json:"clock_jumps"`
	Clamped       int64         `json:"clamped"` // latencies above 1 h, counted as 1 h
	Unknown       []string      `json:"unknown"` // probes that could not be read
}

// LagSummary is a distribution of waiting, in milliseconds.
type LagSummary struct {
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Count int64   `json:"count"`
}

// CPUSummary is the use of what the process may use.
type CPUSummary struct {
	UsedRatioMax   Reading `json:"used_ratio_max"`
	UsedRatioMean  Reading `json:"used_ratio_mean"`
	ThrottledRatio Reading `json:"throttled_ratio"`
	StealRatio     Reading `json:"steal_ratio"`
}

// Outcome is one threshold or expectation, judged.
type Outcome struct {
	Expression string  `json:"expression"`
	Value      Reading `json:"value"` // in the unit of the expression's metric: ms, ratio, 1/s or a count; null without data
	Passed     bool    `json:"passed"`
	Detail     string  `json:"detail"` // what was seen, in words
}

// Expectation is an Outcome about capacity; its Detail is what was seen instead, with AWS's reasons for not scaling.
type Expectation struct {
	Expression string  `json:"expression"`
	Value      Reading `json:"value"`
	Passed     bool    `json:"passed"`
	Detail     string  `json:"seen"`
}

// Source is a result that went into a merged one.
type Source struct {
	ID        string    `json:"id"`
	Hostname  string    `json:"hostname"`
	StartedAt time.Time `json:"started_at"`
	Validity  Validity  `json:"validity"`

	BootID   string  `json:"boot_id,omitempty"` // as Generator has it, with these
	CPUs     int     `json:"cpus"`
	CPULimit Reading `json:"cpu_limit"`
}
