// Package report writes a result for people and for programs. For people it builds a document of blocks (see [Document]),
// which package document prints as text or as Markdown. For programs it writes JSON, Locust's CSV, JUnit and
// HdrHistogram's percentile distribution.
//
// It promises that every format says the same: all are made of one [result.Result], and where a
// format needs more digits than that holds, of the windows beside it. A document begins with what people look for
// first: the verdict, requests, rate and errors with their endpoint, then latencies and limits. It shows raw and corrected latency
// side by side, and when they are far apart it names the cause.
//
// If there is a timeline of capacity, the document has a chart of load, latency
// and capacity on one time axis, what the autoscaler did in AWS's words, and the expectations. Simulations
// and sweeps have writers of their own. Times in brackets are simulated time. Only the length of chaos is computed here; all other
// figures are those of package timeline.
//
// The report of an INVALID run has every number and says that they do not describe the service. Users that never
// started are not counted as users of the run.
//
// The same input gives the same bytes. The package measures and judges nothing, and
// prints numbers for people through package units alone.
package report
