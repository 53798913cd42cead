package bench

import (
	"net"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/http1"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/trace"
	"scalableappbackend/loadgen/wire"
)

// Numbers of a loop.
const (
	maxEvents  = 512
	readBuffer = 256 << 10
	// yieldEvery is how long a loop may keep its processor from the goroutine that collects windows.
	yieldEvery = 5 * time.Millisecond
	// together is how many answers are read before their connections' next requests are written. Reading in a row and
	// writing in a row keeps the kernel's code for each in the processor's caches, and an answer that waits behind others
	// waits for their reads alone. More would gain nothing and let the first of them wait for long.
	together = 32
	// pollMS is how long a loop sleeps when nothing happens: time-outs are looked for as often.
	pollMS = 20
)

// stage is how far a connection's request is.
type stage uint8

const (
	idle stage = iota // nothing under way
	connecting
	writing // the request has left in part
	waiting // for the answer, or the rest of it
)

// socket is one connection of a loop.
type socket struct {
	fd         int // -1 when there is none
	generation int32
	stage      stage
	used       bool // it carried a whole exchange before
	writable   bool // epoll tells when it can be written
	reader     http1.Reader

	request     int    // of Bench.requests
	out         []byte // what is still to be written: of the header, then of the body
	body        []byte
	ready, sent time.Duration
	connect     time.Duration
	firstByte   time.Duration
	retries     int
	tried       int // addresses that this connection was to be made to

	location []byte // of the answer under way
	servedBy string // of this answer when served, else of one before
	served   bool

	begun uint64   // requests
	trace trace.ID // of the one under way
	head  []byte   // room for its header
}

// note keeps what matters of an answer's header, in memory that is there.
func (s *socket) note(name, value []byte) {
	switch len(name) {
	case len("Location"):
		if len(s.location) == 0 && wire.IsField(name, "location") {
			s.location = append(s.location, value...)
		}
	case len("X-Served-By"):
		if !s.served && wire.IsField(name, "x-served-by") {
			if s.served = true; string(value) != s.servedBy {
				s.servedBy = string(value)
			}
		}
	}
}

// loop drives its sockets from one locked thread. Nothing in it is shared but what the Bench says, which is read when
// the loop is woken, and its part of the recorder, which is locked once for all answers of a wait.
type loop struct {
	bench     *Bench
	slot      int // of the recorder
	first     int // number of its first connection
	epoll     int
	event     int // an eventfd, to be woken by
	addresses []unix.Sockaddr
	preferred int // of them
	sockets   []socket
	batch     measure.Batch
	buffer    [readBuffer]byte
	events    [maxEvents]unix.EpollEvent

	end     time.Duration // nothing is sent from here on
	claimed int64         // requests that it may still send
	free    []int         // connections that have their answers
	failed  []int         // connections that begin anew in the next round
	round   []int         // those of the round before, for their memory
	timeout time.Duration
	scan    time.Duration // when time-outs are looked for next
	yield   time.Duration

	sent   int64
	left   int64 // given up
	active int   // connections with something under way
	calls  calls
}

func newLoop(b *Bench, slot, first, n int, addresses []unix.Sockaddr, preferred int) (*loop, error) {
	l := &loop{
		bench: b, slot: slot, first: first, epoll: -1, event: -1, addresses: addresses, preferred: preferred, sockets: make([]socket, n),
		end: b.end, timeout: time.Duration(b.client.Timeout),
	}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.event, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		l.close()
		return nil, err
	}
	err = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeIndex})
	if err != nil {
		l.close()
		return nil, err
	}
	for i := range l.sockets {
		s := &l.sockets[i]
		s.fd, s.reader.Field, s.reader.Recall = -1, s.note, true
	}
	return l, nil
}

// wakeIndex is the event's place of a socket's number.
const wakeIndex = -1

func (l *loop) close() {
	for _, fd := range []int{l.epoll, l.event} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	l.epoll, l.event = -1, -1
}

func (l *loop) wake() {
	one := [8]byte{1} // its value is of no matter, in either byte order
	_, _ = unix.Write(l.event, one[:])
}

func (l *loop) counts() (sent, abandoned int64) { return l.sent, l.left }

// run is the loop.
func (l *loop) run() {
	now := l.bench.Elapsed()
	l.hold()
	for i := range l.sockets {
		l.begin(i, now)
	}
	l.release()
	for l.active > 0 || l.pending() {
		n := l.wait()
		l.hold()
		for i := range n {
			if e := &l.events[i]; e.Fd == wakeIndex {
				l.obey()
			} else if s := &l.sockets[e.Fd]; s.generation == e.Pad && s.stage != idle {
				if l.happen(int(e.Fd), e.Events); len(l.free) >= together {
					l.beginNext()
				}
			}
		}
		l.beginAgain()
		l.beginNext()
		if now = l.bench.Elapsed(); now >= l.scan {
			l.expire(now)
		}
		l.release()
		if now >= l.yield {
			l.yield = now + yieldEvery
			runtime.Gosched()
		}
	}
	for i := range l.sockets {
		l.shut(&l.sockets[i])
	}
}

// pending reports whether connections are to begin without waiting for anything.
func (l *loop) pending() bool { return len(l.free) > 0 || len(l.failed) > 0 }

// hold locks the loop's part of the recorder, release unlocks it.
func (l *loop) hold() { l.batch = l.bench.cfg.Recorder.Batch(l.slot) }

func (l *loop) release() { l.batch.Close() }

// obey reads what the Bench says: that sending has ended, or that what is under way is given up.
func (l *loop) obey() {
	var b [8]byte
	_, _ = unix.Read(l.event, b[:])
	l.end = l.bench.sendingEnds()
	if !l.bench.cutting.Load() {
		return
	}
	l.end = 0
	now := l.bench.Elapsed()
	for i := range l.sockets {
		if s := &l.sockets[i]; s.stage != idle {
			l.bench.cfg.Recorder.Leave(l.bench.left(l.bench.requests[s.request].Endpoint, s.ready, s.sent, now, s.retries))
			l.shut(s)
			l.left++
			l.active--
		}
	}
}

// begin sends a connection's next request, if there is to be one.
func (l *loop) begin(i int, ready time.Duration) {
	s := &l.sockets[i]
	if l.claimed == 0 && ready < l.end {
		l.claimed = l.bench.claims.take()
	}
	if l.claimed == 0 || ready >= l.end {
		l.shut(s) // nothing may come on it any more
		return
	}
	l.claimed--
	s.ready, s.connect, s.firstByte, s.retries = ready, 0, 0, 0
	s.sent = l.bench.Elapsed()
	s.begun++
	s.trace = l.bench.trace(l.first+i, s.begun, s.sent)
	l.batch.Send(ready, ready, s.sent)
	l.sent++
	l.active++
	l.start(i)
}

// start puts a connection's request on its way, on a new connection when there is none.
func (l *loop) start(i int) {
	s := &l.sockets[i]
	q := &l.bench.requests[s.request]
	s.out, s.body = q.wire.Bytes()
	if !s.trace.IsZero() {
		var fields [256]byte
		s.head = q.wire.AppendHead(s.head[:0], s.trace.AppendFields(fields[:0]))
		s.out = s.head
	}
	s.reader.Start(q.Method)
	s.location, s.served = s.location[:0], false
	if s.fd < 0 {
		s.tried = 0
		l.connect(i)
		return
	}
	l.batch.Reused(s.sent)
	l.write(i)
}

// connect opens a connection. The addresses that a host prefers take turns; one that cannot be connected to is followed
// by the next.
func (l *loop) connect(i int) {
	s := &l.sockets[i]
	address := l.addresses[s.tried]
	if s.tried < l.preferred {
		address = l.addresses[(l.first+i+s.tried)%l.preferred]
	}
	s.tried++
	s.used, s.writable = false, true
	s.generation++
	family := unix.AF_INET
	if _, ok := address.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.fail(i, err)
		return
	}
	s.fd, s.stage = fd, connecting
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // the default of Go's dialer too
	if err := unix.Connect(fd, address); err != nil && err != unix.EINPROGRESS {
		l.unreached(i, err)
		return
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(i), Pad: s.generation}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		l.fail(i, err)
	}
}

// unreached tries the next address, or fails the request.
func (l *loop) unreached(i int, err error) {
	s := &l.sockets[i]
	if s.tried == len(l.addresses) {
		l.fail(i, err)
		return
	}
	_ = unix.Close(s.fd)
	s.fd = -1
	s.generation++
	l.connect(i)
}

// happen acts on what epoll tells of a socket.
func (l *loop) happen(i int, events uint32) {
	s := &l.sockets[i]
	if s.stage == connecting {
		if errno, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || errno != 0 {
			if err == nil {
				err = unix.Errno(errno)
			}
			l.unreached(i, err)
			return
		}
		if events&unix.EPOLLOUT == 0 {
			return
		}
		now := l.bench.Elapsed()
		s.connect = max(1, now-s.sent)
		l.batch.Opened(now, l.peer(s.fd))
		l.write(i)
		return
	}
	// The answer may come before the request was written whole.
	if events&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP) != 0 && !l.read(i) {
		return
	}
	if s.stage == writing && events&unix.EPOLLOUT != 0 {
		l.write(i)
	}
}

func (l *loop) peer(fd int) string {
	name, err := unix.Getpeername(fd)
	if err != nil {
		return "(unknown)"
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return (&net.TCPAddr{IP: a.Addr[:], Port: a.Port}).String()
	case *unix.SockaddrInet6:
		return (&net.TCPAddr{IP: a.Addr[:], Port: a.Port}).String()
	}
	return "(unknown)"
}

// write writes what is left of the request; the rest when the socket takes more.
func (l *loop) write(i int) {
	s := &l.sockets[i]
	s.stage = writing
	for {
		if len(s.out) == 0 {
			if len(s.body) == 0 {
				break
			}
			s.out, s.body = s.body, nil
		}
		n, errno := l.send(s.fd, s.out)
		switch errno {
		case 0:
			s.out = s.out[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			l.watch(i, true)
			return
		default:
			// An answer may have come before the service hung up; reading tells.
			s.stage, s.out, s.body = waiting, nil, nil
			s.reader.Spoil()
			l.watch(i, false)
			l.dead(i, errno)
			return
		}
	}
	s.stage = waiting
	l.watch(i, false)
}

// dead reads what may have come on a connection that cannot be written any more.
func (l *loop) dead(i int, cause syscall.Errno) {
	s := &l.sockets[i]
	n, errno := l.receive(s.fd)
	if errno != 0 || n == 0 {
		l.fail(i, cause)
		return
	}
	l.feed(i, l.buffer[:n])
}

// watch asks epoll for writability, or no longer.
func (l *loop) watch(i int, writable bool) {
	s := &l.sockets[i]
	if s.writable == writable {
		return
	}
	s.writable = writable
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i), Pad: s.generation}
	if writable {
		event.Events |= unix.EPOLLOUT
	}
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, s.fd, &event)
}

// read reads what has come and reports whether the request is still under way.
func (l *loop) read(i int) bool {
	s := &l.sockets[i]
	n, errno := l.receive(s.fd)
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return true
	case errno != 0:
		l.fail(i, errno)
		return false
	case n == 0:
		if err := s.reader.End(); err != nil {
			l.fail(i, err)
		} else {
			l.succeed(i, l.bench.Elapsed())
		}
		return false
	default:
		return l.feed(i, l.buffer[:n])
	}
}

// feed hands bytes to the reader and reports whether the request is still under way.
func (l *loop) feed(i int, data []byte) bool {
	s := &l.sockets[i]
	r := &s.reader
	began := r.Began()
	n, err := r.Feed(data)
	now := l.bench.Elapsed()
	if !began && r.Began() {
		s.firstByte = max(1, now-s.sent)
	}
	switch {
	case err != nil:
		l.fail(i, err)
	case r.Body() > l.bench.client.MaxBody:
		l.succeed(i, now)
	case r.Done():
		if n < len(data) || s.stage == writing {
			r.Spoil() // bytes that nobody asked for, or an answer before the request was written
		}
		l.succeed(i, now)
	default:
		return true
	}
	return false
}

// succeed records an answer; the connection is free for its next request.
func (l *loop) succeed(i int, now time.Duration) {
	s := &l.sockets[i]
	q := &l.bench.requests[s.request]
	if len(s.location) > 0 && l.bench.client.MaxHops() > 0 && wire.Redirects(q.wire, s.reader.Status(), s.location) {
		l.move(i, now)
		return
	}
	x := l.sample(s, now)
	x.Status = s.reader.Status()
	if s.served {
		x.ServedBy = s.servedBy
	}
	if limit := l.bench.client.MaxBody; x.BytesIn > limit {
		x.BytesIn, x.Truncated = limit, true
	}
	if !q.Accepts(x.Status) {
		x.Kind = measure.KindStatus
	}
	if x.Truncated || !s.reader.Reusable() || l.bench.client.NoKeepAlive || q.Close {
		l.shut(s)
	}
	s.used = true
	l.finish(s, &x)
	s.ready = now
	l.free = append(l.free, i)
}

// move hands a connection's request, which is redirected, and all that are to follow it to a goroutine: the way may lead
// to another host, and to TLS.
func (l *loop) move(i int, now time.Duration) {
	s := &l.sockets[i]
	g := l.bench.goroutine(l.first + i)
	g.at = s.request
	g.claimed, l.claimed = l.claimed, 0
	g.begun, g.trace = s.begun, s.trace
	g.moved = &moved{
		ready:    s.ready,
		location: slices.Clone(s.location),
		answer: wire.Answer{
			Sent: s.sent, End: now, FirstByte: s.firstByte, Connect: s.connect, Status: s.reader.Status(), Body: s.reader.Body(),
			Retries: s.retries, Connected: true, Answering: true,
		},
	}
	if c := l.detach(s); c != nil {
		g.user.Adopt(l.bench.requests[s.request].wire, c, now) // of no age that is asked for: see plainAddresses
	}
	l.shut(s)
	l.active--
	l.bench.drive(g)
}

// detach takes a connection that may carry another request out of the loop; nil when there is none.
func (l *loop) detach(s *socket) net.Conn {
	if !s.reader.Reusable() || l.bench.client.NoKeepAlive {
		return nil
	}
	// A copy of the descriptor goes on, and the loop must not hear of it.
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
	f := os.NewFile(uintptr(s.fd), "")
	s.fd = -1
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil // no descriptor left: the next request will say so
	}
	return c
}

// fail records a failure, unless the request may be sent again on a new connection: see wire.Client.
func (l *loop) fail(i int, err error) {
	s := &l.sockets[i]
	begun := s.reader.Began() || s.reader.Interim() > 0
	again := s.used && !begun && l.bench.requests[s.request].wire.Repeatable()
	progress := attack.Connecting
	switch {
	case begun:
		progress = attack.Answering
	case s.stage != connecting:
		progress = attack.Connected
	}
	l.shut(s)
	if again {
		s.retries++
		l.start(i)
		return
	}
	x := l.sample(s, l.bench.Elapsed())
	if s.reader.Headed() {
		x.Status = s.reader.Status()
	}
	x.Kind = attack.Classify(err, progress)
	l.finish(s, &x)
	s.ready = x.End
	l.failed = append(l.failed, i)
}

func (l *loop) sample(s *socket, now time.Duration) measure.Sample {
	q := &l.bench.requests[s.request]
	return measure.Sample{
		Endpoint: q.Endpoint, Due: s.ready, Ready: s.ready, Sent: s.sent, End: now, FirstByte: s.firstByte, Connect: s.connect,
		BytesIn: s.reader.Body(), BytesOut: int64(len(q.Body)), Retries: s.retries, Trace: s.trace,
	}
}

// finish records how a request ended.
func (l *loop) finish(s *socket, x *measure.Sample) {
	l.batch.Record(x)
	l.active--
	s.stage = idle
	if s.request++; s.request == len(l.bench.requests) {
		s.request = 0
	}
}

// beginNext sends on the connections that have their answers.
func (l *loop) beginNext() {
	for k := 0; k < len(l.free); k++ { // one whose request cannot be written may have its answer at once
		i := l.free[k]
		l.begin(i, l.sockets[i].ready)
	}
	l.free = l.free[:0]
}

// beginAgain sends on the connections whose requests failed. They wait until all that has come is read, so that a
// service that refuses at once does not keep the loop from its other connections.
func (l *loop) beginAgain() {
	l.round, l.failed = l.failed, l.round[:0]
	for _, i := range l.round {
		l.begin(i, l.sockets[i].ready)
	}
}

// expire fails the requests whose time is over.
func (l *loop) expire(now time.Duration) {
	for i := range l.sockets {
		if s := &l.sockets[i]; s.stage != idle && now-s.sent >= l.timeout {
			s.used = false // it is not sent again
			l.fail(i, unix.ETIMEDOUT)
		}
	}
	l.scan = now + min(pollMS*time.Millisecond, max(time.Millisecond, l.timeout/50))
}

// shut closes a connection. What epoll still tells of it is of an older generation than the next one's.
func (l *loop) shut(s *socket) {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
	s.fd, s.stage, s.used = -1, idle, false
	s.generation++
}
