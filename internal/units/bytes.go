package units

import "math/big"

// Bytes prints an amount of data in powers of 1,024, with three digits that mean something:
// 1,023 B, 1.50 KiB, 12.3 MiB. The unit is chosen after rounding: one byte less than a
// mebibyte is 1.00 MiB.
func Bytes(n int64) string {
	if n < 0 {
		// As an unsigned number, so that the lowest int64 has an opposite.
		return "-" + bytesOf(-uint64(n))
	}
	return bytesOf(uint64(n))
}

func bytesOf(n uint64) string {
	if n < 1<<10 {
		return Count(int64(n)) + " B"
	}
	amount := new(big.Rat).SetInt(new(big.Int).SetUint64(n))
	for _, unit := range [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		amount.Mul(amount, big.NewRat(1, 1<<10))
		for _, row := range [...]struct {
			below int64
			width int
		}{{10, 2}, {100, 1}, {1 << 10, 0}} {
			text := amount.FloatString(row.width)
			rounded, _ := new(big.Rat).SetString(text)
			if rounded.Cmp(big.NewRat(row.below, 1)) < 0 {
				return grouped(text) + " " + unit
			}
		}
	}
	return amount.FloatString(0) + " EiB" // out of reach: an int64 is 8 EiB
}
