package plan

import (
	"strings"
	"unicode"
)

// Trim takes off what may come around a text that was copied or read from a file: white space of any kind, line ends, a
// byte order mark, and characters of no width.
func Trim(text string) string { return strings.TrimFunc(text, isAround) }

func isAround(r rune) bool {
	switch r {
	case '\ufeff', '\u200b', '\u200c', '\u200d', '\u2060':
		return true
	}
	return unicode.IsSpace(r)
}

// What may stand as it is in the parts of a URL, beside letters, digits and "-._~" (RFC 3986, appendix A): pchar and
// the slash in a path, the question mark too in a query.
const (
	subDelims     = "!$&'()*+,;="
	inUserinfo    = subDelims + ":"
	inPath        = subDelims + ":@/[]"
	inQuery       = inPath + "?"
	inOneUserinfo = subDelims // of a name or password that was filled in beside a colon
)

// escape writes what may not stand in a part of a URL as % and two hexadecimal digits; what is written so already
// stays. Control characters stay too, for net/url to refuse: they are slips, and no data.
func escape(text, allowed string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	copied := 0 // of text
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0:
			continue
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			continue
		case c < ' ' || c == 0x7f || strings.IndexByte(allowed, c) >= 0:
			continue
		}
		b.WriteString(text[copied:i])
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		copied = i + 1
	}
	if copied == 0 {
		return text
	}
	b.WriteString(text[copied:])
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// escapeHost puts the % before a zone as a URL has it: [fe80::1%25eth0] (RFC 6874), which people write with a bare %.
func escapeHost(host string) string {
	before, zone, found := strings.Cut(host, "%")
	if !found || !strings.HasPrefix(host, "[") || strings.HasPrefix(zone, "25") {
		return host
	}
	return before + "%25" + zone
}

// escapeURL is a URL, or a path, as it is sent: without the fragment, which never is, and with all else escaped that may
// not stand in its place. The text holds no references.
func escapeURL(text string) string {
	return assemble(splitURL(Trim(text)), func(part, allowed string) string {
		if allowed == "" {
			return part
		}
		return escape(part, allowed)
	})
}

// fillURL is escapeURL of a text with references. The value of one fills its place and does not end it: a # or ? within a
// path is a part of it. A reference that the text begins with stands for a URL, or the beginning of one. unset are the
// names that lookup does not know; cuts, that a value has a fragment that would cut off what follows.
func fillURL(text string, lookup func(string) (string, bool)) (filled string, unset []string, cuts bool) {
	text = Trim(text)
	if !strings.Contains(text, "${") {
		return escapeURL(text), nil, false
	}
	first := ""
	if strings.HasPrefix(text, "${") {
		name, rest, _ := strings.Cut(text[len("${"):], "}")
		value, ok := lookup(name)
		if !ok {
			unset = append(unset, name)
		}
		first, text = escapeURL(value), rest
		cuts = rest != "" && strings.Contains(value, "#")
	}
	a := splitURL(text)
	if first != "" && a.scheme == "" { // what follows the beginning of a URL has no host of its own
		end := indexAny(text, "?#")
		a = address{path: text[:end], query: text[end:]}
	}
	return first + assemble(a, func(part, allowed string) string {
		if allowed == inUserinfo && strings.Contains(part, ":") {
			allowed = inOneUserinfo
		}
		var b strings.Builder
		eachPart(part, func(literal string) {
			if allowed == inOneUserinfo {
				literal = escape(literal, inUserinfo)
			} else if allowed != "" {
				literal = escape(literal, allowed)
			}
			b.WriteString(literal)
		}, func(name string) {
			value, ok := lookup(name)
			if !ok {
				unset = append(unset, name)
			}
			if value = Trim(value); allowed != "" {
				value = escape(value, allowed)
			}
			b.WriteString(value)
		})
		return b.String()
	}), unset, cuts
}

// assemble puts the parts together, each as write gives it, which is told what may stand in it; "" leaves it alone.
func assemble(a address, write func(part, allowed string) string) string {
	userinfo := a.userinfo
	if userinfo != "" {
		userinfo = write(strings.TrimSuffix(userinfo, "@"), inUserinfo) + "@"
	}
	before := a.scheme + userinfo + escapeHost(write(a.host, "")) + write(a.path, inPath)
	query, _, _ := strings.Cut(a.query, "#")
	if query == "" {
		return before
	}
	return before + "?" + write(query[1:], inQuery)
}
