package main

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bareLoop is the barest client that keeps the reference profile's pace: users with a connection each, think time of 50 to
// 200 ms, two endpoints. One thread waits in epoll for answers and a timerfd; a request is one write, one read, a wait,
// and a setting and reading of the timer. It checks nothing and leaves no garbage, so that a load generator which waits for
// the same moments cannot do with less, but for waking up seldomer. In the end it writes p50 and p99 of its latencies, ms.
func bareLoop(out io.Writer, address string, users int, d time.Duration) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	to, err := sockaddr(u.Host)
	if err != nil {
		return err
	}
	f := &paced{requests: [2][]byte{request(u.Host, "/"), request(u.Host, "/health")}}
	if f.epoll, err = unix.EpollCreate1(0); err != nil {
		return err
	}
	if f.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK); err != nil {
		return err
	}
	if err := f.watch(f.timer, -1); err != nil {
		return err
	}
	f.begun = time.Now()
	for i := range users {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(unix.Connect(fd, to), unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), f.watch(fd, i)); err != nil {
			return err
		}
		f.fds, f.sent = append(f.fds, fd), append(f.sent, 0)
		heap.Push(&f.idle, due{time.Since(f.begun), i})
	}
	if err := f.run(d); err != nil || len(f.took) == 0 {
		return err
	}
	slices.Sort(f.took)
	at := func(q float64) float64 { return float64(f.took[int(q*float64(len(f.took)-1))].Microseconds()) / 1e3 }
	_, err = fmt.Fprintf(out, "{\"p50\": %.3f, \"p99\": %.3f}\n", at(0.5), at(0.99))
	return err
}

func sockaddr(host string) (*unix.SockaddrInet4, error) {
	var a unix.SockaddrInet4
	if n, err := fmt.Sscanf(host, "%d.%d.%d.%d:%d", &a.Addr[0], &a.Addr[1], &a.Addr[2], &a.Addr[3], &a.Port); n != 5 {
		return nil, fmt.Errorf("%q: want an IPv4 address and a port: %w", host, err)
	}
	return &a, nil
}

func request(host, path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
}

// paced is the state of the loop.
type paced struct {
	requests     [2][]byte
	epoll, timer int
	fds          []int
	sent         []time.Duration // by user
	took         []time.Duration
	begun        time.Time
	idle         byDue
	buffer       [4096]byte
	events       [64]unix.EpollEvent
}

// due is a user who pauses until an instant.
type due struct {
	at   time.Duration
	user int
}

type byDue []due

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q byDue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDue) Push(x any)        { *q = append(*q, x.(due)) }
func (q *byDue) Pop() any {
	n := len(*q) - 1
	x := (*q)[n]
	*q = (*q)[:n]
	return x
}

func (f *paced) watch(fd, user int) error {
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(user)})
}

func (f *paced) run(d time.Duration) error {
	armed := time.Duration(-1)
	for {
		now := time.Since(f.begun)
		if now >= d {
			return nil
		}
		for len(f.idle) > 0 && f.idle[0].at <= now {
			next := heap.Pop(&f.idle).(due)
			f.sent[next.user] = time.Since(f.begun)
			if _, err := call(unix.SYS_WRITE, f.fds[next.user], f.requests[rand.IntN(2)]); err != 0 {
				return err
			}
		}
		if len(f.idle) > 0 && f.idle[0].at != armed {
			armed = f.idle[0].at
			spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(1, armed-time.Since(f.begun))))}
			if err := unix.TimerfdSettime(f.timer, 0, &spec, nil); err != nil {
				return err
			}
		}
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(f.epoll), uintptr(unsafe.Pointer(&f.events[0])), uintptr(len(f.events)), 1000, 0, 0)
		if errno != 0 {
			n = 0
		}
		for _, e := range f.events[:n] {
			if e.Fd < 0 {
				_, _ = call(unix.SYS_READ, f.timer, f.buffer[:8])
				armed = -1
				continue
			}
			n, err := call(unix.SYS_READ, f.fds[e.Fd], f.buffer[:])
			if err != 0 {
				return err
			}
			if n == 0 {
				return errors.New("the service closed a connection")
			}
			f.took = append(f.took, time.Since(f.begun)-f.sent[e.Fd])
			think := 50*time.Millisecond + rand.N(150*time.Millisecond)
			heap.Push(&f.idle, due{time.Since(f.begun) + think, int(e.Fd)})
		}
	}
}

func call(number uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
