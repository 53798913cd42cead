package tasks

import (
	"strings"
	"testing"
	"testing/synctest"

	"scalableappbackend/loadgen/plan"
)

func TestAnImageBecomesATaskDefinitionWhoseTasksMakeTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.launcher()
		l.Where.TaskDefinition, l.Where.CPU, l.Where.Memory = "", "512", "1024"
		l.Where.Image = &Image{
			Name: "registry/loadgen:1", ExecutionRole: "arn:aws:iam::123456789012:role/pull", TaskRole: "arn:aws:iam::123456789012:role/s3",
			LogGroup: "/load", Region: "eu-west-1", ARM: true,
		}
		if _, _, err := w.fly(t.Context(), l, w.order(2)); err != nil {
			t.Fatal(err)
		}
		if sum := w.merged(2); sum.Totals.Requests != 1200 || sum.Verdict.ExitCode != 0 {
			t.Errorf("%d requests, exit %d, want 1,200 and 0", sum.Totals.Requests, sum.Verdict.ExitCode)
		}
		calls := w.fake.Calls("ecs:RegisterTaskDefinition")
		if len(calls) != 1 {
			t.Fatalf("%d task definitions were registered, want one for both tasks", len(calls))
		}
		in := calls[0].In
		for field, want := range map[string]string{
			"cpu": "512", "memory": "1024", "networkMode": "awsvpc", "executionRoleArn": l.Where.Image.ExecutionRole, "taskRoleArn": l.Where.Image.TaskRole,
		} {
			if got := in.Text(field); got != want {
				t.Errorf("%s %q, want %q", field, got, want)
			}
		}
		containers := in.Objects("containerDefinitions")
		if len(containers) != 1 || containers[0].Text("image") != "registry/loadgen:1" || containers[0].Text("name") != "loadgen" {
			t.Errorf("containers %v, want one of the image", containers)
		}
		if n := len(w.fake.Calls("ecs:DescribeTaskDefinition")); n != 0 {
			t.Errorf("%d looks at a task definition that nobody named", n)
		}
	})
}

// A registered definition holds nothing but the image, so a plan may refer only to what the launch hands on.
func TestAnImageHasNoVariablesOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l := w.launcher()
		l.Where.TaskDefinition, l.Where.Image = "", &Image{Name: "registry/loadgen:1"}
		o := w.order(2)
		o.Plan.Targets = []plan.Target{{Method: "GET", URL: "/", Header: map[string][]string{"Authorization": {"Bearer ${TOKEN}"}}}}
		if _, err := l.Launch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--env TOKEN") {
			t.Fatalf("%v, want how to hand TOKEN on", err)
		}
		if n := len(w.fake.Calls("ecs:RegisterTaskDefinition")) + len(w.fake.Calls("ecs:RunTask")); n != 0 {
			t.Errorf("%d calls that change something", n)
		}
	})
}
