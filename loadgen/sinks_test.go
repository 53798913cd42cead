package loadgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
	"scalableappbackend/loadgen/result"
)

// kept is a result directory as a sink.
type kept struct {
	dir string
	*result.Writer
}

func (k *kept) Start(m *result.Meta) (err error) {
	k.Writer, err = result.Prepare(k.dir, *m)
	return err
}

// stuck does nothing in time: a publisher whose network is gone.
type stuck struct {
	result.NopSink
	start, window, close, finish time.Duration
}

func (s stuck) Start(*result.Meta) error    { time.Sleep(s.start); return nil }
func (s stuck) Window(*result.Window) error { time.Sleep(s.window); return nil }
func (s stuck) Close() error                { time.Sleep(s.close); return nil }
func (s stuck) Finish(*result.Result) error { time.Sleep(s.finish); return nil }

func TestSinksThatAreStuckDoNotCostTheResult(t *testing.T) {
	const forever = time.Hour
	dir := filepath.Join(t.TempDir(), "run")
	synctest.Test(t, func(t *testing.T) {
		p := brief()
		r := Runner{Plan: p, Transport: service(healthy), Judge: calm.Judge, Sinks: []result.Sink{
			&kept{dir: dir}, stuck{window: forever}, stuck{close: forever}, stuck{finish: forever},
		}}
		began := time.Now()
		there := make(chan time.Duration, 1)
		go func() {
			for {
				if _, err := os.Stat(filepath.Join(dir, "result.json")); err == nil {
					there <- time.Since(began)
					return
				}
				time.Sleep(10 * ms)
			}
		}()
		res, err := r.Run(t.Context())
		took := time.Since(began)
		end := time.Duration(res.DurationS * float64(time.Second))
		if there := <-there; there > end+100*ms {
			t.Errorf("result.json was there %v after the end, want at once", there-end)
		}
		if took > end+result.CloseTimeout+100*ms {
			t.Errorf("the run ended %v after its load did, want at most %v", took-end, result.CloseTimeout)
		}
		if err == nil || res.Verdict.ExitCode != 1 {
			t.Errorf("exit code %d, error %v: want 1, three sinks have not done what they were asked for", res.Verdict.ExitCode, err)
		}
		o, err := result.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if o.Cut || !slices.Equal(o.Result.Warnings, res.Warnings) || o.Result.Verdict.ExitCode != 1 {
			t.Errorf("what is kept: cut %v, exit code %d, warnings %q, want those of the run, %q", o.Cut, o.Result.Verdict.ExitCode, o.Result.Warnings, res.Warnings)
		}
		if text := strings.Join(res.Warnings, "\n"); strings.Count(text, "not ready in time") != 2 || strings.Count(text, "not finished in time") != 3 {
			t.Errorf("warnings %q", res.Warnings)
		}
		time.Sleep(30 * forever) // until the sinks that were left to themselves have ended
	})
}

func TestTheRunsClockReadsZeroWhenItsSinksHaveStarted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var res *result.Result
	var sent time.Time
	synctest.Test(t, func(t *testing.T) {
		first := service(func(*http.Request) (int, time.Duration) {
			if sent.IsZero() {
				sent = time.Now()
				if _, err := os.Stat(filepath.Join(dir, "plan.json")); err != nil {
					t.Errorf("plan.json is not there when the first request is sent: %v", err)
				}
			}
			return 200, 3 * ms
		})
		r := Runner{Plan: brief(), Transport: first, Judge: calm.Judge, Sinks: []result.Sink{&kept{dir: dir}, stuck{start: 3 * time.Second}}}
		began := time.Now()
		res, _ = r.Run(t.Context())
		if want := began.Add(3 * time.Second); !res.StartedAt.Equal(want) {
			t.Errorf("started at %v, want %v: when the clock read 0", res.StartedAt, want)
		}
	})
	if !sent.Equal(res.StartedAt) {
		t.Errorf("the first request, due at 0, was sent %v after the start", sent.Sub(res.StartedAt))
	}
	if res.Health.Lag.Max > 1 {
		t.Errorf("lag of up to %v ms", res.Health.Lag.Max)
	}
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Meta.StartedAt.Equal(res.StartedAt) || o.Meta.ID != res.ID {
		t.Errorf("plan.json: run %s at %v, want %s at %v", o.Meta.ID, o.Meta.StartedAt, res.ID, res.StartedAt)
	}
	log, err := os.ReadFile(filepath.Join(dir, "latency.hlog"))
	if want := fmt.Sprintf("#[StartTime: %.3f", float64(res.StartedAt.UnixMilli())/1000); err != nil || !strings.Contains(string(log), want) {
		t.Errorf("latency.hlog begins %.120q, want it to have %s", log, want)
	}
}

// publisher counts what it sends elsewhere, also while it finishes.
type publisher struct {
	stuck
	sent atomic.Int64
}

func (p *publisher) Window(*result.Window) error { p.sent.Add(1); return nil }

func (p *publisher) Finish(r *result.Result) error { p.sent.Add(100); return p.stuck.Finish(r) }

func (p *publisher) Deliveries() []result.Delivery {
	return []result.Delivery{{To: "a place", What: "windows", Sent: p.sent.Load(), Lost: 1, Calls: 2, Retries: 1, Reason: "no answer"}}
}

func TestWhatASinkSentElsewhereIsInTheResultThatIsKept(t *testing.T) {
	for _, c := range []struct {
		why   string
		stuck stuck
	}{
		{"counted after the result was first written", stuck{}},
		{"asked for though the sink does not end in time", stuck{finish: time.Hour}},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		synctest.Test(t, func(t *testing.T) {
			p := &publisher{stuck: c.stuck}
			r := Runner{Plan: brief(), Transport: service(healthy), Judge: calm.Judge, Sinks: []result.Sink{&kept{dir: dir}, p, p}}
			res, _ := r.Run(t.Context())
			o, err := result.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			want := p.Deliveries()
			want = []result.Delivery{{To: "a place", What: "windows", Sent: 2 * want[0].Sent, Lost: 2, Calls: 4, Retries: 2, Reason: "no answer"}}
			if !slices.Equal(res.Deliveries, want) || !slices.Equal(o.Result.Deliveries, want) {
				t.Errorf("%s: the result has %+v, what is kept %+v, want %+v", c.why, res.Deliveries, o.Result.Deliveries, want)
			}
			time.Sleep(2 * time.Hour) // until the stuck one has ended
		})
	}
}

// asHanded keeps what it was handed beside what that said then.
type asHanded struct {
	result.NopSink
	things []any
	texts  []string
}

func (h *asHanded) keep(x any) error {
	text, err := describe(x)
	h.things, h.texts = append(h.things, x), append(h.texts, text)
	return err
}

// describe is all of a thing, with what its histograms say.
func describe(x any) (string, error) {
	text, err := json.Marshal(x)
	if w, ok := x.(*result.Window); ok {
		for p := range w.ByDue {
			text = fmt.Append(text, p.Lag.Count(), p.Lag.Max(), p.SlotWait.Count())
			for _, e := range p.Endpoints {
				for _, h := range []*result.Histogram{e.Raw, e.Corrected, e.Failed, e.FirstByte, e.Connect, e.Unanswered, e.Cut} {
					text = fmt.Append(text, " ", h.Count(), h.Mean(), h.Max())
				}
			}
		}
	}
	return string(text), err
}

func (h *asHanded) Start(m *result.Meta) error    { return h.keep(m) }
func (h *asHanded) Begin(m *result.Meta) error    { return h.keep(m) }
func (h *asHanded) Window(w *result.Window) error { return h.keep(w) }
func (h *asHanded) Finish(r *result.Result) error { return h.keep(r) }

func TestNobodyChangesWhatASinkWasHanded(t *testing.T) {
	p := brief()
	var count atomic.Int64
	broken := func(*http.Request) (int, time.Duration) {
		n := int(count.Add(1))
		return 200 + 300*(n%2), time.Duration(n%7) * ms
	}
	first, other := &asHanded{}, &asHanded{}
	late := &record{onWindow: func(*result.Window) error { return errors.New("says something after the first has its result") }}
	_, err := run(t, Runner{
		Plan: p, Transport: service(broken), Sinks: []result.Sink{first, other, late},
		Capacity: &watched{known: true}, Expect: []string{"max_tasks==4"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.things) != len(other.things)+1 {
		t.Errorf("%d things were handed to the first sink, %d to another: want a second result", len(first.things), len(other.things))
	}
	for _, h := range []*asHanded{first, other} {
		for i, x := range h.things {
			if now, _ := describe(x); now != h.texts[i] {
				t.Errorf("%T %d was changed:\n%s\nis now\n%s", x, i, h.texts[i], now)
			}
		}
	}
}

func TestASinkThatRefusesBeforeTheFirstRequestRefusesTheRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	gone := &kept{dir: dir}
	r := Runner{Plan: brief(), Transport: service(healthy), Sinks: []result.Sink{gone, beginner{begin: func() error { return errors.New("no") }}}}
	_, err := r.Run(t.Context())
	if _, ok := errors.AsType[*InputError](err); !ok {
		t.Errorf("error %v, want one of the input", err)
	}
}

type beginner struct {
	stuck
	begin func() error
}

func (b beginner) Begin(*result.Meta) error { return b.begin() }
