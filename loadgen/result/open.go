package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// Opened is a result that was read from a directory.
type Opened struct {
	Dir  string
	Meta Meta

	// Result is what result.json holds. Of a run that was cut it is what the other files add up to,
	// with a warning that says so, and a verdict of SUSPECT with the reason "cut", which stands until
	// somebody judges the generator's health anew.
	Result *Result
	Cut    bool // the process ended before the run did: there is no result.json

	// Facts are what was told of capacity while it was watched, in the order in which it was told; of results from before
	// they were kept, what the timeline tells. Nil where nobody watched it.
	Facts []timeline.Fact

	files  files
	asTold bool // Facts are as they were told
}

// files opens a directory for as long as it is read. Names in it cannot lead out of it.
type files func() (fs.FS, io.Closer, error)

// StoppedByCut is Result.StoppedBy of a run whose process ended before the run did.
const StoppedByCut = "cut"

// maxDocument bounds plan.json and result.json. A result of 500 endpoints takes 2 MB.
const maxDocument = 64 << 20

// Open reads the result in a directory. A directory without result.json is of a run that was cut;
// what its other files hold is read then, up to the last whole interval. A directory that holds no
// result, one that another or a newer program wrote, and files that do not hold what a run leaves
// are refused with an error of one line that starts with the directory and names file and field.
func Open(dir string) (*Opened, error) {
	return open(dir, func() (fs.FS, io.Closer, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, nil, err
		}
		return root.FS(), root, nil
	})
}

// OpenFS is Open of a directory that fsys is, under a name for messages.
func OpenFS(name string, fsys fs.FS) (*Opened, error) {
	return open(name, func() (fs.FS, io.Closer, error) { return fsys, io.NopCloser(nil), nil })
}

func open(dir string, files files) (*Opened, error) {
	o := &Opened{Dir: dir, files: files}
	if err := o.read(); err != nil {
		return nil, fmt.Errorf("result %s: %w", dir, err)
	}
	return o, nil
}

func (o *Opened) read() error {
	fsys, closer, err := o.files()
	if err != nil {
		return pathless(err)
	}
	defer closer.Close()

	resultData, err := readDocument(fsys, resultName)
	hasResult := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	planData, err := readDocument(fsys, planName)
	switch {
	case errors.Is(err, fs.ErrNotExist) && hasResult: // result.json alone, copied from somewhere
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("holds no result: neither %s nor %s is there", resultName, planName)
	case err != nil:
		return err
	default:
		meta, err := decodePlan(planData)
		if err != nil {
			return fmt.Errorf("%s: %w", planName, err)
		}
		o.Meta = *meta
	}
	ledger, facts, err := readFacts(fsys, !hasResult)
	if err != nil {
		return err
	}
	o.Facts, o.asTold = facts, len(facts) > 0
	if !hasResult {
		o.Cut = true
		return o.rebuild(ledger)
	}
	if o.Result, err = Decode(resultData); err != nil {
		return fmt.Errorf("%s: %w", resultName, err)
	}
	if o.Result.Timeline, err = readTimeline(fsys); err != nil {
		return err
	}
	if t := o.Result.Timeline; t != nil && o.Facts == nil {
		o.Facts = t.Facts()
	}
	if planData == nil {
		o.Meta = Meta{ID: o.Result.ID, StartedAt: o.Result.StartedAt, Plan: o.Result.Plan, Generator: o.Result.Generator}
	}
	return nil
}

func readDocument(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, named(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDocument+1))
	if err != nil {
		return nil, named(name, err)
	}
	if len(data) > maxDocument {
		return nil, named(name, fmt.Errorf("larger than %d MiB", maxDocument>>20))
	}
	return data, nil
}

// rebuild makes the Result of a cut run. What was told of capacity may go on after the last window: a service was watched
// while it came back.
func (o *Opened) rebuild(told *timeline.Ledger) error {
	b, err := o.Builder()
	if err != nil {
		return err
	}
	unknown := Unknown()
	o.Result = b.Result(Final{
		Interrupted: true, Cut: true, StoppedBy: StoppedByCut,
		Verdict: Verdict{
			Validity: Suspect,
			Reasons:  []Reason{{"cut", Suspect, "the process ended before the run did"}},
			ExitCode: 1, ExitName: "run error",
		},
		Health: HealthSummary{
			Lag: SummaryOfLag(b.Lag()), WaitedForSlot: SummaryOfLag(b.SlotWait()),
			CPU:     CPUSummary{UsedRatioMax: unknown, UsedRatioMean: unknown, ThrottledRatio: unknown, StealRatio: unknown},
			GCRatio: unknown, RSSMaxBytes: unknown, OpenFilesMax: unknown, Clamped: b.Clamped(),
		},
		Timeline: cutTimeline(told, b),
		Warnings: []string{o.cutWarning(b)},
	})
	return nil
}

// cutTimeline is what was told, as far as it was. Load went on at least as long as there are windows of it, and was over when
// somebody said so.
func cutTimeline(told *timeline.Ledger, b *Builder) *timeline.Timeline {
	if told == nil {
		return nil
	}
	t := told.Timeline(max(told.Known(), b.loaded()))
	if t == nil || t.Validate() != nil {
		return nil
	}
	return t
}

func (o *Opened) cutWarning(b *Builder) string {
	until := b.run.To
	if until == 0 {
		return "this run was cut: its process ended before the first interval was complete"
	}
	return fmt.Sprintf("this run was cut: its process ended before the run did, and %v of %v are here",
		until.Round(time.Millisecond), o.Meta.planned().Round(time.Millisecond))
}

// Builder sums up the windows again: what a threshold, a report or a judge of the generator's
// health needs beside Result. It fails where Windows does.
func (o *Opened) Builder() (*Builder, error) {
	b := NewBuilder(o.Meta)
	var late []Event
	for w, err := range o.windows(&late) {
		if err != nil {
			return nil, err
		}
		b.Add(w)
	}
	for _, e := range late {
		b.AddEvent(e)
	}
	return b, nil
}

// Windows reads the run's intervals as windows, in order, each with its latencies and events. In
// runs with intervals of 30 s and more, the histograms of first byte, connect, lag and wait for a
// slot come with every tenth window and the last of a phase, for those before it too. After an
// error, which names file and line, there is nothing more. Each window is the caller's.
func (o *Opened) Windows() iter.Seq2[*Window, error] {
	return func(yield func(*Window, error) bool) {
		for w, err := range o.windows(new([]Event)) {
			if err != nil {
				err = fmt.Errorf("result %s: %w", o.Dir, err)
			}
			if !yield(w, err) {
				return
			}
		}
	}
}
