package gate

import (
	"slices"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// AbortOver is how much of a run an [AbortRule] looks back on.
const AbortOver = 10 * time.Second

// AbortRule watches windows as they come and says when an expression fails over the last 10 s.
//
// It goes by completion: a window's figures are of what was answered in it. It says nothing before
// it has seen 10 s, nor in the drain, where sending is over. Unlike a threshold it needs evidence to
// act: 10 s without data stop no run. But 10 s in which something was under way all the time and
// nothing was answered are evidence: any rule about latency, error_rate or within fails then.
type AbortRule struct {
	expr     Expr
	endpoint int
	last     []stretch // the newest windows; without the oldest they are shorter than AbortOver
	length   time.Duration
}

// stretch is one window's figures in the rule's scope.
type stretch struct {
	length   time.Duration
	metrics  Metrics
	inFlight int
	silent   bool // something was under way, and nothing was answered
}

// NewAbortRule prepares e for windows whose endpoints have these names, by index. It refuses what
// is known only at the end of a run, and a scope that Check would refuse; its error is a
// *input.Error as of [Parse].
func NewAbortRule(e Expr, endpoints []string) (*AbortRule, error) {
	if e.row().late {
		return nil, &input.Error{Got: e.String(), Want: "a metric that is known during the run; " + string(e.Subject) + " is known only after the drain"}
	}
	if e.Phase == plan.Drain {
		return nil, &input.Error{Got: e.String(), Want: "a phase other than drain: nothing is sent in it"}
	}
	if err := Check(e, Has{Endpoints: endpoints, Phases: []string{e.Phase}, Requests: true}); err != nil {
		return nil, err
	}
	rule := &AbortRule{expr: e, endpoint: All}
	if e.Endpoint != "" {
		rule.endpoint = slices.Index(endpoints, e.Endpoint)
	}
	return rule, nil
}

// Window takes the next window of the run. When stop is true the expression failed over the last
// 10 s, and the Outcome says how. w is not kept.
func (r *AbortRule) Window(w *result.Window) (failed result.Outcome, stop bool) {
	if plan.Idle(w.Name) || w.Name == plan.WarmUp && r.expr.Phase == "" || r.expr.Phase != "" && w.Name != r.expr.Phase {
		r.last, r.length = nil, 0 // the last 10 s are to lie in the scope, not to be pieced together
		return result.Outcome{}, false
	}
	next := stretch{length: w.To - w.From, inFlight: w.InFlight, silent: w.InFlight > 0}
	for i := range w.Endpoints {
		next.silent = next.silent && w.Endpoints[i].Requests == 0
	}
	next.metrics.Add(w, r.endpoint)
	r.last, r.length = append(r.last, next), r.length+next.length
	for r.length-r.last[0].length >= AbortOver {
		r.length -= r.last[0].length
		r.last = r.last[1:]
	}
	if r.length < AbortOver {
		return result.Outcome{}, false
	}
	hears := r.expr.Latency != "" || r.expr.Subject == ErrorRate
	if hears && !slices.ContainsFunc(r.last, func(s stretch) bool { return !s.silent }) {
		outcome := r.expr.noData("")
		outcome.Detail = "nothing was answered in the last " + units.Duration(r.length) + ", with " +
			units.Count(int64(next.inFlight)) + " under way"
		return outcome, true
	}
	var sum Metrics
	for i := range r.last {
		sum.merge(&r.last[i].metrics)
	}
	outcome := r.expr.judgeRequests(&sum)
	if outcome.Passed || !outcome.Value.Known() {
		return result.Outcome{}, false
	}
	outcome.Detail += ", over the last " + units.Duration(r.length)
	return outcome, true
}
