package http1

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// Limits on what an answer may be, beside the body. They are net/http's.
const (
	// DefaultMaxHeader is the most bytes of all header lines of an answer, and of all interim answers before it.
	DefaultMaxHeader = 1 << 20
	maxChunkLine     = 4096
	maxTrailer       = 4096
	// maxChunkExcess bounds what chunk headers and extensions may cost beyond the data that they carry.
	maxChunkExcess = 16 << 10
)

// Error is an answer that is not HTTP/1.x as this package reads it.
type Error struct{ What string }

func (e *Error) Error() string { return "malformed answer: " + e.What }

// The faults are values, so that a server that answers nonsense at full speed costs no memory.
var (
	errStatusLine       = &Error{"the first line is no HTTP status line"}
	errHeaderLine       = &Error{"a header line is not NAME: VALUE"}
	errHeaderLong       = &Error{"the header is above the limit"}
	errLength           = &Error{"Content-Length is not one number"}
	errTransferEncoding = &Error{"Transfer-Encoding is not chunked"}
	errChunk            = &Error{"the chunked body is broken"}
	errChunkExcess      = &Error{"the chunked body has more overhead than data"}
	errTrailer          = &Error{"the trailer is above the limit"}
)

// What End returns when the connection was closed too early.
var (
	ErrNoAnswer = fmt.Errorf("the connection ended before an answer: %w", io.EOF)
	ErrShort    = fmt.Errorf("the connection ended inside the answer: %w", io.ErrUnexpectedEOF)
)

// state is what the next byte belongs to.
type state uint8

const (
	statusLine state = iota
	headerLine
	bodyLength // as many bytes as Content-Length said
	bodyClose  // all bytes until the connection ends
	chunkLine
	chunkData
	chunkEnd // CR LF after a chunk's data
	trailerLine
	done
)

// Reader reads one answer after the other from one connection. The zero value reads answers to a GET; call Start
// before each further answer.
type Reader struct {
	// MaxHeader is the most bytes of header; 0 is DefaultMaxHeader.
	MaxHeader int64
	// Field, when not nil, is called for each header field of the final answer, not for trailers. The slices are
	// valid during the call only; the name is as it was sent, the value without blanks around it.
	Field func(name, value []byte)
	// Data, when not nil, is called for each piece of the body, decoded. The slice is valid during the call only.
	Data func(piece []byte)
	// Recall makes the reader keep the last header, up to 1 KB, so as to know it when the next answer has the same. It
	// is for connections whose answers come fast; nothing else changes by it.
	Recall bool

	state  state
	noBody bool // the request was a HEAD

	status    int
	minor     int // of HTTP/1.minor
	began     bool
	interim   int
	body      int64
	reusable  bool
	keepAlive bool // Connection: keep-alive was said, which HTTP/1.0 needs
	chunked   bool
	encodings int   // Transfer-Encoding fields
	badCoding bool  // one of them is not "chunked"
	length    int64 // Content-Length; -1 when there is none

	left   int64  // bytes of the body, or of the chunk, still to come
	budget int64  // bytes of header still allowed
	excess int64  // chunk overhead so far beyond what the data justifies
	line   []byte // the line that is under way, when it did not arrive in one piece
	first  bool   // no header line was seen yet
	seen   *seen
}

// Start makes the reader ready for the answer to a request with the given method.
func (r *Reader) Start(method string) {
	r.noBody = method == "HEAD"
	r.begin()
	if r.Recall && r.seen == nil {
		r.seen = &seen{}
	}
}

func (r *Reader) begin() {
	r.state = statusLine
	r.began, r.interim, r.body = false, 0, 0
	r.budget = r.MaxHeader
	r.line = r.line[:0]
	r.startHeader()
}

// startHeader forgets what an answer's header has said, before the first and after each interim one.
func (r *Reader) startHeader() {
	if r.budget == 0 {
		r.budget = DefaultMaxHeader
	}
	r.status, r.minor = 0, 0
	r.reusable, r.keepAlive, r.chunked, r.badCoding, r.encodings = true, false, false, false, 0
	r.length, r.excess, r.first = -1, 0, true
}

// Status is the final answer's status code, 0 before it was read.
func (r *Reader) Status() int { return r.status }

// Began reports whether a byte of the final answer was read. While interim answers (1xx) arrive it is false again
// after each of them.
func (r *Reader) Began() bool { return r.began }

// Interim is how many interim answers (1xx) came before the final one.
func (r *Reader) Interim() int { return r.interim }

// Body is how many bytes of the body were read, without chunk headers.
func (r *Reader) Body() int64 { return r.body }

// Headed reports whether the final answer's header was read whole, so that its status counts whatever happens to its body.
func (r *Reader) Headed() bool { return r.state > headerLine }

// Done reports whether the answer is complete.
func (r *Reader) Done() bool { return r.state == done }

// Reusable reports, once the answer is Done, whether the connection may carry another request.
func (r *Reader) Reusable() bool { return r.state == done && r.reusable }

// Spoil says that the connection must not be used again, whatever the answer said.
func (r *Reader) Spoil() { r.reusable = false }

// Feed reads from data and returns how many bytes belong to the answer: all of them until it is Done. Bytes beyond
// were not asked for; a connection that brings them must not be used again. An error is final.
//
// Stricter than net/http: only HTTP/1.x is accepted, the status is three digits, and "HTTP/1.1 101" ends the answer
// (what follows is another protocol).
func (r *Reader) Feed(data []byte) (n int, err error) {
	from := -1 // of a final answer's header
	for n < len(data) && r.state != done {
		var used int
		if r.seen != nil && r.state == statusLine && len(r.line) == 0 {
			if used = r.recall(data[n:]); used > 0 {
				n += used
				continue
			}
			from = n
		}
		switch r.state {
		case bodyLength, bodyClose, chunkData:
			used = r.feedBody(data[n:])
		case chunkEnd:
			used, err = r.feedChunkEnd(data[n:])
		default:
			used, err = r.feedLine(data[n:])
		}
		n += used
		if err != nil {
			return n, err
		}
		if from >= 0 && r.state > headerLine {
			r.see(data[from:n])
			from = -1
		}
	}
	return n, nil
}

// End says that the other side closed the connection. It returns nil when that completes the answer.
func (r *Reader) End() error {
	switch {
	case r.state == bodyClose || r.state == done:
		r.state = done
		return nil
	case r.state == statusLine && !r.began && r.interim == 0:
		return ErrNoAnswer
	default:
		return ErrShort
	}
}

func (r *Reader) feedBody(data []byte) int {
	if r.state != bodyClose && int64(len(data)) > r.left {
		data = data[:r.left]
	}
	r.body += int64(len(data))
	if r.Data != nil {
		r.Data(data)
	}
	if r.state == bodyClose {
		return len(data)
	}
	if r.left -= int64(len(data)); r.left == 0 {
		if r.state == chunkData {
			r.state = chunkEnd
		} else {
			r.state = done
		}
	}
	return len(data)
}

func (r *Reader) feedChunkEnd(data []byte) (int, error) {
	for i, c := range data {
		switch {
		case len(r.line) == 0 && c == '\r':
			r.line = append(r.line, c)
		case len(r.line) == 1 && c == '\n':
			r.line, r.state = r.line[:0], chunkLine
			return i + 1, nil
		default:
			return i, errChunk
		}
	}
	return len(data), nil
}

// feedLine takes one line of the header, of a chunk or of the trailer, or the part of it that has arrived. A header
// line is complete only when the byte after it is known not to continue it (RFC 9112, 5.2: obs-fold).
func (r *Reader) feedLine(data []byte) (int, error) {
	if r.state == statusLine {
		r.began = true
	}
	if n := len(r.line); n > 0 && r.line[n-1] == '\n' && r.folds() {
		// A whole line has been waiting for the byte after it.
		if data[0] != ' ' && data[0] != '\t' {
			err := r.endLine(r.line)
			r.line = r.line[:0]
			return 0, err
		}
		r.line = append(trimRight(trimEOL(r.line)), ' ')
	}
	end := bytes.IndexByte(data, '\n')
	used := end + 1
	if end < 0 {
		used = len(data)
	}
	if err := r.spend(used); err != nil {
		return used, err
	}
	switch {
	case end < 0:
		r.line = append(r.line, data...)
		return used, nil
	case len(r.line) == 0 && r.ends(data[:used], data[used:]):
		return used, r.endLine(data[:used]) // the common case: nothing is copied
	default:
		r.line = append(r.line, data[:used]...)
		if !r.ends(r.line, data[used:]) {
			return used, nil
		}
		err := r.endLine(r.line)
		r.line = r.line[:0]
		return used, err
	}
}

// folds reports whether lines of the state may be continued by one that begins with a blank.
func (r *Reader) folds() bool { return r.state == headerLine || r.state == trailerLine }

// ends reports whether a line is complete, given what has arrived after it.
func (r *Reader) ends(line, after []byte) bool {
	switch {
	case !r.folds() || isBlank(line):
		return true
	case len(after) == 0:
		return false
	default:
		return after[0] != ' ' && after[0] != '\t'
	}
}

// spend counts bytes of lines against the limit of their kind.
func (r *Reader) spend(n int) error {
	switch r.state {
	case chunkLine:
		if len(r.line)+n > maxChunkLine {
			return errChunk
		}
	case trailerLine:
		if r.left -= int64(n); r.left < 0 {
			return errTrailer
		}
	default:
		if r.budget -= int64(n); r.budget < 0 {
			return errHeaderLong
		}
	}
	return nil
}

// endLine acts on a whole line, its line feed included.
func (r *Reader) endLine(line []byte) error {
	switch r.state {
	case statusLine:
		return r.readStatus(trimEOL(line))
	case chunkLine:
		return r.readChunkLine(line)
	case trailerLine:
		if isBlank(line) {
			r.state = done
			return nil
		}
		_, _, err := r.split(line)
		return err
	default:
		if isBlank(line) {
			return r.endHeader()
		}
		name, value, err := r.split(line)
		if err != nil {
			return err
		}
		return r.field(name, value)
	}
}

// readStatus reads "HTTP/1.1 200 OK"; the reason may be missing.
func (r *Reader) readStatus(line []byte) error {
	const prefix = "HTTP/1."
	if len(line) < len(prefix)+5 || string(line[:len(prefix)]) != prefix || line[8] != ' ' || line[7] < '0' || line[7] > '9' {
		return errStatusLine
	}
	r.minor = int(line[7] - '0')
	rest := bytes.TrimLeft(line[9:], " ")
	if len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return errStatusLine
	}
	for _, c := range rest[:3] {
		if c < '0' || c > '9' {
			return errStatusLine
		}
		r.status = r.status*10 + int(c-'0')
	}
	r.state = headerLine
	return nil
}

// split cuts a header line at its first colon.
func (r *Reader) split(line []byte) (name, value []byte, err error) {
	if r.first && (line[0] == ' ' || line[0] == '\t') {
		return nil, nil, errHeaderLine // nothing that it could continue
	}
	r.first = false
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return nil, nil, errHeaderLine
	}
	name, value = line[:colon], trimBlanks(trimEOL(line[colon+1:]))
	for _, c := range name {
		if !isToken[c] && c != ' ' {
			return nil, nil, errHeaderLine
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, errHeaderLine
		}
	}
	return name, value, nil
}

// field takes note of what decides where the answer ends, and passes the field on.
func (r *Reader) field(name, value []byte) error {
	switch len(name) {
	case len("Connection"):
		if equalFold(name, "connection") {
			if hasToken(value, "close") {
				r.reusable = false
			}
			r.keepAlive = r.keepAlive || hasToken(value, "keep-alive")
		}
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			n, ok := parseLength(value)
			if !ok || r.length >= 0 && n != r.length {
				return errLength
			}
			r.length = n
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			r.encodings++
			r.badCoding = r.badCoding || !equalFold(value, "chunked")
		}
	}
	if r.Field != nil && (r.status >= 200 || r.status < 100) {
		r.Field(name, value)
	}
	return nil
}

// endHeader decides how long the body is: RFC 9112, 6.3.
func (r *Reader) endHeader() error {
	if r.minor == 0 {
		r.reusable = r.reusable && r.keepAlive
	} else if r.encodings > 0 { // HTTP/1.0 has no transfer encodings; one that is named is ignored, as net/http does
		if r.encodings > 1 || r.badCoding {
			return errTransferEncoding
		}
		r.chunked = true
	}
	switch {
	case r.status == 101:
		r.reusable, r.state = false, done
	case r.status >= 100 && r.status < 200:
		r.interim++
		r.began = false
		r.state = statusLine
		r.startHeader()
	case r.noBody || r.status == 204 || r.status == 304:
		r.state = done
	case r.chunked:
		r.state = chunkLine
	case r.length == 0:
		r.state = done
	case r.length > 0:
		r.left, r.state = r.length, bodyLength
	default:
		r.reusable, r.state = false, bodyClose
	}
	return nil
}

// readChunkLine reads "1f;extension\r\n": RFC 9112, 7.1.
func (r *Reader) readChunkLine(line []byte) error {
	size := line[:len(line)-1]
	if i := bytes.IndexByte(size, '\r'); i < 0 || i != len(size)-1 {
		return errChunk // a bare line feed, or a CR inside
	}
	size = size[:len(size)-1]
	r.excess += int64(len(size)) + 2
	size = trimRight(size)
	if i := bytes.IndexByte(size, ';'); i >= 0 {
		size = size[:i]
	}
	if len(size) == 0 || len(size) > 16 {
		return errChunk
	}
	var n uint64
	for _, c := range size {
		d := hexDigit(c)
		if d < 0 {
			return errChunk
		}
		n = n<<4 | uint64(d)
	}
	if n > math.MaxInt64 {
		return errChunk
	}
	if n > 1<<20 {
		r.excess = 0
	} else {
		r.excess = max(0, r.excess-16-2*int64(n))
	}
	if r.excess > maxChunkExcess {
		return errChunkExcess
	}
	if r.left = int64(n); n == 0 {
		r.left, r.state, r.first = maxTrailer, trailerLine, true
		return nil
	}
	r.state = chunkData
	return nil
}
