//go:build !linux

package wire

import "net"

// quicken has no quicker way here.
func quicken(c net.Conn) net.Conn { return c }
