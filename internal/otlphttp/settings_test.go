package otlphttp

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestWhereASignalIsSent(t *testing.T) {
	for _, tt := range []struct{ text, want, why string }{
		{"http://localhost:4318", "http://localhost:4318/v1/metrics", "a base"},
		{"http://localhost:4318/", "http://localhost:4318/v1/metrics", "with a slash"},
		{"https://collector.test/otlp", "https://collector.test/otlp/v1/metrics", "a base with a path"},
		{"https://monitoring.eu-west-1.amazonaws.com/v1/metrics", "https://monitoring.eu-west-1.amazonaws.com/v1/metrics", "the signal's own"},
		{" http://[::1]:4318/x?key=1 ", "http://[::1]:4318/x/v1/metrics?key=1", "a query stays"},
	} {
		if got, err := SignalURL(tt.text, MetricsPath); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.why, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "localhost:4318", "grpc://x", "http://", "/v1/metrics", "http://a b/", "http://user:secret@x/", "http://x/#y", "http://%zz"} {
		_, err := SignalURL(text, MetricsPath)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPairsAreReadAsBaggage(t *testing.T) {
	got, err := ParsePairs(" a=1, b = two%20words ,,c=x=y,d=")
	want := []Pair{{"a", "1"}, {"b", "two words"}, {"c", "x=y"}, {"d", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, text := range []string{"secret", "=secret", "a=secret%", "a=1,secret"} {
		if got, err := ParsePairs(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestHeadersThatCannotBeSentAreRefused(t *testing.T) {
	got, err := ParseHeaders("api-key=s%2Cx,Authorization=Basic%20eDp5")
	if want := (http.Header{"Api-Key": {"s,x"}, "Authorization": {"Basic eDp5"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, text := range []string{"a b=1", "a=%0Asecret", "content-type=text/plain", "Host=x", "a"} {
		if got, err := ParseHeaders(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzParseHeaders(f *testing.F) {
	f.Add("api-key=s%2Cx,b=1")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHeaders(text)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
		r, _ := http.NewRequest("POST", "http://x.test/", nil)
		r.Header = h
		if err == nil && r.Write(discard{}) != nil {
			t.Errorf("%q gave headers that cannot be sent: %v", text, h)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
