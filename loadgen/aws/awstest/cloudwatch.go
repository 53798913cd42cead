package awstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (f *Fake) cloudwatch() {
	f.handlers["cloudwatch:DescribeAlarms"] = f.describeAlarms
	f.handlers["cloudwatch:DescribeAlarmHistory"] = f.describeAlarmHistory
	f.handlers["cloudwatch:GetMetricData"] = f.getMetricData
	f.handlers["cloudwatch:ListAlarmMuteRules"] = f.listMuteRules
	f.handlers["cloudwatch:GetAlarmMuteRule"] = f.getMuteRule
}

func (m Metric) dimensions() []any {
	var all []any
	for pair := range strings.SplitSeq(m.Dimensions, ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			all = append(all, Object{"Name": name, "Value": value})
		}
	}
	return all
}

func (f *Fake) describeAlarms(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var all []any
	for _, p := range f.world.policies {
		for _, a := range []struct {
			name  string
			isLow bool
		}{{p.High, false}, {p.Low, true}} {
			if a.name == "" || !slices.Contains(in.Texts("AlarmNames"), a.name) {
				continue
			}
			o := Object{
				"AlarmName": a.name, "AlarmArn": arn("cloudwatch", "alarm:"+a.name), "ActionsEnabled": true,
				"Namespace": p.Metric.Namespace, "MetricName": p.Metric.Name, "Dimensions": p.Metric.dimensions(),
				"Statistic": p.Metric.Statistic, "Period": int(p.Metric.Period / time.Second), "EvaluationPeriods": 3,
				"Threshold": p.Value, "ComparisonOperator": "GreaterThanThreshold", "StateValue": "INSUFFICIENT_DATA",
				"AlarmActions": []any{p.arn(&f.world.service)},
			}
			if a.isLow {
				o["EvaluationPeriods"], o["Threshold"], o["ComparisonOperator"] = 15, 0.9*p.Value, "LessThanThreshold"
			}
			if p.Metric.Period < time.Minute && a.isLow {
				o["EvaluationPeriods"] = 30
			}
			for _, s := range f.world.alarms {
				if s.Alarm == a.name && come(s.At, s.Late, now) {
					o["StateValue"], o["StateReason"], o["StateUpdatedTimestamp"] = s.To, s.Reason, s.At
				}
			}
			all = append(all, o)
		}
	}
	return Object{"MetricAlarms": f.arranged(all)}, nil
}

func (f *Fake) describeAlarmHistory(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var all []any
	for _, s := range f.world.alarms {
		if s.Alarm != in.Text("AlarmName") || !come(s.At, s.Late, now) || s.At.Before(in.Time("StartDate")) {
			continue
		}
		reason := map[string]any{"version": "1.0", "recentDatapoints": s.Recent}
		if !s.Newest.IsZero() {
			reason["evaluatedDatapoints"] = []any{map[string]any{"timestamp": s.Newest.UTC().Format("2006-01-02T15:04:05.000-0700")}}
		}
		data, err := json.Marshal(map[string]any{
			"version":  "1.0",
			"oldState": map[string]any{"stateValue": s.From, "stateReason": "…"},
			"newState": map[string]any{"stateValue": s.To, "stateReason": s.Reason, "stateReasonData": reason},
		})
		if err != nil {
			return nil, err
		}
		all = append(all, Object{
			"AlarmName": s.Alarm, "AlarmType": "MetricAlarm", "Timestamp": s.At, "HistoryItemType": "StateUpdate",
			"HistorySummary": fmt.Sprintf("Alarm updated from %s to %s", s.From, s.To), "HistoryData": string(data),
		})
	}
	if in.Text("ScanBy") != "TimestampAscending" {
		slices.Reverse(all)
	}
	part, next, err := page(f.arranged(all), in.Text("NextToken"), 50)
	if err != nil {
		return nil, err
	}
	return Object{"AlarmHistoryItems": part, "NextToken": orNil(next)}, nil
}

// getMetricData answers metrics, and no expressions.
func (f *Fake) getMetricData(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	from, to := in.Time("StartTime"), in.Time("EndTime")
	var results []any
	for _, q := range in.Objects("MetricDataQueries") {
		stat := q.Object("MetricStat")
		if stat == nil {
			return nil, &Error{Code: "ValidationError", Message: "the fake has no expressions"}
		}
		asked := stat.Object("Metric")
		seconds, _ := stat.Number("Period")
		var dimensions []string
		for _, d := range asked.Objects("Dimensions") {
			dimensions = append(dimensions, d.Text("Name")+"="+d.Text("Value"))
		}
		slices.Sort(dimensions)
		want := Metric{asked.Text("Namespace"), asked.Text("MetricName"), strings.Join(dimensions, ","), stat.Text("Stat"), time.Duration(seconds) * time.Second}
		var times, values []any
		for _, d := range f.world.data {
			if d.Metric == want && !d.At.Before(from) && d.At.Before(to) && come(d.At.Add(want.Period), d.Late, now) {
				times, values = append(times, d.At), append(values, d.Value)
			}
		}
		if in.Text("ScanBy") != "TimestampAscending" {
			slices.Reverse(times)
			slices.Reverse(values)
		}
		results = append(results, Object{"Id": q.Text("Id"), "Label": want.Name, "StatusCode": "Complete", "Timestamps": times, "Values": values})
	}
	return Object{"MetricDataResults": f.arranged(results)}, nil
}

func (f *Fake) listMuteRules(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []any
	for _, m := range f.world.mutes {
		name := in.Text("AlarmName")
		if status := m.status(f.now()); (name == "" || slices.Contains(m.Alarms, name)) &&
			(len(in.Texts("Statuses")) == 0 || slices.Contains(in.Texts("Statuses"), status)) {
			all = append(all, Object{"AlarmMuteRuleArn": arn("cloudwatch", "alarm-mute-rule:"+m.Name), "Status": status, "MuteType": "ONE_TIME", "ExpireDate": m.To})
		}
	}
	return Object{"AlarmMuteRuleSummaries": f.arranged(all)}, nil
}

func (f *Fake) getMuteRule(in Object) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.world.mutes {
		if m.Name == in.Text("AlarmMuteRuleName") {
			var alarms []any
			for _, a := range m.Alarms {
				alarms = append(alarms, a)
			}
			minutes := int(m.To.Sub(m.From) / time.Minute)
			return Object{
				"Name": m.Name, "Status": m.status(f.now()), "MuteType": "ONE_TIME", "MuteTargets": Object{"AlarmNames": alarms},
				"Rule": Object{"Schedule": Object{"Expression": m.From.UTC().Format("at(2006-01-02T15:04)"), "Duration": fmt.Sprintf("PT%dM", minutes), "Timezone": "UTC"}},
			}, nil
		}
	}
	return nil, &Error{Status: 404, Code: "ResourceNotFoundException", Message: "Unknown"}
}

func (m Mute) status(now time.Time) string {
	switch {
	case now.Before(m.From):
		return "SCHEDULED"
	case now.Before(m.To):
		return "ACTIVE"
	}
	return "EXPIRED"
}
