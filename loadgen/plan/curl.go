package plan

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"scalableappbackend/internal/input"
)

// isCurlLine tells a command line of curl from the other lines of a target file.
func isCurlLine(line string) bool {
	line = strings.TrimPrefix(line, "$ ")
	return line == "curl" || strings.HasPrefix(line, "curl ") || strings.HasPrefix(line, "curl\t")
}

// curlOption is what an option of curl means for a request.
type curlOption struct {
	value bool // it takes one
	set   func(c *curlRequest, value string) *input.Error
}

// curlRequest is a target while its command line is read.
type curlRequest struct {
	target  Target
	urls    []string
	data    []string
	isJSON  bool
	inQuery bool // -G
}

// ignored is an option that changes nothing about what is sent.
func ignored(value bool) curlOption {
	return curlOption{value, func(*curlRequest, string) *input.Error { return nil }}
}

// refused is an option that changes what is sent in a way that a target cannot.
func refused(value bool, instead string) curlOption {
	return curlOption{value, func(*curlRequest, string) *input.Error { return &input.Error{Want: instead} }}
}

// header is an option whose value is that of a header.
func headerOption(name string) curlOption {
	return curlOption{true, func(c *curlRequest, value string) *input.Error { return c.header(name, value) }}
}

// curlOptions are the options that a copied line may have; each of one letter is typed with one dash.
func curlOptions() map[string]curlOption {
	o := map[string]curlOption{
		"request": {true, func(c *curlRequest, v string) *input.Error { c.target.Method = v; return nil }},
		"url":     {true, func(c *curlRequest, v string) *input.Error { c.urls = append(c.urls, v); return nil }},
		"head":    {false, func(c *curlRequest, _ string) *input.Error { c.target.Method = http.MethodHead; return nil }},
		"get":     {false, func(c *curlRequest, _ string) *input.Error { c.inQuery = true; return nil }},
		"header":  {true, (*curlRequest).headerLine},
		"json": {true, func(c *curlRequest, v string) *input.Error {
			c.isJSON = true
			c.data = append(c.data, v)
			return nil
		}},
		"data":           {true, (*curlRequest).addData},
		"data-raw":       {true, func(c *curlRequest, v string) *input.Error { c.data = append(c.data, literalData(v)); return nil }},
		"data-urlencode": {true, (*curlRequest).addEncoded},
		"user": {true, func(c *curlRequest, v string) *input.Error {
			if strings.Contains(v, beginVariable) {
				return &input.Error{Want: "a variable cannot be encoded here: give http://${USER}:${PASSWORD}@HOST, or the header"}
			}
			return c.header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(v)))
		}},
		"cookie": {true, func(c *curlRequest, v string) *input.Error {
			if !strings.Contains(v, "=") {
				return &input.Error{Want: "a file of cookies is not read; give them as a header, or --cookies to the run"}
			}
			return c.header("Cookie", v)
		}},
		"user-agent": headerOption("User-Agent"), "referer": headerOption("Referer"),
		"oauth2-bearer": {true, func(c *curlRequest, v string) *input.Error { return c.header("Authorization", "Bearer "+v) }},
		"compressed": {false, func(c *curlRequest, _ string) *input.Error {
			return c.header("Accept-Encoding", "gzip, deflate, br, zstd")
		}},

		"insecure": refused(false, "certificates are the run's: --insecure"), "cacert": refused(true, "certificates are the run's: --ca FILE"),
		"resolve": refused(true, "addresses are the run's: --resolve"), "max-time": refused(true, "the time-out is the run's: --timeout D"),
		"form":        refused(true, "a form of parts is not built: give the body as it is sent in a file, and its Content-Type"),
		"upload-file": refused(true, "use -X PUT --data-binary @FILE"), "proxy": refused(true, "requests go straight to their host"),
		"cert": refused(true, "there are no certificates of clients"), "key": refused(true, "there are no certificates of clients"),

		"location": ignored(false), "silent": ignored(false), "show-error": ignored(false), "verbose": ignored(false), "include": ignored(false),
		"fail": ignored(false), "http1.1": ignored(false), "http2": ignored(false), "globoff": ignored(false), "no-buffer": ignored(false),
		"output": ignored(true), "write-out": ignored(true), "max-redirs": ignored(true), "connect-timeout": ignored(true), "retry": ignored(true),
		"progress-bar": ignored(false), "path-as-is": ignored(false), "fail-with-body": ignored(false), "no-progress-meter": ignored(false),
	}
	o["data-binary"], o["data-ascii"] = o["data"], o["data"]
	for short, long := range map[string]string{
		"X": "request", "I": "head", "G": "get", "H": "header", "d": "data", "u": "user", "b": "cookie", "A": "user-agent", "e": "referer",
		"k": "insecure", "F": "form", "T": "upload-file", "x": "proxy", "E": "cert", "m": "max-time", "L": "location", "s": "silent", "S": "show-error",
		"v": "verbose", "i": "include", "f": "fail", "o": "output", "w": "write-out", "g": "globoff", "N": "no-buffer", "#": "progress-bar",
	} {
		o[short] = o[long]
	}
	return o
}

// parseCurl reads a command line of curl, quoted as a shell has it, as the request that curl would send.
func parseCurl(line string) (Target, *input.Error) {
	words, e := shellWords(strings.TrimPrefix(line, "$ "))
	if e != nil {
		return Target{}, e
	}
	var c curlRequest
	options := curlOptions()
	for words = words[1:]; len(words) > 0; {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--next":
			return Target{}, input.Refuse(word, "one request a line")
		case strings.HasPrefix(word, "--") && len(word) > 2:
			name, value, hasValue := strings.Cut(word[2:], "=")
			if e := c.option(options, word, name, value, hasValue, &words); e != nil {
				return Target{}, e
			}
		case strings.HasPrefix(word, "-") && len(word) > 1:
			for rest := word[1:]; rest != ""; { // several letters may share a dash, the last with its value
				_, size := utf8.DecodeRuneInString(rest)
				name := rest[:size]
				rest = rest[size:]
				value := rest
				if options[name].value {
					rest = ""
				}
				if e := c.option(options, "-"+name, name, value, value != "", &words); e != nil {
					return Target{}, e
				}
			}
		default:
			c.urls = append(c.urls, word)
		}
	}
	return c.finish()
}

// option applies one; its value is what stands beside it, or the next word.
func (c *curlRequest) option(options map[string]curlOption, word, name, value string, hasValue bool, words *[]string) *input.Error {
	o, known := options[name]
	switch {
	case !known:
		return input.Refuse(word, "an option of curl that says what is sent, e.g. -X, -H or -d")
	case o.value && !hasValue:
		if len(*words) == 0 {
			return input.Refuse(word, "a value after it")
		}
		value, *words = (*words)[0], (*words)[1:]
	}
	e := o.set(c, value)
	if e != nil && e.Field == "" && e.Got == "" {
		e.Field = word
	}
	return e
}

func (c *curlRequest) headerLine(line string) *input.Error {
	name, value, found := strings.Cut(line, ":")
	if !found { // curl has "Name;" for an empty one
		name, value, found = strings.Cut(line, ";")
	}
	if !found || strings.TrimSpace(value) == "" {
		return &input.Error{Want: "a header without a value takes one away in curl, and cannot here: " + firstWord(name)}
	}
	return c.header(strings.TrimSpace(name), strings.TrimSpace(value))
}

func (c *curlRequest) header(name, value string) *input.Error {
	name, value = asReferences(name), asReferences(value)
	if e := checkHeader(name, value); e != nil {
		return e
	}
	if c.target.Header == nil {
		c.target.Header = http.Header{}
	}
	c.target.Header[name] = append(c.target.Header[name], value)
	return nil
}

// literalData marks a body that begins with @ and names no file.
func literalData(value string) string {
	if strings.HasPrefix(value, "@") {
		return "\x00" + value
	}
	return value
}

func (c *curlRequest) addData(value string) *input.Error {
	c.data = append(c.data, value)
	return nil
}

// addEncoded is --data-urlencode: "content", "=content" or "name=content".
func (c *curlRequest) addEncoded(value string) *input.Error {
	name, content, named := strings.Cut(value, "=")
	switch {
	case !named && strings.Contains(value, "@"):
		return &input.Error{Want: "a file is not encoded: write its content"}
	case !named:
		c.data = append(c.data, url.QueryEscape(value))
	case name == "":
		c.data = append(c.data, url.QueryEscape(content))
	default:
		c.data = append(c.data, name+"="+url.QueryEscape(content))
	}
	return nil
}

// finish puts the request together.
func (c *curlRequest) finish() (Target, *input.Error) {
	t := &c.target
	if len(c.urls) != 1 {
		return Target{}, &input.Error{Want: "want one URL in the line"}
	}
	t.URL = Trim(asReferences(c.urls[0]))
	if !strings.Contains(t.URL, "://") && !strings.HasPrefix(t.URL, "/") && !strings.HasPrefix(t.URL, "${") {
		t.URL = "http://" + t.URL // as curl has it
	}
	body := strings.Join(c.data, "&")
	if c.inQuery && body != "" {
		sep := "?"
		if strings.Contains(t.URL, "?") {
			sep = "&"
		}
		t.URL += sep + asReferences(strings.ReplaceAll(body, "\x00", ""))
		body = ""
	}
	if e := checkURL(t.URL); e != nil {
		return Target{}, e
	}
	if body != "" || len(c.data) > 0 && !c.inQuery {
		if e := c.setBody(body); e != nil {
			return Target{}, e
		}
	}
	if t.Method == "" {
		t.Method = http.MethodGet
	}
	if !IsMethod(t.Method) {
		return Target{}, input.Refuse(t.Method, "an HTTP method, e.g. GET")
	}
	return *t, nil
}

func (c *curlRequest) setBody(body string) *input.Error {
	t := &c.target
	if t.Method == "" {
		t.Method = http.MethodPost
	}
	switch {
	case strings.Contains(body, beginVariable):
		return &input.Error{Want: "a variable in a body is not filled in: write its value, or @FILE"}
	case strings.HasPrefix(body, "@") && len(c.data) > 1:
		return &input.Error{Want: "a body is one @FILE, or text"}
	case strings.HasPrefix(body, "@-"):
		return &input.Error{Want: "a body is @FILE or text; there is no stdin to read"}
	case strings.HasPrefix(body, "@"):
		t.Body.File = body[1:]
	default:
		t.Body.Inline = []byte(strings.ReplaceAll(body, "\x00", ""))
	}
	kind := "application/x-www-form-urlencoded"
	if c.isJSON {
		kind = "application/json"
		if !hasHeader(t.Header, "Accept") {
			_ = c.header("Accept", kind)
		}
	}
	if !hasHeader(t.Header, "Content-Type") {
		_ = c.header("Content-Type", kind)
	}
	return nil
}

// shellWords splits a line as a POSIX shell does, with the $'…' of bash, in which browsers copy. What only a shell can do
// (pipes, substitutions) is refused. A variable outside of single quotes stands between two marks; see asReferences.
func shellWords(line string) (words []string, e *input.Error) {
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
			continue
		case c == '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, &input.Error{Want: "a quote is not closed"}
			}
			word.WriteString(line[i+1 : i+1+end])
			i += end + 1
		case c == '$' && strings.HasPrefix(line[i+1:], "'"):
			text, n, ok := ansiQuoted(line[i+2:])
			if !ok {
				return nil, &input.Error{Want: "a quote is not closed"}
			}
			word.WriteString(text)
			i += n + 1
		case c == '$':
			i += variable(line[i:], &word) - 1
		case c == '"':
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '$' {
					i += variable(line[i:], &word) - 1
					continue
				}
				if line[i] == '\\' && i+1 < len(line) && strings.IndexByte("\"\\$`", line[i+1]) >= 0 {
					i++
				}
				word.WriteByte(line[i])
			}
			if i >= len(line) {
				return nil, &input.Error{Want: "a quote is not closed"}
			}
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case c == '#' && !inWord:
			i = len(line)
			continue
		case strings.IndexByte("|;<>`()", c) >= 0, c == '&' && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '&'):
			return nil, &input.Error{Want: "one command of curl: " + string(c) + " is for a shell, and belongs in quotes"}
		default:
			word.WriteByte(c)
		}
		inWord = true
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// The marks around a variable.
const beginVariable, endVariable = "\x01", "\x02"

// variable reads $NAME or ${NAME}, or a dollar that begins none, and returns how many bytes it is long.
func variable(text string, word *strings.Builder) int {
	name := text[1:]
	braces := strings.HasPrefix(name, "{")
	if braces {
		closed := false
		if name, _, closed = strings.Cut(name[1:], "}"); !closed {
			name = ""
		}
	} else {
		end := 0
		for end < len(name) && isName(name[:end+1]) {
			end++
		}
		name = name[:end]
	}
	if !isName(name) {
		word.WriteByte('$')
		return 1
	}
	word.WriteString(beginVariable + name + endVariable)
	if braces {
		return len(name) + len("${}")
	}
	return len(name) + len("$")
}

// asReferences writes the variables of a word as references, and what only looks like one as itself.
func asReferences(word string) string {
	word = strings.ReplaceAll(word, "${", "$${")
	return strings.ReplaceAll(strings.ReplaceAll(word, beginVariable, "${"), endVariable, "}")
}

// ansiQuoted reads the inside of $'…' and returns how many bytes it is long, the closing quote included.
func ansiQuoted(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			return b.String(), i + 1, true
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u', 'x', 'U':
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
			value, used := rune(0), 0
			for used < digits && i+1+used < len(s) && isHex(s[i+1+used]) {
				value = value<<4 | rune(hexValue(s[i+1+used]))
				used++
			}
			if s[i] == 'x' {
				b.WriteByte(byte(value))
			} else {
				b.WriteRune(value)
			}
			i += used
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

func hexValue(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
