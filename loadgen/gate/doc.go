// Package gate judges a run against what was expected of it: it parses expressions, evaluates them
// on what was measured, and gives one [result.Outcome] for each, from which report, JUnit file and
// exit code are made.
//
// It promises that a threshold passes only on evidence: one whose metric has no data fails and
// says so, as does one whose scope measured nothing. Before anything is sent it refuses expressions that
// could only pass or only mislead: see [Parse] and [Check]. It measures nothing, adds up only
// what [Metrics.Add] is given, and knows no exit code.
//
// # Grammar
//
// There is one language. An expression about requests is a threshold, one about capacity an expectation. Where a threshold
// is wanted an expectation is refused by name, and the other way round.
//
//	expression = threshold | expectation .
//	threshold  = [ scope ":" ] metric operator limit .
//	scope      = "{" ( endpoint | phase | endpoint "," phase | phase "," endpoint ) "}" .
//	phase      = "phase" ":" name .
//	endpoint   = name | quoted .
//	metric     = latency | share | counter .
//	share      = [ ( "corrected" | "raw" ) "." ] "within" "(" limit ")" .
//	latency    = [ which "." ] statistic .
//	which      = "corrected" | "raw" | "failed" | "first_byte" | "connect" .
//	statistic  = "p" "(" number ")" | "avg" | "mean" | "med" | "min" | "max" | "stddev" .
//	counter    = "error_rate" | "rps" | "requests" | "failures" | "abandoned" | "retried"
//	           | "truncated" | "redirects" | "bytes_in" | "bytes_out"
//	           | "offered" | "sent" | "dropped" .
//	operator   = "<" | "<=" | ">" | ">=" | "==" | "===" | "!=" .
//	limit      = number [ unit ] .
//	unit       = "us" | "µs" | "ms" | "s"             (* of a latency; ms when there is none *)
//	           | "%"                                  (* of error_rate and within; without it a ratio below 1 *)
//	           | "/s"                                 (* of rps *)
//	           | "B" | "KiB" | "MiB" | "GiB" .        (* of bytes_in and bytes_out; B when there is none *)
//	number     = digits with at most one point, and outside p() an exponent if need be .
//
//	expectation = figure operator number
//	            | duration order time
//	            | path ( "==" | "!=" ) count { "," count }
//	            | "healthy" ">=" "demand" "at" "steady"
//	            | level operator ( count | level ) [ "at" moment ] .
//	figure      = "max_tasks" | "min_tasks" | "max_healthy" | "min_healthy" | "max_desired" | "min_desired"
//	            | "activities" | "oscillations" | "overshoot" | "task_hours" | "errors" | "retried" .
//	duration    = "scale_out_within" | "back_to_min_within" | "time_under_provisioned" | "time_over_provisioned" .
//	path        = "scale_out_path" | "scale_in_path" .
//	level       = "tasks" | "running" | "healthy" | "desired" | "draining" .
//	moment      = "steady" | "end" .
//	order       = "<" | "<=" | ">" | ">=" .        (* of durations and task_hours, which are never exactly anything *)
//	count       = a whole number; of task_hours with at most one point .
//	time        = as of --run-time: 6m, 1h30m, 90s; a bare number is seconds .
//
// White space is allowed between any two of these and means nothing. running is another word for tasks.
//
// The name of an endpoint is anything: what follows a scope holds no brace, so the last "}" of the
// expression ends the scope whatever the name holds. A phase is recognised as the last item of the
// scope or as the first. Names that would be taken for something else, or that begin or end with
// white space, are written in double quotes with Go's escapes: {"phase:steady"}:rps>1. (So can be
// a name with the ";" that separates expressions in the environment: {"a\x3bb"}:rps>1.)
//
// # Meaning of a threshold
//
// A latency that is not named is the corrected one. raw and corrected are of successes, failed is
// the time to failure, first_byte is of successes, connect of requests that opened a connection.
// Percentiles lie above 0 and go up to 100, which is max; there is no p(0), because a percentile
// names the upper end of a bucket and min the lower. avg is mean and med is p(50).
//
// A threshold covers what was due in its scope, whenever it was answered: without one all endpoints,
// and the whole run but its warm-up; with a phase all phases of that name together. Nothing is due in
// the drain, so it is no scope. rps alone goes by time: what completed within the scope ÷ its length.
//
// What was never answered counts: unanswered requests (no answer in the whole stop timeout) are
// failures, and so in error_rate. Percentiles and max are of successes and of all unanswered or cut
// requests that were at least as old as the limit, at their age; "≥" stands before a value that is an
// age. within(L) is the share of all requests that were answered well within L, of those cut only with
// what was at least L old. Mean, min and deviation are of successes.
//
// offered, sent and dropped are counted for the run as a whole and take no scope.
//
// # Meaning of an expectation
//
// Tasks are running ones, draining ones not included; healthy are those of them that serve. All is judged from the start of
// the load to the end of the observation, by the figures of package timeline, whose docs define them:
//
//	max_tasks, min_tasks …   the highest and the lowest count
//	scale_out_within         load start → the last new task is healthy
//	back_to_min_within       load end → capacity is at its minimum, to stay
//	time_under_provisioned   how long fewer tasks were healthy than the load needed (time_over_…: more)
//	scale_out_path           desired capacity from the load's start to the first time that it was highest: 2,6
//	scale_in_path            desired capacity from the last time that it was highest: 6,5,4,3,2
//	activities               scaling activities that came about
//	oscillations             reversals of desired capacity that the load did not ask for
//	overshoot                tasks beyond what was ever needed
//	task_hours               running and draining tasks × time
//	healthy>=demand          while capacity was steady under load, as many tasks were healthy as the load needed
//	errors, retried          failed requests of the whole run; requests that the transport sent twice
//
// A level must hold at every instant: of the observation, or "at steady" from when the last capacity change has settled
// until the load ends, or "at end" when the observation ends.
//
// Every duration, and task_hours, is of simulated time.
//
// # Edges
//
// A latency is compared as exactly as a histogram can tell, and no more: two that its buckets do
// not tell apart (1 part in 1,000, and 1 µs) are equal. When every answer took 50 ms,
// p(99) reads 50.015 ms, the highest value of that bucket; then p(99)<=50ms and p(99)==50ms pass,
// p(99)<50ms and p(99)>50ms fail. So < is always the opposite of >=, and == of !=, and no edge
// turns on where in a bucket a limit happens to lie. Everything else is compared as it is:
// 1 failure in 100 requests is an error_rate of exactly 1%.
//
// A count of zero out of nothing is no evidence: failures==0 fails when no request completed, and
// dropped==0 when nothing was offered. requests, rps, offered and sent say how much there was, and
// zero is an answer.
//
// An expectation passes only on evidence: without data it fails. Capacity that never grew has no scale_out_within
// (it is not 0), and capacity that never left the minimum did not come back to it. Counts and paths are compared exactly. No
// duration takes ==, because no duration is ever exact. Expressions that always or never hold are refused: a
// count below 0, healthy<=tasks, a scale_in_path that goes up above where it began.
package gate
