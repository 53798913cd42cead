package report

import (
	"io"
	"testing"

	"scalableappbackend/loadgen/result"
)

// A result.json may come from anywhere; whatever reads as one can be shown.
func FuzzAnyResultThatCanBeReadCanBeShown(f *testing.F) {
	for _, s := range samples {
		if s.name == "many" {
			continue // 2 MB: no seed for small changes
		}
		data, err := result.Encode(s.made().result())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"schema":"loadgen/result/v1","verdict":{"validity":"INVALID"}}`))
	f.Add([]byte(`{"schema":"loadgen/result/v1","verdict":{"validity":"VALID"},"totals":{"requests":3,"failures":9},"phases":[{"name":"drain"},{"name":""}],"served_by":{"":0,"a":0},"endpoints":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := result.Decode(data)
		if err != nil {
			t.Skip()
		}
		for _, width := range []int{40, 80, 160} {
			if err := Write(io.Discard, "text", Input{Result: r, Options: Options{Width: width, Dir: "d"}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, format := range []string{"markdown", "junit"} {
			if err := Write(io.Discard, format, Input{Result: r}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
