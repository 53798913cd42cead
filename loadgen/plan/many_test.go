package plan

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// many is a target file of n targets with five headers each, in one of the formats.
func many(n int, asJSON bool) string {
	var b strings.Builder
	for i := range n {
		if asJSON {
			fmt.Fprintf(&b, `{"method":"POST","url":"http://h/items/%d?q=%d","weight":2,"expect":[200,"2xx"],"body":"aGVsbG8=","header":{`, i, i)
			for k := range 5 {
				fmt.Fprintf(&b, `%s"X-Header-%d":["value %d of %d"]`, strings.Repeat(",", min(k, 1)), k, k, i)
			}
			b.WriteString("}}\n")
			continue
		}
		fmt.Fprintf(&b, "GET http://h/items/%d?q=%d&token=${TOKEN}\n", i, i)
		for k := range 5 {
			fmt.Fprintf(&b, "X-Header-%d: value %d of %d\n", k, k, i)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// allocated is how often, and how many bytes, a function allocates. Other tests do not run meanwhile.
func allocated(do func()) (times, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}

// What a target costs is counted in allocations, which are the same on any machine. Each bound is about twice what is
// needed; a table that is built for each header, as a strings.Replacer builds, is 5 KB a header.
func TestWhatATargetCostsDoesNotGrowWithTheirNumber(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		cost := func(n int) (times, bytes map[string]uint64) {
			text := many(n, asJSON)
			times, bytes = map[string]uint64{}, map[string]uint64{}
			step := func(name string, do func()) {
				a, b := allocated(do)
				times[name], bytes[name] = a/uint64(n), b/uint64(n)
			}
			p := Default()
			p.Host = "http://h"
			var err error
			step("parse", func() { p.Targets, err = ParseTargets("t", strings.NewReader(text)) })
			if err != nil {
				t.Fatal(err)
			}
			step("validate", func() { err = p.Validate() })
			if err != nil {
				t.Fatal(err)
			}
			step("prepare", func() { _, err = p.Prepare("", func(string) (string, bool) { return "secret", true }) })
			if err != nil {
				t.Fatal(err)
			}
			step("redact", func() { _ = p.Redacted() })
			step("read again", func() {
				_, err = ReadFile([]byte(`{"targets":[{"method":"GET","url":"/"}` + strings.Repeat(`,{"method":"GET","url":"/"}`, n-1) + `]}`))
			})
			if err != nil {
				t.Fatal(err)
			}
			return times, bytes
		}
		fewTimes, fewBytes := cost(1000)
		manyTimes, manyBytes := cost(4000)
		for _, bound := range []struct {
			step         string
			times, bytes uint64
		}{
			{"parse", 180, 14_000}, {"validate", 60, 2_000}, {"prepare", 180, 9_000}, {"redact", 40, 3_000}, {"read again", 30, 3_000},
		} {
			s := bound.step
			t.Logf("JSON %v, %s: %d and %d allocations, %d and %d bytes a target", asJSON, s, fewTimes[s], manyTimes[s], fewBytes[s], manyBytes[s])
			if manyTimes[s] > bound.times || manyBytes[s] > bound.bytes && !underRace {
				t.Errorf("JSON %v, %s: %d allocations and %d bytes a target, want at most %d and %d", asJSON, s, manyTimes[s], manyBytes[s], bound.times, bound.bytes)
			}
			if manyTimes[s] > fewTimes[s]+fewTimes[s]/2+2 {
				t.Errorf("JSON %v, %s: %d allocations a target of 4,000, %d of 1,000: it grows", asJSON, s, manyTimes[s], fewTimes[s])
			}
		}
	}
}
