package trace

import (
	"regexp"
	"testing"
	"time"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestAnIDIsOneForW3CAndForXRay(t *testing.T) {
	id := New(at)
	parent, amazon := string(id.AppendParent(nil)), string(id.AppendAmazon(nil))
	// https://www.w3.org/TR/trace-context/#version-format, and the example of X-Ray's tracing header.
	w3c := regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-01$`).FindStringSubmatch(parent)
	xray := regexp.MustCompile(`^Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1$`).FindStringSubmatch(amazon)
	if w3c == nil || xray == nil {
		t.Fatalf("%q, %q", parent, amazon)
	}
	if w3c[1] != xray[1]+xray[2] || w3c[2] != xray[3] || w3c[1] != id.String() {
		t.Errorf("%q and %q are of two traces", parent, amazon)
	}
	if want := "69a7bdbf"; xray[1] != want {
		t.Errorf("the time is %s, want %s", xray[1], want)
	}
	if want := "Traceparent: " + parent + "\r\nX-Amzn-Trace-Id: " + amazon + "\r\n"; string(id.AppendFields(nil)) != want {
		t.Errorf("%q, want %q", id.AppendFields(nil), want)
	}
}

func TestNoTwoIDsAreAlikeAndNoneIsMadeInVain(t *testing.T) {
	seen := map[ID]bool{}
	for range 10_000 {
		seen[New(at)] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d of 10,000 ids", len(seen))
	}
	var buffer [256]byte
	if n := testing.AllocsPerRun(100, func() { New(at).AppendFields(buffer[:0]) }); n != 0 {
		t.Errorf("%v allocations an id", n)
	}
}

func TestIDsAreReadAsTheyAreWritten(t *testing.T) {
	id := New(at)
	if got, ok := Parse(id.String()); !ok || got != id {
		t.Errorf("%v became %v", id, got)
	}
	for _, text := range []string{"", "x", id.String() + "0", "00000000000000000000000000000000", "g" + id.String()[1:]} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q became %v", text, got)
		}
	}
	if (ID{}).String() != "" {
		t.Error("no trace has an id")
	}
}
