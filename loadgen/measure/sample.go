package measure

import (
	"strings"
	"time"

	"scalableappbackend/loadgen/trace"
)

// Sample is one completed request. It is of fixed size and passed by pointer to a recorder that
// copies what it keeps; nothing of it is retained. Times are on the run's clock.
type Sample struct {
	Endpoint int
	Due      time.Duration // intended send
	Ready    time.Duration // due, or the later instant at which its user or slot was free
	Sent     time.Duration // actual send
	End      time.Duration // body read, or failure

	FirstByte time.Duration // send → first byte of the final answer; 0 unknown
	Connect   time.Duration // DNS, TCP and TLS when this request opened a connection; 0 when it reused one

	Kind   Kind // KindNone for a success
	Status int  // final status; 0 without an answer

	BytesIn, BytesOut int64
	Redirects         int
	Retries           int // sends by the transport beyond the first
	Truncated         bool
	ServedBy          string // the X-Served-By header
	Trace             trace.ID
}

// corrected is the latency that is the service's doing: what it made the send wait, and what it took. The
// generator's own lag, between Ready and Sent, is in neither.
func (x *Sample) corrected() time.Duration { return x.Ready - x.Due + x.End - x.Sent }

// maxServedBy is how many bytes are kept of a name in X-Served-By: a service may send anything there.
const maxServedBy = 128

// servedBy is the name as it is counted.
func (x *Sample) servedBy() string {
	if len(x.ServedBy) <= maxServedBy {
		return x.ServedBy
	}
	return strings.ToValidUTF8(x.ServedBy[:maxServedBy], "") + "…"
}
