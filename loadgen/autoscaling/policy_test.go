package autoscaling

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestPoliciesAreRead(t *testing.T) {
	for _, row := range []struct {
		text string
		want TargetTracking
		why  string
	}{
		{"requests=50", TargetTracking{On: "requests", Target: 50}, "the seed's"},
		{"cpu=50", TargetTracking{On: "cpu", Target: 50}, "the seed's"},
		{"cpu=62.5%", TargetTracking{On: "cpu", Target: 62.5}, "percent may be said"},
		{" requests = 1e6 ", TargetTracking{On: "requests", Target: 1e6}, "spaces and exponents do no harm"},
		{"memory=70%", TargetTracking{On: "memory", Target: 70}, "percent, as CPU"},
		{"cpu=70,disable-scale-in", TargetTracking{On: "cpu", Target: 70, DisableScaleIn: true}, "Terraform's word"},
	} {
		if got, err := ParsePolicy(row.text); err != nil || got != row.want {
			t.Errorf("%q: %+v, %v, want %+v: %s", row.text, got, err, row.want, row.why)
		}
	}
}

func TestPoliciesThatCannotBeAreRefusedInOneLine(t *testing.T) {
	for _, row := range []struct{ text, want, hint string }{
		{"", "empty, want METRIC=TARGET, e.g. requests=50 or cpu=50", ""},
		{"request=50", `"request=50": want METRIC=TARGET, e.g. requests=50 or cpu=50`, "did you mean requests?"},
		{"CPU=50", `"CPU=50": want METRIC=TARGET, e.g. requests=50 or cpu=50`, "did you mean cpu?"},
		{"cpu", `"cpu": want METRIC=TARGET, e.g. requests=50 or cpu=50`, ""},
		{"disk=50", `"disk=50": want METRIC=TARGET, e.g. requests=50 or cpu=50`, ""},
		{"cpu=", `"cpu=": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=0", `"cpu=0": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=-5", `"cpu=-5": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=NaN", `"cpu=NaN": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=Inf", `"cpu=Inf": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=0x10", `"cpu=0x10": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"requests=50%", `"requests=50%": want METRIC=TARGET, e.g. requests=50 or cpu=50, TARGET being a number above 0`, ""},
		{"cpu=50,", `"cpu=50,": want nothing after the target but ,disable-scale-in`, ""},
		{"cpu=50,disable-scalein", `"cpu=50,disable-scalein": want nothing after the target but ,disable-scale-in`, "did you mean disable-scale-in?"},
	} {
		_, err := ParsePolicy(row.text)
		e, ok := errors.AsType[*input.Error](err)
		if !ok || e.Error() != row.want || e.Hint != row.hint {
			t.Errorf("%q: %v, want %s with the hint %q", row.text, err, row.want, row.hint)
		}
	}
}

func TestEveryPolicyIsReadBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := TargetTracking{
			On:             rapid.SampledFrom(metrics()).Draw(t, "metric"),
			Target:         rapid.Float64Range(1e-9, 1e15).Draw(t, "target"),
			DisableScaleIn: rapid.Bool().Draw(t, "disable"),
		}
		if got, err := ParsePolicy(p.String()); err != nil || got != p {
			t.Fatalf("%s is read as %v, %v", p, got, err)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	for _, seed := range []string{"requests=50", "cpu=50%", "cpu=50,disable-scale-in", "cpu==5", "p99>200ms:+1,>400ms:+2", "p99>1s:+3 2 of 3", "p99>:+ of", "=", ",", "cpu=1e400", "\xff=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || len(input.Errors(err)) != 1 {
				t.Errorf("%q: an error of more than one line, or not one input.Error: %q", text, err)
			}
			return
		}
		if again, err := ParsePolicy(p.String()); err != nil || again.String() != p.String() || again.Metric() != p.Metric() {
			t.Errorf("%q is %s, which is read as %v, %v", text, p, again, err)
		}
		c := DefaultConfig()
		c.Policies = []Policy{p}
		if err := c.Validate(); err != nil {
			t.Errorf("%q was read and is not valid: %v", text, err)
		}
	})
}
