package validity

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/mounts"
	"scalableappbackend/loadgen/result"
)

// cgroupLimits is what the control groups that the process is in, and that it can see, allow.
type cgroupLimits struct {
	cpu    cpuLimit       // +Inf without one
	memory result.Reading // unknown when no group could be looked at
	unread []string
}

// hierarchy is the way from the process's own group up to the highest one that is visible.
type hierarchy struct {
	version int      // 1 or 2
	dirs    []string // below the root, the process's own group first
}

// readCgroupLimits takes the smallest limit on the way up. A limit of a parent holds for its
// children; ECS, for one, sets a task's quota on the parent of the container's group and leaves
// that unlimited (uber-go/automaxprocs#66), and so the Go runtime, which reads one level, does not
// see it (golang/go#81180).
func readCgroupLimits(root string) cgroupLimits {
	limits := cgroupLimits{cpu: cpuLimit{cpus: math.Inf(1)}, memory: result.Unknown()}
	groups, err := readCgroups(root)
	if err != nil {
		limits.unread = []string{"cgroup: " + plainError(err)}
		return limits
	}

	if h, ok := groups.find("cpu"); ok {
		limits.cpu.source = h.name()
		for _, dir := range h.dirs {
			cpus, err := h.cpuLimit(root, dir)
			if err != nil {
				limits.unread = append(limits.unread, h.name()+" CPU quota: "+plainError(err))
			}
			limits.cpu.cpus = min(limits.cpu.cpus, cpus)
		}
	}
	if h, ok := groups.find("memory"); ok {
		limits.memory = noLimit()
		for _, dir := range h.dirs {
			limits.memory = smaller(limits.memory, h.memoryLimit(root, dir))
		}
	}
	return limits
}

func (h hierarchy) name() string {
	if h.version == 1 {
		return SourceCgroup1
	}
	return SourceCgroup2
}

// cpuLimit is the quota of one group in CPUs, +Inf when it has none: a group without the file has
// no quota, because the controller is off there or it is the root of all groups.
func (h hierarchy) cpuLimit(root, dir string) (float64, error) {
	var quota, period string
	if h.version == 1 {
		var err1, err2 error
		quota, err1 = readField(root, dir, "cpu.cfs_quota_us")
		period, err2 = readField(root, dir, "cpu.cfs_period_us")
		if err := errors.Join(err1, err2); err != nil {
			return noQuota(err)
		}
	} else {
		both, err := readField(root, dir, "cpu.max")
		if err != nil {
			return noQuota(err)
		}
		quota, period, _ = strings.Cut(both, " ")
	}
	return parseQuota(quota, period)
}

func noQuota(err error) (float64, error) {
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return math.Inf(1), err
}

// parseQuota divides a quota by its period, both in microseconds. "max" (v2) and negative
// quotas (v1) are none.
func parseQuota(quota, period string) (float64, error) {
	if quota == "max" {
		return math.Inf(1), nil
	}
	q, err1 := strconv.ParseInt(quota, 10, 64)
	p, err2 := strconv.ParseInt(period, 10, 64)
	switch {
	case err1 != nil:
		return math.Inf(1), errors.New("not a quota")
	case q < 0:
		return math.Inf(1), nil
	case err2 != nil || p <= 0 || q == 0:
		return math.Inf(1), errors.New("not a quota")
	}
	return float64(q) / float64(p), nil
}

// memoryLimit is the limit of one group in bytes. No rule rests on it, so that a limit that cannot
// be read counts as none.
func (h hierarchy) memoryLimit(root, dir string) result.Reading {
	name := "memory.max"
	if h.version == 1 {
		name = "memory.limit_in_bytes"
	}
	text, err := readField(root, dir, name)
	if err != nil {
		return noLimit()
	}
	// v1 says "none" as the largest multiple of the page size below 2^63.
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n >= 1<<62 {
		return noLimit()
	}
	return result.Reading(n)
}

// cgroups is what /proc says of the groups of this process and where they are mounted.
type cgroups struct {
	memberships []membership
	mounts      []mounts.Mount
	exists      func(dir string) bool
}

// readCgroups reads both tables; a system without them has no groups.
func readCgroups(root string) (cgroups, error) {
	memberships, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cgroups{}, err
	}
	table, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cgroups{}, err
	}
	return cgroups{
		memberships: parseMemberships(string(memberships)),
		mounts:      mounts.Parse(string(table)),
		exists: func(dir string) bool {
			info, err := os.Stat(filepath.Join(root, dir))
			return err == nil && info.IsDir()
		},
	}, nil
}

// find locates the groups that a controller counts in. A controller that a v1 hierarchy has is not
// in the v2 one (man 7 cgroups), so that in a hybrid system v1 is asked first.
func (g cgroups) find(controller string) (hierarchy, bool) {
	for _, m := range g.memberships {
		if slices.Contains(m.controllers, controller) {
			dirs := g.visible(m.path, func(at mounts.Mount) bool {
				return at.FSType == "cgroup" && slices.Contains(at.Options, controller)
			})
			return hierarchy{1, dirs}, len(dirs) > 0
		}
	}
	for _, m := range g.memberships {
		if m.unified {
			dirs := g.visible(m.path, func(at mounts.Mount) bool { return at.FSType == "cgroup2" })
			return hierarchy{2, dirs}, len(dirs) > 0
		}
	}
	return hierarchy{}, false
}

// visible lists the directories from a group up to the mount point that shows most of the way. When
// the group cannot be reached below any mount point, as in containers that mount their own group
// but see the host's paths, the root of the first mount is what there is to look at.
func (g cgroups) visible(group string, suits func(mounts.Mount) bool) []string {
	var best, fallback []string
	for _, m := range g.mounts {
		if !suits(m) || !g.exists(m.Point) {
			continue
		}
		if fallback == nil {
			fallback = []string{m.Point}
		}
		below, ok := relative(group, m.Root)
		if !ok || !g.exists(path.Join(m.Point, below)) {
			continue
		}
		var dirs []string
		for below != "" {
			dirs = append(dirs, path.Join(m.Point, below))
			below = below[:strings.LastIndexByte(below, '/')]
		}
		if dirs = append(dirs, m.Point); len(dirs) > len(best) {
			best = dirs
		}
	}
	if best == nil {
		return fallback
	}
	return best
}

// relative is the part of group below root, "" or starting with a slash. It fails when group is not
// below root, or lies outside the process's cgroup namespace ("/../other").
func relative(group, root string) (string, bool) {
	root = strings.TrimSuffix(root, "/")
	below, ok := strings.CutPrefix(group, root)
	below = strings.TrimSuffix(below, "/")
	if !ok || (below != "" && below[0] != '/') || slices.Contains(strings.Split(below, "/"), "..") {
		return "", false
	}
	return below, true
}

// membership is a line of /proc/self/cgroup: the group that the process is in, of one hierarchy.
type membership struct {
	controllers []string // of a v1 hierarchy
	unified     bool     // it is the v2 hierarchy
	path        string
}

// parseMemberships reads lines "hierarchy-ID:controllers:path" (man 7 cgroups) and skips others.
func parseMemberships(text string) []membership {
	var all []membership
	for line := range strings.Lines(text) {
		id, rest, ok1 := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok2 := strings.Cut(rest, ":")
		if !ok1 || !ok2 || !strings.HasPrefix(group, "/") {
			continue
		}
		all = append(all, membership{
			controllers: strings.Split(controllers, ","),
			unified:     id == "0" && controllers == "",
			path:        group,
		})
	}
	return all
}

// readField reads a group's one-line file.
func readField(root, dir, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, dir, name))
	return strings.TrimSpace(string(data)), err
}

// plainError is an error without the path that it happened at.
func plainError(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err.Error()
	}
	return err.Error()
}
