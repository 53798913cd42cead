package plan

import (
	"fmt"
	"math"
	"net/http"
)

// Sample is a share of a plan's requests, chosen by the plan's seed: the same ones each time. The zero Sample is none.
type Sample struct {
	seed  uint64
	below uint64 // hashes that belong to it
	all   bool
}

// Traced is the sample of requests that carry a trace: Client.TraceRatio of them.
func (p *Plan) Traced() Sample {
	switch ratio := p.Client.TraceRatio; {
	case !(ratio > 0):
		return Sample{}
	case ratio >= 1:
		return Sample{all: true}
	default:
		return Sample{seed: mix(mix(p.Seed) ^ streamTraces), below: uint64(math.Ldexp(ratio, 64))}
	}
}

// Empty reports whether nothing belongs to it.
func (s Sample) Empty() bool { return !s.all && s.below == 0 }

// Has reports whether the n-th request of a user's generation belongs to it; of a rate the n-th of all, of user 0. It
// takes some nanoseconds and no memory.
func (s Sample) Has(user, generation int, n uint64) bool {
	if s.below == 0 {
		return s.all
	}
	return mix(mix(mix(s.seed^uint64(user))^uint64(generation))^n) < s.below
}

// checkTraces checks the share of traced requests, and that nothing else says which trace they are of.
func (p *Plan) checkTraces(f *faults) {
	ratio := p.Client.TraceRatio
	f.check(0 <= ratio && ratio <= 1, "client.trace_ratio", ratio, "a share of the requests, 0 to 1, e.g. 0.01")
	if !(ratio > 0) {
		return
	}
	own := func(field string, h http.Header) {
		for _, name := range []string{"Traceparent", "X-Amzn-Trace-Id"} {
			if hasHeader(h, name) {
				f.say(field+"."+name, "is written by --trace-ratio: leave one of them out")
			}
		}
	}
	own("client.header", p.Client.Header)
	for i := range p.Targets {
		own(fmt.Sprintf("targets[%d].header", i), p.Targets[i].Header)
	}
}
