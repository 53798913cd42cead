package tasks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
)

// Part is one task's side of a run.
type Part struct {
	Store store.Objects
	Task  int // counted from 1
	// Host names the machine, for people.
	Host string
	// Poll is how often start.json is looked for; 0 is a second.
	Poll time.Duration
	// Patience is how long it is looked for; 0 is ten minutes, twice as long as a launcher waits for its tasks.
	Patience time.Duration
}

// The defaults of Part.
const (
	partPoll     = time.Second
	partPatience = 10 * time.Minute
)

// Fetch reads the task's share of the load, and puts the files that its plan names into a directory, which is made: the same
// path in every task, because a plan keeps it.
func (p *Part) Fetch(ctx context.Context, dir string) (*Share, error) {
	var share Share
	ok, err := get(ctx, p.Store, keyShare(p.Task), &share)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("%s is not there: want the URL of a run, and a task of it", keyShare(p.Task))
	case share.Schema != schema:
		return nil, fmt.Errorf("%s has schema %q, want %s: the image is of another version than the launcher", keyShare(p.Task), share.Schema, schema)
	}
	for _, name := range filesOf(&share.Plan) {
		if *name, err = p.fetchFile(ctx, dir, *name, share.Files[*name]); err != nil {
			return nil, err
		}
	}
	return &share, nil
}

// fetchFile puts one file into the directory and returns its path.
func (p *Part) fetchFile(ctx context.Context, dir, name, sum string) (string, error) {
	data, err := store.Read(ctx, p.Store, keyFile(sum), maxDocument)
	if err != nil {
		return "", fmt.Errorf("%s, which the plan names: %w", name, err)
	}
	if got := digest(data); got != sum {
		return "", fmt.Errorf("%s: has digest %s, want %s", name, got, sum)
	}
	path := pathOf(dir, name, sum)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	// Tasks on one machine may write the same file at a time.
	temp, err := os.CreateTemp(filepath.Dir(path), ".*")
	if err != nil {
		return "", err
	}
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Close()); err != nil {
		return "", err
	}
	return path, os.Rename(temp.Name(), path)
}

// pathOf is where a task has a file.
func pathOf(dir, name, sum string) string { return filepath.Join(dir, sum[:12], filepath.Base(name)) }

// Hold is the [loadgen.Runner.Hold] of the task: it says that the task is ready, waits until the launcher has given the instant of
// the start, and for that. A start that has passed is a [*loadgen.LateError].
func (p *Part) Hold(offset time.Duration) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := put(ctx, p.Store, keyReady(p.Task), ready{Host: p.Host, Now: time.Now().UTC()}); err != nil {
			return cause(ctx, err)
		}
		patience := orDefault(p.Patience, partPatience)
		deadline := time.NewTimer(patience)
		defer deadline.Stop()
		poll := time.NewTicker(orDefault(p.Poll, partPoll))
		defer poll.Stop()
		var last error
		for {
			var s start
			switch ok, err := get(ctx, p.Store, keyStart, &s); {
			case err != nil:
				last = err
			case ok:
				return loadgen.StartAt(s.At.Add(offset))(ctx)
			}
			select {
			case <-poll.C:
			case <-deadline.C:
				if last != nil {
					return fmt.Errorf("no start was given within %v: %w", patience, last)
				}
				return fmt.Errorf("no start was given within %v: the launcher is gone, or other tasks never were ready", patience)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// cause is why a call failed: that ctx ended, if it did.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func orDefault(d, byDefault time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return byDefault
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// filesOf are the names of the files that a plan names, each to be read or replaced.
func filesOf(p *plan.Plan) (all []*string) {
	name := func(s *string) {
		if *s != "" {
			all = append(all, s)
		}
	}
	name(&p.Client.CAFile)
	name(&p.Client.Body.File)
	for i := range p.Targets {
		name(&p.Targets[i].Body.File)
	}
	return all
}
