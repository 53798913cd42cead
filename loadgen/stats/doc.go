// Package stats has the few statistics that a comparison of runs needs: Student's t, Welch's
// interval, Holm's correction, and change points by E-divisive means.
//
// Everything is a function of its arguments: no clock, no global source of chance. Samples are never
// changed. What cannot be said from a sample is NaN or an infinite interval, never a guess.
package stats

// Interval is an estimate and the bounds that hold the truth with the confidence asked for.
type Interval struct {
	Estimate, Low, High float64
	P                   float64 // two-sided, of the hypothesis that the truth is 0
	Confidence          float64 // of Low and High
}
