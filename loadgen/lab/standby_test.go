package lab

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/timeline"
)

func TestAProgramsStartIsServiceTime(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	c := program(warming) // healthy half a second after its exec
	c.Scaling.Max = 3
	l := start(t, c)
	starts := l.Starts()
	if len(starts) != 1 || starts[0] < 500*time.Millisecond {
		t.Fatalf("%v, want the start of the one standby, of at least 500ms", starts)
	}
	l.LoadBegan(time.Now())
	asked := l.now()
	if err := l.SetBounds(3, 3); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs", func() bool { return l.scheduler.point().Running == 3 })
	took := l.Timeline().Tasks[2].Running - asked
	d := c.Delays
	if least := time.Duration(float64(d.Placement+d.Pull+starts[0]) / c.Speedup); took < least {
		t.Errorf("running after %s, want at least %s: placed, pulled, and its start as simulated time", took, least)
	}
	if n := events(checked(t, l), EventLate); n != 0 {
		t.Errorf("%d late starts, want none: a standby was ready", n)
	}
}

func TestWithoutAStandbyTheWaitIsRealAndTold(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	c := program(warming)
	c.Scaling.Max = 2
	l := start(t, c)
	l.LoadBegan(time.Now())
	// The maximum is raised and reached in the same instant: nobody could have known.
	if err := l.SetBounds(3, 3); err != nil {
		t.Fatal(err)
	}
	l.scheduler.spare.mu.Lock()
	l.scheduler.spare.want = 0
	l.scheduler.spare.mu.Unlock()
	eventually(t, "three are healthy", func() bool { return l.scheduler.point().Healthy == 3 })
	tl := checked(t, l)
	if events(tl, EventLate) == 0 && len(l.Starts()) == 0 {
		t.Errorf("%+v, want a late start, or a standby that was quick enough", tl.Events)
	}
}

func TestNothingWaitsForAProgramThatIsSlowToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	skipWindows(t)
	t.Parallel()
	l := start(t, program(lingers))
	l.LoadBegan(time.Now())
	if err := l.SetBounds(1, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has drained", func() bool { p := l.scheduler.point(); return p.Draining == 0 && p.Running == 1 })
	var leaving timeline.Task
	find := func() {
		for _, task := range l.Timeline().Tasks {
			if task.Draining >= 0 {
				leaving = task
			}
		}
	}
	find()
	gone := l.now()
	// Its stop took a second and a half of real time, which is as long in simulated time: a fortieth of a second here.
	eventually(t, "it has ended", func() bool {
		find()
		return strings.Contains(strings.Join(l.Output()[leaving.ID], "|"), "terminated") && leaving.Stopped >= 0 && l.scheduler.isOver(leaving.ID)
	})
	find()
	if took := l.now() - gone; took < time.Second {
		t.Skipf("it ended within %s; nothing can be said", took)
	}
	least := time.Duration(1.5 / 60 * float64(time.Second))
	if d := leaving.Stopped - gone; d > time.Second || leaving.Stopped-leaving.Draining < least || leaving.Reason != ReasonScaleIn {
		t.Errorf("%+v, drained at %s: want it stopped some %s of simulated time later, in order", leaving, gone, least)
	}
}

// isOver says whether nothing is left of a task.
func (s *scheduler) isOver(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.id == id {
			return t.over
		}
	}
	return false
}

func TestWhatIsLeftAtTheEndIsKilledAndSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	skipWindows(t)
	t.Parallel()
	l := start(t, program(stubborn))
	l.LoadBegan(time.Now())
	if err := l.SetBounds(1, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it drains", func() bool { return l.scheduler.point().Running == 1 && l.scheduler.point().Draining == 0 })
	l.LoadEnded(time.Now())
	if atMin, err := l.AwaitRecovery(t.Context()); !atMin || err != nil {
		t.Errorf("%t, %v, want that recovery does not wait for a program that does not end", atMin, err)
	}
	tl := checked(t, l)
	if events(tl, EventForced) != 1 {
		t.Errorf("%+v, want it told that a program was killed", tl.Events)
	}
	var reasons []string
	for _, task := range tl.Tasks {
		if task.Draining >= 0 {
			reasons = append(reasons, task.Reason)
		}
	}
	if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "scale-in, killed: it did not end within ") {
		t.Errorf("%q, want that it was killed after a scale-in", reasons)
	}
	for _, task := range l.scheduler.running() { // it would hold up the end as well
		task.replica.kill()
	}
}

func TestAProgramMayListenOnIPv6Alone(t *testing.T) {
	skipWindows(t)
	if ln, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		ln.Close()
	}
	t.Parallel()
	l := start(t, program(six))
	if status, body, _ := fetch(t, newClient(t), l.URL()); status != 200 {
		t.Errorf("%d %s, want 200 through [::1]", status, body)
	}
}

func TestAShortKeepAliveIsMeasuredAndToldOnce(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	c := program(serves)
	c.Env = append(c.Env, "LAB_TEST_IDLE=400ms")
	l := start(t, c)
	eventually(t, "both are measured", func() bool {
		l.scheduler.mu.Lock()
		defer l.scheduler.mu.Unlock()
		return len(l.scheduler.idle) == 2
	})
	for _, r := range l.scheduler.idle {
		if !r.closed || r.after < 200*time.Millisecond { // the target's clock began somewhat earlier
			t.Errorf("%+v, want it closed after some 400ms", r)
		}
	}
	if tl := checked(t, l); events(tl, EventIdle) != 1 {
		t.Errorf("%+v, want it told once", tl.Events)
	}
	if w := l.Warnings(); len(w) != 1 || !strings.Contains(w[0], "closes an idle connection after ") || !strings.Contains(w[0], "502") {
		t.Errorf("%q, want a warning that says what it leads to", w)
	}
}

func TestALongKeepAliveOrNoneGetsNoWarning(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	c := program(serves)
	c.Env = append(c.Env, "LAB_TEST_IDLE=75s")
	l := start(t, c)
	time.Sleep(500 * time.Millisecond)
	l.Close() // which ends connections too, and is no target's idle timeout
	if w := l.Warnings(); len(w) != 0 {
		t.Errorf("%q, want none", w)
	}
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 200 OK\r\n\r\nok"} {
		s := startScripted(t, says(answer, false))
		if r, err := measureIdle(t.Context(), s.addr, "/", time.Minute); err != nil || r.closed || !r.single {
			t.Errorf("%q: %+v, %v, want that it keeps no connection at all, which does no harm", answer, r, err)
		}
	}
}

func TestCrashesAreGroupedByTheirCause(t *testing.T) {
	t.Parallel()
	var all crashes
	bad := func(reason string, output ...string) error { return &ReplicaError{Reason: reason, Output: output} }
	all.add("task-3", 3*time.Second, bad("ended by itself: exit status 2", "panic: index 5 out of range [0x4f2]", "", "goroutine 7 [running]:", "main.go:12 +0x1d"))
	all.add("task-4", 4*time.Second, bad("ended by itself: exit status 1", "Traceback (most recent call last):", "ValueError: no rows"))
	all.add("task-8", 8*time.Second, bad("ended by itself: exit status 2", "panic: index 71 out of range [0xaa]", "goroutine 9 [running]:"))
	all.add("a standby", 9*time.Second, errors.New("no port"))
	var said []string
	for _, g := range all.groups {
		said = append(said, g.String())
	}
	want := []string{
		"2 × ended by itself: exit status 2: panic: index 5 out of range [0x4f2] (task-3, task-8, first at 3s)",
		"ended by itself: exit status 1: ValueError: no rows (task-4, first at 4s)",
		"no port (a standby, first at 9s)",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q\nwant %q", said, want)
	}
}

func TestARecordKeepsBothEnds(t *testing.T) {
	t.Parallel()
	var r record
	for i := range 100_000 {
		line := strings.Repeat(string(rune('a'+i%26)), 9) + "\n"
		if i == 0 {
			line = "the first\n"
		}
		if i == 99_999 {
			line = "the last.\n"
		}
		if _, err := r.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	all := string(r.all())
	if !strings.HasPrefix(all, "the first\n") || !strings.HasSuffix(all, "the last.\n") || len(all) > recordHead+2*recordTail+100 || !strings.Contains(all, "bytes are not kept") {
		t.Errorf("%d bytes from %.20q, want both ends and what is missing between them", len(all), all)
	}
}

func TestStopTaskIs502sUntilTheBalancerHasHeard(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{StopTask, SpotInterrupt} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			c := quick()
			c.Scaling.Policies = never()
			c.Speedup = 4 // so that the second in which its end is not known is a long one
			c.Chaos = []Chaos{{Verb: verb, From: 100 * time.Millisecond}}
			l := start(t, c)
			l.LoadBegan(time.Now())
			const users = 4
			u := startUsers(t, users, time.Millisecond, l.URL())
			eventually(t, "it is deregistered", func() bool { return l.Counts().BadGateway > 0 && len(l.balancer.registered()) == 1 })
			bad := l.Counts().BadGateway
			eventually(t, "more is served", func() bool { return u.sent.Load() > 50+bad+users })
			u.end()
			tl := checked(t, l)
			// Each user may have had one request under way to the task when it was deregistered.
			if got := l.Counts().BadGateway; got-bad > users || u.failed.Load() != got {
				t.Errorf("%d times 502, %d after the deregistration, %d failed: want those before it and under way then, and no other", bad, got, u.failed.Load())
			}
			if gone := tl.Tasks[0]; gone.Draining < 100*time.Millisecond || gone.Reason == "" || gone.Reason == ReasonKilled {
				t.Errorf("%+v, want it stopped, and why", gone)
			}
			if len(tl.Tasks) != 3 || events(tl, EventReplacing) != 1 || len(tl.Activities) != 0 {
				t.Errorf("%+v, want one in its place, and no scaling", tl.Events)
			}
		})
	}
}

func TestWhatAProgramWroteIsKept(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	l := start(t, program(mortal))
	l.LoadBegan(time.Now())
	fetch(t, newClient(t), l.URL()+"/die")
	eventually(t, "it is replaced", func() bool { return len(l.Timeline().Tasks) == 3 && l.scheduler.point().Healthy == 2 })
	l.Close()
	all := l.Records()
	for _, name := range []string{"task-1", "task-2", "task-3", "standby-3"} {
		if !strings.Contains(string(all[name]), "listening on ") && name != "standby-3" {
			t.Errorf("%s: %q, want what it wrote", name, all[name])
		}
	}
	if groups := l.Crashes(); len(groups) != 1 || groups[0].Count != 1 || !strings.Contains(groups[0].Cause, "exit status 7") {
		t.Errorf("%+v, want one crash", groups)
	}
}
