package publish

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/result"
)

// CloudWatch is a result.Sink that publishes by PutMetricData. Make it with [NewCloudWatch].
type CloudWatch struct {
	// Name is what the user asked for it by, for errors; --cloudwatch when empty.
	Name string
	// Say, when not nil, is told in one line of trouble before the run that does not refuse it.
	Say func(text string)

	result.NopSink
	config  Config
	sender  *sender
	started bool
	service string
	periods *periods
	waiting []point // periods of a second that go out together
	since   time.Time
	times   times
}

// times are how long CloudWatch is waited for.
type times struct{ start, close, finish time.Duration }

// patience is such that the end of a run, close and finish together, stays below result.CloseTimeout: a run which was told to
// stop ends in time, and what was lost is counted and not merely unfinished.
func patience() times {
	return times{start: 5 * time.Second, close: 3500 * time.Millisecond, finish: time.Second}
}

// together is how much of a run one call holds, at a resolution of a second.
const together = 5 * time.Second

// NewCloudWatch returns a sink that publishes with an AWS configuration, whose own retries are not used.
func NewCloudWatch(config Config, conf aws.Config) *CloudWatch {
	return &CloudWatch{config: config, sender: newSender(conf, config.namespace()), times: patience()}
}

var _ result.Deliverer = (*CloudWatch)(nil)

// Start publishes Requests 0, which changes no sum, and refuses the run with an *input.Error about Name when
// that is refused for good: no credentials, or not allowed. An endpoint that does not answer does not refuse it: the run's own
// calls may still arrive, and what does not is counted.
func (c *CloudWatch) Start(m *result.Meta) error {
	c.service = serviceOf(&c.config, m)
	ctx, cancel := context.WithTimeout(context.Background(), c.times.start)
	defer cancel()
	points := []point{{metric: &Metric{Name: Requests, Unit: "Count"}, at: m.StartedAt.Truncate(c.config.resolution())}}
	e := c.sender.probe(ctx, c.batches(points)[0])
	switch {
	case e == nil:
	case !e.Passes() && e.Kind != session.Canceled:
		return &input.Error{Field: cmp.Or(c.Name, "--cloudwatch"), Want: e.Error(), Hint: e.Hint}
	case c.Say != nil:
		c.Say("metrics may be lost: " + e.Error())
	}
	return nil
}

// Begin notes when the run's clock read 0.
func (c *CloudWatch) Begin(m *result.Meta) error {
	c.periods = newPeriods(&c.config, m, true)
	c.sender.start()
	c.started = true
	return nil
}

// Window adds up a window, and hands over a period that is complete. It calls nothing.
func (c *CloudWatch) Window(w *result.Window) error {
	c.take(c.periods.add(w))
	return nil
}

// take keeps the points of a period until there are enough for a call.
func (c *CloudWatch) take(points []point) {
	if len(points) == 0 {
		return
	}
	if len(c.waiting) > 0 && points[0].at.Sub(c.since) >= together {
		c.hand()
	}
	if len(c.waiting) == 0 {
		c.since = points[0].at
	}
	c.waiting = append(c.waiting, points...)
	if c.config.resolution() >= together || len(c.waiting) >= maxDatums {
		c.hand()
	}
}

// hand gives what waits to the sender.
func (c *CloudWatch) hand() {
	c.sender.enqueue(c.batches(c.waiting)...)
	c.waiting = nil
}

// Close hands over the rest and waits for the sender, for 3.5 s at most. What is lost by then is counted.
func (c *CloudWatch) Close() error {
	if !c.started {
		return nil
	}
	c.take(c.periods.flush())
	c.hand()
	c.sender.close(c.times.close)
	return nil
}

// Finish publishes the verdict. Its error is that nothing of the run was published at all.
func (c *CloudWatch) Finish(r *result.Result) error {
	if !c.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.times.finish)
	defer cancel()
	for _, b := range c.batches(c.periods.verdict(r)) {
		c.sender.send(ctx, b)
	}
	if d := c.sender.count(); d.Sent == 0 {
		return fmt.Errorf("cloudwatch: nothing was published: %s", d.Reason)
	}
	return nil
}

// Deliveries is what CloudWatch has accepted so far.
func (c *CloudWatch) Deliveries() []result.Delivery {
	d := c.sender.count()
	d.To = fmt.Sprintf("CloudWatch, namespace %s, service %s", c.config.namespace(), c.service)
	d.What = "datums"
	return []result.Delivery{d}
}

// client is the call that is made.
type client interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}
