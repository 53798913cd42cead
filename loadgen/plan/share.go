package plan

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
)

// Shares are the plans of n generators that make the plan's load together, each with a seed of its own. Users, rates, what
// may be in flight and the load of stages and edits add up to the plan's, exactly: as decimal numbers, at every end of a stage.
//
// Users are divided as whole numbers, the first generators having one more; rates in units of the last digit that was
// written, or finer ones where those would leave a generator without a part. The spawn rate goes by users, so that the last of all are
// started when they would be by one generator. Between the ends of a stage users are as many as n lines say
// that are rounded up apart, at most n−1 more.
//
// The plan must be valid. It is refused when it has too little load for n: results can be added up only when each generator
// has a part of every level that is not 0, and of every change.
func (p *Plan) Shares(n int) ([]Plan, error) {
	switch {
	case n < 1:
		return nil, input.Refuse(strconv.Itoa(n), "at least 1 generator")
	case p.Model == Bench:
		return nil, &input.Error{Field: "model", Want: "a bench is as fast as one machine goes, and cannot be divided"}
	}
	var last error
	for finer := range finest {
		shares := make([]Plan, n)
		for i := range shares {
			shares[i] = p.clone()
			shares[i].Edits = slices.Clone(p.Edits)
			shares[i].Seed = shareSeed(p.Seed, i)
		}
		p.divide(shares, finer)
		if last = p.checkShares(shares); last == nil {
			return shares, nil
		}
	}
	return nil, last
}

// finest is how many digits are tried beyond those that were written: a change of a millionth can be divided.
const finest = 7

// divide gives each share its part of the load. finer is by how many digits rates are divided finer than they are written.
func (p *Plan) divide(shares []Plan, finer int) {
	n := len(shares)
	whole := func(total int, put func(*Plan, int)) {
		for i := range shares {
			put(&shares[i], wholeShare(total, i, n))
		}
	}
	whole(p.Users, func(s *Plan, x int) { s.Users = x })
	whole(p.MaxInFlight, func(s *Plan, x int) { s.MaxInFlight = x })
	equal := make([]int, n)
	for i := range equal {
		equal[i] = 1
	}
	// load divides a number of users, or a rate.
	load := func(total float64, put func(*Plan, float64)) {
		if p.Model == Closed {
			whole(int(total), func(s *Plan, x int) { put(s, float64(x)) })
			return
		}
		for i, x := range decimalShares(total, equal, finer, n) {
			put(&shares[i], x)
		}
	}
	if p.Model == Open {
		load(p.Rate.N, func(s *Plan, x float64) { s.Rate.N = x })
	}
	for k := range p.Stages {
		load(p.Stages[k].To, func(s *Plan, x float64) { s.Stages[k].To = x })
	}
	const digits = 1_000_000 // a spawn rate is divided to a millionth of itself
	users := make([]int, n)
	for i := range shares {
		users[i] = shares[i].Users
	}
	if p.SpawnRate > 0 && !slices.Contains(users, 0) {
		for i, x := range decimalShares(p.SpawnRate, users, 0, max(digits, 100*p.Users)) {
			shares[i].SpawnRate = x
		}
	}
	for k, e := range p.Edits {
		put := func(s *Plan, x float64) { s.Edits[k].Value = x }
		switch e.Field {
		case EditUsers, EditRate:
			load(e.Value, put)
		case EditSpawnRate:
			for i, x := range decimalShares(e.Value, equal, 0, digits) {
				put(&shares[i], x)
			}
		}
	}
}

// checkShares refuses shares whose results could not be added up.
func (p *Plan) checkShares(shares []Plan) error {
	var f faults
	n := strconv.Itoa(len(shares))
	some := func(total float64, field string, of func(*Plan) float64) {
		for i := range shares {
			if (of(&shares[i]) > 0) != (total > 0) {
				f.check(false, field, formatNumber(total), "at least "+n+", 1 for each of "+n+" generators")
				return
			}
		}
	}
	some(float64(p.Users), "users", func(s *Plan) float64 { return float64(s.Users) })
	some(float64(p.MaxInFlight), "max_in_flight", func(s *Plan) float64 { return float64(s.MaxInFlight) })
	some(p.Rate.N, "rate", func(s *Plan) float64 { return s.Rate.N })
	for k, stage := range p.Stages {
		some(stage.To, fmt.Sprintf("stages[%d]", k), func(s *Plan) float64 { return s.Stages[k].To })
	}
	for k, e := range p.Edits {
		if e.Field == EditUsers || e.Field == EditRate {
			some(e.Value, fmt.Sprintf("edits[%d]", k), func(s *Plan) float64 { return s.Edits[k].Value })
		}
	}
	if len(f) > 0 {
		return f.err()
	}
	for i := range shares {
		if err := shares[i].Validate(); err != nil {
			return fmt.Errorf("the part of generator %d of %s: %w", i+1, n, err)
		}
	}
	longest := slices.MaxFunc(shares, func(a, b Plan) int { return len(a.Phases()) - len(b.Phases()) })
	all := longest.Phases()
	for i := range shares {
		if part := shares[i].Phases(); !within(part, all) {
			return &input.Error{Field: "stages", Want: fmt.Sprintf(
				"a change of users is too small to be divided by %s: want one of at least %s users, or fewer generators", n, n)}
		}
	}
	return nil
}

// within reports whether phases occur in others, in order, by name.
func within(part, all []Phase) bool {
	for _, phase := range all {
		if len(part) > 0 && part[0].Name == phase.Name {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// wholeShare is part i of n of a whole number: they differ by 1 at most, and none is smaller than of a smaller number.
func wholeShare(total, i, n int) int {
	share := total / n
	if i < total%n {
		share++
	}
	return share
}

// decimalShares divides a number that is not negative by weights into numbers that add up to it as decimals. They are multiples of the
// last digit of total, or of a digit that is finer by as many places as are asked for, or as it takes for total to be least
// such units.
func decimalShares(total float64, weights []int, finer, least int) []float64 {
	shares := make([]float64, len(weights))
	text := strconv.FormatFloat(total, 'f', -1, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	units, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || units.Sign() <= 0 {
		return shares
	}
	places := len(fraction)
	ten := big.NewInt(10)
	for ; finer > 0 || units.Cmp(big.NewInt(int64(least))) < 0; finer-- {
		units.Mul(units, ten)
		places++
	}
	sum := 0
	for _, w := range weights {
		sum += w
	}
	before, upTo := new(big.Int), 0
	for i, w := range weights {
		upTo += w
		// Rounded up, so that it is the first ones that have more.
		after := new(big.Int).Mul(units, big.NewInt(int64(upTo)))
		after.Add(after, big.NewInt(int64(sum-1))).Quo(after, big.NewInt(int64(sum)))
		part := new(big.Int).Sub(after, before)
		before = after
		shares[i] = decimal(part, places)
	}
	return shares
}

// decimal is units ÷ 10^places.
func decimal(units *big.Int, places int) float64 {
	x, err := strconv.ParseFloat(units.String()+"e-"+strconv.Itoa(places), 64)
	if err != nil {
		return math.Inf(1) // not of a number that a plan may hold
	}
	return x
}

// shareSeed is generator i's seed: the first has the plan's, and none has another one's (SplitMix64's step and finalizer, Steele
// et al., OOPSLA 2014).
func shareSeed(seed uint64, i int) uint64 {
	if i == 0 {
		return seed
	}
	z := seed + uint64(i)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) & MaxSeed
}
