package plan

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// environment is a lookup function over pairs.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestReferencesAreFilledFromTheEnvironment(t *testing.T) {
	lookup := environment("A", "1", "_b2", "two", "EMPTY", "", "LOOP", "${A}")
	for text, want := range map[string]string{
		"plain":             "plain",
		"${A}":              "1",
		"x${A}y${_b2}z":     "x1ytwoz",
		"${A}${A}":          "11",
		"[${EMPTY}]":        "[]",
		"${LOOP}":           "${A}", // a value is not read for references again
		"$${A}":             "${A}",
		"$$${A}":            "$${A}",
		"$${A}${A}":         "${A}1",
		"$A $ {A} {A} $1 $": "$A $ {A} {A} $1 $",
		"$${":               "${",
	} {
		if got, unset := fill(text, lookup); got != want || unset != nil {
			t.Errorf("fill(%q) = %q, %v; want %q", text, got, unset, want)
		}
	}
	if _, unset := fill("${NO} ${A} ${NEITHER}", lookup); !slices.Equal(unset, []string{"NO", "NEITHER"}) {
		t.Errorf("unset: %v, want NO and NEITHER", unset)
	}
}

func TestMalformedReferencesAreFoundAndNothingBehindThemShown(t *testing.T) {
	for text, want := range map[string]string{
		"${":                    "${",
		"${}":                   "${}",
		"x${A-B}y":              "${A-B}",
		"${1A}":                 "${1A}",
		"${A?token=hunter2}":    "${A",
		"Bearer ${A hunter2":    "${A",
		"${A}${B":               "${B",
		"$${A}${é}":             "${é}",
		"https://h/${X/hunter2": "${X",
	} {
		if _, bad := probe(text); bad != want {
			t.Errorf("bad reference in %q: %q, want %q", text, bad, want)
		}
	}
}

func TestTextWithoutReferencesIsFilledWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		escaped := strings.ReplaceAll(text, "${", "$${")
		// A $ before it would make the escape itself escaped.
		if strings.Contains(text, "$${") {
			return
		}
		if got, unset := fill(escaped, environment()); got != text || unset != nil {
			t.Fatalf("%q, escaped %q, is filled with %q, %v", text, escaped, got, unset)
		}
	})
}
