//go:build !windows

package attack

import (
	"syscall"

	"scalableappbackend/loadgen/measure"
)

var errnoKinds = map[syscall.Errno]measure.Kind{
	syscall.ECONNREFUSED:  measure.KindRefused,
	syscall.ECONNRESET:    measure.KindReset,
	syscall.EPIPE:         measure.KindReset,
	syscall.ECONNABORTED:  measure.KindReset,
	syscall.ETIMEDOUT:     measure.KindTimeout,
	syscall.EHOSTUNREACH:  measure.KindUnreachable,
	syscall.ENETUNREACH:   measure.KindUnreachable,
	syscall.EMFILE:        measure.KindFiles,
	syscall.ENFILE:        measure.KindFiles,
	syscall.EADDRNOTAVAIL: measure.KindPorts,
	syscall.EADDRINUSE:    measure.KindPorts,
}
