package validity

import (
	"context"
	"runtime"
	"testing"

	"scalableappbackend/loadgen/result"
)

func TestCPUListIsCounted(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      int
	}{
		{"one CPU", "0\n", 1},
		{"a range", "0-1\n", 2},
		{"ranges and single ones", "0-3,8,10-11\n", 7},
		{"nothing", "", 0},
		{"no list", "all", 0},
		{"a range that ends before it begins", "3-1", 0},
		{"half a range", "0-", 0},
	} {
		if got := countCPUs(c.text); got != c.want {
			t.Errorf("%s: countCPUs(%q) = %d, want %d", c.why, c.text, got, c.want)
		}
	}
}

func TestTheSmallerLimitWinsAndAnUnknownOneNever(t *testing.T) {
	for _, c := range []struct{ a, b, want result.Reading }{
		{1, 2, 1},
		{2, 1, 1},
		{unknown, 1, 1},
		{1, unknown, 1},
		{unknown, unknown, unknown},
		{noLimit(), 1, 1},
		{noLimit(), unknown, noLimit()},
	} {
		if got := smaller(c.a, c.b); !same(got, c.want) {
			t.Errorf("smaller(%v, %v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestLimitsOfThisProcess(t *testing.T) {
	l := ReadLimits(context.Background(), "")
	if len(l.Unread) > 0 {
		t.Skipf("this system hides a limit: %v", l.Unread)
	}
	if !(l.CPUs > 0) || float64(l.CPUs) > float64(l.HostCPUs) {
		t.Errorf("may use %v CPUs of %d", l.CPUs, l.HostCPUs)
	}
	if l.HostCPUs < runtime.NumCPU() {
		t.Errorf("the host has %d CPUs, this process sees %d", l.HostCPUs, runtime.NumCPU())
	}
	if l.Source == "" {
		t.Error("the CPU limit has no source")
	}
	if l.Task != nil {
		t.Errorf("not on ECS, yet task %v", l.Task)
	}
	if runtime.GOOS != "windows" && !(l.Files > 0) {
		t.Errorf("descriptor limit %v", l.Files)
	}
}
