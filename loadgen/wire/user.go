package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"time"
)

// ErrTooManyRedirects ends a request that was redirected once more than it may be.
var ErrTooManyRedirects = errors.New("too many redirects")

// User sends one user's requests, one at a time, and follows redirects and keeps cookies as net/http's Client does.
// Latencies, connections and retries of an Answer are then of the whole chain, the rest of its last answer. An answer
// that redirects to what cannot be asked, because it is no http or https URL with a host, is the final one.
type User struct {
	client  *Client
	hops    int
	decides *http.Client // what comes next

	// Of the request under way.
	call     Call
	answer   *Answer
	answered bool // its first answer has come, and decides shall be given it
	followed int

	// Of the answer under way.
	location []byte
	served   bool
	servedBy string // of this answer when served, else of one before
	cookies  []string
}

// NewUser returns a user without connections. It follows at most hops redirects; of 0 a redirect is the answer. jar may
// be nil. opened is told of each new connection; nil for no need.
func (n *Network) NewUser(opened func(at time.Duration, address string), hops int, jar http.CookieJar) *User {
	u := &User{client: n.NewClient(opened), hops: hops}
	u.call.Field = u.note
	if jar != nil {
		u.decide(jar)
	}
	return u
}

// Keep changes the jar in which cookies are kept.
func (u *User) Keep(jar http.CookieJar) {
	if u.decides == nil {
		u.decide(jar)
	}
	u.decides.Jar = jar
}

// decide makes the client that few users need.
func (u *User) decide(jar http.CookieJar) {
	u.decides = &http.Client{Transport: hop{u}, Jar: jar, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		switch {
		case u.hops == 0:
			return http.ErrUseLastResponse
		case len(via) > u.hops:
			return ErrTooManyRedirects
		}
		u.followed = len(via)
		return nil
	}}
}

// Do sends a request, and those that its answer redirects to. See [Client.Do].
func (u *User) Do(q *Request, how *Call, a *Answer) error {
	u.set(how)
	if u.decides != nil && u.decides.Jar != nil {
		*a = Answer{Sent: a.Sent}
		return u.chain(q, a, false)
	}
	err := u.send(q, a)
	if err != nil || u.hops == 0 || !Redirects(q, a.Status, u.location) {
		return err
	}
	return u.chain(q, a, true)
}

// Follow goes on with a request whose first answer was read elsewhere, and which is a redirect to location.
func (u *User) Follow(q *Request, how *Call, a *Answer, location []byte) error {
	u.set(how)
	u.location = append(u.location[:0], location...)
	return u.chain(q, a, true)
}

// Redirects reports whether an answer is one that users follow: a redirect to what can be asked.
func Redirects(q *Request, status int, location []byte) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return leads(q.origin.URL, location)
	}
	return false
}

func (u *User) set(how *Call) {
	u.call.Deadline, u.call.MaxBody, u.call.Data, u.call.Begin, u.call.Header = how.Deadline, how.MaxBody, how.Data, how.Begin, how.Header
	u.call.Fields = how.Fields
}

// leads reports whether a location is something that can be asked.
func leads(from *url.URL, location []byte) bool {
	if len(location) == 0 {
		return false
	}
	to, err := from.Parse(string(location))
	return err == nil && (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() != ""
}

// send makes one hop.
func (u *User) send(q *Request, a *Answer) error {
	u.location, u.served, u.cookies = u.location[:0], false, nil
	clear(u.call.Header)
	err := u.client.Do(q, &u.call, a)
	if u.served {
		a.ServedBy = u.servedBy
	}
	return err
}

// note keeps what matters of an answer's header, in memory that it has already where there is some.
func (u *User) note(name, value []byte) {
	if u.call.Header != nil {
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		u.call.Header[key] = append(u.call.Header[key], string(value))
	}
	switch len(name) {
	case len("Location"):
		if len(u.location) == 0 && IsField(name, "location") {
			u.location = append(u.location, value...)
		}
	case len("X-Served-By"):
		if !u.served && IsField(name, "x-served-by") {
			if u.served = true; string(value) != u.servedBy {
				u.servedBy = string(value)
			}
		}
	case len("Set-Cookie"):
		if u.decides != nil && u.decides.Jar != nil && IsField(name, "set-cookie") {
			u.cookies = append(u.cookies, string(value))
		}
	}
}

// IsField reports whether a header field has a name, which is given in lower case.
func IsField(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// chain lets net/http's Client decide what is asked after what.
func (u *User) chain(q *Request, a *Answer, answered bool) error {
	if u.decides == nil {
		u.decide(nil)
	}
	u.answer, u.answered, u.followed = a, answered, 0
	_, err := u.decides.Do(q.again())
	a.Redirects = u.followed
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil && a.End == 0 {
		a.End = u.client.network.cfg.Clock()
	}
	return err
}

// hop is the http.RoundTripper of a User.
type hop struct{ *User }

func (u hop) RoundTrip(r *http.Request) (*http.Response, error) {
	a := u.answer
	if u.answered {
		u.answered = false
	} else if err := u.next(r); err != nil {
		return nil, err
	}
	header := http.Header{}
	if leads(r.URL, u.location) {
		header["Location"] = []string{string(u.location)}
	}
	if len(u.cookies) > 0 {
		header["Set-Cookie"] = u.cookies
	}
	return &http.Response{
		StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: http.NoBody, Request: r,
	}, nil
}

// next sends the request that is next in a chain, and adds its answer up.
func (u *User) next(r *http.Request) error {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return err
		}
	}
	q, err := NewRequest(r, body)
	if err != nil {
		return err
	}
	before := *u.answer
	err = u.send(q, u.answer)
	u.answer.Connect += before.Connect
	u.answer.Retries += before.Retries
	u.answer.Reuses += before.Reuses
	return err
}

// Adopt takes over a connection: see [Client.Adopt].
func (u *User) Adopt(q *Request, dialed net.Conn, opened time.Duration) {
	u.client.Adopt(q, dialed, opened)
}

// Close closes the idle connections.
func (u *User) Close() { u.client.Close() }
