package scaling

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"scalableappbackend/loadgen/timeline"
)

// query is a metric as GetMetricData takes it: one, or one with what it is computed from.
type query struct {
	stat    *types.MetricStat
	math    []types.MetricDataQuery
	returns string // of math, the one that counts
}

func (w *Watcher) readAlarms(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	of := map[string]string{} // policies by alarm
	for name, p := range w.world.policies {
		for _, a := range p.alarms {
			of[a] = name
		}
	}
	w.mu.Unlock()
	alarms := map[string]alarm{}
	const atOnce = 100
	for part := range slices.Chunk(sortedKeys(of), atOnce) {
		in := &cloudwatch.DescribeAlarmsInput{AlarmNames: part, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}}
		for {
			out, err := w.metrics.DescribeAlarms(ctx, in)
			if err != nil {
				return err
			}
			w.mu.Lock()
			for i := range out.MetricAlarms {
				x := w.world.alarmOf(&out.MetricAlarms[i])
				x.policy = of[x.name]
				alarms[x.name] = x
			}
			w.mu.Unlock()
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("alarms", now)
	for name, x := range alarms {
		// Where its state is from when this is first read; what follows is in its history.
		if old, ok := w.world.alarms[name]; ok {
			x.state, x.since, x.reason = old.state, old.since, old.reason
		}
		w.world.alarms[name] = x
	}
	return nil
}

func (w *world) alarmOf(a *types.MetricAlarm) alarm {
	x := alarm{
		name: aws.ToString(a.AlarmName), actions: aws.ToBool(a.ActionsEnabled), state: timeline.AlarmState(a.StateValue),
		reason: aws.ToString(a.StateReason), period: time.Duration(aws.ToInt32(a.Period)) * time.Second,
		periods: int(aws.ToInt32(a.EvaluationPeriods)), threshold: aws.ToFloat64(a.Threshold),
		high: strings.HasPrefix(string(a.ComparisonOperator), "GreaterThan"),
	}
	if x.since = w.ours(a.StateTransitionedTimestamp); x.since.IsZero() {
		x.since = w.ours(a.StateUpdatedTimestamp)
	}
	stat := string(a.Statistic)
	if a.ExtendedStatistic != nil {
		stat = *a.ExtendedStatistic
	}
	switch {
	case a.MetricName != nil:
		x.query = &query{stat: &types.MetricStat{
			Metric: &types.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
			Period: a.Period, Stat: &stat, Unit: a.Unit,
		}}
	case len(a.Metrics) > 0:
		q := &query{math: a.Metrics}
		for _, m := range a.Metrics {
			if m.ReturnData == nil || *m.ReturnData {
				q.returns = aws.ToString(m.Id)
			}
			if m.MetricStat != nil && x.period == 0 {
				x.period = time.Duration(aws.ToInt32(m.MetricStat.Period)) * time.Second
			}
		}
		x.query = q
	}
	return x
}

// historyData is what the history of an alarm holds of one change.
type historyData struct {
	NewState struct {
		Value  string `json:"stateValue"`
		Reason string `json:"stateReason"`
		Data   struct {
			StartDate string `json:"startDate"`
			Evaluated []struct {
				Timestamp string `json:"timestamp"`
			} `json:"evaluatedDatapoints"`
		} `json:"stateReasonData"`
	} `json:"newState"`
}

func (w *Watcher) readHistory(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	names, from := sortedKeys(w.world.alarms), w.from(now)
	w.mu.Unlock()
	for _, name := range names {
		in := &cloudwatch.DescribeAlarmHistoryInput{
			AlarmName: &name, HistoryItemType: types.HistoryItemTypeStateUpdate, StartDate: aws.Time(from.Add(w.skewNow())),
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm},
		}
		for {
			out, err := w.metrics.DescribeAlarmHistory(ctx, in)
			if err != nil {
				return err
			}
			news := false
			w.mu.Lock()
			for _, item := range out.AlarmHistoryItems {
				at, c := w.world.changeOf(&item)
				if c.state == "" {
					continue
				}
				_, known := w.world.changes[at]
				news = news || !known
				w.world.changes[at] = c
			}
			all := w.world.lookBack
			w.mu.Unlock()
			if in.NextToken = out.NextToken; in.NextToken == nil || !news && !all {
				break
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("history", now)
	return nil
}

func (w *Watcher) skewNow() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.world.skew
}

func (w *world) changeOf(item *types.AlarmHistoryItem) (alarmAt, alarmChange) {
	c := alarmChange{at: w.ours(item.Timestamp)}
	var data historyData
	if err := json.Unmarshal([]byte(aws.ToString(item.HistoryData)), &data); err == nil {
		c.state, c.reason = timeline.AlarmState(data.NewState.Value), data.NewState.Reason
		for _, e := range data.NewState.Data.Evaluated {
			for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339} {
				if t, err := time.Parse(layout, e.Timestamp); err == nil && t.Add(-w.skew).After(c.newest) {
					c.newest = t.Add(-w.skew)
				}
			}
		}
	}
	switch c.state {
	case timeline.OK, timeline.Alarm, timeline.InsufficientData:
	default: // "Alarm updated from OK to ALARM"
		c.state = ""
		if _, to, ok := strings.Cut(aws.ToString(item.HistorySummary), " to "); ok {
			switch s := timeline.AlarmState(strings.TrimSpace(to)); s {
			case timeline.OK, timeline.Alarm, timeline.InsufficientData:
				c.state = s
			}
		}
	}
	return alarmAt{aws.ToString(item.AlarmName), c.at.UnixNano()}, c
}

// readMetrics reads each policy's metric, as its alarm asks for it. The last minutes are asked for again and again: datapoints come
// two to three minutes late.
func (w *Watcher) readMetrics(ctx context.Context, now time.Time) error {
	const late = 15 * time.Minute
	w.mu.Lock()
	from := now.Add(-late)
	if w.world.lookBack || len(w.world.data) == 0 {
		from = w.from(now)
	}
	from, to := from.Add(w.world.skew), now.Add(w.world.skew)
	var queries []types.MetricDataQuery
	type asked struct {
		policy string
		period time.Duration
	}
	byID := map[string]asked{}
	done := map[string]bool{}
	for _, name := range sortedKeys(w.world.alarms) { // the high ones come first, by their name and as there may be no other
		a := w.world.alarms[name]
		if a.query == nil || done[a.policy] {
			continue
		}
		done[a.policy] = true
		id := "p" + strconv.Itoa(len(byID))
		if a.query.stat != nil {
			byID[id] = asked{a.policy, a.period}
			queries = append(queries, types.MetricDataQuery{Id: aws.String(id), MetricStat: a.query.stat})
			continue
		}
		// Its own names, each with a prefix; in expressions as well.
		byID[id+a.query.returns] = asked{a.policy, a.period}
		queries = append(queries, prefixed(a.query.math, id)...)
	}
	w.mu.Unlock()
	if len(queries) == 0 {
		return nil
	}
	in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to, MetricDataQueries: queries}
	for {
		out, err := w.metrics.GetMetricData(ctx, in)
		if err != nil {
			return err
		}
		w.mu.Lock()
		for _, r := range out.MetricDataResults {
			of, ok := byID[aws.ToString(r.Id)]
			for i, t := range r.Timestamps {
				if ok && i < len(r.Values) {
					w.world.data[dataAt{of.policy, t.Add(of.period - w.world.skew).UnixNano()}] = r.Values[i]
				}
			}
		}
		w.mu.Unlock()
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("metrics", now)
	return nil
}

// prefixed are queries whose names begin with p, so that those of several alarms go into one call. Names in expressions are words
// that begin with a small letter.
func prefixed(queries []types.MetricDataQuery, p string) []types.MetricDataQuery {
	var all []types.MetricDataQuery
	for _, q := range queries {
		q.Id = aws.String(p + aws.ToString(q.Id))
		if q.Expression != nil {
			text := *q.Expression
			for _, other := range queries {
				text = replaceWord(text, aws.ToString(other.Id), p+aws.ToString(other.Id))
			}
			q.Expression = &text
		}
		all = append(all, q)
	}
	return all
}

// replaceWord replaces a name where it stands alone.
func replaceWord(text, name, by string) string {
	if name == "" {
		return text
	}
	isWord := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		end := i + len(name)
		if strings.HasPrefix(text[i:], name) && (i == 0 || !isWord(text[i-1])) && (end == len(text) || !isWord(text[end])) {
			out.WriteString(by)
			i = end
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

// readMutes asks which of the alarms are muted now.
func (w *Watcher) readMutes(ctx context.Context, now time.Time) error {
	w.mu.Lock()
	names := sortedKeys(w.world.alarms)
	w.mu.Unlock()
	for _, name := range names {
		in := &cloudwatch.ListAlarmMuteRulesInput{AlarmName: &name, Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive}}
		for {
			out, err := w.metrics.ListAlarmMuteRules(ctx, in)
			if err != nil {
				return err
			}
			w.mu.Lock()
			for _, r := range out.AlarmMuteRuleSummaries {
				arn := aws.ToString(r.AlarmMuteRuleArn)
				w.world.muted(path.Base(arn[strings.LastIndexByte(arn, ':')+1:]), name, now)
			}
			w.mu.Unlock()
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.saw("mutes", now)
	return nil
}

// muted notes that an alarm is muted by a rule.
func (w *world) muted(rule, alarm string, now time.Time) {
	const apart = 3 * time.Minute // between two looks, with trouble in between
	for i := range w.mutes {
		if m := &w.mutes[i]; m.rule == rule && m.alarm == alarm && now.Sub(m.to) <= apart {
			m.to = now
			return
		}
	}
	w.mutes = append(w.mutes, mute{rule, alarm, now, now})
}
