package plan

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"scalableappbackend/internal/input"
)

const wantHeader = `"Name: value"`

// ParseHeader reads one header line, "Name: value". The name keeps its case; neither part may be empty.
func ParseHeader(text string) (name, value string, err error) {
	s := strings.TrimSpace(text)
	name, value, found := strings.Cut(s, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !found || name == "" || value == "" {
		return "", "", input.Refuse(firstWord(s), wantHeader)
	}
	if e := checkHeader(name, value); e != nil {
		return "", "", e
	}
	return name, value, nil
}

// firstWord is what may be shown of a header line that could not be read: the rest may be a secret.
func firstWord(s string) string {
	word, rest, _ := strings.Cut(s, " ")
	if rest != "" {
		word += " …"
	}
	return word
}

// checkHeader says what is wrong with a header whose references stand unfilled; nil when nothing
// is. It never shows the value.
func checkHeader(name, value string) *input.Error {
	if !httpguts.ValidHeaderFieldName(name) {
		return input.Refuse(name, "a header name of letters, digits and dashes")
	}
	filled, bad := probe(value)
	if bad != "" {
		return input.Refuse(bad, wantReference)
	}
	return checkHeaderValue(name, filled)
}

// checkHeaderValue is checkHeader for a value without references.
func checkHeaderValue(name, value string) *input.Error {
	if !httpguts.ValidHeaderFieldValue(value) {
		return &input.Error{Field: name, Want: "a header value cannot hold line breaks or control characters"}
	}
	if strings.EqualFold(name, "Host") && !httpguts.ValidHostHeader(value) {
		return &input.Error{Field: name, Want: "not a host name"}
	}
	return nil
}

// hasHeader reports whether h holds a header, in any case, whose value was not redacted.
func hasHeader(h http.Header, name string) bool {
	for each, values := range h {
		if strings.EqualFold(each, name) && !isRedacted(each, values) {
			return true
		}
	}
	return false
}

// isRedacted reports whether a header's value was taken out when its plan was kept.
func isRedacted(name string, values []string) bool {
	return slices.Contains(values, redacted) && isSecretName(name)
}

// ParseBody reads a request body: "@FILE" names a file, anything else is the body itself.
func ParseBody(text string) (Body, error) {
	if file, isFile := strings.CutPrefix(text, "@"); isFile {
		if file == "" {
			return Body{}, input.Refuse(text, "@FILE or the body itself")
		}
		return Body{File: file}, nil
	}
	return Body{Inline: []byte(text)}, nil
}

// IsZero reports whether there is no body.
func (b Body) IsZero() bool { return len(b.Inline) == 0 && b.File == "" && b.SHA256 == "" }
