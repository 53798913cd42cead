package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// How much of a long list is shown; the rest is counted, and stands in result.json.
const (
	maxEndpoints = 20
	maxPhases    = 12
	maxErrors    = 8
	maxReplicas  = 6
	maxWarnings  = 5
)

// Document is what is said of a run, in the order in which it is read: the verdict with requests, rate and errors;
// the errors; the latencies; the limits; the story of scaling; then all that is there to be looked up.
func Document(in Input) *document.Document {
	r, d := in.Result, &document.Document{}
	d.Add(verdict(in))
	if !claims(r) {
		d.Add(document.Note{Tone: document.Strong, Text: "What the generator saw. These numbers describe the generator, not the service."})
	}
	if t := errorTable(r); len(t.Rows) > 0 {
		d.Add(t)
	}
	if t := latencies(r); len(t.Rows) > 0 {
		d.Add(t)
	}
	if text := gap(r); text != "" {
		d.Add(document.Note{Tone: document.Strong, Lead: "The gap", Text: text})
	}
	d.Add(limits(in))
	if in.Timeline != nil {
		d.Add(scaling(in)...)
	}
	if in.Options.Height == 0 || in.Options.Height >= tall {
		if h := histogram(in); len(h.Bins) > 0 {
			d.Add(h)
		}
	}
	d.Add(figures(r))
	d.Add(document.Note{Tone: document.Dim, Text: "raw: from the send to the end of the answer. corrected: what the service made the send wait before, as well. Successes only; the generator's own lag is in neither."})
	d.Add(rest(r, in.Options))
	return d
}

// tall is how many lines a terminal has that shows a histogram, too.
const tall = 40

// claims says whether the numbers may be said of the service.
func claims(r *result.Result) bool { return r.Verdict.Validity != result.Invalid }

func toneOf(v result.Validity) document.Tone {
	switch v {
	case result.Valid:
		return document.StrongGood
	case result.Suspect:
		return document.StrongWarn
	}
	return document.StrongBad
}

// verdict is the answer. Of an INVALID run its sum holds counts and no rate, which would read as what the service can do.
func verdict(in Input) document.Verdict {
	r := in.Result
	v := document.Verdict{
		Word: string(r.Verdict.Validity), Tone: toneOf(r.Verdict.Validity), What: load(r),
		Sum: sum(r, in.Expectations), SumTone: document.Strong,
	}
	if r.Totals.Requests > 0 && r.Totals.Failures == r.Totals.Requests ||
		slices.ContainsFunc(slices.Concat(r.Thresholds, in.Expectations), func(o result.Outcome) bool { return !o.Passed }) {
		v.SumTone = document.Bad
	}
	for _, x := range r.Verdict.Reasons {
		if x.Code == codeCut { // shortened says more
			continue
		}
		text := withAdvice(x)
		if cmp.Or(x.Level, result.Valid) == result.Valid {
			text = "note: " + text
		}
		v.Reasons = append(v.Reasons, text)
	}
	v.Notes = []string{shortened(r), silence(r), impatient(r), slowed(r), earlierVersion(r)}
	if len(v.Reasons) > 0 {
		v.Notes = append(v.Notes, meaning(r.Verdict.Validity))
	}
	v.Notes = slices.DeleteFunc(v.Notes, func(n string) bool { return n == "" })
	return v
}

// sum is the run in one line: requests, rate, errors, and what became of the limits.
func sum(r *result.Result, expectations []result.Outcome) string {
	t := &r.Totals
	parts := []string{plural(t.Requests, "request")}
	if t.Requests == 0 {
		parts[0] = "no request completed"
	}
	if claims(r) && t.Requests > 0 {
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
	if claims(r) {
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

// errorTable is what failed where, the most frequent first.
func errorTable(r *result.Result) document.Table {
	type failure struct {
		endpoint string
		result.ErrorJSON
	}
	var all []failure
	for i := range r.Endpoints {
		for _, e := range r.Endpoints[i].Errors {
			all = append(all, failure{r.Endpoints[i].Name, e})
		}
	}
	slices.SortStableFunc(all, func(a, b failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Message, b.Message))
	})
	t := document.Table{Label: "errors", Columns: []document.Column{
		{Right: true}, {Head: "endpoint"}, {Head: "error", Wrap: true}, {Head: "when", Spare: 1},
	}}
	for i, e := range all {
		if i == maxErrors {
			var n int64
			for _, more := range all[i:] {
				n += more.Count
			}
			t.Rows = append(t.Rows, document.Row{Note: fmt.Sprintf("and %s of %s: see result.json", plural(n, "error"), plural(int64(len(all)-i), "more kind"))})
			break
		}
		first, last := units.Clock(e.FirstAt.Sub(r.StartedAt)), units.Clock(e.LastAt.Sub(r.StartedAt))
		when := "first " + first + ", last " + last
		if e.Count == 1 || first == last {
			when = "at " + first
		}
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{
			{Text: units.Count(e.Count), Tone: document.Bad}, {Text: e.endpoint, IsCode: true}, {Text: e.Message}, {Text: when, Tone: document.Dim},
		}})
	}
	return t
}

// latencies are those of the whole run, what people look for first on the left.
func latencies(r *result.Result) document.Table {
	t := document.Table{Columns: []document.Column{
		{Head: "latency, ms"},
		{Head: "p50", Right: true}, {Head: "p95", Right: true}, {Head: "p99", Right: true}, {Head: "max", Right: true},
		{Head: "mean", Right: true, Spare: 1}, {Head: "min", Right: true, Spare: 2}, {Head: "p90", Right: true, Spare: 3}, {Head: "p99.9", Right: true, Spare: 4},
	}}
	l := &r.Totals.Latency
	for _, row := range []struct {
		name string
		*result.Latency
		tone document.Tone
	}{
		{"corrected", &l.Corrected, document.Strong}, {"raw", &l.Raw, document.Plain},
		{"failed", &l.Failed, document.Plain}, {"first byte", &l.FirstByte, document.Dim}, {"connect", &l.Connect, document.Dim},
	} {
		if row.Count == 0 {
			continue
		}
		cells := []document.Cell{{Text: row.name, Tone: row.tone}}
		for _, v := range []float64{row.P50, row.P95, row.P99, row.Max, row.Mean, row.Min, row.P90, row.P999} {
			cells = append(cells, document.Cell{Text: inMilliseconds(v), Tone: row.tone})
		}
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	return t
}

// inMilliseconds is a latency without the unit that the table's head names; other units stay.
func inMilliseconds(v float64) string { return strings.TrimSuffix(units.Milliseconds(v), " ms") }

// limits are the thresholds, each with what was seen.
func limits(in Input) document.List {
	l := document.List{Name: "thresholds", Items: outcomes(in.Result.Thresholds)}
	if len(in.Expectations) == 0 {
		l.None = "none, so any numbers pass; e.g. --threshold 'p(99)<50ms'"
	}
	if len(l.Items) > 0 && !claims(in.Result) {
		l.Items = append(l.Items, document.Item{Text: "They were judged on what the generator saw, and say nothing of the service."})
	}
	return l
}

// outcomes are thresholds or expectations as they are shown.
func outcomes(all []result.Outcome) []document.Item {
	items := make([]document.Item, len(all))
	for i, o := range all {
		items[i] = document.Item{Mark: document.Failed, Lead: spaced(o.Expression), IsCode: true, Text: seen(o)}
		if o.Passed {
			items[i].Mark = document.Passed
		}
	}
	return items
}

// seen is what a threshold saw.
func seen(o result.Outcome) string {
	switch {
	case o.Detail != "":
		return o.Detail
	case !o.Value.Known():
		return "no data"
	}
	return "was " + units.Decimal(float64(o.Value))
}

// figures are counts, rate and latencies by endpoint and by phase.
func figures(r *result.Result) document.Table {
	t := document.Table{Columns: []document.Column{
		{Head: "endpoint"}, {Head: "requests", Right: true}, {Head: "errors", Right: true}, {Head: "rate", Right: true},
	}}
	for _, group := range [2]string{"raw, ms", "corrected, ms"} {
		for _, head := range [4]string{"p50", "p95", "p99", "max"} {
			t.Columns = append(t.Columns, document.Column{Head: head, Group: group, Right: true})
		}
	}
	shown, more := top(r)
	for _, e := range shown {
		t.Rows = append(t.Rows, statsRow(document.Cell{Text: e.Name, IsCode: true}, &e.Stats))
	}
	if more != "" {
		t.Rows = append(t.Rows, document.Row{Note: more})
	}
	if len(r.Endpoints) != 1 {
		t.Rows = append(t.Rows, statsRow(document.Cell{Text: "all endpoints", Tone: document.Strong}, &r.Totals.Stats))
	}
	phases := slices.DeleteFunc(slices.Clone(r.Phases), func(p result.Phase) bool { return p.Name == plan.Drain && p.Totals.Requests == 0 })
	if len(phases) < 2 && len(phases) == len(r.Phases) {
		return t
	}
	t.Rows = append(t.Rows, document.Row{Sub: "phase"})
	for i := range phases {
		if i == maxPhases && len(phases) > maxPhases+1 {
			t.Rows = append(t.Rows, document.Row{Note: fmt.Sprintf("and %s more: see result.json", units.Count(int64(len(phases)-i)))})
			break
		}
		p := &phases[i]
		row := statsRow(document.Cell{Text: fmt.Sprintf("%s %s-%s", p.Name, units.Clock(seconds(p.FromS)), units.Clock(seconds(p.ToS)))}, &p.Totals)
		if p.Name == plan.Drain {
			row.Cells[3].Text = units.None // a moment in which nothing is due has no rate
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func statsRow(name document.Cell, s *result.Stats) document.Row {
	errors := document.Cell{Text: units.Count(s.Failures)}
	if s.Failures > 0 {
		errors.Tone = document.Bad
	}
	cells := []document.Cell{name, {Text: units.Count(s.Requests)}, errors, {Text: units.Rate(s.RequestsPerSecond)}}
	for _, l := range [2]*result.Latency{&s.Latency.Raw, &s.Latency.Corrected} {
		for _, v := range [4]float64{l.P50, l.P95, l.P99, l.Max} {
			text := units.None
			if l.Count > 0 {
				text = inMilliseconds(v)
			}
			cells = append(cells, document.Cell{Text: text})
		}
	}
	return document.Row{Cells: cells}
}

// top are the endpoints in the plan's order; of too many, those with most errors and then
// most requests, and a word on the others.
func top(r *result.Result) (shown []result.Endpoint, more string) {
	hidden := len(r.Endpoints) - maxEndpoints
	if hidden <= 0 {
		return r.Endpoints, ""
	}
	shown = slices.SortedStableFunc(slices.Values(r.Endpoints), func(a, b result.Endpoint) int {
		return cmp.Or(cmp.Compare(b.Failures, a.Failures), cmp.Compare(b.Requests, a.Requests))
	})
	by := "most requests"
	if shown[0].Failures > 0 {
		by = "most errors, then most requests"
	}
	return shown[:maxEndpoints], fmt.Sprintf("and %s more: see result.json. These are the %d with %s.", units.Count(int64(hidden)), maxEndpoints, by)
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
