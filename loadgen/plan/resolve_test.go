package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestAnAddressIsGivenForAHostAsCurlHasIt(t *testing.T) {
	for _, row := range []struct{ why, text, want string }{
		{"a name and an address", "example.com:443:127.0.0.1", "example.com:443:127.0.0.1"},
		{"IPv6 in brackets", "example.com:443:[::1]", "example.com:443:[::1]"},
		{"IPv6 without brackets, as curl reads it too", "example.com:443:::1", "example.com:443:[::1]"},
		{"several addresses", "example.com:80:127.0.0.1,[2001:db8::1]", "example.com:80:127.0.0.1,[2001:db8::1]"},
		{"any host", "*:443:10.0.0.1", "*:443:10.0.0.1"},
		{"a name in capitals", " EXAMPLE.com:443:127.0.0.1\n", "example.com:443:127.0.0.1"},
		{"a name beyond ASCII, as DNS has it", "bücher.example:80:127.0.0.1", "xn--bcher-kva.example:80:127.0.0.1"},
		{"an address that stands for another one", "[2001:db8::1]:80:127.0.0.1", "[2001:db8::1]:80:127.0.0.1"},
		{"an address with a zone", "h:80:[fe80::1%eth0]", "h:80:[fe80::1%eth0]"},
	} {
		r, err := ParseResolve(row.text)
		if err != nil || r.String() != row.want {
			t.Errorf("%s: %q is %v, %v; want %s", row.why, row.text, r, err, row.want)
			continue
		}
		var again Resolve
		data, _ := json.Marshal(r)
		if err := json.Unmarshal(data, &again); err != nil || fmt.Sprint(again) != fmt.Sprint(r) {
			t.Errorf("%s: %s reads back as %v, %v", row.why, data, again, err)
		}
	}
	for _, bad := range []string{
		"", "h", "h:80", "h:80:", "h:x:127.0.0.1", "h:0:127.0.0.1", "h:65536:127.0.0.1", "h:80:name", ":80:127.0.0.1", "h:80:[::1",
		"h:80:127.0.0.1,", "http://h:80:127.0.0.1", "a*b:80:127.0.0.1", "-h:80", "h:80:127.0.0.1:8080",
	} {
		if r, err := ParseResolve(bad); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is %v, %v", bad, r, err)
		}
	}
}

func TestWhichAddressCounts(t *testing.T) {
	var c Client
	for _, text := range []string{"a:80:10.0.0.1", "*:80:10.0.0.9", "b:80:10.0.0.2", "a:443:10.0.0.3", "b:80:10.0.0.4,10.0.0.5"} {
		r, err := ParseResolve(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Resolve = append(c.Resolve, r)
	}
	for _, row := range []struct{ why, host, port, want string }{
		{"a host that is named, whatever stands for any", "a", "80", "[10.0.0.1]"},
		{"the later one of two", "b", "80", "[10.0.0.4 10.0.0.5]"},
		{"case and a last dot mean nothing", "A.", "80", "[10.0.0.1]"},
		{"the port counts", "a", "443", "[10.0.0.3]"},
		{"another host", "c", "80", "[10.0.0.9]"},
		{"another host and a port without any", "c", "443", "[]"},
	} {
		if got := fmt.Sprint(c.Addresses(row.host, row.port)); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
