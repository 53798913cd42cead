package gate

import "scalableappbackend/internal/units"

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

// Metric is what an expression is about.
type Metric string

// The metrics. Those of a latency come first.
const (
	Percentile Metric = "p"
	Mean       Metric = "mean"
	Min        Metric = "min"
	Max        Metric = "max"
	StdDev     Metric = "stddev"
	// Within is the share of all sends that were answered well within a time.
	Within Metric = "within"

	ErrorRate Metric = "error_rate" // (failures + unanswered) ÷ (requests + unanswered)
	RPS       Metric = "rps"        // completed requests in a second
	Requests  Metric = "requests"   // completed, failures included
	Failures  Metric = "failures"   // unanswered included
	Abandoned Metric = "abandoned"
	Retried   Metric = "retried"
	Truncated Metric = "truncated"
	Redirects Metric = "redirects"
	BytesIn   Metric = "bytes_in"
	BytesOut  Metric = "bytes_out"
	Offered   Metric = "offered"
	Sent      Metric = "sent"
	Dropped   Metric = "dropped"
)

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

// Expr is one parsed threshold. Two that mean the same are ==.
type Expr struct {
	Endpoint   string  // name in the statistics; empty: all of them
	Phase      string  // empty: the run without its warm-up
	Latency    Latency // of the metrics of a latency; empty for the others
	Metric     Metric
	Percentile float64 // of the metric Percentile: above 0, at most 100
	Bound      float64 // of the metric Within: ms in whole microseconds
	Op         Op
	Limit      float64 // ms in whole microseconds, ratio, 1/s, count or bytes
}

// String is the canonical form: one spelling for each meaning, which Parse reads back to the same Expr.
// Latencies are in ms, error_rate in per cent, the rest has no unit; corrected is not named.
func (e Expr) String() string {
	return scopeText(e.Endpoint, e.Phase) + e.metricText() + string(e.Op) + e.limitText()
}

func (e Expr) metricText() string {
	text := string(e.Metric)
	if e.Metric == Percentile {
		text += "(" + plain(e.Percentile, 0) + ")"
	}
	if e.Metric == Within {
		text += "(" + plain(e.Bound, 0) + "ms)"
	}
	if e.Latency != "" && e.Latency != Corrected {
		text = string(e.Latency) + "." + text
	}
	return text
}

func (e Expr) limitText() string {
	switch e.unit() {
	case milliseconds:
		return plain(e.Limit, 0) + "ms"
	case ratio:
		return plain(e.Limit, 2) + "%"
	default:
		return plain(e.Limit, 0)
	}
}

// unit is what a metric is measured in.
type unit int

const (
	count unit = iota
	milliseconds
	ratio
	perSecond
	byteCount
)

func (e Expr) unit() unit {
	switch {
	case e.Metric == ErrorRate || e.Metric == Within:
		return ratio
	case e.Latency != "":
		return milliseconds
	case e.Metric == RPS:
		return perSecond
	case e.Metric == BytesIn || e.Metric == BytesOut:
		return byteCount
	}
	return count
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
