package gate

import (
	"time"

	"scalableappbackend/internal/units"
)

// Latency says which time of a request is meant.
type Latency string

// The latencies, as expressions name them.
const (
	Corrected Latency = "corrected"  // what the service made a send wait and what it took, successes
	Raw       Latency = "raw"        // send → body read, successes
	Failed    Latency = "failed"     // send → failure
	FirstByte Latency = "first_byte" // send → first byte of the answer, successes
	Connect   Latency = "connect"    // DNS, TCP and TLS, where a connection was opened
)

func latencies() []Latency { return []Latency{Corrected, Raw, Failed, FirstByte, Connect} }

// Op compares what was measured (left) with the limit (right).
type Op string

// The operators. In expressions === is another spelling of ==.
const (
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Equal        Op = "=="
	NotEqual     Op = "!="
)

// holds says whether the operator accepts a comparison, which is negative, zero or positive.
func (o Op) holds(comparison int) bool {
	switch o {
	case Less:
		return comparison < 0
	case LessEqual:
		return comparison <= 0
	case Greater:
		return comparison > 0
	case GreaterEqual:
		return comparison >= 0
	case Equal:
		return comparison == 0
	case NotEqual:
		return comparison != 0
	}
	return false
}

// Moment is when a level is to hold.
type Moment string

// The moments.
const (
	Always   Moment = "" // at every instant of the observation
	AtSteady Moment = "steady"
	AtEnd    Moment = "end"
)

func moments() []string { return []string{string(AtSteady), string(AtEnd)} }

// Expr is one parsed expression: a threshold, which is about requests, or an expectation, which is about capacity. Two
// that mean the same are ==.
type Expr struct {
	Endpoint string // of requests: name in the statistics; empty: all of them
	Phase    string // of requests; empty: the run without its warm-up

	Subject    Subject
	Latency    Latency // of the metrics of a latency; empty for the others
	Percentile float64 // of Percentile: above 0, at most 100
	Bound      float64 // of Within: ms in whole microseconds

	Op Op
	// The right side is one of these, by the subject's form.
	Limit   float64       // ms in whole microseconds, ratio, 1/s, count, bytes or task-hours
	Within  time.Duration // of durations: simulated time
	Path    string        // of paths: "6,5,4,3,2"
	Against Subject       // of levels: the one to compare with; empty for Limit

	At Moment // of levels
}

// String is the canonical form: one spelling for each meaning, which [Parse] or [ParseExpectation] reads back to the same
// Expr. Latencies are in ms, shares in per cent, the rest has no unit; corrected is not named.
func (e Expr) String() string {
	text := scopeText(e.Endpoint, e.Phase) + e.subjectText()
	switch {
	case e.Against != "":
		text = word(e.Subject) + string(e.Op) + word(e.Against)
	case e.Path != "":
		text += string(e.Op) + e.Path
	case e.row().form == aDuration:
		text += string(e.Op) + units.Duration(e.Within)
	default:
		text += string(e.Op) + e.unit().canonical(e.Limit)
	}
	if e.At != Always {
		text += " at " + string(e.At)
	}
	return text
}

// subjectText is what stands before the operator, without the scope: raw.p(99).
func (e Expr) subjectText() string {
	text := string(e.Subject)
	if e.Subject == Percentile {
		text += "(" + plain(e.Percentile, 0) + ")"
	}
	if e.Subject == Within {
		text += "(" + plain(e.Bound, 0) + "ms)"
	}
	if e.Latency != "" && e.Latency != Corrected {
		text = string(e.Latency) + "." + text
	}
	return text
}

// row is that of the subject in the table; the zero row of one that is not there.
func (e Expr) row() subject {
	s, _, _ := subjectOf(e.Subject)
	return s
}

func (e Expr) unit() unit { return e.row().unit }

// unit is what a subject is measured in.
type unit int

const (
	count unit = iota
	milliseconds
	ratio
	perSecond
	byteCount
	taskHours
)

// canonical is a limit as an expression has it.
func (u unit) canonical(limit float64) string {
	switch u {
	case milliseconds:
		return plain(limit, 0) + "ms"
	case ratio:
		return plain(limit, 2) + "%"
	default:
		return plain(limit, 0)
	}
}

// rounded is a value as people read it; precise is one with every digit that a result keeps.
func (u unit) rounded(v float64) string {
	switch u {
	case milliseconds:
		return units.Milliseconds(v)
	case ratio:
		return units.Percent(v)
	case perSecond:
		return units.Rate(v)
	case byteCount:
		return units.Bytes(int64(v))
	default:
		return units.Decimal(v)
	}
}

func (u unit) precise(v float64) string {
	switch u {
	case milliseconds:
		if v >= 1000 {
			return units.Decimal(v/1000) + " s"
		}
		return units.Decimal(v) + " ms"
	case ratio:
		return units.Decimal(100*v) + " %"
	case perSecond:
		return units.Decimal(v) + "/s"
	case byteCount:
		return units.Decimal(v) + " B"
	default:
		return units.Decimal(v)
	}
}
