package main

// The rules of output:
//
//   - What was asked for goes to stdout: the report, a result with --json, a version, help. A format
//     for machines has nothing else in it.
//   - Everything else goes to stderr: progress, notes, errors.
//   - A message is one line that begins with "loadgen: ", in lower case, without a full stop. Its first word
//     is what the user named: a flag, a variable, a file and line. What can be wrong at once is said at once.
//   - A line "loadgen: hint: …" follows only when there is something to try.
//   - The last line of a run names its exit code: "exit 99: threshold failed". Other commands say it
//     when it is not 0.

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
)

// ending is how a command ends when there is something to say of its exit code.
type ending struct {
	status exit.Status
	err    error // nil when all is said already
}

func (e *ending) Error() string {
	if e.err == nil {
		return e.status.Line()
	}
	return e.err.Error()
}

func (e *ending) Unwrap() error { return e.err }

// usage is an error of what the user gave.
func usage(err error) error { return &ending{exit.Usage.Status(), err} }

// usagef is usage of one line about field.
func usagef(field, got, hint, format string, args ...any) error {
	return usage(&input.Error{Field: field, Got: got, Want: fmt.Sprintf(format, args...), Hint: hint})
}

// say writes a message.
func (e *env) say(format string, args ...any) {
	line(e.stderr, fmt.Sprintf(format, args...))
}

// plain writes a line of what goes on, which is no message.
func (e *env) plain(format string, args ...any) {
	fmt.Fprintf(e.stderr, format+"\n", args...)
}

// sayError writes each of the errors in one as a line.
func (e *env) sayError(err error) {
	for _, each := range flatten(err) {
		text := each.Error()
		if f, ok := errors.AsType[*input.Error](each); ok && f.Hint != "" {
			text += "\nhint: " + f.Hint
		}
		for l := range strings.SplitSeq(text, "\n") {
			line(e.stderr, l)
		}
	}
}

// sayExit writes the last line.
func (e *env) sayExit(status exit.Status) { fmt.Fprintln(e.stderr, status.Line()) }

func line(w io.Writer, text string) {
	fmt.Fprintf(w, "loadgen: %s\n", text)
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, each := range joined.Unwrap() {
			all = append(all, flatten(each)...)
		}
		return all
	}
	return []error{err}
}

// wholeLines lets several goroutines write, each call in one piece. On a terminal of width columns, which is 0 elsewhere, a line
// that is too long goes on below, indented, and not in the middle of a word.
type wholeLines struct {
	mu    sync.Mutex
	w     io.Writer
	width int
}

// wholeLines are those on stderr.
func (e *env) wholeLines() *wholeLines {
	l := &wholeLines{w: e.stderr}
	if e.isTTY(e.stderr) {
		l.width, _ = e.size(e.stderr)
	}
	return l
}

func (l *wholeLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.width == 0 {
		return l.w.Write(p)
	}
	var text strings.Builder
	for whole := range strings.Lines(string(p)) {
		whole, ended := strings.CutSuffix(whole, "\n")
		if utf8.RuneCountInString(whole) >= l.width { // one column stays free: some terminals wrap when the last one is written to
			const indent = "  "
			whole = strings.Join(units.Wrap(whole, l.width-1-len(indent)), "\n"+indent)
		}
		text.WriteString(whole)
		if ended {
			text.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(l.w, text.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
