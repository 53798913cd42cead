package gate

import (
	"fmt"
	"slices"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

// Parse reads one threshold, in the grammar of the package doc. Its error is a *input.Error
// without a Field, for the caller to put in what the user named.
//
// Beside what the grammar does not take it refuses limits that could not do what they say: finer or longer
// than a histogram tells apart, not whole where a count is, above 100 %, and a bare error_rate of
// 1 or more, which may have been meant as per cent.
func Parse(text string) (Expr, error) { return read(text, ofRequests) }

// ParseExpectation reads one expectation, in the same grammar. What could only hold or never hold is refused: a count below 0,
// healthy<=tasks, a scale_in_path that goes up above where it began. Its error is as of [Parse].
func ParseExpectation(text string) (Expr, error) { return read(text, ofCapacity) }

func read(text string, of kind) (Expr, error) {
	e, want := parse(strings.TrimSpace(text), of)
	if want == "" {
		return e, nil
	}
	// An expression of the other kind is not a slip of the keyboard.
	if other, isOther := parse(strings.TrimSpace(text), (ofRequests|ofCapacity)&^of); isOther == "" {
		want = "an expectation about capacity, e.g. max_tasks==6; this is a threshold (--threshold)"
		if of == ofRequests {
			want = "a metric of requests, e.g. p(99)<50ms; " + string(other.Subject) + " is of capacity (--expect)"
		}
	}
	return Expr{}, input.Refuse(text, want)
}

// parse reads an expression of one kind. want is empty, or what is accepted.
func parse(text string, of kind) (e Expr, want string) {
	e.Endpoint, e.Phase, text, want = cutScope(text)
	if want != "" {
		return e, want
	}
	if text, want = e.cutSubject(text, of); want != "" {
		return e, want
	}
	s := e.row()
	if text, want = e.cutOperator(text, s, of); want != "" {
		return e, want
	}
	if want = e.cutOperand(text, s, of); want != "" {
		return e, want
	}
	if e.Endpoint+e.Phase != "" {
		switch {
		case of == ofCapacity:
			return e, string(e.Subject) + " without a scope: it is of the service as a whole"
		case s.runOnly:
			return e, string(e.Subject) + " without a scope: it is counted for the run as a whole"
		}
	}
	if of == ofCapacity {
		want = e.vacuous()
	}
	return e, want
}

// cutSubject takes what an expression is about off the front of s and into e.
func (e *Expr) cutSubject(s string, of kind) (rest, want string) {
	if of == ofRequests {
		return e.cutMetric(s)
	}
	word, rest := cutWord(s)
	if want := noWord(word, of); want != "" {
		return s, want
	}
	row, ok := subjectIn(word, of)
	if !ok {
		return s, notFigure(word)
	}
	e.Subject = row.name
	return rest, ""
}

// noWord refuses a word that is no subject whatever it says.
func noWord(word string, of kind) (want string) {
	switch {
	case word == "":
		return of.list("first")
	case len(word) > longestWord:
		return of.list("instead of " + word[:longestWord] + "…")
	}
	return ""
}

// list is what an expression of that kind may begin with.
func (of kind) list(how string) string {
	if of == ofRequests {
		return "a metric " + how + ": " + metricList
	}
	return "a figure of capacity " + how + ": " + figureList()
}

func figureList() string { return ofMany(append(namesOf(ofCapacity), running)) }

// cutOperator takes an operator that goes with the subject off the front of text and into e.
func (e *Expr) cutOperator(text string, s subject, of kind) (rest, want string) {
	op, rest := cutOperator(text)
	equality := op == Equal || op == NotEqual
	accepted := "one of < <= > >= == !="
	switch {
	case s.form == aPath:
		accepted = "== or !="
		equality = !equality
	case s.form == aDuration || s.unit == taskHours: // which are never exactly anything
		accepted = "one of < <= > >="
	default:
		equality = false
	}
	switch {
	case op == "" && strings.HasPrefix(text, "{"):
		return text, "the scope in front, e.g. {GET /}:p(95)<20ms"
	case (op == "" || equality) && of == ofRequests:
		return text, accepted + " after " + e.subjectText()
	case op == "" || equality:
		return text, accepted + " after " + e.subjectText() + ", e.g. " + s.shownAs()
	case rest == "" && of == ofRequests:
		return text, "after " + string(op) + " " + s.accepted()
	}
	e.Op = op
	return rest, ""
}

// cutOperand reads all that stands after the operator.
func (e *Expr) cutOperand(text string, s subject, of kind) (want string) {
	switch s.form {
	case aDuration:
		e.Within, want = parseWithin(text, s)
	case aPath:
		e.Path, want = parsePath(text, s)
	case aLevel:
		want = e.cutLevel(text, s)
	default:
		if of == ofRequests {
			e.Limit, want = parseLimit(text, s.unit)
			break
		}
		var rest string
		if e.Limit, rest, want = cutAmount(text, s); want == "" && rest != "" {
			want = "nothing after the number, e.g. " + s.shownAs()
		}
	}
	return want
}

// longestWord is how much of a word an error repeats; no metric is longer.
const longestWord = 40

// cutMetric takes a metric off the front of s and into e.
func (e *Expr) cutMetric(s string) (rest, want string) {
	word, rest := cutWord(s)
	if want := noWord(word, ofRequests); want != "" {
		return s, want
	}
	after, dotted := strings.CutPrefix(rest, ".")
	which := Latency(word)
	known := slices.Contains(latencies(), which)
	switch {
	case dotted && known:
		e.Latency = which
		word, rest = cutWord(strings.TrimSpace(after))
		if word == "" || len(word) > longestWord {
			return s, fmt.Sprintf("a statistic after %s., e.g. %s.p(99)", which, which)
		}
	case dotted:
		return s, notLatency(word)
	case known:
		return s, fmt.Sprintf("a statistic of it, e.g. %s.p(99)", which)
	}
	if row, ok := subjectIn(word, ofRequests); ok && row.form == aNumber {
		if e.Latency != "" {
			return s, fmt.Sprintf("%s without %s., which is for latencies", word, e.Latency)
		}
		e.Subject = row.name
		return rest, ""
	}
	if e.Latency == "" {
		e.Latency = Corrected
	}
	switch word {
	case "p":
		return e.cutPercentile(rest)
	case "within":
		if e.Latency != Corrected && e.Latency != Raw {
			return s, "within without " + string(e.Latency) + ".: it is of corrected or raw latency"
		}
		return e.cutBound(rest)
	case "med":
		e.Subject, e.Percentile = Percentile, 50
	case "avg", "mean":
		e.Subject = Mean
	case "min", "max", "stddev":
		e.Subject = Subject(word)
	default:
		return s, notMetric(word)
	}
	return rest, ""
}

const wantPercentile = "a percentile above 0 and up to 100, e.g. p(99) or p(99.9)"

func (e *Expr) cutPercentile(s string) (rest, want string) {
	inner, ok := strings.CutPrefix(s, "(")
	if !ok {
		return s, wantPercentile
	}
	inner, rest, ok = strings.Cut(inner, ")")
	if !ok {
		return s, "a ) after the percentile, e.g. p(99)"
	}
	number, after, ok := cutNumber(strings.TrimSpace(inner))
	if !ok || after != "" || number.power != 0 {
		return s, wantPercentile
	}
	p, ok := number.times(0)
	if !ok || p <= 0 || p > 100 {
		return s, wantPercentile
	}
	e.Subject, e.Percentile = Percentile, p
	return strings.TrimSpace(rest), ""
}

const wantBound = "a time after within, e.g. within(50ms)>=99%"

// cutBound takes the time of within off the front of s.
func (e *Expr) cutBound(s string) (rest, want string) {
	inner, ok := strings.CutPrefix(s, "(")
	if !ok {
		return s, wantBound
	}
	inner, rest, ok = strings.Cut(inner, ")")
	if !ok {
		return s, "a ) after the time, e.g. within(50ms)>=99%"
	}
	e.Subject = Within
	if e.Bound, want = parseLimit(strings.TrimSpace(inner), milliseconds); want != "" {
		return s, want
	}
	if e.Bound == 0 {
		return s, wantBound
	}
	return strings.TrimSpace(rest), ""
}

// cutWord takes letters, digits and underscores off the front of s, and the white space after them.
func cutWord(s string) (word, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], strings.TrimSpace(s[end:])
}

// cutOperator takes an operator off the front of s; none, or one that is not known, is empty.
func cutOperator(s string) (Op, string) {
	end := len(s) - len(strings.TrimLeft(s, "<>=!"))
	op := Op(s[:end])
	switch op {
	case "===":
		op = Equal
	case Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual:
	default:
		return "", s
	}
	return op, strings.TrimSpace(s[end:])
}

const metricList = "p(N), within(D), avg, med, min, max, stddev, error_rate, rps, requests, failures, dropped, abandoned, retried, " +
	"truncated, redirects, bytes_in, bytes_out, offered or sent"

// statistics are the words of a latency, as people may type them.
func statistics() []string {
	return []string{"avg", "mean", "med", "min", "max", "stddev", "within(D)"}
}

// notMetric is what to write instead of a word that is no metric.
func notMetric(word string) string {
	if digits, ok := strings.CutPrefix(strings.ToLower(word), "p"); ok && digits != "" && strings.Trim(digits, "0123456789_") == "" {
		whole, fraction, _ := strings.Cut(digits, "_") // p99_9, as a result names it
		if fraction != "" {
			whole += "." + fraction
		}
		return fmt.Sprintf("p(%s) instead of %s", whole, word)
	}
	if known, ok := elsewhere()[strings.ToLower(word)]; ok {
		return known + " instead of " + word
	}
	names := append(statistics(), "p(N)")
	for _, s := range subjects {
		if s.of&ofRequests != 0 && s.form == aNumber {
			names = append(names, string(s.name))
		}
	}
	if name, ok := near.Near(word, names); ok {
		return name + " instead of " + word
	}
	return ofRequests.list("instead of " + word)
}

// notLatency is what to write instead of a word before a point that is no latency.
func notLatency(word string) string {
	names := make([]string, 0, len(latencies()))
	for _, l := range latencies() {
		names = append(names, string(l))
	}
	if name, ok := near.Near(word, names); ok {
		return name + ". instead of " + word + "."
	}
	return "corrected, raw, failed, first_byte or connect before the point instead of " + word
}

// elsewhere are the words for our metrics that people know from k6, from Locust, or from the fields of a result.
func elsewhere() map[string]string {
	return map[string]string{
		"http_req_duration":   "p(95)",
		"http_req_failed":     "error_rate",
		"http_reqs":           "requests",
		"dropped_iterations":  "dropped",
		"rate":                "error_rate or rps",
		"count":               "requests or failures",
		"median":              "med",
		"average":             "avg",
		"std":                 "stddev",
		"errors":              "failures",
		"fail_ratio":          "error_rate",
		"requests_per_second": "rps",
	}
}
