package lab

import (
	"os"
	"syscall"
	"testing"
)

func TestStatIsReadPastAnyName(t *testing.T) {
	for _, tt := range []struct {
		line  string
		group int
		ticks int64
		ok    bool
		why   string
	}{
		{"42 (api) S 1 40 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7", 40, 127, true, "user, system, and both of children"},
		{"42 (a) b (c) S 1 40 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0", 40, 127, true, "a name with parentheses and blanks"},
		{"42 (api) S 1 40 40 0", 0, 0, false, "cut short"},
		{"", 0, 0, false, "nothing"},
		{"42 (api) S 1 x 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0", 0, 0, false, "a group that is no number"},
		{"42 (api) S 1 40 40 0 -1 4194560 1 2 3 4 -1 20 3 4 20 0", 0, 0, false, "a negative time"},
	} {
		group, ticks, ok := parseStat([]byte(tt.line))
		if ok != tt.ok || ok && (group != tt.group || ticks != tt.ticks) {
			t.Errorf("%q: group %d, %d ticks, %t, want %d, %d, %t: %s", tt.line, group, ticks, ok, tt.group, tt.ticks, tt.ok, tt.why)
		}
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if group, _, ok := parseStat(stat); !ok || group != syscall.Getpgrp() {
		t.Errorf("of this process: group %d, %t, want %d", group, ok, syscall.Getpgrp())
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (api) S 1 40 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0"))
	f.Add([]byte(") ) )"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if _, ticks, ok := parseStat(line); ok && ticks < 0 {
			t.Errorf("%q: %d ticks", line, ticks)
		}
	})
}
