package awstest

import "time"

func targetGroup(suffix string) string { return arn("elasticloadbalancing", suffix) }

func (f *Fake) elb() {
	f.handlers["elasticloadbalancing:DescribeTargetHealth"] = f.describeTargetHealth
	f.handlers["elasticloadbalancing:DescribeTargetGroupAttributes"] = func(Object) (Object, error) {
		return Object{"Attributes": []any{Object{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}}}, nil
	}
}

func (f *Fake) describeTargetHealth(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if in.Text("TargetGroupArn") != targetGroup(f.world.service.TargetGroup) {
		return nil, &Error{Code: "TargetGroupNotFound", Message: "One or more target groups not found"}
	}
	var all []any
	for i := range f.world.tasks {
		t := &f.world.tasks[i]
		state, reason := t.health(now)
		if state == "" {
			continue
		}
		all = append(all, Object{
			"Target":       Object{"Id": t.IP, "Port": 8080, "AvailabilityZone": orNil(t.Zone)},
			"TargetHealth": Object{"State": state, "Reason": orNil(reason)}, "HealthCheckPort": "8080",
		})
	}
	return Object{"TargetHealthDescriptions": f.arranged(all)}, nil
}

// health is a target's state; "" when it is not registered. A balancer tells its own state at once.
func (t *Task) health(now time.Time) (state, reason string) {
	started, passed := come(t.Started, 0, now), come(t.Healthy, 0, now)
	switch {
	case !started && !passed || t.IP == "" || come(t.Ended, 0, now):
		return "", ""
	case come(t.Stopping, 0, now):
		return "draining", "Target.DeregistrationInProgress"
	}
	for _, s := range t.Sick {
		if come(s.From, 0, now) && !come(s.To, 0, now) {
			return "unhealthy", "Target.FailedHealthChecks"
		}
	}
	if passed {
		return "healthy", ""
	}
	return "initial", "Elb.RegistrationInProgress"
}
