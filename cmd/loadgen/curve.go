package main

import (
	"maps"
	"os"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/simulate"
)

// defaultCurve is the seed's load: 50 users, 5 more each second, thinking 125 ms on average and waiting for 3 ms. It
// lasts 15 minutes, as the lab's does on a clock that is not compressed: the high alarm takes three, with which
// the seed's own end.
const defaultCurve = "0s:0,10s:390,15m:390"

// curve is a load, and where it was read.
type curve struct {
	load simulate.Load
	from string

	// Of the result of a run whose capacity was watched.
	closed   bool
	settings map[string]string // by what it scaled, by flag
	latency  simulate.Latency  // p99 by what a task was asked for
}

// parseCurve reads points, or after an @ a file of them or the directory of a result.
func parseCurve(s string) (curve, error) {
	name, isFile := strings.CutPrefix(strings.TrimSpace(s), "@")
	if !isFile {
		load, err := simulate.ParseLoad(s)
		return curve{load: load}, err
	}
	if store.IsURL(name) {
		return resultCurve(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return curve{}, input.Refuse(s, "a file or the directory of a result that can be read: "+reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return resultCurve(name)
	}
	load, err := simulate.ReadCSV(f)
	if err != nil && len(input.Errors(err)) == 0 { // reading failed, not what was read
		return curve{}, input.Refuse(s, "a file that can be read: "+reason(err))
	}
	return curve{load: load, from: name}, input.Rename(err, func(field string) string { return inFileName(name, field) })
}

// resultCurve is what a run asked of its service, in simulated time, and by what the service scaled where that was watched.
func resultCurve(dir string) (curve, error) {
	opened, err := newCloud().open(dir)
	if err != nil {
		return curve{}, &input.Error{Want: err.Error()}
	}
	c := curve{from: dir}
	if differs := opened.Audit(); differs != "" {
		c.from += " (" + differs + ")"
	}
	steps, err := loadgen.LoadOf(opened)
	if err != nil {
		return curve{}, &input.Error{Want: err.Error()}
	}
	if len(steps) == 0 {
		return curve{}, &input.Error{Got: dir, Want: "the result of a run that sent something"}
	}
	t, speedup := opened.Result.Timeline, 1.0
	if t != nil {
		speedup = t.Speedup
	}
	if speedup != 1 {
		c.from += ", " + units.Decimal(speedup) + " times as long as it took"
	}
	c.load = simulate.OfSteps(steps, speedup)
	if t == nil {
		return c, nil
	}
	if c.latency, err = simulate.LatencyOf(opened.Windows(), t); err != nil {
		return curve{}, &input.Error{Want: err.Error()}
	}
	if len(t.Settings) > 0 { // a lab's: what scales a service on AWS is not all known
		c.closed, c.settings = opened.Result.Plan.Model == plan.Closed, maps.Clone(t.Settings)
		c.settings["min"], c.settings["max"] = strconv.Itoa(t.Min), strconv.Itoa(t.Max)
	}
	return c, nil
}
