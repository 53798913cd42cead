package plan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"scalableappbackend/internal/input"
)

// prepared makes a plan with these targets ready, or fails.
func prepared(t *testing.T, host string, change func(*Plan), targets ...Target) *Ready {
	t.Helper()
	p := Default()
	p.Host, p.Targets = host, targets
	if change != nil {
		change(&p)
	}
	r, err := p.Prepare("", environment("TOKEN", "hunter2", "BASE", "http://base:81/b", "PATH_", "/filled?x=1", "CRLF", "a\r\nb", "SPACE", "a b"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPathsAreResolvedBelowTheHost(t *testing.T) {
	for _, tt := range []struct{ host, target, want string }{
		{"http://h", "/", "http://h/"},
		{"http://h/", "/x", "http://h/x"},
		{"http://h/api", "/x", "http://h/api/x"},
		{"http://h/api/", "/x?a=b", "http://h/api/x?a=b"},
		{"http://h/api", "/../x", "http://h/api/../x"},
		{"http://h/api", "//x", "http://h/api//x"},
		{"http://h", "/a%2Fb?c=%20", "http://h/a%2Fb?c=%20"},
		{"http://h", "/x#fragment", "http://h/x"},
		{"http://h:8080", "http://other/x", "http://other/x"},
		{"http://h", "${BASE}/x", "http://base:81/b/x"},
		{"http://h/api", "${PATH_}", "http://h/api/filled?x=1"},
		{"http://h", "/$${TOKEN}", "http://h/$%7BTOKEN%7D"},
		{"https://[::1]:8443/a", "/x", "https://[::1]:8443/a/x"},
		{"", "https://h", "https://h"},
	} {
		r := prepared(t, tt.host, nil, Target{Method: "GET", URL: tt.target})
		if got := r.Requests[0].URL.String(); got != tt.want {
			t.Errorf("%q below %q is %q, want %q", tt.target, tt.host, got, tt.want)
		}
	}
}

func TestTheBaseTakesThePlaceOfTheHost(t *testing.T) {
	p := Default()
	p.Host = Embedded
	r, err := p.Prepare("http://127.0.0.1:41234", environment())
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Requests[1].URL.String(); got != "http://127.0.0.1:41234/health" {
		t.Errorf("sent to %q", got)
	}
	if r.Plan.Host != Embedded || r.Endpoints[1].Name != "GET /health" {
		t.Errorf("the plan kept says host %q, endpoint %q", r.Plan.Host, r.Endpoints[1].Name)
	}
	for base, want := range map[string]string{
		"":         `host "embedded": want the address of the API that was started`,
		"nonsense": `host "nonsense": want a base URL, e.g. http://localhost:8080`,
	} {
		if _, err := p.Prepare(base, environment()); err == nil || err.Error() != want {
			t.Errorf("base %q: %v; want %s", base, err, want)
		}
	}
}

func TestReferencesAreFilledInURLsAndHeaders(t *testing.T) {
	r := prepared(t, "http://h", func(p *Plan) { p.Client.Header = http.Header{"X-Client": {"c-${TOKEN}"}} },
		Target{Method: "GET", URL: "/x?t=${TOKEN}", Header: http.Header{"Authorization": {"Bearer ${TOKEN}", "$${TOKEN}"}}})
	q := r.Requests[0]
	want := http.Header{"Authorization": {"Bearer hunter2", "${TOKEN}"}, "X-Client": {"c-hunter2"}}
	if q.URL.RawQuery != "t=hunter2" || !reflect.DeepEqual(q.Header, want) {
		t.Errorf("query %q, header %v; want %v", q.URL.RawQuery, q.Header, want)
	}
	if got := r.Plan.Targets[0]; got.URL != "/x?t=${TOKEN}" || got.Header["Authorization"][0] != "Bearer ${TOKEN}" {
		t.Errorf("the plan kept is filled in: %+v", got)
	}
}

func TestWhatCannotBeFilledOrSentIsSaidWithoutTheSecret(t *testing.T) {
	get := func(u string, header ...string) Target {
		target := Target{Method: "GET", URL: u, Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			target.Header[header[i]] = []string{header[i+1]}
		}
		return target
	}
	lookup := environment("SECRET", "hunter2", "EVIL", "hunter2\r\nX: y", "PORT", "hunter2", "EMPTY", "", "PATH_", "/hunter2")
	for _, tt := range []struct {
		host   string
		target Target
		want   string
	}{
		{"http://h", get("/${NO}"), `targets[0].url "${NO}": want a variable that is set in the environment`},
		{"http://h", get("/${NO}/${NEITHER}"), "targets[0].url \"${NO}\": want a variable that is set in the environment\ntargets[0].url \"${NEITHER}\": want a variable that is set in the environment"},
		{"http://h", get("/", "A", "${NO}"), `targets[0].header.A "${NO}": want a variable that is set in the environment`},
		{"http://h", get("/", "A", "${EVIL}"), `targets[0].header.A: a header value cannot hold line breaks or control characters`},
		{"http://h", get("/", "Host", "${SECRET} x"), `targets[0].header.Host: not a host name`},
		{"http://h", get("/${EVIL}"), `targets[0].url "/${EVIL}": want a path without control characters`},
		{"http://h", get("http://h:${PORT}/"), `targets[0].url "http://h:${PORT}/": want a URL that begins with http:// or https://, or a path that begins with /`},
		{"http://h", get("${SECRET}/x"), `targets[0].url "${SECRET}/x": want a URL that begins with http:// or https://, or a path that begins with /`},
		{"http://h", get("${EMPTY}"), `targets[0].url "${EMPTY}": want a URL that begins with http:// or https://, or a path that begins with /`},
		{"", get("${PATH_}"), `host: needed for "${PATH_}", which is a path once it is filled in`},
	} {
		p := Default()
		p.Host, p.Targets = tt.host, []Target{tt.target}
		r, err := p.Prepare("", lookup)
		if r != nil || err == nil || err.Error() != tt.want {
			t.Errorf("%s %v:\n got %v\nwant %s", tt.target.URL, tt.target.Header, err, tt.want)
		}
	}
}

func TestWhatManyTargetsLackIsSaidOnce(t *testing.T) {
	p := onHost()
	p.Targets = nil
	for range 100 {
		p.Targets = append(p.Targets, Target{Method: "POST", URL: "/${NO}", Header: http.Header{"A": {"${NO} ${NEITHER}"}}, Body: Body{File: "no/such"}})
	}
	p.Client.CAFile = "no/such"
	_, err := p.Prepare("", environment())
	var got []string
	for _, f := range input.Errors(err) {
		got = append(got, f.Field+" "+f.Got)
	}
	if want := []string{"targets[0].header.A ${NO}", "targets[0].header.A ${NEITHER}", "targets[0].body no/such"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheClientsHeadersAndBodyAreForTargetsWithoutTheirOwn(t *testing.T) {
	r := prepared(t, "http://h", func(p *Plan) {
		p.Client.Header = http.Header{"accept": {"client"}, "X-C": {"1", "2"}, "X-Empty": {}}
		p.Client.Body = Body{Inline: []byte("client")}
	},
		Target{Method: "POST", URL: "/1"},
		Target{Method: "POST", URL: "/2", Header: http.Header{"Accept": {"target"}}, Body: Body{Inline: []byte("target")}},
	)
	if got, want := r.Requests[0].Header, (http.Header{"accept": {"client"}, "X-C": {"1", "2"}, "X-Empty": {}}); !reflect.DeepEqual(got, want) || string(r.Requests[0].Body) != "client" {
		t.Errorf("first: %v, %q", got, r.Requests[0].Body)
	}
	if got, want := r.Requests[1].Header, (http.Header{"Accept": {"target"}, "X-C": {"1", "2"}, "X-Empty": {}}); !reflect.DeepEqual(got, want) || string(r.Requests[1].Body) != "target" {
		t.Errorf("second: %v, %q", got, r.Requests[1].Body)
	}
}

func TestAHeaderGivenAgainReplacesARedactedOne(t *testing.T) {
	r := prepared(t, "http://h", func(p *Plan) { p.Client.Header = http.Header{"authorization": {"Bearer ${TOKEN}"}} },
		Target{Method: "GET", URL: "/", Header: http.Header{"Authorization": {"REDACTED"}}})
	if got, want := r.Requests[0].Header, (http.Header{"Authorization": {"Bearer hunter2"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAHostHeaderBecomesTheRequestsHost(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"Host", "example.com", "example.com"},
		{"host", "example.com:80", "example.com:80"},
		{"Host", "h:8080", ""}, // the URL's own
	} {
		r := prepared(t, "http://h:8080", nil, Target{Method: "GET", URL: "/", Header: http.Header{tt.name: {tt.value}}})
		if q := r.Requests[0]; q.Host != tt.want || len(q.Header) != 0 {
			t.Errorf("%s: %s gives Host %q and header %v; want %q", tt.name, tt.value, q.Host, q.Header, tt.want)
		}
	}
}

func TestUserinfoIsSentAsBasicAuthentication(t *testing.T) {
	for _, tt := range []struct{ url, want, why string }{
		{"http://user:pa%40ss@h/", "Basic dXNlcjpwYUBzcw==", "user:pa@ss"},
		{"http://user@h/", "Basic dXNlcjo=", "user:, as http.Client sends it"},
		{"http://h/", "", "none"},
	} {
		r := prepared(t, "", nil, Target{Method: "GET", URL: tt.url})
		if got := r.Requests[0].Header.Get("Authorization"); got != tt.want {
			t.Errorf("%s is sent as %q, want %q: %s", tt.url, got, tt.want, tt.why)
		}
	}
	r := prepared(t, "http://user:pass@h", nil, Target{Method: "GET", URL: "/", Header: http.Header{"authorization": {"Bearer x"}}})
	if got, want := r.Requests[0].Header, (http.Header{"Authorization": {"Bearer x"}}); !reflect.DeepEqual(got, want) || r.Requests[0].URL.User.String() != "user:pass" {
		t.Errorf("a header of the target's own comes first: %v; userinfo %v is kept", got, r.Requests[0].URL.User)
	}
}

func TestBodyFilesAreReadOnceAndKeptAsDigests(t *testing.T) {
	const other = "0123" // digest of what was in it when the plan was kept
	r := prepared(t, "http://h", nil,
		Target{Method: "POST", URL: "/1", Body: Body{File: "testdata/body.txt"}},
		Target{Method: "POST", URL: "/2", Body: Body{File: "testdata/body.txt", SHA256: other}},
	)
	sum := sha256.Sum256([]byte("hello from a file\n"))
	for i, q := range r.Requests {
		if string(q.Body) != "hello from a file\n" || r.Plan.Targets[i].Body.SHA256 != hex.EncodeToString(sum[:]) || r.Plan.Targets[i].Body.Inline != nil {
			t.Errorf("request %d sends %q, plan keeps %+v", i, q.Body, r.Plan.Targets[i].Body)
		}
	}
	if &r.Requests[0].Body[0] != &r.Requests[1].Body[0] {
		t.Error("the file is held twice")
	}
	if want := []string{"targets[1].body: testdata/body.txt has changed since the plan was kept"}; !slices.Equal(r.Warnings, want) {
		t.Errorf("warnings %q, want %q", r.Warnings, want)
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	key := filepath.Join(dir, "key.pem")
	broken := filepath.Join(dir, "broken.pem")
	for name, data := range map[string]string{
		empty:  "",
		key:    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
		broken: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})),
	} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		change func(*Plan)
		field  string
		want   string
	}{
		{func(p *Plan) { p.Targets[1].Body.File = "no/such" }, "targets[1].body", "a file that can be read: no such file or directory"},
		{func(p *Plan) { p.Client.Body.File = dir }, "client.body", "a file that can be read: is a directory"},
		{func(p *Plan) { p.Client.CAFile = "no/such" }, "client.ca_file", "a file that can be read: no such file or directory"},
		{func(p *Plan) { p.Client.CAFile = empty }, "client.ca_file", "a file with a PEM certificate"},
		{func(p *Plan) { p.Client.CAFile = key }, "client.ca_file", "a file with a PEM certificate"},
		{func(p *Plan) { p.Client.CAFile = broken }, "client.ca_file", "a file with a PEM certificate"},
	} {
		p := onHost()
		tt.change(&p)
		_, err := p.Prepare("", environment())
		if f := input.Errors(err); len(f) != 1 || f[0].Field != tt.field || f[0].Want != tt.want {
			t.Errorf("got %v; want %s: %s", err, tt.field, tt.want)
		}
	}
}

func TestACertificateIsReadFromAFileWithOtherBlocks(t *testing.T) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	data := slices.Concat([]byte("an authority\n"), pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: []byte("x")}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r := prepared(t, "http://h", func(p *Plan) { p.Client.CAFile = file }, DefaultTargets()...)
	if !x509.NewCertPool().AppendCertsFromPEM(r.CA) {
		t.Error("the certificate does not come through")
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	p := onHost()
	p.Client.CAFile = file
	if _, err := p.Prepare("", environment()); len(input.Errors(err)) != 1 {
		t.Errorf("a certificate that does not say that it is one: %v", err)
	}
	if r := prepared(t, "http://h", nil, DefaultTargets()...); r.CA != nil {
		t.Error("an authority from nowhere")
	}
}

func TestPreparingLeavesThePlanAlone(t *testing.T) {
	p := onHost()
	p.Client.Header = http.Header{"Host": {"x"}, "A": {"${TOKEN}"}}
	p.Targets = []Target{{Method: "POST", URL: "/${TOKEN}", Body: Body{File: "testdata/body.txt"}, Header: http.Header{"B": {"${TOKEN}"}}}}
	before := p.clone()
	r, err := p.Prepare("", environment("TOKEN", "x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Requests[0].Header["B"][0] = "changed"
	r.Plan.Targets[0].Header["B"][0] = "changed"
	if !reflect.DeepEqual(p, before) {
		t.Errorf("the plan was changed:\n now %+v\nfrom %+v", p, before)
	}
}

func TestWeightsOfOneAreTheDefault(t *testing.T) {
	r := prepared(t, "http://h", nil, Target{Method: "GET", URL: "/"}, Target{Method: "GET", URL: "/2", Weight: 7})
	if r.Requests[0].Weight != 1 || r.Requests[1].Weight != 7 {
		t.Errorf("weights %d and %d", r.Requests[0].Weight, r.Requests[1].Weight)
	}
}
