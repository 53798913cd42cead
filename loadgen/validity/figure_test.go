package validity

import "testing"

func TestFiguresHaveThreeDigits(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{number(14.23), "14.2"},
		{number(10.007), "10"},
		{number(10.05), "10.1"},
		{number(0.5), "0.5"},
		{number(100), "100"},
		{number(0), "0"},
		{number(65535), "65500"},
		{percent(0.0104), "1.04 %"},
		{percent(0.01004), "1 %"},
		{percent(0.95), "95 %"},
		{percent(0.07), "7 %"},
		{percent(1), "100 %"},
		{percent(0.000001), "0.0001 %"},
		{requests(1), "1 request"},
		{requests(12), "12 requests"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
