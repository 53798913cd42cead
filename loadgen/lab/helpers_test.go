package lab

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain looks for what the package has left behind when all tests have ended.
func TestMain(m *testing.M) {
	if mode := os.Getenv(replicaMode); mode != "" {
		actAsReplica(mode)
		return
	}
	switch {
	case len(os.Args) == 2 && os.Args[1] == guardMode:
		Guard(os.Stdin)
		return
	case os.Getenv(labMode) != "":
		actAsLab(os.Getenv(labMode))
		return
	}
	// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	code := m.Run()
	if left := leftGoroutines(); code == 0 && left != "" {
		_, _ = io.WriteString(os.Stderr, "goroutines of the package are left after its tests:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftGoroutines are those with a frame of the package that do not end within a second, but for the one that asks.
func leftGoroutines() string {
	for deadline := time.Now().Add(time.Second); ; {
		all := make([]byte, 1<<22)
		all = all[:runtime.Stack(all, true)]
		var left []string
		for i, g := range strings.Split(string(all), "\n\n") {
			if i > 0 && strings.Contains(g, "loadgen/lab.") && !strings.Contains(g, "testing.tRunner") && !strings.Contains(g, "testing.(*M)") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
		time.Sleep(5 * time.Millisecond) // an end of a goroutine tells nobody
	}
}

// eventually polls, because sockets and processes tell nobody when they are ready.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10s: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// startTestBalancer is a balancer without a lab around it.
func startTestBalancer(t *testing.T, idle time.Duration) *balancer {
	t.Helper()
	b, err := startBalancer(idle, &responseTimes{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// healthyTarget registers a target and lets it pass its first check.
func healthyTarget(b *balancer, id, addr string) *target {
	t := b.register(id, addr, 2, 2)
	b.observe(t, true)
	return t
}

// scripted is a target that does to each request what a test says, byte by byte.
type scripted struct {
	addr     string
	requests atomic.Int64
	conns    atomic.Int64
}

// startScripted calls serve for each request with its number on its connection, from 1. The connection is closed when
// serve says false.
func startScripted(t *testing.T, serve func(c net.Conn, r *http.Request, n int) bool) *scripted {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{addr: ln.Addr().String()}
	var all sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			mu.Lock()
			open[c] = true
			mu.Unlock()
			all.Go(func() {
				defer func() {
					mu.Lock()
					delete(open, c)
					mu.Unlock()
					c.Close()
				}()
				in := bufio.NewReader(c)
				for n := 1; ; n++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					s.requests.Add(1)
					if !serve(c, r, n) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

// says is a target that answers every request with these bytes.
func says(text string, keep bool) func(net.Conn, *http.Request, int) bool {
	return func(c net.Conn, r *http.Request, _ int) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		_, err := io.WriteString(c, text)
		return err == nil && keep
	}
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// fetch is a GET through a client; status 0 is a transport error.
func fetch(t *testing.T, client *http.Client, url string) (status int, body string, header http.Header) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return 0, err.Error(), nil
	}
	return res.StatusCode, b.String(), res.Header
}
