package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"scalableappbackend/internal/mounts"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
)

// anonymous is the root of a volume that has no name, as Docker and Podman lay them out.
var anonymous = regexp.MustCompile(`/volumes/[0-9a-f]{64}/_data$`)

// noteOfPlace says that a result in dir will be lost with the container that the program runs in, and how to keep it; "" when
// it will not, or when nothing is known of it. The mounts are the process's own.
func noteOfPlace(all []mounts.Mount, inContainer bool, dir string) string {
	m, ok := mounts.Holding(all, filepath.ToSlash(dir))
	if !ok || !inContainer {
		return ""
	}
	where, at := "", m.Point
	switch {
	case anonymous.MatchString(m.Root):
		where = "on an anonymous volume"
	case m.FSType == "tmpfs":
		where = "in memory (tmpfs)"
	case m.Point == "/":
		where, at = "in the container's own file system", filepath.ToSlash(dir)
	default:
		return ""
	}
	return fmt.Sprintf("the result will be %s and is lost with the container; keep it with docker run -v results:%s", where, at)
}

// inContainer reports whether this process is what a container was started for: its first process, or a child of that one.
// A program that is typed into a shell of a container for work, hours later, is neither. Docker and Podman leave a file that says
// what a container is, and others show by an overlay as the root.
func inContainer(all []mounts.Mount) bool {
	if os.Getpid() != 1 && os.Getppid() != 1 {
		return false
	}
	for _, name := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	root, _ := mounts.Holding(all, "/")
	return strings.Contains(root.FSType, "overlay")
}

// killedAfter is how long after the request to stop Fargate kills a task, unless its definition says otherwise.
const killedAfter = 30 * time.Second

// noteOfKill says that a drain of this length may not end before the task is killed; "" when it does.
func noteOfKill(drain time.Duration, inS3 bool) string {
	rest := result.CloseTimeout + 2*time.Second
	if inS3 {
		rest += interruptedTimeout
	}
	if drain+rest <= killedAfter {
		return ""
	}
	return fmt.Sprintf("Fargate kills a task %s after it was told to stop, and this one may take %s, %s of it the drain: set --stop-timeout to at most %s, or the definition's stopTimeout to at least %d",
		units.Duration(killedAfter), units.Duration(drain+rest), units.Duration(drain), units.Duration(killedAfter-rest), int64((drain+rest+time.Second-1)/time.Second))
}

// notesOfPlace are notes on where the result goes: of a directory as --out names it, empty for the default.
func notesOfPlace(out string) []string {
	if out == outNone {
		return nil
	}
	dir := ""
	if out != "" {
		dir = filepath.Dir(out)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	all := ownMounts()
	if note := noteOfPlace(all, inContainer(all), dir); note != "" {
		return []string{note}
	}
	return nil
}

// hintOfOwner says whose a directory is that cannot be written to, or the nearest one above it; "" when that is not why.
func hintOfOwner(err error, dir string) string {
	dir, bad := filepath.Abs(dir)
	if !errors.Is(err, fs.ErrPermission) || bad != nil {
		return ""
	}
	owner, user, ok := ownerOf(dir)
	for !ok && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		owner, user, ok = ownerOf(dir)
	}
	if !ok || owner == user {
		return ""
	}
	hint := fmt.Sprintf("%s belongs to user %d, and loadgen runs as user %d", dir, owner, user)
	if inContainer(ownMounts()) {
		hint += `; run mkdir -p results, then docker run --user "$(id -u):$(id -g)" -v "$PWD/results:/results" and so on`
	}
	return hint
}

// ownMounts are this process's; none where the system has no such table.
func ownMounts() []mounts.Mount {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return mounts.Parse(string(table))
}
