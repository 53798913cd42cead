package lab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func testGuard() *exec.Cmd { return exec.Command(os.Args[0], guardMode) }

// actAsLab starts a lab of programs, says the pids of all processes that it has started, and stays.
func actAsLab(mode string) {
	c := program(mode)
	c.Guard = testGuard
	l, err := Start(context.Background(), c)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	all := []int{l.guard.cmd.Process.Pid}
	for _, key := range []string{"pid", "child"} {
		for _, text := range l.Records() {
			for line := range strings.Lines(string(text)) {
				if _, pid, ok := strings.Cut(strings.TrimSpace(line), key+"="); ok {
					n, _ := strconv.Atoi(pid)
					all = append(all, n)
				}
			}
		}
	}
	fmt.Println(all)
	time.Sleep(time.Minute)
	l.Close()
}

// However a lab ends: what it has started, and what that has started, in its process group or out of it, is gone.
func TestNoEndOfTheLabLeavesAReplica(t *testing.T) {
	if !canGuard {
		t.Skip("no process groups on this system")
	}
	for _, tt := range []struct {
		why    string
		mode   string
		signal syscall.Signal
		pids   int // the guard's, 6 programs', and those of their children
	}{
		{"SIGKILL", parent, syscall.SIGKILL, 13},
		{"SIGHUP, as of a terminal that is closed, which nobody handles here", serves, syscall.SIGHUP, 7},
		{"SIGKILL of programs that have put children out of their group", daemon, syscall.SIGKILL, 13},
	} {
		t.Run(tt.why, func(t *testing.T) {
			t.Parallel()
			if tt.mode == daemon && !knowsCPU {
				t.Skip("found by /proc, which is not here")
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), labMode+"="+tt.mode)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(out).ReadString('\n')
			var all []int
			for word := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(line), "[]")) {
				pid, _ := strconv.Atoi(word)
				all = append(all, pid)
			}
			if len(all) != tt.pids {
				t.Errorf("%d pids of %q, want %d", len(all), line, tt.pids)
			}
			for _, pid := range all {
				if !alive(pid) {
					t.Errorf("process %d is not there while the lab is", pid)
				}
			}
			_ = cmd.Process.Signal(tt.signal)
			_ = cmd.Wait()
			for _, pid := range all {
				eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
			}
		})
	}
}

func TestTheGuardKnowsWhatHasEnded(t *testing.T) {
	if !canGuard {
		t.Skip("no process groups on this system")
	}
	t.Parallel()
	kept := exec.Command(os.Args[0])
	kept.Env = append(os.Environ(), replicaMode+"="+deaf)
	ownGroup(kept)
	if err := kept.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		killGroup(kept.Process)
		_ = kept.Wait()
	}()
	g, err := startGuard(testGuard)
	if err != nil {
		t.Fatal(err)
	}
	g.began(kept.Process.Pid)
	g.ended(kept.Process.Pid) // its number may be another's by now
	g.close()
	if !alive(kept.Process.Pid) {
		t.Error("the guard ended a group that it was told had ended")
	}
}
