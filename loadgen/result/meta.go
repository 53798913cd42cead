package result

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"scalableappbackend/loadgen/plan"
)

// PlanSchema names the version of plan.json that this package writes.
const PlanSchema = "loadgen/plan/v1"

// Meta is what is known of a run before its first request: what plan.json holds. Without it the
// other files cannot be read, because they speak of endpoints and phases that it names.
type Meta struct {
	ID        string
	StartedAt time.Time // zero of the run's clock
	Plan      plan.Plan // as it ran; what is kept of it is redacted. The run's name and tags are its
	Endpoints []plan.Endpoint
	Phases    []plan.Phase  // in order; the last one is the drain
	Interval  time.Duration // of the windows that are kept; zero: IntervalFor the plan
	Schema    string        // of the result, which says what its files mean; empty: Schema
	Generator Generator
	// Expect is what capacity is expected to do, where it is watched, in the grammar of gate.Expectation.
	Expect []string
}

// schema is that of the result.
func (m *Meta) schema() string { return cmp.Or(m.Schema, Schema) }

// planned is the length of the load: where the drain begins.
func (m *Meta) planned() time.Duration {
	if len(m.Phases) == 0 {
		return 0
	}
	return m.Phases[len(m.Phases)-1].From
}

func (m *Meta) interval() time.Duration {
	if m.Interval > 0 {
		return m.Interval
	}
	return IntervalFor(m.planned())
}

// names are the endpoints' names by index.
func (m *Meta) names() []string {
	names := make([]string, len(m.Endpoints))
	for i, e := range m.Endpoints {
		names[i] = e.Name
	}
	return names
}

// index is names the other way round.
func (m *Meta) index() map[string]int {
	index := make(map[string]int, len(m.Endpoints))
	for i, e := range m.Endpoints {
		index[e.Name] = i
	}
	return index
}

// MaxIntervals is how many intervals of a planned load are kept at most, up to 30 hours of load.
const MaxIntervals = 1800

// IntervalFor is the length of an interval on disk for a planned length of the load: the shortest
// of 1, 2, 5, 10, 30 and 60 s that needs no more than MaxIntervals, else 60 s.
func IntervalFor(planned time.Duration) time.Duration {
	for _, s := range []time.Duration{1, 2, 5, 10, 30} {
		if planned <= MaxIntervals*s*time.Second {
			return s * time.Second
		}
	}
	return time.Minute
}

// planFile is plan.json without the fields of the plan, which stand beside these: a file that
// says how to run it again, and what was run.
type planFile struct {
	Schema    string    `json:"schema"`
	Run       runFile   `json:"run"`
	Generator Generator `json:"generator"`
}

type runFile struct {
	Result    string         `json:"result_schema"` // missing before v2
	ID        string         `json:"id"`
	StartedAt time.Time      `json:"started_at"`
	Interval  seconds        `json:"interval_s"`
	Endpoints []endpointName `json:"endpoints"`
	Phases    []phaseStart   `json:"phases"`
	Expect    []string       `json:"expect,omitempty"`
}

type endpointName struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	URL    string `json:"url"`
}

type phaseStart struct {
	Name string  `json:"name"`
	From seconds `json:"from_s"`
}

// EncodePlan returns plan.json, without secrets, as a run writes it whose result is kept elsewhere than in a directory.
func EncodePlan(m *Meta) ([]byte, error) {
	kept := *m
	kept.Interval, kept.Plan = m.interval(), m.Plan.Redacted()
	return encodePlan(&kept)
}

// encodePlan returns plan.json.
func encodePlan(m *Meta) ([]byte, error) {
	file := planFile{
		Schema:    PlanSchema,
		Run:       runFile{Result: m.schema(), ID: m.ID, StartedAt: m.StartedAt.UTC(), Interval: seconds(m.interval()), Expect: m.Expect},
		Generator: m.Generator,
	}
	for _, e := range m.Endpoints {
		file.Run.Endpoints = append(file.Run.Endpoints, endpointName(e))
	}
	for _, p := range m.Phases {
		file.Run.Phases = append(file.Run.Phases, phaseStart{p.Name, seconds(p.From)})
	}
	ours, err := marshal(file)
	if err != nil {
		return nil, err
	}
	fields, err := marshal(m.Plan)
	if err != nil {
		return nil, err
	}
	// Two objects into one: both have fields, and none in common.
	both := append(append(bytes.TrimSuffix(ours, []byte("}")), ','), bytes.TrimPrefix(fields, []byte("{"))...)
	var indented bytes.Buffer
	if err := json.Indent(&indented, both, "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// marshal is json.Marshal without escapes for HTML, which make URLs hard to read.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decodePlan reads plan.json.
func decodePlan(data []byte) (*Meta, error) {
	if err := wantSchema(data, PlanSchema); err != nil {
		return nil, err
	}
	var file planFile
	m := &Meta{}
	if err := decode(data, &file); err != nil {
		return nil, err
	}
	if err := decode(data, &m.Plan); err != nil {
		return nil, err
	}
	m.ID, m.StartedAt, m.Interval, m.Generator = file.Run.ID, file.Run.StartedAt.UTC(), time.Duration(file.Run.Interval), file.Generator
	m.Expect = file.Run.Expect
	switch file.Run.Result {
	case Schema:
	case "", SchemaV1:
		m.Schema = SchemaV1
	default:
		return nil, fmt.Errorf("run.result_schema: %.60q, want %s: another program or a newer loadgen wrote it", file.Run.Result, Schema)
	}
	names := map[string]bool{}
	for _, e := range file.Run.Endpoints {
		if names[e.Name] {
			return nil, fmt.Errorf("run.endpoints: %.80q twice", e.Name)
		}
		names[e.Name] = true
		m.Endpoints = append(m.Endpoints, plan.Endpoint(e))
	}
	for i, p := range file.Run.Phases {
		if i > 0 && time.Duration(p.From) < m.Phases[i-1].From {
			return nil, errors.New("run.phases: want them in order of from_s")
		}
		m.Phases = append(m.Phases, plan.Phase{Name: p.Name, From: time.Duration(p.From)})
	}
	if m.Interval <= 0 || len(m.Phases) == 0 {
		return nil, errors.New("run: want interval_s above 0 and at least one phase")
	}
	return m, checkNumbers("generator", &m.Generator)
}

// wantSchema says whether data is an object of a schema. A newer version than this one is refused by name.
func wantSchema(data []byte, want string, also ...string) error {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := decode(data, &head); err != nil {
		return err
	}
	switch {
	case head.Schema == want || slices.Contains(also, head.Schema):
		return nil
	case head.Schema == "":
		return fmt.Errorf("schema: missing, want %s", want)
	}
	return fmt.Errorf("schema: %.60q, want %s: another program or a newer loadgen wrote it", head.Schema, want)
}

// decode is json.Unmarshal with errors that name a field, or a place, in one line.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf("want a JSON object, have a %s", e.Value)
		}
		return fmt.Errorf("field %s: %s where %s is wanted", e.Field, e.Value, e.Type)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON: %w (byte %d)", e, e.Offset)
	}
	return err
}
