//go:build !unix

package lab

import "net"

// open cannot tell here: a connection that a target has closed while it was idle answers 502.
func open(net.Conn) bool { return true }
