package plan

import (
	"reflect"
	"testing"
)

func TestFramingHeadersStandInARequestOnceInOneSpelling(t *testing.T) {
	type header = map[string][]string
	for _, row := range []struct {
		why            string
		header         header
		client         header
		body           string
		noKeepAlive    bool
		want           header
		close, chunked bool
		fault          string
	}{
		{why: "the length that the body has is the client's to write", header: header{"content-length": {"5"}}, body: "hello", want: header{}},
		{why: "said twice and right", header: header{"content-length": {"5"}, "Content-Length": {"5"}}, body: "hello", want: header{}},
		{why: "0 without a body", header: header{"Content-Length": {"0"}}, want: header{}},
		{why: "a length that the body does not have", header: header{"content-length": {"999"}}, body: "hello",
			fault: `targets[0].header.Content-Length "999": want 5, the body's length, or no such header`},
		{why: "of two lengths one is wrong", header: header{"Content-Length": {"5", "6"}}, body: "hello",
			fault: `targets[0].header.Content-Length "6": want 5, the body's length, or no such header`},
		{why: "a name in lower case is in the place of the client's own", header: header{"user-agent": {"curl/8"}}, want: header{"User-Agent": {"curl/8"}}},
		{why: "two names of one program", header: header{"user-agent": {"a"}, "User-Agent": {"b"}},
			fault: "targets[0].header.User-Agent: given 2 times, and a request has one"},
		{why: "two hosts", header: header{"host": {"a"}, "Host": {"b"}}, fault: "targets[0].header.Host: given 2 times, and a request has one"},
		{why: "two types", header: header{"Content-Type": {"a/b", "a/c"}}, fault: "targets[0].header.Content-Type: given 2 times, and a request has one"},
		{why: "the target's own is in the place of the one for all", header: header{"content-type": {"a/b"}}, client: header{"Content-Type": {"a/c"}}, want: header{"Content-Type": {"a/b"}}},
		{why: "in one spelling, that of userinfo in the URL does not stand beside it", header: header{"authorization": {"Bearer x"}}, want: header{"Authorization": {"Bearer x"}}},
		{why: "cookies share a line", header: header{"cookie": {"b=2"}, "Cookie": {"a=1"}}, want: header{"Cookie": {"a=1; b=2"}}},
		{why: "what the client has no interest in is sent as it was written", header: header{"x-low": {"1", "2"}, "accept": {"*/*"}}, want: header{"x-low": {"1", "2"}, "accept": {"*/*"}}},
		{why: "the connection ends with the request", header: header{"connection": {"Close"}}, want: header{"Connection": {"close"}}, close: true},
		{why: "among other options", header: header{"Connection": {"foo, close", "keep-alive"}}, want: header{"Connection": {"foo, close"}}, close: true},
		{why: "a connection that is kept is the usual", header: header{"connection": {"keep-alive"}}, want: header{"Connection": {"keep-alive"}}},
		{why: "kept, and not kept", header: header{"connection": {"keep-alive"}}, noKeepAlive: true, want: header{}},
		{why: "an upgrade", header: header{"connection": {"Upgrade"}, "upgrade": {"x"}}, want: header{"Connection": {"Upgrade"}, "upgrade": {"x"}}},
		{why: "a chunked body", header: header{"transfer-encoding": {"Chunked"}}, body: "hello", want: header{}, chunked: true},
		{why: "another coding", header: header{"Transfer-Encoding": {"gzip, chunked"}}, body: "hello",
			fault: `targets[0].header.Transfer-Encoding "gzip, chunked": want chunked`},
		{why: "chunked, and a length", header: header{"Transfer-Encoding": {"chunked"}, "content-length": {"5"}}, body: "hello",
			fault: "targets[0].header.Content-Length: a chunked body has none: leave out one of the two headers"},
		{why: "one that stands in the client's headers", client: header{"Content-Length": {"999"}}, body: "hello",
			fault: `client.header.Content-Length "999": want 5, the body's length, or no such header`},
		{why: "trailers", header: header{"trailer": {"Expires"}}, fault: "targets[0].header.Trailer: a request's trailers are not sent: leave it out"},
	} {
		p := Default()
		p.Host = "http://service"
		p.Client.Header, p.Client.NoKeepAlive = row.client, row.noKeepAlive
		p.Targets = []Target{{Method: "POST", URL: "/", Header: row.header, Body: Body{Inline: []byte(row.body)}}}
		ready, err := p.Prepare("", func(string) (string, bool) { return "", false })
		if row.fault != "" {
			if err == nil || err.Error() != row.fault {
				t.Errorf("%s: %v, want %s", row.why, err, row.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		r := &ready.Requests[0]
		if !reflect.DeepEqual(header(r.Header), row.want) || r.Close != row.close || r.Chunked != row.chunked {
			t.Errorf("%s: %v, close %v, chunked %v; want %v, %v, %v", row.why, r.Header, r.Close, r.Chunked, row.want, row.close, row.chunked)
		}
	}
}
