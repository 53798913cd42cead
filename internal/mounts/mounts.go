// Package mounts reads a process's mount table: which file systems it sees, and where.
//
// It parses text and opens no file, so that it works on any system and its tests need none.
package mounts

import (
	"path"
	"strconv"
	"strings"
)

// Mount is a line of /proc/self/mountinfo.
type Mount struct {
	Root    string // directory of the file system that is mounted
	Point   string // where it is mounted
	FSType  string
	Options []string // of the file system; a cgroup v1 hierarchy's controllers are among them
}

// Parse reads lines "ID parent major:minor root point options [tags…] - type source options" (man 5
// proc_pid_mountinfo) and skips others.
func Parse(text string) []Mount {
	var all []Mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		all = append(all, Mount{
			Root:    unescape(left[3]),
			Point:   unescape(left[4]),
			FSType:  right[0],
			Options: strings.Split(right[2], ","),
		})
	}
	return all
}

// Holding returns the mount that an absolute path lies on: the one with the longest mount point above it, and of two at
// the same point the later one, which hides the other. It is false when no mount holds the path.
func Holding(all []Mount, name string) (holding Mount, ok bool) {
	name = path.Clean(name)
	for _, m := range all {
		point := strings.TrimSuffix(m.Point, "/")
		below, found := strings.CutPrefix(name, point)
		if !found || below != "" && below[0] != '/' {
			continue
		}
		if !ok || len(point) >= len(strings.TrimSuffix(holding.Point, "/")) {
			holding, ok = m, true
		}
	}
	return holding, ok
}

// unescape undoes the kernel's octal escapes of space, tab, newline and backslash in a path.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
