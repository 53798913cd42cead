package validity

import "fmt"

// ReservedFiles is what a run needs beside its connections: standard streams, the result's five
// files, the probes' handful, the poller and timers, name lookups under way, and the connections of
// a page, of CloudWatch and of S3. These add up to some thirty; the rest is room.
const ReservedFiles = 64

// LimitError says that a run would need more of something than the process may have.
type LimitError struct {
	Field string // what asked for it, as the user named it, e.g. --users
	Need  int
	Limit int
	text  string
}

func (e *LimitError) Error() string { return e.Field + ": " + e.text }

// Preflight reports, as a *LimitError, that need connections at once and ReservedFiles do not fit
// below the limit on descriptors. fieldName is what the user set, e.g. --users. With a target in
// the same process each connection takes two descriptors, and need is twice as large.
//
// A limit that is unknown or absent refuses nothing.
func Preflight(limits Limits, need int, fieldName string) error {
	files := need + ReservedFiles
	if !(limits.Files > 0) || float64(files) <= float64(limits.Files) {
		return nil
	}
	return &LimitError{
		Field: fieldName,
		Need:  files,
		Limit: int(limits.Files),
		text: fmt.Sprintf("%d connections need %d descriptors, the limit is %.0f: raise it (ulimit -n %d, or nofile in the ulimits of an ECS container definition) or ask for less",
			need, files, float64(limits.Files), files),
	}
}

// PreflightPorts reports, as a *LimitError, that perDestination connections to one remote address
// and port do not fit into the range of local ports: all connections divided by the addresses that
// the target's name has.
//
// A range that is unknown refuses nothing.
func PreflightPorts(limits Limits, perDestination int, fieldName string) error {
	if !(limits.EphemeralPorts > 0) || float64(perDestination) <= float64(limits.EphemeralPorts) {
		return nil
	}
	return &LimitError{
		Field: fieldName,
		Need:  perDestination,
		Limit: int(limits.EphemeralPorts),
		text: fmt.Sprintf("%d connections to one address need as many local ports, there are %.0f: widen net.ipv4.ip_local_port_range, share the load among more generators, or ask for less",
			perDestination, float64(limits.EphemeralPorts)),
	}
}
