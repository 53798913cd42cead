package plan

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"scalableappbackend/internal/input"
)

// maxBodyFile is the largest file that is read for a request body or certificates.
const maxBodyFile = 256 << 20

// Prepare validates the plan and makes it ready to be sent: fills references through lookup, which
// is os.LookupEnv or a stand-in, puts paths below the host, and reads the files that are named.
// base, when not empty, takes the place of Host; an embedded plan needs one. The plan itself is not
// changed.
//
// All that is wrong is returned at once as joined input errors, as [Plan.Validate] does; a variable or
// a file that many targets lack is named once.
func (p *Plan) Prepare(base string, lookup func(string) (string, bool)) (*Ready, error) {
	c := p.clone()
	c.trim()
	if base != "" {
		c.Host = base
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Host == Embedded {
		return nil, &input.Error{Field: "host", Got: Embedded, Want: "the address of the API that was started"}
	}
	b := builder{
		plan: &c, base: c.Host, lookup: lookup,
		files: map[string][]byte{}, digests: map[string]string{}, missing: map[string]bool{},
	}
	c.Host = Trim(p.Host)
	ready := b.build()
	if err := b.faults.err(); err != nil {
		return nil, err
	}
	return ready, nil
}

// builder holds what Prepare works with. The plan in it is a copy that gets the digests.
type builder struct {
	plan     *Plan
	base     string
	lookup   func(string) (string, bool)
	files    map[string][]byte // each is read once, however many targets send it
	digests  map[string]string
	missing  map[string]bool // files and ${variables} that were said to be, digests that were said to be new
	faults   faults
	warnings []string
	names    []string // of one header, room to sort in
}

func (b *builder) build() *Ready {
	p := b.plan
	clientHeader := b.header("client.header", p.Client.Header)
	clientBody := b.body("client.body", &p.Client.Body)
	requests := make([]Request, len(p.Targets))
	for i := range p.Targets {
		t := &p.Targets[i]
		field := fmt.Sprintf("targets[%d]", i)
		r := &requests[i]
		*r = Request{Method: t.Method, Weight: max(1, t.Weight), Expect: t.Expect}
		if t.ExpectBody != "" {
			r.ExpectBody = []byte(t.ExpectBody)
		}
		r.Header = b.header(field+".header", t.Header)
		mergeHeader(r.Header, clientHeader)
		if r.Body = b.body(field+".body", &t.Body); t.Body.IsZero() {
			r.Body = clientBody
		}
		if e := r.frame(!p.Client.NoKeepAlive); e != nil {
			at := "client.header"
			if hasHeader(t.Header, e.Field) {
				at = field + ".header"
			}
			b.faults.add(at, e)
		}
		r.URL = b.url(field+".url", t.URL)
		if r.URL != nil {
			r.setHost()
			r.setBasicAuth()
		}
	}
	endpoints := p.endpoints(requests)
	if endpoints.warning != "" {
		b.warnings = append(b.warnings, endpoints.warning)
	}
	return &Ready{
		Plan:      *p,
		Requests:  requests,
		Endpoints: endpoints.list,
		Load:      p.Load(),
		CA:        b.certificates("client.ca_file", p.Client.CAFile),
		Warnings:  b.warnings,
	}
}

// fill replaces the references of text, or says which are not set.
func (b *builder) fill(field, text string) string {
	filled, unset := fill(text, b.lookup)
	if b.lack(field, unset) {
		return ""
	}
	return filled
}

// lack adds an error for each variable that is not set, and reports whether there is one.
func (b *builder) lack(field string, unset []string) bool {
	for _, name := range unset {
		b.lacks(field, "${"+name+"}", "a variable that is set in the environment")
	}
	return len(unset) > 0
}

// lacks adds an error about something that is not there, once however many fields need it.
func (b *builder) lacks(field, what, want string) {
	if !b.missing[what] {
		b.missing[what] = true
		b.faults.add(field, &input.Error{Got: what, Want: want})
	}
}

// header returns a filled copy of h without what was redacted, never nil.
func (b *builder) header(field string, h http.Header) http.Header {
	filled := make(http.Header, len(h))
	b.names = slices.AppendSeq(b.names[:0], maps.Keys(h))
	slices.Sort(b.names)
	for _, name := range b.names {
		if isRedacted(name, h[name]) {
			continue // Validate has seen that another takes its place
		}
		values := make([]string, len(h[name]))
		for i, v := range h[name] {
			values[i] = Trim(b.fill(field+"."+name, v))
			b.faults.add(field, checkHeaderValue(name, values[i]))
		}
		filled[name] = values
	}
	return filled
}

// mergeHeader adds to h what it does not have yet, in any case.
func mergeHeader(h, more http.Header) {
	for name, values := range more {
		if !hasHeader(h, name) {
			h[name] = values
		}
	}
}

// url returns the filled, absolute URL; nil after a fault.
func (b *builder) url(field, text string) *url.URL {
	filled, unset, cuts := fillURL(text, b.lookup)
	if b.lack(field, unset) {
		return nil
	}
	if cuts {
		b.faults.add(field, &input.Error{Got: RedactURL(text), Want: "a first variable without a #, which would cut off what follows"})
		return nil
	}
	// A filled URL may hold secrets in any place: errors show it as it was written.
	if e := checkFilledURL(filled, text); e != nil {
		if filled != text {
			e.Hint = "this is what it is with its references filled in"
		}
		b.faults.add(field, e)
		return nil
	}
	if strings.HasPrefix(filled, "/") && b.base == "" {
		b.faults.add("host", &input.Error{Want: "needed for " + input.Quote(RedactURL(text)) + ", which is a path once it is filled in"})
		return nil
	}
	u, e := parseAbsolute(resolve(b.base, filled), text, wantURL)
	if e != nil {
		b.faults.add(field, e)
		return nil
	}
	return u
}

// setHost moves a Host header to where net/http sends it from.
func (r *Request) setHost() {
	var names []string
	for name := range r.Header {
		if strings.EqualFold(name, "Host") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if values := r.Header[name]; r.Host == "" && len(values) > 0 && values[0] != r.URL.Host {
			r.Host = values[0]
		}
		delete(r.Header, name)
	}
}

// setBasicAuth makes a header of userinfo, as http.Client does and http.Transport does not.
func (r *Request) setBasicAuth() {
	user := r.URL.User
	if user == nil || hasHeader(r.Header, "Authorization") {
		return
	}
	password, _ := user.Password()
	r.Header["Authorization"] = []string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)),
	}
}

// body returns the bytes of a body and keeps the digest of a file.
func (b *builder) body(field string, body *Body) []byte {
	if body.File == "" {
		return body.Inline
	}
	data := b.file(field, body.File)
	digest, known := b.digests[body.File]
	if !known {
		sum := sha256.Sum256(data)
		digest = hex.EncodeToString(sum[:])
		b.digests[body.File] = digest
	}
	if body.SHA256 != "" && body.SHA256 != digest && !b.missing[digest] {
		b.missing[digest] = true // said once, however many targets send it
		b.warnings = append(b.warnings, fmt.Sprintf("%s: %s has changed since the plan was kept", field, body.File))
	}
	body.SHA256 = digest
	return data
}

// file returns what is in a file; nil for an empty name and after a fault.
func (b *builder) file(field, name string) []byte {
	if data, known := b.files[name]; known || name == "" || b.missing[name] {
		return data
	}
	data, err := readFile(name)
	if err != nil {
		b.lacks(field, name, "a file that can be read: "+err.Error())
		return nil
	}
	b.files[name] = data
	return data
}

// readFile reads a file of any kind, since it may be a pipe, up to a bound, since it may be endless.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBodyFile+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(data) > maxBodyFile {
		return nil, errors.New("it is over 256 MiB")
	}
	return data, nil
}

// reason is an error without the operation and path around it, which the field has said.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// certificates returns the PEM of a file, in which there must be a certificate; nil for no file.
func (b *builder) certificates(field, name string) []byte {
	data := b.file(field, name)
	if name == "" || b.missing[name] {
		return nil
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			b.faults.add(field, &input.Error{Got: name, Want: "a file with a PEM certificate"})
			return nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err == nil {
			return data
		}
	}
}
