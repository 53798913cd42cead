package result

import (
	"time"

	"scalableappbackend/loadgen/plan"
)

// paceOver is how long a stretch must be whose rate is told.
const paceOver = 10 * time.Second

// shape is what the order of windows tells and their sums do not.
type shape struct {
	phase       int           // of the last window
	silentFrom  time.Duration // since when nothing was answered; meaningful while silent
	silent      bool
	underWay    bool
	longest     Stretch
	last        []*paced // windows of the steady load, of the last 10 s
	paceSeconds float64
	paceOffered int64
	pace        Pace
	hasPace     bool
}

// paced is a window of the steady load.
type paced struct {
	seconds float64
	offered int64
}

func (s *shape) add(w *Window) {
	var completed int64
	for i := range w.Endpoints {
		completed += w.Endpoints[i].Requests
	}
	switch {
	case completed > 0 || w.InFlight == 0 && !s.underWay:
		s.silent = false
	case !s.silent:
		s.silent, s.silentFrom = true, w.From
	}
	s.underWay = w.InFlight > 0
	if s.silent && (w.To-s.silentFrom).Seconds() > s.longest.ToS-s.longest.FromS {
		s.longest = Stretch{s.silentFrom.Seconds(), w.To.Seconds()}
	}

	if w.Name != plan.Steady || w.Phase != s.phase { // an edit may be between two steady phases
		s.phase = w.Phase
		s.last, s.paceSeconds, s.paceOffered = nil, 0, 0
	}
	if w.Name != plan.Steady {
		return
	}
	s.last = append(s.last, &paced{w.Seconds(), w.Offered})
	s.paceSeconds += w.Seconds()
	s.paceOffered += w.Offered
	for s.paceSeconds-s.last[0].seconds >= paceOver.Seconds() {
		s.paceSeconds -= s.last[0].seconds
		s.paceOffered -= s.last[0].offered
		s.last = s.last[1:]
	}
	if s.paceSeconds < paceOver.Seconds() {
		return
	}
	rate := roundTo(float64(s.paceOffered)/s.paceSeconds, 1000)
	if !s.hasPace {
		s.pace, s.hasPace = Pace{rate, rate}, true
	}
	s.pace.Fastest, s.pace.Slowest = max(s.pace.Fastest, rate), min(s.pace.Slowest, rate)
}

// silence is the longest silence when it is worth a word: longer than a request may take, or than a tenth of the load.
func (s *shape) silence(p *plan.Plan, load time.Duration) *Stretch {
	length := s.longest.ToS - s.longest.FromS
	if length <= 0 || length <= min(time.Duration(p.Client.Timeout).Seconds(), load.Seconds()/10) {
		return nil
	}
	found := s.longest
	return &found
}
