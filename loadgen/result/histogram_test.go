package result

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

// latencies draws times over the whole range, with many equal and neighbouring ones among them.
func latencies(t *rapid.T, label string) []time.Duration {
	octave := rapid.IntRange(0, 31)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		low := int64(1) << octave.Draw(t, "octave")
		micros := min(low+rapid.Int64Range(0, low-1).Draw(t, "above"), maxMicros)
		return time.Duration(micros) * time.Microsecond
	}), 1, 200).Draw(t, label)
}

func histogramOf(values []time.Duration) *Histogram {
	h := &Histogram{}
	for _, v := range values {
		h.Record(v)
	}
	return h
}

func TestAQuantileIsTheValueOfItsRankInASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := latencies(t, "values")
		h := histogramOf(values)
		slices.Sort(values)
		tenThousandths := rapid.Int64Range(1, 10_000).Draw(t, "q·10,000")
		rank := (tenThousandths*int64(len(values)) + 9_999) / 10_000 // ceil in integers
		want := values[rank-1]

		got := h.Quantile(float64(tenThousandths) / 10_000)
		if got < want || got > want+want/1000+time.Microsecond {
			t.Fatalf("quantile %v of %d values is %v, and the value of rank %d is %v", float64(tenThousandths)/10_000, len(values), got, rank, want)
		}
	})
}

func TestMinimumMeanAndDeviationFollowFromTheSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := latencies(t, "values")
		h := histogramOf(values)
		var sum float64
		for _, v := range values {
			sum += float64(v)
		}
		mean := sum / float64(len(values))
		var squares float64
		for _, v := range values {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		deviation := math.Sqrt(squares / float64(len(values)))

		// A value stands for the middle of a bucket, which is off by 1 part in 2,000 at most; a microsecond is for rounding.
		largest := float64(slices.Max(values))
		within := func(name string, got time.Duration, want, tolerance float64) {
			if math.Abs(float64(got)-want) > tolerance+float64(time.Microsecond) {
				t.Fatalf("%s is %v, want %v ± %v", name, got, time.Duration(want), time.Duration(tolerance))
			}
		}
		within("mean", h.Mean(), mean, mean/2000)
		within("deviation", h.StdDev(), deviation, largest/1000)
		least := slices.Min(values)
		if got := h.Min(); got > least || got < least-least/1000-time.Microsecond {
			t.Fatalf("minimum is %v, want %v", got, least)
		}
		if got := h.Max(); got < time.Duration(largest) || float64(got) > largest*1.001+float64(time.Microsecond) {
			t.Fatalf("maximum is %v, want %v", got, time.Duration(largest))
		}
	})
}

func TestMergingGivesTheHistogramOfAllSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []time.Duration
		var merged Histogram
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			part := latencies(t, "part")
			all = append(all, part...)
			h := histogramOf(part)
			before := h.Clone()
			merged.Merge(h)
			if !h.Equal(before) {
				t.Fatal("merging changed the histogram that was merged")
			}
		}
		if want := histogramOf(all); !merged.Equal(want) {
			t.Fatal("the sum differs from one histogram of all samples")
		}
	})
}

func TestMergingAFewValuesIntoManyIsExactToo(t *testing.T) {
	// Below a thirty-second of the buckets, merging takes another way.
	var many, few, all Histogram
	for i := range 5000 {
		many.Record(time.Duration(i*7) * time.Microsecond)
		all.Record(time.Duration(i*7) * time.Microsecond)
	}
	for i := range 20 {
		few.RecordN(time.Duration(i*i*31)*time.Microsecond, int64(i+1))
		all.RecordN(time.Duration(i*i*31)*time.Microsecond, int64(i+1))
	}
	many.Merge(&few)
	if !many.Equal(&all) {
		t.Error("the sum differs from one histogram of all samples")
	}
}

// exactRank is ceil(p·n ÷ 100) for a percentage in decimal digits, in exact arithmetic.
func exactRank(percent string, n int64) int64 {
	p, _ := new(big.Rat).SetString(percent)
	p.Mul(p, big.NewRat(n, 100))
	rank := new(big.Int).Quo(p.Num(), p.Denom())
	if !p.IsInt() {
		rank.Add(rank, big.NewInt(1))
	}
	return max(rank.Int64(), 1)
}

// javaRank is the arithmetic of AbstractHistogram.getValueAtPercentile in HdrHistogram 2.2.2 for Java.
func javaRank(percent float64, n int64) int64 {
	p := min(max(math.Nextafter(percent, math.Inf(-1)), 0), 100)
	return max(int64(math.Ceil(p*float64(n)/100)), 1)
}

func TestRanksAreExactForEveryPercentageAPersonWrites(t *testing.T) {
	t.Parallel()
	counts := []int64{1, 2, 3, 7, 10, 99, 100, 101, 1000, 1001, 4999, 10_000, 65_537, 1_000_000, 34_560_000, 999_999_937, 1 << 40}
	for hundredths := 1; hundredths <= 10_000; hundredths++ {
		percent := strconv.Itoa(hundredths/100) + "." + strconv.Itoa(hundredths%100/10) + strconv.Itoa(hundredths%10)
		p, err := strconv.ParseFloat(percent, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range counts {
			want := exactRank(percent, n)
			if got := quantileRank(p/100, n); got != want {
				t.Fatalf("rank of p%s among %d is %d, want %d", percent, n, got, want)
			}
			if got := javaRank(p, n); got != want {
				t.Fatalf("Java's rank of p%s among %d is %d, want %d", percent, n, got, want)
			}
		}
	}
	for _, percent := range []string{"99.9", "99.99", "99.999", "99.9999", "0.001", "33.3333"} {
		p, _ := strconv.ParseFloat(percent, 64)
		for n := range int64(20_000) {
			if got, want := quantileRank(p/100, n+1), exactRank(percent, n+1); got != want {
				t.Fatalf("rank of p%s among %d is %d, want %d", percent, n+1, got, want)
			}
		}
	}
}

func TestWithoutTheStepDownFloatsAskForOneRankTooMany(t *testing.T) {
	q, n := 0.07, 100.0
	if got := math.Ceil(q * n); got != 8 {
		t.Fatalf("ceil(0.07·100) is %v: the step in quantileRank is not needed any more", got)
	}
	if got := quantileRank(0.07, 100); got != 7 {
		t.Errorf("rank of 0.07 among 100 is %d, want 7", got)
	}
}

func TestTheLibrarysOwnPercentilesRoundTheRankAndNameTooLowAValue(t *testing.T) {
	for _, tt := range []struct {
		q              float64
		n              int
		ours, librarys time.Duration
	}{
		{0.40, 3, 2 * time.Millisecond, 1 * time.Millisecond},       // rank 1.2: one of three is 33 %, not 40 %
		{0.99, 120, 119 * time.Millisecond, 119 * time.Millisecond}, // 118.8: both go up
		{0.99, 140, 139 * time.Millisecond, 139 * time.Millisecond}, // 138.6
		{0.99, 160, 159 * time.Millisecond, 158 * time.Millisecond}, // 158.4: 158 of 160 are 98.75 %
	} {
		var h Histogram
		library := hdrhistogram.New(minMicros, maxMicros, SignificantDigits)
		for i := range tt.n {
			d := time.Duration(i+1) * time.Millisecond
			h.Record(d)
			if err := library.RecordValue(d.Microseconds()); err != nil {
				t.Fatal(err)
			}
		}
		theirs := time.Duration(library.ValueAtPercentile(tt.q*100)) * time.Microsecond
		if got := h.Quantile(tt.q).Round(time.Millisecond); got != tt.ours {
			t.Errorf("quantile %v of %d is %v, want %v", tt.q, tt.n, got, tt.ours)
		}
		if got := theirs.Round(time.Millisecond); got != tt.librarys {
			t.Errorf("the library's quantile %v of %d is %v, was %v: if it asks for ceil(q·n) now, Quantile may use it", tt.q, tt.n, got, tt.librarys)
		}
	}
}

// javaFixture was printed by Java's HdrHistogram 2.2.2 for values that a linear congruential generator gives.
type javaFixture struct {
	Seed, Count, Min, Max int64
	Mean, StdDev          float64
	Percentiles           map[string]int64
	Text                  string
}

func (f javaFixture) histogram() *Histogram {
	x := uint64(f.Seed)
	next := func() uint64 { x = x*6364136223846793005 + 1442695040888963407; return x >> 33 }
	var h Histogram
	for range f.Count {
		bits := next()%22 + 9
		h.Record(time.Duration(1+next()&(1<<bits-1)) * time.Microsecond)
	}
	return &h
}

func TestFiguresAreThoseOfJavasHdrHistogram(t *testing.T) {
	data, err := os.ReadFile("testdata/hdrhistogram-java-2.2.2-figures.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []javaFixture
	if err := json.Unmarshal(data, &fixtures); err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures {
		h := f.histogram()
		var read Histogram
		if err := read.UnmarshalText([]byte(f.Text)); err != nil {
			t.Errorf("%d values: %v", f.Count, err)
		} else if !read.Equal(h) {
			t.Errorf("%d values: Java's text reads as other counts", f.Count)
		}
		for percent, want := range f.Percentiles {
			p, _ := strconv.ParseFloat(percent, 64)
			if got := h.Quantile(p / 100).Microseconds(); got != want {
				t.Errorf("p%s of %d values is %d µs, Java says %d µs", percent, f.Count, got, want)
			}
		}
		near := func(got time.Duration, want float64) bool {
			return math.Abs(float64(got)/1e3-want) < 0.001*(1+want/1e9)
		}
		if !near(h.Mean(), f.Mean) || !near(h.StdDev(), f.StdDev) || h.Min().Microseconds() != f.Min || h.Max().Microseconds() != f.Max {
			t.Errorf("%d values: mean %v deviation %v minimum %v maximum %v, Java says %v %v %v %v µs",
				f.Count, h.Mean(), h.StdDev(), h.Min(), h.Max(), f.Mean, f.StdDev, f.Min, f.Max)
		}
	}
}

func TestLatenciesOutsideTheRangeCountAtItsEnds(t *testing.T) {
	for _, tt := range []struct {
		recorded, low, high time.Duration
		clamped             bool
		why                 string
	}{
		{-time.Second, time.Microsecond, time.Microsecond, false, "clocks of two processors may differ"},
		{0, time.Microsecond, time.Microsecond, false, "below the resolution"},
		{499 * time.Nanosecond, time.Microsecond, time.Microsecond, false, "rounds to 0"},
		{1499 * time.Nanosecond, time.Microsecond, time.Microsecond, false, "rounds down"},
		{1500 * time.Nanosecond, 2 * time.Microsecond, 2 * time.Microsecond, false, "rounds up"},
		{time.Hour, time.Hour - 4*time.Second, time.Hour + 4*time.Second, false, "the end belongs to the range"},
		{time.Hour + 1, time.Hour - 4*time.Second, time.Hour + 4*time.Second, true, "just above"},
		{math.MaxInt64, time.Hour - 4*time.Second, time.Hour + 4*time.Second, true, "must not overflow"},
	} {
		var h Histogram
		if clamped := h.Record(tt.recorded); clamped != tt.clamped {
			t.Errorf("recording %v (%s): clamped is %v", tt.recorded, tt.why, clamped)
		}
		if h.Count() != 1 || h.Min() < tt.low || h.Max() > tt.high {
			t.Errorf("recording %v (%s): %d values from %v to %v", tt.recorded, tt.why, h.Count(), h.Min(), h.Max())
		}
	}
}

func TestAnEmptyHistogramHasNoFigures(t *testing.T) {
	for name, h := range map[string]*Histogram{"zero": {}, "nil": nil, "clone of nil": (*Histogram)(nil).Clone()} {
		if h.Count() != 0 || h.Quantile(0.5) != 0 || h.Mean() != 0 || h.StdDev() != 0 || h.Min() != 0 || h.Max() != 0 {
			t.Errorf("%s: has figures", name)
		}
		if !h.Equal(&Histogram{}) || Summary(h) != (Latency{}) || SummaryOfLag(h) != (LagSummary{}) {
			t.Errorf("%s: is not like an empty one", name)
		}
	}
}

func TestNonsenseQuantilesAnswerWithAnEnd(t *testing.T) {
	h := histogramOf([]time.Duration{time.Millisecond, time.Second})
	for q, want := range map[float64]time.Duration{0: h.Min(), -1: h.Min(), 1: h.Max(), 7: h.Max(), math.Inf(1): h.Max()} {
		if got := h.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := h.Quantile(math.NaN()); got != h.Min() {
		t.Errorf("quantile NaN is %v, want %v", got, h.Min())
	}
}

func TestACloneIsIndependent(t *testing.T) {
	h := histogramOf([]time.Duration{time.Millisecond})
	clone := h.Clone()
	h.Record(time.Second)
	if clone.Count() != 1 || h.Count() != 2 {
		t.Errorf("%d values in the clone and %d in the original, want 1 and 2", clone.Count(), h.Count())
	}
}

func TestBucketsAreThoseOfTheLibrarysDenseHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &Histogram{}
		dense := hdrhistogram.New(minMicros, maxMicros, SignificantDigits)
		for _, v := range latencies(t, "values") {
			h.Record(v)
			if err := dense.RecordValue(v.Microseconds()); err != nil {
				t.Fatal(err)
			}
		}
		var mine, theirs [][3]int64
		for v, n := range h.Buckets {
			mine = append(mine, [3]int64{v, highestEquivalent(v), n})
		}
		for _, bar := range dense.Distribution() {
			if bar.Count > 0 {
				theirs = append(theirs, [3]int64{bar.From, bar.To, bar.Count})
			}
		}
		if !slices.Equal(mine, theirs) {
			t.Fatalf("buckets %v, want %v", mine, theirs)
		}
		if got, want := h.Mean(), fromMicros(dense.Mean()); got.Round(time.Microsecond) != want.Round(time.Microsecond) {
			t.Fatalf("mean %v, want %v", got, want)
		}
	})
}

func TestTextIsByteForByteWhatTheLibraryWrites(t *testing.T) {
	var kept encoder // one encoder for all: what it keeps must not show
	rapid.Check(t, func(t *rapid.T) {
		h := histogramOf(latencies(t, "values"))
		for v := range h.Clone().Buckets {
			h.RecordN(time.Duration(v)*time.Microsecond, rapid.Int64Range(1, math.MaxInt64>>10).Draw(t, "n"))
			break
		}
		want, err := h.packed.EncodeV2()
		if err != nil {
			t.Fatal(err)
		}
		if got := kept.appendText(nil, h); string(got) != string(want) {
			t.Fatalf("wrote %s, want %s", got, want)
		}
		got, err := h.MarshalText()
		if err != nil || string(got) != string(want) {
			t.Fatalf("wrote %s (%v), want %s", got, err, want)
		}
		var read Histogram
		if err := read.UnmarshalText(got); err != nil || !read.Equal(h) {
			t.Fatalf("read back as other counts (%v)", err)
		}
	})
}

func TestTheTextOfAnEmptyHistogramReadsBack(t *testing.T) {
	text, err := (&Histogram{}).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hdrhistogram.NewPacked(minMicros, maxMicros, SignificantDigits).EncodeV2()
	if string(text) != string(want) {
		t.Errorf("wrote %s, want %s", text, want)
	}
	var read Histogram
	if err := read.UnmarshalText(text); err != nil || read.Count() != 0 {
		t.Errorf("read %d values, %v", read.Count(), err)
	}
}

func foreign(t testing.TB, low, high int64, digits int, counts map[int64]int64) string {
	h := hdrhistogram.NewPacked(low, high, digits)
	for v, n := range counts {
		if err := h.RecordValues(v, n); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.EncodeV2()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHistogramsOfOtherRangesAreReadIfTheyFit(t *testing.T) {
	var h Histogram
	if err := h.UnmarshalText([]byte(" " + foreign(t, 1, 1<<40, 2, map[int64]int64{0: 2, 100: 3, 1e6: 4}) + "\n")); err != nil {
		t.Fatal(err)
	}
	if h.Count() != 9 || h.Min() != time.Microsecond || h.Quantile(0.5) != 100*time.Microsecond {
		t.Errorf("read %d values from %v, median %v", h.Count(), h.Min(), h.Quantile(0.5))
	}
}

func TestHostileHistogramsAreRefusedAndChangeNothing(t *testing.T) {
	for _, tt := range []struct{ text, want, why string }{
		{"", "too short", "nothing"},
		{"HIST", "too short", "the cookie alone"},
		{"not base64!", "illegal base64", "text"},
		{foreign(t, 1, 1<<40, 3, map[int64]int64{7_200_000_000: 1}), "above 1 h", "two hours"},
		{foreign(t, 1, 1<<40, 3, map[int64]int64{10: math.MaxInt64}) + "A", "base64", "more behind it"},
		{strings.Repeat("A", maxText+1), "at most 300000", "endless"},
	} {
		h := histogramOf([]time.Duration{time.Second})
		err := h.UnmarshalText([]byte(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), "histogram: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one with %q", tt.why, err, tt.want)
		}
		if h.Count() != 1 {
			t.Errorf("%s: the histogram changed", tt.why)
		}
	}
}

func TestCountsThatOverflowTogetherAreRefused(t *testing.T) {
	// The library reads such a text and saturates its total.
	text := foreign(t, 1, maxMicros, 2, map[int64]int64{10: math.MaxInt64 - 1})
	var h Histogram
	if err := h.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var e encoder
	payload := appendPayload(nil, &h)
	payload = appendZigZag(payload, math.MaxInt64-1) // a second bucket as full as the first
	binary.BigEndian.PutUint32(payload[4:], uint32(len(payload)-v2HeaderSize))
	var twice Histogram
	if err := twice.UnmarshalText(e.compress(nil, payload)); err == nil || !strings.Contains(err.Error(), "more values than can be counted") {
		t.Errorf("error %v", err)
	}
}

func FuzzHistogramText(f *testing.F) {
	f.Add([]byte(foreign(f, 1, maxMicros, 3, map[int64]int64{10: 1, 1e6: 300})))
	f.Add([]byte(foreign(f, 1000, 1<<50, 5, map[int64]int64{1e9: 1 << 40})))
	f.Add([]byte("HISTFAAAACR42pNpmSzMwMDAwgABzFCaEURcm7yEwf4DRGD+FkYmAGgmBeE="))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Histogram
		if h.UnmarshalText(text) != nil {
			return
		}
		if h.Count() < 0 || h.Min() > h.Max() || h.Max() > MaxLatency+4*time.Second {
			t.Fatalf("%d values from %v to %v", h.Count(), h.Min(), h.Max())
		}
		again, err := h.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var read Histogram
		if err := read.UnmarshalText(again); err != nil || !read.Equal(&h) {
			t.Fatalf("what was read does not survive writing: %v", err)
		}
	})
}

func BenchmarkHistogramText(b *testing.B) {
	var h Histogram
	for i := range 400 {
		h.Record(time.Duration(2000+i*i%3000) * time.Microsecond)
	}
	var e encoder
	var text []byte
	b.ReportAllocs()
	for b.Loop() {
		text = e.appendText(text[:0], &h)
	}
}

func BenchmarkMergeOfASecondOfOneEndpointAmongMany(b *testing.B) {
	var whole, second Histogram
	for i := range 5000 {
		whole.Record(time.Duration(1000+i*3) * time.Microsecond)
	}
	second.Record(5 * time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		whole.Merge(&second)
	}
}
