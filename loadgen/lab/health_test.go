package lab

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestHealthFollowsTheALBsRules(t *testing.T) {
	for _, tt := range []struct {
		rise, fall int
		checks     string // + passes, - fails
		want       string // the state after each: i initial, h healthy, u unhealthy
		why        string
	}{
		{2, 2, "+", "h", "a new target needs one passing check"},
		{5, 2, "+", "h", "whatever the threshold is"},
		{2, 2, "-+", "ih", "also after a failed one"},
		{2, 2, "--", "iu", "a new target that keeps failing is unhealthy"},
		{2, 3, "---", "iiu", "after as many as the threshold says"},
		{2, 2, "+-+-+-", "hhhhhh", "failures must be in a row"},
		{2, 2, "+--", "hhu", "two in a row are enough"},
		{2, 2, "+--+", "hhuu", "one pass does not bring it back"},
		{2, 2, "+--++", "hhuuh", "two do"},
		{2, 2, "+--+-+", "hhuuuu", "they must be in a row as well"},
		{3, 1, "+-+++", "huuuh", "each way has its own threshold"},
		{1, 1, "+-+-", "huhu", "thresholds of one follow every check"},
	} {
		h := health{rise: tt.rise, fall: tt.fall}
		var got []byte
		for _, c := range tt.checks {
			before := h.state
			if changed := h.observe(c == '+'); changed != (h.state != before) {
				t.Errorf("%s: changed %t from %s to %s", tt.checks, changed, before, h.state)
			}
			got = append(got, h.state.String()[0])
		}
		if string(got) != tt.want {
			t.Errorf("rise %d, fall %d, %s: %s, want %s: %s", tt.rise, tt.fall, tt.checks, got, tt.want, tt.why)
		}
	}
}

// The oracle looks back over the whole history at each check.
func TestHealthIsWhatItsHistorySays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rise, fall := rapid.IntRange(1, 4).Draw(t, "rise"), rapid.IntRange(1, 4).Draw(t, "fall")
		h := health{rise: rise, fall: fall}
		var history []byte
		want := initial
		for range rapid.IntRange(0, 40).Draw(t, "checks") {
			passed := rapid.Bool().Draw(t, "passed")
			history = append(history, map[bool]byte{true: '+', false: '-'}[passed])
			switch {
			case want == initial && passed:
				want = healthy
			case want != healthy && bytes.HasSuffix(history, bytes.Repeat([]byte("+"), rise)):
				want = healthy
			case want != unhealthy && bytes.HasSuffix(history, bytes.Repeat([]byte("-"), fall)):
				want = unhealthy
			}
			h.observe(passed)
			if h.state != want {
				t.Fatalf("rise %d, fall %d, %s: %s, want %s", rise, fall, history, h.state, want)
			}
		}
	})
}
