package simulate

import (
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
)

// Memory is what a task uses of its memory: Base percent, and PerRate more for each request a second that it answers.
// Both are the user's to know; most services use what they use whatever they do, so that PerRate is 0.
type Memory struct {
	Base, PerRate float64
}

// Known says whether it was given.
func (m Memory) Known() bool { return m != Memory{} }

const wantMemory = "A in percent, or A+B/rps, e.g. 40 or 30+0.2/rps"

// ParseMemory reads percents: "40", "40%", "30+0.2/rps" (30 %, and 0.2 % for each request a second of a task). Its error is
// a *input.Error.
func ParseMemory(text string) (Memory, error) {
	base, perRate, both := strings.Cut(text, "+")
	percent := func(s string) (float64, bool) { return input.Number(strings.TrimSuffix(strings.TrimSpace(s), "%")) }
	var m Memory
	var ok bool
	m.Base, ok = percent(base)
	if both && ok {
		perRate, ok = strings.CutSuffix(strings.TrimSpace(perRate), "/rps")
		if ok {
			m.PerRate, ok = percent(perRate)
		}
	}
	if !ok || m.Base < 0 || m.Base > 100 || m.PerRate < 0 || m.PerRate > 100 || !m.Known() {
		return Memory{}, &input.Error{Got: text, Want: wantMemory}
	}
	return m, nil
}

// String is the form that ParseMemory reads.
func (m Memory) String() string {
	s := plainNumber(m.Base)
	if m.PerRate > 0 {
		s += "+" + plainNumber(m.PerRate) + "/rps"
	}
	return s
}

func (c Config) checkMemory() error {
	if c.Watches(autoscaling.MetricMemory) && !c.Memory.Known() {
		return refuse("memory", "not given, and a policy watches it: want %s", wantMemory)
	}
	return nil
}
