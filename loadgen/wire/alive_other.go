//go:build !unix

package wire

import "syscall"

// quiet cannot look at an idle socket here: one that is dead shows when it is used.
func quiet(syscall.RawConn) bool { return true }
