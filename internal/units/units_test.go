package units

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

func TestLatencyKeepsThreeDigitsOnBothSidesOfEveryEdge(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
		why  string
	}{
		{0, "0 ms", "nothing at all"},
		{1, "<0.001 ms", "not nothing"},
		{499, "<0.001 ms", "below half of the resolution"},
		{500, "0.001 ms", "halves round up"},
		{1499, "0.001 ms", ""},
		{1500, "0.002 ms", ""},
		{412 * us, "0.412 ms", ""},
		{999*us + 499, "0.999 ms", "the last of its row"},
		{999*us + 500, "1.00 ms", "the row is chosen after rounding"},
		{ms, "1.00 ms", ""},
		{1004*us + 999, "1.00 ms", ""},
		{1005 * us, "1.01 ms", ""},
		{3414 * us, "3.41 ms", ""},
		{3415 * us, "3.42 ms", ""},
		{9994*us + 999, "9.99 ms", ""},
		{9995 * us, "10.0 ms", "not 10.00 ms"},
		{31249 * us, "31.2 ms", ""},
		{31250 * us, "31.3 ms", ""},
		{99949*us + 999, "99.9 ms", ""},
		{99950 * us, "100 ms", "not 100.0 ms"},
		{312*ms + 499*us, "312 ms", ""},
		{312*ms + 500*us, "313 ms", ""},
		{999*ms + 499*us, "999 ms", ""},
		{999*ms + 500*us, "1.00 s", "not 1000 ms"},
		{1254*ms + 999*us, "1.25 s", ""},
		{1255 * ms, "1.26 s", ""},
		{9994*ms + 999*us, "9.99 s", ""},
		{9995 * ms, "10.0 s", ""},
		{99949 * ms, "99.9 s", ""},
		{99950 * ms, "100 s", ""},
		{125*time.Second + 499*ms, "125 s", ""},
		{125*time.Second + 500*ms, "126 s", ""},
		{time.Hour, "3,600 s", "the longest latency that is kept"},
		{math.MaxInt64, "9,223,372,036 s", "rounding up would leave the range"},
		{-3414 * us, "-3.41 ms", "a distance has a sign"},
		{-1, ">-0.001 ms", "just below nothing"},
		{math.MinInt64, "-9,223,372,036 s", "has no opposite"},
	} {
		if got := Latency(row.d); got != row.want {
			t.Errorf("Latency(%d ns) = %q, want %q %s", int64(row.d), got, row.want, row.why)
		}
	}
}

func TestMillisecondsAreALatencyOrUnknown(t *testing.T) {
	for _, row := range []struct {
		ms   float64
		want string
		why  string
	}{
		{50.015, "50.0 ms", ""},
		{0.0005, "0.001 ms", "500 ns: halves round up"},
		{0.000499, "<0.001 ms", ""},
		{1005.0, "1.01 s", ""},
		{1.005, "1.01 ms", "though 1.005·10⁶ is a little less in float64"},
		{math.NaN(), None, "unknown"},
		{math.Inf(1), None, "no number"},
		{1e300, None, "no length of time"},
	} {
		if got := Milliseconds(row.ms); got != row.want {
			t.Errorf("Milliseconds(%v) = %q, want %q %s", row.ms, got, row.want, row.why)
		}
	}
}

func TestRateOnBothSidesOfEveryEdge(t *testing.T) {
	for _, row := range []struct {
		rate float64
		want string
		why  string
	}{
		{0, "0/s", "nothing at all"},
		{0.004, "<0.01/s", "not nothing"},
		{0.00499999, "<0.01/s", ""},
		{0.005, "0.01/s", "halves round up"},
		{0.125, "0.13/s", "and away from zero, not to even"},
		{4.274999, "4.27/s", ""},
		{4.275, "4.28/s", "the decimal counts, though the float is a little below it"},
		{9.994999, "9.99/s", ""},
		{9.995, "10.0/s", "the row is chosen after rounding"},
		{389.4499, "389.4/s", ""},
		{389.45, "389.5/s", ""},
		{999.9499, "999.9/s", ""},
		{999.95, "1,000/s", "not 1000.0/s"},
		{12344.4999, "12,344/s", "no k: it would hide 44 requests a second"},
		{12344.5, "12,345/s", ""},
		{1e9, "1,000,000,000/s", ""},
		{-389.44, "-389.4/s", "a change has a sign"},
		{-0.001, ">-0.01/s", ""},
		{math.NaN(), None, "unknown"},
		{math.Inf(1), None, "a count in no time"},
	} {
		if got := Rate(row.rate); got != row.want {
			t.Errorf("Rate(%v) = %q, want %q %s", row.rate, got, row.want, row.why)
		}
	}
}

func TestPercentSaysNoneAndAllOnlyWhenItIsSo(t *testing.T) {
	for _, row := range []struct {
		ratio float64
		want  string
		why   string
	}{
		{0, "0.00 %", "none"},
		{3.0 / 1e6, "0.0003 %", "3 of a million are not none"},
		{1.0 / 1e6, "0.0001 %", "the least that is told"},
		{0.99 / 1e6, "<0.0001 %", ""},
		{1e-300, "<0.0001 %", ""},
		{0.00000144, "0.00014 %", "two digits"},
		{0.00000145, "0.00015 %", "halves round up"},
		{0.0000999, "0.01 %", "no zero at the end"},
		{0.004, "0.4 %", ""},
		{0.00434, "0.43 %", ""},
		{0.00435, "0.44 %", "0.435 exactly, by its decimal"},
		{0.00994, "0.99 %", ""},
		{0.00995, "1 %", "0.995: what rounding fills with zeros is cut"},
		{0.0104, "1 %", "1.04: one digit after the point in this row"},
		{0.0105, "1.1 %", ""},
		{0.0994, "9.9 %", ""},
		{0.0995, "10 %", ""},
		{0.12, "12 %", ""},
		{0.1249, "12 %", ""},
		{0.125, "13 %", "halves round up, not to even"},
		{0.145, "15 %", "by its decimal, though the float is below it"},
		{0.5, "50 %", ""},
		{0.8949, "89 %", ""},
		{0.895, "90 %", ""},
		{0.9003, "90 %", ""},
		{0.9005, "90.1 %", "less than 10 are missing: one more digit"},
		{0.996, "99.6 %", ""},
		{0.99996, "99.996 %", "not all"},
		{0.999999, "99.9999 %", "the most that is told"},
		{0.9999991, ">99.9999 %", ""},
		{math.Nextafter(1, 0), ">99.9999 %", ""},
		{1, "100 %", "all"},
		{math.Nextafter(1, 2), ">100 %", ""},
		{1.0004, "100.04 %", ""},
		{1.22, "122 %", "twelve of ten: a ratio of unlike things"},
		{12.344, "1,234 %", ""},
		{-0.032, "-3.2 %", "a change has a sign"},
		{-1e-9, ">-0.0001 %", ""},
		{math.Nextafter(-1, 0), "<-99.9999 %", ""},
		{math.NaN(), None, "none of none"},
		{math.Inf(-1), None, ""},
	} {
		if got := Percent(row.ratio); got != row.want {
			t.Errorf("Percent(%v) = %q, want %q %s", row.ratio, got, row.want, row.why)
		}
	}
}

func TestBytesKeepThreeDigitsOnBothSidesOfEveryEdge(t *testing.T) {
	for _, row := range []struct {
		n    int64
		want string
		why  string
	}{
		{0, "0 B", ""},
		{999, "999 B", ""},
		{1023, "1,023 B", ""},
		{1024, "1.00 KiB", ""},
		{1029, "1.00 KiB", "1.0049"},
		{1030, "1.01 KiB", "1.0059"},
		{1536, "1.50 KiB", ""},
		{10234, "9.99 KiB", "9.9941"},
		{10235, "10.0 KiB", "9.9951"},
		{102348, "99.9 KiB", "99.949"},
		{102349, "100 KiB", "99.950"},
		{1023*1024 + 511, "1,023 KiB", ""},
		{1023*1024 + 512, "1.00 MiB", "1023.5 KiB: the unit is chosen after rounding"},
		{1<<20 - 1, "1.00 MiB", ""},
		{10 << 20, "10.0 MiB", ""},
		{12900000, "12.3 MiB", ""},
		{5 << 30, "5.00 GiB", ""},
		{math.MaxInt64, "8.00 EiB", ""},
		{math.MinInt64, "-8.00 EiB", "has no opposite"},
		{-1536, "-1.50 KiB", "a change has a sign"},
	} {
		if got := Bytes(row.n); got != row.want {
			t.Errorf("Bytes(%d) = %q, want %q %s", row.n, got, row.want, row.why)
		}
	}
}

func TestCountSeparatesThousands(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 68912: "68,912", 999999: "999,999", 1000000: "1,000,000",
		-999: "-999", -1000: "-1,000", math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDecimalKeepsTheSixDigitsOfAResult(t *testing.T) {
	for _, row := range []struct {
		x    float64
		want string
		why  string
	}{
		{0, "0", ""},
		{50, "50", "nothing fills"},
		{50.015, "50.015", ""},
		{100, "100", "zeros before the point stay"},
		{0.0000005, "0.000001", "halves round up"},
		{0.00000049, "0", ""},
		{-0.00000049, "0", "no negative zero"},
		{-1234.5, "-1,234.5", ""},
		{1234567.125, "1,234,567.125", ""},
		{math.NaN(), None, "unknown"},
	} {
		if got := Decimal(row.x); got != row.want {
			t.Errorf("Decimal(%v) = %q, want %q %s", row.x, got, row.want, row.why)
		}
	}
}

func TestClockShowsTheSecondUnderWay(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0:00"},
		{time.Second - 1, "0:00"},
		{time.Second, "0:01"},
		{59*time.Second + 999*ms, "0:59"},
		{time.Minute, "1:00"},
		{3*time.Minute - 1, "2:59"},
		{3 * time.Minute, "3:00"},
		{time.Hour - 1, "59:59"},
		{time.Hour, "1:00:00"},
		{time.Hour + 2*time.Minute + 3*time.Second, "1:02:03"},
		{100 * time.Hour, "100:00:00"},
		{-5 * time.Second, "-0:05"},
		{math.MinInt64, "-2562047:47:16"},
	} {
		if got := Clock(row.d); got != row.want {
			t.Errorf("Clock(%s) = %q, want %q", row.d, got, row.want)
		}
	}
}

func TestDurationHasNoZeroUnitsAtItsEnd(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{50 * ms, "50ms"},
		{10 * time.Second, "10s"},
		{3 * time.Minute, "3m"},
		{90 * time.Second, "1m30s"},
		{100 * time.Second, "1m40s"},
		{time.Hour, "1h"},
		{90 * time.Minute, "1h30m"},
		{10*time.Hour + 10*time.Minute, "10h10m"},
		{time.Hour + 5*time.Second, "1h0m5s"},
		{-time.Minute, "-1m"},
	} {
		if got := Duration(row.d); got != row.want {
			t.Errorf("Duration(%s) = %q, want %q", row.d, got, row.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64().Draw(t, "ns"))
		if back, err := time.ParseDuration(Duration(d)); err != nil || back != d {
			t.Fatalf("%q reads back as %v, %v", Duration(d), back, err)
		}
	})
}

// read takes a printed number apart: its value in the base unit, and whether it is only a bound.
func read(t *rapid.T, text string) (value float64, bound bool) {
	factors := []struct {
		suffix string
		factor float64
	}{{" ms", 1e6}, {" s", 1e9}, {"/s", 1}, {" %", 0.01},
		{" KiB", 1 << 10}, {" MiB", 1 << 20}, {" GiB", 1 << 30}, {" TiB", 1 << 40}, {" PiB", 1 << 50}, {" EiB", 1 << 60}, {" B", 1}}
	for _, f := range factors {
		number, found := strings.CutSuffix(text, f.suffix)
		if !found {
			continue
		}
		bare := strings.TrimLeft(number, "<>")
		v, err := strconv.ParseFloat(strings.ReplaceAll(bare, ",", ""), 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return v * f.factor, bare != number
	}
	t.Fatalf("%q has no unit", text)
	return 0, false
}

// magnitudes draws numbers of every size alike, not mostly huge ones.
func magnitudes(from, to float64) *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		return math.Pow(10, rapid.Float64Range(from, to).Draw(t, "exponent"))
	})
}

func TestWhatIsPrintedIsWithinHalfADigitAndNeverOutOfOrder(t *testing.T) {
	for _, p := range []struct {
		name   string
		print  func(float64) string
		from   float64 // log10 of the range
		to     float64
		within func(x float64) float64 // half of the last digit that the rules promise
	}{
		{"latency", func(x float64) string { return Latency(time.Duration(x)) }, 0, 12.5, func(x float64) float64 { return max(501, x*0.005) }},
		{"rate", Rate, -4, 9, func(x float64) float64 {
			switch {
			case x < 10:
				return 0.00501
			case x < 1000:
				return 0.0501
			}
			return 0.501
		}},
		{"percent", Percent, -8, 1.5, func(x float64) float64 { return max(1e-6, min(0.00501, x/20, max(math.Abs(1-x)/20, 1e-6))) }},
		{"bytes", func(x float64) string { return Bytes(int64(x)) }, 0, 18.9, func(x float64) float64 { return 1 + x*0.00501 }}, // 1: what int64 cuts off
	} {
		t.Run(p.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x := magnitudes(p.from, p.to).Draw(t, "x")
				y := max(x, rapid.OneOf(magnitudes(p.from, p.to), rapid.Just(x*1.001), rapid.Just(math.Nextafter(x, math.Inf(1)))).Draw(t, "y"))
				vx, bound := read(t, p.print(x))
				switch {
				case bound && (p.print(x)[0] == '<') != (x < vx):
					t.Fatalf("%v prints as %q", x, p.print(x))
				case !bound && math.Abs(vx-x) > p.within(x):
					t.Fatalf("%v prints as %q, %v away", x, p.print(x), math.Abs(vx-x))
				}
				if vy, _ := read(t, p.print(y)); vy < vx && p.print(x)[0] != '<' {
					t.Fatalf("%v prints as %q, and the larger %v as %q", x, p.print(x), y, p.print(y))
				}
			})
		})
	}
}
