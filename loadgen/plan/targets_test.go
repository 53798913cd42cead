package plan

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/net/http/httpguts"
	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func parse(text string) ([]Target, error) { return ParseTargets("t", strings.NewReader(text)) }

func TestTheTextFormatIsVegetas(t *testing.T) {
	get := func(u string) Target { return Target{Method: "GET", URL: u} }
	for _, tt := range []struct {
		why, text string
		want      []Target
	}{
		{"one line a target", "GET http://h/\nHEAD http://h/2\n", []Target{get("http://h/"), {Method: "HEAD", URL: "http://h/2"}}},
		{"no line end at the end", "GET http://h/", []Target{get("http://h/")}},
		{"headers in their own case, repeated ones kept", "GET http://h/\nx-LOWER: 1\nX-Two: a\nX-Two: b:c\n",
			[]Target{{Method: "GET", URL: "http://h/", Header: http.Header{"x-LOWER": {"1"}, "X-Two": {"a", "b:c"}}}}},
		{"a body file ends a target", "POST http://h/\nA: 1\n@/some/body file\nGET http://h/2",
			[]Target{{Method: "POST", URL: "http://h/", Header: http.Header{"A": {"1"}}, Body: Body{File: "/some/body file"}}, get("http://h/2")}},
		{"a blank line ends a target", "GET http://h/\n\n\nGET http://h/2\nA: 1\n\nGET http://h/3",
			[]Target{get("http://h/"), {Method: "GET", URL: "http://h/2", Header: http.Header{"A": {"1"}}}, get("http://h/3")}},
		{"comments stand anywhere on their own", "# one\nGET http://h/\n# two\nA: 1 # not one\n  # three\nB: 2\n\n# four\n",
			[]Target{{Method: "GET", URL: "http://h/", Header: http.Header{"A": {"1 # not one"}, "B": {"2"}}}}},
		{"a METHOD line after a header begins a target, unlike vegeta's", "GET http://h/\nA: 1\nGET http://h/2\n",
			[]Target{{Method: "GET", URL: "http://h/", Header: http.Header{"A": {"1"}}}, get("http://h/2")}},
		{"a header in capitals is no METHOD line", "GET http://h/\nDNT: 1\nETAG : x\n",
			[]Target{{Method: "GET", URL: "http://h/", Header: http.Header{"DNT": {"1"}, "ETAG": {"x"}}}}},
		{"any method in capitals", "PURGE http://h/", []Target{{Method: "PURGE", URL: "http://h/"}}},
		{"Windows line ends, space around lines, tabs", "GET \t http://h/ \r\n\tA:1\r\n\r\n", []Target{{Method: "GET", URL: "http://h/", Header: http.Header{"A": {"1"}}}}},
		{"a byte order mark", "\ufeffGET http://h/\n", []Target{get("http://h/")}},
		{"a path below the host", "GET /health?a=b c\n", []Target{get("/health?a=b c")}},
		{"references stay as they are", "GET ${BASE}/x\nAuthorization: Bearer ${TOKEN}\nX: $${literal}\n",
			[]Target{{Method: "GET", URL: "${BASE}/x", Header: http.Header{"Authorization": {"Bearer ${TOKEN}"}, "X": {"$${literal}"}}}}},
		{"a line longer than vegeta's scanner takes", "GET http://h/" + strings.Repeat("x", 100_000), []Target{get("http://h/" + strings.Repeat("x", 100_000))}},
	} {
		got, err := parse(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.why, got, err, tt.want)
		}
	}
}

func TestJSONLinesAreVegetasAndOurs(t *testing.T) {
	for _, tt := range []struct {
		why, text string
		want      []Target
	}{
		{"vegeta's keys", `{"method":"POST","url":"http://h/","header":{"A":["1","2"]},"body":"Rk9P"}` + "\n\n" + `{"url":"http://h/2","method":"GET"}`,
			[]Target{{Method: "POST", URL: "http://h/", Header: http.Header{"A": {"1", "2"}}, Body: Body{Inline: []byte("FOO")}}, {Method: "GET", URL: "http://h/2"}}},
		{"ours", `{"method":"GET","url":"/items/7","name":"GET /items/{id}","weight":3,"expect":[200,"3xx","404-410"]}`,
			[]Target{{Name: "GET /items/{id}", Method: "GET", URL: "/items/7", Weight: 3, Expect: []Status{{200, 200}, {300, 399}, {404, 410}}}}},
		{"one status needs no list", `{"method":"GET","url":"/","expect":204}`, []Target{{Method: "GET", URL: "/", Expect: []Status{{204, 204}}}}},
		{"null is as if it were not there", `{"method":"GET","url":"/","header":null,"body":null,"weight":null}`, []Target{{Method: "GET", URL: "/"}}},
		{"comments, a mark, space and Windows line ends", "\ufeff# targets\r\n  {\"method\":\"GET\",\"url\":\"/\"} \r\n# more\r\n", []Target{{Method: "GET", URL: "/"}}},
		{"a method in any case is sent as it is", `{"method":"get","url":"/"}`, []Target{{Method: "get", URL: "/"}}},
	} {
		got, err := parse(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.why, got, err, tt.want)
		}
	}
}

func TestErrorsOfATargetFileNameFileAndLine(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", `t: no targets in it, want METHOD URL, e.g. GET http://localhost:8080/`},
		{"# only\n\n", `t: no targets in it, want METHOD URL, e.g. GET http://localhost:8080/`},
		{"GET http://h/\n\n\n\nGET http://h/\nA: 1\nx", `t:7: bad header "x": want "Name: value"`},
		{"GET http://h/\nAuthorization Bearer hunter2", `t:2: bad header "Authorization …": want "Name: value"`},
		{"GET http://h/\nA:", `t:2: bad header "A:": want "Name: value"`},
		{"GET http://h/\n: x", `t:2: bad header ": …": want "Name: value"`},
		{"GET http://h/\na B: x", `t:2: bad header "a B": want a header name of letters, digits and dashes`},
		{"GET http://h/\nA: ${x", `t:2: bad header "${x": want ` + wantReference},
		{"GET http://h/\nA: hunter2\x00", `t:2: bad header A: a header value cannot hold line breaks or control characters`},
		{"GET", `t:1: bad target "GET": want METHOD URL, the method in capitals`},
		{"get http://h/", `t:1: bad target "get …": want METHOD URL, the method in capitals`},
		{"A: 1", `t:1: bad target "A: …": want METHOD URL, the method in capitals`},
		{"GET ftp://u:hunter2@h/", `t:1: bad URL "ftp://REDACTED@h/": want ` + wantURL},
		{"GET localhost:8080/x", `t:1: bad URL "localhost:8080/x": want ` + wantURL},
		{"GET http://h/a\tb?token=hunter2", `t:1: bad URL "http://h/a\tb?token=REDACTED": want ` + wantURL},
		{"GET http://h/${A-B}", `t:1: bad URL "${A-B}": want ` + wantReference},
		{"POST http://h/\n@", `t:2: bad body "@": want @FILE`},
		{"POST http://h/\n@a\nA: 1", `t:3: bad target "A: …": want METHOD URL, the method in capitals`},
		{"x\nA: 1\nGET http://h/\nz", "t:1: bad target \"x\": want METHOD URL, the method in capitals\nt:4: bad header \"z\": want \"Name: value\""},
		{"x\ny\n\nGET http://h/\nz", "t:1: bad target \"x\": want METHOD URL, the method in capitals\nt:5: bad header \"z\": want \"Name: value\""},

		{`{"method":"GET","url":"/"}` + "\n{", `t:2: not JSON: unexpected end of JSON input`},
		{`{"method":"GET","url":"/"} {}`, `t:1: not JSON: invalid character '{' after top-level value`},
		{`{"method":"GET","url":"/"}` + "\nGET http://h/", `t:2: not JSON: invalid character 'G' looking for beginning of value`},
		{`{"method":"GET","url":"/","headers":{}}`, `t:1: headers: unknown key, want "header"?`},
		{`{"method":"GET","url":"/","wieght":1,"zzz":2}`, "t:1: wieght: unknown key, want \"weight\"?\nt:1: zzz: unknown key"},
		{`{"Method":"GET","url":"/"}`, `t:1: Method: unknown key, want "method"?`},
		{`{"method":"GET","method":"PUT","url":"/"}`, `t:1: method: given twice`},
		{`{"method":"GET","url":"/","header":{"A":"hunter2"}}`, `t:1: header.A: want a list, not this text`},
		{`{"method":"GET","url":"/","header":{"A":[1]}}`, `t:1: header.A[0]: want text, not this number`},
		{`{"method":"GET","url":"/","header":["A"]}`, `t:1: header: want an object, not a list`},
		{`{"method":"GET","url":"/","body":"hunter2!"}`, `t:1: body: want bytes in base64, not this text`},
		{`{"method":"GET","url":"/","weight":0}`, `t:1: bad weight "0": want 1 to 1,000,000`},
		{`{"method":"GET","url":"/","weight":1.5}`, `t:1: weight: want a whole number, not this number`},
		{`{"method":"GET","url":"/","expect":[200,"abc"]}`, `t:1: expect "abc": want ` + wantStatus},
		{`{"method":"GET","url":"/","expect":true}`, `t:1: expect "true": want ` + wantStatus},
		{`{"url":"/"}`, `t:1: bad method: empty, want an HTTP method, e.g. GET`},
		{`{"method":"GET"}`, `t:1: bad url: empty, want ` + wantURL},
		{`{"method":"G T","url":"x"}`, "t:1: bad method \"G T\": want an HTTP method, e.g. GET\nt:1: bad url \"x\": want " + wantURL},
		{`{"method":"GET","url":"/","header":{"A B":["x"]}}`, `t:1: bad header "A B": want a header name of letters, digits and dashes`},
		{`{"method":"GET","url":"/","header":{"A":["hunter2\n"]}}`, `t:1: bad header A: a header value cannot hold line breaks or control characters`},
		{"{\"method\":\"GET\",\"url\":\"/\xff\"}", `t:1: not UTF-8 text`},
	} {
		targets, err := parse(tt.text)
		if err == nil || err.Error() != tt.want || targets != nil {
			t.Errorf("%q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
		if len(input.Errors(err)) != len(strings.Split(tt.want, "\n")) {
			t.Errorf("%q: not all name a field: %v", tt.text, err)
		}
	}
}

func TestAFileFullOfErrorsTellsTheFirstOnes(t *testing.T) {
	_, err := parse(strings.Repeat("bad\n\n", 1000))
	if n := len(input.Errors(err)); n != maxTargetErrors {
		t.Errorf("%d errors, want %d", n, maxTargetErrors)
	}
}

func TestAFileThatCannotBeReadSaysSo(t *testing.T) {
	_, err := ParseTargets("t", iotest.ErrReader(&os.PathError{Op: "read", Path: "t", Err: errors.New("is a directory")}))
	if err == nil || err.Error() != "t: cannot be read: is a directory" || len(input.Errors(err)) != 1 {
		t.Errorf("got %v", err)
	}
	_, err = ParseTargets("/dev/zero", endless{})
	if err == nil || err.Error() != "/dev/zero: at most 64 MiB of targets" {
		t.Errorf("got %v", err)
	}
}

// endless is a file that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// oracle reads targets as vegeta does. ok is false when vegeta refuses them, or when reading them
// would open a file that is not ours.
func oracle(text string) (targets []vegeta.Target, ok bool) {
	// vegeta ends without a word at a last line of JSON without line end, and at a line over 64 KiB.
	if text = strings.TrimSuffix(text, "\n") + "\n"; len(text) > 60_000 {
		return nil, false
	}
	first := firstByte(text)
	for line := range strings.Lines(text) {
		if file, isBody := strings.CutPrefix(strings.TrimSpace(line), "@"); isBody && first != '{' && file != "testdata/body.txt" {
			return nil, false
		}
	}
	// A panic of vegeta's, as on a JSON header key after null, is a refusal.
	defer func() {
		if recover() != nil {
			targets, ok = nil, false
		}
	}()
	read := vegeta.NewHTTPTargeter(strings.NewReader(text), nil, nil)
	if first == '{' {
		read = vegeta.NewJSONTargeter(strings.NewReader(text), nil, nil)
	}
	targets, err := vegeta.ReadAllTargets(read)
	return targets, err == nil
}

// firstByte is the first byte that is neither blank nor in a comment.
func firstByte(text string) byte {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line[0]
		}
	}
	return 0
}

// sendable reports whether a target could be sent, in words of its own: what is not may be refused.
func sendable(t vegeta.Target) bool {
	if !regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$").MatchString(t.Method) || strings.Contains(t.URL, "${") {
		return false
	}
	text, _, _ := strings.Cut(t.URL, "#")
	u, err := url.Parse(text)
	if strings.HasPrefix(text, "/") {
		_, err = url.ParseRequestURI(text)
	} else if err == nil && ((u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || len(strings.TrimLeft(u.Port(), "0")) > 5 || u.Port() > "65535" && len(u.Port()) == 5 || strings.Trim(u.Port(), "0") == "" && u.Port() != "") {
		return false
	}
	if err != nil {
		return false
	}
	for name, values := range t.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) || strings.Contains(v, "${") || strings.EqualFold(name, "host") && !httpguts.ValidHostHeader(v) {
				return false
			}
		}
	}
	return true
}

// agrees checks that what vegeta reads and what could be sent is read alike. It returns whether
// there was something to compare.
func agrees(t interface {
	Helper()
	Errorf(string, ...any)
}, text string) bool {
	t.Helper()
	want, ok := oracle(text)
	if !ok || slices.ContainsFunc(want, func(t vegeta.Target) bool { return !sendable(t) }) {
		return false
	}
	got, err := parse(text)
	if err != nil {
		if firstByte(text) == '{' && !strictJSON(text) {
			return false // documented: unknown and repeated keys, lax JSON
		}
		t.Errorf("%q: vegeta reads %+v, we say: %v", text, want, err)
		return true
	}
	if len(got) != len(want) {
		t.Errorf("%q: vegeta reads %d targets, we read %d", text, len(want), len(got))
		return true
	}
	for i, w := range want {
		g := got[i]
		body := g.Body.Inline
		if g.Body.File != "" {
			body, _ = os.ReadFile(g.Body.File)
		}
		if g.Method != w.Method || g.URL != w.URL || !bytes.Equal(body, w.Body) || !sameHeaders(g.Header, w.Header) {
			t.Errorf("%q: target %d\n   vegeta %+v\nours %+v", text, i, w, g)
		}
	}
	return true
}

func sameHeaders(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name, values := range a {
		if other, ok := b[name]; !ok || !slices.Equal(values, other) {
			return false
		}
	}
	return true
}

// strictJSON reports whether each line is an object of vegeta's keys, each once, in strict JSON.
func strictJSON(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		var j struct {
			Method string      `json:"method"`
			URL    string      `json:"url"`
			Header http.Header `json:"header"`
			Body   []byte      `json:"body"`
		}
		if decode([]byte(line), &j) != nil {
			return false
		}
	}
	return true
}

func TestVegetasOwnReaderIsTheOracleOfText(t *testing.T) {
	mostly := func(good, bad []string) *rapid.Generator[string] {
		return rapid.SampledFrom(slices.Concat(slices.Repeat(good, 8), bad))
	}
	method := mostly([]string{"GET http://h/", "POST /p?a=b c"}, []string{"PUT\thttp://h /x", "GET b:c", "get http://h/", "GET http:/x", "FOO :x"})
	line := mostly([]string{"A: 1", "x-low:2", "A:b:c", " # c", "#c", "DNT: 1", "X : y"}, []string{"@testdata/body.txt", "GET http://h/2", "", " ", "nonsense", "A B: c", ":", "é: x"})
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "targets") {
			end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
			b.WriteString(method.Draw(t, "method") + end)
			for _, l := range rapid.SliceOfN(line, 0, 4).Draw(t, "lines") {
				b.WriteString(l + end)
			}
			b.WriteString(rapid.SampledFrom([]string{"", end}).Draw(t, "blank"))
		}
		if agrees(t, b.String()) {
			compared++
		}
	})
	if compared < 10 && !testing.Short() { // of 100, some 45 are expected; -short has 20
		t.Errorf("only %d inputs were such that vegeta reads them", compared)
	}
}

func TestVegetasOwnWriterIsTheOracleOfJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		encode := vegeta.NewJSONTargetEncoder(&b)
		for range rapid.IntRange(1, 3).Draw(t, "targets") {
			target := vegeta.Target{Method: rapid.SampledFrom([]string{"GET", "get", "X-Y"}).Draw(t, "method"), Body: []byte(rapid.String().Draw(t, "body"))}
			target.URL = "http://h/" + url.PathEscape(rapid.String().Draw(t, "path"))
			for range rapid.IntRange(0, 3).Draw(t, "headers") {
				if target.Header == nil {
					target.Header = http.Header{}
				}
				name := rapid.StringMatching(`[A-Za-z-]{1,6}`).Filter(func(n string) bool { return !strings.EqualFold(n, "host") }).Draw(t, "name")
				target.Header[name] = append(target.Header[name], rapid.StringMatching(`[ -#%-~é<>&]{0,8}`).Draw(t, "value"))
			}
			if err := encode(&target); err != nil {
				t.Fatal(err)
			}
		}
		if !agrees(t, b.String()) {
			t.Fatalf("nothing to compare in %q", &b)
		}
	})
}

func FuzzTargets(f *testing.F) {
	for _, s := range []string{
		"GET http://h/\nHeader-X: 123\nHeader-Y: 321\n@testdata/body.txt\n\nPOST https://foo.bar/b/c/a\nHeader-X: 123\n",
		"GET http://h/\n#c\nA: 1\nGET http://h/2", "GET http://h/\n \nA: b", "GET\thttp://h /x", "GET http://h/\nFOO :bar\n", "GET http://h:/ x#y\n", "GET //h/x\n", "GET b:c",
		`{"method":"GET","url":"http://h/","header":{"A":["b"],"C":null,"D":[]},"body":"Rk9P"}` + "\n" + `{"method":"GET","url":"/"}`,
		`{"method":"GET","url":"http://h/","name":"n","weight":2,"expect":[200,"2xx"]}`, `{"method":"a","url":"http://h/` + `\u0000` + `"}`, "{}\n", "\ufeff{",
		"GET http://h/${A}\nX: $${B}\n", "GET http://h/\n@", "A\r /", "# {\nGET http://h/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		agrees(t, text)
		targets, err := parse(text)
		if err != nil {
			for _, e := range input.Errors(err) {
				if strings.ContainsAny(e.Error(), "\n\r") || e.Field == "" {
					t.Errorf("%q: not one line with a place: %q", text, e.Error())
				}
			}
			if len(input.Errors(err)) == 0 {
				t.Errorf("%q: not a input.Error: %v", text, err)
			}
			return
		}
		p := Default()
		p.Host, p.Targets = "http://localhost", targets
		for _, e := range input.Errors(p.Validate()) {
			// What a reader cannot say yet: a value that a kept plan had to leave out.
			if !strings.HasPrefix(e.Want, wasKept) {
				t.Errorf("%q was read, but is not valid: %v", text, e)
			}
		}
	})
}
