package otlphttp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"scalableappbackend/internal/input"
)

// The paths of the signals, below a receiver's base URL.
const (
	MetricsPath = "/v1/metrics"
	TracesPath  = "/v1/traces"
)

// SignalURL is where a signal is sent, of a receiver's URL as people give it: one that ends in the signal's path is taken
// as it is, below any other the path is added, as OTEL_EXPORTER_OTLP_ENDPOINT has it. An error is an *input.Error
// without a field.
func SignalURL(text, path string) (string, error) {
	const want = "the URL of an OpenTelemetry receiver, e.g. http://localhost:4318"
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return "", input.Refuse(Redacted(text), want)
	}
	if u.Fragment != "" || u.User != nil {
		return "", input.Refuse(Redacted(text), want+"; what identifies you goes into OTEL_EXPORTER_OTLP_HEADERS")
	}
	if !strings.HasSuffix(u.Path, path) {
		u = u.JoinPath(path)
	}
	return u.String(), nil
}

// Redacted is a URL as it may be shown: without a password.
func Redacted(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "(not a URL)"
}

// Pair is one KEY=VALUE.
type Pair struct{ Key, Value string }

// ParsePairs reads what OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES hold: key=value, separated by commas,
// values percent-encoded as in W3C Baggage, in the order of the text. An error is an *input.Error without a field, and
// shows no value, because it may be a secret.
func ParsePairs(text string) ([]Pair, error) {
	var pairs []Pair
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		key = strings.TrimSpace(key)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || key == "" || err != nil {
			return nil, &input.Error{Want: "want key=value, separated by commas, with % as %25"}
		}
		pairs = append(pairs, Pair{key, decoded})
	}
	return pairs, nil
}

// ParseHeaders is ParsePairs for headers: a name that is no header's, or a value that cannot be in one, is refused, and so are
// those that say how the body is written.
func ParseHeaders(text string) (http.Header, error) {
	pairs, err := ParsePairs(text)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	for _, p := range pairs {
		name := http.CanonicalHeaderKey(p.Key)
		switch {
		case !httpguts.ValidHeaderFieldName(p.Key):
			return nil, input.Refuse(p.Key, "the name of a header before each =")
		case !httpguts.ValidHeaderFieldValue(p.Value):
			return nil, &input.Error{Field: name, Want: "want a value that can be in a header"}
		case slices.Contains([]string{"Content-Type", "Content-Encoding", "Content-Length", "Host", "Transfer-Encoding"}, name):
			return nil, input.Refuse(p.Key, "other headers: this one says how the message is written")
		}
		h[name] = []string{p.Value}
	}
	return h, nil
}
