package scaling

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// DefaultRecovery is how long capacity is watched after the load: 15 datapoints of a minute, two to three minutes of delay, and
// four steps of a drain and a cooldown each.
const DefaultRecovery = 45 * time.Minute

// Options say what is watched.
type Options struct {
	// Cluster and Service are names or ARNs.
	Cluster, Service string
	// Recovery is how long [Watcher.AwaitRecovery] waits at most; 0 is DefaultRecovery.
	Recovery time.Duration
	// TaskCapacity is what one task can do, in requests/s; 0: not known.
	TaskCapacity float64
	// Since is how far activities, alarms and metrics are looked back, where that is before watching began.
	Since time.Time
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Say takes what a person should know at once, a line each: trouble with an API, and its end. It may be called from several
	// goroutines. Nil: nobody.
	Say func(line string)
}

// Watcher watches one service. Open, Start and Close it; in between it is a loadgen.Capacity.
type Watcher struct {
	o       Options
	ecs     *ecs.Client
	elb     *elb.Client
	metrics *cloudwatch.Client
	scaling *applicationautoscaling.Client
	readers []*reader

	end   context.CancelFunc
	loops sync.WaitGroup

	mu      sync.Mutex
	world   world
	origin  time.Time // when the run's clock read 0; zero before
	load    *timeline.Loaded
	dirty   bool
	told    map[key]timeline.Fact
	known   time.Duration
	changed chan struct{} // gets a token when something was read
}

type key struct{ kind, id string }

// New makes a watcher. It makes no call.
func New(cfg aws.Config, o Options) *Watcher {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	o.Recovery = cmp.Or(o.Recovery, DefaultRecovery)
	o.Cluster, o.Service = nameOf(o.Cluster), nameOf(o.Service)
	w := &Watcher{
		o: o, ecs: ecs.NewFromConfig(cfg), elb: elb.NewFromConfig(cfg), metrics: cloudwatch.NewFromConfig(cfg),
		scaling: applicationautoscaling.NewFromConfig(cfg),
		told:    map[key]timeline.Fact{}, changed: make(chan struct{}, 1),
	}
	w.world = newWorld()
	w.readers = w.allReaders()
	return w
}

// nameOf is the name at the end of an ARN, or the name that it is.
func nameOf(s string) string {
	if strings.HasPrefix(s, "arn:") {
		return path.Base(s)
	}
	return s
}

// Open reads everything once. Its error, in one line, says that there is nothing to watch: the service or its cluster is not
// there, or there are no credentials that AWS takes. Whatever else fails is said, and watched without: so each missing permission
// is named before a load begins. Said as well is what keeps the service from scaling: a muted alarm, suspended scaling, no policy.
func (w *Watcher) Open(ctx context.Context) error {
	if err := w.openService(ctx); err != nil {
		return err
	}
	w.Poll(ctx)
	w.mu.Lock()
	lines := w.world.preflight()
	w.mu.Unlock()
	for _, line := range lines {
		w.o.Say(line)
	}
	return nil
}

// Poll reads everything once, and returns. What tells what to ask for is read before what asks for it, and nothing else waits.
func (w *Watcher) Poll(ctx context.Context) {
	done := map[string]chan struct{}{}
	for _, r := range w.readers {
		done[r.what] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, r := range w.readers {
		all.Go(func() {
			defer close(done[r.what])
			if r.needs != "" {
				<-done[r.needs]
			}
			w.read(ctx, r)
		})
	}
	all.Wait()
}

// Start reads on, each API at its own pace, until Close.
func (w *Watcher) Start() {
	ctx, end := context.WithCancel(context.Background())
	w.end = end
	for _, r := range w.readers {
		w.loops.Go(func() { w.loop(ctx, r) })
	}
}

// Close ends reading, and waits until no call is under way.
func (w *Watcher) Close() {
	if w.end != nil {
		w.end()
	}
	w.loops.Wait()
}

// LoadBegan says when the run's clock reads 0.
func (w *Watcher) LoadBegan(at time.Time) { w.begin(at, &timeline.Loaded{}) }

// Begin says when the clock reads 0 where there is no load.
func (w *Watcher) Begin(at time.Time) { w.begin(at, &timeline.Loaded{Ended: true}) }

func (w *Watcher) begin(at time.Time, load *timeline.Loaded) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.origin.IsZero() {
		w.origin, w.load, w.dirty = at, load, true
	}
}

// LoadEnded says when sending ended.
func (w *Watcher) LoadEnded(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.load, w.dirty = &timeline.Loaded{To: max(at.Sub(w.origin), 1), Ended: true}, true
}

// Facts are what has become known since the last call: see loadgen.Capacity. Without an origin there are none.
func (w *Watcher) Facts() []timeline.Fact {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.origin.IsZero() {
		return nil
	}
	now := w.o.Now()
	if !w.dirty {
		return nil
	}
	w.dirty = false
	return w.news(now)
}

// news are the facts that differ from what was told, each known now.
func (w *Watcher) news(now time.Time) (news []timeline.Fact) {
	d := derive(&w.world, w.origin, now, w.o.TaskCapacity)
	d.facts = append(d.facts, timeline.Fact{Load: w.load})
	here := map[key]bool{}
	for _, f := range d.facts {
		k := key{f.Kind(), f.ID}
		here[k] = true
		if old, ok := w.told[k]; !ok || old.Gone || !same(&f, &old) {
			news = append(news, f)
		}
	}
	for k, f := range w.told { // what does not follow any more
		if !here[k] && !f.Gone {
			f.Gone = true
			news = append(news, f)
		}
	}
	w.known = max(w.known+1, now.Sub(w.origin), 0)
	for i := range news {
		news[i].Known = w.known
		w.told[key{news[i].Kind(), news[i].ID}] = news[i]
	}
	slices.SortFunc(news, func(a, b timeline.Fact) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(a.At(), b.At()), cmp.Compare(a.Kind(), b.Kind()), cmp.Compare(a.ID, b.ID))
	})
	return news
}

// rank puts the service first.
func rank(f *timeline.Fact) int {
	if f.Service != nil {
		return 0
	}
	return 1
}

// AwaitRecovery waits, after LoadEnded, until capacity has come to rest at its minimum or Options.Recovery has passed since, and
// completes what the APIs keep. Capacity that is at its minimum is believed only when a scale-out for the end of the load would have
// come: three datapoints and their delay later.
func (w *Watcher) AwaitRecovery(ctx context.Context) (atMin bool, err error) {
	w.mu.Lock()
	ended := w.origin.Add(w.load.To)
	w.mu.Unlock()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		now := w.o.Now()
		w.mu.Lock()
		atMin = w.world.atMin(now)
		judged := ended.Add(w.world.reaction())
		w.mu.Unlock()
		if atMin && !now.Before(judged) || !now.Before(ended.Add(w.o.Recovery)) {
			w.LookBack(ctx)
			return atMin, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// LookBack reads once more, from the beginning, what the APIs keep: activities, the histories of alarms, metrics, tasks that
// stopped within the last hour, the last events.
func (w *Watcher) LookBack(ctx context.Context) {
	w.mu.Lock()
	w.world.lookBack = true
	w.mu.Unlock()
	w.Poll(ctx)
	w.mu.Lock()
	w.world.lookBack = false
	w.mu.Unlock()
}

// TaskCapacity is as Options say.
func (w *Watcher) TaskCapacity() (perSecond float64, ok bool) {
	return w.o.TaskCapacity, w.o.TaskCapacity > 0
}

// Findings judge nothing; they warn of what could not be read, of what is not kept, and of what came late.
func (w *Watcher) Findings(time.Duration) (judged []result.Expectation, warnings []string) {
	return nil, w.Warnings()
}

// Warnings are what a reader of the timeline should know.
func (w *Watcher) Warnings() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.readers {
		if r.trouble != "" {
			all = append(all, "capacity: "+r.trouble)
		}
	}
	all = append(all, w.world.notes()...)
	for _, l := range w.world.lateness() {
		all = append(all, "capacity: "+l.String())
	}
	return all
}
