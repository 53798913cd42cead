package simulate

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

func TestLoadsAreRead(t *testing.T) {
	for _, row := range []struct {
		text string
		want Load
		why  string
	}{
		{"0s:0,3m:375", Load{{0, 0}, {3 * time.Minute, 375}}, "the manual's"},
		{"0:375, 180:375", Load{{0, 375}, {3 * time.Minute, 375}}, "a bare number is seconds"},
		{"0s:0/s,1m:10.5/s", Load{{0, 0}, {time.Minute, 10.5}}, "a rate may say that it is one"},
		{"0s:1,1m:1,1m:9,2m:9", Load{{0, 1}, {time.Minute, 1}, {time.Minute, 9}, {2 * time.Minute, 9}}, "two points at one instant are a jump"},
	} {
		if got, err := ParseLoad(row.text); err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%q: %v, %v, want %v: %s", row.text, got, err, row.want, row.why)
		}
	}
}

func TestLoadsThatCannotBeAreRefusedInOneLine(t *testing.T) {
	const want = "want TIME:RATE,… in requests a second, e.g. 0s:0,3m:375,15m:375"
	for _, row := range []struct{ text, want string }{
		{"", "--load: empty, " + want},
		{"375", `--load "375": ` + want},
		{"0s:1,3m", `--load "3m": ` + want},
		{"0s:1,x:3", `--load "x:3": ` + want},
		{"0s:1,1m:x", `--load "1m:x": ` + want},
		{"0s:1,1m:0x10", `--load "1m:0x10": ` + want},
		{"0s:1,1m:NaN", `--load "1m:NaN": ` + want},
		{"0s:1,", "--load: a point is empty, " + want},
		{"0s:375", "--load: want at least two points, e.g. 0s:375,15m:375"},
		{"1m:1,2m:1", "--load: begins at 1m, want the first point at 0s"},
		{"0s:1,0s:2", "--load: ends where it begins, want a last point after 0s"},
		{"0s:1,3m:1,2m:1", "--load[2]: 2m after 3m, want times that do not go back"},
		{"0s:1,1m:-1", "--load[1]: -1 requests a second, want 0 to 1e+09"},
		{"0s:1,1m:1e10", "--load[1]: 1e+10 requests a second, want 0 to 1e+09"},
		{"0s:1,1000h:1", "--load[1]: 1000h, want at most 744h"},
	} {
		_, err := ParseLoad(row.text)
		if err == nil {
			t.Errorf("%q was read", row.text)
			continue
		}
		if got := input.WithField(err, "--load").Error(); got != row.want || len(input.Errors(err)) != 1 {
			t.Errorf("%q: %s\nwant %s", row.text, got, row.want)
		}
	}
}

func TestCSVIsRead(t *testing.T) {
	want := Load{{0, 10}, {30 * time.Second, 20}, {90 * time.Second, 0}}
	for _, row := range []struct{ text, why string }{
		{"0,10\n30,20\n90,0\n", "seconds"},
		{"t,rps\n0,10\n30,20\n90,0", "a heading, no last line end"},
		{"\ufefft,rps\r\n0,10\r\n30,20\r\n90,0\r\n", "as a spreadsheet writes it"},
		{"# by hand\n\n0s, 10\n30s, 20\n\n1m30s, 0\n", "durations, blanks and remarks"},
		{"1700000000.5,10\n1700000030.5,20\n1700000090.5,0\n", "by the clock: times count from the first"},
	} {
		got, err := ReadCSV(strings.NewReader(row.text))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v: %s", row.text, got, err, want, row.why)
		}
	}
}

func TestCSVThatCannotBeIsRefusedWithItsLine(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", "want at least two points, e.g. 0s:375,15m:375"},
		{"t,rps\n", "want at least two points, e.g. 0s:375,15m:375"},
		{"t,rps\nt,rps\n", `line 2 "t,rps": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"0,1\nx,2\n", `line 2 "x,2": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"0;1\n", `line 1 "0;1": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"0,1,2\n", `line 1 "0,1,2": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"-5,1\n", `line 1 "-5,1": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"1e300,1\n", `line 1 "1e300,1": want t,rps in seconds and requests a second, e.g. 60,375`},
		{"5,1\n# back\n4,1\n", `line 3 "4,1": want times that do not go back`},
		{"0,1\n5,-1\n", "[1]: -1 requests a second, want 0 to 1e+09"},
	} {
		_, err := ReadCSV(strings.NewReader(row.text))
		if err == nil || err.Error() != row.want || len(input.Errors(err)) != 1 {
			t.Errorf("%q: %v, want %s", row.text, err, row.want)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadCSV(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails gives %v", err)
	}
	if _, err := ReadCSV(io.MultiReader(strings.NewReader("0,1\n"), strings.NewReader(strings.Repeat("9", 1<<17)))); err == nil {
		t.Error("a line without end was read")
	}
}

func TestStepsAreAWindowEach(t *testing.T) {
	l := Steps(10*time.Second, 5, 0, 7)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := l.String(); got != "0s:5,10s:5,10s:0,20s:0,20s:7,30s:7" {
		t.Errorf("the steps are %s", got)
	}
	sum := 0.0
	for s := range l.Curve().Between(0, time.Minute) {
		sum += s.Area()
	}
	if sum != 120 {
		t.Errorf("%v requests, want 10 × (5 + 0 + 7)", sum)
	}
}

func drawLoad(t *rapid.T) Load {
	l := Load{}
	now := time.Duration(0)
	for range rapid.IntRange(2, 10).Draw(t, "points") {
		l = append(l, Point{now, float64(rapid.IntRange(0, 1000).Draw(t, "rate"))})
		now += time.Duration(rapid.SampledFrom([]int{0, 1, 7, 60, 3600}).Draw(t, "then")) * time.Second
	}
	if l.End() == 0 {
		l = append(l, Point{time.Second, 1})
	}
	return l
}

func TestEveryLoadIsReadBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLoad(t)
		if got, err := ParseLoad(l.String()); err != nil || !slices.Equal(got, l) {
			t.Fatalf("%s is read as %v, %v", l, got, err)
		}
	})
}

// However a walk is cut up, the pieces join and their areas add up to the trapezia of the curve.
func TestAWalkMissesNothingOfTheLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLoad(t)
		want := 0.0
		for i := 1; i < len(l); i++ {
			want += (l[i].At - l[i-1].At).Seconds() * (l[i].Rate + l[i-1].Rate) / 2
		}
		c, sum, last := l.Curve(), 0.0, time.Duration(0)
		for last < l.End()+time.Minute {
			to := last + time.Duration(rapid.IntRange(1, 5000).Draw(t, "step"))*time.Second
			for s := range c.Between(last, to) {
				if s.From != last || s.To <= s.From {
					t.Fatalf("%+v after %s", s, last)
				}
				sum, last = sum+s.Area(), s.To
			}
			if last != to {
				t.Fatalf("walked to %s, want %s", last, to)
			}
		}
		if math.Abs(sum-want) > 1e-6*(1+want) {
			t.Fatalf("%v requests, want %v", sum, want)
		}
	})
}

func TestTheTimeAboveALimitIsExact(t *testing.T) {
	for _, row := range []struct {
		start, end, limit, seconds, excess float64
		why                                string
	}{
		{0, 10, 20, 0, 0, "never above"},
		{20, 20, 20, 0, 0, "at the limit is not above it"},
		{30, 30, 20, 10, 100, "always above"},
		{0, 40, 20, 5, 50, "a triangle at the end: half the time, half as high on average"},
		{40, 0, 20, 5, 50, "and at the beginning"},
		{20, 40, 20, 10, 100, "above from the first instant on"},
		{0, 30, 0, 10, 150, "any load is above nothing"},
	} {
		s, x := (plan.Segment{To: 10 * time.Second, Start: row.start, End: row.end}).Above(row.limit)
		if row.start == row.limit && row.end == row.limit {
			s = 0
		}
		if math.Abs(s-row.seconds) > 1e-12 || math.Abs(x-row.excess) > 1e-12 {
			t.Errorf("%v to %v above %v: %v s, %v, want %v s, %v: %s", row.start, row.end, row.limit, s, x, row.seconds, row.excess, row.why)
		}
	}
}

func TestTheFirstLoadAfterAnInstantIsFound(t *testing.T) {
	const never = -1
	l := Load{{0, 0}, {10, 0}, {20, 5}, {20, 0}, {30, 0}, {30, 7}, {40, 7}, {50, 0}, {60, 0}}
	for from, want := range map[time.Duration]time.Duration{0: 10, 10: 10, 15: 15, 20: 30, 25: 30, 30: 30, 39: 39, 49: 49, 50: never, 60: never, 99: never} {
		got, ok := firstAfter(l.Curve(), from)
		if !ok {
			got = never
		}
		if got != want {
			t.Errorf("from %d on there is load at %d, want %d", from, got, want)
		}
	}
}

func FuzzParseLoad(f *testing.F) {
	for _, seed := range []string{"0s:0,3m:375", "0:1,60:1", "0s:1/s,1h:1e3", ":,:", "0s:1,1ns:1", "0s:-0,1s:0", "0s:1,9999999h:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLoad(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || len(input.Errors(err)) != 1 {
				t.Errorf("%q: more than one line or one field: %q", text, err)
			}
			return
		}
		if again, err := ParseLoad(l.String()); err != nil || !slices.Equal(again, l) {
			t.Errorf("%q is %s, which is read as %v, %v", text, l, again, err)
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"t,rps\n0,1\n60,2\n", "0s,1\n1m,2", "1e9,1\n2e9,1\n", "#\n\n", "\ufeff0,0\n1,1", "0,1\n0,1\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ReadCSV(strings.NewReader(text))
		if err == nil {
			err = l.Validate()
		} else if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q: more than one line: %q", text, err)
			return
		}
		if err != nil && len(input.Errors(err)) == 0 && !strings.Contains(err.Error(), "token too long") {
			t.Errorf("%q: %v names no field", text, err)
		}
	})
}

// A run's plan in the time of its service: users in steps, rates in lines.
func TestTheLoadOfAPlanIsItsCurve(t *testing.T) {
	closed := plan.Default()
	closed.Users, closed.SpawnRate, closed.RunTime = 3, 1, plan.Duration(10*time.Second)
	closed.Think, closed.Pacing = plan.Range{}, plan.Duration(100*time.Millisecond)
	open := plan.DefaultOpen()
	open.Rate, open.Stages = plan.Rate{N: 10}, []plan.Stage{{Duration: plan.Duration(2 * time.Second), To: 30}, {Duration: 0, To: 5}, {Duration: plan.Duration(time.Second), To: 5}}
	thinking := plan.Default()
	for _, row := range []struct {
		why    string
		plan   plan.Plan
		want   string
		closed bool
	}{
		{"users of ten a second each, one a second", closed, "0s:10,20s:10,20s:20,40s:20,40s:30,3m20s:30", true},
		{"a rate", open, "0s:10,40s:30,40s:5,1m:5", false},
		{"users whose answer is not known", thinking, "", true},
	} {
		got, isClosed := OfPlan(&row.plan, 0, 20)
		if got.String() != row.want || isClosed != row.closed {
			t.Errorf("%s: %s, closed %v, want %s", row.why, got, isClosed, row.want)
		}
		if row.want != "" && got.Validate() != nil {
			t.Errorf("%s: %v", row.why, got.Validate())
		}
	}
}

// Users who wait ask for no more than the tasks can do: what two do is 7,200 a minute each, and not the 11,700 of a rate.
func TestAClosedLoadAsksForNoMoreThanTheTasksCanDo(t *testing.T) {
	c := DefaultConfig()
	c.Load, c.Closed = load(t, "0s:390,10m:390"), true
	r := simulate(t, c)
	for _, m := range r.Timeline.Metrics {
		if m.At == 2*time.Minute && m.Policy == autoscaling.MetricRequests && m.Value != 7200 {
			t.Errorf("the requests of minute 2 are %v a task, want 7200", m.Value)
		}
	}
	if under := r.Summary.UnderProvisioned; under != at(3, 45) {
		t.Errorf("under-provisioned for %s, want 3m45s: by the load and not by what is left of it", under)
	}
}
