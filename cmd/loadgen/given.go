package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/plan"
)

// level is where a setting was given; of two the higher one counts.
type level int

const (
	byDefault level = iota
	byConfig        // a file of Locust's
	inFile
	byLocust  // LOCUST_…
	byLoadgen // LOADGEN_…
	byFlag
)

// given is a setting that was given, and how.
type given struct {
	*setting
	level level
	name  string // as typed: --users, LOADGEN_USERS
	texts []string
}

// typed is the value of every flag in the table: what was typed, to be read once all of it is known.
type typed struct {
	texts    []string
	name     string // of the flag that was last used
	isSwitch bool
	stdin    io.Reader // what "-" names as a file of targets
}

// spelling is one name of a typed flag.
type spelling struct {
	*typed
	name      string
	elsewhere func(text string) *typed // the flag that a text is meant for; nil: this one
}

func (s spelling) Set(text string) error {
	value := s.typed
	if s.elsewhere != nil {
		if other := s.elsewhere(text); other != nil {
			value = other
		}
	}
	value.texts = append(value.texts, text)
	value.name = dashed(s.name)
	return nil
}

// dashed is a flag as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func (s spelling) String() string   { return "" }
func (s spelling) Type() string     { return "" }
func (s spelling) IsBoolFlag() bool { return s.isSwitch }

// define adds the flags of the table to a set and returns their values by name.
func define(flags *pflag.FlagSet, table []setting) map[string]*typed {
	flags.SortFlags = false // help keeps the order of the table
	values := make(map[string]*typed, len(table))
	for i := range table {
		s := &table[i]
		value := &typed{isSwitch: s.arg == ""}
		values[s.flag] = value
		if s.isArgument {
			continue
		}
		var elsewhere func(string) *typed
		if s.elsewhere != nil {
			elsewhere = func(text string) *typed { return values[s.elsewhere(text)] }
		}
		for _, name := range append([]string{s.flag}, s.aliases...) {
			short := ""
			switch {
			case name == s.flag:
				short = s.short
			case len(name) == 1:
				short = name
			}
			f := flags.VarPF(spelling{value, name, elsewhere}, name, short, s.help)
			f.Hidden = name != s.flag || s.hidden
			annotate(f, noteGroup, s.group)
			annotate(f, noteArg, s.arg)
			annotate(f, noteDefault, s.byDefault)
			annotate(f, noteEnv, strings.Join(s.variables(), ", "))
			if value.isSwitch {
				f.NoOptDefVal = "true"
			}
		}
	}
	return values
}

// take makes arguments the value of the setting that they are.
func take(flags map[string]*typed, arguments []string) {
	flags["argument"].texts, flags["argument"].name = arguments, "argument"
}

// collect returns what was given of the table, each setting once, from the highest level at which it
// was, in the order of the table.
func collect(table []setting, flags map[string]*typed, variable func(string) (string, bool)) []given {
	var all []given
	for i := range table {
		s := &table[i]
		if f := flags[s.flag]; len(f.texts) > 0 {
			all = append(all, given{s, byFlag, f.name, f.texts})
			continue
		}
		for i, name := range s.variables() {
			value, ok := variable(name)
			if !s.verbatim {
				value = plan.Trim(value) // of a file of variables, a line end may be left
			}
			if !ok || value == "" {
				continue
			}
			if s.arg == "" && strings.HasPrefix(name, "LOCUST_") && strings.EqualFold(value, "yes") {
				value = "true" // as Locust reads it
			}
			if texts := s.split(value); len(texts) > 0 {
				all = append(all, given{s, byLoadgen - level(i), name, texts})
				break
			}
		}
	}
	return all
}

// strangers are notes on variables that look like a misspelt one of the table.
func strangers(table []setting, environ []string) []string {
	var known, elsewhere []string
	for i := range table {
		known = append(known, table[i].variables()...)
	}
	for _, s := range slices.Concat(runSettings(), benchSettings(), labSettings(), simulateSettings(), fargateSettings()) {
		elsewhere = append(elsewhere, s.variables()...) // another verb's may be set for all
	}
	var notes []string
	for _, each := range environ {
		name, _, _ := strings.Cut(each, "=")
		short, ours := strings.CutPrefix(name, "LOADGEN_")
		if !ours || slices.Contains(known, name) || slices.Contains(elsewhere, name) {
			continue
		}
		// Without the beginning that all share, which would make any two of them near.
		var candidates []string
		for _, k := range known {
			if rest, ok := strings.CutPrefix(k, "LOADGEN_"); ok {
				candidates = append(candidates, rest)
			}
		}
		meant, ok := near.Near(short, candidates)
		for _, s := range table { // a plural that is not near to its singular
			if s.plural != "" && short == strings.ToUpper(s.flag) {
				meant, ok = s.plural, true
			}
		}
		if ok {
			notes = append(notes, name+" is not known; did you mean LOADGEN_"+meant+"?")
		}
	}
	return notes
}
