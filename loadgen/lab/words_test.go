package lab

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/input"
)

func TestCommandsAreSplitAsAShellDoes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
		why  string
	}{
		{"./api", []string{"./api"}, "one word"},
		{"  ./api\t--port  $PORT\n", []string{"./api", "--port", "$PORT"}, "blanks of any kind separate"},
		{`'my api' "a b" c\ d`, []string{"my api", "a b", "c d"}, "three ways to keep a blank"},
		{`a'b'"c"\d`, []string{"abcd"}, "quotes do not separate"},
		{`'' ""x x''`, []string{"", "x", "x"}, "an empty quote is a word of its own only alone"},
		{`'a\n"b'`, []string{`a\n"b`}, "single quotes keep everything"},
		{`"a\"b\\c\$d\e'f"`, []string{`a"b\c$d\e'f`}, "double quotes keep what a backslash does not mean"},
		{"a\\\nb", []string{"ab"}, "a line that goes on"},
		{`sh -c 'a | b > c; d'`, []string{"sh", "-c", "a | b > c; d"}, "what only a shell can do, for a shell"},
		{`a|b;c >d $(e)`, []string{"a|b;c", ">d", "$(e)"}, "and without one it means nothing"},
		{`ä 'ö ü'`, []string{"ä", "ö ü"}, "any letters"},
	} {
		got, err := splitWords(tt.text)
		if tt.text[0] == '\'' && tt.text[1] == '\'' {
			if err == nil {
				t.Errorf("%q: %q, want an error: a program has a name", tt.text, got)
			}
			got, err = splitWords("x " + tt.text)
			tt.want = append([]string{"x"}, tt.want...)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v, want %q: %s", tt.text, got, err, tt.want, tt.why)
		}
	}
}

func TestCommandsThatAreNoneAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":        `empty, want a command, e.g. "./api --port $PORT"`,
		" \t":     `empty, want a command, e.g. "./api --port $PORT"`,
		`a 'b`:    `"a 'b": want a command whose quotes are closed: ' is missing`,
		`a "b\"`:  `"a \"b\\\"": want a command whose quotes are closed: " is missing`,
		`a \`:     `"a \\": want a command that does not end in a backslash`,
		"a\x00b":  `"a\x00b": want a command without NUL characters`,
		`"" --x`:  `empty, want a command, e.g. "./api --port $PORT"`,
		"a \"b\\": `"a \"b\\": want a command whose quotes are closed: " is missing`,
	} {
		if words, err := splitWords(text); err == nil || err.Error() != want {
			t.Errorf("%q: %q, %v, want %s", text, words, err, want)
		}
	}
}

func TestThePortIsFilledInWhereItIsNamed(t *testing.T) {
	for word, want := range map[string]string{
		"$PORT": "8123", "${PORT}": "8123", ":$PORT/": ":8123/", "$PORT$PORT": "81238123",
		"$PORTAL": "$PORTAL", "$PORT_2": "$PORT_2", "$PORT2": "$PORT2", "$PORT-2": "8123-2",
		"PORT": "PORT", "$": "$", "": "", "$PORTAL:$PORT": "$PORTAL:8123",
	} {
		if got := fillPort([]string{word}, "8123"); got[0] != want {
			t.Errorf("%q: %q, want %q", word, got[0], want)
		}
	}
}

// A shell is the oracle where there is one, for words of which it means nothing else than we do.
func FuzzSplitWords(f *testing.F) {
	for _, seed := range []string{`./api --port $PORT`, `'a b' "c d" e\ f`, `"a\"b"`, `a''b`, "a\\\nb", `a 'b`, `\`, `"\x\$"`, "ä\tö"} {
		f.Add(seed)
	}
	sh, _ := exec.LookPath("sh")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := splitWords(text)
		if err != nil {
			if len(input.Errors(err)) != 1 || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q: %v, want one line of one field", text, err)
			}
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(again, words) {
			t.Fatalf("%q: %q, quoted and split again %q, %v", text, words, again, err)
		}
		// Without what a shell would expand, separate at, or read as something else.
		if sh == "" || strings.Trim(text, "abcxyz '\"\\\t-/.") != "" || strings.Contains(text, "\\\\") || len(text) > 200 {
			return
		}
		out, err := exec.Command(sh, "-c", `for w in `+text+"\ndo printf '%s|' \"$w\"\ndone").Output()
		if err != nil {
			return // it may still be a word of the shell's own
		}
		if got := strings.Join(words, "|") + "|"; got != string(out) {
			t.Fatalf("%q: %q, and a shell splits it into %q", text, got, out)
		}
	})
}
