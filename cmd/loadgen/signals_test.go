package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestTheFirstRequestStopsTheSecondCutsAndMoreDoNothing(t *testing.T) {
	var told []string
	ctx, s := newStopper(t.Context(), func(cause string) { told = append(told, cause) })
	if ctx.Err() != nil {
		t.Fatal("stopped before anybody asked")
	}
	s.stop("signal: terminated")
	if got := context.Cause(ctx).Error(); got != "signal: terminated" {
		t.Errorf("the cause is %q", got)
	}
	select {
	case <-s.cut:
		t.Error("the first request cuts")
	default:
	}
	for range 3 {
		s.stop("key q")
	}
	<-s.cut
	if got := context.Cause(ctx).Error(); got != "signal: terminated" {
		t.Errorf("the cause became %q", got)
	}
	if len(told) != 1 || told[0] != "signal: terminated" {
		t.Errorf("told %q, want the first cause once", told)
	}
}

func TestEachSignalIsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, s := newStopper(t.Context(), func(string) {})
		signals, done := make(chan os.Signal, 2), make(chan struct{})
		go s.watch(signals, done)
		signals <- os.Interrupt
		synctest.Wait()
		if got := context.Cause(ctx); got == nil || got.Error() != "signal: interrupt" {
			t.Errorf("the cause is %v", got)
		}
		signals <- syscall.SIGTERM
		<-s.cut
		close(done) // the bubble fails when watch goes on
	})
}

func TestATerminalThatIsClosedDoesNotCutTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, s := newStopper(t.Context(), func(string) {})
		signals, done := make(chan os.Signal, 2), make(chan struct{})
		go s.watch(signals, done)
		signals <- syscall.SIGHUP
		signals <- syscall.SIGHUP // the shell's own
		synctest.Wait()
		if got := context.Cause(ctx); got == nil || got.Error() != "signal: hangup" {
			t.Errorf("the cause is %v", got)
		}
		select {
		case <-s.cut:
			t.Error("two hangups cut")
		default:
		}
		signals <- syscall.SIGTERM
		<-s.cut
		close(done)
	})
}
