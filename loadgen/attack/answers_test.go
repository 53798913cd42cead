package attack

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"scalableappbackend/loadgen/plan"
)

// chain is a server that redirects a request hops times before it answers 200.
func chain(t *testing.T, hops int) string {
	return raw(t, func(c net.Conn, r *http.Request) {
		if at := len(r.URL.Query()["hop"]); at < hops {
			write(c, "HTTP/1.1 302 Found\r\nLocation: /?x"+strings.Repeat("&hop=1", at+1)+"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
		write(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	})
}

func TestARedirectIsFollowedAsFarAsThePlanSays(t *testing.T) {
	t.Parallel()
	found := []plan.Status{{Min: 302, Max: 302}}
	for _, row := range []struct {
		why             string
		hops, redirects int
		expect          []plan.Status
		followed        int64
		failure         string
	}{
		{why: "as many as allowed", hops: 3, redirects: 3, followed: 3},
		{why: "one more than allowed", hops: 3, redirects: 2, followed: 2, failure: "too many redirects"},
		{why: "none is followed, and a redirect is no error", hops: 3, redirects: 0},
		{why: "none is followed, and the redirect is what was expected", hops: 3, redirects: 0, expect: found},
		{why: "none is followed, and an answer was expected to be one", hops: 0, redirects: 0, expect: found, failure: "200 OK"},
		{why: "followed, the redirect is not the answer any more", hops: 1, redirects: 10, expect: found, followed: 1, failure: "200 OK"},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			p := few()
			p.Client.Redirects = &row.redirects
			ready := at(p, chain(t, row.hops))
			for i := range ready.Requests {
				ready.Requests[i].Expect = row.expect
			}
			r := execute(ready, nil, nil)
			r.balanced(t)
			var followed int64
			for _, w := range r.windows {
				for _, e := range w.Endpoints {
					followed += e.Redirects
				}
			}
			if followed != 10*row.followed {
				t.Errorf("%d hops in ten requests, want %d in each", followed, row.followed)
			}
			want := map[string]int64{}
			if row.failure != "" {
				want[row.failure] = 10
			}
			if got := r.messages(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("failures %v, want %v", got, want)
			}
		})
	}
}

func TestABodyWithoutTheExpectedTextIsAFailureOfItsOwn(t *testing.T) {
	t.Parallel()
	const missing = "the body does not hold the expected text"
	big := strings.Repeat("x", 100_000)
	for _, row := range []struct {
		why, status, body, want string
		maxBody                 int64
		failure                 string
	}{
		{why: "the text is there", status: "200 OK", body: `{"state":"ok"}`, want: `"ok"`},
		{why: "an error page with status 200", status: "200 OK", body: "something went wrong", want: `"ok"`, failure: missing},
		{why: "an empty body", status: "200 OK", body: "", want: "ok", failure: missing},
		{why: "a status that is not accepted comes first", status: "500 Internal Server Error", body: "went wrong", want: "ok", failure: "500 Internal Server Error"},
		{why: "at the end of a long body", status: "200 OK", body: big + "ok", want: "xok"},
		{why: "beyond what is read", status: "200 OK", body: big + "ok", want: "ok", maxBody: 1000, failure: missing},
		{why: "case matters", status: "200 OK", body: "OK", want: "ok", failure: missing},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			p := few()
			if row.maxBody > 0 {
				p.Client.MaxBody = row.maxBody
			}
			ready := at(p, raw(t, func(c net.Conn, _ *http.Request) {
				write(c, fmt.Sprintf("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", row.status, len(row.body), row.body))
			}))
			for i := range ready.Requests {
				ready.Requests[i].ExpectBody = []byte(row.want)
			}
			r := execute(ready, nil, nil)
			r.balanced(t)
			want := map[string]int64{}
			if row.failure != "" {
				want[row.failure] = 10
			}
			if got := r.messages(); fmt.Sprint(got) != fmt.Sprint(want) || r.requests != 10 {
				t.Errorf("failures %v, want %v", got, want)
			}
		})
	}
}

func TestAHostGoesToTheAddressThatIsGivenForIt(t *testing.T) {
	t.Parallel()
	var hosts sync.Map
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hosts.Store(r.Host, true) }))
	server.StartTLS()
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for _, row := range []struct{ why, resolve string }{
		{"the name stays, in Host and certificate", "example.com:" + port + ":127.0.0.1"},
		{"an address where nobody listens is passed over", "example.com:" + port + ":127.0.0.9,127.0.0.1"},
		{"any host", "*:" + port + ":127.0.0.1"},
	} {
		t.Run(strings.ReplaceAll(row.why, " ", "_"), func(t *testing.T) {
			hosts.Clear()
			p := few()
			given, err := plan.ParseResolve(row.resolve)
			if err != nil {
				t.Fatal(err)
			}
			p.Client.Resolve = []plan.Resolve{given}
			ready := at(p, "https://example.com:"+port) // the name in the test server's certificate
			ready.CA = authority
			r := execute(ready, nil, nil)
			r.balanced(t)
			if r.requests != 10 || r.failures != 0 {
				t.Errorf("requests %d, failures %v", r.requests, r.messages())
			}
			if _, ok := hosts.Load("example.com:" + port); !ok {
				t.Error("the server did not see the host's name")
			}
		})
	}
}
