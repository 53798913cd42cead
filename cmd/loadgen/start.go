package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/plan"
)

// startSettings are what `run` can be told of its start.
func startSettings() []setting {
	return []setting{
		{flag: "start-at", arg: "TIME", group: groupLoad,
			help: "wait until TIME, e.g. 2026-11-28T15:04:05Z, to start several at once",
			set:  one(parseTime, func(o *options, t time.Time) { o.startAt = t })},
	}
}

// parseTime reads an instant of RFC 3339: one without a zone would be another instant on another machine.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, plan.Trim(s))
	if err != nil {
		return time.Time{}, input.Refuse(s, "an instant with its zone (RFC 3339), e.g. 2026-11-28T15:04:05Z")
	}
	return t, nil
}

// hold is what the run waits for when it is ready; nil for nothing.
func (l *launch) hold() func(context.Context) error {
	at := l.r.startAt
	switch {
	case l.held != nil:
		return l.held
	case at.IsZero():
		return nil
	}
	return func(ctx context.Context) error {
		if wait := time.Until(at); wait > 0 {
			l.plain.plain("ready; the start is at %s, in %s", at.UTC().Format(time.RFC3339), plan.Duration(wait.Round(time.Second)))
		}
		return loadgen.StartAt(at)(ctx)
	}
}

// heldError is the ending of a run that did not start, though nothing was wrong with what was given; nil when something was.
func (l *launch) heldError(err error) error {
	late, isLate := errors.AsType[*loadgen.LateError](err)
	switch {
	case isLate && l.held == nil:
		return &ending{exit.RunError.Status(), fmt.Errorf("%s: %w", l.r.find("start-at").name, late)}
	case isLate || l.held != nil && l.ctx.Err() == nil:
		return &ending{exit.RunError.Status(), err}
	case l.hold() != nil && l.ctx.Err() != nil:
		return &ending{exit.Interrupted.Status(), errors.New("stopped before the start: nothing was sent")}
	}
	return nil
}
