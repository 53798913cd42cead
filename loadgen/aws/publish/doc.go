// Package publish puts what a run measures into Amazon CloudWatch while it goes on, as metrics under fixed names and
// dimensions (see [Metrics]).
//
// Latencies are published as distributions, a value and a count each, over the buckets of one [Grid]. The grid does not
// depend on what was measured: every task of a run, in every period, rounds to the same values, within 1 %. So CloudWatch may
// add the datums of tasks and minutes, and a percentile that it computes of the sum is one of all requests. Values chosen anew
// for each datum would bound the error of that datum alone. What CloudWatch does to values that it was given is its own: it
// documents no bound for its percentiles.
//
// Everything else is one datum for each whole period of 60 s or 1 s of the wall clock, so that the statistic Sum of a period
// adds up tasks. The gauges LatencyP50 and LatencyP99 are of one generator's requests, and are left out where the run is one
// of several tasks: CloudWatch would average percentiles.
//
// [CloudWatch] is a sink that calls PutMetricData and needs cloudwatch:PutMetricData, for the namespace. It collects in the
// sink's goroutine and sends in one of its own, so that an endpoint which is slow or gone holds up nothing. What was refused
// for a time is tried again, with backoff, until the run has to end; what is lost then, or is refused for good, is counted
// (result.Delivery). PutMetricData cannot be told that a call is a repetition: where an answer was lost, a second try may count
// a datum twice, and Delivery says how many second tries there were. [EMF] is a sink that calls nothing: it writes lines in
// CloudWatch's embedded metric format, which the awslogs driver of a task takes to CloudWatch Logs, and CloudWatch makes
// metrics of. It has no documented form for a distribution, so it writes counts and gauges only.
//
// The package does not read the environment. No part of it has met AWS: docs/cloudwatch.md says what it was tested with.
package publish
