package measure

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

func seedConfig() Config {
	return Config{
		Endpoints: []plan.Endpoint{{Name: "GET /"}, {Name: "GET /health"}},
		Phases:    []plan.Phase{{Name: plan.Ramp}, {Name: plan.Steady, From: 9800 * ms}, {Name: plan.Drain, From: 20 * time.Second}},
		Timeout:   10 * time.Second,
	}
}

func success(end time.Duration) *Sample {
	return &Sample{Due: end - 5*ms, Ready: end - 5*ms, Sent: end - 4*ms, End: end, Status: 200, FirstByte: 3 * ms}
}

func TestWindowsFollowEachOtherAndAreCutWherePhasesEnd(t *testing.T) {
	r := New(seedConfig())
	r.Record(0, success(20*time.Second+300*ms))
	windows := append(r.Collect(9*time.Second), r.Close(20*time.Second+300*ms)...)

	var at time.Duration
	var cuts []time.Duration
	for _, w := range windows {
		if w.From != at {
			t.Fatalf("window begins at %v, the one before ended at %v", w.From, at)
		}
		at = w.To
		if w.To%time.Second != 0 {
			cuts = append(cuts, w.To)
		}
	}
	if want := []time.Duration{9800 * ms, 20300 * ms}; !slices.Equal(cuts, want) {
		t.Errorf("cut inside a second at %v, want %v", cuts, want)
	}
	if at != 20300*ms {
		t.Errorf("last window ends at %v", at)
	}
}

func TestASampleCountsInTheWindowInWhichItEnded(t *testing.T) {
	for _, row := range []struct {
		why      string
		end      time.Duration
		from, to time.Duration
		phase    string
	}{
		{"inside a second", 1500 * ms, 1000 * ms, 2000 * ms, plan.Ramp},
		{"the first instant of a second belongs to it", 2000 * ms, 2000 * ms, 3000 * ms, plan.Ramp},
		{"just before the ramp ends", 9799 * ms, 9000 * ms, 9800 * ms, plan.Ramp},
		{"the instant at which steady begins", 9800 * ms, 9800 * ms, 10000 * ms, plan.Steady},
		{"the planned end belongs to the drain", 20000 * ms, 20000 * ms, 20100 * ms, plan.Drain},
	} {
		r := New(seedConfig())
		r.Record(0, success(row.end))
		for _, w := range r.Close(20100 * ms) {
			if len(w.Endpoints) == 0 {
				continue
			}
			if w.From != row.from || w.To != row.to || w.Name != row.phase {
				t.Errorf("%s: counted in %v..%v %s, want %v..%v %s", row.why, w.From, w.To, w.Name, row.from, row.to, row.phase)
			}
		}
	}
}

func TestASampleThatComesAfterItsWindowWasCollectedIsNotLost(t *testing.T) {
	r := New(seedConfig())
	r.Collect(3 * time.Second)
	r.Record(0, success(2*time.Second))
	windows := r.Collect(4 * time.Second)
	if len(windows) != 1 || len(windows[0].Endpoints) != 1 || windows[0].Endpoints[0].Requests != 1 {
		t.Errorf("late sample not in the oldest open window: %+v", windows)
	}
}

func TestStopCutsTheWindowUnderWayAndTheRestIsDrain(t *testing.T) {
	r := New(seedConfig())
	r.Record(0, success(3*time.Second+100*ms))
	r.Record(1, success(4*time.Second+100*ms)) // a window ahead
	r.Stop(3*time.Second + 400*ms)
	r.Record(0, success(3*time.Second+500*ms))
	r.Record(1, success(5*time.Second))

	type part struct {
		from, to time.Duration
		phase    string
		requests int64
	}
	var got []part
	for _, w := range r.Close(5*time.Second + 100*ms) {
		var n int64
		for _, e := range w.Endpoints {
			n += e.Requests
		}
		got = append(got, part{w.From, w.To, w.Name, n})
	}
	want := []part{
		{0, 1000 * ms, plan.Ramp, 0}, {1000 * ms, 2000 * ms, plan.Ramp, 0}, {2000 * ms, 3000 * ms, plan.Ramp, 0},
		{3000 * ms, 3400 * ms, plan.Ramp, 1},
		{3400 * ms, 4000 * ms, plan.Drain, 1}, {4000 * ms, 5000 * ms, plan.Drain, 1}, {5000 * ms, 5100 * ms, plan.Drain, 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestTheSlowestOfTheRunAreKeptWhateverSlotAndWindowTheyFellIn(t *testing.T) {
	r := New(seedConfig())
	random := rand.New(rand.NewPCG(4, 2))
	var all []time.Duration
	var got []time.Duration
	for i := range 5000 {
		end := time.Duration(i) * 3 * ms
		latency := time.Duration(random.Int64N(int64(time.Second)))
		all = append(all, latency)
		r.Record(i, &Sample{Due: end - latency, Ready: end, Sent: end, End: end, Status: 200}) // it waited for a slot
		if i%300 == 299 {
			for _, w := range r.Collect(end) {
				for _, x := range w.Slowest {
					got = append(got, x.Latency)
				}
			}
		}
	}
	for _, w := range r.Close(15 * time.Second) {
		for _, x := range w.Slowest {
			got = append(got, x.Latency)
		}
	}
	slices.Sort(all)
	slices.Sort(got)
	if !slices.Equal(got[len(got)-result.MaxExamples:], all[len(all)-result.MaxExamples:]) {
		t.Errorf("slowest kept %v, want %v", got[len(got)-result.MaxExamples:], all[len(all)-result.MaxExamples:])
	}
	if len(got) > 400 {
		t.Errorf("%d examples handed out for 20 places: the floor does not rise", len(got))
	}
}

func TestOneFrequentFailureDoesNotCrowdOutARareOne(t *testing.T) {
	r := New(seedConfig())
	for i := range 1000 {
		r.Record(i, &Sample{End: time.Duration(i) * ms, Kind: KindRefused})
	}
	r.Record(0, &Sample{End: 1001 * ms, Kind: KindStatus, Status: 503})
	seen := map[string]int{}
	for _, w := range r.Close(2 * time.Second) {
		for _, x := range w.FailedExamples {
			seen[x.Error]++
		}
	}
	if seen["connection refused"] != 3 || seen["503 Service Unavailable"] != 1 {
		t.Errorf("kept %v, want 3 refused and the 503", seen)
	}
}

func TestNamesThatComeFromOutsideAreBounded(t *testing.T) {
	r := New(seedConfig())
	for i := range 10 * result.MaxNames {
		x := success(time.Duration(i) * ms / 4)
		x.ServedBy = time.Duration(i).String() // a header with a request's id in it
		r.Record(i, x)
	}
	for _, w := range r.Close(600 * ms) {
		var n int64
		for _, count := range w.ServedBy {
			n += count
		}
		if len(w.ServedBy) > result.MaxNames+1 || n != 10*result.MaxNames {
			t.Errorf("%d names counting %d responses, want at most %d counting %d", len(w.ServedBy), n, result.MaxNames+1, 10*result.MaxNames)
		}
	}
}

// Whatever is recorded from many goroutines while windows are collected comes out exactly once.
func TestNothingIsLostOrCountedTwiceUnderConcurrency(t *testing.T) {
	r := New(seedConfig())
	const workers, each = 8, 20_000
	var group sync.WaitGroup
	var mu sync.Mutex
	var oracle result.Histogram
	for worker := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			var mine result.Histogram
			for i := range each {
				end := time.Duration(i) * 15 * time.Second / each
				latency := time.Duration(random.ExpFloat64() * float64(5*ms))
				r.Send(worker, end-latency, end-latency, end-latency)
				r.Record(worker, &Sample{Endpoint: i % 2, Due: end - latency, Ready: end - latency, Sent: end - latency, End: end, Status: 200})
				mine.Record(latency)
			}
			mu.Lock()
			oracle.Merge(&mine)
			mu.Unlock()
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	var windows []*result.Window
	for at := time.Second; ; at += time.Second / 4 {
		select {
		case <-done:
			windows = append(windows, r.Close(16*time.Second)...)
			var total result.Histogram
			var sent int64
			for _, w := range windows {
				sent += w.Sent
				for _, e := range w.Endpoints {
					total.Merge(e.Corrected)
				}
			}
			if !total.Equal(&oracle) || sent != workers*each {
				t.Errorf("windows hold %d latencies and %d sends of %d, or other ones", total.Count(), sent, workers*each)
			}
			return
		default:
			windows = append(windows, r.Collect(min(at, 14*time.Second))...)
		}
	}
}

func TestATimeoutsMessageNamesTheLimit(t *testing.T) {
	r := New(seedConfig())
	r.Record(0, &Sample{End: 1, Kind: KindTimeout})
	w := r.Close(time.Second)[0]
	if got := w.Endpoints[0].Errors[0].Message; got != "timeout after 10s" {
		t.Errorf("message %q", got)
	}
}

func TestEveryKindHasAWordAndAMessage(t *testing.T) {
	seen := map[string]Kind{}
	for k := KindNone + 1; k < kinds; k++ {
		word, message := k.String(), k.Message(503)
		if word == "" || message == "" {
			t.Errorf("kind %d has no text", k)
		}
		if other, dup := seen[word]; dup {
			t.Errorf("kinds %d and %d share the word %q", k, other, word)
		}
		seen[word] = k
	}
	if got := KindStatus.Message(403); got != "403 Forbidden (a WAF rule?)" {
		t.Errorf("403 reads %q", got)
	}
}

// The seed's plan: two endpoints, successes of some milliseconds. Collecting is not counted: see
// BenchmarkTenMinutesTakeTheMemoryOfOne for a second with its window.
func BenchmarkRecordSeedPlan(b *testing.B) {
	cfg := seedConfig()
	cfg.Phases = cfg.Phases[:1]
	r := New(cfg)
	random := rand.New(rand.NewPCG(1, 2))
	latencies := make([]time.Duration, 4096)
	for i := range latencies {
		latencies[i] = time.Duration(3e6 + random.ExpFloat64()*1e6)
	}
	var x Sample
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		end := time.Duration(i) * 25 * time.Microsecond
		latency := latencies[i&4095]
		x = Sample{Endpoint: i & 1, Due: end - latency - 100_000, Ready: end - latency - 100_000, Sent: end - latency, End: end,
			Status: 200, FirstByte: latency - 20_000, BytesIn: 20, ServedBy: "a"}
		r.Record(i, &x)
		if i++; i%40_000 == 0 { // what journals hold then is counted outside: a hundredth
			b.StopTimer()
			r.Collect(end)
			b.StartTimer()
		}
	}
}

// Memory must not grow with the length of a run: bytes/op of a collected minute is the same after ten.
func BenchmarkTenMinutesTakeTheMemoryOfOne(b *testing.B) {
	r := New(seedConfig())
	second := 0
	b.ReportAllocs()
	for b.Loop() {
		for range 400 {
			end := time.Duration(second)*time.Second + 500*ms
			r.Send(second, end, end, end)
			r.Record(second, success(end))
		}
		second++
		r.Collect(time.Duration(second) * time.Second)
	}
}

// A plan of 500 endpoints must fit in 100 MB whatever the number of processors: the heap while two windows are open, as
// they are when one is collected a little after it ended, and when that has been many times.
func TestMemoryOfFiveHundredEndpointsIsBoundedAtAnyNumberOfProcessors(t *testing.T) {
	used := map[int]int64{}
	for _, procs := range []int{1, 16} {
		for _, row := range []struct {
			why     string
			latency func(*rand.Rand) time.Duration
			limit   int64 // bytes
		}{
			{"latencies of a service that copes", func(r *rand.Rand) time.Duration { return time.Duration((3 + r.ExpFloat64()*20) * float64(ms)) }, 60e6},
			{"latencies from 1 ms to 16 s, evenly by their logarithm", func(r *rand.Rand) time.Duration {
				return time.Duration(float64(ms) * math.Exp2(14*r.Float64()))
			}, 100e6},
		} {
			n := bytesOfFiveHundredEndpoints(procs, row.latency)
			t.Logf("%d processors, %s: %.1f MB", procs, row.why, float64(n)/1e6)
			if n > row.limit {
				t.Errorf("%d processors, %s: %.1f MB, want at most %.0f", procs, row.why, float64(n)/1e6, float64(row.limit)/1e6)
			}
			used[procs] = max(used[procs], n)
		}
	}
	if grown := used[16] - used[1]; grown > 4e6 {
		t.Errorf("16 processors take %.1f MB more than one", float64(grown)/1e6)
	}
}

// bytesOfFiveHundredEndpoints is what a Recorder has on the heap after 3 s of 25,000 requests a second.
func bytesOfFiveHundredEndpoints(procs int, latency func(*rand.Rand) time.Duration) int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	cfg := seedConfig()
	cfg.Endpoints = make([]plan.Endpoint, 500)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	r := New(cfg)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 75_000 {
		end := time.Duration(i) * 40 * time.Microsecond
		latency := latency(random)
		r.Send(i, end-latency, end-latency, end-latency)
		r.Record(i, &Sample{Endpoint: random.IntN(500), Due: end - latency, Sent: end - latency, End: end, Status: 200, FirstByte: latency / 2})
		if i == 30_000 {
			r.Collect(time.Second)
		}
	}
	used := heap() - before
	runtime.KeepAlive(r)
	return used
}

func TestRecordingAllocatesNothingOnceAWindowsBucketsHaveBeenSeen(t *testing.T) {
	r := New(seedConfig())
	at := time.Duration(0)
	random := rand.New(rand.NewPCG(1, 2))
	second := func() {
		for i := range 400 {
			end := at + time.Duration(i)*2*ms
			x := Sample{Endpoint: i & 1, Due: end - 5*ms, Ready: end - 4*ms, Sent: end - 4*ms, End: end, Status: 200,
				FirstByte: time.Duration(random.Int64N(int64(3 * ms))), ServedBy: "a"}
			r.Send(i, x.Due, x.Ready, x.Sent)
			r.Reused(i, x.Sent)
			r.Record(i, &x)
		}
	}
	for range 5 { // both cells are made, and the slowest found
		second()
		at += time.Second
		r.Collect(at)
	}
	if n := testing.AllocsPerRun(10, second); n > 0 {
		t.Errorf("400 requests make %.0f allocations", n)
	}
}

// While somebody counts, others go on: a journal is counted when it is full, and may be fuller when the cells are taken.
func TestNobodyWaitsForWhoCountsUntilAJournalIsFullSeveralTimes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	r := New(seedConfig())
	const each = patience*journalSize - 1
	r.mu.Lock() // somebody counts
	for i := range 8 * each {
		r.Send(i, ms, ms, ms)
		r.Record(i, success(time.Second))
	}
	r.mu.Unlock()
	var requests, sent int64
	for _, w := range r.Close(2 * time.Second) {
		sent += w.Sent
		for _, e := range w.Endpoints {
			requests += e.Requests
		}
	}
	if requests != 8*each || sent != 8*each {
		t.Errorf("%d sends and %d requests counted, want %d", sent, requests, 8*each)
	}
}
