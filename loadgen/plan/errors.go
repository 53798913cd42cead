package plan

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// FieldError is one input that cannot be used. It reads as one line, the outermost word being what
// the user named: `stages[1] "30s": want DURATION:NUMBER, e.g. 30s:50`.
//
// In errors of [Plan.Validate] and [Plan.Prepare] Field is the JSON path in the plan ("users",
// "targets[0].url"); those of the parsers have none. A caller puts in what was typed with
// [WithField] or [Rename]. No FieldError holds the value of a header or a secret part of a URL.
type FieldError struct {
	Field string // what is wrong: a JSON path, a flag, FILE:LINE; may be empty
	Got   string // the text that was refused; empty when there is none to show
	Want  string // what is accepted; without Got a whole statement
	Hint  string // what to try; empty when Want says it all
}

// Error is `FIELD "GOT": want WANT`, or `FIELD: WANT` without a Got.
func (e *FieldError) Error() string {
	switch {
	case e.Got == "" && e.Field == "":
		return e.Want
	case e.Got == "":
		return e.Field + ": " + e.Want
	case e.Field == "":
		return quote(e.Got) + ": want " + e.Want
	}
	return e.Field + " " + quote(e.Got) + ": want " + e.Want
}

// Fields returns every FieldError in err, joined and wrapped ones included, in order.
func Fields(err error) []*FieldError {
	switch e := err.(type) {
	case nil:
		return nil
	case *FieldError:
		return []*FieldError{e}
	case interface{ Unwrap() []error }:
		var all []*FieldError
		for _, each := range e.Unwrap() {
			all = append(all, Fields(each)...)
		}
		return all
	default:
		return Fields(errors.Unwrap(err))
	}
}

// WithField returns err with every FieldError in it placed below field: "timeout" below "client" is
// "client.timeout", one without a field gets field itself. Any other error is prefixed with field.
func WithField(err error, field string) error {
	if field == "" {
		return err
	}
	return mapErrors(err, func(err error) error {
		if e, ok := err.(*FieldError); ok {
			return e.below(field)
		}
		return fmt.Errorf("%s: %w", field, err)
	})
}

// below is e with its field placed below another.
func (e *FieldError) below(field string) *FieldError {
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

// Rename returns err with the field of every FieldError replaced by what name says for it: how a
// command turns "spawn_rate" into the flag or variable that was typed. Other errors stay as they
// are. err itself is not changed; what was wrapped around a FieldError is lost.
func Rename(err error, name func(field string) string) error {
	return mapErrors(err, func(err error) error {
		e, ok := err.(*FieldError)
		if !ok {
			return err
		}
		c := *e
		c.Field = name(e.Field)
		return &c
	})
}

// mapErrors applies change to each FieldError in err, and to each error joined in it that holds none.
func mapErrors(err error, change func(error) error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*FieldError); ok {
		return change(err)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, each := range joined.Unwrap() {
			all = append(all, mapErrors(each, change))
		}
		return errors.Join(all...)
	}
	if inner := errors.Unwrap(err); len(Fields(inner)) > 0 {
		return mapErrors(inner, change)
	}
	return change(err)
}

// wrong is a text that no parser of want takes.
func wrong(got, want string) *FieldError {
	if got == "" {
		return &FieldError{Want: "empty, want " + want}
	}
	return &FieldError{Got: got, Want: want}
}

// maxShown is how much of a refused text an error repeats, in bytes.
const maxShown = 100

// clip cuts a text that is longer than that between two letters.
func clip(text string) string {
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func quote(text string) string { return strconv.Quote(clip(text)) }
