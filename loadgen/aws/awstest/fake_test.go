package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"scalableappbackend/loadgen/aws/awstest"
)

var t0 = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// clock is a clock that stands until it is set.
type clock struct{ now time.Time }

func (c *clock) after(d time.Duration) { c.now = t0.Add(d) }

func start(t *testing.T) (*awstest.Fake, *clock, aws.Config) {
	t.Helper()
	c := &clock{t0}
	fake := awstest.New(func() time.Time { return c.now })
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	fake.Tell(awstest.Service{Cluster: "shop", Name: "api", TargetGroup: "targetgroup/api/1"}, awstest.Desired{At: t0, N: 2})
	return fake, c, fake.Config(server.URL)
}

func must[T any](t *testing.T) func(T, error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func TestTheClientsOfAllAPIsTellOfOneTaskAtOnce(t *testing.T) {
	fake, clock, cfg := start(t)
	ctx := t.Context()
	fake.Tell(awstest.Task{ID: "a1", IP: "10.0.0.1", Zone: "eu-central-1a", Created: t0.Add(8 * time.Second), Started: t0.Add(30 * time.Second),
		Healthy: t0.Add(45 * time.Second), Stopping: t0.Add(5 * time.Minute), Ended: t0.Add(6 * time.Minute), Stopped: t0.Add(6*time.Minute + 10*time.Second)})
	for _, row := range []struct {
		at            time.Duration
		running       int32
		health, state string
	}{
		{10 * time.Second, 0, "", "PROVISIONING"},
		{31 * time.Second, 1, "initial", "RUNNING"},
		{time.Minute, 1, "healthy", "RUNNING"},
		{5*time.Minute + time.Second, 0, "draining", "DEACTIVATING"},
		{7 * time.Minute, 0, "", "STOPPED"},
	} {
		clock.after(row.at)
		services := must[*ecs.DescribeServicesOutput](t)(ecs.NewFromConfig(cfg).DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"api"}}))
		tasks := must[*ecs.DescribeTasksOutput](t)(ecs.NewFromConfig(cfg).DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{"a1"}}))
		health := must[*elb.DescribeTargetHealthOutput](t)(elb.NewFromConfig(cfg).DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: services.Services[0].LoadBalancers[0].TargetGroupArn}))
		got := ""
		if len(health.TargetHealthDescriptions) > 0 {
			got = string(health.TargetHealthDescriptions[0].TargetHealth.State)
		}
		if services.Services[0].RunningCount != row.running || got != row.health || *tasks.Tasks[0].LastStatus != row.state {
			t.Errorf("after %s: %d running, %q, %s", row.at, services.Services[0].RunningCount, got, *tasks.Tasks[0].LastStatus)
		}
		if s := tasks.Tasks[0].StartedAt; s != nil && !s.Equal(t0.Add(30*time.Second)) {
			t.Errorf("started at %s", s)
		}
	}
	clock.after(2 * time.Hour)
	tasks := must[*ecs.DescribeTasksOutput](t)(ecs.NewFromConfig(cfg).DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{"a1"}}))
	if len(tasks.Tasks) != 0 || len(tasks.Failures) != 1 {
		t.Error("a task that stopped more than an hour ago is still told of")
	}
}

// As was recorded: a MaxResults of up to 50 ends the list without a token.
func TestActivitiesComeInPagesUnlessTheirNumberIsAskedFor(t *testing.T) {
	fake, clock, cfg := start(t)
	for i := range 60 {
		fake.Tell(awstest.Activity{ID: fmt.Sprint(i), Start: t0.Add(time.Duration(i) * time.Second), Status: "Failed", Cause: "c", Description: "d",
			NotScaled: []awstest.NotScaled{{Code: "AlreadyAtMaxCapacity", Current: -1, Min: -1, Max: 6}}})
	}
	clock.after(time.Hour)
	client := applicationautoscaling.NewFromConfig(cfg)
	in := &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: "ecs", ResourceId: aws.String("service/shop/api"), IncludeNotScaledActivities: aws.Bool(true)}
	first := must[*applicationautoscaling.DescribeScalingActivitiesOutput](t)(client.DescribeScalingActivities(t.Context(), in))
	in.NextToken = first.NextToken
	second := must[*applicationautoscaling.DescribeScalingActivitiesOutput](t)(client.DescribeScalingActivities(t.Context(), in))
	if len(first.ScalingActivities) != 50 || len(second.ScalingActivities) != 10 || second.NextToken != nil || *first.ScalingActivities[0].ActivityId != "59" {
		t.Errorf("%d and %d, first %s", len(first.ScalingActivities), len(second.ScalingActivities), *first.ScalingActivities[0].ActivityId)
	}
	if r := first.ScalingActivities[0].NotScaledReasons[0]; *r.Code != "AlreadyAtMaxCapacity" || *r.MaxCapacity != 6 || r.CurrentCapacity != nil {
		t.Errorf("%+v", r)
	}
	in.NextToken, in.MaxResults = nil, aws.Int32(50)
	if cut := must[*applicationautoscaling.DescribeScalingActivitiesOutput](t)(client.DescribeScalingActivities(t.Context(), in)); len(cut.ScalingActivities) != 50 || cut.NextToken != nil {
		t.Errorf("%d, token %v", len(cut.ScalingActivities), cut.NextToken)
	}
}

func TestMetricsComeLateAndTheNewestFirst(t *testing.T) {
	fake, clock, cfg := start(t)
	cpu := awstest.Metric{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: "ClusterName=shop,ServiceName=api", Statistic: "Average", Period: time.Minute}
	for i := range 3 {
		fake.Tell(awstest.Datapoint{Metric: cpu, At: t0.Add(time.Duration(i) * time.Minute), Value: float64(10 * i), Late: 2 * time.Minute})
	}
	query := func() []float64 {
		out := must[*cloudwatch.GetMetricDataOutput](t)(cloudwatch.NewFromConfig(cfg).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(t0), EndTime: aws.Time(t0.Add(time.Hour)),
			MetricDataQueries: []cwtypes.MetricDataQuery{{Id: aws.String("m1"), MetricStat: &cwtypes.MetricStat{
				Period: aws.Int32(60), Stat: aws.String("Average"), Metric: &cwtypes.Metric{Namespace: aws.String("AWS/ECS"), MetricName: aws.String("CPUUtilization"),
					Dimensions: []cwtypes.Dimension{{Name: aws.String("ServiceName"), Value: aws.String("api")}, {Name: aws.String("ClusterName"), Value: aws.String("shop")}}},
			}}},
		}))
		return out.MetricDataResults[0].Values
	}
	clock.after(4 * time.Minute) // the periods that ended at 1:00 and 2:00 are told
	if got := fmt.Sprint(query()); got != "[10 0]" {
		t.Error(got)
	}
}

func TestAnAlarmsHistoryHasItsReasonAndAMutedOneIsNamed(t *testing.T) {
	fake, clock, cfg := start(t)
	fake.Tell(
		awstest.AlarmState{Alarm: "high", From: "OK", To: "ALARM", At: t0, Reason: "Threshold Crossed", Recent: []float64{71, 82, 93}},
		awstest.Mute{Name: "quiet", Alarms: []string{"high"}, From: t0, To: t0.Add(time.Hour)},
	)
	clock.after(time.Minute)
	client := cloudwatch.NewFromConfig(cfg)
	history := must[*cloudwatch.DescribeAlarmHistoryOutput](t)(client.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("high")}))
	if got := *history.AlarmHistoryItems[0].HistoryData; !strings.Contains(got, `"recentDatapoints":[71,82,93]`) {
		t.Error(got)
	}
	mutes := must[*cloudwatch.ListAlarmMuteRulesOutput](t)(client.ListAlarmMuteRules(t.Context(), &cloudwatch.ListAlarmMuteRulesInput{AlarmName: aws.String("high")}))
	if s := mutes.AlarmMuteRuleSummaries; len(s) != 1 || s[0].Status != cwtypes.AlarmMuteRuleStatusActive || !strings.HasSuffix(*s[0].AlarmMuteRuleArn, ":quiet") {
		t.Errorf("%+v", s)
	}
}

func TestACallIsDeniedThrottledOrLeftHanging(t *testing.T) {
	fake, _, cfg := start(t)
	describe := func(ctx context.Context) error {
		_, err := ecs.NewFromConfig(cfg).DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"api"}})
		return err
	}
	fake.Fail("ecs:DescribeServices", &awstest.Fault{Err: awstest.Throttled, Times: 2})
	if err := describe(t.Context()); err != nil || len(fake.Calls("ecs:DescribeServices")) != 3 {
		t.Errorf("throttled twice: %v after %d calls", err, len(fake.Calls("")))
	}
	fake.Deny("ecs:DescribeServices", "elasticloadbalancing:DescribeTargetHealth", "cloudwatch:GetMetricData")
	_, fromELB := elb.NewFromConfig(cfg).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String("x")})
	_, fromCloudWatch := cloudwatch.NewFromConfig(cfg).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(t0), EndTime: aws.Time(t0), MetricDataQueries: []cwtypes.MetricDataQuery{}})
	for _, err := range []error{describe(t.Context()), fromELB, fromCloudWatch} {
		e, ok := errors.AsType[smithy.APIError](err)
		if !ok || !strings.HasPrefix(e.ErrorCode(), "AccessDenied") || !strings.Contains(e.ErrorMessage(), "not authorized to perform") {
			t.Errorf("%v", err)
		}
	}
	fake.Fail("ecs:DescribeServices", &awstest.Fault{Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := describe(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v", err)
	}
}

func TestLinesOfALogAreKeptAndAMissingGroupIsRefused(t *testing.T) {
	fake, _, cfg := start(t)
	client := cloudwatchlogs.NewFromConfig(cfg)
	put := func(group string) error {
		_, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: aws.String("s"),
			LogEvents: []logtypes.InputLogEvent{{Timestamp: aws.Int64(1), Message: aws.String("hello")}}})
		return err
	}
	if err := put("absent"); err == nil {
		t.Error("a group that is not there took a line")
	}
	fake.LogGroup("watch")
	if err := put("watch"); err != nil || fmt.Sprint(fake.Lines("watch")) != "[hello]" {
		t.Error(err, fake.Lines("watch"))
	}
}
