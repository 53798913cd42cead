// Package progress writes a run as lines, to be read in a log while it goes on: what was sent and answered since the line before,
// and what capacity did, in order of time.
//
// It promises that each thing is told once, that a line's percentiles are of the sum of its windows, and that a log which nobody takes any
// more ends no run. It decides nothing, has no clock, and writes only to what it is given.
package progress
