package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// From starting the program to its first request: reading flags, limits and the plan, the result directory, the connection.
func BenchmarkExecToFirstRequest(b *testing.B) {
	program := filepath.Join(b.TempDir(), "loadgen.exe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	var first atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		first.CompareAndSwap(0, time.Now().UnixNano())
	}))
	defer service.Close()

	var total time.Duration
	runs := 0
	for b.Loop() {
		first.Store(0)
		start := time.Now()
		out := filepath.Join(b.TempDir(), "result")
		cmd := exec.Command(program, "run", "-H", service.URL, "-u", "1", "-r", "1", "-t", "50ms", "-o", out)
		if text, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 96 {
			b.Fatalf("%v\n%s", err, text)
		}
		total += time.Duration(first.Load() - start.UnixNano())
		runs++
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(runs), "ms-to-first-request")
	b.ReportMetric(0, "ns/op")
}
