package plan

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"scalableappbackend/internal/input"
)

// Validate returns everything that keeps the plan from running, as joined input errors whose fields
// are JSON paths in the plan. Not checked are what only [Plan.Prepare] can know (references, files)
// and the syntax of thresholds, which package gate knows.
func (p *Plan) Validate() error {
	var f faults
	p.checkProfile(&f)
	p.checkWarmUp(&f)
	if len(f) == 0 {
		p.checkEdits(&f)
	}
	if len(f) == 0 {
		p.checkAnythingDue(&f)
	}
	p.checkHost(&f)
	p.checkTargets(&f)
	p.checkClient(&f)
	f.check(p.StopTimeout >= 0, "stop_timeout", p.StopTimeout, "a duration that is not negative")
	f.check(p.Seed <= MaxSeed, "seed", p.Seed, "a whole number below 2^53")
	if code := p.ExitCodeOnError; code != nil {
		f.check(0 <= *code && *code <= MaxExitCode, "exit_code_on_error", *code, "0 to 125")
	}
	if _, empty := p.Tags[""]; empty {
		f.say("tags", "a tag needs a key: KEY=VALUE")
	}
	return f.err()
}

// faults collects errors.
type faults []error

func (f *faults) err() error { return errors.Join(*f...) }

func (f *faults) add(field string, e *input.Error) {
	if e != nil {
		*f = append(*f, e.Below(field))
	}
}

// say adds a whole statement about a field.
func (f *faults) say(field, statement string) {
	f.add(field, &input.Error{Want: statement})
}

// check adds an error unless ok.
func (f *faults) check(ok bool, field string, got any, want string) {
	if !ok {
		f.add(field, input.Refuse(fmt.Sprint(got), want))
	}
}

// absent adds an error when a field is set that does not go with others.
func (f *faults) absent(isSet bool, field, statement string) {
	if isSet {
		f.say(field, statement)
	}
}

// checkProfile checks what is sent when.
func (p *Plan) checkProfile(f *faults) {
	switch p.Model {
	case Closed:
		p.checkClosed(f)
	case Open:
		p.checkOpen(f)
	case Bench:
		p.checkBench(f)
	default:
		f.check(false, "model", p.Model, "closed, open or bench")
		return
	}
	f.absent(p.Requests != 0 && p.Model != Bench, "requests", "is for a bench: a load of users or a rate ends by time")
	if len(p.Stages) > 0 {
		p.checkStages(f)
		return
	}
	f.check(p.RunTime > 0, "run_time", p.RunTime, "a duration above 0")
	f.check(p.RunTime <= MaxRunTime, "run_time", p.RunTime, "at most "+MaxRunTime.String())
}

func (p *Plan) checkWarmUp(f *faults) {
	switch length := p.Unedited().Length(); {
	case p.WarmUp < 0:
		f.check(false, "warm_up", p.WarmUp, "a duration that is not negative")
	case p.WarmUp > 0 && length > 0 && time.Duration(p.WarmUp) >= length: // a length of 0 is told elsewhere
		f.check(false, "warm_up", p.WarmUp, "less than the "+Duration(length).String()+" of the load, of which it is the first part")
	}
}

func (p *Plan) checkClosed(f *faults) {
	const other = "does not go with users (the closed model)"
	f.absent(p.Rate != Rate{}, "rate", other)
	f.absent(p.Arrivals != "", "arrivals", other)
	f.absent(p.MaxInFlight != 0, "max_in_flight", other)

	if len(p.Stages) > 0 {
		f.check(0 <= p.Users && p.Users <= MaxUsers, "users", p.Users, "0 to 1,000,000")
		f.absent(p.SpawnRate != 0, "spawn_rate", "does not go with stages: they say how users are started")
	} else {
		f.check(1 <= p.Users && p.Users <= MaxUsers, "users", p.Users, "1 to 1,000,000")
		f.check(0 < p.SpawnRate && p.SpawnRate <= MaxRate,
			"spawn_rate", formatNumber(p.SpawnRate), "users per second, above 0, at most 1,000,000")
	}
	f.check(p.Pacing >= 0, "pacing", p.Pacing, "a duration above 0")
	f.absent(p.Pacing != 0 && p.Think != Range{}, "think", "does not go with pacing: give one of them")
	f.check(0 <= p.Think.Min && p.Think.Min <= p.Think.Max,
		"think", p.Think, "MIN..MAX with MIN not above MAX, none negative")
}

func (p *Plan) checkBench(f *faults) {
	const other = "does not go with a bench, which sends as fast as it can"
	f.absent(p.Rate != Rate{}, "rate", other)
	f.absent(p.Arrivals != "", "arrivals", other)
	f.absent(p.MaxInFlight != 0, "max_in_flight", other)
	f.absent(p.SpawnRate != 0, "spawn_rate", other)
	f.absent(p.Think != Range{}, "think", other)
	f.absent(p.Pacing != 0, "pacing", other)
	f.absent(len(p.Stages) > 0, "stages", other)
	f.check(1 <= p.Users && p.Users <= MaxUsers, "users", p.Users, "1 to 1,000,000 connections")
	f.check(0 <= p.Requests, "requests", p.Requests, "1 or more, or 0 for as many as the run time allows")
}

func (p *Plan) checkOpen(f *faults) {
	const other = "does not go with a rate (the open model)"
	f.absent(p.Users != 0, "users", other)
	f.absent(p.SpawnRate != 0, "spawn_rate", other)
	f.absent(p.Think != Range{}, "think", other)
	f.absent(p.Pacing != 0, "pacing", other)

	perSecond := p.Rate.PerSecond()
	switch {
	case p.Rate.Per < 0 || !(p.Rate.N >= 0) || math.IsInf(p.Rate.N, 0):
		f.check(false, "rate", p.Rate, wantRate)
	case perSecond == 0 && len(p.Stages) == 0:
		f.check(false, "rate", p.Rate, "more than 0 requests per second; 0 is a start for stages")
	default:
		f.check(perSecond <= MaxRate, "rate", p.Rate, wantMaxRate)
	}
	f.check(p.Arrivals == Uniform || p.Arrivals == Poisson, "arrivals", p.Arrivals, "uniform or poisson")
	f.check(1 <= p.MaxInFlight && p.MaxInFlight <= MaxUsers, "max_in_flight", p.MaxInFlight, "1 to 1,000,000")
}

func (p *Plan) checkStages(f *faults) {
	f.absent(p.RunTime != 0, "run_time", "does not go with stages: they are the run time")
	if len(p.Stages) > MaxStages {
		f.check(false, "stages", strconv.Itoa(len(p.Stages))+" stages", "at most 1,000")
		return
	}
	before := len(*f)
	var sum Duration
	for i, s := range p.Stages {
		field := fmt.Sprintf("stages[%d]", i)
		f.check(0 <= s.Duration && s.Duration <= MaxRunTime, field, s, "a duration from 0 to "+MaxRunTime.String())
		switch {
		case p.Model == Open:
			f.check(0 <= s.To && s.To <= MaxRate, field, s, "0 to 1,000,000 requests per second")
		default:
			f.check(0 <= s.To && s.To <= MaxUsers && s.To == math.Trunc(s.To),
				field, s, "a whole number of users, 0 to 1,000,000")
		}
		sum += s.Duration
	}
	if len(*f) > before {
		return // each is said; the sum of such stages means nothing
	}
	switch {
	case sum == 0:
		f.say("stages", "at least one must take time: DURATION:NUMBER with a duration above 0")
	case sum > MaxRunTime:
		f.check(false, "stages", sum, "at most "+MaxRunTime.String()+" in all")
	case p.Rate.N >= 0 && p.Users >= 0 && p.curve().total == 0:
		f.say("stages", "all at 0: nothing would be sent")
	}
}

// checkAnythingDue refuses a profile under which chance has nothing to be sent: the first of few random arrivals may
// come after the end.
func (p *Plan) checkAnythingDue(f *faults) {
	if p.Model != Open {
		return // the first user joins where the curve leaves 0, and is due at once
	}
	c := p.Curve()
	if _, ok := NewDue(c, p.Arrivals, p.Seed).Next(); ok {
		return
	}
	field := "rate"
	if len(p.Stages) > 0 {
		field = "stages"
	}
	f.add(field, &input.Error{
		Want: fmt.Sprintf("nothing is due: %.3g requests are to be expected in %s, and with seed %d the first comes after the end", c.total, c.End(), p.Seed),
		Hint: "a higher rate, a longer time, or uniform arrivals",
	})
}

func (p *Plan) checkHost(f *faults) {
	if p.Host != "" {
		f.add("host", checkHost(p.Host))
		if wasRedacted(p.Host) {
			f.say("host", wasKept+"--host")
		}
		return
	}
	for _, t := range p.Targets {
		if strings.HasPrefix(Trim(t.URL), "/") {
			f.add("host", &input.Error{
				Want: "needed for targets that are paths, such as " + input.Quote(RedactURL(t.URL)),
				Hint: "give a base URL, e.g. http://localhost:8080, or " + Embedded + " for the API in this process",
			})
			return
		}
	}
}

// wasKept is completed with the flag that gives the value again.
const wasKept = "was redacted when the plan was kept: give it again with "

func (p *Plan) checkTargets(f *faults) {
	if len(p.Targets) == 0 {
		f.say("targets", "at least one is needed")
	}
	for i, t := range p.Targets {
		field := fmt.Sprintf("targets[%d]", i)
		f.check(IsMethod(t.Method), field+".method", t.Method, "an HTTP method, e.g. GET")
		f.add(field+".url", checkURL(t.URL))
		if wasRedacted(t.URL) {
			f.say(field+".url", wasKept+"--targets")
		}
		f.check(0 <= t.Weight && t.Weight <= MaxWeight, field+".weight", t.Weight, "1 to 1,000,000")
		for j, s := range t.Expect {
			f.check(s.valid(), fmt.Sprintf("%s.expect[%d]", field, j), s, wantStatus)
		}
		if t.ExpectBody != "" {
			f.add(field+".expect_body", checkExpectBody(t.ExpectBody, t.Method))
		}
		checkHeaders(f, field+".header", t.Header)
		checkNotRedacted(f, field+".header", t.Header, p.Client.Header)
		checkBody(f, field+".body", t.Body)
	}
}

// IsMethod reports whether a method is a token, as RFC 9110 §9.1 has it.
func IsMethod(method string) bool {
	return method != "" && strings.IndexFunc(method, func(r rune) bool { return !httpguts.IsTokenRune(r) }) < 0
}

func checkHeaders(f *faults, field string, h http.Header) {
	for name, values := range h {
		for i := range max(1, len(values)) {
			if checkHeader(name, valueAt(values, i)) != nil {
				sayHeaders(f, field, h)
				return
			}
		}
	}
}

// valueAt is the value of a header, empty when it has none.
func valueAt(values []string, i int) string {
	if i >= len(values) {
		return ""
	}
	return values[i]
}

// sayHeaders is checkHeaders in order of names: most headers are right, and sorting costs more than looking.
func sayHeaders(f *faults, field string, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for i := range max(1, len(h[name])) {
			f.add(field, checkHeader(name, valueAt(h[name], i)))
		}
	}
}

// checkNotRedacted refuses a header whose value is gone, unless instead holds one of the same name.
func checkNotRedacted(f *faults, field string, h, instead http.Header) {
	var gone []string
	for name, values := range h {
		if isRedacted(name, values) && !hasHeader(instead, name) {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	for _, name := range gone {
		f.say(field+"."+name, wasKept+strconv.Quote("--header "+name+": …"))
	}
}

// MaxExpectBody is the longest text that a body may be expected to hold, in bytes.
const MaxExpectBody = 64 << 10

// checkExpectBody says what is wrong with a text that the body of an answer must hold; nil when nothing is.
func checkExpectBody(text, method string) *input.Error {
	switch {
	case text == "":
		return input.Refuse("", "a text that is in each right answer")
	case len(text) > MaxExpectBody:
		return input.Refuse(text, "at most 64 KiB")
	case method == http.MethodHead:
		return input.Refuse(text, "another method: the answer to HEAD has no body")
	}
	return nil
}

func checkBody(f *faults, field string, b Body) {
	if len(b.Inline) > 0 && b.File != "" {
		f.say(field, "inline and file do not go together: give one of them")
	}
}

func (p *Plan) checkClient(f *faults) {
	c := &p.Client
	checkHeaders(f, "client.header", c.Header)
	checkNotRedacted(f, "client.header", c.Header, nil)
	checkBody(f, "client.body", c.Body)
	f.check(c.Timeout > 0, "client.timeout", c.Timeout, "a duration above 0")
	f.check(c.ConnectionMaxAge >= 0, "client.connection_max_age", c.ConnectionMaxAge, "a duration that is not negative")
	f.check(0 <= c.MaxHops() && c.MaxHops() <= MaxRedirects, "client.redirects", c.MaxHops(), "0 to 10; 0 takes the redirect as the answer")
	for i, r := range c.Resolve {
		f.check(r.valid(), fmt.Sprintf("client.resolve[%d]", i), r, wantResolve)
	}
	f.check(c.MaxBody > 0, "client.max_body", c.MaxBody, "a size above 0")
	p.checkTraces(f)
}
