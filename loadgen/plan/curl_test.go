package plan

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestALineOfCurlIsTheRequestThatCurlSends(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for _, row := range []struct {
		why, line string
		want      Target
	}{
		{"a URL", `curl http://h/a`, Target{Method: "GET", URL: "http://h/a"}},
		{"with the prompt that was copied too", `$ curl http://h/a`, Target{Method: "GET", URL: "http://h/a"}},
		{"a host alone is HTTP", `curl h:8080/a`, Target{Method: "GET", URL: "http://h:8080/a"}},
		{"a path, which is below the host of the run", `curl -X DELETE /a`, Target{Method: "DELETE", URL: "/a"}},
		{"what a browser copies", `curl 'https://h/a?b=c' -H 'Accept: */*' -H 'X-Quote: it'\''s' --compressed`,
			Target{Method: "GET", URL: "https://h/a?b=c", Header: http.Header{"Accept": {"*/*"}, "X-Quote": {"it's"}, "Accept-Encoding": {"gzip, deflate, br, zstd"}}}},
		{"quotes of each kind", `curl "http://h/a" -H 'A: b "c"' -H "D: \"e\"" -H $'F: \u0021\x41'`,
			Target{Method: "GET", URL: "http://h/a", Header: http.Header{"A": {`b "c"`}, "D": {`"e"`}, "F": {"!A"}}}},
		{"data is a form that is posted", `curl http://h/a -d a=1 -d b=2`, Target{Method: "POST", URL: "http://h/a", Header: form, Body: Body{Inline: []byte("a=1&b=2")}}},
		{"data from a file", `curl -X PUT --data-binary @file.json -H 'content-type: application/json' http://h/a`,
			Target{Method: "PUT", URL: "http://h/a", Header: http.Header{"content-type": {"application/json"}}, Body: Body{File: "file.json"}}},
		{"raw data that begins with @", `curl http://h/ --data-raw @x`, Target{Method: "POST", URL: "http://h/", Header: form, Body: Body{Inline: []byte("@x")}}},
		{"JSON", `curl http://h/ --json '{"a":1}'`, Target{Method: "POST", URL: "http://h/", Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, Body: Body{Inline: []byte(`{"a":1}`)}}},
		{"data in the query", `curl -G http://h/?a=1 --data-urlencode 'q=b c'`, Target{Method: "GET", URL: "http://h/?a=1&q=b+c"}},
		{"letters that share a dash, and values beside theirs", `curl -sSLXPATCH -o/dev/null http://h/`, Target{Method: "PATCH", URL: "http://h/"}},
		{"HEAD", `curl -I http://h/`, Target{Method: "HEAD", URL: "http://h/"}},
		{"a password", `curl -u user:pass http://h/`, Target{Method: "GET", URL: "http://h/", Header: http.Header{"Authorization": {"Basic dXNlcjpwYXNz"}}}},
		{"a cookie", `curl -b 'a=1; b=2' http://h/`, Target{Method: "GET", URL: "http://h/", Header: http.Header{"Cookie": {"a=1; b=2"}}}},
		{"variables are references, but in single quotes", `curl "http://h/$ID/${ID}" -H "A: $TOKEN" -H 'B: $TOKEN ${TOKEN}'`,
			Target{Method: "GET", URL: "http://h/${ID}/${ID}", Header: http.Header{"A": {"${TOKEN}"}, "B": {"$TOKEN $${TOKEN}"}}}},
	} {
		got, e := parseCurl(row.line)
		if e != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", row.why, got, e, row.want)
		}
	}
}

func TestALineOfCurlThatCannotBeSentSaysWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		`curl`:                                 "t:1: bad curl: want one URL in the line",
		`curl http://a/ http://b/`:             "t:1: bad curl: want one URL in the line",
		`curl 'http://a/`:                      "t:1: bad curl: a quote is not closed",
		`curl http://a/ | jq`:                  "t:1: bad curl: one command of curl: | is for a shell, and belongs in quotes",
		`curl -k https://a/`:                   "t:1: bad curl -k: certificates are the run's: --insecure",
		`curl -F a=@b http://a/`:               "t:1: bad curl -F: a form of parts is not built: give the body as it is sent in a file, and its Content-Type",
		`curl --nonsense http://a/`:            `t:1: bad curl "--nonsense": want an option of curl that says what is sent, e.g. -X, -H or -d`,
		`curl http://a/ -H`:                    `t:1: bad curl "-H": want a value after it`,
		`curl -d "a=$TOKEN" http://a/`:         "t:1: bad curl: a variable in a body is not filled in: write its value, or @FILE",
		`curl -H 'Authorization' http://h/`:    "t:1: bad curl -H: a header without a value takes one away in curl, and cannot here: Authorization",
		"curl \\\n  -X 'B AD' \\\n  http://a/": `t:1: bad curl "B AD": want an HTTP method, e.g. GET`,
	} {
		_, err := ParseTargets("t", strings.NewReader(line+"\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", line, err, want)
		}
	}
}

func TestLinesOfCurlStandBesideOtherTargets(t *testing.T) {
	targets, err := ParseTargets("t", strings.NewReader("# copied\ncurl 'http://h/a' \\\n  -H 'A: b' \\\n  --data-raw 'x'\nGET http://h/b\nB: c\ncurl http://h/c\n\nGET http://h/d\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, each := range targets {
		got = append(got, each.Method+" "+each.URL)
	}
	if want := "POST http://h/a, GET http://h/b, GET http://h/c, GET http://h/d"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

func FuzzAnyLineOfCurlIsAValidTargetOrAnErrorOfOneLine(f *testing.F) {
	f.Add(`curl "http://h/$ID" -H $'a: \u0041' -d @x --data-urlencode 'a=b c' -G -sSLu a:b`)
	f.Fuzz(func(t *testing.T, line string) {
		target, e := parseCurl("curl " + line)
		if e != nil {
			if text := e.Error(); text == "" || strings.Contains(text, "\n") {
				t.Errorf("%q is not one line", text)
			}
			return
		}
		p := Default()
		p.Host, p.Targets = "http://h", []Target{target}
		if err := p.Validate(); err != nil {
			t.Errorf("%q is a target that is not valid: %v", line, err)
		}
	})
}
