package main

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// each reads all of the texts and says what is wrong with any.
func each[T any](parse func(string) (T, error), put func(*options, []T)) func(*options, []string) error {
	return func(o *options, texts []string) error {
		var values []T
		var errs []error
		for _, t := range texts {
			value, err := parse(t)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			values = append(values, value)
		}
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		put(o, values)
		return nil
	}
}

func parseText(s string) (string, error) {
	if s == "" {
		return "", input.Refuse(s, "a value")
	}
	return s, nil
}

func parseCount(s string) (int, error) {
	n, ok := input.Whole(s)
	if !ok {
		return 0, input.Refuse(s, "a whole number, e.g. 50")
	}
	return n, nil
}

// parseUsers also knows what curl takes with -u.
func parseUsers(s string) (int, error) {
	n, err := parseCount(s)
	if err != nil && strings.Contains(s, ":") {
		return 0, &input.Error{Want: "want a number of users; a user and a password go into --header 'Authorization: Basic ${CREDENTIALS}', or http://USER:PASSWORD@HOST"} // s may be a secret
	}
	return n, err
}

func parseNumber(s string) (float64, error) {
	n, ok := input.Number(s)
	if !ok {
		return 0, input.Refuse(s, "a number, e.g. 5 or 0.5")
	}
	return n, nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, input.Refuse(s, "a whole number from 0 to 2^53-1")
	}
	return n, nil
}

// inUnits is parse for durations of which one is as likely to mean milliseconds as seconds: a bare number is refused,
// with both readings. 0 needs no unit.
func inUnits[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (T, error) {
		read, other := "", ""
		for part := range strings.SplitSeq(s, "..") {
			part = strings.TrimSpace(part)
			if n, err := strconv.ParseFloat(part, 64); err != nil || n == 0 {
				read, other = read+".."+part, other+".."+part
				continue
			}
			read, other = read+".."+part+"s", other+".."+part+"ms"
		}
		if read != other {
			var none T
			return none, input.Refuse(s, "a unit: "+read[2:]+" or "+other[2:])
		}
		return parse(s)
	}
}

func parsePacing(s string) (plan.Duration, error) {
	d, err := plan.ParseDuration(s)
	if err == nil && d == 0 {
		return 0, input.Refuse(s, "a duration above 0, e.g. 1s; for users that never pause --think 0")
	}
	return d, err
}

func parseArrivals(s string) (plan.Arrivals, error) {
	a := plan.Arrivals(strings.ToLower(strings.TrimSpace(s)))
	if a != plan.Uniform && a != plan.Poisson {
		return "", input.Refuse(s, "uniform or poisson")
	}
	return a, nil
}

const wantSwitch = "true or false, 1 or 0"

func parseSwitch(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, input.Refuse(s, wantSwitch)
}

func parseMethod(s string) (string, error) {
	if !plan.IsMethod(s) {
		return "", input.Refuse(s, "an HTTP method, e.g. POST")
	}
	return s, nil
}

// dataUnless reads a body, and refuses what is probably meant as another tool's -d, which is a duration; duration is the
// flag for that.
func dataUnless(duration string) func(s string) (string, error) {
	return func(s string) (string, error) {
		if d, err := plan.ParseDuration(s); err == nil && d > 0 && strings.ContainsAny(s, "hms") {
			return "", input.Refuse(s, "a body; a duration is "+duration+" "+strings.TrimSpace(s))
		}
		if s == "@" {
			return "", input.Refuse(s, "@FILE or the body itself")
		}
		return s, nil
	}
}

// headerOfHost tells a header from a host: curl and hey have -H for it.
func headerOfHost(s string) string {
	name, value, found := strings.Cut(strings.TrimSpace(s), ":")
	if found && plan.IsMethod(name) && value != "" && !strings.ContainsAny(value[:1], "/0123456789") {
		return "header"
	}
	return ""
}

// dataOfJSON tells a body from a switch: curl has --json for it.
func dataOfJSON(s string) string {
	if s != "" && strings.ContainsAny(s[:1], `{["@`) {
		return "json-data"
	}
	return ""
}

type header struct{ name, value string }

func parseHeader(s string) (header, error) {
	name, value, err := plan.ParseHeader(s)
	return header{name, value}, err
}

// setHeaders replaces those of the plan file that have the same name, in any case, and keeps its others.
func setHeaders(o *options, headers []header) {
	h := o.plan.Client.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	for _, each := range headers {
		maps.DeleteFunc(h, func(name string, _ []string) bool { return strings.EqualFold(name, each.name) })
	}
	for _, each := range headers {
		h[each.name] = append(h[each.name], each.value)
	}
	o.plan.Client.Header = h
}

type tag struct{ key, value string }

func parseTag(s string) (tag, error) {
	key, value, found := strings.Cut(s, "=")
	if key = strings.TrimSpace(key); !found || key == "" {
		return tag{}, input.Refuse(s, "KEY=VALUE, e.g. commit=4e1f09")
	}
	return tag{key, strings.TrimSpace(value)}, nil
}

// setTags adds to the tags of the plan file.
func setTags(o *options, tags []tag) {
	all := maps.Clone(o.plan.Tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range tags {
		all[t.key] = t.value
	}
	o.plan.Tags = all
}
