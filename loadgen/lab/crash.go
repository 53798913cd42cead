package lab

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Crash is a cause for which programs ended that nobody had asked to, or could not be started.
type Crash struct {
	Cause  string // how it ended, and the line of its output that tells most
	Count  int
	Names  []string      // of the programs, in order
	First  time.Duration // on the run's clock
	Output []string      // last lines of the first one
}

// String is, e.g., 3 × exit status 1: panic: out of range (task-3, task-5 and task-8, first at 12.3s).
func (c Crash) String() string {
	s := c.Cause
	if c.Count > 1 {
		s = fmt.Sprintf("%d × %s", c.Count, s)
	}
	return fmt.Sprintf("%s (%s, first at %s)", s, someOf(c.Names), c.First.Round(100*time.Millisecond))
}

// someOf lists names, no more than five.
func someOf(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// crashes are all there were, grouped.
type crashes struct{ groups []Crash }

func (c *crashes) add(name string, at time.Duration, err error) {
	cause, output := err.Error(), []string(nil)
	if e, ok := errors.AsType[*ReplicaError](err); ok {
		cause, output = e.Reason, e.Output
		if line := telling(output); line != "" {
			cause += ": " + line
		}
	}
	key := causeKey(cause)
	i := slices.IndexFunc(c.groups, func(g Crash) bool { return causeKey(g.Cause) == key })
	if i < 0 {
		c.groups = append(c.groups, Crash{Cause: cause, First: at, Output: output})
		i = len(c.groups) - 1
	}
	c.groups[i].Count++
	c.groups[i].Names = append(c.groups[i].Names, name)
}

var (
	// tellingLine finds what programs say of their end: Go's "panic:", Python's "ValueError:", "FATAL", "Error:" …
	tellingLine = regexp.MustCompile(`(?i)\b(panic|fatal|out of memory|\w*error|\w*exception)\b`)
	// varying is what differs from one crash to another of the same cause: addresses, numbers, times.
	varying = regexp.MustCompile(`0x[0-9a-fA-F]+|[0-9]+`)
)

// telling is the last line that says why a program ended, else its last.
func telling(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if tellingLine.MatchString(line) {
			return line
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

func causeKey(cause string) string { return varying.ReplaceAllString(cause, "N") }
