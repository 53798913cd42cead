package lab

import (
	"sync"
	"time"

	"scalableappbackend/loadgen/result"
)

// responseTimes are an Application Load Balancer's TargetResponseTime: from when a request is sent to a target until the
// target has answered with its header, in real time at every speed, because requests are real (User Guide, "CloudWatch metrics
// for your Application Load Balancer"). A request that no target answers has none, however long it waited: not one that is
// refused, given up, cut or timed out before the answer began.
type responseTimes struct {
	mu   sync.Mutex
	seen result.Histogram // since last taken
}

// add takes one; a nil receiver takes none.
func (r *responseTimes) add(d time.Duration) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Record(d)
}

// p99 is that of all since it was last called; not ok where there were none.
func (r *responseTimes) p99() (p99 time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.seen = result.Histogram{} }()
	return r.seen.Quantile(0.99), r.seen.Count() > 0
}
