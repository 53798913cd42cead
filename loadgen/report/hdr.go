package report

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"math"
	"net/url"
	"time"

	"scalableappbackend/loadgen/result"
)

const (
	// ticksPerHalf is how many lines a distribution has in each half of what is left to 100 %; Java's default.
	ticksPerHalf = 5
	// What Java's footer tells of a histogram of 1 µs to 1 h with three digits.
	hdrBuckets, hdrSubBuckets = 22, 2048
)

// HDR writes percentile distributions of corrected latency in milliseconds, in the text form of Java's
// Histogram.outputPercentileDistribution, which hdr-plot and HdrHistogram's plotFiles.html read.
//
// These tools take a file as one curve. So the distribution over all endpoints stands plain, and
// each endpoint's follows with its name in front of every line, as a comment:
//
//	sed -n 's/^#GET%20%2Fhealth|//p'
//
// makes a file of one. Names are percent-encoded, so that they hold no space and no slash.
func HDR(w io.Writer, r *result.Result, windows iter.Seq2[*result.Window, error]) error {
	if windows == nil {
		return errNoWindows
	}
	var total result.EndpointWindow
	endpoints := make([]result.EndpointWindow, len(r.Endpoints))
	for window, err := range windows {
		if err != nil {
			return err
		}
		for i := range window.Endpoints {
			e := &window.Endpoints[i]
			total.Add(e)
			if e.Endpoint >= 0 && e.Endpoint < len(endpoints) {
				endpoints[e.Endpoint].Add(e)
			}
		}
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "#[loadgen: %s, %d requests, %d errors; corrected latency of successes in ms]\n",
		r.Verdict.Validity, r.Totals.Requests, r.Totals.Failures)
	distribution(b, "", total.Corrected)
	for i := range endpoints {
		distribution(b, "#"+url.PathEscape(r.Endpoints[i].Name)+"|", endpoints[i].Corrected)
	}
	return b.Flush()
}

// distribution writes one histogram, each line after a prefix. Errors stay in w.
func distribution(w *bufio.Writer, prefix string, h *result.Histogram) {
	fmt.Fprintf(w, "%s%12s %14s %10s %14s\n%s\n", prefix, "Value", "Percentile", "TotalCount", "1/(1-Percentile)", prefix)
	n := h.Count()
	var seen int64
	level := 0.0
	for micros, count := range h.Buckets {
		seen += count
		for 100*float64(seen)/float64(n) >= level {
			fmt.Fprintf(w, "%s%12.3f %2.12f %10d %14.2f\n", prefix, highest(micros), level/100, seen, 1/(1-level/100))
			// The next of the steps of this half-distance: 5 up to 50 %, 5 from there to 75 %, and so on.
			halves := math.Floor(math.Log2(100/(100-level))) + 1
			next := level + 100/(ticksPerHalf*math.Exp2(halves))
			if seen == n || next <= level {
				break // one line for the last bucket, then that of 100 %; and no step is too small for a float64
			}
			level = next
		}
	}
	if n > 0 {
		fmt.Fprintf(w, "%s%12.3f %2.12f %10d\n", prefix, milliseconds(h.Max()), 1.0, n)
	}
	fmt.Fprintf(w, "%s#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", prefix, precise(h.Mean()), precise(h.StdDev()))
	fmt.Fprintf(w, "%s#[Max     = %12.3f, Total count    = %12d]\n", prefix, milliseconds(h.Max()), n)
	fmt.Fprintf(w, "%s#[Buckets = %12d, SubBuckets     = %12d]\n", prefix, hdrBuckets, hdrSubBuckets)
}

// highest is the highest latency, in milliseconds, of the bucket that begins at micros. It is the
// histogram's own answer, so that it cannot disagree with a percentile.
func highest(micros int64) float64 {
	var h result.Histogram
	h.Record(time.Duration(micros) * time.Microsecond)
	return milliseconds(h.Max())
}

func precise(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
