package store

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"scalableappbackend/loadgen/result"
)

// How a run is written. All is in real time.
const (
	// PartEvery is how often a part is written, if there is news.
	PartEvery = 10 * time.Second
	// startTimeout is how long the first object may take, before any load.
	startTimeout = 20 * time.Second
	// partTimeout is how long a part may take. One that failed is written again with what came after it.
	partTimeout = 30 * time.Second
	// lastTimeout is how long the last part may take: all sinks of a run are ended within result.CloseTimeout.
	lastTimeout = result.CloseTimeout - time.Second/2
	// maxPart bounds a part, in bytes of one file: what a long failure leaves goes into several.
	maxPart = 16 << 20
)

// Sink keeps a run in Objects while it goes on. It reads the files that the directory of the same run grows, which therefore
// stands before it among the run's sinks, and asks nothing of the run itself: it works in a goroutine of its own,
// and neither a slow nor a failing store holds up anything.
//
// When the run has ended and all its sinks with it, [Sink.Complete] writes the files as they are then. A run whose Complete is not
// called, or fails, is read as one that was cut, with all that was measured.
type Sink struct {
	result.NopSink
	// Objects are those of the prefix; the run is kept below its ID. At is where they are, for messages.
	Objects Objects
	At      Location
	// Dir is the result's directory, asked when it has been made.
	Dir func() string
	// Say, when not nil, is told in a line when the store begins to fail and when it is back.
	Say func(line string)
	// Every replaces PartEvery in tests.
	Every time.Duration

	id      string
	objects Objects // below the ID
	stop    chan struct{}
	done    chan struct{} // closed when that goroutine has ended
	cancel  context.CancelFunc
	closing time.Time // when Close was called

	// Of the goroutine that writes parts, and then of Finish.
	plan    []byte           // as it was written last
	read    map[string]int64 // how much of a file is in parts
	parts   int
	failing bool
}

// growing are the files that parts are of, in the order in which they are read: a line of windows.jsonl is written after the
// latencies that belong to it, and so it is read before them.
var growing = []string{"windows.jsonl", "capacity.jsonl", "events.jsonl", "latency.hlog"}

// planName is what says how to read the others.
const planName = "plan.json"

// Start writes the first object, plan.json, and so finds out whether the store can be written to. Its error refuses the run, and is a *RefusedError.
func (s *Sink) Start(m *result.Meta) error {
	s.id = m.ID
	s.objects = Below(s.Objects, s.id)
	text, err := result.EncodePlan(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.objects.Put(ctx, planName, bytes.NewReader(text)); err != nil {
		return &RefusedError{err}
	}
	return nil
}

// RefusedError is that a run's first object could not be written.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// Begin starts to look at the directory.
func (s *Sink) Begin(*result.Meta) error {
	s.read, s.stop, s.done = map[string]int64{}, make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.work(ctx)
	return nil
}

func (s *Sink) work(ctx context.Context) {
	defer close(s.done)
	every := s.Every
	if every == 0 {
		every = PartEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for first := true; ; first = false {
		if !first {
			select {
			case <-tick.C:
			case <-s.stop:
				return
			}
		}
		ctx, cancel := context.WithTimeout(ctx, partTimeout)
		err := s.write(ctx)
		cancel()
		if s.stopped() {
			return // Finish tries once more
		}
		s.told(err)
	}
}

func (s *Sink) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// told says when parts begin to fail, and when they are written again.
func (s *Sink) told(err error) {
	switch {
	case s.Say == nil || s.failing == (err != nil):
	case err != nil:
		s.Say(fmt.Sprintf("warning: %v; the run goes on, its result is on disk, and this is tried again", err))
	default:
		s.Say("note: " + s.Where() + " can be written again, and nothing is missing there")
	}
	s.failing = err != nil
}

// write writes what the directory has that the store has not. After an error the same is tried again.
func (s *Sink) write(ctx context.Context) error {
	for {
		part, read, err := s.news()
		if err != nil {
			return fmt.Errorf("%s: %w", s.Where(), err)
		}
		if err := s.writePlan(ctx); err != nil || len(part) == 0 {
			return err
		}
		if err := s.objects.Put(ctx, partName(s.parts+1), bytes.NewReader(part)); err != nil {
			return err
		}
		s.parts++
		s.read = read
	}
}

// writePlan writes plan.json when it has changed: by the moment at which the clock read 0, and by edits.
func (s *Sink) writePlan(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(s.Dir(), planName))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && bytes.Equal(text, s.plan):
		return nil
	case err != nil:
		return err
	}
	if err := s.objects.Put(ctx, planName, bytes.NewReader(text)); err != nil {
		return err
	}
	s.plan = text
	return nil
}

// partName is that of the n-th part.
func partName(n int) string { return fmt.Sprintf("%s%06d", partsDir, n) }

const partsDir = "parts/"

// offsetKey is where an entry of a part says how many bytes of its file came before it.
const offsetKey = "LOADGEN.offset"

// news is what files have grown by since the last part, as a part: an archive of tar with an entry for each file, in whole lines.
// It is empty when there is none. read is how much is in parts with it.
func (s *Sink) news() (part []byte, read map[string]int64, err error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	read = map[string]int64{}
	for _, name := range growing {
		from := s.read[name]
		lines, err := linesFrom(filepath.Join(s.Dir(), name), from)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		read[name] = from + int64(len(lines))
		if len(lines) == 0 {
			continue
		}
		err = w.WriteHeader(&tar.Header{
			Name: name, Mode: 0o644, Size: int64(len(lines)), Format: tar.FormatPAX,
			PAXRecords: map[string]string{offsetKey: fmt.Sprint(from)},
		})
		if err == nil {
			_, err = w.Write(lines)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if buffer.Len() == 0 {
		return nil, read, nil
	}
	return buffer.Bytes(), read, w.Close()
}

// linesFrom are the whole lines of a file behind an offset, up to maxPart, or a single one that is longer. A file that is not there has none.
func linesFrom(path string, offset int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	defer f.Close()
	for size := int64(maxPart); ; size *= 4 {
		data, err := io.ReadAll(io.NewSectionReader(f, offset, size))
		if err != nil {
			return nil, err
		}
		if whole := bytes.LastIndexByte(data, '\n') + 1; whole > 0 || int64(len(data)) < size {
			return data[:whole], nil
		}
	}
}

// Close ends the parts that are written as the run goes on.
func (s *Sink) Close() error {
	if s.stop == nil {
		return nil
	}
	s.closing = time.Now()
	close(s.stop)
	// A part that is under way may finish, in half of the time; else it is begun again.
	giveUp := time.AfterFunc(lastTimeout/2, s.cancel)
	<-s.done
	giveUp.Stop()
	s.cancel()
	return nil
}

// Finish writes the last part, of what the directory grew by until it was closed. It is a way out for a process that is killed
// before Complete has ended, and it is Complete that says what is wrong.
func (s *Sink) Finish(*result.Result) error {
	if s.stop == nil {
		return nil
	}
	ctx, cancel := context.WithDeadline(context.Background(), s.closing.Add(lastTimeout))
	defer cancel()
	_ = s.write(ctx)
	return nil
}

// Where is the URL of the run; that of all runs before it has an ID.
func (s *Sink) Where() string { return s.At.Below(s.id).String() }

// Complete writes the files of the result's directory, result.json last. It is called once, when the run has ended. Files in the
// directory that are not of the result are left alone.
func (s *Sink) Complete(ctx context.Context) error {
	names := slices.DeleteFunc(result.FileNames(), func(name string) bool { return name == resultName })
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { errs[i] = s.copy(ctx, name) })
	}
	all.Wait()
	err := errors.Join(errs...)
	if err == nil {
		err = s.copy(ctx, resultName)
	}
	if one, ok := err.(interface{ Unwrap() []error }); ok { // one reason is enough: it is the same for all
		err = one.Unwrap()[0]
	}
	return err
}

const resultName = "result.json"

func (s *Sink) copy(ctx context.Context, name string) error {
	f, err := os.Open(filepath.Join(s.Dir(), name))
	switch {
	case errors.Is(err, fs.ErrNotExist) && name != resultName && name != planName:
		return nil // not every run has all
	case err != nil:
		return fmt.Errorf("%s: %w", s.Where(), err)
	}
	defer f.Close()
	return s.objects.Put(ctx, name, f)
}
