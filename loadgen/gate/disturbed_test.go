package gate

import (
	"slices"
	"testing"
)

func TestARunWithKilledTasksIsHeldToItsRecoveryAndNotToWhatTheyTookWithThem(t *testing.T) {
	for _, row := range []struct {
		low, high int
		want      []string
	}{
		{2, 6, []string{"max_tasks==6", "scale_out_within<=6m", "back_to_min_within<=30m", "scale_in_path==6,5,4,3,2", "oscillations==0", "healthy==desired at end"}},
		{2, 2, []string{"activities==0", "oscillations==0", "healthy==desired at end"}},
	} {
		var got []string
		for _, e := range DisturbedExpectations(row.low, row.high) {
			again, err := ParseExpectation(e.String())
			if err != nil || again != e {
				t.Errorf("%s does not read back: %v", e, err)
			}
			got = append(got, e.String())
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%d to %d: %q, want %q", row.low, row.high, got, row.want)
		}
	}
}
