package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/loadgen/aws/awstest"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
	"scalableappbackend/loadgen/validity"
)

// onAWSFake is a service of two tasks on a fake of AWS, which scaled out half an hour ago and did no more than that.
func onAWSFake(t *testing.T) *awstest.Fake {
	t.Helper()
	fake := awstest.New(time.Now)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_REGION": awstest.Region,
		"AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
	} {
		t.Setenv(name, value)
	}
	const high = "TargetTracking-service/shop/api-AlarmHigh-1f"
	long, then := time.Now().Add(-50*time.Minute), time.Now().Add(-30*time.Minute)
	fake.LogGroup("/loadgen/watch")
	fake.Tell(
		awstest.Service{Cluster: "shop", Name: "api", TargetGroup: "targetgroup/api/1"},
		awstest.Deployment{ID: "ecs-svc/1", TaskDefinition: "api:1", At: long, Done: long},
		awstest.Desired{At: long, N: 1}, awstest.Desired{At: then, N: 2}, awstest.Target{At: long, Min: 1, Max: 4},
		awstest.Policy{Name: "cpu", Metric: awstest.Metric{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: "ClusterName=shop,ServiceName=api", Statistic: "Average", Period: time.Minute},
			Predefined: "ECSServiceAverageCPUUtilization", Value: 50, High: high, Out: time.Minute, In: time.Minute},
		awstest.AlarmState{Alarm: high, From: "OK", To: "ALARM", At: then},
		awstest.AlarmState{Alarm: high, From: "ALARM", To: "OK", At: then.Add(time.Minute)},
		awstest.Activity{ID: "a1", Start: then, Ended: then.Add(time.Minute), Cause: "monitor alarm " + high + " in state ALARM triggered policy cpu", Description: "Setting desired count to 2.", Status: "Successful"},
		awstest.Task{ID: "aa", IP: "10.0.0.1", Created: long, Started: long.Add(time.Second), Healthy: long.Add(2 * time.Second)},
		awstest.Task{ID: "bb", IP: "10.0.0.2", Created: then.Add(8 * time.Second), Started: then.Add(35 * time.Second), Healthy: then.Add(50 * time.Second)},
	)
	return fake
}

func TestWatchLooksBackAtWhatAWSKeeps(t *testing.T) {
	fake := onAWSFake(t)
	stdout, stderr, code := typedIn(t, nil, "watch", "ecs:shop/api", "--since", "40m", "-t", "0s", "--watch-log", "/loadgen/watch")
	for _, want := range []string{
		"watching ecs:shop/api; 0:00 is ", "desired 1 → 2: cpu-AlarmHigh", "desired 1 to 2, running 1 to 2", "activities 1, not scaled 0",
		"not known: healthy, 0:00 to 40:00: a balancer keeps no target health", "lags, recovery and demand are unknown without a load",
		"until it was created took 8s, by the model 8s",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code != exit.Passed || stderr != "" {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if lines := fake.Lines("/loadgen/watch"); len(lines) != 1 || !strings.Contains(lines[0], `"service":"ecs:shop/api","policy":"cpu","from":1,"to":2,"status":"Successful"`) {
		t.Errorf("the log has %q", lines)
	}
}

func TestWatchPrintsATimelineAsJSON(t *testing.T) {
	onAWSFake(t)
	stdout, stderr, code := typedIn(t, nil, "watch", "arn:aws:ecs:eu-central-1:111122223333:service/shop/api", "--since", "40m", "-t", "1s", "--json")
	line, err := timeline.Decode([]byte(stdout))
	if err != nil || code != exit.Passed {
		t.Fatalf("exit %d, %v: %s", code, err, stderr)
	}
	if line.Max != 4 || len(line.Activities) != 1 || line.Settings["policy"] != "cpu=50" || len(line.Unseen) == 0 {
		t.Errorf("%+v", line)
	}
}

func TestARunWatchesAServiceOnAWSAndIsHeldToItsExpectations(t *testing.T) {
	fake := onAWSFake(t)
	fake.Deny("cloudwatch:ListAlarmMuteRules")
	stdout, stderr, code := believed("run", "--host", "embedded", "-u", "2", "-r", "2", "-t", "1s", "-s", "1s", "-o", "none", "--watch", "ecs:shop/api", "--recovery", "1s",
		"--expect", "min_healthy==2", "--expect", "max_tasks==6", "--watch-log", "/loadgen/watch")
	if code != exit.ScalingNotMet.Status().Code || !strings.Contains(stdout, "max_tasks == 6: was 2") || !strings.Contains(stdout, "✓ passed  min_healthy == 2") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if n := strings.Count(stderr, "cloudwatch:ListAlarmMuteRules:"); n != 1 {
		t.Errorf("the missing permission was said %d times: %s", n, stderr)
	}
}

// Nothing is started when there is nothing to watch.
func TestWhatCannotBeWatchedIsSaidBeforeAnyLoad(t *testing.T) {
	onAWSFake(t)
	run := []string{"run", "--host", "embedded", "-t", "1s", "-o", "none"}
	for _, row := range []struct {
		args []string
		want string
	}{
		{append(run, "--watch", "shop/api"), `--watch "shop/api": want ecs:CLUSTER/SERVICE`},
		{append(run, "--watch", "ecs:shop"), `--watch "ecs:shop": want ecs:CLUSTER/SERVICE`},
		{append(run, "--watch", "ecs:shop/apo"), `--watch service "apo": want a service of the cluster shop`},
		{append(run, "--watch", "ecs:shp/api"), `--watch cluster "shp": want a cluster of this account and region`},
		{append(run, "--watch", "ecs:shop/api", "--watch-log", "/nowhere"), "--watch-log: not found"},
		{append(run, "--watch", "ecs:shop/api", "--expect", "healthy>=demand at steady"), "demand"},
		{append(run, "--expect", "max_tasks==6"), "--expect: want --watch ecs:CLUSTER/SERVICE beside it"},
		{append(run, "--recovery", "5m"), "--recovery: want --watch ecs:CLUSTER/SERVICE beside it"},
		{[]string{"watch"}, `argument: want one service`},
		{[]string{"watch", "ecs:shop/api", "-t", "0s"}, `--run-time "0s": want more than 0s, or --since beside it`},
		{[]string{"watch", "ecs:shop/api", "--since", "tomorrow"}, `--since "tomorrow": want a duration`},
		{[]string{"watch", "ecs:shop/api", "--since", "360h"}, `--since "360h": want a time within the last 14 days`},
		{[]string{"watch", "ecs:shop/no pe"}, `argument "ecs:shop/no pe": want ecs:CLUSTER/SERVICE`},
	} {
		if _, stderr, code := typedIn(t, nil, row.args...); code != exit.Usage.Status().Code || !strings.Contains(stderr, row.want) {
			t.Errorf("%q: exit %d, %s", row.args, code, stderr)
		}
	}
}

// believed is typedIn where the generator is always well, whatever else the machine does.
func believed(args ...string) (stdout, stderr string, code exit.Code) {
	var out, errs bytes.Buffer
	code = run(env{
		args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &errs,
		lookup:  func(string) (string, bool) { return "", false },
		isTTY:   func(any) bool { return false },
		size:    func(any) (int, int) { return 0, 0 },
		signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
		judge:   func(validity.Evidence) (result.Validity, []result.Reason) { return result.Valid, nil },

		outlivePipes: func() {},
	})
	return out.String(), errs.String(), code
}
