package plan

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
)

// framing is the header fields by which client and service agree on where a message ends and whose it is. They are
// looked for in any case, since that is how a HAR file or a command copied from a browser has them, and what the client
// adds itself must not stand beside them.
var framing = [...]string{
	"Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Host", "Trailer",
	"Transfer-Encoding", "User-Agent",
}

// once is those that a request has once at most (RFC 9110 §5.3: they are no lists).
var once = [...]string{"Content-Type", "Host", "Transfer-Encoding", "User-Agent"}

// frame gives the framing fields of a filled request one spelling, takes out what the client writes itself, and says
// what it cannot do. Call it once the body is known.
func (r *Request) frame(keepAlive bool) *input.Error {
	spellOnce(r.Header)
	for _, name := range once {
		if n := len(r.Header[name]); n > 1 {
			return &input.Error{Field: name, Want: "given " + strconv.Itoa(n) + " times, and a request has one"}
		}
	}
	if cookies := r.Header["Cookie"]; len(cookies) > 1 {
		r.Header["Cookie"] = []string{strings.Join(cookies, "; ")} // RFC 6265 §5.4: one line
	}
	if len(r.Header["Trailer"]) > 0 {
		return &input.Error{Field: "Trailer", Want: "a request's trailers are not sent: leave it out"}
	}
	if e := r.frameBody(); e != nil {
		return e
	}
	r.frameConnection(keepAlive)
	return nil
}

// spellOnce puts all spellings of a framing field under one name.
func spellOnce(h http.Header) {
	var others []string
	for name := range h {
		if canonical := framingName(name); canonical != "" && canonical != name {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		canonical := framingName(name)
		h[canonical] = slices.Concat(h[canonical], h[name])
		delete(h, name)
	}
}

func framingName(name string) string {
	for _, each := range framing {
		if len(each) == len(name) && strings.EqualFold(each, name) {
			return each
		}
	}
	return ""
}

// frameBody settles how the length of the body is told.
func (r *Request) frameBody() *input.Error {
	lengths := r.Header["Content-Length"]
	if coding := r.Header["Transfer-Encoding"]; len(coding) > 0 {
		if !strings.EqualFold(coding[0], "chunked") {
			return &input.Error{Field: "Transfer-Encoding", Got: coding[0], Want: "chunked"}
		}
		if len(lengths) > 0 {
			return &input.Error{Field: "Content-Length", Want: "a chunked body has none: leave out one of the two headers"}
		}
		r.Chunked = true
		delete(r.Header, "Transfer-Encoding")
	}
	length := strconv.Itoa(len(r.Body))
	for _, each := range lengths {
		if each != length {
			return &input.Error{Field: "Content-Length", Got: each, Want: length + ", the body's length, or no such header"}
		}
	}
	delete(r.Header, "Content-Length")
	return nil
}

// frameConnection settles whether the connection ends with the request. What keeps it open goes without saying in
// HTTP/1.1, and must not be said beside a close.
func (r *Request) frameConnection(keepAlive bool) {
	var options []string
	for _, line := range r.Header["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if option = strings.TrimSpace(option); option != "" {
				options = append(options, option)
			}
		}
	}
	is := func(want string) func(string) bool {
		return func(option string) bool { return strings.EqualFold(option, want) }
	}
	r.Close = slices.ContainsFunc(options, is("close"))
	if r.Close || !keepAlive {
		options = slices.DeleteFunc(options, is("close"))
		options = slices.DeleteFunc(options, is("keep-alive"))
	}
	if r.Close {
		options = append(options, "close")
	}
	delete(r.Header, "Connection")
	if len(options) > 0 {
		r.Header["Connection"] = []string{strings.Join(options, ", ")}
	}
}
