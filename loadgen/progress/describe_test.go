package progress

import (
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
)

func TestAPlanIsDescribedInALine(t *testing.T) {
	stages := func(p plan.Plan, n int) plan.Plan {
		p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
		for i := range n {
			p.Stages = append(p.Stages, plan.Stage{Duration: plan.Duration(30 * time.Second), To: float64(10 * (i + 1))})
		}
		return p
	}
	with := func(p plan.Plan, change func(p *plan.Plan)) plan.Plan { change(&p); return p }
	host := with(plan.Default(), func(p *plan.Plan) { p.Host = "http://h" })
	rate := with(plan.DefaultOpen(), func(p *plan.Plan) { p.Host, p.Rate = "http://h", plan.Rate{N: 400} })
	for _, row := range []struct {
		plan plan.Plan
		want string
	}{
		{host, "50 users on http://h for 3m (5 started each second, thinking 50ms..200ms)"},
		{with(host, func(p *plan.Plan) { p.Users, p.Think = 1, plan.Range{} }), "1 user on http://h for 3m"},
		{with(host, func(p *plan.Plan) { p.Pacing, p.Think = plan.Duration(time.Second), plan.Range{} }), "50 users on http://h for 3m (5 started each second, each a request every 1s)"},
		{with(host, func(p *plan.Plan) { p.Host = plan.Embedded }), "50 users on an API in this process for 3m (5 started each second, thinking 50ms..200ms)"},
		{rate, "400 requests/s on http://h for 3m (uniform, at most 10,000 in flight)"},
		{with(stages(rate, 2), func(p *plan.Plan) { p.Rate, p.Arrivals = plan.Rate{N: 5}, plan.Poisson }), "from 5 to 10 in 30s, to 20 in 30s requests/s on http://h for 1m (poisson, at most 10,000 in flight)"},
		{stages(host, 9), "from 0 to 10 in 30s, to 20 in 30s, to 30 in 30s, to 40 in 30s, to 50 in 30s, … (9 stages) users on http://h for 4m30s (thinking 50ms..200ms)"},
		{with(host, func(p *plan.Plan) {
			p.Host, p.Targets = "", []plan.Target{{Method: "GET", URL: "http://user:secret@h/?token=x"}}
		}), "50 users on http://REDACTED@h/?token=REDACTED for 3m (5 started each second, thinking 50ms..200ms)"},
		{with(host, func(p *plan.Plan) { p.Host = "http://user:secret@h" }), "50 users on http://REDACTED@h for 3m (5 started each second, thinking 50ms..200ms)"},
		{with(host, func(p *plan.Plan) { p.Host, p.Targets = "", make([]plan.Target, 3) }), "50 users on 3 targets for 3m (5 started each second, thinking 50ms..200ms)"},
	} {
		if got := Describe(&row.plan); got != row.want {
			t.Errorf("\n got %s\nwant %s", got, row.want)
		}
	}
}
