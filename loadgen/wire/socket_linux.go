package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a TCP connection that is read and written without telling the scheduler. Its calls never block, so there is
// nothing to tell; and a process that was asleep and tells the scheduler of a call wakes the runtime's monitor, a thread
// that then looks every 20 µs for a while. At some hundred requests a second, when the process falls asleep between any
// two, that was a quarter of the CPU time of a request.
type socket struct {
	*net.TCPConn
	raw           syscall.RawConn
	receive, send transfer
}

// transfer is one direction's call under way. Each direction has one user at a time.
type transfer struct {
	p     []byte
	n     int
	errno syscall.Errno
	try   func(fd uintptr) bool // made once, so that a call takes no memory
}

// quicken returns a connection that reads and writes with less work; the same one where there is no such.
func quicken(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	s := &socket{TCPConn: tcp, raw: raw}
	s.receive.try, s.send.try = s.tryReceive, s.trySend
	return s
}

// tryReceive reads what is there, and is false when nothing is.
func (s *socket) tryReceive(fd uintptr) bool {
	t := &s.receive
	t.n, t.errno = transmit(unix.SYS_RECVFROM, fd, t.p, 0)
	return t.errno != syscall.EAGAIN
}

// trySend writes what there is room for, and is false while something is left.
func (s *socket) trySend(fd uintptr) bool {
	t := &s.send
	for t.n < len(t.p) {
		n, errno := transmit(unix.SYS_SENDTO, fd, t.p[t.n:], unix.MSG_NOSIGNAL)
		if t.n += n; errno != 0 {
			t.errno = errno
			return errno != syscall.EAGAIN
		}
	}
	t.errno = 0
	return true
}

// transmit makes a call for a socket that does not block, again when a signal came first.
func transmit(number, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// Read is net.Conn's.
func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t := &s.receive
	t.p, t.n, t.errno = p, 0, 0
	err := s.raw.Read(t.try)
	t.p = nil
	switch {
	case err != nil || t.errno != 0:
		return 0, s.failed("read", err, t.errno)
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// Write is net.Conn's.
func (s *socket) Write(p []byte) (int, error) {
	t := &s.send
	t.p, t.n, t.errno = p, 0, 0
	err := s.raw.Write(t.try)
	t.p = nil
	if err != nil || t.errno != 0 {
		return t.n, s.failed("write", err, t.errno)
	}
	return t.n, nil
}

// failed is the error that net's own call would return.
func (s *socket) failed(op string, err error, errno syscall.Errno) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err // which says raw-read
	}
	if err == nil {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}

// quiet looks at an idle socket without waiting: it must be open, and nothing may have come that nobody asked for.
func quiet(raw syscall.RawConn) bool {
	quiet := false
	err := raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, errno := transmit(unix.SYS_RECVFROM, fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		quiet = errno == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}
