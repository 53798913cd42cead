package result

import "testing"

func TestATallySumsWhatABuilderDoes(t *testing.T) {
	r := fixtureRun()
	want := r.builder().Result(r.final())
	all, stepwise := TallyOf(r.windows...), &Tally{}
	for _, w := range r.windows {
		stepwise = stepwise.With(w)
	}
	for name, got := range map[string]*Tally{"Add": all, "With": stepwise} {
		var status int64
		for _, n := range got.Status {
			status += n
		}
		var wantStatus int64
		for _, n := range want.Totals.Status {
			wantStatus += n
		}
		if got.Requests != want.Totals.Requests || got.Failures != want.Totals.Failures || got.Sent != want.Totals.Sent || got.BytesIn != want.Totals.BytesIn ||
			got.Retried != want.Totals.Retried || got.Raw.Count() != want.Totals.Latency.Raw.Count || got.Corrected.Count() != want.Totals.Latency.Corrected.Count ||
			status != wantStatus || got.To.Seconds() != want.DurationS {
			t.Errorf("%s: %+v, want %+v", name, got, want.Totals)
		}
	}
	if !(&Tally{}).Empty() || all.Empty() {
		t.Error("which is empty?")
	}
}
