package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
)

// late is how late sends at a rate were: medians of the rounds, in ms.
type late struct {
	rate           int
	p50, p99, most float64
	cpu            float64 // µs a request
}

// lateness asks loadgen for the lag of its own sends.
func lateness(ctx context.Context, loadgen string, s *server, o options, cpu string) ([]late, error) {
	var all []late
	for _, rate := range []int{10, 100, 1000, 5000} {
		var p50, p99, most, costs []float64
		for range max(1, o.rounds*3/5) {
			words := pinned(cpu, loadgen, "run", s.url, "--rate", strconv.Itoa(rate), "-t", whole(o.duration), "--out", "none", "--headless", "--json")
			cmd := exec.CommandContext(ctx, words[0], words[1:]...)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			var out, said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &said
			err := cmd.Run()
			var r struct {
				Health struct {
					Lag struct{ P50, P99, Max float64 } `json:"lag_ms"`
				}
				Totals struct{ Requests int64 }
			}
			// A run on a busy machine may be INVALID, which is no error here: its lag is what is asked for.
			if bad := json.Unmarshal(out.Bytes(), &r); bad != nil || r.Totals.Requests == 0 {
				return nil, fmt.Errorf("loadgen run --rate %d: %v: %s", rate, err, last(said.String()))
			}
			p50, p99, most = append(p50, r.Health.Lag.P50), append(p99, r.Health.Lag.P99), append(most, r.Health.Lag.Max)
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			costs = append(costs, float64(used.Microseconds())/float64(r.Totals.Requests))
		}
		for _, list := range [][]float64{p50, p99, most, costs} {
			slices.Sort(list)
		}
		l := late{rate, median(p50), median(p99), median(most), median(costs)}
		fmt.Fprintf(os.Stderr, "%d requests/s: lag p50 %.3f ms, p99 %.3f ms\n", rate, l.p50, l.p99)
		all = append(all, l)
	}
	return all, nil
}
