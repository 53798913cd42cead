package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"scalableappbackend/internal/input"
)

// maxTargetsFile is how much of a target file is read: room for half a million targets, which are
// all kept in memory.
const maxTargetsFile = 64 << 20

// maxTargetErrors is how many errors of one file are told.
const maxTargetErrors = 10

// ParseTargets reads targets in vegeta's text format or as JSON lines; the first byte that is
// neither blank nor in a comment tells which: { begins JSON. name is the file's, for errors, which
// are input errors with FILE:LINE.
//
// Text:
//
//	# a comment
//	POST http://host/path?query
//	Name: value of a header, as often as needed; names keep their case
//	@body-file, relative to the working directory
//
// A blank line, a body or the next METHOD line ends a target. A line of curl, as browsers copy it, is a target of its own;
// a backslash at its end continues it. JSON, one object a line, has vegeta's
// keys method, url, header (an object of lists) and body (base64), and beside them name, weight,
// expect (a status or a list of them: 200, "2xx", "200-204") and expect_body (a text that the answer must hold).
//
// What vegeta reads is read alike, with these exceptions. Refused with its line is what no HTTP
// client could send (a scheme other than http and https, a URL without a host, a method or header
// name that is no token, a control character in a header) and, in JSON, what vegeta passes over (an
// unknown or repeated key, text that is not strictly JSON or not UTF-8). A METHOD line that follows
// a header begins a target, where vegeta takes it for a header. Lines over 64 KiB and a last line of
// JSON without line end are read, where vegeta ends without a word. A byte order mark is skipped,
// and comments may stand in JSON. ${ begins a reference; $${ is a literal ${. Body files are opened
// by [Plan.Prepare].
func ParseTargets(name string, src io.Reader) ([]Target, error) {
	data, err := io.ReadAll(io.LimitReader(src, maxTargetsFile+1))
	if err != nil {
		return nil, &input.Error{Field: name, Want: "cannot be read: " + reason(err).Error()}
	}
	if len(data) > maxTargetsFile {
		return nil, &input.Error{Field: name, Want: "at most 64 MiB of targets"}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &input.Error{Field: name, Want: "text in UTF-16, want UTF-8"}
	}
	p := targetParser{file: name, rest: bytes.TrimPrefix(data, []byte("\ufeff"))}
	if !p.nextLine() {
		return nil, &input.Error{Field: name, Want: "no targets in it, want METHOD URL, e.g. GET http://localhost:8080/"}
	}
	read := p.text
	if p.line[0] == '{' {
		read = p.json
	}
	for more := true; more && len(p.errs) < maxTargetErrors; {
		more = read()
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.targets, nil
}

// targetParser stands on a line that is neither blank nor a comment when text or json is called;
// both return false at the end of the file.
type targetParser struct {
	file    string
	rest    []byte // after line
	line    string // without the space around it
	number  int    // of line, from 1
	targets []Target
	errs    []error
	decoder decoder
}

func (p *targetParser) advance() bool {
	if len(p.rest) == 0 {
		return false
	}
	line, rest, _ := bytes.Cut(p.rest, []byte("\n"))
	p.line, p.rest = strings.TrimSpace(string(line)), rest
	p.number++
	return true
}

// nextLine moves to the next line that is neither blank nor a comment.
func (p *targetParser) nextLine() bool {
	for p.advance() {
		if p.line != "" && p.line[0] != '#' {
			return true
		}
	}
	return false
}

// fail keeps an error of the line; what says what is bad.
func (p *targetParser) fail(what string, e *input.Error) {
	c := *e
	c.Field = fmt.Sprintf("%s:%d", p.file, p.number)
	if what != "" {
		c.Field += ": bad " + what
	}
	if e.Got == "" && e.Field != "" {
		c.Field += " " + e.Field
	}
	p.errs = append(p.errs, &c)
}

// methodLine is how a line begins that names a method: vegeta's rule.
var methodLine = regexp.MustCompile(`^[A-Z]+\s`)

// isMethodLine tells "GET http://host" from the header line "GET: x" and "GET : x".
func isMethodLine(line string) bool {
	if !methodLine.MatchString(line) {
		return false
	}
	name, _, found := strings.Cut(line, ":")
	return !found || !httpguts.ValidHeaderFieldName(strings.TrimSpace(name))
}

// text reads one target of the text format.
func (p *targetParser) text() bool {
	if isCurlLine(p.line) {
		return p.curl()
	}
	method, url := p.line, ""
	if i := strings.IndexAny(p.line, " \t\f\r"); i >= 0 {
		method, url = p.line[:i], Trim(p.line[i:])
	}
	if !isMethodLine(p.line) {
		p.fail("target", input.Refuse(firstWord(p.line), "METHOD URL, the method in capitals"))
		return p.skipTarget()
	}
	if e := checkURL(url); e != nil {
		p.fail("URL", e)
	}
	t := Target{Method: method, URL: url}
	more := p.headers(&t)
	p.targets = append(p.targets, t)
	return more
}

// curl reads one target, a command line of curl, which a backslash at its end continues.
func (p *targetParser) curl() bool {
	line, first := p.line, p.number
	for strings.HasSuffix(line, "\\") && p.advance() {
		line = strings.TrimSuffix(line, "\\") + " " + p.line
	}
	line = strings.TrimSuffix(line, "\\")
	t, e := parseCurl(line)
	if e != nil {
		last := p.number
		p.number = first
		p.fail("curl", e)
		p.number = last
	}
	p.targets = append(p.targets, t)
	return p.nextLine()
}

// headers reads the lines below a METHOD line.
func (p *targetParser) headers(t *Target) bool {
	for p.advance() {
		switch {
		case p.line == "":
			return p.nextLine()
		case p.line[0] == '#':
		case isMethodLine(p.line), isCurlLine(p.line):
			return true
		case p.line[0] == '@':
			if t.Body.File = p.line[1:]; t.Body.File == "" {
				p.fail("body", input.Refuse(p.line, "@FILE"))
			}
			return p.nextLine()
		default:
			name, value, err := ParseHeader(p.line)
			for _, e := range input.Errors(err) {
				p.fail("header", e)
			}
			if err == nil {
				if t.Header == nil {
					t.Header = http.Header{}
				}
				t.Header[name] = append(t.Header[name], value)
			}
		}
	}
	return false
}

// skipTarget passes over what belongs to a target whose METHOD line was refused.
func (p *targetParser) skipTarget() bool {
	for p.advance() {
		if p.line == "" {
			return p.nextLine()
		}
		if isMethodLine(p.line) || isCurlLine(p.line) {
			return true
		}
	}
	return false
}

// jsonTarget is a line of JSON.
type jsonTarget struct {
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
	Name   string      `json:"name"`
	Weight *int        `json:"weight"`
	Expect statuses    `json:"expect"`

	ExpectBody *string `json:"expect_body"`
}

// json reads one target, a line of JSON.
func (p *targetParser) json() bool {
	var j jsonTarget
	if err := p.decoder.decode([]byte(p.line), &j); err != nil {
		for _, e := range input.Errors(err) {
			p.failKey(e)
		}
		return p.nextLine()
	}
	t := Target{Name: j.Name, Method: j.Method, URL: Trim(j.URL), Header: j.Header, Body: Body{Inline: j.Body}, Expect: j.Expect}
	if !IsMethod(j.Method) {
		p.fail("method", input.Refuse(j.Method, "an HTTP method, e.g. GET"))
	}
	if e := checkURL(j.URL); e != nil {
		p.fail("url", e)
	}
	var f faults
	checkHeaders(&f, "", j.Header)
	for _, e := range input.Errors(f.err()) {
		p.fail("header", e)
	}
	if j.Weight != nil {
		if t.Weight = *j.Weight; t.Weight < 1 || t.Weight > MaxWeight {
			p.fail("weight", input.Refuse(strconv.Itoa(t.Weight), "1 to 1,000,000"))
		}
	}
	if j.ExpectBody != nil {
		t.ExpectBody = *j.ExpectBody
		if e := checkExpectBody(*j.ExpectBody, t.Method); e != nil {
			p.fail("expect_body", e)
		}
	}
	p.targets = append(p.targets, t)
	return p.nextLine()
}

// failKey keeps an error of decode, which names a key itself or is of the line.
func (p *targetParser) failKey(e *input.Error) {
	c := *e
	c.Field = fmt.Sprintf("%s:%d", p.file, p.number)
	if e.Field != "" {
		c.Field += ": " + e.Field
	}
	p.errs = append(p.errs, &c)
}
