package result

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

// A day of a billion requests: what its files take, and how long it takes to add up two such days, as many generators
// leave them.
func BenchmarkMergeOfADayOfABillionRequests(b *testing.B) {
	const day, endpoints, values, each = 24 * time.Hour, 2, 1000, 347
	load := fakeLoad{seed: 7, endpoints: endpoints, perSecond: 1, phases: seedPhases(day), drain: time.Second, start: fakeStart, users: 50, median: 3400 * time.Microsecond, flawless: true}
	meta := load.meta()
	// Latencies over two powers of ten, some of them different in each minute.
	spread := func(minute int) *Histogram {
		h := &Histogram{}
		for i := range values {
			ms := math.Exp(2*float64(i)/values) * (1 + float64(minute%7)/100)
			if i > values-20 {
				ms *= 10
			}
			h.RecordN(time.Duration(ms*float64(time.Millisecond)), each)
		}
		return h
	}
	var minutes []*Window
	for k := range 7 {
		w := &Window{Sent: endpoints * values * each, Offered: endpoints * values * each, Users: 50, Lag: spread(k)}
		for i := range endpoints {
			w.Endpoints = append(w.Endpoints, EndpointWindow{
				Endpoint: i, Requests: values * each, Status: map[int]int64{200: values * each}, BytesIn: 20 * values * each,
				Raw: spread(k + i), Corrected: spread(k + i + 1), FirstByte: spread(k + i + 2),
			})
		}
		minutes = append(minutes, w)
	}
	write := func(id string) string {
		dir, m := filepath.Join(b.TempDir(), id), meta
		m.ID = id
		w, err := Create(dir, m)
		if err != nil {
			b.Fatal(err)
		}
		lines := 0
		for from := time.Duration(0); from < day; lines++ {
			m := *minutes[lines%len(minutes)]
			m.From, m.To, m.Phase, m.Name = from, from.Truncate(time.Minute)+time.Minute, 1, plan.Steady
			if from == 0 {
				m.To, m.Phase, m.Name = 9800*time.Millisecond, 0, plan.Ramp
			}
			if err := w.Window(&m); err != nil {
				b.Fatal(err)
			}
			from = m.To
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		return dir
	}
	dirs := []string{write("run-1"), write("run-2")}
	var size int64
	files, err := os.ReadDir(dirs[0])
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && f.Name() != reserveName {
			size += info.Size()
		}
	}
	var requests int64
	for b.Loop() {
		var parts []*Opened
		for _, dir := range dirs {
			o, err := Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			parts = append(parts, o)
		}
		m, err := Merge(parts, nil)
		if err != nil {
			b.Fatal(err)
		}
		sum := NewBuilder(m.Meta)
		for w, err := range m.Windows() {
			if err != nil {
				b.Fatal(err)
			}
			sum.Add(w)
		}
		requests = sum.Result(m.Final).Totals.Requests
	}
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(requests)/2e9, "billion-requests")
}
