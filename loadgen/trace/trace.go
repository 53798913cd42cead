// Package trace makes the ids of traced requests, and the header fields in which they go out: W3C's traceparent
// (https://www.w3.org/TR/trace-context/) and AWS's X-Amzn-Trace-Id
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
//
// One id serves both: its first four bytes are the time in seconds, as X-Ray wants them, and the rest is random, as W3C
// does. The id of the client's span, the parent of whatever a service adds, is the id's second half, so that an id is
// all there is to keep of a traced request. The package decides nothing: which requests are traced is the plan's to say,
// see plan.Sample.
package trace

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// The header fields that a traced request gets.
const (
	Parent = "Traceparent"
	Amazon = "X-Amzn-Trace-Id"
)

// ID is the id of a trace; the zero ID is none.
type ID [16]byte

// New returns an id of a trace that begins at a time. No two are alike: the random part is 96 bits.
func New(now time.Time) ID {
	var id ID
	binary.BigEndian.PutUint32(id[:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(id[4:], rand.Uint32())
	for binary.BigEndian.Uint64(id[8:]) == 0 { // an id of a span is not 0
		binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id
}

// IsZero reports whether there is no trace.
func (id ID) IsZero() bool { return id == ID{} }

// String is the id in hex, as tracing systems show it; empty for none.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Span is the id of the client's span.
func (id ID) Span() [8]byte { return [8]byte(id[8:]) }

// Parse reads what String writes.
func Parse(text string) (id ID, ok bool) {
	if len(text) != 2*len(id) {
		return ID{}, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil && !id.IsZero()
}

// AppendParent appends the value of traceparent: version 00, and the flag that says that the trace is recorded.
func (id ID) AppendParent(to []byte) []byte {
	to = append(to, "00-"...)
	to = hex.AppendEncode(to, id[:])
	to = append(to, '-')
	to = hex.AppendEncode(to, id[8:])
	return append(to, "-01"...)
}

// AppendAmazon appends the value of X-Amzn-Trace-Id.
func (id ID) AppendAmazon(to []byte) []byte {
	to = append(to, "Root=1-"...)
	to = hex.AppendEncode(to, id[:4])
	to = append(to, '-')
	to = hex.AppendEncode(to, id[4:])
	to = append(to, ";Parent="...)
	to = hex.AppendEncode(to, id[8:])
	return append(to, ";Sampled=1"...)
}

// AppendFields appends both fields as they stand in a request.
func (id ID) AppendFields(to []byte) []byte {
	to = append(to, Parent+": "...)
	to = id.AppendParent(to)
	to = append(to, "\r\n"+Amazon+": "...)
	to = id.AppendAmazon(to)
	return append(to, "\r\n"...)
}
