package main

import (
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/publish"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const groupPublish = "CloudWatch"

// publishing is what was said of metrics for CloudWatch.
type publishing struct {
	publish.Config
	cloudwatch, emf, dryRun bool
}

// publishSettings is the table of what a run publishes while it goes on. The costs are those of two endpoints; a test
// compares them with what --cloudwatch-dry-run says.
func publishSettings() []setting {
	return []setting{
		{flag: "cloudwatch", group: groupPublish,
			help: "publish metrics; for 2 endpoints about $0.010 per hour",
			set:  one(parseSwitch, func(o *options, on bool) { o.publish.cloudwatch = on })},
		{flag: "cloudwatch-namespace", arg: "NS", group: groupPublish,
			help: "namespace of the metrics", byDefault: publish.DefaultNamespace,
			set: one(publish.ParseNamespace, func(o *options, s string) { o.publish.Namespace = s })},
		{flag: "cloudwatch-resolution", arg: "60|1", group: groupPublish,
			help: "seconds per data point; 1: about $0.016 per hour", byDefault: "60",
			set: one(publish.ParseResolution, func(o *options, d time.Duration) { o.publish.Resolution = d })},
		{flag: "cloudwatch-run", group: groupPublish,
			help: "metrics of each run apart as well: about $0.004 more",
			set:  one(parseSwitch, func(o *options, on bool) { o.publish.Run = on })},
		{flag: "cloudwatch-dry-run", group: groupPublish,
			help: "print what would be published and its cost; send nothing",
			set:  one(parseSwitch, func(o *options, on bool) { o.publish.dryRun = on })},
		{flag: "emf", group: groupPublish,
			help: "instead: EMF lines on stdout, for logs; about $0.007 per hour",
			set:  one(parseSwitch, func(o *options, on bool) { o.publish.emf = on })},
		{flag: "service", arg: "NAME", group: groupPublish,
			help: "name of the service in the metrics", byDefault: "--name or host",
			set: one(publish.ParseService, func(o *options, s string) { o.publish.Service = s })},
	}
}

// isOff reports whether a switch was given to say no. One that rivals others must not win or lose against them then.
func isOff(g *given) bool {
	if !slices.Contains([]string{"quick", "emf", "cloudwatch", "cloudwatch-dry-run", "json"}, g.flag) {
		return false
	}
	on, err := parseSwitch(g.texts[len(g.texts)-1])
	return err == nil && !on
}

// completePublishing is what is wrong with what was said of metrics.
func (r *resolution) completePublishing() []error {
	p := &r.publish
	// The first of tasks that start together knows no more than any other of what all of them measure.
	p.Several = r.has("start-at")
	if p.cloudwatch || p.emf || p.dryRun {
		return nil
	}
	var errs []error
	for _, flag := range []string{"cloudwatch-namespace", "cloudwatch-resolution", "cloudwatch-run"} {
		// A variable may be set once for runs of which some publish.
		if g := r.find(flag); g != nil && g.level == byFlag && !r.failed[flag] {
			errs = append(errs, &input.Error{Field: g.name, Want: "want --cloudwatch or --emf beside it: it is about what they publish"})
		}
	}
	return errs
}

// publishers are the sinks that publish. An error is of what was given.
func (l *launch) publishers() ([]result.Sink, error) {
	p := l.r.publish
	p.Several = p.Several || l.held != nil // somebody starts it together with others
	if p.emf {
		return []result.Sink{&publish.EMF{Config: p.Config, Out: l.env.stdout}}, nil
	}
	if !p.cloudwatch {
		return nil, nil
	}
	name := l.r.find("cloudwatch").name
	conf, err := session.Load(l.ctx, session.Options{Version: buildOf(version, debug.ReadBuildInfo).version})
	if e, ok := errors.AsType[*session.Error](err); ok {
		err = &input.Error{Field: name, Want: e.Error(), Hint: e.Hint}
	}
	if err != nil {
		return nil, err
	}
	sink := publish.NewCloudWatch(p.Config, conf)
	sink.Name = name
	sink.Say = func(text string) { l.plain.say("note: %s: %s", name, text) }
	return []result.Sink{sink}, nil
}

// forecast prints what a run would publish.
func (e *env) forecast(r *resolution) error {
	base := ""
	if r.plan.Host == plan.Embedded {
		base = "http://" + plan.Embedded
	}
	ready, err := r.plan.Prepare(base, e.lookup)
	if err != nil {
		return usage(errors.Join(r.namedErrors(err)...))
	}
	f := publish.NewForecast(r.publish.Config, &result.Meta{Plan: r.plan.Redacted(), Endpoints: ready.Endpoints}, r.publish.emf)
	return f.Write(e.stdout)
}
