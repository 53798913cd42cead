// Package measure turns Samples into Windows: one completed request in, one second of the run out.
//
// The Recorder promises that nothing is averaged and nothing is lost. Latencies are counted in the
// buckets of an HDR histogram (3 significant digits, 1 µs to 1 h), so windows can be added in any
// order to give exactly the histogram of all samples. Every sample counts in the window in which it
// ended, and there in the part of the phase in which it was due; windows are cut at whole seconds and
// where a phase ends. What no answer ended stands in the last window. Recording takes a lock that is
// shared by few goroutines, allocates nothing once a second's buckets have been seen, and keeps
// nothing of a request but counts and a bounded number of examples, so that memory grows neither
// with the length of a run nor with the number of processors: 500 endpoints take less than 100 MB.
//
// The package has no clock and starts no goroutine: times come with the samples, and whoever owns
// the run calls [Recorder.Collect]. It does not judge what it counts; see packages validity and gate.
package measure
