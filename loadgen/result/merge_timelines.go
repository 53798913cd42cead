package result

import (
	"fmt"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// unite brings together what the parts were told of capacity. All that watched it have to have watched one service: what two of them
// were told of is one fact by its identity, on the clock of the part that began first. Load is that of all parts.
func (m *Merged) unite() error {
	var ledger timeline.Ledger
	var of *Opened // the first that watched
	var load timeline.Fact
	var end time.Duration
	natural := false
	for _, p := range m.parts {
		natural = natural || p.Result.Timeline != nil && !p.asTold
	}
	for i, p := range m.parts {
		t := p.Result.Timeline
		if t == nil {
			continue
		}
		if of != nil {
			switch a, b := of.Result.Timeline.Service, t.Service; {
			case a == "" || b == "":
				return fmt.Errorf("merge: %s and %s: both have a timeline, and not both say of which service: want results of one service", of.Dir, p.Dir)
			case a != b:
				return fmt.Errorf("merge: %s and %s: timelines are of different services, %s and %s", of.Dir, p.Dir, a, b)
			}
		} else {
			of = p
		}
		facts := p.Facts
		if natural { // identities of two kinds would tell everything twice
			facts = t.Facts()
		}
		skew := m.skews[i]
		end = max(end, t.End+skew)
		for _, f := range facts {
			if f = f.Shift(skew); f.Load == nil {
				ledger.Tell(f)
			}
		}
		from, to := t.LoadFrom+skew, t.LoadTo+skew
		if load.Load != nil {
			from, to = min(from, load.Load.From), max(to, load.Load.To)
		}
		load = timeline.Fact{Known: end, Load: &timeline.Loaded{From: from, To: to, Ended: true}}
	}
	if of == nil {
		return nil
	}
	ledger.Tell(load)
	m.Facts = ledger.Facts()
	m.Final.Timeline = ledger.Timeline(end)
	m.Final.Warnings = append(m.Final.Warnings, ledger.Warnings()...)
	return nil
}
