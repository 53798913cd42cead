package plan

import (
	"math/big"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
)

const wantSize = "bytes, e.g. 1048576, 512k, 10MB or 10MiB"

// sizeUnits are the units of sizes: thousands as SI counts them, 1024s as IEC 80000-13 does.
func sizeUnits(unit string) (int64, bool) {
	switch strings.TrimSuffix(strings.ToLower(unit), "b") {
	case "":
		return 1, true
	case "k":
		return 1e3, true
	case "m":
		return 1e6, true
	case "g":
		return 1e9, true
	case "t":
		return 1e12, true
	case "ki":
		return 1 << 10, true
	case "mi":
		return 1 << 20, true
	case "gi":
		return 1 << 30, true
	case "ti":
		return 1 << 40, true
	}
	return 0, false
}

// ParseSize reads a number of bytes: "1024", "10MB" and "512k" in thousands, "10MiB" in 1024s; the
// B may be left out and case does not matter. The result is a whole number of bytes.
func ParseSize(text string) (int64, error) {
	s := strings.TrimSpace(text)
	end := strings.LastIndexAny(s, "0123456789.") + 1
	number := s[:end]
	factor, ok := sizeUnits(strings.TrimSpace(s[end:]))
	// A Rat keeps 1.1MB exact; its parser knows more forms than are meant here, and takes any length.
	if !ok || end == 0 || end > 30 || strings.Trim(number, "0123456789.") != "" {
		return 0, input.Refuse(s, wantSize)
	}
	n, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, input.Refuse(s, wantSize)
	}
	n.Mul(n, new(big.Rat).SetInt64(factor))
	if !n.IsInt() {
		return 0, input.Refuse(s, "a whole number of bytes")
	}
	if !n.Num().IsInt64() {
		return 0, input.Refuse(s, "less than 8 EiB")
	}
	return n.Num().Int64(), nil
}

// FormatSize is a form that ParseSize reads back as n, in the largest unit that keeps it whole: "10MiB".
func FormatSize(n int64) string {
	for _, unit := range []string{"TiB", "GiB", "MiB", "TB", "GB", "MB", "KiB", "kB"} {
		if factor, _ := sizeUnits(unit); n != 0 && n%factor == 0 {
			return strconv.FormatInt(n/factor, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}
