package gate

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

// scopes is a Source of fixed figures, by "endpoint|phase".
type scopes map[string]Metrics

func (s scopes) Metrics(endpoint, phase string) (Metrics, bool) {
	m, ok := s[endpoint+"|"+phase]
	return m, ok
}

func histogram(latencies ...time.Duration) *result.Histogram {
	h := &result.Histogram{}
	for _, d := range latencies {
		h.Record(d)
	}
	return h
}

// some is n times d.
func some(n int, d time.Duration) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }

func mustParse(t *testing.T, text string) Expr {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const ms = time.Millisecond

func TestEvaluateSaysWhatWasSeenInWords(t *testing.T) {
	run := Metrics{
		Seconds: 10, Completed: 1000, Due: result.EndpointWindow{Requests: 1000, Failures: 24, Retried: 3, BytesIn: 3 << 20, BytesOut: 2048, Abandoned: 5, Corrected: histogram(append(some(900, 20*ms), some(100, 2*time.Second)...)...), Raw: histogram(some(976, 20*ms)...), Failed: histogram(some(24, 100*ms)...)},
		Offered: new(int64(1010)), Sent: new(int64(1005)), Dropped: new(int64(5)),
	}
	src := scopes{
		"|":            run,
		"GET /|":       {Seconds: 10, Due: result.EndpointWindow{Requests: 500, Corrected: histogram(some(500, 61200*time.Microsecond)...)}},
		"GET /|steady": {Seconds: 8, Due: result.EndpointWindow{Requests: 400, Corrected: histogram(some(400, 12*ms)...)}},
		"a\nb|":        {Seconds: 10, Due: result.EndpointWindow{Requests: 1}},
		"|ramp":        {Seconds: 3, Due: result.EndpointWindow{Requests: 3_333_333, Failures: 10}},
	}
	for _, row := range []struct {
		text   string
		value  float64
		passed bool
		detail string
	}{
		{"{GET /}:p(99)<50ms", 61.215, false, "was 61.2 ms"},
		{"{GET /,phase:steady}:p(99)<50ms", 12.007, true, "was 12.0 ms"},
		{"med<25", 20.015, true, "was 20.0 ms, of the 97.6 % that succeeded"},
		{"max<1s", 2000.895, false, "was 2.00 s, of the 97.6 % that succeeded"},
		{"raw.min>=20ms", 20, true, "was 20.0 ms, of the 97.6 % that succeeded"},
		{"raw.mean<20.05", 20.008, true, "was 20.0 ms, of the 97.6 % that succeeded"},
		{"raw.mean<20.02", 20.008, true, "was 20.008 ms, of the 97.6 % that succeeded"},
		{"raw.mean<20.01", 20.008, false, "was 20.008 ms, of the 97.6 % that succeeded, not below 20.01 ms within the histogram's resolution"},
		{"raw.max<=20ms", 20.015, true, "was 20.015 ms, of the 97.6 % that succeeded, 20 ms within the histogram's resolution"},
		{"raw.max<20ms", 20.015, false, "was 20.015 ms, of the 97.6 % that succeeded, not below 20 ms within the histogram's resolution"},
		{"raw.max>20ms", 20.015, false, "was 20.015 ms, of the 97.6 % that succeeded, not above 20 ms within the histogram's resolution"},
		{"raw.max!=20ms", 20.015, false, "was 20.015 ms, of the 97.6 % that succeeded, 20 ms within the histogram's resolution, which it must not be"},
		{"raw.stddev<=0", 0, true, "was 0 ms, of the 97.6 % that succeeded"},
		{"raw.stddev<1", 0, true, "was 0 ms, of the 97.6 % that succeeded"},
		{"failed.p(50)<1s", 100.031, true, "was 100 ms"},
		{"error_rate<1%", 0.024, false, "was 2.4 % (24 of 1,000 requests)"},
		{"error_rate<2.41%", 0.024, true, "was 2.4 % (24 of 1,000 requests)"},
		{"error_rate<=2.4%", 0.024, true, "was 2.4 % (24 of 1,000 requests)"},
		{"error_rate<2.4%", 0.024, false, "was 2.4 % (24 of 1,000 requests), not below 2.4 %"},
		{"{phase:ramp}:error_rate<0.0003%", 10.0 / 3_333_333, false, "was 0.0003 % (10 of 3,333,333 requests)"},
		{"rps>=370", 100, false, "was 100.0/s"},
		{"rps>=100.001", 100, false, "was 100/s"},
		{"rps==100", 100, true, "was 100.0/s"},
		{"requests>=68000", 1000, false, "was 1,000"},
		{"failures<=0", 24, false, "was 24"},
		{"retried<=3", 3, true, "was 3"},
		{"retried!=3", 3, false, "was 3, which it must not be"},
		{"truncated==0", 0, true, "was 0"},
		{"truncated>0", 0, false, "was 0, not above 0"},
		{"redirects>=1", 0, false, "was 0"},
		{"bytes_in<1MiB", 3 << 20, false, "was 3.00 MiB"},
		{"bytes_out>2047", 2048, true, "was 2,048 B"},
		{"abandoned<10", 5, true, "was 5"},
		{"offered>1000", 1010, true, "was 1,010"},
		{"sent>=1010", 1005, false, "was 1,005"},
		{"dropped==0", 5, false, "was 5"},
		{`{"a\nb"}:requests>=1`, 1, true, "was 1"},
	} {
		e := mustParse(t, row.text)
		got := Evaluate([]Expr{e}, Evidence{Requests: src})[0]
		want := result.Outcome{Expression: e.String(), Value: result.Reading(row.value), Passed: row.passed, Detail: row.detail}
		if got != want {
			t.Errorf("%s\n got %+v\nwant %+v", row.text, got, want)
		}
	}
}

func TestAThresholdWithoutDataFailsAndSaysSo(t *testing.T) {
	silent := scopes{
		"|":      {Seconds: 10, Offered: new(int64(0)), Sent: new(int64(0)), Dropped: new(int64(0))}, // a run in which nothing was sent
		"GET /|": {Seconds: 10, Due: result.EndpointWindow{Requests: 5, Corrected: histogram(some(5, ms)...)}},
		"a|":     {Seconds: 10, Due: result.EndpointWindow{Requests: 5, Failures: 5, Failed: histogram(some(5, ms)...)}},
		"|never": {}, // a phase that was not reached
	}
	for _, row := range []struct{ text, why string }{
		{"p(99)>=0", "no request succeeded"},
		{"raw.max<1s", "no request succeeded"},
		{"first_byte.max<1s", "no request succeeded"},
		{"{a}:p(99)<1s", "no request succeeded"},
		{"{GET /}:failed.max<1s", "no request failed"},
		{"{GET /}:connect.max<1s", "no connection was opened"},
		{"error_rate<1%", "no request completed"},
		{"failures==0", "no request completed"},
		{"retried==0", "no request completed"},
		{"truncated==0", "no request completed"},
		{"redirects==0", "no request completed"},
		{"bytes_in==0", "no request completed"},
		{"bytes_out==0", "no request completed"},
		{"abandoned==0", "no request completed"},
		{"dropped==0", "nothing was offered"},
		{"{phase:never}:rps<1000", "no time was measured"},
		{"{phase:other}:requests>=0", "nothing was measured there"},
		{"{b}:p(99)<1s", "nothing was measured there"},
	} {
		got := Evaluate([]Expr{mustParse(t, row.text)}, Evidence{Requests: silent})[0]
		if got.Passed || got.Value.Known() || got.Detail != "no data: "+row.why+"; without data it fails" {
			t.Errorf("%s: %+v, want a failure without value because %s", row.text, got, row.why)
		}
	}
	for _, text := range []string{"offered==0", "sent==0", "requests==0", "rps==0"} {
		if got := Evaluate([]Expr{mustParse(t, text)}, Evidence{Requests: silent})[0]; !got.Passed || got.Value != 0 {
			t.Errorf("%s: %+v; how much there was is known, and nothing is an answer", text, got)
		}
	}
	for _, text := range []string{"offered>=0", "sent>=0", "dropped>=0"} {
		if got := Evaluate([]Expr{mustParse(t, text)}, Evidence{Requests: scopes{"|": {Seconds: 1, Due: result.EndpointWindow{Requests: 1}}}})[0]; got.Passed || got.Value.Known() || !strings.Contains(got.Detail, "it was not counted") {
			t.Errorf("%s: %+v, want a failure where it was not counted", text, got)
		}
	}
	if got := Evaluate([]Expr{{Subject: "nonsense"}, {Latency: Raw, Subject: "nonsense"}}, Evidence{Requests: scopes{"|": {Due: result.EndpointWindow{Raw: histogram(ms)}}}}); got[0].Passed || got[1].Passed {
		t.Errorf("an Expr that Parse never gives passed: %+v", got)
	}
}

func TestACountOfSomethingIsEvidenceWithoutACompletedRequest(t *testing.T) {
	got := Evaluate([]Expr{mustParse(t, "abandoned<=7")}, Evidence{Requests: scopes{"|": {Seconds: 1, Due: result.EndpointWindow{Abandoned: 7}}}})[0]
	if !got.Passed || got.Value != 7 {
		t.Errorf("%+v, want 7 abandoned requests to count", got)
	}
}

func TestEvaluateKeepsTheOrderAndGivesAListWithoutExpressions(t *testing.T) {
	src := scopes{"|": {Seconds: 1, Due: result.EndpointWindow{Requests: 1}}}
	got := Evaluate([]Expr{mustParse(t, "rps>0"), mustParse(t, "failures==0"), mustParse(t, "rps>5")}, Evidence{Requests: src})
	if len(got) != 3 || got[0].Expression != "rps>0" || got[1].Expression != "failures==0" || got[2].Expression != "rps>5" {
		t.Errorf("%+v", got)
	}
	if got := Evaluate(nil, Evidence{Requests: src}); got == nil || len(got) != 0 {
		t.Errorf("%#v, want an empty list, which JSON writes as []", got)
	}
}

// bucket is the place of a latency in a histogram of 3 digits, by the definition: below 2,048 µs
// each microsecond is one, and with every doubling the buckets get twice as wide.
func bucket(micros int64) [2]int64 {
	width := int64(1)
	for micros/width >= 2048 {
		width *= 2
	}
	return [2]int64{width, micros / width}
}

func TestALatencyIsComparedAsTheSortedListSaysUpToTheBucketsOfAHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Int64Range(1, 3_000_000).Draw(t, "base µs")
		near := rapid.Int64Range(max(1, base-base/500-3), base+base/500+3)
		micros := rapid.SliceOfN(rapid.OneOf(near, rapid.Int64Range(1, 3_000_000)), 1, 200).Draw(t, "latencies")
		limit := near.Draw(t, "limit")
		percentile := rapid.SampledFrom([]float64{1, 50, 90, 99, 99.9, 100, 33.3}).Draw(t, "percentile")

		h := &result.Histogram{}
		for _, us := range micros {
			h.Record(time.Duration(us) * time.Microsecond)
		}
		slices.Sort(micros)
		rank, _ := new(big.Rat).SetString(plain(percentile, 0))
		rank.Mul(rank, big.NewRat(int64(len(micros)), 100))
		up := new(big.Int).Add(rank.Num(), new(big.Int).Sub(rank.Denom(), big.NewInt(1)))
		truth := micros[up.Div(up, rank.Denom()).Int64()-1]

		mine, other := bucket(truth), bucket(limit)
		order := cmp.Or(cmp.Compare(mine[0], other[0]), cmp.Compare(mine[1], other[1]))
		for op, want := range map[Op]bool{Less: order < 0, LessEqual: order <= 0, Greater: order > 0, GreaterEqual: order >= 0, Equal: order == 0, NotEqual: order != 0} {
			e := latency(Percentile, percentile, op, float64(limit)/1000)
			if got := e.judgeRequests(&Metrics{Due: result.EndpointWindow{Corrected: h}}); got.Passed != want {
				t.Fatalf("%s of %d sorted values, the right one being %d µs: %+v", e, len(micros), truth, got)
			}
		}
	})
}

func TestEveryLatencyAndStatisticReadsItsOwnHistogram(t *testing.T) {
	m := Metrics{Due: result.EndpointWindow{Corrected: histogram(1*ms, 1*ms), Raw: histogram(2*ms-1, 2*ms-1), Failed: histogram(100 * time.Microsecond), FirstByte: histogram(200 * time.Microsecond), Connect: histogram(100*time.Microsecond, 300*time.Microsecond)}}
	for text, want := range map[string]result.Reading{
		"max<1": 1, "raw.max<1": 2, "failed.max<1": 0.1, "first_byte.max<1": 0.2, "connect.max<1": 0.3,
		"connect.min<1": 0.1, "connect.mean<1": 0.2, "connect.stddev<1": 0.1, "connect.p(50)<1": 0.1, "connect.p(51)<1": 0.3,
	} {
		if got := mustParse(t, text).judgeRequests(&m); got.Value != want {
			t.Errorf("%s reads %v, want %v", text, got.Value, want)
		}
	}
}

func TestTheShortestLatencyIsNotNothing(t *testing.T) {
	m := Metrics{Due: result.EndpointWindow{Corrected: histogram(time.Microsecond, 2*time.Microsecond, 2*time.Microsecond)}}
	if got := mustParse(t, "min>0").judgeRequests(&m); !got.Passed {
		t.Errorf("%+v: 1 µs is above 0", got)
	}
	if got := mustParse(t, "mean<1").judgeRequests(&m); got.Value != 0.002 {
		t.Errorf("%+v: a mean of 1.67 µs is 2 µs to the microsecond", got)
	}
}

// Sends without an answer are judged at their age: what hangs longer than the limit is slow, and what was cut before it
// says nothing.
func TestWhatWasNeverAnsweredIsJudgedAtItsAge(t *testing.T) {
	hung := Metrics{ // 100 answers in 20 ms, then 50 that hang for 10 s
		Completed: 100, Seconds: 10, Due: result.EndpointWindow{Requests: 100, Corrected: histogram(some(100, 20*ms)...), Raw: histogram(some(100, 20*ms)...)},
		Unanswered: new(int64(50)), Cut: new(int64(0)), Ages: histogram(some(50, 10*time.Second)...), AgesRaw: histogram(some(50, 9*time.Second)...),
	}
	young := hung // 50 that were cut after 5 ms
	young.Unanswered, young.Cut = new(int64(0)), new(int64(50))
	young.Ages, young.AgesCut = histogram(some(50, 5*ms)...), histogram(some(50, 5*ms)...)
	for _, row := range []struct {
		text   string
		m      Metrics
		passed bool
		detail string
	}{
		{"p(99)<50ms", hung, false, "was ≥ 10.0 s, of the 67 % that succeeded"},
		{"raw.p(99)<50ms", hung, false, "was ≥ 9.00 s, of the 67 % that succeeded"},
		{"p(50)<50ms", hung, true, "was 20.0 ms, of the 67 % that succeeded"},
		{"max<50ms", hung, false, "was ≥ 10.0 s, of the 67 % that succeeded"},
		{"max<20s", hung, true, "was 20.0 ms, of the 67 % that succeeded"},
		{"avg<50ms", hung, true, "was 20.0 ms, of the 67 % that succeeded"},
		{"within(50ms)>=99%", hung, false, "was 67 % (100 of 150)"},
		{"within(10ms)>=1%", hung, false, "was 0.00 % (0 of 150)"},
		{"error_rate<1%", hung, false, "was 33 % (50 of 150 requests), 50 unanswered"},
		{"failures==0", hung, false, "was 50, 50 unanswered"},
		{"p(99)<50ms", young, true, "was 20.0 ms, of the 67 % that succeeded"},
		{"p(99)<4ms", young, false, "was 20.0 ms, of the 67 % that succeeded"},
		{"within(50ms)>=99%", young, true, "was 100 % (100 of 100)"},
		{"within(5ms)>=50%", young, false, "was 0.00 % (0 of 150)"},
		{"error_rate<1%", young, true, "was 0.00 % (0 of 100 requests)"},
		{"p(99)<50ms", Metrics{Unanswered: new(int64(3)), Ages: histogram(some(3, time.Second)...)}, false, "was ≥ 1.00 s, of the 0.00 % that succeeded"},
	} {
		if got := mustParse(t, row.text).judgeRequests(&row.m); got.Passed != row.passed || got.Detail != row.detail {
			t.Errorf("%s\n got %v %s\nwant %v %s", row.text, got.Passed, got.Detail, row.passed, row.detail)
		}
	}
}

func TestRatiosAndRatesAreComparedExactly(t *testing.T) {
	for _, row := range []struct {
		text   string
		m      Metrics
		passed bool
		why    string
	}{
		{"error_rate==0.7%", Metrics{Due: result.EndpointWindow{Requests: 1000, Failures: 7}}, true, "7 of 1,000 is 0.7 %, though 0.7/100 is another float64"},
		{"error_rate<1%", Metrics{Due: result.EndpointWindow{Requests: 100, Failures: 1}}, false, "not below"},
		{"error_rate<1%", Metrics{Due: result.EndpointWindow{Requests: 100_000_001, Failures: 1_000_000}}, true, "below by one in a hundred million"},
		{"error_rate==0", Metrics{Due: result.EndpointWindow{Requests: 1_000_000_000, Failures: 1}}, false, "one is not none"},
		{"rps>=389.4", Metrics{Completed: 3894, Seconds: 10}, true, "exactly"},
		{"rps>389.4", Metrics{Completed: 3894, Seconds: 10}, false, "exactly"},
	} {
		if got := mustParse(t, row.text).judgeRequests(&row.m); got.Passed != row.passed {
			t.Errorf("%s: %+v, want passed %v: %s", row.text, got, row.passed, row.why)
		}
	}
}
