package attack

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/plan"
)

// Work is counted, since times depend on the machine. What the kernel counts as reads and writes are the calls that the
// scheduler is told of, which wake the runtime's monitor: none of a socket's is among them, see wire.socket. The calls of
// a socket are counted there.
func TestARequestOfARunReadsNothingButTheTimer(t *testing.T) {
	calls := func() (n int64) {
		data, err := os.ReadFile("/proc/self/io")
		if err != nil {
			t.Skip(err) // a container may not show it
		}
		for line := range strings.Lines(string(data)) {
			var each int64
			for _, name := range []string{"syscr", "syscw"} {
				if _, err := fmt.Sscanf(line, name+": %d", &each); err == nil {
					n += each
				}
			}
		}
		return n
	}
	url := contract.OtherProcess(t)
	p := plan.Default()
	p.Users, p.SpawnRate, p.RunTime, p.Think, p.StopTimeout = 4, 1000, plan.Duration(time.Minute), plan.Range{}, plan.Duration(10*time.Second)
	const warm, most = 500, 4000
	var sent, made int64
	r := executeWith(Config{Plan: at(p, url)}, nil, func(a *Attack) {
		until := func(n int64) {
			for a.sent.Load() < n {
				time.Sleep(ms) // real sockets, real time
			}
		}
		until(warm)
		before := calls()
		first := a.sent.Load()
		until(first + most)
		made, sent = calls()-before, a.sent.Load()-first
		a.Stop()
	})
	r.balanced(t)
	each := float64(made) / float64(sent)
	t.Logf("%.2f reads and writes a request", each)
	// At its worst the pacer is woken for each: it reads its timer, and finds that it has to wait.
	if each > 2.2 {
		t.Errorf("%.2f reads and writes a request, want at most 2, of the pacer's", each)
	}
}
