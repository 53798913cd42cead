package http1

import "bytes"

// maxSeen is the longest header that is kept to be known again.
const maxSeen = 1 << 10

// seen is the header that the last answer of a connection had, and what it means. A service says the same to the same
// request, but for the date, which changes once a second: comparing 200 bytes takes a hundredth of reading them.
//
// A header is read only when it has come twice, so that one which differs each time costs a copy and no more.
type seen struct {
	head   []byte  // of a final answer, from the status line to the blank line
	noBody bool    // it was of an answer to a HEAD
	known  bool    // meaning and fields are of head
	means  Reader  // as it is when head was read
	text   []byte  // names and values of the fields
	fields []field // where they end in text
}

type field struct{ name, value int }

// recall reads a header that the last answer had too, and returns its length; 0 when it is another one.
func (r *Reader) recall(data []byte) int {
	s := r.seen
	n := len(s.head)
	if !s.known || s.noBody != r.noBody || !bytes.HasPrefix(data, s.head) || r.budget < int64(n) {
		return 0
	}
	m := &s.means
	r.began = true
	r.budget -= int64(n)
	r.status, r.minor = m.status, m.minor
	r.reusable = r.reusable && m.reusable // it may be spoilt already
	r.keepAlive, r.chunked, r.encodings, r.badCoding, r.length = m.keepAlive, m.chunked, m.encodings, m.badCoding, m.length
	r.left, r.first, r.state = m.left, m.first, m.state
	if r.Field != nil {
		from := 0
		for _, f := range s.fields {
			r.Field(s.text[from:f.name:f.name], s.text[f.name:f.value:f.value])
			from = f.value
		}
	}
	return n
}

// see keeps a header that was read, and learns what it means when it is the same as before.
func (r *Reader) see(head []byte) {
	s := r.seen
	switch {
	case len(head) > maxSeen:
	case s.noBody != r.noBody || !bytes.Equal(s.head, head):
		s.head, s.noBody, s.known = append(s.head[:0], head...), r.noBody, false
	case !s.known:
		s.text, s.fields = s.text[:0], s.fields[:0]
		s.means = Reader{line: s.means.line, noBody: r.noBody, Field: func(name, value []byte) {
			s.text = append(s.text, name...)
			end := len(s.text)
			s.text = append(s.text, value...)
			s.fields = append(s.fields, field{end, len(s.text)})
		}}
		s.means.begin()
		n, err := s.means.Feed(s.head)
		s.known = err == nil && n == len(s.head)
	}
}
