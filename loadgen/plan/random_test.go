package plan

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// journey is what a user does first: targets and think times, drawn as the closed model draws them.
func journey(seed uint64, user, generation int) (steps []int64) {
	p := NewPicker([]Request{{Weight: 1}, {Weight: 1}, {Weight: 3}})
	r := UserStream(seed, user, generation)
	for range 8 {
		steps = append(steps, int64(p.Pick(r)), int64(Think(r, Range{50 * ms, 200 * ms})))
	}
	return steps
}

func TestTheSameSeedGivesEachUserTheSameSequence(t *testing.T) {
	if a, b := journey(1, 7, 0), journey(1, 7, 0); !slices.Equal(a, b) {
		t.Errorf("%v, then %v", a, b)
	}
	seen := map[int64]string{}
	for _, other := range []struct {
		why              string
		seed             uint64
		user, generation int
	}{{"itself", 1, 7, 0}, {"another seed", 2, 7, 0}, {"another user", 1, 8, 0}, {"the user come back", 1, 7, 1}, {"user and generation exchanged", 1, 0, 7}} {
		first := journey(other.seed, other.user, other.generation)[1]
		if before, known := seen[first]; known {
			t.Errorf("%s thinks as long as %s", other.why, before)
		}
		seen[first] = other.why
	}
}

// A kept plan names a seed so that its run can be repeated by a later release: these numbers may
// only change with a word to the users.
func TestSequencesAreTheSameInEveryRelease(t *testing.T) {
	want := []int64{1, 73904250, 2, 153896065, 2, 156868949, 2, 160513384, 2, 183547755, 2, 101501784, 2, 91452919, 2, 122191803}
	if got := journey(42, 3, 1); !slices.Equal(got, want) {
		t.Errorf("user 3 of seed 42:\n got %v\nwant %v", got, want)
	}
	due := all(NewDue(NewCurve(10, Stage{1000 * ms, 10}), Poisson, 42))
	if want := []time.Duration{58469941, 218951901, 222444652, 326201246, 540313865, 608206020, 660991110, 725229258, 919894012, 954651535}; !slices.Equal(due, want) {
		t.Errorf("Poisson of seed 42:\n got %d\nwant %d", due, want)
	}
}

func TestFirstThinkTimesOfUsersAreIndependent(t *testing.T) {
	const n = 10_000
	first := make([]float64, n)
	for user := range n {
		first[user] = UserStream(5, user, 0).Float64()
	}
	if d := kolmogorov(first, func(x float64) float64 { return x }); d > 1.628 {
		t.Errorf("first numbers of %d users are not uniform: %.3f", n, d)
	}
	var product float64 // of neighbours, each centred: their covariance
	for i := range n - 1 {
		product += (first[i] - 0.5) * (first[i+1] - 0.5)
	}
	// The variance of a uniform number is 1/12; three standard deviations of the sum.
	if limit := 3 * math.Sqrt(n) / 12; math.Abs(product) > limit {
		t.Errorf("neighbours are correlated: %v, limit %v", product, limit)
	}
}

func TestThinkTimesAreUniformWithBothEndsIncluded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[time.Duration]int{}
	for range 3000 {
		seen[Think(r, Range{10, 12})]++
	}
	for _, d := range []time.Duration{10, 11, 12} {
		if math.Abs(float64(seen[d]-1000)) > 3*math.Sqrt(3000.0*2/9) {
			t.Errorf("%v was drawn %d times of 3000", d, seen[d])
		}
	}
	if len(seen) != 3 {
		t.Errorf("drew %v from 10 to 12", seen)
	}
	var times []float64
	for range 10_000 {
		times = append(times, float64(Think(r, Range{50 * ms, 200 * ms})))
	}
	if d := kolmogorov(times, func(x float64) float64 { return (x - 50e6) / 150e6 }); d > 1.628 {
		t.Errorf("think times are not uniform: %.3f", d)
	}
	if got := Think(r, Range{7, 7}); got != 7 {
		t.Errorf("a constant think time of 7 ns gave %d", got)
	}
	if got := Think(r, Range{0, math.MaxInt64}); got < 0 {
		t.Errorf("the widest range gave %d", got)
	}
}

func anyWeights() *rapid.Generator[[]Request] {
	return rapid.Custom(func(t *rapid.T) []Request {
		var requests []Request
		for _, w := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 8).Draw(t, "weights") {
			requests = append(requests, Request{Weight: w})
		}
		return requests
	})
}

// deck is the oracle of both choosers: each request as often as its weight says.
func deck(requests []Request) (cards []int) {
	for i, r := range requests {
		cards = append(cards, slices.Repeat([]int{i}, max(1, r.Weight))...)
	}
	return cards
}

func TestPickerDrawsFromTheWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		requests := anyWeights().Draw(t, "requests")
		cards := deck(requests)
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 0))
		p := NewPicker(requests)
		for range 20 {
			if got, want := p.Pick(a), cards[b.IntN(len(cards))]; got != want {
				t.Fatalf("picked %d, want %d of %v", got, want, cards)
			}
		}
	})
}

func BenchmarkPick(b *testing.B) {
	p := NewPicker(make([]Request, 500))
	r := UserStream(1, 0, 0)
	for b.Loop() {
		p.Pick(r)
	}
}
