package plan

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Streams of random numbers that one seed is split into.
const (
	streamUsers = iota + 1
	streamArrivals
	streamTraces
)

// newStream returns a generator that depends on all four numbers; neighbours have nothing in common.
func newStream(seed, kind, a, b uint64) *rand.PCG {
	h := mix(seed)
	h = mix(h ^ kind)
	h = mix(h ^ a)
	return rand.NewPCG(h, mix(h^b))
}

// mix is a step of SplitMix64: a bijection in which each bit of x changes half of the result's
// (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// UserStream returns the random numbers of one user: its targets and think times, in order. A user
// who leaves and returns has the next generation. Equal arguments give equal streams.
func UserStream(seed uint64, user, generation int) *rand.Rand {
	return rand.New(newStream(seed, streamUsers, uint64(user), uint64(generation)))
}

// Think draws a think time: uniform over the range, both ends included.
func Think(r *rand.Rand, think Range) time.Duration {
	if think.Max <= think.Min {
		return time.Duration(think.Min)
	}
	return time.Duration(think.Min) + time.Duration(r.Uint64N(uint64(think.Max-think.Min)+1))
}

// Picker chooses requests at random by weight: the closed model. It is safe for concurrent use.
type Picker struct {
	upTo []int // sum of the weights up to and including each request
}

// NewPicker returns a picker over requests. There must be one at least.
func NewPicker(requests []Request) *Picker {
	return &Picker{upTo: sums(requests)}
}

// Pick returns an index into the requests. It takes one number from r.
func (p *Picker) Pick(r *rand.Rand) int {
	n := r.IntN(p.upTo[len(p.upTo)-1])
	i, _ := slices.BinarySearch(p.upTo, n+1)
	return i
}

// sums adds up the weights of requests; one below 1 counts as 1.
func sums(requests []Request) []int {
	upTo := make([]int, len(requests))
	sum := 0
	for i, r := range requests {
		sum += max(1, r.Weight)
		upTo[i] = sum
	}
	return upTo
}
