package store_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/result"
)

// recorded are objects in memory that remember in which order they were written.
type recorded struct {
	store.Memory
	mu   sync.Mutex
	puts []put1
}

type put1 struct{ name, content string }

func (r *recorded) Put(ctx context.Context, name string, content io.ReadSeeker) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if err := r.Memory.Put(ctx, name, bytes.NewReader(data)); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts = append(r.puts, put1{name, string(data)})
	return nil
}

// after is the store as a process leaves it that is killed after its first n writes.
func (r *recorded) after(t *testing.T, n int) *store.Memory {
	t.Helper()
	m := &store.Memory{}
	for _, p := range r.puts[:n] {
		if err := m.Put(t.Context(), p.name, strings.NewReader(p.content)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (r *recorded) names() (names []string) {
	for _, p := range r.puts {
		names = append(names, p.name)
	}
	return names
}

// example is a run of 15 s that was kept.
func example(t *testing.T) (*result.Opened, []*result.Window) {
	t.Helper()
	o, err := result.Open("../../result/testdata/v2/complete")
	if err != nil {
		t.Fatal(err)
	}
	var windows []*result.Window
	for w, err := range o.Windows() {
		if err != nil {
			t.Fatal(err)
		}
		windows = append(windows, w)
	}
	return o, windows
}

// keep runs the example in a bubble, a window a second, beside a directory.
func keep(t *testing.T, objects store.Objects, say func(string), complete bool) (dir string, sink *store.Sink, warnings []string, completed error) {
	t.Helper()
	o, windows := example(t)
	dir = t.TempDir() + "/run"
	meta := o.Meta
	local, err := result.Prepare(dir, meta)
	if err != nil {
		t.Fatal(err)
	}
	sink = &store.Sink{Objects: objects, At: store.Location{Bucket: "results", Prefix: "loads/"}, Dir: func() string { return dir }, Say: say}
	begun := meta
	meta.StartedAt = meta.StartedAt.Add(-time.Second) // about
	sinks, err := result.StartSinks([]result.Sink{local, sink}, meta)
	if err != nil {
		t.Fatal(err)
	}
	if err := sinks.Begin(begun, 300); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, w := range windows {
		time.Sleep(w.To - w.From)
		sinks.Window(w)
	}
	if took := time.Since(began); took != windows[len(windows)-1].To {
		t.Errorf("the run was held up: it took %v of %v", took, windows[len(windows)-1].To)
	}
	began = time.Now()
	if _, err := sinks.Finish(func(more []string, _ []result.Delivery, failed error) *result.Result {
		warnings = more
		if failed != nil {
			t.Errorf("a sink failed: %v", failed)
		}
		return o.Result
	}); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > result.CloseTimeout {
		t.Errorf("the sinks took %v to end", took)
	}
	if complete {
		completed = sink.Complete(t.Context())
	}
	return dir, sink, warnings, completed
}

// read is the run as it is read from a store.
func read(t *testing.T, from store.Objects) (*result.Opened, error) {
	t.Helper()
	o, _ := example(t)
	fsys, err := store.OpenRun(t.Context(), store.Below(from, o.Meta.ID))
	if err != nil {
		return nil, err
	}
	return result.OpenFS("s3://results/loads/ID/", fsys)
}

func TestRunIsWrittenPartByPartAndThenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := &recorded{}
		dir, sink, warnings, err := keep(t, objects, nil, true)
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		o, _ := example(t)
		if want := "s3://results/loads/" + o.Meta.ID + "/"; sink.Where() != want {
			t.Errorf("kept in %s, want %s", sink.Where(), want)
		}
		names := objects.names()
		for i := range names {
			names[i] = strings.TrimPrefix(names[i], o.Meta.ID+"/")
		}
		// The plan before anything else, and again with the exact start; a part at once, each 10 s, and of what is left.
		if i := slices.Index(names, "parts/000003"); names[0] != "plan.json" || !slices.Contains(names[1:i], "plan.json") || i < 0 {
			t.Errorf("began with %v", names)
		}
		if names[len(names)-1] != "result.json" {
			t.Errorf("ended with %v", names)
		}
		kept, err := result.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		there, err := read(t, objects)
		if err != nil {
			t.Fatal(err)
		}
		if there.Cut || there.Result.Totals.Requests != kept.Result.Totals.Requests || !there.Meta.StartedAt.Equal(o.Meta.StartedAt) {
			t.Errorf("read %+v", there.Result.Totals)
		}
		if differs := there.Audit(); differs != "" {
			t.Error(differs)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			want, err := os.ReadFile(dir + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := store.Read(t.Context(), objects, o.Meta.ID+"/"+f.Name(), 1<<30); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is another than on disk: %v", f.Name(), err)
			}
		}
	})
}

// The property that a killed task depends on: whatever was its last write, what it had measured by then can be read.
func TestRunThatIsKilledAfterAnyWriteCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := &recorded{}
		if _, _, _, err := keep(t, objects, nil, true); err != nil {
			t.Fatal(err)
		}
		o, _ := example(t)
		before, lastPart := int64(0), 0
		for i, p := range objects.puts {
			if strings.Contains(p.name, "/parts/") {
				lastPart = i + 1
			}
		}
		for n := 1; n <= len(objects.puts); n++ {
			there, err := read(t, objects.after(t, n))
			if err != nil {
				t.Fatalf("after %d writes, the last of %s: %v", n, objects.puts[n-1].name, err)
			}
			if got := there.Result.Totals.Requests; got < before {
				t.Errorf("after %d writes: %d requests, and %d before", n, got, before)
			} else {
				before = got
			}
			if isLast := n == len(objects.puts); there.Cut == isLast {
				t.Errorf("after %d of %d writes: cut is %v", n, len(objects.puts), there.Cut)
			}
			if n == lastPart && before != o.Result.Totals.Requests {
				t.Errorf("the last part is there, and %d of %d requests", before, o.Result.Totals.Requests)
			}
		}
		if before != o.Result.Totals.Requests {
			t.Errorf("in the end %d of %d requests", before, o.Result.Totals.Requests)
		}
	})
}

func TestStoreThatDoesNotAnswerHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := &recorded{}
		hangs := false
		objects.Before = func(ctx context.Context, op, name string) error {
			if op != "put" || !hangs { // all but the first
				hangs = true
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		dir, sink, _, _ := keep(t, objects, nil, false) // asserts that the run took its time and no more
		if kept, err := result.Open(dir); err != nil || kept.Cut {
			t.Errorf("on disk: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sink.Complete(ctx); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("complete: %v", err)
		}
		if there, err := read(t, objects); err != nil || !there.Cut {
			t.Errorf("in the store: %v", err)
		}
	})
}

func TestPartsThatFailedAreWrittenLaterAndSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		objects := &recorded{}
		objects.Before = func(_ context.Context, op, _ string) error {
			if since := time.Since(began); op == "put" && since > time.Second && since < 12*time.Second {
				return errors.New("broken")
			}
			return nil
		}
		var said []string
		if _, _, _, err := keep(t, objects, func(line string) { said = append(said, line) }, false); err != nil {
			t.Fatal(err)
		}
		if len(said) > 2 || len(said) == 0 || !strings.Contains(said[0], "broken") {
			t.Errorf("said %q", said)
		}
		there, err := read(t, objects)
		if err != nil {
			t.Fatal(err)
		}
		if o, _ := example(t); there.Result.Totals.Requests != o.Result.Totals.Requests {
			t.Errorf("%d of %d requests", there.Result.Totals.Requests, o.Result.Totals.Requests)
		}
	})
}

func TestStoreThatRefusesTheFirstObjectRefusesTheRun(t *testing.T) {
	o, _ := example(t)
	refused := errors.New("not allowed")
	objects := &store.Memory{Before: func(context.Context, string, string) error { return refused }}
	sink := &store.Sink{Objects: objects, Dir: func() string { t.Error("the directory was looked at"); return "" }}
	if err := sink.Start(&o.Meta); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestCompleteWithoutTheDirectoryIsAnError(t *testing.T) {
	o, _ := example(t)
	sink := &store.Sink{Objects: &store.Memory{}, Dir: func() string { return t.TempDir() }}
	if err := errors.Join(sink.Start(&o.Meta), sink.Close(), sink.Finish(nil)); err != nil {
		t.Fatal(err)
	}
	if err := sink.Complete(t.Context()); err == nil {
		t.Error("nothing was there, and all was written")
	}
}

// part is one with a piece of a file.
func part(t *testing.T, name, offset, lines string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(lines)), Format: tar.FormatPAX, PAXRecords: map[string]string{"LOADGEN.offset": offset}})
	if err == nil {
		_, err = io.WriteString(w, lines)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPartsAddUp(t *testing.T) {
	for name, c := range map[string]struct {
		parts []string
		gap   int // the number of a part that is missing
		want  string
		fails bool
	}{
		"none":                              {nil, 0, "", false},
		"two":                               {[]string{part(t, "windows.jsonl", "0", "a\n"), part(t, "windows.jsonl", "2", "b\n")}, 0, "a\nb\n", false},
		"what was taken back is gone":       {[]string{part(t, "windows.jsonl", "0", "a\nb\n"), part(t, "windows.jsonl", "2", "c\n")}, 0, "a\nc\n", false},
		"up to one that is missing":         {[]string{part(t, "windows.jsonl", "0", "a\n"), part(t, "windows.jsonl", "2", "b\n"), part(t, "windows.jsonl", "4", "c\n")}, 2, "a\n", false},
		"a file of a version to come":       {[]string{part(t, "new.jsonl", "0", "x\n"), part(t, "windows.jsonl", "0", "a\n")}, 0, "a\n", false},
		"one that begins behind the end":    {[]string{part(t, "windows.jsonl", "7", "a\n")}, 0, "", true},
		"one that begins before the start":  {[]string{part(t, "windows.jsonl", "-1", "a\n")}, 0, "", true},
		"one that does not say where":       {[]string{part(t, "windows.jsonl", "", "a\n")}, 0, "", true},
		"what is no archive":                {[]string{strings.Repeat("hello", 200)}, 0, "", true},
		"an archive that was cut":           {[]string{part(t, "windows.jsonl", "0", strings.Repeat("a\n", 400))[:1100]}, 0, "", true},
		"a name that leads out of the room": {[]string{part(t, "../windows.jsonl", "0", "x\n")}, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &store.Memory{}
			must := func(err error) {
				if err != nil {
					t.Fatal(err)
				}
			}
			must(m.Put(t.Context(), "plan.json", strings.NewReader("{}")))
			must(m.Put(t.Context(), "windows.jsonl", strings.NewReader("half of a copy")))
			for i, p := range c.parts {
				if i+1 != c.gap {
					must(m.Put(t.Context(), fmt.Sprintf("parts/%06d", i+1), strings.NewReader(p)))
				}
			}
			fsys, err := store.OpenRun(t.Context(), m)
			if c.fails {
				if err == nil || !strings.Contains(err.Error(), "parts/000001: ") {
					t.Errorf("got %v", err)
				}
				return
			}
			must(err)
			f, err := fsys.Open("windows.jsonl")
			must(err)
			if got, err := io.ReadAll(f); err != nil || string(got) != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
			// When the result is there, the files are those of the result.
			must(m.Put(t.Context(), "result.json", strings.NewReader("{}")))
			fsys, err = store.OpenRun(t.Context(), m)
			must(err)
			f, err = fsys.Open("windows.jsonl")
			must(err)
			if got, _ := io.ReadAll(f); string(got) != "half of a copy" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestObjectsAreAFolder(t *testing.T) {
	m := &store.Memory{}
	files := map[string]string{"a/b/c.txt": "c", "a/d.txt": "d", "e": "", "a%2Fb/x": "escaped"}
	for name, content := range files {
		if err := m.Put(t.Context(), name, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, odd := range []string{"folder/", "a", "//x", "../up"} { // what a console or another program may have left
		if err := m.Put(t.Context(), odd, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	fsys, err := store.NewFS(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, slices.Collect(maps.Keys(files))...); err != nil {
		t.Error(err)
	}
}
