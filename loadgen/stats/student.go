package stats

import "math"

// Mean is the average; NaN of nothing.
func Mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Variance is the unbiased one; NaN of fewer than two values.
func Variance(x []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	m, sum := Mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}

// TCDF is the distribution function of Student's t with df degrees of freedom, which need not be whole.
func TCDF(t, df float64) float64 {
	if math.IsNaN(t) || !(df > 0) {
		return math.NaN()
	}
	if math.IsInf(t, 0) {
		return math.Max(0, math.Copysign(1, t))
	}
	tail := incompleteBeta(df/2, 0.5, df/(df+t*t)) / 2
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// TQuantile is the t below which a share p lies, by bisection on TCDF.
func TQuantile(p, df float64) float64 {
	if !(p > 0 && p < 1) || !(df > 0) {
		return math.NaN()
	}
	if p < 0.5 {
		return -TQuantile(1-p, df)
	}
	low, high := 0.0, 1.0
	for TCDF(high, df) < p && high < 1e12 {
		high *= 2
	}
	for range 200 {
		mid := (low + high) / 2
		if mid == low || mid == high {
			break
		}
		if TCDF(mid, df) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// incompleteBeta is the regularised incomplete beta function, by its continued fraction with Lentz's
// method (Press et al., Numerical Recipes, 3rd ed., §6.4).
func incompleteBeta(a, b, x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // the fraction converges fast below this
		return 1 - incompleteBeta(b, a, 1-x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	nonzero := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/nonzero(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m < 10000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / nonzero(1+even*d)
		c = nonzero(1 + even/c)
		f *= c * d
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / nonzero(1+odd*d)
		c = nonzero(1 + odd/c)
		step := c * d
		f *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return front * f
}

// TInterval is estimate ± t·se with df degrees of freedom, at a confidence such as 0.95.
func TInterval(estimate, se, df, confidence float64) Interval {
	i := Interval{Estimate: estimate, Confidence: confidence, Low: math.Inf(-1), High: math.Inf(1), P: 1}
	if math.IsNaN(se) || !(df > 0) || math.IsNaN(estimate) {
		return i
	}
	if se == 0 {
		i.Low, i.High = estimate, estimate
		if estimate != 0 {
			i.P = 0
		}
		return i
	}
	half := TQuantile((1+confidence)/2, df) * se
	i.Low, i.High = estimate-half, estimate+half
	i.P = 2 * TCDF(-math.Abs(estimate/se), df)
	return i
}

// Combine is the variance of a difference of two independent estimates and its degrees of freedom,
// by Welch and Satterthwaite. A variance that is known has infinite df.
func Combine(va, dfa, vb, dfb float64) (variance, df float64) {
	variance = va + vb
	if variance == 0 {
		return 0, math.Min(dfa, dfb)
	}
	below := va*va/dfa + vb*vb/dfb // x/Inf is 0
	if below == 0 {
		return variance, 1e9
	}
	return variance, math.Min(variance*variance/below, 1e9)
}

// Welch is the interval of mean(b) − mean(a), of at least two values each.
func Welch(a, b []float64, confidence float64) Interval {
	na, nb := float64(len(a)), float64(len(b))
	v, df := Combine(Variance(a)/na, na-1, Variance(b)/nb, nb-1)
	return TInterval(Mean(b)-Mean(a), math.Sqrt(v), df, confidence)
}
