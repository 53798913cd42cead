package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// How much of a long list is shown; the rest is counted, and stands in result.json.
const (
	maxEndpoints = 20
	maxFolded    = 10 // endpoints of a table in which each takes two lines
	maxPhases    = 12
	maxErrors    = 8
	maxReplicas  = 6
	maxWarnings  = 5
)

// facts is what a report says, in words and in order, before it is laid out: text and Markdown
// differ in form alone.
type facts struct {
	validity result.Validity
	claims   bool   // the numbers may be said of the service
	load     string // 50 users for 3:00 on http://…
	sum      string // 68,812 requests, 382.3/s, 0 errors
	failing  bool   // the sum holds what should not be: a threshold that failed, or nothing but errors

	notes   []string // what must be known before any number; reasons follow the last one
	reasons []reason

	endpoints   []row
	total       *row // nil when the one endpoint is all there is
	phases      []row
	morePhases  string
	corrected   string // what the word means
	gap         string // raw and corrected are far apart, and why; empty when they are not
	errors      []failure
	moreErrors  string
	failureTime string
	thresholds  []threshold
	rest        []item
	story       *story // nil without a timeline
}

type reason struct {
	level result.Validity
	text  string
}

// row is a line of the table of figures.
type row struct {
	name  string
	stats *result.Stats
}

type failure struct{ count, when, message string }

type threshold struct {
	passed     bool
	expression string
	seen       string
}

// item is a fact with a name.
type item struct {
	name  string
	lines []string
	whole bool // the lines hold what a reader copies: they are not broken
}

func gather(in Input) *facts {
	r := in.Result
	f := &facts{
		validity:  r.Verdict.Validity,
		claims:    r.Verdict.Validity != result.Invalid,
		load:      load(r),
		corrected: "raw: from the send to the end of the answer. corrected: what the service made the send wait before, as well. Successes only; the generator's own lag is in neither.",
		gap:       gap(r),
	}
	f.sum = sum(r, in.Expectations, f.claims)
	f.failing = r.Totals.Requests > 0 && r.Totals.Failures == r.Totals.Requests ||
		slices.ContainsFunc(slices.Concat(r.Thresholds, in.Expectations), func(o result.Outcome) bool { return !o.Passed })
	for _, x := range r.Verdict.Reasons {
		if x.Code != codeCut { // shortened says more
			f.reasons = append(f.reasons, reason{cmp.Or(x.Level, result.Valid), withAdvice(x)})
		}
	}
	f.notes = append(f.notes, shortened(r), silence(r), impatient(r), slowed(r), earlierVersion(r))
	if len(f.reasons) > 0 {
		f.notes = append(f.notes, meaning(f.validity))
	}
	f.notes = slices.DeleteFunc(f.notes, func(n string) bool { return n == "" })
	f.addRows(r)
	f.addErrors(r)
	f.thresholds = outcomes(r.Thresholds)
	f.addRest(r, in.Options)
	return f
}

// silence tells of a service that answered nothing for long. In a closed load one request a user is all that is
// unanswered then, so that no rate of errors shows it.
func silence(r *result.Result) string {
	s := r.Silence
	if s == nil {
		return ""
	}
	from, to := units.Clock(seconds(s.FromS)), units.Clock(seconds(s.ToS))
	if s.ToS >= r.DurationS-1 {
		return "Nothing was answered from " + from + " on, though requests were under way."
	}
	return "Nothing was answered from " + from + " to " + to + ", though requests were under way."
}

// impatient tells of a drain that was shorter than answers took.
func impatient(r *result.Result) string {
	p99, drain := r.Totals.Latency.Corrected.P99, time.Duration(r.Plan.StopTimeout)
	lost := result.Known(r.Totals.Unanswered) + result.Known(r.Totals.Cut)
	if lost == 0 || p99 <= float64(drain.Microseconds())/1000 {
		return ""
	}
	return fmt.Sprintf("--stop-timeout %s is shorter than the p99 of this run, %s: answers that would have come were not waited for.",
		r.Plan.StopTimeout, units.Milliseconds(p99))
}

// slowedRatio is how much the slowest 10 s may fall behind the fastest before it is told.
const slowedRatio = 0.8

// slowed tells of users who were held up: a slower service is asked less in a closed load.
func slowed(r *result.Result) string {
	p := r.Pace
	if p == nil || p.Slowest >= slowedRatio*p.Fastest {
		return ""
	}
	return fmt.Sprintf("Users slowed down with the service: %s in their fastest 10 s, %s in their slowest. With --rate it would have been asked as much all the time.",
		units.Rate(p.Fastest), units.Rate(p.Slowest))
}

// earlierVersion says what a result of an earlier version means by its words.
func earlierVersion(r *result.Result) string {
	if r.Schema != result.SchemaV1 {
		return ""
	}
	return "This result is of an earlier loadgen (" + result.SchemaV1 + "): its phases are by completion, and its corrected latency holds the generator's own lag."
}

// sum is the run in one line. Of an INVALID one it holds counts and no rate, which would read as
// what the service can do.
func sum(r *result.Result, expectations []result.Outcome, claims bool) string {
	t := &r.Totals
	parts := []string{plural(t.Requests, "request")}
	if t.Requests == 0 {
		parts[0] = "no request completed"
	}
	if claims && t.Requests > 0 {
		parts = append(parts, units.Rate(t.RequestsPerSecond))
	}
	switch {
	case t.Requests == 0:
	case t.Failures == t.Requests:
		parts = append(parts, "all of them errors")
	case t.Failures > 0:
		parts = append(parts, fmt.Sprintf("%s (%s)", plural(t.Failures, "error"), units.Percent(t.ErrorRate)))
	default:
		parts = append(parts, "0 errors")
	}
	if n := result.Known(t.Unanswered); n > 0 {
		parts = append(parts, units.Count(n)+" unanswered")
	}
	if n := result.Known(t.Cut); n > 0 {
		parts = append(parts, units.Count(n)+" cut")
	}
	if claims {
		parts = append(parts, judged("threshold", r.Thresholds)...)
		parts = append(parts, judged("expectation", expectations)...)
	}
	return strings.Join(parts, ", ")
}

// judged is how many outcomes of a kind there were, and how many failed.
func judged(kind string, outcomes []result.Outcome) []string {
	n, failed := len(outcomes), 0
	for _, o := range outcomes {
		if !o.Passed {
			failed++
		}
	}
	switch {
	case n == 0:
		return nil
	case failed == 0:
		return []string{plural(int64(n), kind) + " passed"}
	case n == 1:
		return []string{kind + " failed"}
	}
	return []string{fmt.Sprintf("%s of %s failed", units.Count(int64(failed)), plural(int64(n), kind))}
}

func (f *facts) addRows(r *result.Result) {
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		f.endpoints = append(f.endpoints, row{clean(e.Name), &e.Stats})
	}
	if len(r.Endpoints) != 1 {
		f.total = &row{"all endpoints", &r.Totals.Stats}
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		name := fmt.Sprintf("%s %s-%s", clean(p.Name), units.Clock(seconds(p.FromS)), units.Clock(seconds(p.ToS)))
		f.phases = append(f.phases, row{name, &p.Totals})
	}
	if hidden := len(f.phases) - maxPhases; hidden > 0 {
		f.phases = f.phases[:maxPhases]
		f.morePhases = fmt.Sprintf("and %s more: see result.json", units.Count(int64(hidden)))
	}
}

// top are the endpoints in the plan's order; of more than limit, those with most errors and then
// most requests, and a word on the others.
func (f *facts) top(limit int) (rows []row, more string) {
	hidden := len(f.endpoints) - limit
	if hidden <= 0 {
		return f.endpoints, ""
	}
	rows = slices.SortedStableFunc(slices.Values(f.endpoints), func(a, b row) int {
		return cmp.Or(cmp.Compare(b.stats.Failures, a.stats.Failures), cmp.Compare(b.stats.Requests, a.stats.Requests))
	})
	by := "most requests"
	if rows[0].stats.Failures > 0 {
		by = "most errors, then most requests"
	}
	return rows[:limit], fmt.Sprintf("and %s more: see result.json. These are the %d with %s.", units.Count(int64(hidden)), limit, by)
}

func (f *facts) addErrors(r *result.Result) {
	errors := slices.Clone(r.Totals.Errors)
	slices.SortStableFunc(errors, func(a, b result.ErrorJSON) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Message, b.Message))
	})
	if hidden := len(errors) - maxErrors; hidden > 0 {
		var n int64
		for _, e := range errors[maxErrors:] {
			n += e.Count
		}
		errors = errors[:maxErrors]
		f.moreErrors = fmt.Sprintf("and %s of %s: see result.json", plural(n, "error"), plural(int64(hidden), "more kind"))
	}
	for _, e := range errors {
		first, last := units.Clock(e.FirstAt.Sub(r.StartedAt)), units.Clock(e.LastAt.Sub(r.StartedAt))
		when := "first " + first + ", last " + last
		if e.Count == 1 {
			when = "at " + first
		}
		f.errors = append(f.errors, failure{units.Count(e.Count), when, clean(e.Message)})
	}
	if l := r.Totals.Latency.Failed; l.Count > 0 {
		f.failureTime = "time to failure: " + spread(l)
	}
}

// outcomes are thresholds or expectations as they are shown.
func outcomes(all []result.Outcome) []threshold {
	shown := make([]threshold, len(all))
	for i, o := range all {
		shown[i] = threshold{o.Passed, clean(o.Expression), seen(o)}
	}
	return shown
}

// seen is what a threshold saw.
func seen(o result.Outcome) string {
	switch {
	case o.Detail != "":
		return clean(o.Detail)
	case !o.Value.Known():
		return "no data"
	}
	return "was " + units.Decimal(float64(o.Value))
}

// codeCut is the code of the reason that package result gives a run that was cut.
const codeCut = "cut"

// withAdvice adds what to do where the reason does not say it itself. The codes are those of
// package validity's rules.
func withAdvice(r result.Reason) string {
	advice := ""
	switch r.Code {
	case "max_in_flight":
		advice = ": lower the load to what the target keeps up with, or raise --max-in-flight if it can take more at once"
	case "backlog":
		advice = ": fewer users or a longer --pacing is a load that the target keeps up with"
	case "nothing_sent":
		advice = ": run for longer, or look at what stopped it"
	case "probe_unknown":
		advice = "; watch it by other means where the result matters"
	}
	return clean(r.Detail) + advice
}

// shares lists names by how often they were counted.
func shares(counts map[string]int64, unit string) (texts []string, total int64) {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		total += counts[name]
	}
	for i, name := range names {
		if i == maxReplicas && len(names) > maxReplicas+1 {
			var rest int64
			for _, name := range names[i:] {
				rest += counts[name]
			}
			texts = append(texts, fmt.Sprintf("%s more %s (%s)", units.Count(int64(len(names)-i)), unit, units.Percent(float64(rest)/float64(total))))
			break
		}
		texts = append(texts, fmt.Sprintf("%s %s (%s)", clip(clean(name), 48), units.Count(counts[name]), units.Percent(float64(counts[name])/float64(total))))
	}
	return texts, total
}

// sendingEnded is when the load ended on the run's clock, the drain not included.
func sendingEnded(r *result.Result) time.Duration {
	for _, p := range r.Phases {
		if p.Name == plan.Drain {
			return seconds(p.FromS)
		}
	}
	return seconds(r.DurationS)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func plural(n int64, noun string) string { return pluralOf(n, noun, noun+"s") }

func pluralOf(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return units.Count(n) + " " + many
}
