package autoscaling

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// datapoint is a metric over one period.
type datapoint struct {
	from    time.Duration // where the period begins, which is how CloudWatch stamps it
	value   float64
	missing bool
}

// alarm is a CloudWatch alarm on a metric with missing data treated as missing.
type alarm struct {
	metric    string
	high      bool // above the threshold is breaching; else below
	threshold float64
	Evaluation

	state timeline.AlarmState
	// fetched is the evaluation range, newest first: CloudWatch fetches more datapoints than it
	// evaluates, so that a few may be missing. Its documentation shows 5 for an alarm of 3.
	fetched []datapoint
}

const beyondPeriods = 2

func newAlarm(metric string, high bool, threshold float64, e Evaluation) *alarm {
	return &alarm{metric: metric, high: high, threshold: threshold, Evaluation: e, state: timeline.InsufficientData}
}

// name is what the timeline calls the alarm.
func (a *alarm) name() string {
	if a.high {
		return a.metric + "-AlarmHigh"
	}
	return a.metric + "-AlarmLow"
}

func (a *alarm) breaches(d datapoint) bool {
	return !d.missing && (a.high && d.value > a.threshold || !a.high && d.value < a.threshold)
}

// evaluated are the datapoints that the state depends on: the newest that are not missing, as many
// as there are periods.
func (a *alarm) evaluated() []datapoint {
	var points []datapoint
	for _, d := range a.fetched {
		if !d.missing && len(points) < a.Periods {
			points = append(points, d)
		}
	}
	return points
}

// push gives the alarm a period's datapoint and returns the reason when that changes its state.
func (a *alarm) push(d datapoint) (reason string, changed bool) {
	if len(a.fetched) < a.Periods+beyondPeriods {
		a.fetched = append(a.fetched, datapoint{})
	}
	copy(a.fetched[1:], a.fetched)
	a.fetched[0] = d
	state := a.next()
	if state == a.state {
		return "", false
	}
	a.state = state
	return a.reason(), true
}

// next is the state that the datapoints ask for. CloudWatch's guide, "Configuring how CloudWatch
// alarms treat missing data", has it as two tables and the rule about premature transitions.
func (a *alarm) next() timeline.AlarmState {
	present, breaching, oldest := 0, 0, 0
	for age, d := range a.fetched {
		if d.missing || present == a.Periods {
			continue
		}
		present++
		if a.breaches(d) {
			breaching, oldest = breaching+1, age+1
		}
	}
	switch {
	case present == 0:
		return timeline.InsufficientData
	case breaching >= a.Datapoints:
		return timeline.Alarm
	case breaching < present:
		return timeline.OK
	case oldest >= a.Datapoints:
		// Too few, but all that there is breaches, and the oldest is as old as the datapoints asked for.
		return timeline.Alarm
	}
	return a.state
}

// mean is the average of the datapoints that the alarm evaluated.
func (a *alarm) mean() float64 {
	points := a.evaluated()
	sum := 0.0
	for _, d := range points {
		sum += d.value
	}
	return sum / float64(max(len(points), 1))
}

// fresh reports whether the last period has a datapoint.
func (a *alarm) fresh() bool { return len(a.fetched) > 0 && !a.fetched[0].missing }

// acts reports whether the alarm sends its action for the last period.
func (a *alarm) acts() bool { return a.state == timeline.Alarm && a.fresh() }

// shown is how many datapoints a reason lists.
const shown = 5

// reason says in CloudWatch's words why the alarm is in its state.
func (a *alarm) reason() string {
	if a.state == timeline.InsufficientData {
		return fmt.Sprintf("Insufficient Data: %s unknown.", counted(a.Periods, "was", "were"))
	}
	breaching := a.state == timeline.Alarm
	var points []string
	count := 0
	for _, d := range a.evaluated() {
		if a.breaches(d) == breaching {
			count++
			if len(points) < shown {
				points = append(points, fmt.Sprintf("%s (%s)", number(d.value), clock(d.from)))
			}
		}
	}
	verb, not, order, transition, least := "were", "", "less", "OK -> ALARM", a.Datapoints
	if count == 1 {
		verb = "was"
	}
	if a.high {
		order = "greater"
	}
	if !breaching {
		not, transition, least = "not ", "ALARM -> OK", a.Periods-a.Datapoints+1
	}
	plural := "s"
	if least == 1 {
		plural = ""
	}
	list := " [" + strings.Join(points, ", ") + "]"
	head, tail := list, ""
	if count >= shown {
		did := "crossed"
		if !breaching {
			did = "did not cross"
		}
		head, tail = "", fmt.Sprintf(". The most recent datapoints which %s the threshold:%s", did, list)
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints%s %s %s%s than the threshold (%s)%s (minimum %d datapoint%s for %s transition).",
		count, a.Periods, head, verb, not, order, number(a.threshold), tail, least, plural, transition)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 datapoint " + one
	}
	return strconv.Itoa(n) + " datapoints " + many
}

// number is a metric as CloudWatch writes it: never without a decimal.
func number(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// clock is simulated time where CloudWatch has the time of day: 00:03:00.
func clock(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
