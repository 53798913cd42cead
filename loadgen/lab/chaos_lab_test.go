package lab

import (
	"slices"
	"sync"
	"testing"
	"time"
)

func TestATaskKilledInMidRequestFailsExactlyThose(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Capacity = Capacity{Slots: 64, Service: 900 * time.Millisecond}
	c.Chaos = []Chaos{{Verb: KillTask, From: 600 * time.Millisecond}}
	c.Scaling.Policies = never()
	l := start(t, c)
	client := newClient(t)
	l.LoadBegan(time.Now())
	const n = 20
	statuses := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses[i], _, _ = fetch(t, client, l.URL()) })
	}
	eventually(t, "all requests are at the replicas", func() bool { return served(l) == n })
	if l.now() > 600*time.Millisecond {
		t.Skip("this machine took longer to send 20 requests than to the chaos")
	}
	all.Wait()
	slices.Sort(statuses)
	want := append(slices.Repeat([]int{200}, n/2), slices.Repeat([]int{502}, n/2)...)
	if !slices.Equal(statuses, want) {
		t.Errorf("statuses %v, want that half failed: those that the dead task had", statuses)
	}
	eventually(t, "it is replaced", func() bool { return l.scheduler.point().Healthy == 2 })
	eventually(t, "it is found gone", func() bool { return len(l.balancer.registered()) == 2 })
	if status, _, _ := fetch(t, client, l.URL()); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
	tl := checked(t, l)
	killed := tl.Tasks[0]
	if killed.Reason != ReasonKilled || killed.Requests != n/2 || killed.Errors != n/2 || killed.Stopped < 600*time.Millisecond {
		t.Errorf("%+v, want the first task, killed at 600ms with %d requests", killed, n/2)
	}
	if got := l.Counts(); got.BadGateway != n/2 || got.Requests != n+1 {
		t.Errorf("counted %+v, want %d times 502", got, n/2)
	}
	if events(tl, EventChaos) != 1 || events(tl, EventReplacing) != 1 || len(tl.Activities) != 0 {
		t.Errorf("%+v and %+v, want one event, one replacement, and no scaling", tl.Events, tl.Activities)
	}
	if err := l.Err(); err != nil {
		t.Errorf("chaos is no failure of a replica: %v", err)
	}
}

func TestAZoneThatIsDownTakesItsTasksAndGetsNone(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Scaling.Min, c.Scaling.Max = 4, 4
	c.Chaos = []Chaos{
		{Verb: KillZone, Zone: ZoneB, From: 200 * time.Millisecond, To: 1800 * time.Millisecond},
		{Verb: KillTask, From: 2 * time.Second},
		{Verb: KillTask, From: 2 * time.Second},
	}
	l := start(t, c)
	l.LoadBegan(time.Now())
	eventually(t, "zone b is gone", func() bool { return len(l.Timeline().Tasks) >= 6 })
	eventually(t, "all four are in a", func() bool { return l.scheduler.point().Healthy == 4 })
	eventually(t, "two more die and are replaced", func() bool {
		return len(l.Timeline().Tasks) == 8 && l.scheduler.point().Healthy == 4
	})
	tl := checked(t, l)
	for i, want := range []struct{ zone, reason string }{
		{"a", ReasonKilled}, {"b", ReasonKilled}, {"a", ReasonKilled}, {"b", ReasonKilled}, // those of the beginning
		{"a", ""}, {"a", ""}, // while b is down
		{"b", ""}, {"b", ""}, // and when it is back
	} {
		if task := tl.Tasks[i]; task.Zone != want.zone || task.Reason != want.reason {
			t.Errorf("%+v, want zone %s and reason %q", task, want.zone, want.reason)
		}
	}
}

func TestNothingIsPlacedWhileEveryZoneIsDown(t *testing.T) {
	t.Parallel()
	c := quick()
	c.Chaos = []Chaos{
		{Verb: KillZone, Zone: ZoneA, From: 100 * time.Millisecond, To: 1300 * time.Millisecond},
		{Verb: KillZone, Zone: ZoneB, From: 100 * time.Millisecond, To: 1200 * time.Millisecond},
	}
	l := start(t, c)
	l.LoadBegan(time.Now())
	eventually(t, "no task runs", func() bool { return l.scheduler.point().Running == 0 })
	if status, _, _ := fetch(t, newClient(t), l.URL()); status != 502 {
		t.Errorf("before anybody has noticed: %d, want 502", status)
	}
	eventually(t, "they are found gone", func() bool { return len(l.balancer.registered()) == 0 })
	if status, _, _ := fetch(t, newClient(t), l.URL()); status != 503 {
		t.Errorf("without tasks: %d, want 503", status)
	}
	eventually(t, "they come back", func() bool { return l.scheduler.point().Healthy == 2 })
	for _, task := range checked(t, l).Tasks[2:] {
		if task.Reason == "" && (task.Zone != ZoneB || task.Running < 1200*time.Millisecond) {
			t.Errorf("%+v, want zone b, which is up first, and not before", task)
		}
	}
}

func TestATaskThatFailsItsChecksIsReplacedBeforeItLeaves(t *testing.T) {
	t.Parallel()
	l := start(t, quick())
	l.LoadBegan(time.Now())
	l.scheduler.mu.Lock()
	victim := l.scheduler.tasks[0]
	l.scheduler.mu.Unlock()
	// What a check would say, said here: the replica itself is well.
	l.scheduler.observe(victim, "answered 500")
	l.scheduler.observe(victim, "answered 500")
	tl := l.Timeline()
	if n := len(tl.Tasks); n != 3 || events(tl, EventUnhealthy) != 1 {
		t.Errorf("%d tasks, %+v, want a replacement at once", n, tl.Events)
	}
	if p := l.scheduler.point(); p.Healthy != 1 || p.Running != 2 || p.Draining != 0 {
		t.Errorf("%+v, want the unhealthy one to stay until then", p)
	}
	eventually(t, "it leaves", func() bool { return l.Timeline().Tasks[0].Draining >= 0 })
	tl = checked(t, l)
	if old, young := tl.Tasks[0], tl.Tasks[2]; old.Reason != ReasonHealth || young.Healthy < 0 || young.Healthy > old.Draining {
		t.Errorf("%+v and %+v, want that the first leaves for its health when the other is healthy", old, young)
	}
	if p := l.scheduler.point(); p.Healthy != 2 || p.Running != 2 {
		t.Errorf("%+v, want two", p)
	}
}
