package plan

import "time"

// Cycle is how long one user of a closed plan takes from one request to the next where each is answered after answer:
// the pacing, or the mean pause and the answer. It is 0 where that is not known: of an open plan, and without an answer.
func (p *Plan) Cycle(answer time.Duration) time.Duration {
	switch {
	case p.Model != Closed:
		return 0
	case p.Pacing > 0:
		return time.Duration(p.Pacing)
	case answer <= 0:
		return 0
	}
	return p.Think.Mean() + answer
}
