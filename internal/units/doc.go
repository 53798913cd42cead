// Package units prints numbers for people: the one place that decides digits, separators and unit,
// so that terminal, report and page say the same.
//
// Its promises:
//
//   - Rounding is to the nearest, halves away from zero, of the shortest decimal that names the
//     number, so 0.125 is 0.13 and 12.5 % is 13 %, and the larger of two numbers never prints as
//     the smaller.
//   - Only nothing prints as zero and only everything prints as 100 %: what rounding would turn
//     into either is printed with more digits, or as "<0.01/s".
//   - Between number and unit stands a space, but for rates (389.4/s) and durations (1m30s).
//   - What is not a number, or unknown, is [None].
//
// It does not localise, and it prints nothing that a program is meant to read: machine formats
// carry numbers, not these words.
package units
