package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/lab"
)

// autoCapacity is the value of --task-capacity that has it measured.
const autoCapacity = "auto"

// defaultObjective is what a task is to keep where nothing else was said.
const defaultObjective = "p(99)<200ms"

// capacitySetting is --task-capacity as `lab` has it: a number, or auto.
func capacitySetting(s setting) setting {
	number := s.set
	s.arg, s.help = "RPS|auto", "requests/s that one task can handle; auto measures it"
	s.set = func(o *options, texts []string) error {
		if len(texts) > 0 && strings.TrimSpace(texts[len(texts)-1]) == autoCapacity {
			o.service.measure = true
			return nil
		}
		err := number(o, texts)
		if e := (*input.Error)(nil); errors.As(err, &e) {
			e.Want += ", or " + autoCapacity
		}
		return err
	}
	return s
}

func objectiveSetting() setting {
	return setting{flag: "objective", arg: "EXPR", group: groupService, separators: "\n;", fields: []string{"objective"},
		help: "what a task must keep with auto; repeatable", byDefault: defaultObjective,
		set: each(checkedExpr, func(o *options, s []string) { o.service.objective = s })}
}

// perTask is what one task can do, as far as it is known: what was measured, else what was said; 0 is neither.
func (s *service) perTask() float64 {
	if s.measured > 0 {
		return s.measured
	}
	return s.taskCapacity
}

// measureTask finds out what one task can do within the objective, before the experiment, and says so. Its error is an
// ending.
func measureTask(ctx context.Context, env *env, r *resolution) (found string, err error) {
	s := &r.service
	if len(s.objective) == 0 {
		s.objective = []string{defaultObjective}
	}
	within := strings.Join(s.objective, " and ")
	config := r.labConfig()
	config.Scaling.Min, config.Scaling.Max, config.Chaos = 1, 1, nil
	config.Env, config.Guard = env.environ, env.guard
	env.plain("measuring what one task can do within %s", within)
	l, err := lab.Start(ctx, config)
	if err != nil {
		return "", labEnding(ctx, r, err)
	}
	defer l.Close()
	p := r.plan
	p.Host = l.URL()
	search := loadgen.Ceiling{
		Runner:    loadgen.Runner{Plan: p, Lookup: env.lookup, Judge: env.judge, Version: version},
		Objective: s.objective,
		Tell: func(t loadgen.Tried) {
			how := "holds"
			if !t.Held {
				how = "does not hold"
			}
			env.plain("  %s: %s (%s)", units.Rate(t.Rate), how, t.Detail)
		},
	}
	f, err := search.Search(ctx)
	switch {
	case ctx.Err() != nil:
		return "", &ending{exit.Interrupted.Status(), fmt.Errorf("%w while a task was measured", context.Cause(ctx))}
	case err != nil && len(l.Crashes()) > 0:
		return "", fmt.Errorf("--task-capacity auto: %s", l.Crashes()[0])
	case err != nil:
		if refused, ok := errors.AsType[*loadgen.InputError](err); ok {
			return "", usage(errors.Join(r.namedErrors(refused.Err)...))
		}
		return "", fmt.Errorf("--task-capacity auto: %w", err)
	}
	s.measured = f.Rate
	text := fmt.Sprintf("one task can do %s within %s, measured in %s before the load", units.Rate(f.Rate), within, units.Duration(f.Took.Round(time.Second)))
	if f.AtLeast {
		text += "; it may be more: " + f.Why
	}
	env.plain("%s", text)
	if r.expectsByDefault {
		r.expectByDefault()
	}
	return text, nil
}
