package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// minSegment is how many values stand on either side of a change point at least.
const minSegment = 3

// permutations of the test of a change point. 199 let a p-value be as low as 0.005.
const permutations = 199

// ChangePoints are the indices at which the level of a series changes: the first value of each new
// level. They are found as E-divisive means does (Matteson and James 2014): the series is divided
// where the energy distance between the two sides, scaled by their lengths, is largest, when as large a
// one is found in a share of permuted series below level; then each part is divided again. The
// permutations come from a fixed seed, so the same series gives the same points.
func ChangePoints(series []float64, level float64) []int {
	var points []int
	rng := rand.New(rand.NewPCG(1, uint64(len(series))))
	var divide func(from, to int)
	divide = func(from, to int) {
		part := series[from:to]
		at, best := split(part)
		if at < 0 || best <= 0 {
			return
		}
		shuffled, larger := slices.Clone(part), 0
		for range permutations {
			rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if _, q := split(shuffled); q >= best {
				larger++
			}
		}
		if float64(larger+1)/(permutations+1) > level {
			return
		}
		divide(from, from+at)
		points = append(points, from+at)
		divide(from+at, to)
	}
	divide(0, len(series))
	return points
}

// split is the place with the largest scaled energy distance, −1 when the series is too short.
func split(x []float64) (at int, best float64) {
	n := len(x)
	if n < 2*minSegment {
		return -1, 0
	}
	// Sums of |xi − xj| within the left part, within the right part and between them, moved one value at a time.
	left, right, between := 0.0, 0.0, 0.0
	for i := range n {
		for j := i + 1; j < n; j++ {
			right += math.Abs(x[i] - x[j])
		}
	}
	at = -1
	for k := 1; k <= n-minSegment; k++ {
		moved := x[k-1]
		toLeft, toRight := 0.0, 0.0
		for i := range k - 1 {
			toLeft += math.Abs(moved - x[i])
		}
		for i := k; i < n; i++ {
			toRight += math.Abs(moved - x[i])
		}
		left, right, between = left+toLeft, right-toRight, between-toLeft+toRight
		if k < minSegment {
			continue
		}
		l, r := float64(k), float64(n-k)
		energy := 2*between/(l*r) - left/(l*(l-1)/2) - right/(r*(r-1)/2)
		if q := l * r / (l + r) * energy; at < 0 || q > best {
			at, best = k, q
		}
	}
	return at, best
}
