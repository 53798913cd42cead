// Package compare says of two sides, each one or more runs of the same load, whether the new one is
// worse, better, not different in a way that matters, or whether that cannot be told.
//
// It promises to say "worse" only where the whole confidence interval of the change lies on the bad side
// and the estimate is beyond the least effect that matters; "no difference that matters" only where the whole
// interval lies within it; and to say "cannot tell" everywhere else, with what would help. Percentiles
// come from histograms that were added, never from averages of percentiles.
//
// Two runs or more a side: the runs are the sample, and the interval is Welch's on logarithms of the runs'
// figures. One run
// a side: each figure's own error comes from a bootstrap over blocks of at least 5 s, because seconds beside each
// other are alike, with t by the number of blocks; and it is widened by an allowance for what differs
// between runs, which one run cannot show. error_rate is a difference of shares, all else a ratio.
//
// Two sides of one paired run (see [Paired]): the rounds are the sample, and the interval is t over their differences.
//
// What is compared is the steady part of the load where the plan has one, else all of it without the drain.
// Verdicts of several gated figures are corrected together, by Holm. Other figures are shown and decide nothing.
//
// It refuses to compare unlike things: see [Unlike]. It reads no directory but through package result, and knows no exit code.
package compare

import (
	"fmt"
	"time"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Run is one run as a comparison sees it.
type Run struct {
	Dir         string
	ID          string
	Schema      string
	Started     time.Time
	Tags        map[string]string
	Plan        plan.Plan
	Generator   result.Generator
	Validity    result.Validity
	Reasons     []result.Reason
	Cut         bool    // the process ended before the run did
	StoppedBy   string  // empty when the plan ran to its end
	Merged      bool    // a sum of several generators' runs
	CPU         float64 // of the generator, ms a request; NaN when unknown
	EndpointsOf []string
	Blocks      []Block // the intervals of the load in order, without the drain
}

// Block is one interval of a run: a second, or longer in long runs.
type Block struct {
	Phase   string
	Span    int // which phase of the run it lies in: names may repeat
	Seconds float64
	Parts   []Part // by index into EndpointsOf; one more may be of what was never sent, and so of no endpoint
}

// Part is what was due to one endpoint in a Block, whenever it was answered.
type Part struct {
	Requests  int64             // completed, or unanswered
	Failures  int64             // unanswered included
	Completed int64             // in the block, whenever due: a rate is of time
	Answered  int64             // of what was due in it, whenever completed
	Corrected *result.Histogram // of successes, and of those unanswered at their age; nil when there were none
}

// Metric is a figure that is compared.
type Metric struct {
	Kind       gate.Subject // gate.Percentile, gate.Mean, gate.ErrorRate, gate.RPS
	Percentile float64      // of gate.Percentile
}

// The metrics that are always shown.
func Metrics() []Metric {
	return []Metric{{gate.Percentile, 50}, {gate.Percentile, 90}, {gate.Percentile, 99}, {gate.Percentile, 99.9}, {Kind: gate.Mean}, {Kind: gate.RPS}, {Kind: gate.ErrorRate}}
}

func (m Metric) String() string {
	return gate.Change{Metric: m.Kind, Percentile: m.Percentile}.Subject()
}

func (m Metric) isLatency() bool { return m.Kind == gate.Percentile || m.Kind == gate.Mean }

// Verdict is what is said of one figure, or of all that are gated.
type Verdict string

// The verdicts.
const (
	Worse      Verdict = "worse"
	Better     Verdict = "better"
	NoMatter   Verdict = "no difference that matters"
	CannotTell Verdict = "cannot tell"
)

// Options say how to compare; the zero value is the default.
type Options struct {
	FailOn         []gate.Change // what must not be; none: p99, error_rate and rps by the least effect
	MinEffect      float64       // least change of a ratio that matters; 0: DefaultMinEffect
	MinErrorEffect float64       // least difference of error_rate that matters; 0: DefaultMinErrorEffect
	Allowance      float64       // standard deviation between runs of which one a side is not known; 0: DefaultAllowance
	History        []*Run        // earlier runs of the same load: five or more say what the allowance is
	Paired         *Paired       // the sides are of one paired run; nil: they are runs of their own
	Force          bool          // compare what is unlike, with warnings
}

// The defaults, and bounds of what one run can say.
const (
	DefaultMinEffect      = 0.05
	DefaultMinErrorEffect = 0.001
	DefaultAllowance      = 0.03
	Confidence            = 0.95
	LeastSeconds          = 30 // a single run that is shorter gates nothing
	leastTail             = 10 // requests beyond a percentile for it to be told
)

// Cell is one figure compared. Change, Low and High are ratios − 1, of error_rate differences of shares.
type Cell struct {
	Endpoint string  `json:"endpoint"` // empty: all of them
	Phase    string  `json:"phase,omitempty"`
	Metric   string  `json:"metric"`
	Unit     string  `json:"unit"` // of Base and New: ms, 1/s or ratio
	Base     Number  `json:"base"`
	New      Number  `json:"new"`
	Change   Number  `json:"change"`
	Low      Number  `json:"low"`
	High     Number  `json:"high"`
	Level    float64 `json:"confidence"`
	P        float64 `json:"p"`
	Verdict  Verdict `json:"verdict"`
	Why      string  `json:"why,omitempty"` // it cannot be told, or what to mind
	Gated    bool    `json:"gated,omitempty"`

	metric Metric
}

// Number is a float64 that JSON has as null where there is none.
type Number = result.Reading

// Gate is one --fail-on, judged.
type Gate struct {
	Expression string `json:"expression"`
	Outcome    string `json:"outcome"` // passed, failed or cannot tell
	Seen       string `json:"seen"`
}

// The outcomes of a Gate.
const (
	Passed  = "passed"
	Failed  = "failed"
	Unknown = "cannot tell"
)

// Comparison is what came of comparing two sides.
type Comparison struct {
	Schema string   `json:"schema"`
	Base   []Source `json:"base"`
	New    []Source `json:"new"`
	Method string   `json:"method"`
	Paired *Paired  `json:"paired,omitempty"`
	// Validity is that of a paired run's one generator, when it is not VALID. INVALID leaves no verdict.
	Validity result.Validity `json:"validity,omitempty"`
	Verdict  Verdict         `json:"verdict"`
	Cells    []Cell          `json:"cells"`
	Gates    []Gate          `json:"gates"`
	Warnings []string        `json:"warnings"`

	MinEffect float64 `json:"min_effect"`
}

// Schema names the version of compare.json.
const Schema = "loadgen/compare/v1"

// Source is one run that was compared.
type Source struct {
	Dir     string            `json:"dir"`
	ID      string            `json:"id"`
	Started time.Time         `json:"started_at"`
	Tags    map[string]string `json:"tags,omitempty"`
}

// Failed reports whether a gate failed; strict counts those that cannot tell.
func (c *Comparison) Failed(strict bool) bool {
	for _, g := range c.Gates {
		if g.Outcome == Failed || strict && g.Outcome == Unknown {
			return true
		}
	}
	return false
}

// UnlikeError is why two sides are not compared.
type UnlikeError struct{ Dir, Other, Reason string }

func (e *UnlikeError) Error() string {
	if e.Other == "" {
		return fmt.Sprintf("%s: %s", e.Dir, e.Reason)
	}
	return fmt.Sprintf("%s and %s: %s", e.Dir, e.Other, e.Reason)
}
