package result

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/plan"
)

// What plan.Shares divides, Merge puts together again: the parts' plans are alike, and add up to the plan.
func TestTheSumOfSharesIsThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plan.DefaultOpen()
		p.Host = "http://h"
		p.Rate = plan.Rate{N: float64(rapid.IntRange(1, 1_000_000).Draw(t, "rate")) / 100}
		if rapid.Bool().Draw(t, "closed") {
			p = plan.Default()
			p.Host = "http://h"
			p.Users, p.SpawnRate = rapid.IntRange(1, 10_000).Draw(t, "users"), float64(rapid.IntRange(1, 10_000).Draw(t, "spawn"))/10
		}
		if rapid.Bool().Draw(t, "staged") {
			p.SpawnRate, p.RunTime = 0, 0
			for range rapid.IntRange(1, 4).Draw(t, "stages") {
				p.Stages = append(p.Stages, plan.Stage{Duration: plan.Duration(time.Minute), To: float64(rapid.IntRange(0, 5000).Draw(t, "to"))})
			}
		}
		if rapid.Bool().Draw(t, "edited") {
			field := map[plan.Model]string{plan.Closed: plan.EditUsers, plan.Open: plan.EditRate}[p.Model]
			p.Edits = []plan.Edit{{At: time.Second, Field: field, Value: float64(rapid.IntRange(0, 5000).Draw(t, "edit"))}}
		}
		if p.Validate() != nil {
			t.Skip()
		}
		shares, err := p.Shares(rapid.IntRange(1, 30).Draw(t, "n"))
		if err != nil {
			t.Skip()
		}
		var parts []*Opened
		for _, s := range shares {
			parts = append(parts, &Opened{Meta: Meta{Plan: s, Phases: s.Phases()}, Result: &Result{}})
			if err := alike(parts[0], parts[len(parts)-1], nil); err != nil {
				t.Fatalf("%v", err)
			}
		}
		sum := sumPlans(parts)
		got, err1 := json.Marshal(sum)
		want, err2 := json.Marshal(p)
		if err1 != nil || err2 != nil || string(got) != string(want) {
			t.Fatalf("%d parts add up to\n%s\nwant\n%s", len(parts), got, want)
		}
	})
}
