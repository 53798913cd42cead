package result

import (
	"errors"
	"io/fs"
	"os"
)

// storage is what the writer needs of a file. It writes at offsets of its own, not by appending:
// a file that is opened for appending cannot be shortened on Windows.
type storage interface {
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// growing is a file that grows by whole records.
type growing struct {
	name string
	file storage
	size int64 // of what was written whole
}

// append writes a record, or nothing of it.
func (g *growing) append(record []byte) error {
	n, err := g.file.WriteAt(record, g.size)
	if err != nil {
		g.truncate()
		return named(g.name, err)
	}
	g.size += int64(n)
	return nil
}

// truncate cuts what is behind the last whole record. When that fails too, the next record is
// written over it, and close tries once more.
func (g *growing) truncate() { _ = g.file.Truncate(g.size) }

// undo takes back what was appended since the file had a size.
func (g *growing) undo(size int64) {
	g.size = size
	g.truncate()
}

// close makes sure that what was written is on disk.
func (g *growing) close() error {
	g.truncate()
	err := g.file.Sync()
	if cerr := g.file.Close(); err == nil {
		err = cerr
	}
	return named(g.name, err)
}

// named is an error about a file of the result: the file's name and what the system says, without the path.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return &fileError{name, err}
}

type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return e.name + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }
