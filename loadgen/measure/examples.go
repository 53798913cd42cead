package measure

import (
	"cmp"
	"slices"
	"time"

	"scalableappbackend/loadgen/result"
)

// keeper chooses examples among requests: the slowest of the run, and the first failures of each kind.
type keeper struct {
	// floor is the latency that a request must exceed to be among the slowest so far.
	floor time.Duration
	kept  map[failKey]int // failures kept so far

	slowest []result.Example // of the windows collected, slowest first; the collector's own
}

// examplesPerFailure keeps one frequent failure from crowding out a rare one.
const examplesPerFailure = 3

type failKey struct {
	endpoint int
	kind     Kind
	status   int
}

func newKeeper() keeper { return keeper{kept: map[failKey]int{}} }

// keep keeps a request in its window's examples, when it is one.
func (k *keeper) keep(r *Recorder, in *examples, x *Sample) {
	if x.Kind == KindNone {
		if x.corrected() > k.floor {
			in.keepSlow(x, r.cfg.Endpoints[x.Endpoint].Name)
		}
		return
	}
	key := failKey{x.Endpoint, x.Kind, x.Status}
	if k.kept[key] >= examplesPerFailure || len(k.kept) > result.MaxExamples {
		return
	}
	k.kept[key]++
	in.failed = append(in.failed, result.Example{
		At: x.Sent, Endpoint: r.cfg.Endpoints[x.Endpoint].Name, Status: x.Status, Latency: x.End - x.Sent,
		ServedBy: x.servedBy(), Error: r.message(x.Kind, x.Status), Retried: x.Retries > 0, TraceID: x.Trace.String(),
	})
}

// take takes the examples of a window that ended, in order: of the slow ones those that are among the slowest of the run so
// far. It is the collector's.
func (k *keeper) take(of *examples) (slow, failed []result.Example) {
	slices.SortStableFunc(of.slow, func(a, b result.Example) int { return cmp.Compare(b.Latency, a.Latency) })
	slices.SortStableFunc(of.failed, func(a, b result.Example) int { return cmp.Compare(a.At, b.At) })
	for _, x := range of.slow {
		if len(k.slowest) == result.MaxExamples && x.Latency <= k.slowest[result.MaxExamples-1].Latency {
			continue
		}
		slow = append(slow, x)
		at, _ := slices.BinarySearchFunc(k.slowest, x, func(a, b result.Example) int { return int(b.Latency - a.Latency) })
		k.slowest = slices.Insert(k.slowest, at, x)
		k.slowest = k.slowest[:min(len(k.slowest), result.MaxExamples)]
	}
	return slow, of.failed
}

// rise raises the floor to what the collected windows hold. The recorder is locked.
func (k *keeper) rise() {
	if len(k.slowest) == result.MaxExamples {
		k.floor = k.slowest[result.MaxExamples-1].Latency
	}
}
