// Package timeline is what capacity did during a run: a [Timeline] of change points, and the [Figures] that say how
// well capacity followed load.
//
// The lab, a simulation and a reader of AWS all produce this one form. Figures are integrated
// exactly over the change points, never sampled. Every figure has its formula and its source in its doc comment.
// What is unknown is null in JSON and nil here, never 0: figures that need the capacity of a task are
// unknown without it.
//
// It does not guess: a list out of order, or an instant after the end of
// the observation, is an error that names the field ([Timeline.Validate]), and is neither sorted nor clamped. More healthy
// tasks than running ones are kept and reported ([Timeline.Contradictions]), because sources report with different delays. The
// package decides nothing, has no clock, and does no I/O.
//
// # Time
//
// Every instant is on the run's clock: 0 is its start, in real time. Alarms, cooldowns, provisioning and
// draining run in simulated time, Speedup times faster, so each length of time is given as a [Span] with both.
// Task-hours and the share of time in which something held are of simulated time; rates and counts of requests are of
// the run's, in which they were sent.
//
// A [Point] holds from its instant until the next one, the last until End. Stretches of time include their
// start and not their end: what changes at the very instant at which load ends did not happen under load. Only the
// observation includes its end, so that a run that stops as soon as capacity is back at the minimum shows it.
//
// # Order
//
// Every list is in order of time, tasks by Requested. No two points and no two changes of bounds have the same
// instant, because what held at it would be open; other lists may repeat one, in the order in which things happened. The first
// point is at or before LoadFrom. LoadFrom ≤ LoadTo ≤ End, and nothing is later than End. A [Recorder] puts
// reports that come in late in their place.
//
// # Sources
//
// Elasticity in tasks of supply and demand, its accuracy (θ, a) and time share (τ): Herbst et al., "Ready for Rain? A
// View from SPEC Research on the Future of Cloud Metrics", SPEC-RG-2016-01 (arXiv:1604.03470), called [Herbst]
// below. Statuses, alarm states and not-scaled reasons are the words of AWS's Application Auto Scaling
// (DescribeScalingActivities) and CloudWatch. What is defined here for want of a source says so.
package timeline
