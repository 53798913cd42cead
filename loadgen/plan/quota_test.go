package plan

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// off is how far a request is off its share after n turns, in turns.
func off(given []int, requests []Request, n int) (worst float64) {
	sum := 0
	for _, r := range requests {
		sum += max(1, r.Weight)
	}
	for i, r := range requests {
		share := float64(n) * float64(max(1, r.Weight)) / float64(sum)
		worst = max(worst, math.Abs(float64(given[i])-share))
	}
	return worst
}

func TestAfterAnyNumberOfTurnsEachIsLessThanOneOffItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 10), rapid.IntRange(1, 1000), rapid.Just(1)), 1, 40).Draw(t, "weights")
		requests := make([]Request, len(weights))
		for i, w := range weights {
			requests[i].Weight = w
		}
		q, given := NewQuota(requests), make([]int, len(requests))
		for n := 1; n <= 3000; n++ {
			given[q.Next()]++
			if worst := off(given, requests, n); worst >= 1 {
				t.Fatalf("after %d turns one is %.3f off its share: %v of weights %v", n, worst, given, weights)
			}
		}
	})
}

func TestSharesOfAShortRun(t *testing.T) {
	for _, row := range []struct {
		why     string
		weights []int
		turns   int
		want    []int // how often each
		order   []int // the first ones
	}{
		{why: "70, 20 and 10 in 5 s at 10/s", weights: []int{70, 20, 10}, turns: 50, want: []int{35, 10, 5}},
		{why: "equal weights give the order of the file", weights: []int{5, 5, 5}, turns: 7, want: []int{3, 2, 2}, order: []int{0, 1, 2, 0, 1, 2, 0}},
		{why: "no weights do as well", weights: []int{0, 0}, turns: 5, want: []int{3, 2}, order: []int{0, 1, 0, 1, 0}},
		{why: "one has all turns", weights: []int{3}, turns: 4, want: []int{4}, order: []int{0, 0, 0, 0}},
	} {
		requests := make([]Request, len(row.weights))
		for i, w := range row.weights {
			requests[i].Weight = w
		}
		q, given := NewQuota(requests), make([]int, len(requests))
		var order []int
		for range row.turns {
			i := q.Next()
			given[i]++
			order = append(order, i)
		}
		if !slices.Equal(given, row.want) || row.order != nil && !slices.Equal(order, row.order) {
			t.Errorf("%s: %v in order %v, want %v", row.why, given, order, row.want)
		}
	}
}

func TestTheLargestWeightsDoNotOverflow(t *testing.T) {
	requests := make([]Request, 20_000)
	for i := range requests {
		requests[i].Weight = math.MaxInt32 - i
	}
	q, given := NewQuota(requests), make([]int, len(requests))
	for range 3 * len(requests) {
		given[q.Next()]++
	}
	if worst := off(given, requests, 3*len(requests)); worst >= 1 {
		t.Errorf("one is %.3f off its share", worst)
	}
}

func BenchmarkQuota(b *testing.B) {
	requests := make([]Request, 20_000)
	for i := range requests {
		requests[i].Weight = 1 + i%100
	}
	q := NewQuota(requests)
	for b.Loop() {
		q.Next()
	}
}
