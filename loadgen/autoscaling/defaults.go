package autoscaling

import "time"

// These are the numbers of the demonstration: the lab, the simulation and the Terraform under infra
// all use them. They stand here and nowhere else.

// The seed's service: 2 to 6 tasks, and both policies at 50.
const (
	DefaultMin = 2
	DefaultMax = 6
	// DefaultRequestsTarget is in requests per task and minute, as ALBRequestCountPerTarget counts:
	// 0.83 a second, which the seed's load exceeds 225 times.
	DefaultRequestsTarget = 50
	// DefaultCPUTarget is in percent.
	DefaultCPUTarget = 50
)

// The alarms that target tracking makes, as exported from a real account: 3 periods of 60 s above
// the target, 15 below 90 % of it. They cannot be configured on AWS.
const (
	DefaultPeriod      = 60 * time.Second
	DefaultHighPeriods = 3
	DefaultLowPeriods  = 15
	LowShare           = 0.9
)

// Cooldowns and drain, shorter than AWS's 300 s each so that a recovery fits in half an hour: with
// AWS's it takes an hour.
const (
	DefaultScaleOutCooldown    = 60 * time.Second
	DefaultScaleInCooldown     = 120 * time.Second
	DefaultDeregistrationDelay = 30 * time.Second
)

// The balancer's health check: every 10 s, healthy or unhealthy after 2 in a row. A new target needs
// only one passing check, as the ALB's guide says.
const (
	DefaultHealthCheckInterval  = 10 * time.Second
	DefaultHealthCheckThreshold = 2
)

// How long a new task takes to come: placed on a host with a network interface, image pulled,
// process started; then its first health check passes, at most an interval later. AWS gives no
// figures for Fargate; these add up to the 30 s to 60 s that are usually seen there.
const (
	DefaultPlacement = 10 * time.Second
	DefaultPull      = 20 * time.Second
	DefaultStart     = 5 * time.Second
)

// DefaultTaskCapacity is how many requests a second one task can answer, and is then at 100 % CPU.
//
// The seed's load is 375 to 390 requests a second. At 120, two tasks can do 240: they are
// saturated at 160 % of what they can do, and one sees it in the latency. Six can do 720, run at 52 % to 54 %,
// and one sees it recover. Four (480) would be enough: the policies, not the need, make it six.
const DefaultTaskCapacity = 120.0

// MaxTasks is the largest bound that is accepted: ECS's quota of tasks in a service.
const MaxTasks = 5000
