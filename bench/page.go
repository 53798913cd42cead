package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// page is what is written.
type page struct {
	machine       string
	before, after string // load averages
	versions      []string
	missing       []string
	tables        []table
	lateness      []late
	latencies     []seen
}

const method = `# Performance

How loadgen compares with the load generators that people would use instead, and where its time goes. This page is
written by ` + "`bench/run.sh`" + `; anyone can run it again.

## Method

In each round all tools run once, in an order that is turned by one from round to round, each pinned to one processor
with the server (nginx, one worker, an answer of 20 bytes from memory) on another. CPU time and memory are what the
system says of the finished process and its children, so that start-up and the writing of results count. How many
requests there were is asked of the server, because the tools do not count alike. Ratios are of runs in the same round,
which had the same weather; what is shown is the median, with minimum and maximum. Each tool runs with its defaults but
for the load that it is to make; Go's are told that they have one processor.
`

const floor = `
## Where the time goes

` + "`loadgen bench`" + `: a request is one send and one receive, and a share of one epoll wait; a test counts them. What
the kernel takes for these, the TCP stack of the loopback included, is the floor of any client of this kind, and the
table says how much of the CPU time it is: some 70 % of all is the send, which on the loopback delivers to the server too,
and 12 % the receive. wrk makes two epoll_ctl more. The rest is reading the answer, whose header is compared with the
last one's, and recording both latencies, lag, first byte and the connection.

` + "`loadgen run`" + `: a request is a send and two receives, waits on Go's netpoller, and what vegeta takes to hand a tick to a
worker through net/http's client: 17 allocations, a test counts them. At a low rate most of the CPU time is waking up:
once to send, once for the answer, which the barest loop cannot do without either. What run takes beyond that loop is in
user space, where code that has slept for milliseconds finds its caches cold: vegeta's hand-over, net/http's client, Go's
scheduler, and a watchdog that wakes up to 200 times a second.

` + "`--cpuprofile FILE`" + ` of run and bench writes a profile for ` + "`go tool pprof`" + `.
`

func (p *page) markdown() string {
	var b strings.Builder
	b.WriteString(method)
	fmt.Fprintf(&b, "\nMeasured on %s: %s; load average %s before and %s after (0 to 1 is a quiet machine; above that\nonly the ratios mean something).\n",
		time.Now().UTC().Format(time.DateOnly), p.machine, p.before, p.after)
	for i := range p.tables {
		p.tables[i].write(&b)
	}
	p.writeLatencies(&b)
	if len(p.lateness) > 0 {
		b.WriteString("\n## Sends at a rate\n\nHow late `loadgen run --rate` sends, by its own figures, in ms; median of the rounds.\n\n| requests/s | p50 | p99 | max | CPU µs a request |\n|---|---|---|---|---|\n")
		for _, l := range p.lateness {
			fmt.Fprintf(&b, "| %d | %.3f | %.3f | %.2f | %.0f |\n", l.rate, l.p50, l.p99, l.most, l.cpu)
		}
	}
	b.WriteString(floor)
	fmt.Fprintf(&b, "\nVersions, as they say themselves:\n\n")
	for _, v := range p.versions {
		fmt.Fprintf(&b, "- %s\n", v)
	}
	if len(p.missing) > 0 {
		b.WriteString("\nLeft out, because not installed:\n\n")
		for _, m := range p.missing {
			fmt.Fprintf(&b, "- %s\n", m)
		}
	}
	return b.String()
}

// full is whether the tools go as fast as they can.
func (t *table) full() bool { return t.profile != "paced" }

// base is what a profile's ratios are to.
func (t *table) base() string {
	base := barest
	if t.full() {
		base = "wrk"
	}
	if slices.Contains(t.names, base) {
		return base
	}
	return t.names[0]
}

func (t *table) write(b *strings.Builder) {
	if len(t.names) == 0 {
		return
	}
	switch t.profile {
	case "pair":
		fmt.Fprintf(b, "\n## Beside wrk\n\n%d connections, %v, %d rounds in which nothing else runs between the two.\n", t.connections, t.duration, t.rounds)
	case "full":
		fmt.Fprintf(b, "\n## As fast as it goes\n\n%d connections, %v, %d rounds; generator and server on a processor each.\n", t.connections, t.duration, t.rounds)
	default:
		fmt.Fprintf(b, "\n## Users who think\n\n%d users, 50 to 200 ms of think time, two endpoints, %v, %d rounds.\n", t.connections, t.duration, t.rounds)
	}
	base := t.base()
	fmt.Fprintf(b, "\n| tool | CPU µs a request: median (min–max) | × %s, median of the rounds | least × least | in the kernel | requests/s | peak RSS MB |\n|---|---|---|---|---|---|---|\n", base)
	names := slices.Clone(t.names)
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(t.cost(x), t.cost(y)) })
	for _, name := range names {
		good := t.good(name)
		if len(good) == 0 {
			fmt.Fprintf(b, "| %s | failed: %v | | | | | |\n", name, t.runs[name][0].err)
			continue
		}
		costs := figures(good, func(r run) float64 { return float64(r.perRequest().Nanoseconds()) / 1e3 })
		shares := figures(good, func(r run) float64 { return 100 * float64(r.kernel) / float64(r.cpu) })
		rates := figures(good, func(r run) float64 { return float64(r.requests) / t.duration.Seconds() })
		sizes := figures(good, func(r run) float64 { return float64(r.rss) / 1e6 })
		fmt.Fprintf(b, "| %s | %.1f (%.1f–%.1f) | %.2f | %.2f | %.0f %% | %.0f | %.0f |\n", name, median(costs), costs[0], costs[len(costs)-1],
			median(t.ratios(name, base)), t.leastRatio(name, base), median(shares), median(rates), median(sizes))
	}
	t.writeWins(b, names)
}

// writeWins says where other tools are ahead of ours.
func (t *table) writeWins(b *strings.Builder, names []string) {
	for _, ours := range names {
		if !strings.HasPrefix(ours, "loadgen") || len(t.good(ours)) == 0 {
			continue
		}
		var less, smaller []string
		for _, name := range names {
			if strings.HasPrefix(name, "loadgen") || name == barest || len(t.good(name)) == 0 {
				continue
			}
			if r := median(t.ratios(name, ours)); r < 1 {
				less = append(less, fmt.Sprintf("%s (%.2f ×)", name, r))
			}
			if t.size(name) < t.size(ours) {
				smaller = append(smaller, fmt.Sprintf("%s (%.0f MB against %.0f)", name, t.size(name), t.size(ours)))
			}
		}
		fmt.Fprintf(b, "\nAhead of %s: in CPU a request %s; in memory %s.\n", ours, listed(less), listed(smaller))
	}
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (t *table) size(name string) float64 {
	return median(figures(t.good(name), func(r run) float64 { return float64(r.rss) / 1e6 }))
}

func (t *table) cost(name string) time.Duration {
	return time.Duration(median(figures(t.good(name), func(r run) float64 { return float64(r.perRequest()) })))
}

func (t *table) good(name string) []run {
	return slices.DeleteFunc(slices.Clone(t.runs[name]), func(r run) bool { return r.err != nil || r.requests <= 0 })
}

// ratios are a tool's cost to another's, round by round: both had the same weather.
func (t *table) ratios(name, base string) []float64 {
	var list []float64
	for i, r := range t.runs[name] {
		if i < len(t.runs[base]) {
			if b := t.runs[base][i]; r.err == nil && b.err == nil && b.perRequest() > 0 && r.requests > 0 {
				list = append(list, float64(r.perRequest())/float64(b.perRequest()))
			}
		}
	}
	slices.Sort(list)
	return list
}

// leastRatio compares the best rounds of both: what remains when nothing disturbed them.
func (t *table) leastRatio(name, base string) float64 {
	cost := func(r run) float64 { return float64(r.perRequest()) }
	x, y := figures(t.good(name), cost), figures(t.good(base), cost)
	if len(x) == 0 || len(y) == 0 || y[0] == 0 {
		return 0
	}
	return x[0] / y[0]
}

func figures(runs []run, figure func(run) float64) []float64 {
	var list []float64
	for _, r := range runs {
		list = append(list, figure(r))
	}
	slices.Sort(list)
	return list
}

// median of sorted numbers; 0 of none.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// loadAverage is that of the last minute.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

// machine says where this was measured, without its name.
func machine() string {
	model := runtime.GOARCH
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s/%s, %d CPUs, %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model, runtime.Version())
}
