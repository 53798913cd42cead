package autoscaling

import (
	"errors"
	"strconv"
)

// InputError is one input that cannot be used. Its fields are those of plan.FieldError, to which it
// converts: this package knows no plan.
type InputError struct {
	Field string // which field of Config: "max", "policies[1].target"; empty from a parser
	Got   string // the text that was refused; empty when there is none to show
	Want  string // what is accepted; without Got a whole statement
	Hint  string // what to try; empty when Want says it all
}

// Error is `FIELD "GOT": want WANT`, or `FIELD: WANT` without a Got.
func (e *InputError) Error() string {
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

// quote is the text as an error shows it: on one line, and not without end.
func quote(text string) string {
	if r := []rune(text); len(r) > 100 {
		text = string(r[:100]) + "…"
	}
	return strconv.Quote(text)
}

// InputErrors returns every InputError in err, joined and wrapped ones included, in order.
func InputErrors(err error) []*InputError {
	switch e := err.(type) {
	case nil:
		return nil
	case *InputError:
		return []*InputError{e}
	case interface{ Unwrap() []error }:
		var all []*InputError
		for _, each := range e.Unwrap() {
			all = append(all, InputErrors(each)...)
		}
		return all
	default:
		return InputErrors(errors.Unwrap(err))
	}
}
