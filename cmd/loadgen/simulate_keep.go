package main

import (
	"bytes"
	"os"
	"path/filepath"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/report"
	"scalableappbackend/loadgen/timeline"
)

// keepSimulation writes timeline.json, as a run's result has it, and simulation.json, all but the timeline. Without --out
// nothing is kept.
func (e *env) keepSimulation(r *resolution, in report.Simulation) error {
	if r.out == "" || r.out == outNone {
		return nil
	}
	line, err := timeline.Encode(in.Timeline)
	if err != nil {
		return err
	}
	in.Timeline = nil
	var rest bytes.Buffer
	if err := report.SimulationJSON(&rest, in); err != nil {
		return err
	}
	return r.keep(map[string][]byte{"timeline.json": line, "simulation.json": rest.Bytes()})
}

// keepSweep writes sweep.json.
func (e *env) keepSweep(r *resolution, rows []report.SweepRow) error {
	if r.out == "" || r.out == outNone {
		return nil
	}
	var b bytes.Buffer
	if err := report.SweepJSON(&b, rows); err != nil {
		return err
	}
	return r.keep(map[string][]byte{"sweep.json": b.Bytes()})
}

// keep writes files into the directory of --out, which is new or empty.
func (r *resolution) keep(files map[string][]byte) error {
	g := r.find("out")
	refused := func(want string) error {
		return usage(&input.Error{Field: g.name, Got: r.out, Want: want})
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return refused("a directory that can be made: " + reason(err))
	}
	there, err := os.ReadDir(r.out)
	switch {
	case err != nil:
		return refused("a directory that can be read: " + reason(err))
	case len(there) > 0:
		return refused("a new or empty directory")
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(r.out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
