package result

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowSink takes a time for everything and writes down what it was asked, with the instants.
type slowSink struct {
	NopSink
	takes  time.Duration
	start  time.Time
	calls  []string
	failAt map[string]error
}

func (s *slowSink) call(what string) error {
	time.Sleep(s.takes)
	s.calls = append(s.calls, fmt.Sprintf("%s@%v", what, time.Since(s.start)))
	return s.failAt[what]
}

func (s *slowSink) Window(w *Window) error { return s.call(fmt.Sprint("window ", w.From)) }
func (s *slowSink) Close() error           { return s.call("close") }
func (s *slowSink) Finish(*Result) error   { return s.call("finish") }

func second(i int) *Window {
	return &Window{From: time.Duration(i) * time.Second, To: time.Duration(i+1) * time.Second}
}

func TestASinkGetsEverythingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{takes: time.Second, start: time.Now()}
		a := Async(sink, 2)
		for i := range 3 {
			if err := a.Window(second(i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1500 * time.Millisecond)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.Finish(&Result{}); err != nil {
			t.Fatal(err)
		}
		want := []string{"window 0s@1s", "window 1s@2.5s", "window 2s@4s", "close@5.5s", "finish@6.5s"}
		if !slices.Equal(sink.calls, want) {
			t.Errorf("calls %q, want %q", sink.calls, want)
		}
		if a.Dropped() != 0 || a.Err() != nil {
			t.Errorf("%d dropped, %v", a.Dropped(), a.Err())
		}
	})
}

func TestASlowSinkLosesWindowsAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{takes: 10 * time.Second, start: time.Now()}
		a := Async(sink, 2)
		for i := range 6 {
			if err := a.Window(second(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the sink has taken up what it can
		}
		if took := time.Since(sink.start); took != 0 {
			t.Errorf("handing in six windows took %v", took)
		}
		// One is in the sink's hands, two are in the queue.
		if a.Dropped() != 3 {
			t.Errorf("%d dropped, want 3", a.Dropped())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a.end()
		if err := a.closed(ctx); err == nil || err.Error() != "too slow: 3 windows were dropped" {
			t.Errorf("error %v", err)
		}
		if want := []string{"window 0s@10s", "window 1s@20s", "window 2s@30s", "close@40s"}; !slices.Equal(sink.calls, want) {
			t.Errorf("calls %q, want %q", sink.calls, want)
		}
	})
}

func TestASinkThatHangsIsLeftToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{takes: time.Hour, start: time.Now()}
		a := Async(sink, 3)
		for i := range 3 {
			_ = a.Window(second(i))
			synctest.Wait()
		}
		err := a.Close()
		if took := time.Since(sink.start); took != CloseTimeout {
			t.Errorf("closing took %v, want %v", took, CloseTimeout)
		}
		if err == nil || err.Error() != "not ready in time: 2 windows were still to be taken" {
			t.Errorf("error %v", err)
		}
		if err := a.Finish(&Result{}); err == nil || err.Error() != "not finished in time" {
			t.Errorf("finishing: error %v", err)
		}
		if took := time.Since(sink.start); took != 2*CloseTimeout {
			t.Errorf("closing and finishing took %v, want %v", took, 2*CloseTimeout)
		}
		// What it left to itself it does not keep for ever: the bubble fails when a goroutine stays.
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		want := []string{"window 0s@1h0m0s", "window 1s@2h0m0s", "window 2s@3h0m0s", "close@4h0m0s", "finish@5h0m0s"}
		if !slices.Equal(sink.calls, want) {
			t.Errorf("in the end the sink was called %q, want %q", sink.calls, want)
		}
	})
}

func TestManyErrorsOfASinkAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		sink := &slowSink{start: time.Now(), failAt: map[string]error{"window 1s": boom, "window 3s": errors.New("again"), "close": errors.New("and again")}}
		a := Async(sink, 1)
		for i := range 5 {
			if err := a.Window(second(i)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if err := a.Err(); !errors.Is(err, boom) || err.Error() != "boom (and 1 more)" {
			t.Errorf("while it runs: error %v", err)
		}
		if err := a.Close(); !errors.Is(err, boom) || err.Error() != "boom (and 2 more)" {
			t.Errorf("error %v", err)
		}
		if len(sink.calls) != 6 {
			t.Errorf("calls %q: an error ended the sink's work", sink.calls)
		}
	})
}

func TestErrorsAndDroppedWindowsAreToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		sink := &slowSink{takes: time.Second, start: time.Now(), failAt: map[string]error{"window 0s": boom}}
		a := Async(sink, 0) // counts as 1
		for i := range 3 {
			_ = a.Window(second(i))
			synctest.Wait()
		}
		if err := a.Close(); !errors.Is(err, boom) || err.Error() != "boom; too slow: 1 windows were dropped" {
			t.Errorf("error %v", err)
		}
	})
}

func TestFinishReachesASink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		sink := &slowSink{start: time.Now(), failAt: map[string]error{"finish": boom}}
		a := Async(sink, 1)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.Finish(&Result{}); err != boom {
			t.Errorf("error %v, want what the sink said", err)
		}
	})
}

func TestARunIsKeptThroughTheQueueAsWithoutIt(t *testing.T) {
	dir := t.TempDir()
	// In a bubble time stands still while files are written, so that a slow disk does not meet CloseTimeout.
	synctest.Test(t, func(t *testing.T) {
		r := fixtureRun()
		w, err := Create(dir, r.meta)
		if err != nil {
			t.Fatal(err)
		}
		sink := Async(w, len(r.windows))
		for _, win := range r.windows {
			if err := sink.Window(win); err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		if err := sink.Finish(r.builder().Result(r.final())); err != nil {
			t.Fatal(err)
		}
		if got := string(readFile(t, dir, windowsName)); strings.Count(got, "\n") != len(r.windows) {
			t.Errorf("%d lines, want %d", strings.Count(got, "\n"), len(r.windows))
		}
		if _, err := Open(dir); err != nil {
			t.Error(err)
		}
	})
}
