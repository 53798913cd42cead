// Package terraform reads what `terraform output -json` and `tofu output -json` print: an object with, for each output, its
// value, type and whether it is sensitive. It knows no output by name, and runs nothing.
package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"scalableappbackend/internal/input"
)

// Outputs are values by the output's name. One that is null is as one that is not there: Terraform has both for what a
// module did not make.
type Outputs map[string]json.RawMessage

// wanted is what a file of outputs is.
const wanted = "what terraform output -json prints"

// Read reads outputs. Its error is an *input.Error without a field, or that of r.
func Read(r io.Reader) (Outputs, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, &input.Error{Want: fmt.Sprintf("more than %d MiB: want %s", maxSize>>20, wanted)}
	}
	var file map[string]*struct {
		Sensitive *bool           `json:"sensitive"`
		Value     json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, &input.Error{Want: "no JSON object of outputs: want " + wanted}
	}
	all := Outputs{}
	for name, o := range file {
		if o == nil || o.Sensitive == nil {
			return nil, &input.Error{Field: name, Want: "no output with a value and a type: want " + wanted}
		}
		if len(o.Value) > 0 && string(o.Value) != "null" {
			all[name] = o.Value
		}
	}
	return all, nil
}

// maxSize is far more than outputs have.
const maxSize = 8 << 20

// Inside is the outputs that one of type object holds; empty where there is none.
func (o Outputs) Inside(name string) (Outputs, error) {
	all := Outputs{}
	if value, ok := o[name]; ok {
		if err := json.Unmarshal(value, &all); err != nil {
			return nil, &input.Error{Field: name, Want: "no object"}
		}
	}
	for key, value := range all {
		if string(value) == "null" {
			delete(all, key)
		}
	}
	return all, nil
}

// Strings are the value as text: of a string, a number or a boolean one, of a list of them each; ok is false where there is none.
func (o Outputs) Strings(name string) (all []string, ok bool, err error) {
	value, ok := o[name]
	if !ok {
		return nil, false, nil
	}
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, false, &input.Error{Field: name, Want: "no JSON"}
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, each := range list {
		switch each := each.(type) {
		case string:
			all = append(all, each)
		case float64:
			all = append(all, strconv.FormatFloat(each, 'f', -1, 64))
		case bool:
			all = append(all, strconv.FormatBool(each))
		default:
			return nil, false, &input.Error{Field: name, Want: "want a string, a number or a list of them"}
		}
	}
	return all, true, nil
}

// String is a value that is no list.
func (o Outputs) String(name string) (text string, ok bool, err error) {
	all, ok, err := o.Strings(name)
	if !ok || err != nil {
		return "", ok, err
	}
	if len(all) != 1 {
		return "", false, &input.Error{Field: name, Want: "want one value and no list"}
	}
	return all[0], true, nil
}
