// Package result is what a run leaves: types, files, and how several runs become one.
//
// While a run goes on, its [Window] values go to sinks: to a [Builder], which sums them up, and to a
// [Writer], which keeps them in a directory:
//
//	plan.json      what was to be sent, by whom, to which endpoints in which phases; first
//	windows.jsonl  a line an interval: counts, and every histogram but those of latencies
//	latency.hlog   HdrHistogram's log: raw, corrected and failed latencies by interval and endpoint
//	events.jsonl   what happened, a line an event, at once
//	.reserve       room on the disk for result.json while the run goes on
//	result.json    the [Result]: last, and atomically, so that its presence means complete
//
// docs/result-format.md is the contract for those who read the files, and SchemaJSON the JSON Schema
// of result.json. [Open] reads a directory again, complete or cut, [Opened.Windows] its intervals, and
// [Merge] adds up the results of several generators. The same Builder serves the live run, a run that
// is read again and a merged one, so that their figures agree by construction.
//
// Versions: each document names its schema, loadgen/result/v1 and loadgen/plan/v1. Fields may be
// added to a version, and readers pass over those that they do not know; none is removed or changes
// its meaning. A directory that any release wrote can be read for ever: testdata/v1 holds one.
//
// Ownership: a Window that was handed to a sink is immutable, and what a sink keeps of it, it
// copies. A Window that Opened or Merged yields is the caller's.
//
// What the package refuses: to write into a directory that holds something; to average a latency
// (histograms are added, and only their sums have percentiles); to add up runs of different
// loads; to read what a run cannot have left. It does not judge: validity, thresholds and exit
// codes are handed in. It does not print, read the environment, or know any format but its own.
package result
