package validity

import (
	"errors"
	"strings"
	"testing"

	"scalableappbackend/loadgen/result"
)

func TestRunThatCannotFitIsRefused(t *testing.T) {
	for _, c := range []struct {
		why   string
		check func(Limits, int, string) error
		limit result.Reading
		need  int
		want  string // the error; empty for none
	}{
		{"just as many descriptors as there are", Preflight, 1024, 1024 - ReservedFiles, ""},
		{"one more than there are", Preflight, 1024, 1025 - ReservedFiles,
			"--users: 961 connections need 1025 descriptors, the limit is 1024: raise it (ulimit -n 1025, or nofile in the ulimits of an ECS container definition) or ask for less"},
		{"no limit", Preflight, noLimit(), 1 << 30, ""},
		{"a limit that could not be read", Preflight, unknown, 1 << 30, ""},
		{"limits that were not asked for", Preflight, 0, 1 << 30, ""},
		{"just as many ports as there are", PreflightPorts, 28232, 28232, ""},
		{"one more port than there are", PreflightPorts, 28232, 28233,
			"--users: 28233 connections to one address need as many local ports, there are 28232: widen net.ipv4.ip_local_port_range, share the load among more generators, or ask for less"},
		{"a range that could not be read", PreflightPorts, unknown, 1 << 30, ""},
	} {
		err := c.check(Limits{Files: c.limit, EphemeralPorts: c.limit}, c.need, "--users")
		if got := text(err); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
		if err == nil {
			continue
		}
		refusal, ok := errors.AsType[*LimitError](err)
		if !ok || refusal.Field != "--users" || refusal.Limit != int(c.limit) || refusal.Need <= refusal.Limit {
			t.Errorf("%s: %#v", c.why, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line", c.why)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
