package attack

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/validity"
)

// serveEnv makes the test binary a server, so that what is measured in this process is the generator alone.
const serveEnv = "LOADGEN_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) == "" {
		// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // the parent has gone
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })))
}

// otherProcess starts a server in a process of its own and returns its URL.
func otherProcess(b testing.TB) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	var url string
	if _, err := fmt.Fscanln(out, &url); err != nil {
		b.Fatal(err)
	}
	return url
}

// cpu is the processor time this process used while f ran.
func cpu(f func()) time.Duration {
	limits := validity.Limits{CPUs: 1}
	start := time.Now()
	probe := validity.NewProbe(limits, start)
	defer probe.Close()
	f()
	end := time.Now()
	return time.Duration(float64(probe.Read(end).CPU) * float64(end.Sub(start)))
}

// Both as fast as they go on 50 connections; compare the two figures of one run with each other, not with
// those of another machine. Each carries the whole cost of a request: sending, measuring, recording.
func BenchmarkCPUPerRequest(b *testing.B) {
	url := otherProcess(b)
	b.Run("loadgen", func(b *testing.B) {
		var n int64
		var used time.Duration
		for b.Loop() {
			p := plan.Default()
			p.Users, p.SpawnRate, p.RunTime, p.Think = 50, 1000, plan.Duration(2*time.Second), plan.Range{}
			used += cpu(func() {
				r := execute(at(p, url), nil, nil)
				if r.failures > 0 {
					b.Fatal(r.messages())
				}
				n += r.requests
			})
		}
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/request")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("vegeta", func(b *testing.B) {
		var n int64
		var used time.Duration
		for b.Loop() {
			used += cpu(func() {
				a := vegeta.NewAttacker(vegeta.Workers(50), vegeta.MaxWorkers(50), vegeta.MaxBody(0))
				targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: url})
				var m vegeta.Metrics
				for res := range a.Attack(targeter, vegeta.Rate{}, 2*time.Second, "") {
					m.Add(res)
					n++
				}
				m.Close()
			})
		}
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/request")
		b.ReportMetric(0, "ns/op")
	})
}

// Memory of users that each hold a connection; the server's is not in it.
func BenchmarkMemoryOfUsers(b *testing.B) {
	url := otherProcess(b)
	for _, users := range []int{500, 5000} {
		b.Run(fmt.Sprint(users), func(b *testing.B) {
			for b.Loop() {
				debug.FreeOSMemory()
				before := rss(b)
				p := plan.Default()
				p.Users, p.SpawnRate, p.RunTime = users, 2500, plan.Duration(4*time.Second)
				p.Think = plan.Range{Min: plan.Duration(time.Minute), Max: plan.Duration(time.Minute)}
				var after float64
				execute(at(p, url), nil, func(a *Attack) {
					time.Sleep(3500 * ms) // all have spawned and pause
					after = rss(b)
				})
				b.ReportMetric((after-before)/1024/float64(users), "KB/user")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func rss(b *testing.B) float64 {
	now := time.Now()
	probe := validity.NewProbe(validity.Limits{CPUs: 1}, now)
	defer probe.Close()
	memory := probe.Read(now.Add(time.Second)).RSS
	if !memory.Known() {
		b.Skip("resident memory cannot be read on this system")
	}
	return float64(memory)
}

// How late sends leave, at the seed's rate, with each way to wait.
func BenchmarkLag(b *testing.B) {
	url := otherProcess(b)
	for _, row := range []struct {
		name  string
		alarm func() alarm
	}{{"precise", newAlarm}, {"timer", func() alarm { return newTimerAlarm() }}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				p := at(open(390, 3*time.Second), url)
				r := executeOn(p, nil, row.alarm(), nil)
				b.ReportMetric(float64(r.lag.Quantile(0.5).Microseconds()), "p50-µs")
				b.ReportMetric(float64(r.lag.Quantile(0.99).Microseconds()), "p99-µs")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}
