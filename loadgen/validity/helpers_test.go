package validity

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

// tree writes files below a new directory that stands for /.
func tree(t testing.TB, files ...map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for _, some := range files {
		for name, text := range some {
			write(t, root, name, text)
		}
	}
	return root
}

func write(t testing.TB, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func merged(trees ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, files := range trees {
		maps.Copy(all, files)
	}
	return all
}

func without(files map[string]string, name string) map[string]string {
	rest := maps.Clone(files)
	delete(rest, name)
	return rest
}

// same compares two readings, of which both may be unknown.
func same(a, b result.Reading) bool {
	return a == b || !a.Known() && !b.Known()
}

// near compares two readings within a millionth.
func near(a, b result.Reading) bool {
	return same(a, b) || max(a-b, b-a) < 1e-6
}

var unknown = result.Unknown()

// histogram holds each latency once.
func histogram(latencies ...time.Duration) *result.Histogram {
	h := &result.Histogram{}
	for _, d := range latencies {
		h.Record(d)
	}
	return h
}
