// Package store keeps runs in S3, and reads them from there.
//
// [Objects] is all that it needs of a bucket: put, create, get and list. [Bucket] is one below a prefix of S3; [Memory] is one
// for tests; [Below] is a part of either. Names are relative, with slashes, and never begin with one.
//
// What a run leaves, below PREFIX/ID/:
//
//	plan.json        first, before any load
//	parts/000001     what the files of the result grew by, every 10 s
//	windows.jsonl …  the files of the result directory, at the end
//	result.json      last: its presence means that the rest is complete, and that parts are to be ignored
//
// [Sink] writes that, beside a result directory on disk, whose files it reads. It is as slow as S3 is and holds up nothing; a run whose
// process is killed leaves what was measured until the last part. [FS] reads it as a folder, whichever state it was left in.
//
// The package does not delete, and does not resume a run.
package store

import (
	"cmp"
	"context"
	"io"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"

	"scalableappbackend/internal/input"
)

// Objects are named contents. Every error that says that an object is not there is fs.ErrNotExist, and one that says that there is one
// already, fs.ErrExist. They may be used by several goroutines.
type Objects interface {
	// Put writes an object, and replaces one of that name.
	Put(ctx context.Context, name string, content io.ReadSeeker) error
	// Create writes a new object. One that exists stays as it is, and is fs.ErrExist.
	Create(ctx context.Context, name string, content io.ReadSeeker) error
	// Get reads an object.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns the objects whose names begin with prefix, ordered by name.
	List(ctx context.Context, prefix string) ([]Object, error)
}

// Object is one as List tells of it.
type Object struct {
	Name     string
	Size     int64 // bytes
	Modified time.Time
}

// Read returns the content of an object, of at most limit bytes; more is an error.
func Read(ctx context.Context, from Objects, name string, limit int64) ([]byte, error) {
	r, err := from.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &input.Error{Field: name, Want: "larger than expected"}
	}
	return data, err
}

// Below are the objects whose names begin with a folder's name and a slash, by the rest of their names.
func Below(o Objects, folder string) Objects { return &below{o, strings.Trim(folder, "/") + "/"} }

type below struct {
	Objects
	prefix string
}

func (b *below) Put(ctx context.Context, name string, content io.ReadSeeker) error {
	return b.Objects.Put(ctx, b.prefix+name, content)
}

func (b *below) Create(ctx context.Context, name string, content io.ReadSeeker) error {
	return b.Objects.Create(ctx, b.prefix+name, content)
}

func (b *below) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.Objects.Get(ctx, b.prefix+name)
}

func (b *below) List(ctx context.Context, prefix string) ([]Object, error) {
	all, err := b.Objects.List(ctx, b.prefix+prefix)
	for i := range all {
		all[i].Name = strings.TrimPrefix(all[i].Name, b.prefix)
	}
	return all, err
}

// Location is a place in S3.
type Location struct {
	Bucket string
	Prefix string // empty, or ending with a slash
}

// scheme is what a location begins with.
const scheme = "s3://"

// IsURL reports whether a text means a place in S3, and not a directory.
func IsURL(text string) bool {
	return len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme)
}

// bucketName is after the rules of "General purpose bucket naming rules" in the S3 user guide.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseURL reads "s3://BUCKET/PREFIX/"; prefix and last slash may be missing.
func ParseURL(text string) (Location, error) {
	const want = "s3://BUCKET/PREFIX/, e.g. s3://my-results/loadgen/"
	if !IsURL(text) {
		return Location{}, input.Refuse(text, want)
	}
	bucket, prefix, _ := strings.Cut(text[len(scheme):], "/")
	switch {
	case !bucketName.MatchString(bucket) || strings.Contains(bucket, ".."):
		return Location{}, input.Refuse(text, want+"; a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens")
	case strings.ContainsFunc(prefix, unicode.IsControl) || len(prefix) > 800: // a key takes 1,024 bytes
		return Location{}, input.Refuse(text, want+"; a prefix of at most 800 bytes without control characters")
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		if prefix != path.Clean(prefix) {
			return Location{}, input.Refuse(text, want+"; a prefix without empty parts, . and ..")
		}
		prefix += "/"
	}
	return Location{bucket, prefix}, nil
}

// String is the location's URL.
func (l Location) String() string { return scheme + l.Bucket + "/" + l.Prefix }

// Below is the location of a folder in this one.
func (l Location) Below(folder string) Location {
	if folder = strings.Trim(folder, "/"); folder != "" {
		l.Prefix += folder + "/"
	}
	return l
}

// byName orders objects.
func byName(a, b Object) int { return cmp.Compare(a.Name, b.Name) }
