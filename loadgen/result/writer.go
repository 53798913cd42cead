package result

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// The files of a result.
const (
	planName    = "plan.json"
	planTemp    = "plan.json.tmp"
	windowsName = "windows.jsonl"
	latencyName = "latency.hlog"
	eventsName  = "events.jsonl"
	factsName   = "capacity.jsonl" // what was told of capacity, as it was told
	resultName  = "result.json"
	tempName    = "result.json.tmp"
	reserveName = ".reserve"
)

// longInterval is the interval from which details (see Writer) are written for ten intervals at a
// time. A run that keeps intervals of a minute lasts days; its first-byte, connect and lag
// histograms would take half of the room, and no chart is drawn from them.
const (
	longInterval = 30 * time.Second
	detailsEvery = 10
)

// Writer keeps a run in a directory while it goes on. It is a [Sink] that was started when it was made, for one
// goroutine. What it was given is in the files, up to the interval that is not complete: a process
// that is killed loses that and no more.
//
// Windows are added up to intervals of Meta.Interval, never across a phase. In runs of intervals of
// 30 s and more, the details (the histograms of first byte, connect, lag and wait for a slot) of up to
// ten intervals of a phase are written with the last of them, and a kill loses those of as many.
//
// A write that fails (a full disk) loses its interval and damages nothing: the files are cut back
// to their last whole line, later intervals are written if they can be, and Close says once what
// was lost. So that result.json still finds room then, Create sets some aside in a file that Finish removes.
type Writer struct {
	dir      string
	root     *os.Root
	meta     Meta
	revision *Revision // that meta has
	names    []string
	enc      encoder

	plan, windows, latency, events growing
	facts                          growing // made with the first

	pending  *Window // the interval under way, owned by the writer
	details  Window  // the details of intervals that were written without them
	detailed int     // how many intervals those are

	intervals, lost int           // intervals completed, and those not written
	lostEvents      int           // and facts
	seen            time.Duration // until when the facts are written
	err             error         // the first that a write gave
	finished        bool          // and the directory's handle closed
}

// Create is [Prepare] and Begin of a run whose start is known.
func Create(dir string, meta Meta) (*Writer, error) {
	w, err := Prepare(dir, meta)
	if err == nil {
		err = w.Begin(&meta)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Prepare makes a directory, and those above it, and the files that a run grows, all empty. A directory that
// exists and holds something, or that cannot be written to, is refused with an error of one line.
func Prepare(dir string, meta Meta) (*Writer, error) { return prepareBeside(dir, meta, nil) }

// PrepareBeside is Prepare in a directory in which a result was put aside: the other files in it stay.
func PrepareBeside(a *Aside, meta Meta) (*Writer, error) { return prepareBeside(a.dir, meta, a) }

func prepareBeside(dir string, meta Meta, a *Aside) (*Writer, error) {
	w, err := prepare(dir, meta, a != nil && len(a.moved) > 0)
	if err != nil {
		return nil, fmt.Errorf("result directory %s: %w", dir, err)
	}
	return w, nil
}

func prepare(dir string, meta Meta, beside bool) (_ *Writer, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, pathless(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, pathless(err)
	}
	defer func() {
		if err != nil {
			_ = root.Close()
		}
	}()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, pathless(err)
	}
	if len(entries) > 0 && !beside {
		return nil, fmt.Errorf("not empty (it holds %s): want a new directory, or an empty one", entries[0].Name())
	}

	w := &Writer{dir: dir, root: root}
	w.know(meta)
	var made []string
	defer func() {
		if err != nil {
			for _, name := range made {
				_ = root.Remove(name)
			}
		}
	}()
	for _, f := range []struct {
		name    string
		content []byte
		keep    *growing
	}{
		{windowsName, nil, &w.windows},
		{reserveName, reserve(&meta), nil},
		{latencyName, nil, &w.latency},
		{eventsName, nil, &w.events},
	} {
		// Exclusive: of two runs that begin in the same directory at once, one is refused here.
		file, err := root.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, named(f.name, err)
		}
		made = append(made, f.name)
		g := growing{name: f.name, file: file}
		if err := g.append(f.content); err != nil {
			_ = file.Close()
			return nil, err
		}
		if f.keep != nil {
			*f.keep = g
		} else if err := g.close(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Writer) know(m Meta) {
	m.Interval, m.Plan = m.interval(), m.Plan.Redacted()
	w.meta, w.names = m, m.names()
}

// Start does nothing: [Prepare] did.
func (w *Writer) Start(*Meta) error { return nil }

// Begin writes plan.json and the head of the log of latencies, which hold the moment at which the run's clock read 0.
// After an error nothing is left in the directory of what Prepare made.
func (w *Writer) Begin(m *Meta) error {
	w.know(*m)
	err := w.begin()
	if err == nil {
		return nil
	}
	names := []string{windowsName, reserveName, latencyName, eventsName}
	if w.plan.file != nil { // else another's is in the way
		names = append(names, planName)
	}
	for _, g := range []*growing{&w.plan, &w.windows, &w.latency, &w.events} {
		if g.file != nil {
			_ = g.file.Close()
		}
	}
	for _, name := range names {
		_ = w.root.Remove(name)
	}
	_ = w.root.Close()
	return fmt.Errorf("result directory %s: %w", w.dir, err)
}

func (w *Writer) begin() error {
	text, err := encodePlan(&w.meta)
	if err != nil {
		return named(planName, err)
	}
	file, err := w.root.OpenFile(planName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return named(planName, err)
	}
	w.plan = growing{name: planName, file: file}
	return cmp.Or(w.plan.append(text), w.latency.append(appendLogHeader(nil, w.meta.StartedAt)))
}

// keepPlan makes sure that plan.json is on disk. Begin does not wait for that, because requests wait for Begin.
func (w *Writer) keepPlan() {
	if w.plan.file != nil {
		w.fail(w.plan.close())
		w.plan = growing{}
	}
}

// revise keeps an edited plan before anything is written that its phases are needed to read.
func (w *Writer) revise(r *Revision) {
	w.revision = r
	w.meta.Plan, w.meta.Phases = r.Plan.Redacted(), r.Phases
	text, err := encodePlan(&w.meta)
	if err == nil {
		err = w.replaceFile(planName, planTemp, text)
	}
	if err != nil {
		w.fail(named(planName, err))
	}
}

// replaceFile writes a file under another name first, so that there is always a whole one.
func (w *Writer) replaceFile(name, temp string, content []byte) error {
	file, err := w.root.Create(temp)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = w.root.Rename(temp, name)
	}
	if err != nil {
		_ = w.root.Remove(temp)
	}
	return err
}

// reserve is content for some room on the disk: as much as result.json can need. It does not
// compress, for file systems that do.
func reserve(m *Meta) []byte {
	room := make([]byte, 256<<10+4<<10*(len(m.Endpoints)+len(m.Phases)))
	x := uint64(1)
	for i := range room {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		room[i] = byte(x)
	}
	return room
}

// pathless is what the system says about a directory that the message names already.
func pathless(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// Dir is the directory that the run is kept in.
func (w *Writer) Dir() string { return w.dir }

// Window takes the next window. It returns no error for a write that failed: see Close.
func (w *Writer) Window(next *Window) error {
	w.keepPlan()
	if next.Revision != w.revision {
		w.revise(next.Revision)
	}
	for _, e := range next.Events {
		w.event(e)
	}
	// With long intervals the writer looks at the window after an interval before it writes it, to
	// know whether the details have to go with it.
	isLong := w.meta.Interval >= longInterval
	if p := w.pending; p != nil && (p.Phase != next.Phase || isLong && w.due(p)) {
		w.flush(p.Phase != next.Phase)
	}
	if !isLong && w.pending == nil && w.due(next) {
		w.writeInterval(next, next) // an interval of its own: nothing to add up, nothing to copy
		return nil
	}
	if w.pending == nil {
		w.pending = &Window{From: next.From, Phase: next.Phase, Name: next.Name}
	}
	w.pending.follow(next)
	if !isLong && w.due(w.pending) {
		w.flush(false)
	}
	return nil
}

// due reports whether an interval has reached the next whole multiple of the interval's length, so
// that intervals of different runs begin at the same times, wherever phases end.
func (w *Writer) due(p *Window) bool {
	return p.To/w.meta.Interval > p.From/w.meta.Interval
}

// flush writes the interval under way. lastOfPhase says that no other of its phase follows.
func (w *Writer) flush(lastOfPhase bool) {
	p := w.pending
	w.pending = nil
	if w.meta.Interval < longInterval {
		w.writeInterval(p, p)
		return
	}
	details := &Window{}
	details.addDetails(&w.details)
	details.addDetails(p)
	if w.detailed++; lastOfPhase || w.detailed >= detailsEvery {
		if w.writeInterval(p, details) || lastOfPhase {
			w.details, w.detailed = Window{}, 0
		}
		return
	}
	if w.writeInterval(p, &Window{}) {
		w.details = *details
	}
}

// writeInterval writes an interval with these details, and reports whether it could.
func (w *Writer) writeInterval(p, details *Window) bool {
	w.intervals++
	line, err := w.enc.appendWindow(nil, p, details, w.names)
	if err == nil {
		err = w.write(w.enc.appendLog(nil, p, w.names), line)
	}
	if err != nil {
		w.lost++
		w.fail(err)
	}
	return err == nil
}

// write appends to both files or to none. The line of windows.jsonl comes last: where it stands,
// the latencies do too.
func (w *Writer) write(latencies, line []byte) error {
	before := w.latency.size
	if err := w.latency.append(latencies); err != nil {
		return err
	}
	if err := w.windows.append(line); err != nil {
		w.latency.undo(before)
		return err
	}
	return nil
}

func (w *Writer) event(e Event) {
	line, err := marshal(eventJSON(w.meta.StartedAt.UTC(), e))
	if err == nil {
		err = w.events.append(append(line, '\n'))
	}
	if err != nil {
		w.lostEvents++
		w.fail(err)
	}
}

// Facts adds what was told of capacity to capacity.jsonl, and events to theirs.
func (w *Writer) Facts(f *Facts) error {
	w.keepPlan()
	for _, e := range f.Events {
		w.event(e)
	}
	var lines []byte
	for i := range f.Facts {
		line, err := marshal(&f.Facts[i])
		if err != nil {
			return named(factsName, err)
		}
		lines = append(append(lines, line...), '\n')
	}
	// That nothing was told is worth a line now and then: it says until when the service was watched.
	if len(lines) == 0 {
		if f.Until < w.seen+factsEvery {
			return nil
		}
		lines = fmt.Appendf(nil, "{\"known_s\":%s}\n", strconv.FormatFloat(f.Until.Seconds(), 'f', 3, 64))
	}
	w.seen = f.Until
	if w.facts.file == nil {
		file, err := w.root.OpenFile(factsName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return named(factsName, err)
		}
		w.facts = growing{name: factsName, file: file}
	}
	return w.facts.append(lines)
}

// factsEvery is how often it is written down that nothing was told.
const factsEvery = time.Second

func (w *Writer) fail(err error) { w.err = cmp.Or(w.err, err) }

// Close writes what is left and closes the files. Its error is the only one for everything that
// could not be written, with the first cause.
func (w *Writer) Close() error {
	w.keepPlan()
	if w.pending != nil {
		w.flush(true)
	}
	for _, g := range []*growing{&w.windows, &w.latency, &w.events, &w.facts} {
		if g.file != nil {
			w.fail(g.close())
		}
	}
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("result directory %s: %w (%s)", w.dir, w.err, w.losses())
}

func (w *Writer) losses() string {
	text := fmt.Sprintf("%d of %d intervals", w.lost, w.intervals)
	if w.lostEvents > 0 {
		text += fmt.Sprintf(" and %d events", w.lostEvents)
	}
	return text + " were not written"
}

// Finish writes result.json, under another name first, so that its presence means that it is
// complete. Its lists and maps are made empty where they are nil. Called again, it replaces what it wrote.
func (w *Writer) Finish(r *Result) error {
	if w.finished {
		root, err := os.OpenRoot(w.dir)
		if err != nil {
			return fmt.Errorf("result directory %s: %w", w.dir, pathless(err))
		}
		w.root = root
	}
	w.finished = true
	defer w.root.Close()
	_ = w.root.Remove(reserveName)     // it may be gone; if it cannot be removed, the room may do
	err := w.writeTimeline(r.Timeline) // without which the result is one all the same
	if e := named(resultName, w.finish(r)); e != nil {
		_ = w.root.Remove(tempName)
		err = cmp.Or(err, e)
	}
	if err != nil {
		return fmt.Errorf("result directory %s: %w", w.dir, err)
	}
	return nil
}

func (w *Writer) finish(r *Result) error {
	data, err := Encode(r)
	if err != nil {
		return err
	}
	if err := w.replaceFile(resultName, tempName, data); err != nil {
		return err
	}
	// The new name outlives a power cut only when the directory is on disk. Not every system can do that.
	if d, err := w.root.Open("."); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
