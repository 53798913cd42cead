package progress

import (
	"cmp"
	"slices"
	"time"
)

// teller writes lines that several sources know of in order of time: a line waits until no source can come with an
// earlier one. A source says until when it has told all by calling until.
type teller struct {
	line func(string)

	waiting []told
	known   map[string]time.Duration // of each source
}

type told struct {
	at   time.Duration // on the run's clock
	text string
}

// allTold is until when a source has told that tells no more.
const allTold = time.Duration(1<<63 - 1)

// newTeller waits for these sources.
func newTeller(line func(string), sources ...string) *teller {
	t := &teller{line: line, known: map[string]time.Duration{}}
	for _, s := range sources {
		t.known[s] = -1
	}
	return t
}

// tell takes a line. One of an instant that was written already comes at once.
func (t *teller) tell(at time.Duration, text string) {
	t.waiting = append(t.waiting, told{at, text})
}

// until says that a source has told all that was until at, and writes what is known to be next.
func (t *teller) until(source string, at time.Duration) {
	t.known[source] = max(t.known[source], at)
	all := allTold
	for _, at := range t.known {
		all = min(all, at)
	}
	slices.SortStableFunc(t.waiting, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	for len(t.waiting) > 0 && t.waiting[0].at <= all {
		text := t.waiting[0].text
		t.waiting = t.waiting[1:]
		t.line(text)
	}
}
