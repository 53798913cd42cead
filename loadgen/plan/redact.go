package plan

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// redacted stands where a secret was.
const redacted = "REDACTED"

// Redacted returns a deep copy of the plan that may be kept and shown. Replaced by REDACTED are: the
// values of headers named like a secret (Authorization, Cookie, X-Api-Key and their kind), userinfo
// in URLs, and query parameters named like a secret (token, signature, …). A value that is nothing
// but references ${NAME}, after at most an authentication scheme ("Bearer ${TOKEN}"), holds no
// secret and stays, so that the plan can be run again. Bodies given in place are kept, too: what is
// secret in them belongs in a file.
func (p Plan) Redacted() Plan {
	c := p.clone()
	c.Host = RedactURL(c.Host)
	redactHeader(c.Client.Header)
	for i := range c.Targets {
		c.Targets[i].URL = RedactURL(c.Targets[i].URL)
		redactHeader(c.Targets[i].Header)
	}
	return c
}

// clone is a copy that shares nothing with p.
func (p *Plan) clone() Plan {
	c := *p
	c.Tags = maps.Clone(p.Tags)
	c.Stages = slices.Clone(p.Stages)
	c.Thresholds = slices.Clone(p.Thresholds)
	c.Client.Header = p.Client.Header.Clone()
	c.Client.Body.Inline = slices.Clone(p.Client.Body.Inline)
	c.Client.Resolve = slices.Clone(p.Client.Resolve)
	for i := range c.Client.Resolve {
		c.Client.Resolve[i].Addresses = slices.Clone(p.Client.Resolve[i].Addresses)
	}
	if p.Client.Redirects != nil {
		c.Client.Redirects = new(*p.Client.Redirects)
	}
	c.Targets = slices.Clone(p.Targets)
	for i := range c.Targets {
		t := &c.Targets[i]
		t.Header = t.Header.Clone()
		t.Body.Inline = slices.Clone(t.Body.Inline)
		t.Expect = slices.Clone(t.Expect)
	}
	return c
}

// trim takes off what came around addresses.
func (p *Plan) trim() {
	p.Host = Trim(p.Host)
	for i := range p.Targets {
		p.Targets[i].URL = Trim(p.Targets[i].URL)
	}
}

func redactHeader(h http.Header) {
	for name, values := range h {
		if !isSecretName(name) {
			continue
		}
		for i, v := range values {
			if !holdsNoSecret(v) {
				values[i] = redacted
			}
		}
	}
}

// secretParts make a name a secret's when it holds one of them, dashes and underscores left out.
var secretParts = [...]string{
	"apikey", "accesskey", "token", "secret", "password", "passwd", "auth", "credential", "session",
	"signature", "cookie",
}

// secretWords make a name a secret's as a whole word of it.
var secretWords = [...]string{"key", "sig", "pwd", "pass", "jwt"}

// noSecrets are names with such a word that are known to hold none.
var noSecrets = [...]string{"idempotency-key", "sec-websocket-key"}

// isSecretName reports whether a header or parameter of this name holds a secret.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	if slices.Contains(noSecrets[:], name) {
		return false
	}
	// Not a Replacer: its table costs more than all the rest, and a plan asks for each header of each target.
	plain := name
	if strings.ContainsAny(name, "-_") {
		plain = strings.ReplaceAll(strings.ReplaceAll(name, "-", ""), "_", "")
	}
	if slices.ContainsFunc(secretParts[:], func(part string) bool { return strings.Contains(plain, part) }) {
		return true
	}
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("-_.[]", r) }) {
		if slices.Contains(secretWords[:], word) {
			return true
		}
	}
	return false
}

func isSecretParameter(name string) bool {
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return isSecretName(name)
}

// authSchemes are the words that may stand before a credential: those registered with IANA (HTTP
// Authentication Scheme Registry) that take one, and three in common use. Any other word might be
// the secret itself.
var authSchemes = [...]string{
	"basic", "bearer", "digest", "dpop", "gnap", "negotiate", "oauth", "privatetoken",
	"apikey", "key", "token",
}

// holdsNoSecret reports whether a header value is empty, or references only but for a scheme word.
func holdsNoSecret(value string) bool {
	if scheme, rest, found := strings.Cut(strings.TrimSpace(value), " "); found &&
		slices.Contains(authSchemes[:], strings.ToLower(scheme)) {
		value = rest
	}
	return onlyReferences(value, " ")
}

// RedactURL returns a URL with its userinfo and the values of parameters named like a secret
// replaced by REDACTED, and not a byte changed else. The text need not be a valid URL and may hold
// references; where they are all that a value is made of, they stay.
func RedactURL(text string) string {
	a := splitURL(text)
	userinfo := a.userinfo
	if !onlyReferences(userinfo, ":@") {
		userinfo = redacted + "@"
	}
	return a.scheme + userinfo + a.host + a.path + redactQuery(a.query)
}

// redactQuery works on a query and fragment, which begin with ? or #.
func redactQuery(query string) string {
	var b strings.Builder
	for query != "" {
		b.WriteByte(query[0])
		query = query[1:]
		end := indexAny(query, "?#&;")
		name, value, found := strings.Cut(query[:end], "=")
		switch {
		case isSecretParameter(name) && !onlyReferences(value, ""):
			value = redacted
		case strings.Contains(value, "://"):
			value = RedactURL(value)
		}
		b.WriteString(name)
		if found {
			b.WriteString("=" + value)
		}
		query = query[end:]
	}
	return b.String()
}

// wasRedacted reports whether RedactURL took something out of the URL.
func wasRedacted(text string) bool {
	if !strings.Contains(text, redacted) {
		return false
	}
	a := splitURL(text)
	if a.userinfo == redacted+"@" {
		return true
	}
	for part := range strings.FieldsFuncSeq(a.query, func(r rune) bool { return strings.ContainsRune("?#&;", r) }) {
		name, value, _ := strings.Cut(part, "=")
		if value == redacted && isSecretParameter(name) || strings.Contains(value, "://") && wasRedacted(value) {
			return true
		}
	}
	return false
}
