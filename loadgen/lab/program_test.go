package lab

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func programsOf(t *testing.T, mode string, grace time.Duration) (*Programs, string) {
	t.Helper()
	c := program(mode)
	p, err := NewPrograms(c.Env, grace, testGuard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, c.ReplicaCommand
}

func TestAProgramThatWasStartedAloneListensUntilItIsStopped(t *testing.T) {
	for mode, grace := range map[string]time.Duration{serves: time.Minute, stubborn: 500 * time.Millisecond} {
		p, command := programsOf(t, mode, 0)
		one, err := p.Start(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", one.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		if orderly := one.Stop(grace, nil); orderly != (mode == serves) {
			t.Errorf("%s: ended in order %v", mode, orderly)
		}
		select {
		case <-one.Done():
		default:
			t.Errorf("%s: not ended", mode)
		}
		if one.Err() != nil {
			t.Errorf("%s: %v, and it was asked to end", mode, one.Err())
		}
		if len(one.Output()) == 0 {
			t.Errorf("%s: what it wrote is not kept", mode)
		}
	}
}

func TestAProgramThatDoesNotListenIsAnErrorWithItsLastLines(t *testing.T) {
	for mode, want := range map[string]string{
		dies: "ended by itself: exit status 3; its last lines: reading configuration | [31mfatal: [0m no database",
		deaf: "did not listen on",
	} {
		p, command := programsOf(t, mode, 300*time.Millisecond)
		_, err := p.Start(t.Context(), command)
		bad, ok := errors.AsType[*ReplicaError](err)
		if !ok || !strings.HasPrefix(bad.Named("--start"), `--start: "'`) || !strings.Contains(bad.Error(), want) {
			t.Errorf("%s: %v, want %s", mode, err, want)
		}
	}
	p, _ := programsOf(t, serves, 0)
	if _, err := p.Start(t.Context(), "/does/not/exist"); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsProgramsThatWereNotStopped(t *testing.T) {
	c := program(serves)
	p, err := NewPrograms(c.Env, 0, testGuard)
	if err != nil {
		t.Fatal(err)
	}
	one, err := p.Start(t.Context(), c.ReplicaCommand)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	select {
	case <-one.Done():
	default:
		t.Error("it is left")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrDeadlineExceeded)
	q, command := programsOf(t, deaf, time.Minute)
	if _, err := q.Start(ctx, command); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want the cause", err)
	}
}
