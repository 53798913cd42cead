package plan

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSecretsInURLsAreReplaced(t *testing.T) {
	for _, tt := range []struct{ text, want, why string }{
		{"http://h/", "http://h/", "nothing to hide"},
		{"http://user:hunter2@h:80/p?q=1", "http://REDACTED@h:80/p?q=1", "userinfo"},
		{"http://hunter2@h", "http://REDACTED@h", "a token as a user name"},
		{"http://u:hun@ter2@h/", "http://REDACTED@h/", "the last @ ends userinfo, as browsers have it"},
		{"http://u:hun/ter2@h/x", "http://REDACTED@h/x", "a raw slash in a password: no port is called hun"},
		{"http://u:hun#ter2@h/x", "http://REDACTED@h/x", "nor with a hash"},
		{"http://h/@name?mail=a@b", "http://h/@name?mail=a@b", "an @ in path or query is not userinfo"},
		{"http://h:8080/a@b", "http://h:8080/a@b", "nor after a port"},
		{"http://[::1]:80/a@b", "http://[::1]:80/a@b", "nor after an address"},
		{"localhost:80", "localhost:80", "a scheme may be missing"},
		{"u:hunter2@localhost:80/", "REDACTED@localhost:80/", "and then, too, there may be userinfo"},
		{"/login?token=hunter2&x=1", "/login?token=REDACTED&x=1", "a parameter named like a secret"},
		{"/x?a=1&api_key=hunter2", "/x?a=1&api_key=REDACTED", "with an underscore"},
		{"/x?Access-Key=hunter2", "/x?Access-Key=REDACTED", "with a dash, in capitals"},
		{"/x?key=hunter2&sig=hunter2;pwd=hunter2", "/x?key=REDACTED&sig=REDACTED;pwd=REDACTED", "short names are whole words"},
		{"/x?monkey=1&design=2&compass=3", "/x?monkey=1&design=2&compass=3", "and only those"},
		{"/x?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2&X-Amz-Date=1", "/x?X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED&X-Amz-Date=1", "a signed S3 URL"},
		{"/x?p%61ssword=hunter2", "/x?p%61ssword=REDACTED", "an escape does not hide a name"},
		{"/x?filter[token]=hunter2", "/x?filter[token]=REDACTED", "nor brackets"},
		{"/x#access_token=hunter2", "/x#access_token=REDACTED", "a fragment, as OAuth returns"},
		{"/x?token=a=b==", "/x?token=REDACTED", "base64 ends in ="},
		{"/x?token&y=1", "/x?token&y=1", "no value"},
		{"/x?token=", "/x?token=", "an empty value"},
		{"/x?redirect=/y?token=hunter2", "/x?redirect=/y?token=REDACTED", "a URL in a URL"},
		{"/x;token=1/y", "/x;token=1/y", "a path is kept: it names the endpoint"},
		{"/%zz?token=hunter2&&=&", "/%zz?token=REDACTED&&=&", "what is not a URL still has a secret"},
		{"http://${USER}:${PASS}@h/?token=${TOKEN}", "http://${USER}:${PASS}@h/?token=${TOKEN}", "references hold no secret"},
		{"http://admin:${PASS}@h/", "http://REDACTED@h/", "a name beside one may be"},
		{"/x?token=a${T}&key=$${K}", "/x?token=REDACTED&key=REDACTED", "text beside one, and what only looks like one"},
		{"${BASE}/x?token=hunter2", "${BASE}/x?token=REDACTED", "behind a reference"},
		{"${SCHEME}://u:hunter2@${HOST}/", "${SCHEME}://REDACTED@${HOST}/", "between references"},
		{"//u:hunter2@h/x", "//REDACTED@h/x", "a scheme left to the page"},
		{"//a:b/c@d", "//a:b/c@d", "or hold a colon"},
		{"/x?u=http://a:hunter2@c/d&v=1", "/x?u=http://REDACTED@c/d&v=1", "userinfo of a URL in a URL"},
		{"/x?a=http://c/d", "/x?a=http://c/d", "which mostly has none"},
		{"//a/b@c", "//a/b@c", "but a path may begin with two slashes"},
		{"embedded", "embedded", "the API in this process"},
		{"", "", "nothing"},
	} {
		if got := RedactURL(tt.text); got != tt.want {
			t.Errorf("RedactURL(%q) = %q, want %q: %s", tt.text, got, tt.want, tt.why)
		}
	}
}

// anyURL draws URLs that hold the word hunter2 in every place for secrets that it uses.
func anyURL(secret string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		part := rapid.StringMatching(`[a-zA-Z0-9_.~-]{1,8}`)
		var b strings.Builder
		if rapid.Bool().Draw(t, "absolute") {
			b.WriteString(rapid.SampledFrom([]string{"http://", "https://", "HTTP://"}).Draw(t, "scheme"))
			b.WriteString(rapid.SampledFrom([]string{"", secret + "@", "user:" + secret + "@", secret + ":x@"}).Draw(t, "userinfo"))
			b.WriteString(rapid.SampledFrom([]string{"host", "host:8080", "[::1]", "a.b.example"}).Draw(t, "host"))
		}
		for range rapid.IntRange(1, 3).Draw(t, "segments") {
			b.WriteString("/" + part.Draw(t, "segment"))
		}
		names := rapid.SampledFrom([]string{"token", "api_key", "X-Amz-Signature", "session_id", "key", "user_password"})
		sep := "?"
		for range rapid.IntRange(0, 4).Draw(t, "parameters") {
			if rapid.Bool().Draw(t, "secret") {
				b.WriteString(sep + names.Draw(t, "name") + "=" + secret)
			} else {
				b.WriteString(sep + "q" + rapid.StringMatching(`[0-9]{0,3}`).Draw(t, "plain") + "=" + part.Draw(t, "value"))
			}
			sep = "&"
		}
		return b.String()
	})
}

func TestRedactedURLsKeepAllButTheSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const secret = "hunter2-hunter2"
		text := anyURL(secret).Draw(t, "url")
		got := RedactURL(text)
		if strings.Contains(got, secret) {
			t.Fatalf("%q became %q", text, got)
		}
		if again := RedactURL(got); again != got {
			t.Fatalf("%q became %q, and then %q", text, got, again)
		}
		if wasRedacted(got) != (got != text) {
			t.Fatalf("%q, made of %q, is seen as redacted: %v", got, text, wasRedacted(got))
		}
		before, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		after, err := url.Parse(got)
		if err != nil || after.Host != before.Host || after.Path != before.Path || after.Scheme != before.Scheme {
			t.Fatalf("%q became %q: %v", text, got, err)
		}
		for name, values := range before.Query() {
			for i, v := range values {
				if v == secret {
					v = redacted
				}
				if after.Query()[name][i] != v {
					t.Fatalf("%q became %q: parameter %s differs", text, got, name)
				}
			}
		}
	})
}

func TestWhatWasRedactedIsSeen(t *testing.T) {
	for text, want := range map[string]bool{
		"http://REDACTED@h/": true, "/x?token=REDACTED": true, "/x?a=b&key=REDACTED#c": true, "/x?u=http://REDACTED@c/": true,
		"http://REDACTED/": false, "/REDACTED?a=REDACTED": false, "http://REDACTED:x@h": false, "/x?token=${REDACTED}": false,
	} {
		if got := wasRedacted(text); got != want {
			t.Errorf("%q was redacted: %v, want %v", text, got, want)
		}
	}
}

func TestASplitURLIsTheWholeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[a:/?#@&=.${}]{0,20}`), rapid.String()).Draw(t, "text")
		a := splitURL(text)
		if got := a.scheme + a.userinfo + a.host + a.path + a.query; got != text {
			t.Fatalf("%q was split into %+v", text, a)
		}
	})
}

func TestHeadersNamedLikeSecretsAreReplaced(t *testing.T) {
	for _, name := range []string{
		"Authorization", "authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "x-apikey", "Api_Key", "X-Auth-Token", "X-CSRF-Token",
		"X-Secret", "X-Password", "X-Credential", "X-Session-Id", "X-Hub-Signature-256", "X-Amz-Security-Token", "Ocp-Apim-Subscription-Key",
	} {
		h := http.Header{name: {"hunter2", "${OK}"}}
		redactHeader(h)
		if h[name][0] != redacted || h[name][1] != "${OK}" {
			t.Errorf("%s: %v", name, h[name])
		}
	}
	for _, name := range []string{"Accept", "X-Request-Id", "Idempotency-Key", "Sec-WebSocket-Key", "Keep-Alive", "X-Monkey", "Content-Type"} {
		h := http.Header{name: {"plain"}}
		redactHeader(h)
		if h[name][0] != "plain" {
			t.Errorf("%s is no secret, but: %v", name, h[name])
		}
	}
}

func TestReferencesAfterASchemeWordStay(t *testing.T) {
	for value, keeps := range map[string]bool{
		"${TOKEN}":          true,
		"Bearer ${TOKEN}":   true,
		"bearer  ${TOKEN}":  true,
		"Basic ${A}${B}":    true,
		"token ${A} ${B}":   true,
		"":                  true,
		"${A}-${B}":         false, // is the dash part of a secret? nobody knows
		"hunter2 ${TOKEN}":  false, // any other word may be one
		"Bearer hunter2":    false,
		"Bearer":            false,
		"Bearer x${TOKEN}":  false,
		"Bearer $${TOKEN}":  false, // literally ${TOKEN}
		"Bearer ${TOKEN":    false,
		"Bearer ${TO-KEN}":  false,
		"session=${TOKEN}":  false,
		"Bearer Basic ${A}": false, // one word at most
	} {
		h := http.Header{"Authorization": {value}}
		redactHeader(h)
		if kept := h["Authorization"][0] == value; kept != keeps {
			t.Errorf("%q became %q", value, h["Authorization"][0])
		}
	}
}

func TestARedactedPlanHoldsNoSecretAndSharesNothing(t *testing.T) {
	secret := func() Plan {
		p := Default()
		p.Tags = map[string]string{"commit": "abc"}
		p.Host = "https://user:hunter2@example.com/api"
		p.Stages = []Stage{{1000 * ms, 5}}
		p.Thresholds = []string{"error_rate<1%"}
		p.Client.Header = http.Header{"Authorization": {"Bearer hunter2"}, "Accept": {"text/html"}}
		p.Client.Body = Body{Inline: []byte("body")}
		p.Targets = []Target{{
			Method: "POST", URL: "https://u:hunter2@h/x?token=hunter2&page=2", Header: http.Header{"Cookie": {"a=hunter2", "b=hunter2"}, "X-A": {"1"}},
			Body: Body{Inline: []byte("body")}, Expect: []Status{{200, 200}},
		}}
		return p
	}
	p := secret()
	r := p.Redacted()
	data, err := json.Marshal(r)
	if err != nil || strings.Contains(string(data), "hunter2") {
		t.Errorf("a secret is left (%v): %s", err, data)
	}
	if !reflect.DeepEqual(p, secret()) {
		t.Error("the plan itself was changed")
	}
	want := secret()
	want.Host = "https://REDACTED@example.com/api"
	want.Client.Header["Authorization"] = []string{"REDACTED"}
	want.Targets[0].URL = "https://REDACTED@h/x?token=REDACTED&page=2"
	want.Targets[0].Header["Cookie"] = []string{"REDACTED", "REDACTED"}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}

	// Deep: whatever is changed in the copy, the plan stays.
	r.Tags["commit"], r.Stages[0].To, r.Thresholds[0] = "x", 9, "x"
	r.Client.Header["Accept"][0], r.Client.Body.Inline[0] = "x", 'x'
	r.Targets[0].Header["X-A"][0], r.Targets[0].Body.Inline[0], r.Targets[0].Expect[0].Min = "x", 'x', 9
	if !reflect.DeepEqual(p, secret()) {
		t.Error("a change of the copy reached the plan")
	}
}

func FuzzRedactURL(f *testing.F) {
	for _, s := range []string{"http://u:p@h/?token=x", "/x?a=${B}&key=1", "://", "@", "?#&;", "http://a:b#c@d", "//0@00", "//@@\xf8", "${A}://${B}@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := RedactURL(text)
		if again := RedactURL(got); again != got {
			t.Errorf("%q became %q, and then %q", text, got, again)
		}
		u, err := url.Parse(got)
		if err != nil || u.Host == "" || u.User == nil || strings.Contains(text, "${") {
			return
		}
		// What separates the parts of userinfo is none by itself.
		if password, _ := u.User.Password(); u.User.Username() != redacted && strings.Trim(u.User.Username()+password, ":@") != "" {
			t.Errorf("%q became %q, with userinfo %q", text, got, u.User)
		}
	})
}
