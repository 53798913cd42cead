package compare

import (
	"bytes"
	"regexp"
	"strings"
)

// HeadSize is how much of a file Foreign wants to see.
const HeadSize = 64 << 10

// csvOfVegeta is a line of `vegeta encode -to csv`: nanoseconds since 1970, a status, a latency, bytes out and in.
var csvOfVegeta = regexp.MustCompile(`^\d{19},\d{1,3},\d+,\d+,\d+,`)

// Foreign says which program wrote a file, by its beginning: Locust's four CSV files, vegeta's results and reports in each
// of its encodings, k6's summaries and outputs. It is empty for a file of another kind.
func Foreign(head []byte) string {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	text := strings.TrimLeft(string(head), " \t\r\n")
	first, _, _ := strings.Cut(text, "\n")
	first = strings.ReplaceAll(first, `"`, "")
	for _, k := range []struct {
		what string
		is   bool
	}{
		{"a CSV of Locust", hasAnyPrefix(first, "Type,Name,Request Count,", "Timestamp,User Count,", "Method,Name,Error,", "Count,Message,Traceback")},
		// The keys of `vegeta encode -to json`, and those of a gob stream's type, come in a fixed order.
		{"results of vegeta", hasAnyPrefix(text, `{"attack":"`) || csvOfVegeta.MatchString(first) ||
			hasInOrder(string(head[:min(len(head), 512)]), "Result", "Attack", "Seq", "Timestamp", "Latency", "BytesOut")},
		{"a report of vegeta", hasAnyPrefix(text, `{"latencies":{`, "Requests      [total, rate", "Value(ms)  Percentile")},
		{"a summary of k6", strings.HasPrefix(text, "{") && strings.Contains(text, `"metrics"`) &&
			(strings.Contains(text, `"root_group"`) || strings.Contains(text, `"http_req`) || strings.Contains(text, `"iteration_duration"`))},
		{"an output of k6", hasAnyPrefix(first, "metric_name,timestamp,metric_value", "{type:Metric,data:", "{type:Point,data:", "{metric:") &&
			(strings.HasPrefix(first, "metric_name") || strings.Contains(first, "metric:"))},
	} {
		if k.is {
			return k.what
		}
	}
	return ""
}

func hasAnyPrefix(text string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// hasInOrder reports whether words come one after the other.
func hasInOrder(text string, words ...string) bool {
	for _, w := range words {
		_, after, found := strings.Cut(text, w)
		if !found {
			return false
		}
		text = after
	}
	return true
}
