package lab

import (
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/plan"
)

// Zones that tasks are spread over.
const (
	ZoneA = "a"
	ZoneB = "b"
)

func zones() []string { return []string{ZoneA, ZoneB} }

// The things that can go wrong.
const (
	KillTask      = "kill-task"
	StopTask      = "stop-task"
	SpotInterrupt = "spot-interrupt"
	KillZone      = "kill-zone"
)

func verbs() []string { return []string{KillTask, StopTask, SpotInterrupt, KillZone} }

// Chaos is something that goes wrong on purpose, on the run's clock.
//
// kill-task kills the oldest healthy task of the zone with most tasks; kill-zone every task of a
// zone, in which nothing is placed until To. Requests in flight there fail, and those that come until health checks have
// noticed. stop-task gives such a task SIGTERM and deregisters it at once, as StopTask and the console's "stop" do: it
// finishes what it has, and refuses what still arrives for [Propagation]. spot-interrupt does the same, as the end of a
// Spot capacity does. The scheduler replaces what is gone.
type Chaos struct {
	Verb     string
	Zone     string        // of kill-zone
	From, To time.Duration // To is of kill-zone
}

const wantChaos = "kill-task@TIME, stop-task@TIME, spot-interrupt@TIME or kill-zone:ZONE@FROM..TO, e.g. kill-task@60s, kill-zone:b@90s..120s"

// ParseChaos reads:
//
//	chaos     = one-task | kill-zone
//	one-task  = ( "kill-task" | "stop-task" | "spot-interrupt" ) "@" duration
//	kill-zone = "kill-zone:" ( "a" | "b" ) "@" duration ".." duration
//
// Times count from the beginning of the load, in real time. Errors are of type *input.Error.
func ParseChaos(text string) (Chaos, error) {
	s := strings.TrimSpace(text)
	what, when, hasTime := strings.Cut(s, "@")
	verb, zone, hasZone := strings.Cut(what, ":")
	refuse := func(want, hint string) (Chaos, error) {
		return Chaos{}, &input.Error{Got: s, Want: want, Hint: hint}
	}
	switch {
	case s == "":
		return Chaos{}, &input.Error{Want: "empty, want " + wantChaos}
	case !slices.Contains(verbs(), verb):
		hint := ""
		if word, ok := near.Near(verb, verbs()); ok {
			hint = "did you mean " + word + "?"
		}
		return refuse(wantChaos, hint)
	case !hasTime:
		return refuse(wantChaos, "")
	case verb != KillZone:
		at, err := plan.ParseDuration(when)
		if hasZone || err != nil {
			return refuse(verb+"@TIME, e.g. "+verb+"@60s", "")
		}
		return Chaos{Verb: verb, From: time.Duration(at)}, nil
	case !slices.Contains(zones(), zone):
		return refuse("kill-zone:ZONE@FROM..TO, ZONE being a or b", "")
	}
	span, err := plan.ParseRange(when)
	if !strings.Contains(when, "..") || err != nil || span.Min >= span.Max {
		return refuse("kill-zone:ZONE@FROM..TO with FROM before TO, e.g. kill-zone:b@90s..120s", "")
	}
	return Chaos{Verb: KillZone, Zone: zone, From: time.Duration(span.Min), To: time.Duration(span.Max)}, nil
}

// String is the form that ParseChaos reads.
func (c Chaos) String() string {
	from := plan.Duration(c.From).String()
	if c.Verb != KillZone {
		return c.Verb + "@" + from
	}
	return KillZone + ":" + c.Zone + "@" + from + ".." + plan.Duration(c.To).String()
}

// end is when its effects are over.
func (c Chaos) end() time.Duration { return max(c.From, c.To) }

// check refuses what cannot happen in a load of this length; 0 is not known.
func (c Chaos) check(load time.Duration) error {
	read, err := ParseChaos(c.String())
	switch {
	case err != nil:
		return err
	case read != c:
		return &input.Error{Got: c.String(), Want: wantChaos}
	case load > 0 && c.end() >= load:
		return &input.Error{Got: c.String(), Want: "a time before the end of the load at " + plan.Duration(load).String()}
	}
	return nil
}
