package attack

import (
	"syscall"

	"golang.org/x/sys/windows"

	"scalableappbackend/loadgen/measure"
)

var errnoKinds = map[syscall.Errno]measure.Kind{
	windows.WSAECONNREFUSED:  measure.KindRefused,
	windows.WSAECONNRESET:    measure.KindReset,
	windows.WSAECONNABORTED:  measure.KindReset,
	windows.WSAETIMEDOUT:     measure.KindTimeout,
	windows.WSAEHOSTUNREACH:  measure.KindUnreachable,
	windows.WSAENETUNREACH:   measure.KindUnreachable,
	windows.WSAEMFILE:        measure.KindFiles,
	windows.WSAEADDRNOTAVAIL: measure.KindPorts,
	windows.WSAEADDRINUSE:    measure.KindPorts,
	windows.WSAENOBUFS:       measure.KindPorts,
}
