package main

import (
	"os"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/simulate"
	"scalableappbackend/loadgen/timeline"
)

// defaultCurve is the seed's load: 50 users, 5 more each second, thinking 125 ms on average and waiting for 3 ms. It
// lasts 15 minutes, as the lab's does on a clock that is not compressed: the high alarm takes three, with which
// the seed's own end.
const defaultCurve = "0s:0,10s:390,15m:390"

// curve is a load, and where it was read.
type curve struct {
	load simulate.Load
	from string
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
		return curve{}, refuse(s, "a file or the directory of a result that can be read: "+reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return resultCurve(name)
	}
	load, err := simulate.ReadCSV(f)
	if err != nil && len(plan.Fields(err)) == 0 { // reading failed, not what was read
		return curve{}, refuse(s, "a file that can be read: "+reason(err))
	}
	return curve{load, name}, plan.Rename(err, func(field string) string { return inFileName(name, field) })
}

// resultCurve is what a run offered, window by window, in the time of its service.
func resultCurve(dir string) (curve, error) {
	opened, err := result.Open(dir)
	if err != nil {
		return curve{}, &plan.FieldError{Want: err.Error()}
	}
	c := curve{from: dir}
	speedup := 1.0
	if t := opened.Result.Timeline; t != nil {
		speedup = t.Speedup
	}
	if speedup != 1 {
		c.from += ", " + units.Decimal(speedup) + " times as long as it took"
	}
	at := func(run time.Duration) time.Duration { return time.Duration(float64(run) * speedup) }
	for w, err := range opened.Windows() {
		if err != nil {
			return curve{}, &plan.FieldError{Want: err.Error()}
		}
		if w.Name == plan.Drain || w.To <= w.From {
			continue
		}
		rate := float64(w.Offered) / w.Seconds()
		c.load = append(c.load, simulate.Point{At: at(w.From), Rate: rate}, simulate.Point{At: at(w.To), Rate: rate})
	}
	if len(c.load) == 0 {
		return curve{}, &plan.FieldError{Got: dir, Want: "the result of a run that sent something"}
	}
	return c, nil
}

// shortestStep is how long a stretch of a sloping line has one rate, unless there would be more than mostSteps.
const (
	shortestStep = 5 * time.Second
	mostSteps    = 2000
)

// steps is a load as the figures take it: straight lines in stretches of one rate, the mean of the line over each.
func steps(l simulate.Load) timeline.Load {
	over := max(shortestStep, l.End()/mostSteps)
	var all timeline.Load
	for i := 1; i < len(l); i++ {
		a, b := l[i-1], l[i]
		length := b.At - a.At
		if length <= 0 {
			continue
		}
		n := 1
		if a.Rate != b.Rate {
			n = int((length + over - 1) / over)
		}
		for k := range n {
			from, to := a.At+length*time.Duration(k)/time.Duration(n), a.At+length*time.Duration(k+1)/time.Duration(n)
			share := (float64(k) + 0.5) / float64(n)
			all = append(all, timeline.Step{From: from, To: to, Rate: a.Rate + (b.Rate-a.Rate)*share})
		}
	}
	return all
}
