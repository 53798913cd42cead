package scaling

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go/middleware"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/session"
)

// openService finds out whether there is something to watch.
func (w *Watcher) openService(ctx context.Context) error {
	w.mu.Lock()
	w.world.firstPoll = w.o.Now()
	w.mu.Unlock()
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := w.describeService(call)
	switch session.KindOf(err) {
	case "":
	case session.NoCredentials, session.BadKey, session.Expired, session.ClockSkew, session.NotFound:
		if session.KindOf(err) == session.NotFound {
			return &input.Error{Field: "cluster", Got: w.o.Cluster, Want: "a cluster of this account and region"}
		}
		return session.Explain(err)
	default:
		return ctx.Err() // said by the reader, and watched without
	}
	if len(out.Services) == 0 || aws.ToString(out.Services[0].Status) == "INACTIVE" {
		return &input.Error{Field: "service", Got: w.o.Service, Want: "a service of the cluster " + w.o.Cluster}
	}
	return nil
}

func (w *Watcher) describeService(ctx context.Context) (*ecs.DescribeServicesOutput, error) {
	return w.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &w.o.Cluster, Services: []string{w.o.Service}})
}

func (w *Watcher) readService(ctx context.Context, now time.Time) error {
	out, err := w.describeService(ctx)
	if err != nil {
		return err
	}
	if len(out.Services) == 0 {
		return &input.Error{Field: "service", Got: w.o.Service, Want: "a service that is there; it was deleted"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.skewed(out.ResultMetadata)
	w.world.service(&out.Services[0], now)
	return nil
}

// skewed notes how far AWS's clock is from ours. An answer's date has whole seconds, so a difference of up to 2 s is none.
func (w *world) skewed(m middleware.Metadata) {
	const little = 2 * time.Second
	at, ok := awsmiddleware.GetServerTime(m)
	got, ok2 := awsmiddleware.GetResponseAt(m)
	if d := at.Sub(got); ok && ok2 && w.skew == 0 && d.Abs() > little {
		w.skew = d
	}
}

// ours is an instant of AWS's by our clock; zero for none.
func (w *world) ours(t *time.Time) time.Time {
	if t == nil || t.IsZero() {
		return time.Time{}
	}
	return t.Add(-w.skew)
}

func (w *world) service(s *types.Service, now time.Time) {
	w.saw("service", now)
	w.arn, w.name, w.cluster = aws.ToString(s.ServiceArn), aws.ToString(s.ServiceName), path.Base(aws.ToString(s.ClusterArn))
	w.rebalancing = s.AvailabilityZoneRebalancing == types.AvailabilityZoneRebalancingEnabled
	var groups []string
	for _, b := range s.LoadBalancers {
		if g := aws.ToString(b.TargetGroupArn); g != "" && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
		if b.AdvancedConfiguration != nil { // the other one of a blue/green deployment
			if g := aws.ToString(b.AdvancedConfiguration.AlternateTargetGroupArn); g != "" && !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	slices.Sort(groups)
	w.groups = groups
	w.counted(count{at: now, desired: int(s.DesiredCount), running: int(s.RunningCount)})
	for _, e := range s.Events {
		w.events[aws.ToString(e.Id)] = event{w.ours(e.CreatedAt), aws.ToString(e.Message)}
	}
	for _, d := range s.Deployments {
		id := aws.ToString(d.Id)
		x, known := w.deployments[id]
		x.id, x.status, x.rollout, x.reason, x.created = id, aws.ToString(d.Status), string(d.RolloutState), aws.ToString(d.RolloutStateReason), w.ours(d.CreatedAt)
		over := d.RolloutState == types.DeploymentRolloutStateCompleted || d.RolloutState == types.DeploymentRolloutStateFailed
		if !known {
			x.seenBegin = !over
		}
		if over && x.done.IsZero() {
			x.done = now
		}
		w.deployments[id] = x
	}
}

// counted adds what DescribeServices counted, if it changed.
func (w *world) counted(c count) {
	i := len(w.counts)
	for i > 0 && w.counts[i-1].at.After(c.at) { // an older answer overtook
		i--
	}
	if i == len(w.counts) {
		if i > 0 {
			last := &w.counts[i-1]
			if last.desired == c.desired && last.running == c.running {
				w.lastCount = c.at
				return
			}
			c.before = w.lastCount
		}
		w.lastCount = c.at
		w.counts = append(w.counts, c)
	}
}

func (w *Watcher) readTasks(ctx context.Context, now time.Time) error {
	var arns []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		in := &ecs.ListTasksInput{Cluster: &w.o.Cluster, ServiceName: &w.o.Service, DesiredStatus: status}
		for {
			out, err := w.ecs.ListTasks(ctx, in)
			if err != nil {
				return err
			}
			arns = append(arns, out.TaskArns...)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	// Those that are known to have stopped do not change any more.
	w.mu.Lock()
	arns = slices.DeleteFunc(arns, func(a string) bool {
		t, ok := w.world.tasks[path.Base(a)]
		return ok && !t.stopped.IsZero() && !w.world.lookBack
	})
	w.mu.Unlock()
	slices.Sort(arns)
	arns = slices.Compact(arns)
	const atOnce = 100
	for part := range slices.Chunk(arns, atOnce) {
		out, err := w.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &w.o.Cluster, Tasks: part})
		if err != nil {
			return err
		}
		w.mu.Lock()
		for i := range out.Tasks {
			w.world.task(&out.Tasks[i])
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("tasks", now)
	return nil
}

// task takes what is told of a task. An instant that was told before and is not now stays: ECS's answers are consistent in the end
// only.
func (w *world) task(t *types.Task) {
	id := path.Base(aws.ToString(t.TaskArn))
	x := w.tasks[id]
	x.id = id
	keep := func(at *time.Time, told *time.Time) {
		if told != nil {
			*at = w.ours(told)
		}
	}
	keep(&x.created, t.CreatedAt)
	keep(&x.started, t.StartedAt)
	keep(&x.stopping, t.StoppingAt)
	keep(&x.ended, t.ExecutionStoppedAt)
	keep(&x.stopped, t.StoppedAt)
	set := func(to *string, told string) {
		if told != "" {
			*to = told
		}
	}
	set(&x.zone, aws.ToString(t.AvailabilityZone))
	set(&x.deployment, aws.ToString(t.StartedBy))
	set(&x.stopCode, string(t.StopCode))
	set(&x.reason, aws.ToString(t.StoppedReason))
	x.spot = x.spot || aws.ToString(t.CapacityProviderName) == "FARGATE_SPOT"
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == "privateIPv4Address" {
				set(&x.ip, aws.ToString(d.Value))
			}
		}
	}
	w.tasks[id] = x
}

func (w *Watcher) readHealth(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	groups := w.world.groups
	w.mu.Unlock()
	if len(groups) == 0 {
		return nil
	}
	states := map[string]health{}
	for _, group := range groups {
		out, err := w.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
		if err != nil {
			return err
		}
		for _, d := range out.TargetHealthDescriptions {
			if d.Target == nil || d.TargetHealth == nil {
				continue
			}
			// One that is healthy in a group of several serves.
			id := fmt.Sprintf("%s:%d", aws.ToString(d.Target.Id), aws.ToInt32(d.Target.Port))
			if h := (health{now, string(d.TargetHealth.State), string(d.TargetHealth.Reason)}); states[id].state != healthy {
				states[id] = h
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.world.watched["health"]; ok && now.Before(s.to) {
		return nil // a newer answer overtook this one
	}
	w.world.saw("health", now)
	for id := range w.world.targets {
		if _, ok := states[id]; !ok {
			states[id] = health{at: now}
		}
	}
	for id, h := range states {
		list := w.world.targets[id]
		if n := len(list); n == 0 && h.state != "" || n > 0 && list[n-1].state != h.state {
			w.world.targets[id] = append(list, h)
		}
	}
	return nil
}

// The states of a target that matter here.
const (
	healthy  = "healthy"
	draining = "draining"
)

// readDrain reads how long a target drains.
func (w *Watcher) readDrain(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	groups := w.world.groups
	w.mu.Unlock()
	if len(groups) == 0 {
		return nil
	}
	out, err := w.elb.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &groups[0]})
	if err != nil {
		return err
	}
	for _, a := range out.Attributes {
		if aws.ToString(a.Key) == "deregistration_delay.timeout_seconds" {
			if d, err := time.ParseDuration(strings.TrimSpace(aws.ToString(a.Value)) + "s"); err == nil {
				w.mu.Lock()
				w.world.drain = d
				w.mu.Unlock()
			}
		}
	}
	return nil
}
