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
	"strings"
)

// seen is what a client says of latencies, in ms: medians of the rounds.
type seen struct {
	name     string
	p50, p99 float64
	err      error
}

// observer is a client that can be asked for its latencies.
type observer struct {
	name  string
	words func(url string, seconds string) []string
	read  func(output []byte) (p50, p99 float64, err error)
}

// observers send some 390 requests a second on 50 connections, each in its own way.
func observers(all []tool) []observer {
	binary := func(name string) string {
		if i := slices.IndexFunc(all, func(t tool) bool { return t.name == name }); i >= 0 {
			return all[i].binary
		}
		return ""
	}
	var list []observer
	if at := binary(barest); at != "" {
		list = append(list, observer{barest, func(url, d string) []string {
			return []string{at, "-floor", url, "-c", "50", "-d", d + "s"}
		}, func(output []byte) (float64, float64, error) {
			var r struct{ P50, P99 float64 }
			err := json.Unmarshal(output, &r)
			return r.P50, r.P99, err
		}})
	}
	if at := binary("loadgen run"); at != "" {
		list = append(list, observer{"loadgen run", func(url, d string) []string {
			return []string{at, "run", url, "-u", "50", "-r", "50", "-t", d + "s", "--out", "none", "--headless", "--json"}
		}, func(output []byte) (float64, float64, error) {
			var r struct {
				Totals struct {
					Latency struct {
						Raw struct{ P50, P99 float64 }
					} `json:"latency_ms"`
				}
			}
			err := json.Unmarshal(output, &r)
			return r.Totals.Latency.Raw.P50, r.Totals.Latency.Raw.P99, err
		}})
	}
	if at := binary("oha"); at != "" {
		list = append(list, observer{"oha", func(url, d string) []string {
			return []string{at, "--no-tui", "--output-format", "json", "-c", "50", "-q", "390", "-z", d + "s", url}
		}, func(output []byte) (float64, float64, error) {
			var r struct {
				LatencyPercentiles struct{ P50, P99 float64 } // in seconds
			}
			err := json.Unmarshal(output, &r)
			return r.LatencyPercentiles.P50 * 1e3, r.LatencyPercentiles.P99 * 1e3, err
		}})
	}
	return list
}

// latencies asks each for what it has seen, in turns.
func latencies(ctx context.Context, all []tool, s *server, o options, cpu string) ([]seen, error) {
	list := observers(all)
	rows := make([]seen, len(list))
	p50, p99 := make([][]float64, len(list)), make([][]float64, len(list))
	for round := range o.rounds {
		for k := range list {
			i := (k + round) % len(list)
			words := pinned(cpu, list[i].words(s.url, strconv.Itoa(int(o.duration.Seconds())))...)
			cmd := exec.CommandContext(ctx, words[0], words[1:]...)
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			var out, said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &said
			failed := cmd.Run()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			half, most, err := list[i].read(out.Bytes())
			if err != nil || half <= 0 {
				rows[i].err = fmt.Errorf("%s: %v %v: %s", strings.Join(words, " "), failed, err, last(said.String()))
				continue
			}
			p50[i], p99[i] = append(p50[i], half), append(p99[i], most)
		}
	}
	for i := range list {
		slices.Sort(p50[i])
		slices.Sort(p99[i])
		rows[i].name, rows[i].p50, rows[i].p99 = list[i].name, median(p50[i]), median(p99[i])
		fmt.Fprintf(os.Stderr, "latency, %s: p50 %.3f ms, p99 %.3f ms\n", rows[i].name, rows[i].p50, rows[i].p99)
	}
	return rows, nil
}

func (p *page) writeLatencies(b *strings.Builder) {
	if len(p.latencies) == 0 {
		return
	}
	b.WriteString("\n## Latencies, as each tells them\n\nSome 390 requests/s on 50 connections, in ms; median of the rounds. The bare loop tells what a socket sees: from the\nwrite to the read of the answer, nothing between.\n\n| client | p50 | p99 |\n|---|---|---|\n")
	for _, l := range p.latencies {
		if l.p50 == 0 {
			fmt.Fprintf(b, "| %s | failed: %v | |\n", l.name, l.err)
			continue
		}
		fmt.Fprintf(b, "| %s | %.3f | %.3f |\n", l.name, l.p50, l.p99)
	}
}
