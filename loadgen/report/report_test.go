package report

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

func TestEveryFormatIsWrittenAndAnotherIsRefusedByName(t *testing.T) {
	in := named(t, "seed").input()
	for _, format := range Formats() {
		var b bytes.Buffer
		if err := Write(&b, format, in); err != nil || b.Len() == 0 {
			t.Errorf("%s: %d bytes, %v", format, b.Len(), err)
		}
	}
	var b bytes.Buffer
	err := Write(&b, "xml", in)
	if e, ok := errors.AsType[*FormatError](err); !ok || e.Name != "xml" || b.Len() > 0 {
		t.Fatalf("%d bytes and %v, want none and a *FormatError", b.Len(), err)
	}
	if want := `format "xml": want text, markdown, json, csv, junit, hdr, svg`; err.Error() != want {
		t.Errorf("says %q, want %q", err, want)
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	for _, s := range samples {
		for _, format := range Formats() {
			var outputs [2]bytes.Buffer
			for i := range outputs {
				if err := Write(&outputs[i], format, s.made().input()); err != nil {
					t.Fatal(err)
				}
			}
			if outputs[0].String() != outputs[1].String() {
				t.Errorf("%s of %s differs from call to call", format, s.name)
			}
		}
	}
}

func TestFormatsMadeOfWindowsSayWhenThereAreNoneOrTheyCannotBeRead(t *testing.T) {
	broken := errors.New("latency.hlog line 7: not a histogram")
	for _, format := range []string{"csv", "hdr", "svg"} {
		in := Input{Result: named(t, "seed").result()}
		if err := Write(io.Discard, format, in); !errors.Is(err, errNoWindows) {
			t.Errorf("%s without windows: %v", format, err)
		}
		in.Windows = iter.Seq2[*result.Window, error](func(yield func(*result.Window, error) bool) {
			_ = yield(named(t, "seed").windows[0], nil) && yield(nil, broken)
		})
		var b bytes.Buffer
		if err := Write(&b, format, in); !errors.Is(err, broken) || b.Len() > 0 {
			t.Errorf("%s of windows that break off: %v and %d bytes, want the error and none", format, err, b.Len())
		}
	}
}

func TestEveryReasonSaysWhatToDo(t *testing.T) {
	for code, want := range map[string]string{
		validity.CodeMaxInFlight: "it was seen: lower the load",
		validity.CodeBacklog:     "it was seen: fewer users",
		validity.CodeNothingSent: "it was seen: run for longer",
		validity.CodeUnknown:     "it was seen; watch it by other means",
		validity.CodeLag:         "it was seen",
	} {
		if got := withAdvice(result.Reason{Code: code, Detail: "it was seen"}); !strings.HasPrefix(got, want) || (got == "it was seen") != (code == validity.CodeLag) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("no space left on device")

func TestAWriterThatFailsIsToldOf(t *testing.T) {
	for _, format := range Formats() {
		if err := Write(full{}, format, named(t, "seed").input()); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestWhatComesFromOutsideCannotDriveTheTerminalNorMarkdown(t *testing.T) {
	const evil = "x\x1b[2J\x1b]0;owned\a\r\n\u202e| a | `b` <script>@all [link](http://evil) *y* \x00\xff"
	p := seedPlan()
	p.Host, p.Name, p.Tags = "http://"+evil, evil, map[string]string{evil: evil}
	s := begin(p, 0, evil, "GET /")
	s.users(9, 0)
	s.windows[0].ServedBy = map[string]int64{evil: 1, "b": 2}
	s.windows[0].Connections.ByAddress = map[string]int64{evil: 1}
	failed(s.windows[0], 0, 0, ms, "other", evil)
	s.final.StoppedBy = evil
	s.final.Warnings = []string{evil}
	s.final.Thresholds = []result.Outcome{{Expression: evil, Detail: evil}}
	s.final.Verdict.Reasons = []result.Reason{{Code: "warning", Level: result.Valid, Detail: evil}}
	s.final.MergedFrom = []result.Source{{Hostname: evil}}
	s.final.Verdict.ExitCode, s.final.Verdict.ExitName = 99, evil
	s.options.Dir = "runs/" + evil

	for _, format := range []string{"text", "markdown"} {
		var b bytes.Buffer
		if err := Write(&b, format, s.input()); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
				t.Errorf("%s holds %U", format, r)
			}
		}
		if format == "text" {
			continue
		}
		outside := withoutCode(b.String())
		for _, bad := range []string{"<script", "@all", "](http"} {
			if at := strings.Index(outside, bad); at > 0 && outside[at-1] != '\\' && bad != "@all" || bad == "@all" && at >= 0 {
				t.Errorf("markdown holds %q: %.80q", bad, outside[max(0, at-20):])
			}
		}
		tables := 0
		want := 0
		for line := range strings.Lines(b.String()) { // a bar in a code span counts as well
			if !strings.HasPrefix(line, "|") {
				want = 0
				continue
			}
			cells := strings.Count(line, "|") - strings.Count(line, `\|`)
			if want == 0 {
				want = cells
				tables++
			}
			if cells != want {
				t.Errorf("a row of %d bars in a table of %d: %s", cells, want, line)
			}
		}
		if tables != 4 {
			t.Errorf("%d tables, want errors, latencies, endpoints and phases:\n%s", tables, b.String())
		}
	}
}

// withoutCode takes code spans out of Markdown, as a renderer finds them: from a run of backticks,
// not escaped, to the next of the same length on the line.
func withoutCode(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for {
			at := strings.Index(line, "`")
			if at < 0 {
				break
			}
			if at > 0 && line[at-1] == '\\' {
				out.WriteString(line[:at+1])
				line = line[at+1:]
				continue
			}
			n := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
			fence := line[at : at+n]
			end := strings.Index(line[at+n:], fence)
			if end < 0 {
				break
			}
			out.WriteString(line[:at])
			line = line[at+n+end+n:]
		}
		out.WriteString(line)
	}
	return out.String()
}

func TestFormatsBeginWithTheDefault(t *testing.T) {
	if f := Formats(); f[0] != "text" || len(slices.Compact(slices.Sorted(slices.Values(f)))) != len(f) {
		t.Errorf("formats: %q", f)
	}
}
