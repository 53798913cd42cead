package result

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAResultIsHeldToItsIntervals(t *testing.T) {
	t.Parallel()
	lines := func(data []byte, drop int) []byte {
		all := bytes.SplitAfter(data, []byte("\n"))
		return bytes.Join(append(all[:drop:drop], all[drop+1:]...), nil)
	}
	for _, tt := range []struct {
		why, file, want string
		change          func([]byte) []byte
	}{
		{"as it was written", resultName, "", func(d []byte) []byte { return d }},
		{"a forged count", resultName, "totals.failures is 1 there and ", func(d []byte) []byte {
			return bytes.Replace(d, []byte(`"failures": 1`), []byte(`"failures": 1`), 1)
		}},
		{"a forged percentile of one phase", resultName, "phases[", func(d []byte) []byte {
			at := bytes.LastIndex(d, []byte(`"p99": `))
			at = bytes.LastIndex(d[:bytes.LastIndex(d[:at], []byte(`"name": "drain"`))], []byte(`"p99": `))
			return append(append(bytes.Clone(d[:at]), `"p99": 1`...), d[at+len(`"p99": `):]...)
		}},
		{"an interval that is missing", windowsName, "cannot be held", func(d []byte) []byte { return lines(d, 3) }},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		smallLoad().run().write(t, dir, -1)
		name := filepath.Join(dir, tt.file)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if tt.why == "a forged count" {
			o, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			o.Result.Totals.Failures = 1
			if got := o.Audit(); !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
			}
			continue
		}
		if err := os.WriteFile(name, tt.change(data), 0o644); err != nil {
			t.Fatal(err)
		}
		o, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Audit(); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}
