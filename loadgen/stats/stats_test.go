package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestQuantilesOfTAreThoseOfTheTables(t *testing.T) {
	for _, row := range []struct{ p, df, want float64 }{
		{0.975, 1, 12.7062}, {0.975, 4, 2.7764}, {0.975, 8, 2.3060}, {0.95, 10, 1.8125}, {0.995, 30, 2.7500}, {0.975, 1e9, 1.9600}, {0.025, 4, -2.7764},
	} {
		near(t, "t", TQuantile(row.p, row.df), row.want, 6e-5)
	}
}

func TestWelchOfOneSampleAgainstItselfMovedIsTheMove(t *testing.T) {
	a := []float64{1, 2, 3, 4, 5}
	b := []float64{3, 4, 5, 6, 7}
	i := Welch(a, b, 0.95)
	near(t, "estimate", i.Estimate, 2, 1e-12)
	near(t, "p", i.P, 0.0805, 5e-4) // t = 2, df = 8
	near(t, "low", i.Low, 2-2.3060, 1e-3)
}

func TestHolmIsItsDefinition(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03})
	for i, want := range []float64{0.06, 0.03, 0.06} {
		near(t, "adjusted p", got[i], want, 1e-12)
	}
}

func TestChangePointsAreWhereTheLevelChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	series := func(levels ...float64) (s []float64) {
		for _, l := range levels {
			for range 15 {
				s = append(s, l+0.03*rng.NormFloat64())
			}
		}
		return s
	}
	for _, row := range []struct {
		levels []float64
		want   []int
	}{
		{[]float64{1, 1.2}, []int{15}},
		{[]float64{1, 1.2, 1}, []int{15, 30}},
		{[]float64{1}, nil},
	} {
		if got := ChangePoints(series(row.levels...), 0.01); !slices.Equal(got, row.want) {
			t.Errorf("levels %v change at %v, want %v", row.levels, got, row.want)
		}
	}
	false, of := 0, 200
	for range of {
		if len(ChangePoints(series(1, 1), 0.05)) > 0 {
			false++
		}
	}
	if false > 22 { // 5 % of 200 and four times its deviation
		t.Errorf("%d of %d series without a change have one", false, of)
	}
}
