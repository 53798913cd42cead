package plan

import (
	"reflect"
	"testing"
)

func TestHeadersAreANameAndAValue(t *testing.T) {
	for text, want := range map[string][2]string{
		"Accept: text/html":             {"Accept", "text/html"},
		"x-low:1":                       {"x-low", "1"},
		"  A : b:c ":                    {"A", "b:c"},
		"Authorization: Bearer ${T}":    {"Authorization", "Bearer ${T}"},
		"X-Literal: $${T}":              {"X-Literal", "$${T}"},
		"Host: example.com:8080":        {"Host", "example.com:8080"},
		"X-Price: 5 € (not ASCII: é)\t": {"X-Price", "5 € (not ASCII: é)"},
	} {
		name, value, err := ParseHeader(text)
		if err != nil || name != want[0] || value != want[1] {
			t.Errorf("ParseHeader(%q) = %q, %q, %v; want %q", text, name, value, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                             `empty, want "Name: value"`,
		"Accept":                       `"Accept": want "Name: value"`,
		"Authorization Bearer hunter2": `"Authorization …": want "Name: value"`,
		"Authorization=Bearer hunter2": `"Authorization=Bearer …": want "Name: value"`,
		": x":                          `": …": want "Name: value"`,
		"A:":                           `"A:": want "Name: value"`,
		"A B: x":                       `"A B": want a header name of letters, digits and dashes`,
		"é: x":                         `"é": want a header name of letters, digits and dashes`,
		"A: x\r\nB: y":                 `A: a header value cannot hold line breaks or control characters`,
		"A: ${B":                       `"${B": want ${NAME} of letters, digits and _, or $${ for a literal ${`,
		"Host: a b":                    `Host: not a host name`,
	} {
		if _, _, err := ParseHeader(text); err == nil || err.Error() != want {
			t.Errorf("ParseHeader(%q): %v; want %s", text, err, want)
		}
	}
}

func TestBodiesAreTextOrAFile(t *testing.T) {
	for text, want := range map[string]Body{
		"@a b.json": {File: "a b.json"},
		`{"a":1}`:   {Inline: []byte(`{"a":1}`)},
		" @x":       {Inline: []byte(" @x")},
	} {
		if got, err := ParseBody(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseBody(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got, err := ParseBody(""); err != nil || !got.IsZero() {
		t.Errorf("an empty text is no body: %+v, %v", got, err)
	}
	if _, err := ParseBody("@"); err == nil || err.Error() != `"@": want @FILE or the body itself` {
		t.Errorf("a file without a name: %v", err)
	}
}

func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"A: b", "A B: c", "Host: x", ": ", "A:\x00", "A: ${B}", "A: $${"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, value, err := ParseHeader(text)
		if err != nil {
			return
		}
		if n, v, err := ParseHeader(name + ": " + value); err != nil || n != name || v != value {
			t.Errorf("%q is %q and %q, which reads %q, %q, %v", text, name, value, n, v, err)
		}
		if _, unset := fill(value, environment()); len(unset) == 0 {
			if e := checkHeader(name, value); e != nil {
				t.Errorf("%q is read, but: %v", text, e)
			}
		}
	})
}
