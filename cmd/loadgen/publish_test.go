package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/aws/publish"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func TestTheCostsInHelpAreThoseOfTheDryRun(t *testing.T) {
	of := func(c publish.Config, emf bool) float64 {
		f := publish.NewForecast(c, &result.Meta{Plan: plan.Default(), Endpoints: make([]plan.Endpoint, 2)}, emf)
		return f.PerHour
	}
	base := of(publish.Config{}, false)
	for flag, cost := range map[string]float64{
		"cloudwatch":            base,
		"cloudwatch-resolution": of(publish.Config{Resolution: time.Second}, false),
		"cloudwatch-run":        of(publish.Config{Run: true}, false) - base,
		"emf":                   of(publish.Config{}, true),
	} {
		for _, s := range publishSettings() {
			if want := fmt.Sprintf("about $%.3f", cost); s.flag == flag && !strings.Contains(s.help, want) {
				t.Errorf("--%s says %q, want %q in it", flag, s.help, want)
			}
		}
	}
}
