package lab

import (
	"context"
	"sync"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

// controller is CloudWatch and Application Auto Scaling: each period it makes datapoints of what balancer and scheduler
// have counted, gives them to the state machine, and the scheduler what that decides.
type controller struct {
	cfg       Config
	scheduler *scheduler
	balancer  *balancer
	recorder  *timeline.Recorder
	now       func() time.Duration // the run's clock

	mu     sync.Mutex
	scaler *autoscaling.Scaler
	seen   struct{ metrics, alarms, activities int } // how much of the scaler's the timeline has
	judged time.Duration                             // until when, on the run's clock, load has been judged

	// Of the balancer, when the last period ended.
	routed     int64
	inRotation time.Duration
}

// service is an instant of the run's clock in simulated time.
func (c *controller) service(run time.Duration) time.Duration {
	return time.Duration(float64(run) * c.cfg.Speedup)
}

// sample is a period's datapoints on their way to the state machine.
type sample struct {
	period int
	values map[string]float64
}

// run counts from the beginning of the load until ctx ends.
func (c *controller) run(ctx context.Context) {
	c.routed, c.inRotation, _ = c.balancer.period()
	c.scheduler.usage() // from now on
	if c.balancer.times != nil {
		c.balancer.times.p99()
	}
	period := c.cfg.period()
	var waiting []sample
	next := 1
	for {
		wake := time.Duration(next) * period
		if len(waiting) > 0 {
			wake = min(wake, c.due(waiting[0].period))
		}
		timer := time.NewTimer(wake - c.now())
		select {
		case <-timer.C:
		case <-c.scheduler.changed:
			timer.Stop()
			c.settle()
			continue
		case <-ctx.Done():
			timer.Stop()
			return
		}
		now := c.now()
		if now >= time.Duration(next)*period {
			// After a pause of the whole process several periods may have ended. What came in them is in the last one's
			// datapoint, which is a rate; the others have none.
			next = max(next, int(now/period))
			waiting = append(waiting, sample{next, c.measure(next)})
			next++
		}
		for len(waiting) > 0 && now >= c.due(waiting[0].period) {
			c.step(waiting[0])
			waiting = waiting[1:]
		}
	}
}

// due is when a period's datapoints are seen, on the run's clock.
func (c *controller) due(period int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.real(c.scaler.Due(period))
}

// measure makes the datapoints of what has been since it was last called. Requests and CPU are rates over the time that has
// really passed, so that a late timer counts neither too much nor too little. A p99 is that of a period of the balancer.
func (c *controller) measure(period int) map[string]float64 {
	values := map[string]float64{}
	routed, inRotation, registered := c.balancer.period()
	// Requests per target and second of the run's clock are also what a service-time second would see; a period has so
	// many of them. Without a target in rotation there were no requests; without a registered one there is no metric.
	if served := inRotation - c.inRotation; served > 0 {
		values[autoscaling.MetricRequests] = float64(routed-c.routed) / served.Seconds() * c.cfg.Scaling.Period.Seconds()
	} else if registered {
		values[autoscaling.MetricRequests] = 0
	}
	c.routed, c.inRotation = routed, inRotation
	if share, ok := c.scheduler.usage(); ok {
		values[autoscaling.MetricCPU] = 100 * share
	}
	if c.balancer.times != nil && period%max(c.cfg.Scaling.Balancer.Every, 1) == 0 {
		if p99, ok := c.balancer.times.p99(); ok {
			values[autoscaling.MetricP99] = float64(p99) / float64(time.Millisecond)
		}
	}
	return values
}

func (c *controller) step(s sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.scheduler.point()
	c.scaler.Step(autoscaling.Observation{
		Period: s.period, At: c.service(c.now()), Running: p.Running, Draining: p.Draining, Values: s.values,
	})
	c.obey()
	c.judged = time.Duration(s.period) * c.cfg.period()
}

// settle tells the state machine that capacity has changed.
func (c *controller) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.scheduler.point()
	if c.scaler.Settle(c.service(c.now()), p.Running, p.Draining) {
		c.note()
	}
}

// setBounds changes min and max in mid-run.
func (c *controller) setBounds(low, high int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.scaler.SetBounds(c.service(c.now()), low, high); err != nil {
		return err
	}
	c.recorder.Bounds(timeline.BoundsChange{At: c.now(), Min: low, Max: high})
	c.obey()
	return nil
}

// obey gives the scheduler what the state machine desires.
func (c *controller) obey() {
	c.note()
	if p := c.scheduler.point(); p.Desired != c.scaler.Desired() {
		c.scheduler.setDesired(c.scaler.Desired(), scaling)
	}
}

// note brings what is new in the state machine into the timeline, on the run's clock.
func (c *controller) note() {
	metrics := c.scaler.Metrics()
	for _, d := range metrics[c.seen.metrics:] {
		d.At = c.cfg.real(d.At)
		c.recorder.Metric(d)
	}
	c.seen.metrics = len(metrics)
	alarms := c.scaler.AlarmChanges()
	for _, a := range alarms[c.seen.alarms:] {
		a.At = c.cfg.real(a.At)
		c.recorder.Alarm(a)
	}
	c.seen.alarms = len(alarms)
	for i, a := range c.scaler.Activities() {
		a.At, a.Completed = c.cfg.real(a.At), c.cfg.real(a.Completed)
		if i < c.seen.activities {
			c.recorder.UpdateActivity(i, a)
			continue
		}
		c.recorder.Activity(a)
		c.seen.activities++
	}
}

// state says what AwaitRecovery wants to know: until when load has been judged, and whether capacity is at rest at min.
func (c *controller) state() (judged time.Duration, atMin bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.scheduler.point()
	low, _ := c.scaler.Bounds()
	return c.judged, p.Desired == low && p.Running == low && p.Healthy == low && p.Draining == 0 && !c.scaler.InProgress()
}
