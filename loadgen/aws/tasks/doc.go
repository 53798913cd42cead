// Package tasks makes one load with several one-off ECS tasks. ECS does the scheduling, S3 is what they exchange things by; there is
// no coordinator of ours that has to be reached.
//
// It promises that the tasks' parts of a load add up to it exactly (plan.Shares), that nothing is sent before all tasks are ready and
// that they start at one instant, that a task which dies is said to have died and what it measured until then is counted, and
// that the tasks of a launch that fails or is interrupted are stopped. What the tasks leave is merged as `loadgen merge` merges
// anything else.
//
// A [Launcher] runs where a person or a pipeline is, a [Part] in each task. Of a run with the URL s3://BUCKET/PREFIX/ID/ these are
// the objects, of which each has one writer:
//
//	run.json            launcher: the Manifest, written first: it shows whether the bucket takes anything
//	files/SHA256        launcher: bodies and certificates that the plan names
//	plans/I.json        launcher: the Share of task I, counted from 1
//	tasks.json          launcher: which ECS tasks were started
//	ready/I             task: it has everything and waits
//	start.json          launcher: the instant, once all are ready
//	progress/I.json     task: its last few Beats
//	tasks/I/…/          task: its result, in a folder of its own, as store.Sink writes one
//
// The launcher's clock decides nothing: start.json has a time of S3's clock, from which those of tasks differ by milliseconds.
//
// API calls: ecs:DescribeTaskDefinition, ecs:RunTask (with iam:PassRole and ecs:TagResource), ecs:DescribeTasks, ecs:StopTask, for an image
// ecs:RegisterTaskDefinition; ec2:DescribeSubnets and servicequotas:GetServiceQuota for a forecast. Calls are tried again by the SDK,
// and a start that finds no capacity or is throttled until the tasks have to be ready. The package prints nothing and reads no environment.
package tasks
