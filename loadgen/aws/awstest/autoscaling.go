package awstest

import (
	"slices"
	"time"
)

const (
	activitiesPage = 50
	dimension      = "ecs:service:DesiredCount"
)

func (f *Fake) autoscaling() {
	f.handlers["application-autoscaling:DescribeScalableTargets"] = f.describeTargets
	f.handlers["application-autoscaling:DescribeScalingPolicies"] = f.describePolicies
	f.handlers["application-autoscaling:DescribeScalingActivities"] = f.describeActivities
}

func (s *Service) resource() string { return "service/" + s.Cluster + "/" + s.Name }

func (f *Fake) describeTargets(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var all []any
	for _, t := range slices.Backward(f.world.targets) {
		if come(t.At, 0, now) && slices.Contains(in.Texts("ResourceIds"), f.world.service.resource()) {
			all = append(all, Object{
				"ServiceNamespace": "ecs", "ResourceId": f.world.service.resource(), "ScalableDimension": dimension,
				"MinCapacity": t.Min, "MaxCapacity": t.Max, "CreationTime": f.world.targets[0].At, "RoleARN": "arn:aws:iam::" + Account + ":role/aas",
				"SuspendedState": Object{"DynamicScalingInSuspended": t.In, "DynamicScalingOutSuspended": t.Out, "ScheduledScalingSuspended": t.Scheduled},
			})
			break
		}
	}
	return Object{"ScalableTargets": all}, nil
}

func (p *Policy) arn(s *Service) string {
	return "arn:aws:autoscaling:" + Region + ":" + Account + ":scalingPolicy:514a52e0:resource/ecs/" + s.resource() + ":policyName/" + p.Name
}

func (f *Fake) describePolicies(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []any
	for _, p := range f.world.policies {
		if in.Text("ResourceId") != f.world.service.resource() {
			break
		}
		var alarms []any
		for _, name := range []string{p.High, p.Low} {
			if name != "" {
				alarms = append(alarms, Object{"AlarmName": name, "AlarmARN": arn("cloudwatch", "alarm:"+name)})
			}
		}
		o := Object{
			"PolicyName": p.Name, "PolicyARN": p.arn(&f.world.service), "ServiceNamespace": "ecs", "ResourceId": f.world.service.resource(),
			"ScalableDimension": dimension, "CreationTime": time.Unix(0, 0), "Alarms": alarms,
		}
		switch {
		case p.Step:
			o["PolicyType"] = "StepScaling"
			o["StepScalingPolicyConfiguration"] = Object{"AdjustmentType": "ChangeInCapacity", "Cooldown": int(p.Out / time.Second)}
		default:
			o["PolicyType"] = "TargetTrackingScaling"
			c := Object{
				"TargetValue": p.Value, "ScaleOutCooldown": int(p.Out / time.Second), "ScaleInCooldown": int(p.In / time.Second), "DisableScaleIn": p.NoScaleIn,
			}
			if p.Predefined != "" {
				c["PredefinedMetricSpecification"] = Object{"PredefinedMetricType": p.Predefined, "ResourceLabel": orNil(p.Label)}
			} else {
				c["CustomizedMetricSpecification"] = Object{
					"Namespace": p.Metric.Namespace, "MetricName": p.Metric.Name, "Statistic": p.Metric.Statistic, "Dimensions": p.Metric.dimensions(),
				}
			}
			o["TargetTrackingScalingPolicyConfiguration"] = c
		}
		all = append(all, o)
	}
	return Object{"ScalingPolicies": f.arranged(all)}, nil
}

// describeActivities tells the newest first. With a MaxResults of up to 50 it gives no token though there are more, as was
// recorded on AWS.
func (f *Fake) describeActivities(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var all []any
	for _, a := range slices.Backward(f.world.activities) {
		if in.Text("ResourceId") != f.world.service.resource() || !come(a.Start, a.Late, now) || len(a.NotScaled) > 0 && !in.Bool("IncludeNotScaledActivities") {
			continue
		}
		all = append(all, a.object(&f.world.service, now))
	}
	size, asked := in.Number("MaxResults")
	if !asked || size > activitiesPage {
		part, next, err := page(f.arranged(all), in.Text("NextToken"), activitiesPage)
		if err != nil {
			return nil, err
		}
		return Object{"ScalingActivities": part, "NextToken": orNil(next)}, nil
	}
	return Object{"ScalingActivities": f.arranged(all[:min(int(size), len(all))])}, nil
}

func (a *Activity) object(s *Service, now time.Time) Object {
	o := Object{
		"ActivityId": a.ID, "ServiceNamespace": "ecs", "ResourceId": s.resource(), "ScalableDimension": dimension,
		"StartTime": a.Start, "Cause": a.Cause, "Description": a.Description, "StatusCode": a.Status, "StatusMessage": orNil(a.Message),
	}
	switch {
	case len(a.NotScaled) > 0:
		var reasons []any
		for _, r := range a.NotScaled {
			reason := Object{"Code": r.Code}
			for field, n := range map[string]int{"CurrentCapacity": r.Current, "MinCapacity": r.Min, "MaxCapacity": r.Max} {
				if n >= 0 {
					reason[field] = n
				}
			}
			reasons = append(reasons, reason)
		}
		o["NotScaledReasons"] = reasons
	case come(a.Ended, a.Late, now):
		o["EndTime"] = a.Ended
	default:
		o["StatusCode"], o["StatusMessage"] = "InProgress", "Successfully set desired count. Waiting for change to be fulfilled by ecs."
	}
	return o
}
