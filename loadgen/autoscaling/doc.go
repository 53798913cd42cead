// Package autoscaling is Application Auto Scaling's target tracking for an ECS service, as a pure state machine.
//
// It promises decisions that follow from datapoints and times alone: the same input gives the same
// output, in the lab, in a simulation and over a recorded timeline. It has no goroutine, clock, I/O
// or SDK. Times are simulated time since the load began; the caller maps its clock to that.
//
// A caller makes a [Scaler], gives it each period's datapoints with [Scaler.Step] when [Scaler.Next]
// says so, tells it with [Scaler.Settle] when the service has changed, and obeys [Scaler.Desired].
//
// # What AWS documents or was recorded on AWS
//
// Each is held by a row of rules_test.go, which names the source.
//
//   - AlarmHigh: 3 periods of 60 s above the target. AlarmLow: 15 periods below 90 % of it. Missing
//     data is treated as missing. Without scale-in there is no AlarmLow.
//   - While an alarm is in ALARM its action is sent again each period, with fresh datapoints. The
//     decision is on the mean of the datapoints that the alarm evaluated.
//   - Out: running × mean ÷ target, rounded up. The largest of several policies wins. It cancels a
//     scale-in's cooldown. The mean is of periods in which fewer ran than do now, so that it
//     can overshoot while the alarm lasts.
//   - In: every policy that may scale in must have its AlarmLow in ALARM; missing data vetoes. The
//     largest wins.
//   - During a deployment there is no scale-in; scale-out goes on.
//   - A cooldown begins when an activity completes. During a scale-out's, the capacity that it added
//     counts against what is asked for, so that only a larger breach adds more. During a scale-in's
//     there is no other.
//   - Capacity outside the bounds returns at the next alarm's action (as the ECS guide says for a
//     count set by hand), and at once when a bound is moved past it (as the guide to scaling
//     activities says). No decision is outside the bounds.
//
// # What AWS does not publish: models, each with a name
//
//   - How far a scale-in goes: [ScaleInModel].
//   - The rounding of a scale-out, said to be conservative, "up or down": [Rounding].
//   - How late a period's datapoint is seen: [MetricDelay], of which two are fitted to what was measured.
//   - When flapping is anticipated: when the metric, spread over the fewer tasks, would be above a
//     policy's target.
//   - A scale-in also waits for the end of an activity and of a scale-out's cooldown.
//   - An alarm whose few datapoints all breach, too young to alarm, keeps its state.
//
// # What it refuses
//
// No predictive scaling, no suspended scaling, no tasks protected from scale-in. Schedules are the caller's, who sets the
// bounds; so are deployments, which the caller tells. Cooldowns are the service's;
// AWS keeps them for each policy. Step scaling
// ([StepScaling]) is on latency and only goes out.
package autoscaling
