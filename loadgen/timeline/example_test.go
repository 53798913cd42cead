package timeline_test

import (
	"fmt"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// A service grows from 2 to 3 tasks one minute after load has begun that asks for 3.
func Example() {
	r := timeline.NewRecorder(1, 2, 6) // in real time, between 2 and 6 tasks
	r.Load(0, 10*time.Minute)
	r.Point(timeline.Point{At: 0, Desired: 2, Running: 2, Healthy: 2})
	r.Activity(timeline.Activity{At: time.Minute, Policy: "requests", From: 2, To: 3, Status: timeline.Successful})
	r.Change(time.Minute, func(p *timeline.Point) { p.Desired = 3 })
	r.Change(2*time.Minute, func(p *timeline.Point) { p.Running, p.Healthy = 3, 3 })
	line := r.Timeline(10 * time.Minute)

	load := timeline.Load{{From: 0, To: 10 * time.Minute, Rate: 240, Requests: 144_000, Errors: 12}}
	f := timeline.Compute(line, load, timeline.Capacity{PerTask: 100, Utilisation: 0.8})
	fmt.Println("decided after", f.Lags.Decision.Service)
	fmt.Println("scaled out after", f.ScaleOut.Service)
	fmt.Printf("under-provisioned %.0f %% of the time, by %.1f tasks on average\n", f.Provisioning.Whole.TauUnder, f.Provisioning.Whole.AUnder)
	fmt.Println(f.Provisioning.RequestsUnder, "requests meanwhile")
	fmt.Println("recovery known:", f.Recovery != nil)
	// Output:
	// decided after 1m0s
	// scaled out after 2m0s
	// under-provisioned 20 % of the time, by 0.2 tasks on average
	// 28800 requests meanwhile
	// recovery known: false
}
