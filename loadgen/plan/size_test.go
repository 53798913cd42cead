package plan

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestSizesAreBytesWithOrWithoutUnits(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1024": 1024, "512k": 512_000, "512kB": 512_000, "512KB": 512_000, "10MB": 10_000_000, "10MiB": 10 << 20, "10mib": 10 << 20,
		"10 MiB": 10 << 20, "1Gi": 1 << 30, "2G": 2e9, "1TiB": 1 << 40, "1.5MB": 1_500_000, "1.1MB": 1_100_000, "0.5KiB": 512,
		"7B": 7, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestTextsThatAreNoSizeAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "empty, want bytes, e.g. 1048576, 512k, 10MB or 10MiB",
		"MB":                              `"MB": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"-1":                              `"-1": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"10XB":                            `"10XB": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"1e6":                             `"1e6": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"1/2":                             `"1/2": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"1.2.3":                           `"1.2.3": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		".":                               `".": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`,
		"1.5":                             `"1.5": want a whole number of bytes`,
		"0.1KiB":                          `"0.1KiB": want a whole number of bytes`,
		"0000000000000000000000000000001": `"0000000000000000000000000000001": want bytes, e.g. 1048576, 512k, 10MB or 10MiB`, // no need for so many
		"9223372036854775808":             `"9223372036854775808": want less than 8 EiB`,
		"9999999TiB":                      `"9999999TiB": want less than 8 EiB`,
	} {
		if _, err := ParseSize(text); err == nil || err.Error() != want {
			t.Errorf("ParseSize(%q): %v; want %s", text, err, want)
		}
	}
}

func TestSizesPrintInTheLargestUnitThatKeepsThemWhole(t *testing.T) {
	for want, n := range map[string]int64{"0": 0, "1": 1, "1KiB": 1024, "10MiB": DefaultMaxBody, "10MB": 10_000_000, "1001": 1001, "1GiB": 1 << 30} {
		if got := FormatSize(n); got != want {
			t.Errorf("FormatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSizesReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]int64{1, 1000, 1024, 1e6, 1 << 20, 1e9, 1 << 30}).Draw(t, "unit")
		n := unit * rapid.Int64Range(0, math.MaxInt64/unit).Draw(t, "n")
		if got, err := ParseSize(FormatSize(n)); err != nil || got != n {
			t.Fatalf("%d prints %q and reads %d, %v", n, FormatSize(n), got, err)
		}
	})
}

func FuzzSizes(f *testing.F) {
	for _, s := range []string{"10MiB", "512k", "1.5MB", "1e6", "0x10", "1/2", "99999999999999999999TiB", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ParseSize(FormatSize(n)); n < 0 || err != nil || again != n {
			t.Errorf("%q is %d, which prints %q and reads %d, %v", text, n, FormatSize(n), again, err)
		}
	})
}
