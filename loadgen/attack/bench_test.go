package attack

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"scalableappbackend/internal/contract"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/validity"
)

func TestMain(m *testing.M) {
	contract.ServeIfAsked()
	// More at a time than there are CPUs: they wait for seconds to pass. A -parallel on the command line counts more.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
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
	url := contract.OtherProcess(b)
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
	url := contract.OtherProcess(b)
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
	url := contract.OtherProcess(b)
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
