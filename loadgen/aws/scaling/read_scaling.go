package scaling

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

const dimension = types.ScalableDimensionECSServiceDesiredCount

func (w *Watcher) resource() *string { return aws.String("service/" + w.o.Cluster + "/" + w.o.Service) }

func (w *Watcher) readTarget(ctx context.Context, now time.Time) error {
	out, err := w.scaling.DescribeScalableTargets(ctx, &aas.DescribeScalableTargetsInput{
		ServiceNamespace: types.ServiceNamespaceEcs, ResourceIds: []string{*w.resource()}, ScalableDimension: dimension,
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("target", now)
	w.world.noTarget = len(out.ScalableTargets) == 0
	for _, t := range out.ScalableTargets {
		l := limits{at: now, low: int(aws.ToInt32(t.MinCapacity)), high: int(aws.ToInt32(t.MaxCapacity))}
		if s := t.SuspendedState; s != nil {
			l.in, l.out, l.planned = aws.ToBool(s.DynamicScalingInSuspended), aws.ToBool(s.DynamicScalingOutSuspended), aws.ToBool(s.ScheduledScalingSuspended)
		}
		if n := len(w.world.limits); n > 0 {
			last := w.world.limits[n-1]
			last.at = l.at
			if last == l || now.Before(w.world.limits[n-1].at) {
				continue
			}
		}
		w.world.limits = append(w.world.limits, l)
	}
	return nil
}

func (w *Watcher) readPolicies(ctx context.Context, now time.Time) error {
	in := &aas.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceEcs, ResourceId: w.resource(), ScalableDimension: dimension}
	policies := map[string]policy{}
	for {
		out, err := w.scaling.DescribeScalingPolicies(ctx, in)
		if err != nil {
			return err
		}
		for _, p := range out.ScalingPolicies {
			x := policyOf(&p)
			policies[x.name] = x
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("policies", now)
	w.world.policies = policies
	return nil
}

func policyOf(p *types.ScalingPolicy) policy {
	x := policy{name: aws.ToString(p.PolicyName), step: p.PolicyType == types.PolicyTypeStepScaling, predicts: p.PolicyType == types.PolicyTypePredictiveScaling}
	for _, a := range p.Alarms {
		x.alarms = append(x.alarms, aws.ToString(a.AlarmName))
	}
	if s := p.StepScalingPolicyConfiguration; s != nil {
		x.out = time.Duration(aws.ToInt32(s.Cooldown)) * time.Second
		x.in = x.out
	}
	c := p.TargetTrackingScalingPolicyConfiguration
	if c == nil {
		return x
	}
	const byDefault = 300 // AWS's for both
	seconds := func(n *int32) time.Duration {
		if n == nil {
			return byDefault * time.Second
		}
		return time.Duration(*n) * time.Second
	}
	x.target, x.noIn = aws.ToFloat64(c.TargetValue), aws.ToBool(c.DisableScaleIn)
	x.out, x.in = seconds(c.ScaleOutCooldown), seconds(c.ScaleInCooldown)
	if m := c.PredefinedMetricSpecification; m != nil {
		x.metric = string(m.PredefinedMetricType)
		word := ""
		switch {
		case m.PredefinedMetricType == types.MetricTypeALBRequestCountPerTarget:
			word = "requests"
		case strings.HasPrefix(x.metric, "ECSServiceAverageCPU"):
			word = "cpu"
		case strings.HasPrefix(x.metric, "ECSServiceAverageMemory"):
			word = "memory"
		}
		if word != "" {
			x.setting = word + "=" + strconv.FormatFloat(x.target, 'f', -1, 64)
		}
	}
	return x
}

// readActivities reads the newest activities until they are known, and all from the beginning when looking back. It
// never asks for a number: AWS then ends the list without saying that there is more.
func (w *Watcher) readActivities(ctx context.Context, now time.Time) error {
	in := &aas.DescribeScalingActivitiesInput{
		ServiceNamespace: types.ServiceNamespaceEcs, ResourceId: w.resource(), ScalableDimension: dimension,
		IncludeNotScaledActivities: aws.Bool(true),
	}
	w.mu.Lock()
	all, from := w.world.lookBack || len(w.world.acts) == 0, w.from(now)
	w.mu.Unlock()
	for {
		out, err := w.scaling.DescribeScalingActivities(ctx, in)
		if err != nil {
			return err
		}
		news, older, scaled := false, false, false
		w.mu.Lock()
		for i := range out.ScalingActivities {
			a := w.world.activityOf(&out.ScalingActivities[i])
			old, known := w.world.acts[a.id]
			news = news || !known || old.end.IsZero() && len(old.reasons) == 0
			older = older || a.start.Before(from)
			scaled = scaled || a.start.Before(from) && a.to >= 0
			w.world.acts[a.id] = a
		}
		w.mu.Unlock()
		// The last one before the beginning says from where the first one after it came.
		if in.NextToken = out.NextToken; in.NextToken == nil || older && (scaled || !all) || !news && !all {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("activities", now)
	return nil
}

// from is the instant from which things are asked for.
func (w *Watcher) from(now time.Time) time.Time {
	const before = 10 * time.Minute // what was the state when the clock began
	from := now
	if !w.world.firstPoll.IsZero() {
		from = w.world.firstPoll
	}
	if !w.origin.IsZero() && w.origin.Before(from) {
		from = w.origin
	}
	if !w.o.Since.IsZero() && w.o.Since.Before(from) {
		from = w.o.Since
	}
	return from.Add(-before)
}

var (
	settingTo   = regexp.MustCompile(`^Setting desired count to (\d+)\.`)
	triggeredBy = regexp.MustCompile(`monitor alarm (.+) in state (?:ALARM|OK|INSUFFICIENT_DATA) triggered policy (.+)$`)
)

func (w *world) activityOf(a *types.ScalingActivity) activity {
	x := activity{
		id: aws.ToString(a.ActivityId), start: w.ours(a.StartTime), end: w.ours(a.EndTime), status: string(a.StatusCode),
		description: aws.ToString(a.Description), cause: aws.ToString(a.Cause), message: aws.ToString(a.StatusMessage),
		to: -1, current: -1, low: -1, high: -1,
	}
	if m := settingTo.FindStringSubmatch(x.description); m != nil {
		x.to, _ = strconv.Atoi(m[1]) // digits
	}
	if m := triggeredBy.FindStringSubmatch(x.cause); m != nil {
		x.alarm, x.policy = m[1], m[2]
	}
	number := func(to *int, n *int32) {
		if n != nil {
			*to = int(*n)
		}
	}
	for _, r := range a.NotScaledReasons {
		x.reasons = append(x.reasons, aws.ToString(r.Code))
		number(&x.current, r.CurrentCapacity)
		number(&x.low, r.MinCapacity)
		number(&x.high, r.MaxCapacity)
	}
	return x
}
