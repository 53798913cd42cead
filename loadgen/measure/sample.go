package measure

import "time"

// Sample is one completed request. It is of fixed size and passed by pointer to a recorder that
// copies what it keeps; nothing of it is retained. Times are on the run's clock.
type Sample struct {
	Endpoint int
	Due      time.Duration // intended send
	Ready    time.Duration // due, or the later instant at which a slot was free
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
}
