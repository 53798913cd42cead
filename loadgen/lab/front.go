package lab

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Limits of an Application Load Balancer, in bytes (its User Guide, "Quotas for your Application Load Balancers"). Line
// ends are counted.
const (
	maxRequestLine    = 16 << 10
	maxHeaderField    = 16 << 10
	maxRequestHeader  = 64 << 10 // all fields together
	maxResponseHeader = 32 << 10 // status line included
	// maxRequestRead is how much of a request's header is read before net/http refuses it in its own way (431). It is so
	// large that what an Application Load Balancer refuses is refused as there.
	maxRequestRead = 8 << 20
)

// lingerTime is how long an answered client may go on sending its request, so that it comes to read the answer: a
// connection that is closed on what is still coming is reset, and takes the answer with it.
const lingerTime = 2 * time.Second

// refusal is the status with which the balancer refuses a request itself; 0 when it is for a target. The statuses are
// those of the User Guide, "Troubleshoot your Application Load Balancers"; that of CONNECT is the Classic Load
// Balancer's, because there is none in that guide.
func refusal(r *http.Request) int {
	switch {
	case r.Method == http.MethodTrace:
		return http.StatusMethodNotAllowed
	case r.Method == http.MethodConnect:
		return http.StatusBadRequest
	case len(r.Method)+len(r.RequestURI)+len(r.Proto)+len("  \r\n") > maxRequestLine:
		return http.StatusRequestURITooLong
	}
	total := 0
	fits := func(name, value string) bool {
		n := len(name) + len(value) + len(": \r\n")
		total += n
		return n <= maxHeaderField && total <= maxRequestHeader
	}
	if !fits("Host", r.Host) {
		return http.StatusBadRequest
	}
	for name, values := range r.Header {
		for _, v := range values {
			if !fits(name, v) {
				return http.StatusBadRequest
			}
		}
	}
	return 0
}

const traceHeader = "X-Amzn-Trace-Id"

// traced is the trace header that a target gets, as the User Guide says in "Request tracing for your Application Load
// Balancer": a Root when the client has sent none, else a Self before what it has sent.
func traced(sent []string, now time.Time) string {
	var kept []string
	rooted := false
	for _, line := range sent {
		for field := range strings.SplitSeq(line, ";") {
			field = strings.TrimSpace(field)
			switch name, _, _ := strings.Cut(field, "="); name {
			case "", "Self":
				continue
			case "Root":
				rooted = true
			}
			kept = append(kept, field)
		}
	}
	name := "Root"
	if rooted {
		name = "Self"
	}
	own := fmt.Sprintf("%s=1-%08x-%s", name, uint32(now.Unix()), randomHex(12))
	return strings.Join(append([]string{own}, kept...), ";")
}

// randomHex is that many random bytes, two digits each.
func randomHex(bytes int) string {
	id := make([]byte, bytes)
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(id)
}

// upload is the body of a request with the client's clock on it: each read may take the idle timeout, and a client that
// lets one wait longer is late, whatever its target does.
type upload struct {
	body    io.ReadCloser
	control *http.ResponseController
	idle    time.Duration

	mu     sync.Mutex
	done   bool  // there is no more to read
	ending bool  // reads have one deadline all together now
	late   bool  // a read took longer than the idle timeout
	failed error // what ended the reading before the body's end
}

// newUpload is nil of a request without a body.
func newUpload(w http.ResponseWriter, r *http.Request, idle time.Duration) *upload {
	if r.ContentLength == 0 {
		return nil
	}
	return &upload{body: r.Body, control: http.NewResponseController(w), idle: idle}
}

func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	if !u.ending {
		_ = u.control.SetReadDeadline(time.Now().Add(u.idle))
	}
	u.mu.Unlock()
	n, err := u.body.Read(p)
	if err == nil {
		return n, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case errors.Is(err, io.EOF):
		u.done = true
		if !u.ending {
			_ = u.control.SetReadDeadline(time.Time{}) // the connection is watched for its client's end from now on
		}
	default:
		u.late = u.late || !u.ending && errors.Is(err, os.ErrDeadlineExceeded)
		u.failed = err
	}
	return n, err
}

// end lets the reading go on for at most that long.
func (u *upload) end(within time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return
	}
	u.ending = true
	_ = u.control.SetReadDeadline(time.Now().Add(within))
}

// complete says whether the client has sent all.
func (u *upload) complete() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.done
}

// state says whether the client was late, and whether reading failed.
func (u *upload) state() (late bool, failed error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.late, u.failed
}

// discard reads what is left, for at most that long, once nobody else does.
func (u *upload) discard(within time.Duration) {
	if u == nil {
		return
	}
	u.end(within)
	if _, failed := u.state(); failed == nil {
		_, _ = io.Copy(io.Discard, u)
	}
}
