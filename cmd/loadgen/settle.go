package main

import (
	"slices"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// rivalry is settings of which a run can have one side only. The higher level silences the other;
// two flags are an error. Of two variables the winner's side counts, because it asks for more than the
// default load: the other one may have been put into an image long ago.
type rivalry struct {
	winners, losers []string
	betweenModels   bool
	variables       bool   // both may be given; a winner silences what is given at a lower level
	why             string // completes "cannot be combined with WINNER: "
}

func rivalries() []rivalry {
	closed := []string{"users", "spawn-rate", "think", "pacing"}
	return []rivalry{
		{winners: []string{"rate"}, losers: closed, betweenModels: true, why: "users wait for answers, a rate does not; a run has one of them"},
		{winners: []string{"arrivals", "max-in-flight"}, losers: closed, betweenModels: true, why: "it applies to a rate"},
		{winners: []string{"stage"}, losers: []string{"run-time"}, why: "the stages are the run time"},
		{winners: []string{"stage"}, losers: []string{"spawn-rate"}, why: "the stages start the users"},
		{winners: []string{"argument"}, losers: []string{"targets"}, why: "both say what to send"},
		{winners: []string{"targets"}, losers: []string{"method", "data", "json-data"}, why: "the file has the method and body of each request"},
		{winners: []string{"json-data"}, losers: []string{"data"}, why: "a request has one body"},
		{winners: []string{"pacing"}, losers: []string{"think"}, why: "a user pauses or keeps a pace"},
		{winners: []string{"quick"}, losers: []string{"speedup"}, why: "--quick sets the speed"},
		{winners: []string{"quick"}, losers: []string{"run-time", "stage"}, variables: true, why: "--quick sets the length of the load"},
		{winners: []string{"start", "base-start"}, losers: []string{"host", "base-host"}, why: "a program that is started is asked where it listens"},
		{winners: []string{"base-host", "start", "base-start"}, losers: []string{"csv"}, why: "a paired run leaves a result for each side, and no CSV"},
		{winners: []string{"base-host", "start", "base-start"}, losers: []string{"start-at"}, why: "a paired run is one process, with nobody to start together with"},
		{winners: []string{"base-host", "start", "base-start"}, losers: []string{"otlp"}, why: "its two sides would be one series"},
		{winners: []string{"base-host", "start", "base-start"}, losers: []string{"cloudwatch", "cloudwatch-dry-run", "emf"}, why: "a paired run measures two services in turns, and its metrics would be of both"},
		{winners: []string{"emf"}, losers: []string{"cloudwatch"}, why: "both would count everything twice"},
		{winners: []string{"emf"}, losers: []string{"json"}, why: "standard output then holds EMF alone"},
		{winners: []string{"sweep"}, losers: []string{"expect"}, why: "a sweep compares and has no verdict"},
	}
}

func modelOf(flag string) plan.Model {
	switch flag {
	case "users", "spawn-rate", "think", "pacing":
		return plan.Closed
	case "rate", "arrivals", "max-in-flight":
		return plan.Open
	}
	return ""
}

// chooses reports whether a setting asks for its model. A variable that only shapes the load of
// one does not: LOADGEN_THINK may be set once for all runs.
func (g *given) chooses() bool {
	return modelOf(g.flag) != "" && (g.level == byFlag || g.flag == "rate" || g.flag == "users")
}

// silences returns the rivalry by which g keeps other from being used; nil when other can be used. If both are flags it
// returns their rivalry as well, and settle reports it as an error.
func (g *given) silences(other *given) *rivalry {
	for _, r := range rivalries() {
		if r.betweenModels && !g.chooses() || g.level < other.level {
			continue
		}
		if r.variables && (g.level == other.level || slices.Contains(r.losers, g.flag)) {
			continue
		}
		wins := slices.Contains(r.winners, g.flag) && slices.Contains(r.losers, other.flag)
		loses := slices.Contains(r.losers, g.flag) && slices.Contains(r.winners, other.flag)
		if wins || loses && g.level > other.level {
			return &r
		}
	}
	return nil
}

// settlement is what is left when rivals are settled.
type settlement struct {
	kept  []given
	model plan.Model
	notes []string // of variables that are not used though no flag says so
	errs  []error
}

func (s *settlement) has(flag string) bool { return s.find(flag) != nil }

func (s *settlement) find(flag string) *given {
	for i := range s.kept {
		if s.kept[i].flag == flag {
			return &s.kept[i]
		}
	}
	return nil
}

// settle settles what was given beside a plan of the model base.
func settle(all []given, base plan.Model) settlement {
	s := settlement{model: base}
	for l := byFlag; l > inFile; l-- {
		var here []given
		for _, g := range all {
			if g.level == l && !s.silencedBy(s.kept, &g) {
				here = append(here, g)
			}
		}
		for _, g := range here {
			if !s.silencedBy(here, &g) {
				s.kept = append(s.kept, g)
			}
		}
	}
	for i := range s.kept {
		if s.kept[i].chooses() {
			s.model = modelOf(s.kept[i].flag)
			break
		}
	}
	s.kept = slices.DeleteFunc(s.kept, func(g given) bool {
		foreign := modelOf(g.flag) != "" && modelOf(g.flag) != s.model && g.level < byFlag
		if foreign {
			s.notes = append(s.notes, g.name+" is not used: it applies to "+loadOf(modelOf(g.flag))+", and this run has "+loadOf(s.model))
		}
		return foreign
	})
	return s
}

func loadOf(m plan.Model) string {
	switch m {
	case plan.Open:
		return "a rate"
	case plan.Bench:
		return "connections that go as fast as they can"
	}
	return "users"
}

// silencedBy reports whether one of others keeps g from being used. Two flags are kept, as an error.
func (s *settlement) silencedBy(others []given, g *given) bool {
	for i := range others {
		other := &others[i]
		r := other.silences(g)
		switch {
		case r == nil:
			continue
		case g.level == byFlag:
			otherName := other.name
			if other.isArgument {
				otherName = "the arguments"
			}
			s.errs = append(s.errs, &input.Error{
				Field: g.name,
				Want:  "cannot be combined with " + otherName + ": " + r.why,
			})
			return false
		case other.level < byFlag:
			s.notes = append(s.notes, g.name+" is not used: "+other.name+" is set, and "+r.why)
		}
		return true
	}
	return false
}
