package timeline

import (
	"testing"
	"time"
)

// A day of minutes, with a change of capacity in each.
func BenchmarkComputeADay(b *testing.B) {
	line := &Timeline{Speedup: 1, LoadTo: 24 * time.Hour, End: 24 * time.Hour, Min: 1, Max: 100}
	var load Load
	for i := range 24 * 60 {
		at := time.Duration(i) * minute
		n := 10 + i/15%40
		line.Points = append(line.Points, all(at, n), Point{at + 30*sec, n + 1, n, n, 1})
		load = append(load, Step{From: at, To: at + minute, Rate: float64(n * 50), Requests: 3000})
	}
	for b.Loop() {
		Compute(line, load, Capacity{PerTask: 50})
	}
}
