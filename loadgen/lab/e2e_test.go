//go:build e2e

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestNoRequestIsLostInFiftyCyclesOfScaling(t *testing.T) { flip(t, 50) }

func TestCapacityFollowsLoadToSixAndBack(t *testing.T) { experiment(t, 6) }

func TestAProgramThatDoesNotEndIsToldOf(t *testing.T) {
	skipWindows(t)
	t.Parallel()
	c := program(stubborn)
	c.Delays.Stop = 2 * time.Second // in real time
	l := start(t, c)
	l.LoadBegan(time.Now())
	if err := l.SetBounds(1, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is killed", func() bool { return events(l.Timeline(), EventForced) == 1 })
	l.scheduler.mu.Lock()
	defer l.scheduler.mu.Unlock()
	for _, task := range l.scheduler.tasks { // the one that stays would hold the end up as well
		task.replica.kill()
	}
}

// The project's own server and one in another language start, serve, drain and end without a failed request.
func TestRealProgramsLoseNothingWhileTheyScale(t *testing.T) {
	skipWindows(t)
	server := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", server, "scalableappbackend/cmd/server").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const python = `
import http.server, os, signal, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *a: threading.Thread(target=server.shutdown).start())
server.serve_forever()
`
	script := filepath.Join(t.TempDir(), "api.py")
	if err := os.WriteFile(script, []byte(python), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string]string{
		"cmd/server": server + " -addr 127.0.0.1:$PORT -drain-delay 0s",
		"python":     "python3 " + script,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("python3"); err != nil && name == "python" {
				t.Skip("no python3 here")
			}
			c := quick()
			c.ReplicaCommand, c.Env = command, os.Environ()
			c.Scaling.Policies = never()
			l := start(t, c)
			l.LoadBegan(time.Now())
			u := startUsers(t, 10, 10*time.Millisecond, l.URL())
			for _, n := range []int{6, 2, 4, 2} {
				if err := l.SetBounds(n, n); err != nil {
					t.Fatal(err)
				}
				eventually(t, "capacity has followed", func() bool {
					p := l.Capacity()
					return p.Healthy == n && p.Running == n && p.Draining == 0
				})
			}
			u.end()
			l.LoadEnded(time.Now())
			tl := checked(t, l)
			if u.failed.Load() != 0 || l.Counts().Requests != u.sent.Load() || l.Counts().Routed != u.sent.Load() {
				t.Errorf("%d of %d requests failed: %v; counted %+v", u.failed.Load(), u.sent.Load(), u.failures, l.Counts())
			}
			if err := l.Err(); err != nil || events(tl, EventForced) != 0 {
				t.Errorf("%v, %+v, want ends in order", err, tl.Events)
			}
		})
	}
}
