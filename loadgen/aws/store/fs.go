package store

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FS are objects as a folder to read, as they were listed when it was made. An object is fetched when it is opened, and one of up to 64 MiB once.
type FS struct {
	ctx   context.Context
	from  Objects
	files map[string]*object
	dirs  map[string][]fs.DirEntry // sorted by name
}

// cached is up to which size an object is kept in memory.
const cached = 64 << 20

// object is one file.
type object struct {
	name string // whole
	size int64
	time time.Time

	mu      sync.Mutex
	fetched bool
	content []byte
}

// NewFS lists the objects. ctx holds for all that is read later, too.
func NewFS(ctx context.Context, from Objects) (*FS, error) {
	all, err := from.List(ctx, "")
	if err != nil {
		return nil, err
	}
	return newFS(ctx, from, all), nil
}

// newFS leaves out what cannot be a file: names that end with a slash, as consoles make them for folders, and those that are no path.
func newFS(ctx context.Context, from Objects, all []Object) *FS {
	f := &FS{ctx: ctx, from: from, files: map[string]*object{}, dirs: map[string][]fs.DirEntry{".": nil}}
	for _, o := range all {
		if fs.ValidPath(o.Name) && o.Name != "." {
			f.files[o.Name] = &object{name: o.Name, size: o.Size, time: o.Modified}
		}
	}
	f.index()
	return f
}

// index makes the folders. A name that is both a file and a folder is a folder.
func (f *FS) index() {
	for name := range f.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			f.dirs[dir] = nil
		}
	}
	for name, o := range f.files {
		if _, isDir := f.dirs[name]; isDir {
			delete(f.files, name)
			continue
		}
		f.dirs[path.Dir(name)] = append(f.dirs[path.Dir(name)], fs.FileInfoToDirEntry(o))
	}
	for name := range f.dirs {
		if name != "." {
			f.dirs[path.Dir(name)] = append(f.dirs[path.Dir(name)], fs.FileInfoToDirEntry(folder(name)))
		}
	}
	for _, entries := range f.dirs {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
}

// Open is of fs.FS.
func (f *FS) Open(name string) (fs.File, error) {
	failed := func(err error) error { return &fs.PathError{Op: "open", Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return nil, failed(fs.ErrInvalid)
	}
	if entries, ok := f.dirs[name]; ok {
		return &openDir{folder: folder(name), entries: entries}, nil
	}
	o, ok := f.files[name]
	if !ok {
		return nil, failed(fs.ErrNotExist)
	}
	content, err := o.open(f.ctx, f.from)
	if err != nil {
		return nil, failed(err)
	}
	return &openFile{ReadCloser: content, object: o}, nil
}

// ReadDir is of fs.ReadDirFS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, ok := f.dirs[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(entries), nil
}

func (o *object) open(ctx context.Context, from Objects) (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.fetched {
		r, err := from.Get(ctx, o.name)
		if err != nil || o.size > cached {
			return r, err
		}
		content, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil {
			return nil, err
		}
		o.fetched, o.content, o.size = true, content, int64(len(content))
	}
	return readSeeker{bytes.NewReader(o.content)}, nil
}

// readSeeker is content in memory: whoever writes it elsewhere can begin again.
type readSeeker struct{ *bytes.Reader }

func (readSeeker) Close() error { return nil }

// Of fs.FileInfo.

func (o *object) Name() string       { return path.Base(o.name) }
func (o *object) Size() int64        { return o.size }
func (o *object) Mode() fs.FileMode  { return 0o444 }
func (o *object) ModTime() time.Time { return o.time }
func (o *object) IsDir() bool        { return false }
func (o *object) Sys() any           { return nil }

// folder is the fs.FileInfo of one.
type folder string

func (d folder) Name() string       { return path.Base(string(d)) }
func (d folder) Size() int64        { return 0 }
func (d folder) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (d folder) ModTime() time.Time { return time.Time{} }
func (d folder) IsDir() bool        { return true }
func (d folder) Sys() any           { return nil }

type openFile struct {
	io.ReadCloser
	object *object
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.object, nil }

// Seek is of io.Seeker, where the content is in memory.
func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	if s, ok := f.ReadCloser.(io.Seeker); ok {
		return s.Seek(offset, whence)
	}
	return 0, errors.ErrUnsupported
}

type openDir struct {
	folder
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.folder, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: string(d.folder), Err: errors.New("is a directory")}
}

// ReadDir is of fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.entries) {
		if n > 0 && len(d.entries) == 0 {
			return nil, io.EOF
		}
		n = len(d.entries)
	}
	next := d.entries[:n]
	d.entries = d.entries[n:]
	return slices.Clone(next), nil
}

// OpenRun is the folder that a run left, by the objects below its ID: as they are when result.json is there, else with what its parts add up
// to. Where neither is a part of it, it is all objects, as [NewFS] has them.
func OpenRun(ctx context.Context, from Objects) (*FS, error) {
	all, err := from.List(ctx, "")
	if err != nil {
		return nil, err
	}
	has := func(name string) bool { return slices.ContainsFunc(all, func(o Object) bool { return o.Name == name }) }
	var parts, rest []Object
	for _, o := range all {
		if strings.HasPrefix(o.Name, partsDir) {
			parts = append(parts, o)
		} else {
			rest = append(rest, o)
		}
	}
	f := newFS(ctx, from, rest)
	if has(resultName) || !has(planName) {
		return f, nil
	}
	// Files that are whole here were copied by a process that then was killed; some may be missing, and parts have all.
	files, err := assemble(ctx, from, parts)
	if err != nil {
		return nil, err
	}
	f.dirs = map[string][]fs.DirEntry{".": nil}
	for _, name := range growing {
		delete(f.files, name)
		if content, ok := files[name]; ok {
			f.files[name] = &object{name: name, size: int64(len(content)), fetched: true, content: content}
		}
	}
	f.index()
	return f, nil
}

// fetchers is how many parts are read at once.
const fetchers = 16

// assemble adds up parts, up to the first that is not there: what is behind it cannot be read.
func assemble(ctx context.Context, from Objects, parts []Object) (map[string][]byte, error) {
	contents := make([][]byte, len(parts))
	errs := make([]error, len(parts))
	slots := make(chan struct{}, fetchers)
	var all sync.WaitGroup
	for i := range parts {
		if parts[i].Name != partName(i+1) {
			break
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			contents[i], errs[i] = Read(ctx, from, parts[i].Name, int64(len(growing))*4*maxPart)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// A run that was cut at once has no windows, and is one all the same.
	files := map[string][]byte{"windows.jsonl": {}, "latency.hlog": {}}
	for i, content := range contents {
		if content == nil {
			break
		}
		if err := unpack(content, files); err != nil {
			return nil, fmt.Errorf("%s: %w", parts[i].Name, err)
		}
	}
	return files, nil
}

// unpack adds a part to files.
func unpack(part []byte, files map[string][]byte) error {
	r := tar.NewReader(bytes.NewReader(part))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !slices.Contains(growing, h.Name) {
			continue // of a version to come
		}
		offset, err := strconv.Atoi(h.PAXRecords[offsetKey])
		have := files[h.Name]
		if err != nil || offset < 0 || offset > len(have) {
			return fmt.Errorf("%s: want an offset of at most %d bytes", h.Name, len(have))
		}
		lines, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		files[h.Name] = append(have[:offset], lines...)
	}
}
