package http1

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// told is all that a reader tells of one answer.
type told struct {
	status, used, interim int
	body                  string
	fields                string
	done, reusable, began bool
	err                   error
}

// hear feeds one answer in pieces.
func hear(r *Reader, method string, data []byte, size int, spoil bool) (a told) {
	var fields, body bytes.Buffer
	r.Field = func(name, value []byte) { fmt.Fprintf(&fields, "%q=%q ", name, value) }
	r.Data = func(p []byte) { body.Write(p) }
	r.Start(method)
	if spoil {
		r.Spoil()
	}
	for len(data) > 0 && !r.Done() && a.err == nil {
		var n int
		piece := data[:min(size, len(data))]
		n, a.err = r.Feed(piece)
		a.used += n
		data = data[n:]
	}
	a.status, a.interim, a.body, a.fields = r.Status(), r.Interim(), body.String(), fields.String()
	a.done, a.began = r.Done(), r.Began()
	if a.err == nil {
		a.reusable = r.Reusable()
	}
	return a
}

// The slow way is the oracle: a reader that remembers nothing.
func TestAHeaderThatIsKnownMeansWhatItMeantWhenItWasRead(t *testing.T) {
	heads := []string{
		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /a\r\n b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nX-Served-By: a\r\n\r\n",
		"HTTP/1.1 101 Switching\r\n\r\n",
		"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"SSH-2.0\r\n\r\n",
	}
	bodies := []string{"ab", "abc", "2\r\nab\r\n0\r\n\r\n", ""}
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.SampledFrom(heads), 1, 2).Draw(t, "heads") // so that they come again
		quick, slow := &Reader{Recall: true}, &Reader{}
		if rapid.Bool().Draw(t, "short limit") {
			quick.MaxHeader, slow.MaxHeader = 60, 60
		}
		for i := range rapid.IntRange(1, 12).Draw(t, "answers") {
			head, body := rapid.SampledFrom(few).Draw(t, "head"), rapid.SampledFrom(bodies).Draw(t, "body")
			method := rapid.SampledFrom([]string{"GET", "GET", "GET", "HEAD"}).Draw(t, "method")
			size := rapid.SampledFrom([]int{1 << 20, 1 << 20, 1 << 20, 1, 7, len(head), len(head) + 1}).Draw(t, "size")
			spoil := rapid.IntRange(0, 9).Draw(t, "spoil") == 0
			data := []byte(head + body)
			got, want := hear(quick, method, data, size, spoil), hear(slow, method, data, size, spoil)
			if got != want {
				t.Fatalf("answer %d, %q: got %+v, want %+v", i+1, data, got, want)
			}
		}
	})
}

func TestAHeaderThatComesAgainIsKnownFromItsThirdTimeOnAndTakesNoMemory(t *testing.T) {
	var names int
	r := Reader{Recall: true, Field: func(name, _ []byte) { names += len(name) }}
	at := func(second int) []byte {
		return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 04:00:%02d GMT\r\nContent-Length: 2\r\n\r\nok", second)
	}
	read := func(data []byte) {
		names = 0
		r.Start("GET")
		if n, err := r.Feed(data); n != len(data) || err != nil || !r.Reusable() || names != len("DateContent-Length") {
			t.Fatalf("%d bytes, error %v, %d bytes of names", n, err, names)
		}
	}
	seconds := [][]byte{at(1), at(2)}
	for _, second := range seconds {
		for i, known := range []bool{false, true, true} {
			if read(second); r.seen.known != known {
				t.Errorf("after %d answers with it known is %v", i+1, r.seen.known)
			}
		}
	}
	var i int
	if n := testing.AllocsPerRun(100, func() { read(seconds[i/5%2]); i++ }); n > 1 {
		t.Errorf("%v allocations an answer", n)
	}
}

func BenchmarkReadingAnAnswer(b *testing.B) {
	data := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 28 Nov 2026 04:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 20\r\nConnection: keep-alive\r\n\r\n{\"message\":\"hello\"}\n")
	for _, recall := range []bool{false, true} {
		b.Run(fmt.Sprintf("recall=%v", recall), func(b *testing.B) {
			r := Reader{Recall: recall}
			for b.Loop() {
				r.Start("GET")
				if _, err := r.Feed(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
