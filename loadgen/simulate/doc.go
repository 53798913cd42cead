// Package simulate runs the autoscaler on a load curve: no traffic, no waiting. A day of minutes takes milliseconds.
//
// It promises the lab's state machine (package autoscaling) and a [timeline.Timeline] of the form that the lab
// writes, integrated exactly over the curve's straight lines and over the changes of capacity, never sampled. The
// same Config gives the same Result. All times are simulated time since the load began.
//
// # The task model
//
// A new task is placed, pulled and started, one after the other, each taking a fixed time; it is healthy when its first
// health check passes. A task that leaves (the youngest) drains for a fixed time. Load is spread evenly over
// the healthy tasks. RequestCountPerTarget of a period is the integral of load ÷ healthy tasks; it is missing when
// no task was healthy in the period. CPU is the work of the healthy tasks, at most their capacity, in percent of
// the capacity of the running ones: load ÷ (tasks × capacity) × 100 and at most 100.
//
// # What it refuses
//
// It knows no latency, queue or error: load that the tasks cannot carry is counted as offered, and shows as time
// under-provisioned; a closed load shrinks instead (Config.Closed). Tasks neither fail nor start late; chaos is the lab's.
package simulate
