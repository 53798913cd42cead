package gate

import (
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
)

// Change is what must not become of a metric between two sides of a comparison, or of a run within
// the history before it. Two that mean the same are ==. It is the language of thresholds with another end:
//
//	change  = [ scope ":" ] subject ( operator [ "+" | "-" ] number unit | "within" [ "its" ] "last" number "runs" ) .
//	subject = metric | "p" digits [ "_" digits ]    (* p99 is p(99), p99_9 is p(99.9) *)
//	unit    = "%"      (* of the base, of latency and rps *)
//	        | "pp" .   (* percentage points, of error_rate *)
//
// What gets worse upwards (latency, error_rate) is compared with > and a change above 0, rps with <
// and one below. Metrics are those of a comparison: percentiles and mean of the corrected latency, error_rate and rps.
type Change struct {
	Endpoint, Phase string
	Metric          Subject
	Percentile      float64 // of the metric Percentile
	Limit           float64 // above 0: ratio of the base, of error_rate a difference of ratios; worse than that must not be
	Last            int     // instead of Limit: how many runs of the history are looked at; 0 for a comparison
}

// LeastHistory is how few runs a level can be learnt from.
const LeastHistory = 5

// String is the canonical form, which ParseChange reads back to the same Change.
func (c Change) String() string {
	s := scopeText(c.Endpoint, c.Phase) + c.Subject()
	switch {
	case c.Last > 0:
		return s + " within its last " + strconv.Itoa(c.Last) + " runs"
	case c.Metric == ErrorRate:
		return s + ">" + plain(c.Limit, 2) + "pp"
	case c.Metric == RPS:
		return s + "<-" + plain(c.Limit, 2) + "%"
	}
	return s + ">" + plain(c.Limit, 2) + "%"
}

// Subject is the metric as people say it: p99, error_rate.
func (c Change) Subject() string {
	if c.Metric == Percentile {
		return "p" + plain(c.Percentile, 0)
	}
	return string(c.Metric)
}

// ParseChange reads one change. Its error is a *input.Error without a Field.
func ParseChange(text string) (Change, error) {
	c, want := parseChange(strings.TrimSpace(text))
	if want == "" {
		return c, nil
	}
	return Change{}, input.Refuse(text, want)
}

const wantChange = "a change that must not be, e.g. p99>10%, error_rate>0.1pp or rps<-5%"

func parseChange(text string) (c Change, want string) {
	endpoint, phase, text, want := cutScope(text)
	if want != "" {
		return c, want
	}
	c.Endpoint, c.Phase = endpoint, phase
	var e Expr
	if text, want = e.cutMetric(percentileWord(text)); want != "" {
		return c, want
	}
	switch {
	case e.Latency != "" && e.Latency != Corrected, e.Latency != "" && e.Subject != Percentile && e.Subject != Mean,
		e.Latency == "" && e.Subject != ErrorRate && e.Subject != RPS:
		return c, "p50, p99 or another percentile, mean, error_rate or rps, which are what is compared, instead of " + e.subjectText()
	case e.Subject == Percentile && e.Percentile == 100:
		return c, "a percentile below 100: a maximum is one request, of which no run says anything about the next"
	}
	c.Metric, c.Percentile = e.Subject, e.Percentile
	if rest, ok := strings.CutPrefix(text, "within"); ok {
		return c.parseHistory(rest)
	}
	op, rest := cutOperator(text)
	bad, sign := Greater, "+"
	if c.Metric == RPS {
		bad, sign = Less, "-"
	}
	if op != bad {
		return c, string(bad) + " after " + c.Subject() + ", because that way it gets worse: " + wantChange
	}
	if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') || c.Metric == RPS {
		if !strings.HasPrefix(rest, sign) {
			return c, c.Subject() + string(bad) + strings.Trim(sign, "+") + "N: " + wantChange
		}
		rest = strings.TrimSpace(rest[1:])
	}
	number, unit, ok := cutNumber(rest)
	limit, fits := scaled(number, -2, ok)
	wantUnit := "%"
	if c.Metric == ErrorRate {
		wantUnit = "pp"
	}
	switch unit = strings.TrimSpace(unit); {
	case !fits || limit == 0:
		return c, "a number above 0 in " + wantUnit + ": " + wantChange
	case unit != wantUnit && c.Metric == ErrorRate:
		return c, "percentage points, because a per cent of a per cent confuses, e.g. error_rate>0.1pp"
	case unit != wantUnit:
		return c, "per cent of the base, e.g. " + c.Subject() + string(bad) + strings.Trim(sign, "+") + "10%"
	case c.Metric != Percentile && c.Metric != Mean && limit >= 1:
		return c, "less than 100: " + wantChange
	}
	c.Limit = limit
	return c, ""
}

func (c Change) parseHistory(rest string) (Change, string) {
	words := strings.Fields(rest)
	if len(words) > 0 && words[0] == "its" {
		words = words[1:]
	}
	if len(words) == 3 && words[0] == "last" && words[2] == "runs" {
		if n, err := strconv.Atoi(words[1]); err == nil && n >= LeastHistory && n <= 1000 {
			c.Last = n
			return c, ""
		}
	}
	return c, "METRIC within its last N runs, N from " + strconv.Itoa(LeastHistory) + " to 1000, e.g. p99 within its last 20 runs"
}

// percentileWord makes p(99) of p99, and p(99.9) of p99_9 and p99.9.
func percentileWord(s string) string {
	if len(s) < 2 || s[0] != 'p' || !isDigit(s[1]) {
		return s
	}
	end := 1
	for end < len(s) && (isDigit(s[end]) || s[end] == '_' || s[end] == '.') {
		end++
	}
	return "p(" + strings.Replace(s[1:end], "_", ".", 1) + ")" + s[end:]
}
