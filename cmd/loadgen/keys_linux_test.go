package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"scalableappbackend/loadgen/result"
)

// pseudoTerminal opens one: what is written to keys is typed, and what the program shows is read from it.
func pseudoTerminal(t *testing.T) (keys, terminal *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { keys.Close() })
	var number, unlock uint32
	size := [4]uint16{24, 100}
	for request, value := range map[uintptr]unsafe.Pointer{
		syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSPTLCK: unsafe.Pointer(&unlock), syscall.TIOCSWINSZ: unsafe.Pointer(&size),
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keys.Fd(), request, uintptr(value)); errno != 0 {
			t.Skip(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keys, terminal
}

// What a person does at a terminal: the load changes with keys, and the run ends with one.
func TestKeysAtATerminalChangeTheLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it watches a terminal for many seconds")
	}
	t.Parallel()
	keys, terminal := pseudoTerminal(t)
	out := filepath.Join(t.TempDir(), "result")
	cmd := exec.Command("loadgen", "run", "-H", "embedded", "-u", "20", "-r", "100", "-t", "1m", "-o", out)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.Env = append(os.Environ(), "TERM=xterm")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()

	var mu sync.Mutex
	var shown bytes.Buffer
	go func() {
		block := make([]byte, 4096)
		for {
			n, err := keys.Read(block)
			mu.Lock()
			shown.Write(block[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	// shows waits until the screen has shown a text since the last key.
	shows := func(text string) {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			mu.Lock()
			seen := shown.String()
			found := strings.Contains(seen, text)
			if found {
				shown.Reset()
			}
			mu.Unlock()
			if found {
				return
			}
			if time.Now().After(deadline) {
				_ = cmd.Process.Kill()
				t.Fatalf("the screen never shows %q, but\n%q", text, seen)
			}
		}
	}
	// keeps waits until the plan that is kept has so many edits. Of what the screen shows only the letters that change are
	// written to it, so that one key's number cannot be told from the next one's.
	keeps := func(edits int) {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var kept struct {
				Edits []json.RawMessage `json:"edits"`
			}
			if data, err := os.ReadFile(filepath.Join(out, "plan.json")); err == nil && json.Unmarshal(data, &kept) == nil && len(kept.Edits) == edits {
				return
			}
			if time.Now().After(deadline) {
				_ = cmd.Process.Kill()
				t.Fatalf("the plan has %d edits, want %d", len(kept.Edits), edits)
			}
		}
	}
	press := func(key string) {
		if _, err := keys.WriteString(key); err != nil {
			t.Fatal(err)
		}
	}
	shows("change the load")
	press("+")
	shows("users 22")
	keeps(1)
	for i, key := range []string{"-", "w", "W", "s", "S", "p", "p"} {
		press(key)
		keeps(i + 2)
	}
	press("q")
	shows("INTERRUPTED")
	if code, _ := ended(t, cmd); code != 105 {
		t.Errorf("exit code %d, want 105", code)
	}
	data, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r result.Result
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	var edits []string
	for _, e := range r.Plan.Edits {
		edits = append(edits, e.String())
	}
	want := []string{"users 22", "users 20", "users 21", "users 31", "users 30", "users 20", "paused", "resumed"}
	if !slices.Equal(edits, want) || r.StoppedBy != "key q" {
		t.Errorf("edits %q, stopped by %q; want %q by key q", edits, r.StoppedBy, want)
	}
}
