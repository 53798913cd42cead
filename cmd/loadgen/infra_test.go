package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// What Terraform puts into the load task's environment is read by the program, in a task as in a run.
func TestVariablesOfTheLoadTaskAreRead(t *testing.T) {
	text, err := os.ReadFile("../../infra/loadtask.tf")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, s := range runSettings() {
		known = append(known, s.variables()...)
	}
	names := regexp.MustCompile(`\bLOADGEN_[A-Z_]+\b`).FindAllString(string(text), -1)
	if len(names) < 5 {
		t.Fatalf("found %q in infra/loadtask.tf", names)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("infra/loadtask.tf sets %s, which loadgen run does not read", name)
		}
	}
}
