package awstest

import (
	"path"
	"slices"
	"strings"
	"time"
)

// stoppedKept is how long ECS tells of a task that has stopped.
const stoppedKept = time.Hour

// lastEvents is how many events of a service ECS tells.
const lastEvents = 100

func (f *Fake) ecs() {
	f.handlers["ecs:DescribeServices"] = f.describeServices
	f.handlers["ecs:ListTasks"] = f.listTasks
	f.handlers["ecs:DescribeTasks"] = f.describeTasks
}

func (f *Fake) describeServices(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, now := &f.world, f.now()
	if path.Base(in.Text("cluster")) != w.service.Cluster {
		return nil, &Error{Code: "ClusterNotFoundException", Message: "Cluster not found."}
	}
	var found, missing []any
	for _, name := range in.Texts("services") {
		if path.Base(name) == w.service.Name {
			found = append(found, f.service(now))
			continue
		}
		missing = append(missing, Object{"arn": arn("ecs", "service/"+w.service.Cluster+"/"+path.Base(name)), "reason": "MISSING"})
	}
	return Object{"services": found, "failures": missing}, nil
}

// service is the service as ECS tells it at an instant.
func (f *Fake) service(now time.Time) Object {
	w := &f.world
	s := w.service
	desired, running, pending := 0, 0, 0
	for _, d := range w.desired {
		if come(d.At, d.Late, now) {
			desired = d.N
		}
	}
	for i := range w.tasks {
		switch w.tasks[i].status(now) {
		case "RUNNING":
			running++
		case "PROVISIONING":
			pending++
		}
	}
	var events []any
	for _, e := range slices.Backward(w.events) { // newest first
		if come(e.At, e.Late, now) && len(events) < lastEvents {
			events = append(events, Object{"id": e.ID, "createdAt": e.At, "message": e.Message})
		}
	}
	var deployments []any
	for i, d := range slices.Backward(w.deployments) {
		newer := i+1 < len(w.deployments) && come(w.deployments[i+1].At, 0, now)
		if !come(d.At, 0, now) || newer && come(w.deployments[i+1].Done, 0, now) {
			continue
		}
		status, rollout := "PRIMARY", "IN_PROGRESS"
		if newer {
			status = "ACTIVE"
		}
		if come(d.Done, 0, now) {
			rollout = "COMPLETED"
		}
		deployments = append(deployments, Object{
			"id": d.ID, "status": status, "rolloutState": rollout, "taskDefinition": arn("ecs", "task-definition/"+d.TaskDefinition),
			"createdAt": d.At, "desiredCount": desired, "runningCount": running,
		})
	}
	o := Object{
		"serviceArn": arn("ecs", "service/"+s.Cluster+"/"+s.Name), "serviceName": s.Name, "clusterArn": arn("ecs", "cluster/"+s.Cluster),
		"status": "ACTIVE", "desiredCount": desired, "runningCount": running, "pendingCount": pending,
		"events": f.arranged(events), "deployments": deployments, "availabilityZoneRebalancing": "DISABLED",
	}
	if s.Rebalancing {
		o["availabilityZoneRebalancing"] = "ENABLED"
	}
	if s.Spot {
		o["capacityProviderStrategy"] = []any{Object{"capacityProvider": "FARGATE_SPOT", "weight": 1}}
	}
	if s.TargetGroup != "" {
		o["loadBalancers"] = []any{Object{"targetGroupArn": targetGroup(s.TargetGroup), "containerName": "api", "containerPort": 8080}}
	}
	return o
}

// status is ECS's lastStatus of a task, as far as it is told; "" before it is.
func (t *Task) status(now time.Time) string {
	switch {
	case come(t.Stopped, t.Late, now):
		return "STOPPED"
	case come(t.Stopping, t.Late, now):
		return "DEACTIVATING"
	case come(t.Started, t.Late, now):
		return "RUNNING"
	case come(t.Created, t.Late, now):
		return "PROVISIONING"
	}
	return ""
}

// gone says whether ECS has forgotten a task.
func (t *Task) gone(now time.Time) bool {
	return !t.Stopped.IsZero() && now.After(t.Stopped.Add(stoppedKept))
}

func (f *Fake) taskARN(t *Task) string {
	return arn("ecs", "task/"+f.world.service.Cluster+"/"+t.ID)
}

func (f *Fake) listTasks(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var all []any
	if name := in.Text("serviceName"); name == "" || name == f.world.service.Name {
		for i := range f.world.tasks {
			t := &f.world.tasks[i]
			status := t.status(now)
			stops := status == "STOPPED" || status == "DEACTIVATING"
			if status != "" && !t.gone(now) && stops == (in.Text("desiredStatus") == "STOPPED") {
				all = append(all, f.taskARN(t))
			}
		}
	}
	part, next, err := page(f.arranged(all), in.Text("nextToken"), 100)
	if err != nil {
		return nil, err
	}
	return Object{"taskArns": part, "nextToken": orNil(next)}, nil
}

func (f *Fake) describeTasks(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	asked := in.Texts("tasks")
	if len(asked) > 100 {
		return nil, &Error{Code: "InvalidParameterException", Message: "Tasks can have at most 100 items."}
	}
	var found, missing []any
	for _, a := range asked {
		i := slices.IndexFunc(f.world.tasks, func(t Task) bool { return strings.HasSuffix(a, "/"+t.ID) || a == t.ID })
		if i < 0 || f.world.tasks[i].gone(now) || f.world.tasks[i].status(now) == "" {
			missing = append(missing, Object{"arn": a, "reason": "MISSING"})
			continue
		}
		found = append(found, f.task(&f.world.tasks[i], now))
	}
	return Object{"tasks": f.arranged(found), "failures": missing}, nil
}

func (f *Fake) task(t *Task, now time.Time) Object {
	s := f.world.service
	o := Object{
		"taskArn": f.taskARN(t), "clusterArn": arn("ecs", "cluster/"+s.Cluster), "group": "service:" + s.Name, "startedBy": orNil(t.Deployment),
		"availabilityZone": orNil(t.Zone), "lastStatus": t.status(now), "desiredStatus": "RUNNING",
		"createdAt": seen(t.Created, t.Late, now), "startedAt": seen(t.Started, t.Late, now), "stoppingAt": seen(t.Stopping, t.Late, now),
		"executionStoppedAt": seen(t.Ended, t.Late, now), "stoppedAt": seen(t.Stopped, t.Late, now),
	}
	if come(t.Stopping, t.Late, now) {
		o["desiredStatus"], o["stopCode"], o["stoppedReason"] = "STOPPED", orNil(t.StopCode), orNil(t.Reason)
	}
	if s.Spot {
		o["capacityProviderName"] = "FARGATE_SPOT"
	}
	if t.IP != "" {
		o["attachments"] = []any{Object{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": []any{
			Object{"name": "privateIPv4Address", "value": t.IP},
		}}}
	}
	return o
}

// orNil is a text, or nil for a field that is not there.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
