// Package lab is a service that scales, on loopback, with real sockets: replicas, a balancer in front, a scheduler that
// keeps as many as are desired, and the state machine of package autoscaling that desires them.
//
// [Start] gives a [Lab] with a URL to put load on, and a timeline of what capacity did meanwhile. A caller says when
// load began and ended; alarms and chaos count from the former:
//
//	l, err := lab.Start(ctx, lab.Config{})
//	defer l.Close()
//	l.LoadBegan(time.Now())
//	… load on l.URL() …
//	l.LoadEnded(time.Now())
//	l.AwaitRecovery(ctx)
//	l.Timeline()
//
// It promises that a request is lost only where a real service loses it. The balancer sends each request once and
// hides nothing, so its counts, the replicas' and the generator's are the same; a task that drains has no request
// in flight when it gets SIGTERM; a task that is killed fails exactly the requests that it had. After [Lab.Close] there is no
// port, process or goroutine of it. It refuses to make load, to judge, to print and to read the environment.
//
// # Two clocks
//
// Load and chaos are on the run's clock, in real time. What the service does (periods, cooldowns, provisioning, drains,
// health checks, recovery) passes Config.Speedup times faster. Requests stay real: so a request in flight at the end of
// a compressed drain may take the drain's whole length in real time, a check has its 5 s, and a program 2 s to end.
// A metric is a rate: 375 requests/s are 22,500 a minute at every speedup.
//
// A program's start and end are real too, and count as simulated time all the same. Standby replicas are started ahead, up
// to the maximum, and their start is measured: a task takes one, and runs when it was placed, pulled, and had that start,
// all in simulated time. If none is ready the wait is real, and an event says so. SIGTERM gives a program the whole stopTimeout in the
// background, for which nothing waits; what is left at the end of the recovery has MinStop more, and is then killed.
//
// # What it models, and how far that is AWS
//
// The balancer, as an Application Load Balancer: round robin over healthy targets, over all unhealthy ones when there
// is none that is healthy; 503 without a target, 502 when one refuses, closes, resets or answers nonsense, 504 when one
// does not accept within 10 s or is silent for 60 s, 408 when a client does not go on with its request for as long; its
// limits of headers, with 400 and 414; no TRACE and no CONNECT; X-Amzn-Trace-Id; one passing check for a new target; a
// deregistered target gets nothing new, keeps what is in flight for the deregistration delay, and loses its connections
// then. A header goes on before its body, and an answer before the request's end. It measures how long each target keeps an
// idle connection, and warns below the 60 s for which it keeps them itself.
// Unlike it: one node, so that turns are exact, a check comes once an interval, and a change is
// known everywhere at once. No TLS, HTTP/2, WebSockets, stickiness, slow start or trailers. The drain takes its whole
// delay, also when nothing is in flight, because on AWS the balancer's own connections keep it from ending early.
// A client that gives up is counted (460 there), and its request ended at the target.
//
// The scheduler, as ECS with Fargate: two zones, the emptier one is placed in, the fuller one scaled in, the youngest
// task first. A task takes its time to be placed, pulled and started, each always the same, where Fargate's vary.
// One that dies is replaced, one whose checks fail as soon as another is healthy in its place; launches that fail wait
// longer and longer. No deployments, no rebalancing of zones, no scale-in protection.
// A task that is killed or dies fails what is sent to it until health checks have noticed; one that StopTask or the end of
// a Spot capacity takes is deregistered at once, and refuses requests for Propagation.
//
// A replica is the project's own server behind a [Capacity]: slots, a service time, a queue before them. Latency answers
// to load by queueing alone, CPU is the share of slot time in use, and nothing else gets slow: no memory, no garbage
// collection, no lock. The balancer's health checks pass the queue. With Config.ReplicaCommand the replicas are a
// program of the user's and nothing about them is modelled: they start, serve and end as they do, on one machine that
// they share with each other and the generator, and their CPU is that of their process group (Linux).
//
// CloudWatch: RequestCountPerTarget is over the mean number of targets in rotation in the period, 0 while one is registered
// and missing when none is; CPU is the mean over tasks; TargetResponseTime is until a target's header, in real milliseconds at every
// speed, and its p99 is missing when no target has answered. Datapoints are seen at the end of their period, or later by
// autoscaling's MetricDelay. How decisions are made is package autoscaling's.
package lab
