package plan

import (
	"net/http"
	"time"
)

// The default profile: what `loadgen run` does when nothing but a host is given.
const (
	DefaultUsers       = 50                               // concurrent users of the closed model
	DefaultSpawnRate   = 5                                // users started each second: all after 9.8 s
	DefaultRunTime     = Duration(3 * time.Minute)        // from the first spawn, the ramp included
	DefaultThinkMin    = Duration(50 * time.Millisecond)  // shortest pause after a response
	DefaultThinkMax    = Duration(200 * time.Millisecond) // longest pause after a response
	DefaultTimeout     = Duration(10 * time.Second)       // of one request, redirects and body included
	DefaultMaxBody     = 10 << 20                         // bytes of a response that are read: 10 MiB
	DefaultRedirects   = 10                               // hops that a request follows
	DefaultStopTimeout = Duration(10 * time.Second)       // of the drain: a third of Fargate's 30 s to stop
	DefaultMaxInFlight = 10_000                           // open model: 10 s of answers outstanding at 1,000/s
	DefaultArrivals    = Uniform                          // spacing of the open model
)

// What a plan may not exceed.
const (
	MaxUsers     = 1_000_000                     // users, and requests in flight
	MaxStages    = 1_000                         // stages of one plan
	MaxRunTime   = Duration(30 * 24 * time.Hour) // length of the load; longer is a monitor, or a wrong unit
	MaxWeight    = 1_000_000                     // weight of one target
	MaxExitCode  = 125                           // shells use 126 and above themselves
	MaxRedirects = 10                            // as browsers and curl stop somewhere: a chain that is longer is a loop
	MaxSeed      = uint64(1)<<53 - 1             // the largest integer that every JSON reader keeps
)

// Default returns the default plan of the closed model. It has no host and seed 0.
func Default() Plan {
	return Plan{
		Model:       Closed,
		Users:       DefaultUsers,
		SpawnRate:   DefaultSpawnRate,
		Think:       Range{DefaultThinkMin, DefaultThinkMax},
		RunTime:     DefaultRunTime,
		Targets:     DefaultTargets(),
		Client:      Client{Timeout: DefaultTimeout, MaxBody: DefaultMaxBody},
		StopTimeout: DefaultStopTimeout,
	}
}

// DefaultOpen returns the default plan of the open model. Its rate is zero: the caller gives one.
func DefaultOpen() Plan {
	p := Default()
	p.Model = Open
	p.Users, p.SpawnRate, p.Think = 0, 0, Range{}
	p.Arrivals, p.MaxInFlight = DefaultArrivals, DefaultMaxInFlight
	return p
}

// Of a bench.
const (
	DefaultConnections  = 50
	DefaultBenchTime    = Duration(10 * time.Second)
	DefaultRequestsTime = Duration(30 * time.Minute) // at most, when a number of requests is asked for
)

// DefaultBench returns the default plan of a bench. It has no target: the caller gives some.
func DefaultBench() Plan {
	p := Default()
	p.Model = Bench
	p.Users, p.SpawnRate, p.Think, p.RunTime = DefaultConnections, 0, Range{}, DefaultBenchTime
	p.Targets = nil
	return p
}

// DefaultTargets returns GET / and GET /health, in equal shares.
func DefaultTargets() []Target {
	return []Target{
		{Method: http.MethodGet, URL: "/"},
		{Method: http.MethodGet, URL: "/health"},
	}
}
