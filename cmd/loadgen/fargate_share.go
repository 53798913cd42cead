package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/result"
)

// inputsDir is where a task puts what its plan names: the same path in all tasks of a run, which keep it in their plans. An image
// without a folder for what is temporary has the one that it works in.
func inputsDir(url string) (string, error) {
	name := "loadgen-" + filepath.Base(url)
	dir := filepath.Join(os.TempDir(), name)
	if err := os.MkdirAll(dir, 0o755); err == nil {
		return dir, nil
	}
	return name, os.MkdirAll(name, 0o755)
}

// resolveShare makes of a task's share what `run` runs. Of the environment only what is not about the load counts: a task definition
// that says LOADGEN_USERS=50 would make as many times that as there are tasks.
func resolveShare(share *tasks.Share, dir string, variable func(string) (string, bool)) (*resolution, error) {
	data, err := json.Marshal(&share.Plan)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "plan-"+strconv.Itoa(share.Task)+".json")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return nil, err
	}
	table := runSettings()
	flags := map[string]*typed{}
	for i := range table {
		flags[table[i].flag] = &typed{}
	}
	flags["plan"] = &typed{texts: []string{file}, name: "plan"}
	return resolve(flags, ofTask(table, variable))
}

// ofTask are the variables that a task of a run reads: those of settings that are neither about the load nor about where its result goes
// nor about what the launcher does.
func ofTask(table []setting, variable func(string) (string, bool)) func(string) (string, bool) {
	launchers := []string{
		"out", "overwrite", "csv", "json", "control", "config", "plan", "start-at", "name", "tag", "s3", "watch", "watch-log", "expect", "recovery", "task-capacity",
		"method", "data", "json-data", "base-host", "start", "base-start", "restarts", "block", "fail-on", "min-effect", "strict",
	}
	passed := map[string]bool{}
	for i := range table {
		s := &table[i]
		isOfLoad := s.group == groupLoad || s.group == groupTargets || s.group == groupVerdict
		for _, name := range s.variables() {
			passed[name] = !isOfLoad && !slices.Contains(launchers, s.flag)
		}
	}
	return func(name string) (string, bool) {
		if ours := strings.HasPrefix(name, "LOADGEN_") || strings.HasPrefix(name, "LOCUST_"); ours && !passed[name] {
			return "", false
		}
		return variable(name)
	}
}

// openTask opens the result of a task of a run. Its folder has the task's own ID.
func (c *cloud) openTask(run store.Location, task int) (*result.Opened, error) {
	at := run.Below(tasks.ResultPrefix(task))
	fsys, err := c.folder(at.String())
	if err != nil {
		return nil, err
	}
	ids := runsIn(fsys)
	if len(ids) == 0 {
		return nil, errors.New("nothing is in " + at.String())
	}
	o, err := c.open(at.Below(ids[len(ids)-1]).String())
	if err == nil {
		o.Dir = fmt.Sprintf("task %d", task)
	}
	return o, err
}
