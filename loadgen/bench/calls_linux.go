package bench

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// calls is how many system calls a loop has made for its requests; those that connect are not counted.
type calls struct{ waits, sends, receives int64 }

// wait returns how many events there are. It tells the scheduler that it may block even when it will not: that costs less
// than a look before it at what is there, which finds nothing as soon as the service is the slower of the two.
func (l *loop) wait() int {
	timeout := uintptr(pollMS)
	if l.pending() {
		timeout = 0
	}
	l.calls.waits++
	n, _, errno := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])), maxEvents, timeout, 0, 0)
	if errno != 0 {
		return 0 // interrupted
	}
	return int(n)
}

// send and receive do not block, and so need not tell the scheduler. They are the calls that sockets have for themselves,
// which are shorter ways through the kernel than write and read.
func (l *loop) send(fd int, p []byte) (int, syscall.Errno) {
	l.calls.sends++
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// receive reads into the loop's buffer.
func (l *loop) receive(fd int) (int, syscall.Errno) {
	l.calls.receives++
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&l.buffer[0])), readBuffer, 0, 0, 0)
	return int(n), errno
}
