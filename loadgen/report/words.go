package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
)

// spaced is an expression as it is read: p(99)<50ms is p(99) < 50 ms. What stands in a scope's braces is a name, and stays.
func spaced(expression string) string {
	head := ""
	if end := strings.LastIndexByte(expression, '}'); end >= 0 {
		head, expression = expression[:end+1], expression[end+1:]
	}
	at := strings.IndexAny(expression, "<>=!")
	if at < 0 {
		return head + expression
	}
	end := at
	for end < len(expression) && strings.IndexByte("<>=!", expression[end]) >= 0 {
		end++
	}
	left, operator, right := strings.TrimSpace(expression[:at]), expression[at:end], strings.TrimSpace(expression[end:])
	digits := len(right) - len(strings.TrimLeft(right, "0123456789."))
	switch unit := right[digits:]; unit {
	case "µs", "us", "ms", "s", "%", "/s", "B", "KiB", "MiB", "GiB":
		if digits > 0 {
			right = right[:digits] + " " + unit
		}
	}
	return strings.TrimSpace(head + left + " " + operator + " " + right)
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
		texts = append(texts, fmt.Sprintf("%s %s (%s)", document.Clip(name, 48), units.Count(counts[name]), units.Percent(float64(counts[name])/float64(total))))
	}
	return texts, total
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// asTyped is a length of the run as a person would type it: 3m, 1m12s, 6.4s.
func asTyped(d time.Duration) string {
	if d < 10*time.Second {
		return units.Duration(d.Round(100 * time.Millisecond))
	}
	return units.Duration(d.Round(time.Second))
}

func plural(n int64, noun string) string { return pluralOf(n, noun, noun+"s") }

func pluralOf(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return units.Count(n) + " " + many
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
	return r.Detail + advice
}
