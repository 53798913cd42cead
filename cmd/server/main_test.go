package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program server: in scripts, and on PATH for exec.Command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"server": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits N PROGRAM ARGS…: runs it and wants exit code N, where exec only knows zero or not.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM [ARGS...]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// process is a running server.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	lines chan string // of stderr
	seen  []string    // messages of the log, and plain lines
}

// startProcess runs the program with -addr 127.0.0.1:0 and args, and returns when it serves.
func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("signals cannot be sent to a process there")
	}
	p := &process{t: t, lines: make(chan string, 100)}
	p.cmd = exec.Command("server", append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.WaitDelay = 5 * time.Second
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for sc := bufio.NewScanner(stderr); sc.Scan(); {
			p.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	p.url = "http://" + p.await("serving")["addr"].(string)
	return p
}

// await reads the log up to the line with this message and returns it.
func (p *process) await(msg string) map[string]any {
	p.t.Helper()
	for timeout := time.After(10 * time.Second); ; {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("stderr ended without %q after %q", msg, p.seen)
			}
			if fields := p.read(line); fields["msg"] == msg {
				return fields
			}
		case <-timeout:
			p.t.Fatalf("no %q within 10s, only %q", msg, p.seen)
		}
	}
}

func (p *process) read(line string) map[string]any {
	var fields map[string]any
	if json.Unmarshal([]byte(line), &fields) != nil {
		p.seen = append(p.seen, line)
		return nil
	}
	p.seen = append(p.seen, fields["msg"].(string))
	return fields
}

// exit waits for the end and returns the exit code and all that stderr said, messages and plain lines.
func (p *process) exit() (int, string) {
	p.t.Helper()
	timeout := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
	defer timeout.Stop()
	for line := range p.lines {
		p.read(line)
	}
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), strings.Join(p.seen, "\n")
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) want(path string, status int) http.Header {
	p.t.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	if res.StatusCode != status {
		p.t.Errorf("%s: %d, want %d", path, res.StatusCode, status)
	}
	return res.Header
}

func TestASignalDrainsAndExitsZero(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startProcess(t, "-drain-delay", "2s")
			host, err := os.Hostname()
			if err != nil {
				t.Fatal(err)
			}
			if got := p.want("/", 200).Get("X-Served-By"); got != host {
				t.Errorf("X-Served-By %q, want the host's name %q", got, host)
			}
			p.want("/health", 200)

			p.signal(sig)
			p.await("draining")
			p.want("/health", 503)
			p.want("/", 200)

			code, log := p.exit()
			if code != 0 {
				t.Errorf("exit %d, want 0", code)
			}
			if want := "starting\nserving\nsignal\ndraining\nstopped"; log != want {
				t.Errorf("stderr:\n%s\nwant:\n%s", log, want)
			}
		})
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "-drain-delay", "1h")
	p.signal(syscall.SIGTERM)
	p.await("draining")
	p.signal(os.Interrupt)
	code, log := p.exit()
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if want := "server: a second signal (interrupt) ended the drain"; !strings.HasSuffix(log, want) {
		t.Errorf("stderr:\n%s\nwant %q at its end", log, want)
	}
}

func TestWhatOutlastsTheGraceIsCutAndSaid(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "-drain-delay", "0", "-shutdown-grace", "50ms")
	// A new connection without a request counts as one in flight for 5 s. It has been accepted when a later one is answered.
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p.want("/", 200)
	p.signal(syscall.SIGTERM)
	code, log := p.exit()
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if want := "server: requests were cut off after a grace of 50ms: context deadline exceeded"; !strings.HasSuffix(log, want) {
		t.Errorf("stderr:\n%s\nwant %q at its end", log, want)
	}
}

func TestHealthcheckFollowsTheServerItAsks(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "-drain-delay", "1h")
	addr := strings.TrimPrefix(p.url, "http://")
	check := func(wantCode int, wantErr string) {
		t.Helper()
		cmd := exec.Command("server", "healthcheck")
		cmd.Env = append(os.Environ(), "SERVER_ADDR="+addr)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != wantCode || stderr.String() != wantErr {
			t.Errorf("exit %d, stderr %q; want %d, %q", code, &stderr, wantCode, wantErr)
		}
	}
	check(0, "")
	p.signal(syscall.SIGTERM)
	p.await("draining")
	check(1, `server: healthcheck `+p.url+`/health: status 503 Service Unavailable: "{\"status\":\"draining\"}\n"`+"\n")
}
