package timeline

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// seconds is a length of time as JSON has it: exact, without zeros at its end.
func seconds(d time.Duration) string {
	sign, n := "", uint64(d)
	if d < 0 {
		sign, n = "-", -n
	}
	whole, fraction := strconv.FormatUint(n/1e9, 10), strconv.FormatUint(n%1e9+1e9, 10)[1:]
	return sign + strings.TrimSuffix(whole+"."+strings.TrimRight(fraction, "0"), ".")
}

// parseSeconds reads a JSON number of seconds, to the nanosecond, up to 146 years of either sign.
func parseSeconds(text string) (time.Duration, bool) {
	const most = time.Duration(1 << 62)
	// By the decimal where it has one: a float64 tells nanoseconds apart for 26 days only.
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole != "" && len(whole) <= 10 && len(fraction) <= 9 && !strings.ContainsAny(text, "eE") {
		n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
		d := time.Duration(n)
		if negative {
			d = -d
		}
		return d, err == nil && n <= int64(most)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(x) > most.Seconds() {
		return 0, false
	}
	return time.Duration(math.Round(x * 1e9)), true
}

// instantS is an instant or a length of time as JSON has it, in seconds. Reading one never fails, so that take can
// say which field could not be read.
type instantS struct {
	d    time.Duration
	null bool
	bad  string
	set  bool
}

func inS(d time.Duration) instantS { return instantS{d: d} }

// orNull is null for [Never].
func orNull(d time.Duration) instantS { return instantS{d: d, null: d < 0} }

func (i instantS) MarshalJSON() ([]byte, error) {
	if i.null {
		return []byte("null"), nil
	}
	return []byte(seconds(i.d)), nil
}

func (i *instantS) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*i = instantS{d: Never, null: true, set: true}
		return nil
	}
	d, ok := parseSeconds(text)
	*i = instantS{d: d, set: true}
	if !ok || d < 0 {
		i.bad = text
	}
	return nil
}

// take is the instant that was read; without one it is otherwise, which is negative for a field that must be there.
func (i instantS) take(field string, otherwise time.Duration, errs *error) time.Duration {
	switch {
	case i.bad != "":
		keep(errs, wrong(field, cut(i.bad), "seconds, 0 to "+seconds(MaxTime)))
	case i.null || !i.set:
		if otherwise == required {
			keep(errs, wrong(field, "", "seconds, 0 to "+seconds(MaxTime)))
		}
		return otherwise
	}
	return i.d
}

// required marks a field that must be there; no instant is this one.
const required time.Duration = math.MinInt64

// keep keeps the first error.
func keep(errs *error, err error) {
	if *errs == nil {
		*errs = err
	}
}

// cut is JSON as an error holds it: short, and without its line breaks.
func cut(text string) string {
	const most = 40
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return text
}
