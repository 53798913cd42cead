// Package gate judges a run against what was expected of it: it parses expressions, evaluates them
// on what was measured, and gives one [result.Outcome] for each, from which report, JUnit file and
// exit code are all made.
//
// It promises that a threshold passes only on evidence: one whose metric has no data fails and
// says so, as does one whose scope measured nothing. It refuses, before anything is sent, what
// could only pass or only mislead: see [Parse] and [Check]. It measures nothing, adds nothing up
// but what [Metrics.Add] is given, and knows no exit code.
//
// # Grammar
//
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
// White space is allowed between any two of these and means nothing.
//
// The name of an endpoint is anything: what follows a scope holds no brace, so the last "}" of the
// expression ends the scope whatever the name holds. A phase is recognised as the last item of the
// scope or as the first. Names that would be taken for something else, or that begin or end with
// white space, are written in double quotes with Go's escapes: {"phase:steady"}:rps>1. (So can be
// a name with the ";" that separates expressions in the environment: {"a\x3bb"}:rps>1.)
//
// # Meaning
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
package gate
