package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/plan"
)

// resolution is one plan made of flags, variables, a plan file and defaults, in this order:
//
//	a flag > LOADGEN_* > LOCUST_* > the plan file > Locust's files > the default
//
// A setting of one model of load silences those of the other on lower levels; only two flags can be in
// conflict.
type resolution struct {
	options
	table []setting // what the verb can be told
	settlement
	stdin  io.Reader
	failed map[string]bool // settings of which all is said: what Validate thinks of them is of no use

	expectsByDefault bool // of a lab: nothing was said of what is expected
}

// resolve makes a plan that is valid of what was given to `run`, or says all that is wrong with it, naming
// each thing as the user did.
func resolve(flags map[string]*typed, variable func(string) (string, bool)) (*resolution, error) {
	return resolveIn(runSettings(), service{}, flags, variable, (*resolution).completeRun)
}

// completeRun is what is wrong with what is for `run` alone.
func (r *resolution) completeRun() []error {
	return slices.Concat(r.completePair(), r.completePublishing(), r.completeWatch())
}

// resolveIn is resolve for any verb that has a plan. Before the plan is validated, complete adds what the verb
// makes of it, and returns what is wrong with the rest of what was given.
func resolveIn(table []setting, defaults service, flags map[string]*typed, variable func(string) (string, bool), complete func(*resolution) []error) (*resolution, error) {
	all := slices.DeleteFunc(collect(table, flags, variable), func(g given) bool { return isOff(&g) })
	r := &resolution{table: table, failed: map[string]bool{}, options: options{service: defaults}}
	if t := flags["targets"]; t != nil {
		r.stdin = t.stdin
	}
	base, err := r.readPlan(all)
	errs := []error{err}
	r.settlement = settle(all, base.Model)
	errs = append(errs, r.errs...)
	errs = append(errs, r.readConfigs(variable, &base))
	if r.planFile != "" && r.model != base.Model {
		r.notes = append(r.notes, fmt.Sprintf("%s has %s, and this run has %s", r.planFile, loadOf(base.Model), loadOf(r.model)))
	}
	r.plan = base
	r.makeRoom()
	for i := range r.kept {
		errs = append(errs, r.apply(&r.kept[i]))
	}
	errs = append(errs, r.readTargets(), r.readArguments(), r.needsRate(base.Model))
	errs = append(errs, complete(r)...)
	if !r.failed["plan"] && len(r.errs) == 0 { // else the plan is not the one that was meant
		errs = append(errs, r.needsHost())
		errs = append(errs, r.namedErrors(r.plan.Validate())...)
	}
	return r, errors.Join(errs...)
}

// readConfigs takes what Locust's files say, when the verb reads them.
func (r *resolution) readConfigs(variable func(string) (string, bool), base *plan.Plan) error {
	if !slices.ContainsFunc(r.table, func(s setting) bool { return s.flag == "config" }) {
		return nil
	}
	name := ""
	if g := r.find("config"); g != nil {
		name = g.texts[len(g.texts)-1]
	}
	home, _ := variable("HOME")
	files, err := readConfigs(name, home)
	if err != nil {
		r.failed["host"] = true // it may be in there
		return err
	}
	r.configured(files, base)
	return nil
}

// readPlan returns the plan of --plan, else the default one with a random seed.
func (r *resolution) readPlan(all []given) (plan.Plan, error) {
	base := plan.Default()
	if r.service.model == plan.Bench {
		base = plan.DefaultBench()
	}
	base.Seed = rand.Uint64N(plan.MaxSeed) + 1
	i := slices.IndexFunc(all, func(g given) bool { return g.flag == "plan" })
	if i < 0 {
		return base, nil
	}
	name := all[i].texts[len(all[i].texts)-1]
	data, err := os.ReadFile(name)
	if err != nil {
		r.failed["plan"] = true
		return base, &input.Error{Field: all[i].name, Got: name, Want: "a file that can be read: " + reason(err)}
	}
	read, err := plan.ReadFile(data)
	if err != nil {
		r.failed["plan"] = true
		return base, input.Rename(err, func(field string) string { return inFileName(name, field) })
	}
	var seed struct{ Seed *uint64 }
	_ = json.Unmarshal(data, &seed) // it was read before
	if seed.Seed == nil {
		read.Seed = base.Seed
	}
	r.planFile = name
	return read, nil
}

// inFileName is how an error names a field of a plan file.
func inFileName(file, field string) string {
	if field == "" {
		return file
	}
	return file + ": " + field
}

// makeRoom takes out of the plan what the settings that are kept replace as a whole.
func (r *resolution) makeRoom() {
	p, d := &r.plan, plan.Default()
	if r.model == plan.Open {
		d = plan.DefaultOpen()
	}
	if p.Model != r.model {
		p.Model = d.Model
		p.Users, p.SpawnRate, p.Think, p.Pacing = d.Users, d.SpawnRate, d.Think, d.Pacing
		p.Rate, p.Arrivals, p.MaxInFlight = d.Rate, d.Arrivals, d.MaxInFlight
		if len(p.Stages) > 0 {
			p.Stages, p.RunTime = nil, d.RunTime
		}
	}
	switch {
	case r.has("stage"):
		p.Users, p.SpawnRate, p.Rate, p.RunTime = 0, 0, plan.Rate{}, 0
	case len(p.Stages) > 0 && (r.has("run-time") || r.has("spawn-rate")):
		p.Stages, p.Users, p.SpawnRate, p.RunTime = nil, d.Users, d.SpawnRate, d.RunTime
	}
	if r.has("pacing") {
		p.Think = plan.Range{}
	}
	if r.has("think") {
		p.Pacing = 0
	}
}

func (r *resolution) apply(g *given) error {
	err := g.set(&r.options, g.texts)
	if err == nil {
		return nil
	}
	r.failed[g.flag] = true
	if g.flag == "stage" { // without the stages the rest of the load means something else
		r.failed["users"], r.failed["spawn-rate"], r.failed["run-time"], r.failed["rate"] = true, true, true, true
	}
	return input.Rename(err, func(inner string) string { return joined(g.name, inner) })
}

// joined is what was typed, and a name within it.
func joined(name, inner string) string {
	if inner == "" {
		return name
	}
	return name + " " + inner
}

// readTargets reads the file of --targets.
func (r *resolution) readTargets() error {
	g := r.find("targets")
	if g == nil || r.failed[g.flag] {
		return nil
	}
	var err error
	if r.targets == "-" && r.control {
		r.failed[g.flag] = true
		return &input.Error{Field: g.name, Got: "-", Want: "a file: with --control, standard input holds commands"}
	}
	if r.targets == "-" && r.stdin != nil {
		r.targets = "stdin"
		r.plan.Targets, err = plan.ParseTargets(r.targets, r.stdin)
	} else if f, opening := os.Open(r.targets); opening != nil {
		err = opening
	} else {
		defer f.Close()
		r.plan.Targets, err = plan.ParseTargets(r.targets, f)
	}
	if err == nil {
		return nil
	}
	r.failed[g.flag] = true
	if len(input.Errors(err)) == 0 { // reading failed, not what was read
		err = &input.Error{Field: g.name, Got: r.targets, Want: "a file that can be read: " + reason(err)}
	}
	return err
}

// readArguments makes targets of the URLs and paths given as arguments. A path is below the host of the flag, else of
// the URL that stands before it, or after it when none does, else of what else names a host.
func (r *resolution) readArguments() error {
	if len(r.arguments) == 0 {
		return r.needsArgument()
	}
	t := plan.Target{Method: r.method}
	if err := r.setData(&t); err != nil {
		r.failed["argument"], r.failed["targets"], r.failed["host"] = true, true, true
		return err
	}
	t.Method = cmp.Or(t.Method, http.MethodGet)
	beside := ""
	if h := r.find("host"); h == nil || h.level < byFlag {
		for _, text := range r.arguments {
			beside = cmp.Or(beside, plan.Origin(text))
		}
	}
	r.plan.Targets = nil
	var errs []error
	for _, text := range r.arguments {
		t.URL = plan.Trim(text)
		if err := r.checkArgument(t.URL); err != nil {
			r.failed["argument"], r.failed["targets"], r.failed["host"] = true, true, true
			errs = append(errs, err)
			continue
		}
		if beside != "" {
			beside = cmp.Or(plan.Origin(t.URL), beside)
			if strings.HasPrefix(t.URL, "/") {
				t.URL = beside + t.URL
			}
		}
		r.plan.Targets = append(r.plan.Targets, t)
	}
	return errors.Join(errs...)
}

// checkArgument is the error of an argument that is neither URL nor path, with what was probably meant.
func (r *resolution) checkArgument(text string) error {
	err := plan.CheckURL(text)
	for _, e := range input.Errors(err) {
		e.Field = "argument"
		if slices.Contains([]string{".js", ".lua", ".py", ".ts"}, filepath.Ext(text)) {
			e.Hint = "loadgen runs no scripts: requests are arguments, or lines of a file, -T FILE (docs/targets.md)"
		} else if _, failed := os.Stat(text); failed == nil {
			e.Hint = "a file of requests is --targets " + text
		} else if _, ok := near.Near(text, []string{plan.Embedded}); ok || text == plan.Embedded {
			e.Hint = "did you mean --host " + plan.Embedded + "?"
		}
	}
	return err
}

// setData gives a target the body of --data, as curl does: several are joined by &, and it is a form unless a header
// says what it is.
func (r *resolution) setData(t *plan.Target) error {
	if len(r.data) == 0 {
		return nil
	}
	t.Method = cmp.Or(t.Method, http.MethodPost)
	isFile := func(s string) bool { return strings.HasPrefix(s, "@") }
	if len(r.data) > 1 && slices.ContainsFunc(r.data, isFile) {
		r.failed["data"] = true
		return &input.Error{Field: "--data", Want: "one @FILE, or texts, which are joined by &"}
	}
	var err error
	if t.Body, err = plan.ParseBody(strings.Join(r.data, "&")); err != nil {
		return err
	}
	for name := range r.plan.Client.Header {
		if strings.EqualFold(name, contentType) {
			return nil
		}
	}
	t.Header = http.Header{contentType: {"application/x-www-form-urlencoded"}}
	if r.isJSON {
		t.Header = http.Header{contentType: {"application/json"}, "Accept": {"application/json"}}
	}
	return nil
}

const contentType = "Content-Type"

// needsArgument is the error of a flag about arguments where there are none; a variable is passed over.
func (r *resolution) needsArgument() error {
	var errs []error
	for _, flag := range []string{"method", "data", "json-data"} {
		g := r.find(flag)
		switch {
		case g == nil || r.failed[flag] || r.has("targets"): // which is said where rivals are settled
		case g.level < byFlag:
			r.notes = append(r.notes, g.name+" is not used: it is for URLs and paths given as arguments")
		default:
			errs = append(errs, &input.Error{Field: g.name, Got: g.texts[len(g.texts)-1],
				Want: "a URL or path as well, e.g. loadgen run -X POST http://localhost:8080/"})
		}
	}
	return errors.Join(errs...)
}

// needsRate is the error of a flag that shapes a rate where there is none.
func (r *resolution) needsRate(base plan.Model) error {
	if r.model != plan.Open || base == plan.Open || r.has("rate") {
		return nil
	}
	r.failed["rate"] = true
	for _, g := range r.kept {
		if modelOf(g.flag) == plan.Open {
			return &input.Error{Field: g.name, Got: g.texts[len(g.texts)-1], Want: "--rate as well, e.g. --rate 50"}
		}
	}
	return nil
}

// needsHost is the error of a run without an address, with something that works.
func (r *resolution) needsHost() error {
	path := func(t plan.Target) bool { return strings.HasPrefix(t.URL, "/") }
	if r.plan.Host != "" || r.failed["host"] || !slices.ContainsFunc(r.plan.Targets, path) {
		return nil
	}
	r.failed["host"] = true
	return &input.Error{
		Field: "--host",
		Want:  "want the URL of the service, e.g. loadgen run --host http://localhost:8080, or --host embedded to try it with an API in this process",
	}
}

// namedErrors are the errors of a plan, each field of which is named as the user knows it, but those of
// settings about which all is said.
func (r *resolution) namedErrors(err error) []error {
	fields := input.Errors(err)
	if err != nil && len(fields) == 0 {
		return []error{err}
	}
	var errs []error
	for _, f := range fields {
		if s, _ := settingIn(r.table, f.Field); s == nil || !r.failed[s.flag] {
			named := *f
			named.Field = r.nameOf(f.Field)
			errs = append(errs, &named)
		}
	}
	return errs
}

// settingIn is the setting that a field belongs to, and the rest of the field's name.
func settingIn(table []setting, field string) (*setting, string) {
	for i := range table {
		for _, prefix := range table[i].fields {
			rest, ok := strings.CutPrefix(field, prefix)
			if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return &table[i], rest
			}
		}
	}
	return nil, ""
}

// nameOf is what the user knows a field of the plan by: the flag or variable that set it, or its place in
// the plan file.
func (r *resolution) nameOf(field string) string {
	s, rest := settingIn(r.table, field)
	if s == nil {
		if strings.HasPrefix(field, "--") || strings.HasPrefix(field, "LOADGEN_") {
			return field // it is as typed, of what is in no plan
		}
		if r.planFile != "" && field != "" {
			return inFileName(r.planFile, field)
		}
		return field
	}
	g := r.find(s.flag)
	if s.flag == "targets" && r.has("argument") {
		g = r.find("argument")
		for _, flag := range []string{"data", "json-data"} {
			if strings.Contains(rest, "].body") && r.has(flag) {
				g, rest = r.find(flag), ""
			}
		}
	}
	switch {
	case g == nil && r.planFile != "":
		return inFileName(r.planFile, field)
	case g == nil:
		return "--" + s.flag
	case g.flag == "targets":
		return r.targets + ": " + field
	}
	rest = strings.TrimPrefix(rest, ".")
	if strings.HasPrefix(rest, "[") { // the text says which
		_, rest, _ = strings.Cut(rest, "]")
	}
	return joined(g.name, rest)
}

// purpose is what flags are for that mean nothing in other runs.
type purpose struct {
	run  string // the kind of run, as a note says it
	want string // what has to stand beside them
}

// unused is what is wrong with flags whose purpose this run has not. A variable or a file may serve many runs, so what comes
// from there is a note.
func (r *resolution) unused(p purpose, flags ...string) (errs []error) {
	for _, flag := range flags {
		g := r.find(flag)
		switch {
		case g == nil || r.failed[flag]:
		case g.level < byFlag:
			r.notes = append(r.notes, g.name+" is not used: it is for "+p.run)
		default:
			errs = append(errs, &input.Error{Field: g.name, Want: p.want})
		}
	}
	return errs
}
