package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/result"
)

// Beats is progress/I.json: what a task did lately.
type Beats struct {
	Schema string `json:"schema"`
	// Every is how long a beat is; each ends at a multiple of it on the run's clock, but the last one.
	Every time.Duration `json:"every_ns"`
	// Beats are the last few, in order. Of a window they hold what a person watches.
	Beats []*result.Window `json:"beats"`
	Ended bool             `json:"ended,omitempty"`
}

const (
	beatsKept = 6 // in the object: for readers that are late
	beatWait  = 4 * time.Second

	shortRun  = time.Minute
	shortBeat = 2 * time.Second // of a run of up to shortRun
	longBeat  = 5 * time.Second
)

// beatOf is how long a beat of a run is.
func beatOf(planned time.Duration) time.Duration {
	if planned > shortRun {
		return longBeat
	}
	return shortBeat
}

// Beacon is the sink by which a task shows how it is doing. A beat that cannot be written is not: the next one brings it, too.
type Beacon struct {
	result.NopSink
	Store store.Objects
	Task  int

	beats Beats
	sum   *result.Window // since the last beat
}

// Start reads how long the run is.
func (b *Beacon) Start(m *result.Meta) error {
	b.beats = Beats{Schema: schema, Every: beatOf(m.Plan.Length())}
	return nil
}

// Window adds a window, and writes a beat when one is over.
func (b *Beacon) Window(w *result.Window) error {
	if b.sum == nil {
		b.sum = &result.Window{From: w.From}
	}
	addLive(b.sum, w)
	b.sum.To, b.sum.Phase, b.sum.Name = w.To, w.Phase, w.Name
	b.sum.Users, b.sum.InFlight, b.sum.Ended = w.Users, w.InFlight, w.Ended
	if b.sum.To%b.beats.Every == 0 || w.Ended {
		b.write()
	}
	return nil
}

// Close writes what is left.
func (b *Beacon) Close() error {
	b.beats.Ended = true
	b.write()
	return nil
}

func (b *Beacon) write() {
	if b.sum != nil {
		b.beats.Beats = append(b.beats.Beats, b.sum)
		b.sum = nil
	}
	b.beats.Beats = slices.Clone(b.beats.Beats[max(0, len(b.beats.Beats)-beatsKept):])
	data, err := json.Marshal(b.beats)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), beatWait)
	defer cancel()
	_ = b.Store.Put(ctx, keyProgress(b.Task), bytes.NewReader(data)) // the next one holds this one's, too
}

// addLive adds to a window what people watch of another one, which stays as it is.
func addLive(to, from *result.Window) {
	to.Offered += from.Offered
	to.Sent += from.Sent
	to.Clamped += from.Clamped
	to.Lag = result.Sum(to.Lag, from.Lag)
	to.SlotWait = result.Sum(to.SlotWait, from.SlotWait)
	for i := range from.Endpoints {
		x := from.Endpoints[i]
		x.Failed, x.FirstByte, x.Connect = nil, nil, nil
		x.Unanswered, x.UnansweredRaw, x.Cut, x.CutRaw = nil, nil, nil, nil
		k, found := slices.BinarySearchFunc(to.Endpoints, x.Endpoint, func(e result.EndpointWindow, index int) int { return e.Endpoint - index })
		if !found {
			to.Endpoints = slices.Insert(to.Endpoints, k, result.EndpointWindow{Endpoint: x.Endpoint})
		}
		to.Endpoints[k].Add(&x)
	}
	cpu := result.Unknown()
	for _, h := range slices.Concat(to.Health, from.Health) {
		if h.CPU.Known() && !(cpu > h.CPU) {
			cpu = h.CPU
		}
	}
	if cpu.Known() {
		to.Health = []result.Health{{
			CPU: cpu, Throttled: result.Unknown(), Steal: result.Unknown(), GC: result.Unknown(), RSS: result.Unknown(), OpenFiles: result.Unknown(),
		}}
	}
}

// chorus puts the beats of all tasks together, in order, once each of those that still sing has told a beat.
type chorus struct {
	every time.Duration
	next  int64                            // the beat that is put together next
	heard map[int64]map[int]*result.Window // by number and task
	last  map[int]int64                    // the last beat of each task
	gone  map[int]bool                     // those that will tell no more
	n     int
}

func newChorus(n int, every time.Duration) *chorus {
	return &chorus{every: every, next: 1, n: n, heard: map[int64]map[int]*result.Window{}, last: map[int]int64{}, gone: map[int]bool{}}
}

// hear takes what a task told.
func (c *chorus) hear(task int, b *Beats) {
	if b.Schema != schema || b.Every != c.every {
		return
	}
	for _, w := range b.Beats {
		k := int64((w.To + c.every - 1) / c.every)
		if k < c.next || k <= c.last[task] && c.heard[k][task] != nil {
			continue // told already
		}
		if c.heard[k] == nil {
			c.heard[k] = map[int]*result.Window{}
		}
		c.heard[k][task] = w
		c.last[task] = max(c.last[task], k)
	}
	if b.Ended {
		c.gone[task] = true
	}
}

// sing returns the beats that all have told.
func (c *chorus) sing() (beats []*result.Window) {
	for {
		any := false
		for task := 1; task <= c.n; task++ {
			told := c.last[task] >= c.next
			any = any || told
			if !told && !c.gone[task] {
				return beats
			}
		}
		if !any {
			return beats
		}
		if w := c.together(c.heard[c.next]); w != nil {
			beats = append(beats, w)
		}
		delete(c.heard, c.next)
		c.next++
	}
}

func (c *chorus) together(parts map[int]*result.Window) *result.Window {
	var sum *result.Window
	for task := 1; task <= c.n; task++ {
		w := parts[task]
		if w == nil {
			continue
		}
		if sum == nil {
			sum = &result.Window{From: w.From, To: w.To, Phase: w.Phase, Name: w.Name}
		}
		if w.To > sum.To || w.Phase < sum.Phase { // who is not through with a phase says what is shown
			sum.Phase, sum.Name = w.Phase, w.Name
		}
		sum.From, sum.To = min(sum.From, w.From), max(sum.To, w.To)
		sum.Users += w.Users
		sum.InFlight += w.InFlight
		addLive(sum, w)
	}
	return sum
}
