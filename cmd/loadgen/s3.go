package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/result"
)

// cloud is the configuration for AWS's APIs, which is read once, when it is first needed.
type cloud struct {
	load func() (session.Config, error)
}

func newCloud() *cloud {
	return &cloud{sync.OnceValues(func() (session.Config, error) {
		return session.Load(context.Background(), session.Options{Version: buildOf(version, debug.ReadBuildInfo).version})
	})}
}

// objects are those below a place in S3. Nothing is called yet.
func (c *cloud) objects(at store.Location) (store.Objects, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	return store.NewBucket(store.Client(cfg), at), nil
}

// explained is what was wrong with a call, about what the user named, with what to try.
func explained(field string, err error) error {
	hint := ""
	if e, ok := errors.AsType[*session.Error](err); ok {
		hint = e.Hint
	}
	return &input.Error{Field: field, Want: err.Error(), Hint: hint}
}

// place is what a URL of S3 names, and its objects.
func (c *cloud) place(where string) (at store.Location, objects store.Objects, err error) {
	if at, err = store.ParseURL(where); err != nil {
		return at, nil, err
	}
	if objects, err = c.objects(at); err != nil {
		return at, nil, explained(where, err)
	}
	return at, objects, nil
}

// open opens the result in a directory or in S3.
func (c *cloud) open(where string) (*result.Opened, error) {
	if !store.IsURL(where) {
		return result.Open(where)
	}
	at, objects, err := c.place(where)
	if err != nil {
		return nil, err
	}
	fsys, err := store.OpenRun(context.Background(), objects)
	if err != nil {
		return nil, explained("", err)
	}
	o, err := result.OpenFS(at.String(), fsys)
	if err != nil && !hasResult(fsys, ".") {
		if runs := runsIn(fsys); len(runs) > 0 {
			return nil, &input.Error{Want: err.Error(), Hint: "there are runs below it: " + atMost(runs, 5)}
		}
	}
	return o, err
}

// folder is what lies in a directory or in S3.
func (c *cloud) folder(where string) (fs.FS, error) {
	if !store.IsURL(where) {
		return os.DirFS(where), nil
	}
	_, objects, err := c.place(where)
	if err != nil {
		return nil, err
	}
	fsys, err := store.NewFS(context.Background(), objects)
	if err != nil {
		return nil, explained("", err)
	}
	return fsys, nil
}

// below is a name in a directory or a place in S3.
func below(where, name string) string {
	if store.IsURL(where) {
		return strings.TrimRight(where, "/") + "/" + filepath.ToSlash(name)
	}
	return filepath.Join(where, filepath.FromSlash(name))
}

// hasResult reports whether a folder is that of a result.
func hasResult(fsys fs.FS, dir string) bool {
	return slices.ContainsFunc([]string{"result.json", "plan.json"}, func(name string) bool {
		_, err := fs.Stat(fsys, filepath.ToSlash(filepath.Join(dir, name)))
		return err == nil
	})
}

// runsIn are the folders of a folder that are results.
func runsIn(fsys fs.FS) (names []string) {
	entries, _ := fs.ReadDir(fsys, ".")
	for _, e := range entries {
		if e.IsDir() && hasResult(fsys, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

func atMost(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[len(names)-n:], ", ") + fmt.Sprintf(" and %d older ones", len(names)-n)
	}
	return strings.Join(names, ", ")
}

// bucketFolder is a place in S3 as a folder of baselines.
type bucketFolder struct{ store.Objects }

func (b bucketFolder) Write(name string, content io.Reader) error {
	again, ok := content.(io.ReadSeeker) // a call that is tried again begins anew
	if !ok {
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		again = strings.NewReader(string(data))
	}
	return b.Create(context.Background(), name, again)
}

// parseS3 reads what --s3 is given.
func parseS3(text string) (store.Location, error) { return store.ParseURL(text) }

// How long the result may take to be copied to S3 when the run has ended. A task that was told to stop has 30 s in all.
const (
	copyTimeout        = 10 * time.Minute
	interruptedTimeout = 8 * time.Second
	sayCopyAfter       = 2 * time.Second
)

// keepInS3 makes the sink of --s3. With --out none the directory that it reads is one that is removed.
func (l *launch) keepInS3() (err error) {
	at := l.r.s3
	field := l.r.nameOf("s3")
	objects, err := l.env.cloud.objects(at)
	if err != nil {
		return usage(explained(field, err))
	}
	if l.dir == nil {
		if l.scratch, err = makeScratch(); err != nil {
			return usage(&input.Error{Field: field, Want: "the result is written to a directory before it is copied, and none can be made: " + reason(err), Hint: "give one with --out DIR"})
		}
		l.dir = &directory{path: l.scratch}
	}
	l.s3 = &store.Sink{Objects: objects, At: at, Dir: func() string { return l.dir.path }, Say: l.news}
	return nil
}

// news says a line while the run goes on, on the screen if there is one.
func (l *launch) news(line string) {
	if screen := l.screen.Load(); screen != nil {
		screen.News(line)
		return
	}
	l.plain.say("%s", line)
}

// makeScratch makes a directory for a result that is kept in S3 alone. The container image has no /tmp.
func makeScratch() (dir string, err error) {
	var first error
	for _, parent := range []string{os.TempDir(), "."} {
		if dir, err = os.MkdirTemp(parent, "loadgen-"); err == nil {
			return dir, nil
		}
		first = cmp.Or(first, err)
	}
	return "", first
}

// kept is where the result is, in words; empty when it is nowhere.
func (l *launch) kept() string {
	var places []string
	if l.scratch == "" && l.dir.kept() != "" {
		places = append(places, l.dir.kept())
	}
	if l.s3 != nil {
		places = append(places, l.s3.Where())
	}
	return strings.Join(places, " and ")
}

// shown is where `loadgen report` finds the result; empty when it is nowhere.
func (l *launch) shown() string {
	if l.scratch != "" && l.s3 != nil {
		return l.s3.Where()
	}
	return l.dir.kept()
}

// copyToS3 completes the result in S3. When that fails the result says so, here and on disk, and the run has failed.
func (l *launch) copyToS3(res *result.Result, failed error) (*result.Result, error) {
	limit := copyTimeout
	if l.ctx.Err() != nil {
		limit = interruptedTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ends := l.ctx.Done() // a signal ends it
	if l.ctx.Err() != nil {
		ends = l.stopper.cut // a second one
	}
	go func() {
		select {
		case <-ends:
			cancel()
		case <-ctx.Done():
		}
	}()
	slow := time.AfterFunc(sayCopyAfter, func() { l.plain.say("note: the result is being copied to %s", l.s3.Where()) })
	err := l.s3.Complete(ctx)
	slow.Stop()
	if err == nil {
		if l.scratch == "" {
			l.plain.say("note: the result is in %s", l.s3.Where())
		}
		return res, failed
	}
	e := &input.Error{Field: l.r.nameOf("s3"), Want: "the result is not complete there: " + err.Error(), Hint: "aws s3 cp --recursive " + l.dir.path + " " + l.s3.Where()}
	if at, ok := errors.AsType[*session.Error](err); ok && at.Kind == session.Canceled || ctx.Err() != nil {
		e.Want = "the result is not complete there: it was copied for " + limit.String() + " or until a signal; its parts are there, and the whole of it is in " + l.dir.path
	}
	l.scratch = "" // it is what is left
	res = loadgen.WithFailure(res, e)
	return res, errors.Join(failed, e, l.dir.Finish(res))
}
