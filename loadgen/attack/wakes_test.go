package attack

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/plan"
)

// countingAlarm counts how often the pacer was woken.
type countingAlarm struct {
	alarm
	wakes int64
}

func (a *countingAlarm) wait() { a.alarm.wait(); a.wakes++ }

// A process that sleeps between two sends pays more for waking up than for the send. Counted: what ends, without
// something to send because of it, wakes nobody.
func TestThePacerWakesNoMoreOftenThanThereIsSomethingToSend(t *testing.T) {
	for _, row := range []struct {
		why  string
		plan func() plan.Plan
		rate float64 // sends a second that are due, about
	}{
		{"few users, so that mostly none is under way", func() plan.Plan {
			p := plan.Default()
			p.Users, p.SpawnRate, p.RunTime = 5, 100, plan.Duration(time.Minute)
			return p
		}, 40},
		{"many users", func() plan.Plan {
			p := plan.Default()
			p.Users, p.SpawnRate, p.RunTime = 500, 1000, plan.Duration(10*time.Second)
			return p
		}, 3000},
		{"a rate", func() plan.Plan { return open(400, 10*time.Second) }, 400},
	} {
		t.Run(row.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &countingAlarm{alarm: newTimerAlarm()}
				p := row.plan()
				r := executeOn(ready(p), serve(func(req *http.Request) int { sleep(req, 2*ms); return 200 }), a, nil)
				r.balanced(t)
				if want := row.rate * time.Duration(p.RunTime).Seconds(); float64(r.Outcome.Sent) < want*0.8 {
					t.Fatalf("%d sent, want about %.0f", r.Outcome.Sent, want)
				}
				// Beside the sends: users that join, and the end.
				if most := r.Outcome.Sent + int64(p.Users) + 20; a.wakes > most {
					t.Errorf("woken %d times for %d sends", a.wakes, r.Outcome.Sent)
				}
			})
		})
	}
}
