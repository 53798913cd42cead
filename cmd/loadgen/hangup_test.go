//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/server"
)

// cut is a pipe whose reader reads until a line holds a text, and then closes its end.
func cut(t *testing.T, at string) (w *os.File, closed <-chan struct{}) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.Close()
		for lines := bufio.NewScanner(r); at != "" && lines.Scan() && !strings.Contains(lines.Text(), at); {
		}
	}()
	return w, done
}

// ended waits for a process and returns its exit code, -1 when a signal killed it, and by which.
func ended(t *testing.T, cmd *exec.Cmd) (code int, by syscall.Signal) {
	t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -1, status.Signal()
	}
	return status.ExitStatus(), 0
}

func stoppedBy(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r result.Result
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r.StoppedBy
}

func TestARunOutlivesWhoeverReadsIt(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(server.New(server.Options{}))
	t.Cleanup(api.Close) // after the subtests, which are parallel
	for _, row := range []struct {
		why     string
		line    string // of a shell, where run is the run
		readTo  string
		signal  syscall.Signal
		code    int
		stopped string
	}{
		{"the reader of both streams ends, and then Ctrl-C comes", `exec run`, " ramp ", syscall.SIGINT, 105, "signal: interrupt"},
		{"nobody ever reads", `exec run`, "", 0, 0, ""},
		{"both streams are closed from the beginning", `exec run >&- 2>&-`, "", 0, 0, ""},
		{"only stdout is gone", `exec run 2>/dev/null`, "", 0, 0, ""},
		{"the terminal is closed", `exec run`, " ramp ", syscall.SIGHUP, 105, "signal: hangup"},
		{"the terminal is closed under nohup", `trap '' HUP; exec run`, " ramp ", syscall.SIGHUP, 0, ""},
		{"the result as JSON to nobody", `exec run --json`, "", 0, 0, ""},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if row.signal == syscall.SIGHUP && row.code != 0 && signal.Ignored(syscall.SIGHUP) {
				t.Skip("these tests run under nohup, and what they start ignores the signal as it should")
			}
			out := filepath.Join(t.TempDir(), "result")
			length := "3s"
			if row.code == 105 {
				length = "1m"
			}
			run := fmt.Sprintf("loadgen run -H %s -u 2 -r 1 -t %s -o %s", api.URL, length, out)
			w, closed := cut(t, row.readTo)
			cmd := exec.Command("sh", "-c", strings.Replace(row.line, "run", run, 1))
			cmd.Stdout, cmd.Stderr = w, w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			<-closed
			if row.signal != 0 {
				if err := cmd.Process.Signal(row.signal); err != nil {
					t.Fatal(err)
				}
			}
			code, by := ended(t, cmd)
			if code != row.code {
				t.Fatalf("exit code %d, signal %v; want %d", code, by, row.code)
			}
			if got := stoppedBy(t, out); got != row.stopped {
				t.Errorf("stopped by %q, want %q", got, row.stopped)
			}
		})
	}
}

// What only reads ends as other filters do, by the signal and without a word.
func TestAReportToNobodyEndsQuietly(t *testing.T) {
	w, closed := cut(t, "")
	<-closed
	var stderr bytes.Buffer
	cmd := exec.Command("loadgen", "report", "--schema")
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if code, by := ended(t, cmd); by != syscall.SIGPIPE || stderr.Len() > 0 {
		t.Errorf("exit code %d, signal %v, says %q", code, by, stderr.String())
	}
}
