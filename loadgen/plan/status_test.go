package plan

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestStatusesAreCodesClassesAndRanges(t *testing.T) {
	for _, tt := range []struct {
		text, prints string
		want         Status
	}{
		{"200", "200", Status{200, 200}},
		{"2xx", "2xx", Status{200, 299}},
		{"4XX", "4xx", Status{400, 499}},
		{"200-204", "200-204", Status{200, 204}},
		{"200-299", "2xx", Status{200, 299}},
		{"100-599", "100-599", Status{100, 599}},
		{" 200 - 204 ", "200-204", Status{200, 204}},
		{"200-200", "200", Status{200, 200}},
	} {
		got, err := ParseStatus(tt.text)
		if err != nil || got != tt.want || got.String() != tt.prints {
			t.Errorf("ParseStatus(%q) = %v, %v; want %s", tt.text, got, err, tt.prints)
		}
	}
	for _, text := range []string{"20", "099", "600", "6xx", "0xx", "x00", "2x0", "204-200", "200-", "-200", "200-204-206", "2000", "+20", "0200", "axx", "ÿxx"} {
		_, err := ParseStatus(text)
		if want := input.Quote(text) + ": want " + wantStatus; err == nil || err.Error() != want {
			t.Errorf("ParseStatus(%q): %v; want %s", text, err, want)
		}
	}
}

func TestStatusesInJSONAreNumbersOrText(t *testing.T) {
	var got []Status
	if err := json.Unmarshal([]byte(`[200, "201", "3xx", "400-404"]`), &got); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(got)
	if want := `[200,201,"3xx","400-404"]`; err != nil || string(data) != want {
		t.Errorf("written as %s, %v; want %s", data, err, want)
	}
	for _, bad := range []string{`600`, `"oops"`, `true`, `{}`, `200.5`, `[200]`} {
		var s Status
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was read as status %v", bad, s)
		}
	}
}

func TestStatusesReadBackWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.IntRange(100, 599).Draw(t, "low")
		readsBack(t, Status{low, rapid.IntRange(low, 599).Draw(t, "high")}, ParseStatus)
	})
}

func TestARequestAcceptsWhatItsTargetExpects(t *testing.T) {
	for _, tt := range []struct {
		expect []Status
		status int
		want   bool
		why    string
	}{
		{nil, 200, true, "without a word, all below 400 are fine"},
		{nil, 399, true, "the last below 400"},
		{nil, 400, false, "the first that is not"},
		{[]Status{{404, 404}}, 404, true, "an expected 404 is a success"},
		{[]Status{{404, 404}}, 200, false, "and then a 200 is not"},
		{[]Status{{200, 299}, {304, 304}}, 304, true, "any of the list"},
		{[]Status{{200, 299}}, 299, true, "both ends belong"},
		{[]Status{{200, 299}}, 300, false, "and no more"},
	} {
		if got := (&Request{Expect: tt.expect}).Accepts(tt.status); got != tt.want {
			t.Errorf("%v accepts %d: %v; want %v: %s", tt.expect, tt.status, got, tt.want, tt.why)
		}
	}
}

func FuzzStatuses(f *testing.F) {
	for _, s := range []string{"200", "2xx", "200-299", "-", "9xx", "٢xx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStatus(text)
		if err != nil {
			return
		}
		if again, err := ParseStatus(s.String()); !s.valid() || err != nil || again != s {
			t.Errorf("%q is %v, which reads %v, %v", text, s, again, err)
		}
	})
}
