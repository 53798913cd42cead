// Package input is how everything that people type is read and refused: the one error that names a field, the quotes in
// it, and numbers and durations as people write them.
//
// Every error is one line, names what the user named, and says what is accepted. A parser's error has no Field: it does
// not know whether its text came from a flag, a file or a variable. The caller puts that in with [WithField] or [Rename].
// The package knows nothing of plans, and prints nothing.
package input

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Error is one input that cannot be used: `stages[1] "30s": want DURATION:NUMBER, e.g. 30s:50`.
type Error struct {
	Field string // what is wrong: a JSON path, a flag, FILE:LINE; may be empty
	Got   string // the text that was refused; empty when there is none to show
	Want  string // what is accepted; without Got a whole statement
	Hint  string // what to try; empty when Want says it all
}

// Error is `FIELD "GOT": want WANT`, or `FIELD: WANT` without a Got.
func (e *Error) Error() string {
	switch {
	case e.Got == "" && e.Field == "":
		return e.Want
	case e.Got == "":
		return e.Field + ": " + e.Want
	case e.Field == "":
		return Quote(e.Got) + ": want " + e.Want
	}
	return e.Field + " " + Quote(e.Got) + ": want " + e.Want
}

// Errors returns every Error in err, joined and wrapped ones included, in order.
func Errors(err error) []*Error {
	switch e := err.(type) {
	case nil:
		return nil
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, each := range e.Unwrap() {
			all = append(all, Errors(each)...)
		}
		return all
	default:
		return Errors(errors.Unwrap(err))
	}
}

// WithField returns err with every Error in it placed below field: "timeout" below "client" is
// "client.timeout", one without a field gets field itself. Any other error is prefixed with field.
func WithField(err error, field string) error {
	if field == "" {
		return err
	}
	return mapErrors(err, func(err error) error {
		if e, ok := err.(*Error); ok {
			return e.Below(field)
		}
		return fmt.Errorf("%s: %w", field, err)
	})
}

// Typed returns err with text as what was refused: a check works on the meaning of an expression, and an error shows it as it
// was typed.
func Typed(err error, text string) error {
	return mapErrors(err, func(err error) error {
		e, ok := err.(*Error)
		if !ok || e.Got == "" {
			return err
		}
		c := *e
		c.Got = text
		return &c
	})
}

// Below is e with its field placed below another one.
func (e *Error) Below(field string) *Error {
	c := *e
	switch {
	case field == "":
	case e.Field == "":
		c.Field = field
	case e.Field[0] == '[':
		c.Field = field + e.Field
	default:
		c.Field = field + "." + e.Field
	}
	return &c
}

// Rename returns err with the field of every Error replaced by what name says for it: how a
// command turns "spawn_rate" into the flag or variable that was typed. Other errors stay as they
// are. err itself is not changed; what was wrapped around a Error is lost.
func Rename(err error, name func(field string) string) error {
	return mapErrors(err, func(err error) error {
		e, ok := err.(*Error)
		if !ok {
			return err
		}
		c := *e
		c.Field = name(e.Field)
		return &c
	})
}

// mapErrors applies change to each Error in err, and to each error joined in it that holds none.
func mapErrors(err error, change func(error) error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*Error); ok {
		return change(err)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, each := range joined.Unwrap() {
			all = append(all, mapErrors(each, change))
		}
		return errors.Join(all...)
	}
	if inner := errors.Unwrap(err); len(Errors(inner)) > 0 {
		return mapErrors(inner, change)
	}
	return change(err)
}

// Refuse is the error of a parser: want says which texts it takes.
func Refuse(got, want string) *Error {
	if got == "" {
		return &Error{Want: "empty, want " + want}
	}
	return &Error{Got: got, Want: want}
}

// maxShown is how much of a refused text an error repeats, in bytes.
const maxShown = 100

// Clip cuts a text that is longer than 100 bytes between two letters.
func Clip(text string) string {
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// Quote is a text as an error shows it: in quotes, on one line, and not without end.
func Quote(text string) string { return strconv.Quote(Clip(text)) }
