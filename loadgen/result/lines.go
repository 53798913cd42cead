package result

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// errCut says that a file ends within a line, as a killed process leaves it.
var errCut = errors.New("ends too early")

// maxLine bounds a line of any file of a result. One interval of 1,000 endpoints takes some 10 MB.
const maxLine = 64 << 20

// lineReader reads a file by lines, and names file and line in its errors.
type lineReader struct {
	name string
	from *bufio.Reader
	buf  []byte
	line int // of the line that was read last, from 1
}

func newLineReader(name string, from io.Reader) *lineReader {
	return &lineReader{name: name, from: bufio.NewReaderSize(from, 64<<10)}
}

// next returns a line without its end, valid until the next call; io.EOF after the last line, and
// errCut for one without an end.
func (r *lineReader) next() ([]byte, error) {
	r.buf = r.buf[:0]
	r.line++
	for {
		part, err := r.from.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case len(r.buf) > maxLine:
			return nil, r.errorf("longer than %d MiB", maxLine>>20)
		case err == nil:
			return bytes.TrimRight(r.buf, "\r\n"), nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(r.buf) == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, r.errorf("%w", errCut)
		default:
			return nil, r.errorf("%w", err)
		}
	}
}

func (r *lineReader) errorf(format string, args ...any) error {
	return fmt.Errorf("%s line %d: %w", r.name, r.line, fmt.Errorf(format, args...))
}
