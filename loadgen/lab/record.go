package lab

import (
	"fmt"
	"sync"
)

// How much of a program's output is kept: its beginning, where it says how it was started, and its end.
const (
	recordHead = 64 << 10
	recordTail = 192 << 10
)

// record keeps what was written to it, but for the middle of what is too long.
type record struct {
	mu         sync.Mutex
	head, tail []byte
	left       int64 // bytes between the two
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(recordHead-len(r.head), len(p))
	r.head = append(r.head, p[:n]...)
	r.tail = append(r.tail, p[n:]...)
	if over := len(r.tail) - recordTail; over > recordTail {
		r.tail = append(r.tail[:0:0], r.tail[over:]...)
		r.left += int64(over)
	}
	return len(p), nil
}

// all is what was kept; what was not is told where it was.
func (r *record) all() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append([]byte(nil), r.head...)
	if r.left > 0 {
		all = fmt.Appendf(all, "\n… %d bytes are not kept …\n", r.left)
	}
	return append(all, r.tail...)
}
