// Package progress writes lines about a run while it goes on, for a log: what was sent and answered since the last line,
// and what capacity did, in order of time.
//
// Each event is written once. Percentiles of a line are computed from the sum of its windows. A log that can no longer be
// written does not end the run. The package decides nothing, has no clock, and writes only to the writer that it is given.
package progress
