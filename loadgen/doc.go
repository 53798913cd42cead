// Package loadgen runs a load plan against a service and reports the result.
//
// A [Runner] takes a plan.Plan and sinks, and returns a result.Result. On the way, in the one
// direction in which data flows here:
//
//	Plan ──► attack ──► Sample ──► measure ──► Window (1 s) ──┬──► sinks: terminal, disk, CSV
//	                     Capacity ──► Fact ──► Timeline ──────┤
//	                                                          └──► Result ──► gate, validity, Judge ──► verdict
//
// The Result is not nil whenever anything was measured, also beside an error: being interrupted and
// losing what was measured never meet. The order of a stop is: nothing new becomes due; what is due or under way
// finishes within the plan's stop timeout; the rest is cut and counted; windows are read to the end;
// thresholds are judged on what there is; all sinks are closed and given the result, the directory first.
//
// The package does not print, exit, or read the environment. Stable for other programs are this
// package, plan and result; the others below it may change with any version.
package loadgen
