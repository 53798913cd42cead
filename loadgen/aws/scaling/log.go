package scaling

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/result"
)

// Log is a result.Sink that writes scaling activities to a group of CloudWatch Logs, where a dashboard can list them: one line of
// JSON for each, and another one when its status changes. EventBridge does not carry them.
type Log struct {
	result.NopSink
	client        *cloudwatchlogs.Client
	group, stream string
	service       string
	origin        time.Time

	mu      sync.Mutex
	written map[string]string // statuses by activity
	failed  error             // the first
	lost    int
}

// LogLine is a line of the log.
type LogLine struct {
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Policy  string    `json:"policy,omitempty"`
	From    int       `json:"from"`
	To      int       `json:"to"`
	Status  string    `json:"status"`
	Detail  string    `json:"description,omitempty"`
	Cause   string    `json:"cause,omitempty"`
	Reasons []string  `json:"not_scaled_reasons,omitempty"`
}

// OpenLog makes a stream in a group, and so finds out whether it may be written to. Its error is an [*session.Error].
func OpenLog(ctx context.Context, cfg aws.Config, group, service string, now time.Time) (*Log, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	l := &Log{
		client: cloudwatchlogs.NewFromConfig(cfg), group: group, service: service, written: map[string]string{},
		stream: "loadgen/" + strings.ReplaceAll(service, ":", "/") + "/" + now.UTC().Format("20060102T150405Z"),
	}
	_, err := l.client.CreateLogStream(call, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &l.group, LogStreamName: &l.stream})
	if _, exists := errors.AsType[*types.ResourceAlreadyExistsException](err); err != nil && !exists {
		return nil, session.Explain(err)
	}
	return l, nil
}

// From says when the clock of the facts reads 0.
func (l *Log) From(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.origin = at
}

// Begin is of a run: its clock reads 0.
func (l *Log) Begin(m *result.Meta) error {
	l.From(m.StartedAt)
	return nil
}

// Facts writes the activities among them. What cannot be written is counted, and is an error when the sink is closed; the run goes on.
func (l *Log) Facts(f *result.Facts) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []types.InputLogEvent
	for _, f := range f.Facts {
		a := f.Activity
		if a == nil || f.Gone || l.written[f.ID] == a.Status {
			continue
		}
		l.written[f.ID] = a.Status
		at := l.origin.Add(a.At)
		data, err := json.Marshal(LogLine{at.UTC(), l.service, a.Policy, a.From, a.To, a.Status, a.Description, a.Cause, a.NotScaledReasons})
		if err != nil {
			return err
		}
		lines = append(lines, types.InputLogEvent{Timestamp: aws.Int64(at.UnixMilli()), Message: aws.String(string(data))})
	}
	slices.SortStableFunc(lines, func(a, b types.InputLogEvent) int { return int(*a.Timestamp - *b.Timestamp) })
	for len(lines) > 0 {
		// A call takes what lies within a day.
		n := 1
		for n < len(lines) && *lines[n].Timestamp-*lines[0].Timestamp < (23*time.Hour).Milliseconds() {
			n++
		}
		l.put(lines[:n])
		lines = lines[n:]
	}
	return nil
}

func (l *Log) put(lines []types.InputLogEvent) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	out, err := l.client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &l.group, LogStreamName: &l.stream, LogEvents: lines})
	switch {
	case err != nil:
		l.lost += len(lines)
		if l.failed == nil {
			l.failed = session.Explain(err)
		}
	case out.RejectedLogEventsInfo != nil:
		l.lost++
		if l.failed == nil {
			l.failed = errors.New("CloudWatch Logs took not all lines: they are too old, or not within its time")
		}
	}
}

// Close returns the first error of writing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		return nil
	}
	return errors.New("watch log " + l.group + ": " + strconv.Itoa(l.lost) + " lines not written: " + l.failed.Error())
}
