// Package scaling watches an ECS service on AWS and tells what its capacity did, as facts of package timeline on the run's clock:
// desired, running, healthy and draining tasks, metrics, alarms, scaling activities with their reasons for not scaling, the lives
// of tasks, deployments and the service's events. It is a source of capacity as loadgen.Capacity wants one; the lab is another.
//
// It promises:
//
//   - Facts follow from what the APIs answered, whichever answer came first, however late and however often: what AWS gives an
//     instant to stands at that instant, and is corrected when more becomes known. Only what has no instant of its own (target
//     health, the desired count that no activity set) stands at the moment at which it was first seen.
//   - What contradicts itself stays: a target that is healthy while ECS does not call its task running is told so.
//   - One missing permission, one API that is not reached, costs what that API knows and nothing else. It is said once, within
//     [SaidWithin], and the rest goes on. What cannot be seen is an Unseen of the timeline, and no figure rests on it.
//   - It asks seldom (see the table of readers), waits longer when it is throttled, and never sets MaxResults.
//   - An alarm in ALARM without an activity gets its cause, and what was no scaling (a deployment, rebalancing between zones, a
//     Spot interruption, a person) is told apart: see explain.go and apart.go.
//
// It changes nothing on AWS. It takes an aws.Config and a clock; it prints nothing and reads no environment.
package scaling
