package compare

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// vegetas are results as vegeta itself encodes them, and its reports of them.
func vegetas(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	hits := []*vegeta.Result{
		{Attack: "", Seq: 0, Code: 200, Timestamp: time.Unix(1.8e9, 7), Latency: 17 * time.Millisecond, BytesIn: 3, Body: []byte("ok"), Method: "GET", URL: "http://a/", Headers: http.Header{"Date": {"now"}}},
		{Attack: "x", Seq: 1, Code: 0, Timestamp: time.Unix(1.8e9, 9), Error: "refused", Method: "GET", URL: "http://a/"},
	}
	for name, encoder := range map[string]func(*bytes.Buffer) vegeta.Encoder{
		"gob":  func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewEncoder(b) },
		"json": func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewJSONEncoder(b) },
		"csv":  func(b *bytes.Buffer) vegeta.Encoder { return vegeta.NewCSVEncoder(b) },
	} {
		var b bytes.Buffer
		encode := encoder(&b)
		for _, hit := range hits {
			if err := encode.Encode(hit); err != nil {
				t.Fatal(err)
			}
		}
		all["results of vegeta: "+name] = b.Bytes()
	}
	m := &vegeta.Metrics{}
	for _, hit := range hits {
		m.Add(hit)
	}
	m.Close()
	for name, report := range map[string]vegeta.Reporter{"json": vegeta.NewJSONReporter(m), "text": vegeta.NewTextReporter(m), "hdrplot": vegeta.NewHDRHistogramPlotReporter(m)} {
		var b bytes.Buffer
		if err := report.Report(&b); err != nil {
			t.Fatal(err)
		}
		all["a report of vegeta: "+name] = b.Bytes()
	}
	return all
}

func TestFilesOfOtherProgramsAreKnownByTheirBeginning(t *testing.T) {
	files := vegetas(t)
	for what, text := range map[string]string{
		"a CSV of Locust: stats":      "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time\r\nGET,/,1,0,1,1\r\n",
		"a CSV of Locust: quoted":     `"Type","Name","Request Count","Failure Count"` + "\n",
		"a CSV of Locust: history":    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%\r\n",
		"a CSV of Locust: failures":   "Method,Name,Error,Occurrences\r\n",
		"a CSV of Locust: exceptions": "Count,Message,Traceback,Nodes\r\n",
		"a CSV of Locust: marked":     "\ufeffType,Name,Request Count,Failure Count\n",
		// As documented for handleSummary, for --summary-export, and for --out json and csv.
		"a summary of k6: handleSummary": `{"root_group":{"path":"","groups":[],"checks":[],"name":""},"options":{"summaryTrendStats":["avg"],"noColor":false},"state":{"isStdOutTTY":false,"testRunDurationMs":30898.965069},"metrics":{"http_req_tls_handshaking":{"type":"trend","contains":"time","values":{"avg":21.1}}}}`,
		"a summary of k6: export":        "{\n    \"metrics\": {\n        \"iteration_duration\": {\n            \"avg\": 1033.5\n        }\n    }\n}",
		"an output of k6: json":          `{"type":"Metric","data":{"type":"gauge","contains":"default","tainted":null,"thresholds":[],"submetrics":null},"metric":"vus"}` + "\n",
		"an output of k6: later":         `{"type":"Point","data":{"time":"2017-05-09T14:34:45.625742514+02:00","value":5,"tags":null},"metric":"vus"}` + "\n",
		"an output of k6: newer":         `{"metric":"http_reqs","type":"Metric","data":{"name":"http_reqs","type":"counter"}}` + "\n",
		"an output of k6: csv":           "metric_name,timestamp,metric_value,check,error,error_code,group\nhttp_reqs,1595325560,1.0\n",
		": ours":                         `{"schema":"loadgen/result/v2","id":"x","metrics":1}`,
		": a table":                      "a,b,c\n1,2,3\n",
		": text":                         "Attack at dawn: the Result, a Latency in Seq",
		": nothing":                      "",
	} {
		files[what] = []byte(text)
	}
	for name, data := range files {
		want, _, _ := bytes.Cut([]byte(name), []byte(": "))
		if got := Foreign(data); got != string(want) {
			t.Errorf("%s: %q, want %q of %s", name, got, want, fmt.Sprintf("%.120q", data))
		}
	}
}
