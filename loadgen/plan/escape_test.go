package plan

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What a server reads is Go's own parser's view of what is sent.
func TestAURLIsSentAsItWasMeant(t *testing.T) {
	lookup := environment(
		"SPACE", "a b", "HASH", "a#b", "QUESTION", "a?b=c", "PERCENT", "100%", "ESCAPED", "a%2Fb", "PAIR", "a=1&b=2", "SLASH", "a/b", "EMPTY", "",
		"LINE", "5\r\n", "BOM", "\ufeff5", "AT", "p@ss:w/rd", "CREDENTIALS", "user:p@ss", "HOST", " h.example\n", "PORT", "8080\r",
		"BASE", " http://base:81/b c/ ", "SCHEME", "https", "UMLAUT", "ü", "PAGE", "http://h/x#top",
	)
	for _, row := range []struct{ why, host, url, want string }{
		{"a space in a path", "http://h", "/a b", "http://h/a%20b"},
		{"a space in a query", "http://h", "/?q=a b", "http://h/?q=a%20b"},
		{"what is escaped stays so, beside what is not", "http://h", "/a%2Fb c?q=%26 d", "http://h/a%2Fb%20c?q=%26%20d"},
		{"a % of its own", "http://h", "/100%?q=100%&r=%zz&s=%4", "http://h/100%25?q=100%25&r=%25zz&s=%254"},
		{"letters beyond ASCII, in UTF-8", "http://h", "/ü?q=ü", "http://h/%C3%BC?q=%C3%BC"},
		{"quotes, braces, bars and backslashes", "http://h", `/a\b?q={"a":1}|<x>^` + "`", "http://h/a%5Cb?q=%7B%22a%22:1%7D%7C%3Cx%3E%5E%60"},
		{"what may stand as it is", "http://h", "/!$&'()*+,;=:@-._~[x]?q=/?:@!$'()*+,;[x]", "http://h/!$&'()*+,;=:@-._~[x]?q=/?:@!$'()*+,;[x]"},
		{"a fragment is never sent", "http://h", "/a?b=c#d", "http://h/a?b=c"},
		{"an empty query", "http://h", "/a?", "http://h/a?"},
		{"white space, line ends and marks around it", "http://h", "\ufeff \t/a\u00a0\u200b\r\n", "http://h/a"},
		{"and around the host", " http://h/ \r\n", "/a", "http://h/a"},
		{"a host with a path to be escaped", "http://h/a b/", "/c", "http://h/a%20b/c"},
		{"an IPv6 zone with a bare %", "http://[fe80::1%eth0]:80", "/a", "http://[fe80::1%25eth0]:80/a"},
		{"an IPv6 zone as a URL has it", "http://[fe80::1%25eth0]:80", "/a", "http://[fe80::1%25eth0]:80/a"},
		{"a host beyond ASCII is net/http's to translate", "http://bücher.example", "/a", "http://b%C3%BCcher.example/a"},
		{"a password with odd characters", "", "http://user:p@s s#@h/a", "http://user:p%40s%20s%23@h/a"},

		{"a space in a variable", "http://h", "/${SPACE}?q=${SPACE}", "http://h/a%20b?q=a%20b"},
		{"a # in a variable cuts nothing", "http://h", "/${HASH}/x?q=${HASH}&r=1", "http://h/a%23b/x?q=a%23b&r=1"},
		{"a ? in a variable in a path is a part of it", "http://h", "/${QUESTION}/x", "http://h/a%3Fb=c/x"},
		{"a % in a variable", "http://h", "/${PERCENT}?q=${PERCENT}", "http://h/100%25?q=100%25"},
		{"a variable that is escaped already", "http://h", "/${ESCAPED}", "http://h/a%2Fb"},
		{"a variable with parameters", "http://h", "/?${PAIR}", "http://h/?a=1&b=2"},
		{"a variable with a slash", "http://h", "/${SLASH}", "http://h/a/b"},
		{"an empty variable fills in nothing", "http://h", "/x${EMPTY}?q=${EMPTY}", "http://h/x?q="},
		{"a line end at the end of a variable", "http://h", "/${LINE}/x?q=${LINE}&r", "http://h/5/x?q=5&r"},
		{"a mark at the beginning of a variable", "http://h", "/${BOM}", "http://h/5"},
		{"a variable beyond ASCII", "http://h", "/${UMLAUT}", "http://h/%C3%BC"},
		{"a password from a variable", "", "http://u:${AT}@h/", "http://u:p%40ss%3Aw%2Frd@h/"},
		{"name and password from one variable", "", "http://${CREDENTIALS}@h/", "http://user:p%40ss@h/"},
		{"host and port from variables", "", "http://${HOST}:${PORT}/a", "http://h.example:8080/a"},
		{"the beginning from a variable", "http://h", "${BASE}x y?q=${HASH}", "http://base:81/b%20c/x%20y?q=a%23b"},
		{"a scheme from a variable", "", "${SCHEME}://${HOST}/${SPACE}", "https://h.example/a%20b"},
		{"a whole URL from a variable, with a fragment", "", "${PAGE}", "http://h/x"},
		{"a literal reference", "http://h", "/$${SPACE}", "http://h/$%7BSPACE%7D"},
	} {
		p := Default()
		p.Host, p.Targets = row.host, []Target{{Method: "GET", URL: row.url}}
		r, err := p.Prepare("", lookup)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		u := r.Requests[0].URL
		if got := u.String(); got != row.want {
			t.Errorf("%s: %q is %q, want %q", row.why, row.url, got, row.want)
		}
		if line := u.RequestURI(); strings.ContainsAny(line, " #\"") {
			t.Errorf("%s: the request line would hold %q", row.why, line)
		}
	}
}

func TestAVariableThatWouldCutTheURLIsRefused(t *testing.T) {
	p := Default()
	p.Targets = []Target{{Method: "GET", URL: "${PAGE}/x"}}
	const want = `targets[0].url "${PAGE}/x": want a first variable without a #, which would cut off what follows`
	if _, err := p.Prepare("", environment("PAGE", "http://h/x#top")); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAnyURLThatIsAcceptedMakesAWholeRequestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "/" + rapid.OneOf(rapid.String(), rapid.StringMatching(`[a%#? ${}V/&=\\"é]{0,12}`)).Draw(t, "path")
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a%#? /&=\\"é]{0,8}`)).Draw(t, "value")
		p := Default()
		p.Host, p.Targets = "http://h", []Target{{Method: http.MethodGet, URL: text}}
		r, err := p.Prepare("", func(string) (string, bool) { return value, true })
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q is not one line", err)
			}
			return
		}
		line := r.Requests[0].URL.RequestURI()
		for _, c := range []byte(line) {
			if c <= ' ' || c >= 0x7f || c == '#' || c == '"' {
				t.Fatalf("%q with %q is sent as %q", text, value, line)
			}
		}
		again, err := url.ParseRequestURI(line)
		if err != nil || again.RequestURI() != line {
			t.Fatalf("%q with %q is sent as %q, which reads as %v, %v", text, value, line, again, err)
		}
		// What was escaped once is not escaped again: a plan that is kept and run again sends the same.
		if twice := escapeURL(line); twice != line {
			t.Fatalf("%q is escaped again to %q", line, twice)
		}
	})
}
