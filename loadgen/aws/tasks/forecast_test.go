package tasks

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWhatARateTakes(t *testing.T) {
	w := Want{Rate: 50_000, PerVCPU: 9000, Fill: 0.7, CPU: 2048, Memory: 4096, Length: 10 * time.Minute}
	f, err := Predict(w, Room{Addresses: 100, VCPUs: 6})
	if err != nil {
		t.Fatal(err)
	}
	// 2 vCPU × 9,000 × 0.7 = 12,600 a task; 4 tasks; 11 minutes at 2 × 0.04048 + 4 × 0.004445 dollars an hour.
	if cost := 4 * 11.0 / 60 * (2*0.04048 + 4*0.004445); f.Tasks != 4 || f.VCPUs != 8 || math.Abs(f.Cost-cost) > 1e-9 || f.Launch != 0 {
		t.Errorf("%d tasks, %v vCPUs, $%v want $%v, started after %v", f.Tasks, f.VCPUs, f.Cost, cost, f.Launch)
	}
	if first := f.Limits[0]; first.Name != "Fargate On-Demand vCPUs" || first.Rate != 3*12_600 || !strings.HasPrefix(first.Detail, "6 vCPUs: ") {
		t.Errorf("the first limit is %+v, want the quota at 3 tasks", first)
	}
	f, _ = Predict(w, Room{Addresses: 2, VCPUs: -1})
	if first, last := f.Limits[0], f.Limits[len(f.Limits)-1]; first.Name != "free addresses in the subnets" || first.Rate != 2*12_600 || last.Known {
		t.Errorf("the first limit is %+v, the last %+v: what is not known comes last", first, last)
	}
	w.Rate = 1e6
	f, _ = Predict(w, Room{-1, -1})
	if f.Tasks != 80 || f.Launch != 70*time.Second {
		t.Errorf("a million: %d tasks, started after %v; 10 at once and 60 a minute", f.Tasks, f.Launch)
	}
	w.Connections = 10_000_000
	if f, _ = Predict(w, Room{-1, -1}); f.Tasks != 355 {
		t.Errorf("%d tasks for ten million connections, of which one has 28,232", f.Tasks)
	}
}

func TestWantsThatNoTaskMeetsAreRefused(t *testing.T) {
	good := Want{Rate: 1, PerVCPU: 1, Fill: 0.5, CPU: 1024, Memory: 2048, Length: time.Minute}
	for want, change := range map[string]func(*Want){
		`rate "0": want requests per second, above 0`:                                                 func(w *Want) { w.Rate = 0 },
		`per-vcpu "-1": want requests per second, above 0`:                                            func(w *Want) { w.PerVCPU = -1 },
		`fill "150 %": want a share above 0, at most 100%`:                                            func(w *Want) { w.Fill = 1.5 },
		`run-time "0s": want a length above 0`:                                                        func(w *Want) { w.Length = 0 },
		`cpu "1000": want 256, 512, 1024, 2048, 4096, 8192 or 16384 units of 1/1024 vCPU`:             func(w *Want) { w.CPU = 1000 },
		`memory "1024": want MiB that Fargate has with 1024 CPU units: 2048 to 8192 in steps of 1024`: func(w *Want) { w.Memory = 1024 },
		`memory "3000": want MiB that Fargate has with 1024 CPU units: 2048 to 8192 in steps of 1024`: func(w *Want) { w.Memory = 3000 },
	} {
		w := good
		change(&w)
		if _, err := Predict(w, Room{-1, -1}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// The tasks of a forecast can send what is wanted, and one fewer could not.
func TestAForecastHasEnoughTasksAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Want{
			Rate: float64(rapid.IntRange(1, 2_000_000).Draw(t, "rate")), PerVCPU: float64(rapid.IntRange(100, 50_000).Draw(t, "per vCPU")),
			Fill: float64(rapid.IntRange(10, 100).Draw(t, "fill")) / 100, CPU: rapid.SampledFrom([]int{256, 1024, 16384}).Draw(t, "cpu"), Length: time.Hour,
		}
		f, err := Predict(w, Room{-1, -1})
		if err != nil {
			t.Fatal(err)
		}
		if n := float64(f.Tasks); n*f.PerTask < w.Rate*(1-1e-6) || f.Tasks > 1 && (n-1)*f.PerTask >= w.Rate*(1+1e-6) {
			t.Fatalf("%d tasks of %v/s for %v/s", f.Tasks, f.PerTask, w.Rate)
		}
	})
}
