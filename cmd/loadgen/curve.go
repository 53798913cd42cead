package main

import (
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
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

// resultCurve is what a run offered, window by window, in the time of its service.
func resultCurve(dir string) (curve, error) {
	opened, err := result.Open(dir)
	if err != nil {
		return curve{}, &input.Error{Want: err.Error()}
	}
	c := curve{from: dir}
	if differs := opened.Audit(); differs != "" {
		c.from += " (" + differs + ")"
	}
	speedup := 1.0
	if t := opened.Result.Timeline; t != nil {
		speedup = t.Speedup
	}
	if speedup != 1 {
		c.from += ", " + units.Decimal(speedup) + " times as long as it took"
	}
	at := func(run time.Duration) time.Duration { return time.Duration(float64(run) * speedup) }
	if t := opened.Result.Timeline; t != nil && len(t.Settings) > 0 {
		return watchedCurve(c, opened, at)
	}
	for w, err := range opened.Windows() {
		if err != nil {
			return curve{}, &input.Error{Want: err.Error()}
		}
		if w.Name == plan.Drain || w.To <= w.From {
			continue
		}
		rate := float64(w.Offered) / w.Seconds()
		c.load = append(c.load, simulate.Point{At: at(w.From), Rate: rate}, simulate.Point{At: at(w.To), Rate: rate})
	}
	if len(c.load) == 0 {
		return curve{}, &input.Error{Got: dir, Want: "the result of a run that sent something"}
	}
	return c, nil
}

// watchedCurve is what was asked of a service whose capacity was watched, and by what it scaled.
func watchedCurve(c curve, opened *result.Opened, at func(time.Duration) time.Duration) (curve, error) {
	t, p := opened.Result.Timeline, &opened.Result.Plan
	var seen []loadgen.Seen
	var measured simulate.Measured
	for w, err := range opened.Windows() {
		if err != nil {
			return curve{}, &input.Error{Want: err.Error()}
		}
		if w.To > w.From {
			seen = append(seen, loadgen.SeenIn(w))
			measured.Add(w, t.At((w.From+w.To)/2).Healthy)
		}
	}
	c.latency = measured.Latency()
	c.closed, c.settings = p.Model == plan.Closed, maps.Clone(t.Settings)
	c.settings["min"], c.settings["max"] = strconv.Itoa(t.Min), strconv.Itoa(t.Max)
	perTask, _ := strconv.ParseFloat(t.Settings[autoscaling.SettingTaskCapacity], 64)
	for _, s := range loadgen.Demand(p, seen, perTask) {
		c.load = append(c.load, simulate.Point{At: at(s.From), Rate: s.Rate}, simulate.Point{At: at(s.To), Rate: s.Rate})
	}
	if len(c.load) == 0 {
		return curve{}, &input.Error{Got: c.from, Want: "the result of a run that sent something"}
	}
	return c, nil
}
