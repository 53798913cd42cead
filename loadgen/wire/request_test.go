package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A header with more fields is read as the same request with these fields: whatever its body, and however it is framed.
func TestMoreFieldsStandInTheHeaderAndTheBodyStays(t *testing.T) {
	for _, tt := range []struct {
		why      string
		body     string
		encoding []string
	}{
		{"no body", "", nil},
		{"a small body, behind the header", "a\r\n\r\nb", nil},
		{"a large body, of its own", strings.Repeat("\r\n\r\nx", 2000), nil},
		{"chunks, small", "abc", []string{"chunked"}},
		{"chunks, large", strings.Repeat("y", 10_000), []string{"chunked"}},
	} {
		r, err := http.NewRequest("POST", "http://service.test/path", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Own", "1")
		r.TransferEncoding = tt.encoding
		q, err := NewRequest(r, []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(q.head)
		head := q.AppendHead(nil, []byte("A: 1\r\nB: 2\r\n"))
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(head, q.body...))))
		if err != nil {
			t.Fatalf("%s: %v", tt.why, err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil || string(body) != tt.body {
			t.Errorf("%s: a body of %d bytes, want %d; %v", tt.why, len(body), len(tt.body), err)
		}
		if h := got.Header; h.Get("A") != "1" || h.Get("B") != "2" || h.Get("X-Own") != "1" || got.Host != "service.test" {
			t.Errorf("%s: header %v of %s", tt.why, h, got.Host)
		}
		if !bytes.Equal(q.head, before) {
			t.Errorf("%s: the shared request has changed", tt.why)
		}
	}
}
