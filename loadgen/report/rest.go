package report

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
)

// rest is what stands below the tables.
func rest(r *result.Result, o Options) document.Facts {
	f := facts{}
	f.add("incomplete", uneven(r)...)
	f.add("status", statuses(r)...)
	f.add("bytes", byteCounts(r)...)
	f.add("drain", drain(r)...)
	f.add("connections", connections(r)...)
	f.add("served by", servedBy(r)...)
	f.add("traces", traces(r)...)
	f.add("generator", generator(r)...)
	f.add("task", task(r)...)
	f.add("published", published(r)...)
	f.add("merged from", sources(r)...)
	f.add("warnings", warnings(r)...)
	f.add("run", identity(r))
	if r.Verdict.ExitCode != 0 {
		f.add("exit", strconv.Itoa(r.Verdict.ExitCode)+": "+r.Verdict.ExitName)
	}
	if o.Dir != "" {
		f.Facts = append(f.Facts,
			document.Fact{Name: "result", Lines: []string{o.Dir}, Verbatim: true},
			document.Fact{Name: "more", Lines: []string{"loadgen report " + quoted(o.Dir) + " -f " + Formats()[1] + "  (or " + strings.Join(Formats()[2:], ", ") + ")"}, Verbatim: true})
	}
	return f.Facts
}

type facts struct{ document.Facts }

func (f *facts) add(name string, lines ...string) {
	if len(lines) > 0 {
		f.Facts = append(f.Facts, document.Fact{Name: name, Lines: lines})
	}
}

// statuses are the answers by their status, the most frequent first.
func statuses(r *result.Result) []string {
	counts := r.Totals.Status
	codes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if len(codes) == 0 {
		return nil
	}
	var texts []string
	var answers int64
	for _, code := range codes {
		answers += counts[code]
		texts = append(texts, code+": "+units.Count(counts[code]))
	}
	if n := r.Totals.Requests - answers; n > 0 {
		texts = append(texts, "none: "+units.Count(n))
	}
	return []string{strings.Join(texts, ", ")}
}

// shownTraces is how many traces of each kind are shown; the result has more.
const shownTraces = 3

// traces are the requests to look up in a tracing system: the slowest that carried a trace, and failures.
func traces(r *result.Result) []string {
	if r.Exemplars == nil {
		return nil
	}
	var lines []string
	for _, x := range r.Exemplars.Slowest[:min(shownTraces, len(r.Exemplars.Slowest))] {
		lines = append(lines, fmt.Sprintf("%s %s %s", units.Milliseconds(x.LatencyMS), x.Endpoint, x.TraceID))
	}
	for _, x := range r.Exemplars.Failed[:min(shownTraces, len(r.Exemplars.Failed))] {
		lines = append(lines, fmt.Sprintf("%s: %s %s", x.Error, x.Endpoint, x.TraceID))
	}
	if more := len(r.Exemplars.Slowest) + len(r.Exemplars.Failed) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("%s more in result.json, exemplars", units.Count(int64(more))))
	}
	return lines
}

// byteCounts are those of bodies.
func byteCounts(r *result.Result) []string {
	t := &r.Totals
	if t.Requests == 0 {
		return nil
	}
	return []string{fmt.Sprintf("received %s, %s a request; sent %s, of bodies", units.Bytes(t.BytesIn), units.Bytes(t.BytesIn/t.Requests), units.Bytes(t.BytesOut))}
}

// drain says how long what was under way at the end took, when that is worth a word.
func drain(r *result.Result) []string {
	took := seconds(r.DurationS) - sendingEnded(r)
	if took < time.Second {
		return nil
	}
	return []string{asTyped(took) + " after the end of the load, until the last answer or --stop-timeout " + r.Plan.StopTimeout.String()}
}

// identity tells this run from others of its kind.
func identity(r *result.Result) string {
	var parts []string
	if r.Name != "" {
		parts = append(parts, r.Name)
	}
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		tags = append(tags, key+"="+r.Tags[key])
	}
	if len(tags) > 0 {
		parts = append(parts, strings.Join(tags, ", "))
	}
	parts = append(parts, "started "+r.StartedAt.UTC().Format("2006-01-02 15:04:05")+" UTC")
	if r.Generator.Version != "" {
		parts = append(parts, "loadgen "+r.Generator.Version)
	}
	return strings.Join(append(parts, "seed "+strconv.FormatUint(r.Plan.Seed, 10)), "; ")
}

// uneven tells of what was planned and did not become a whole request.
func uneven(r *result.Result) []string {
	t := &r.Totals
	var lines []string
	if n := result.Known(t.Unanswered); n > 0 {
		lines = append(lines, fmt.Sprintf("%s had no answer in the whole --stop-timeout %s (unanswered): errors of the service; a latency counts them at their age",
			plural(n, "send"), r.Plan.StopTimeout))
	}
	if n := result.Known(t.Cut); n > 0 {
		lines = append(lines, fmt.Sprintf("%s ended before the stop timeout had passed (cut): nobody knows what would have become of them", plural(n, "send")))
	}
	if n := result.Known(t.Dropped); n > 0 {
		lines = append(lines, fmt.Sprintf("%s of %s due never left (dropped)", units.Count(n), plural(t.Offered, "send")))
	}
	if n := result.Known(t.OwnDrops); n > 0 {
		lines = append(lines, fmt.Sprintf("%s of these had a free user or slot: the generator left them behind", units.Count(n)))
	}
	if t.Dropped == nil && r.StoppedBy == result.StoppedByCut {
		lines = append(lines, "nobody counted what was under way, or due and not sent, when the process ended")
	}
	if t.Truncated > 0 {
		lines = append(lines, fmt.Sprintf("%s longer than --max-body %s, read up to it (truncated)", plural(t.Truncated, "answer"), units.Bytes(r.Plan.Client.MaxBody)))
	}
	if n := r.Health.Clamped; n > 0 {
		lines = append(lines, fmt.Sprintf("%s above 1 h, counted as 1 h (clamped)", pluralOf(n, "latency", "latencies")))
	}
	return lines
}

func connections(r *result.Result) []string {
	c := &r.Connections
	if c.Opened == 0 && c.Reused == 0 {
		return nil
	}
	text := fmt.Sprintf("%s opened, %s reused, %s retried", units.Count(c.Opened), units.Count(c.Reused), units.Count(c.Retried))
	var lines []string
	addresses := slices.Sorted(maps.Keys(c.ByAddress))
	switch len(addresses) {
	case 0:
		lines = append([]string{text}, lines...)
	case 1:
		lines = append([]string{text + ", all to " + addresses[0]}, lines...)
		if !loopback(addresses[0]) {
			hint := "hint: one address only. If the name has several, or gets more as the service scales, "
			if r.Plan.Client.ConnectionMaxAge > 0 || r.Plan.Client.NoKeepAlive {
				hint += "look at its DNS record"
			} else {
				hint += "--connection-max-age 30s opens connections to those too"
			}
			lines = append(lines, hint)
		}
	default:
		texts, _ := shares(c.ByAddress, "addresses")
		lines = append([]string{text, fmt.Sprintf("to %s addresses: %s", units.Count(int64(len(addresses))), strings.Join(texts, ", "))}, lines...)
	}
	return lines
}

// loopback tells that no balancer stands behind an address. A proxy's address that is no IP is not one.
func loopback(address string) bool {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	return a.Addr().IsLoopback()
}

func servedBy(r *result.Result) []string {
	if len(r.ServedBy) == 0 {
		return nil
	}
	texts, total := shares(r.ServedBy, "replicas")
	if len(r.ServedBy) == 1 {
		return []string{texts[0]}
	}
	line := fmt.Sprintf("%s replicas: %s", units.Count(int64(len(r.ServedBy))), strings.Join(texts, ", "))
	if missing := r.Totals.Requests - total; missing > 0 && total > 0 {
		line += fmt.Sprintf("; %s did not say", plural(missing, "request"))
	}
	return []string{line}
}

// generator is the condition of what made the load, on which the verdict rests.
func generator(r *result.Result) []string {
	h := &r.Health
	var parts []string
	if h.Lag.Count > 0 {
		parts = append(parts, fmt.Sprintf("lag p99 %s, max %s", units.Milliseconds(h.Lag.P99), units.Milliseconds(h.Lag.Max)))
	}
	if h.WaitedForSlot.Count > 0 {
		parts = append(parts, fmt.Sprintf("%s waited for a slot, p99 %s", plural(h.WaitedForSlot.Count, "send"), units.Milliseconds(h.WaitedForSlot.P99)))
	}
	if h.CPU.UsedRatioMean.Known() && h.CPU.UsedRatioMax.Known() {
		of := ""
		if limit := r.Generator.CPULimit; limit.Known() && limit > 0 {
			of = fmt.Sprintf(" of %s CPUs", units.Decimal(float64(limit)))
			if limit == 1 {
				of = " of 1 CPU"
			}
			if r.Generator.CPULimitSource != "" {
				of += " (" + r.Generator.CPULimitSource + ")"
			}
		}
		parts = append(parts, fmt.Sprintf("CPU %s, at most %s%s", percent(h.CPU.UsedRatioMean), percent(h.CPU.UsedRatioMax), of))
	}
	for _, x := range []struct {
		name  string
		value result.Reading
	}{{"throttled", h.CPU.ThrottledRatio}, {"steal", h.CPU.StealRatio}, {"GC", h.GCRatio}} {
		if x.value.Known() {
			parts = append(parts, x.name+" "+percent(x.value))
		}
	}
	if h.RSSMaxBytes.Known() {
		parts = append(parts, "memory "+units.Bytes(int64(h.RSSMaxBytes)))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, "; ")}
}

// task is the ECS task that the run was; of a merged result there is none.
func task(r *result.Result) []string {
	t := r.Generator.Task
	if t == nil {
		return nil
	}
	facts := []string{cmp.Or(t.ID, t.ARN)}
	switch {
	case t.Family != "" && t.Revision != "":
		facts[0] += " of " + t.Family + ":" + t.Revision
	case t.Family != "":
		facts[0] += " of " + t.Family
	}
	for _, fact := range []string{t.LaunchType, t.Zone, t.Cluster[strings.LastIndexByte(t.Cluster, '/')+1:]} {
		if fact != "" {
			facts = append(facts, fact)
		}
	}
	return []string{strings.Join(facts, ", ")}
}

func percent(r result.Reading) string { return units.Percent(float64(r)) }

func sources(r *result.Result) []string {
	if len(r.MergedFrom) == 0 {
		return nil
	}
	var names []string
	for i, s := range r.MergedFrom {
		if i == maxReplicas && len(r.MergedFrom) > maxReplicas+1 {
			names = append(names, units.Count(int64(len(r.MergedFrom)-i))+" more")
			break
		}
		name := s.Hostname
		if name == "" {
			name = s.ID
		}
		names = append(names, fmt.Sprintf("%s %s", document.Clip(name, 48), s.Validity))
	}
	return []string{fmt.Sprintf("%s: %s", plural(int64(len(r.MergedFrom)), "generator"), strings.Join(names, ", "))}
}

// published is what became of what was sent elsewhere while the run went on.
func published(r *result.Result) []string {
	var lines []string
	for _, d := range r.Deliveries {
		line := d.To + ": " + units.Count(d.Sent) + " " + d.What
		if d.Calls > 0 {
			line += " in " + plural(d.Calls, "request")
		}
		if d.Retries > 0 {
			line += ", " + units.Count(d.Retries) + " of them a second try"
		}
		lines = append(lines, line)
		if d.Lost > 0 {
			line = fmt.Sprintf("not published: %s of %s %s", units.Count(d.Lost), units.Count(d.Sent+d.Lost), d.What)
			if d.Reason != "" {
				line += ": " + d.Reason
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// warnings leaves out those that a reason of the verdict already told.
func warnings(r *result.Result) []string {
	var lines []string
	if w := neverRan(r); w != "" {
		lines = append(lines, w)
	}
	for _, w := range r.Warnings {
		if !slices.ContainsFunc(r.Verdict.Reasons, func(x result.Reason) bool { return x.Detail == w }) {
			lines = append(lines, w)
		}
	}
	if hidden := len(lines) - maxWarnings; hidden > 0 {
		lines = append(lines[:maxWarnings], fmt.Sprintf("and %s more: see result.json", units.Count(int64(hidden))))
	}
	return lines
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if path != "" && strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+-\\") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
