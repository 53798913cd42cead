package lab

import (
	"context"
	"sync"
	"time"
)

// standbys are replicas that were started ahead: they listen and answer their health path, and no balancer knows them. A
// program's start is real time however fast the service is, so a task takes a standby, and counts the start that it had
// as simulated time.
type standbys struct {
	start   func(ctx context.Context) (replica, error) // returns when it is ready
	failed  func(error)                                // one did not start, or ended while it waited
	workers int                                        // starts at a time

	ctx  context.Context
	end  context.CancelFunc
	all  sync.WaitGroup
	news chan struct{} // of capacity 1: one is ready or has failed

	mu       sync.Mutex
	want     int // that are ready or starting
	starting int
	failures int // in a row
	ready    []standby
	took     []time.Duration // each start that was measured
}

type standby struct {
	replica replica
	start   time.Duration // real time from its exec to its first good answer
}

func newStandbys(start func(context.Context) (replica, error), failed func(error), workers int) *standbys {
	p := &standbys{start: start, failed: failed, workers: workers, news: make(chan struct{}, 1)}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// keep sees to it that so many are ready. More are kept until they are taken.
func (p *standbys) keep(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = n
	p.fill()
}

// fill starts what is missing, below the lock.
func (p *standbys) fill() {
	for p.ctx.Err() == nil && p.starting < p.workers && len(p.ready)+p.starting < p.want {
		p.starting++
		wait := backoff(p.failures)
		p.all.Go(func() { p.add(wait) })
	}
}

func (p *standbys) add(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var r replica
	var err error
	began := time.Now()
	select {
	case <-timer.C:
		began = time.Now()
		r, err = p.start(p.ctx)
	case <-p.ctx.Done():
		err = p.ctx.Err()
	}
	p.mu.Lock()
	p.starting--
	over := p.ctx.Err() != nil
	switch {
	case over:
	case err != nil:
		p.failures++
	default:
		p.failures = 0
		p.ready = append(p.ready, standby{r, time.Since(began)})
		p.took = append(p.took, time.Since(began))
		p.all.Go(func() { p.watch(r) })
	}
	p.fill()
	p.mu.Unlock()
	if over && r != nil {
		r.kill()
	}
	if !over && err != nil {
		p.failed(err)
	}
	p.tell()
}

func (p *standbys) tell() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// watch forgets a standby that ends by itself.
func (p *standbys) watch(r replica) {
	select {
	case <-r.done():
	case <-p.ctx.Done():
		return
	}
	p.mu.Lock()
	was := false
	for i, s := range p.ready {
		if s.replica == r {
			p.ready = append(p.ready[:i:i], p.ready[i+1:]...)
			was = true
			p.failures++
			p.fill()
			break
		}
	}
	p.mu.Unlock()
	if was && r.err() != nil {
		p.failed(r.err())
		p.tell()
	}
}

// take is the standby that has waited longest; not ok when none is ready.
func (p *standbys) take() (s standby, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ready) == 0 {
		return standby{}, false
	}
	s = p.ready[0]
	p.ready = p.ready[1:]
	p.want = max(0, p.want-1) // until the scheduler says how many there are to be now
	return s, true
}

// give takes one back that is not needed after all.
func (p *standbys) give(s standby) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, s)
	p.all.Go(func() { p.watch(s.replica) })
}

// measured is each start until now, in the order in which they were ready.
func (p *standbys) measured() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.took...)
}

// noteStart adds a start that was measured elsewhere.
func (p *standbys) noteStart(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, d)
}

func (p *standbys) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready)
}

// close ends all that wait.
func (p *standbys) close(stop func(replica)) {
	p.mu.Lock()
	p.end()
	p.mu.Unlock()
	p.all.Wait()
	var ending sync.WaitGroup
	for _, s := range p.ready {
		ending.Go(func() { stop(s.replica) })
	}
	ending.Wait()
	p.ready = nil
}
