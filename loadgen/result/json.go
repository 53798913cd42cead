package result

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Encode returns a result as result.json holds it. Lists and maps that are nil become empty ones.
func Encode(r *Result) ([]byte, error) {
	whole := *r
	whole.fillLists()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&whole); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Decode reads what Encode wrote. Another schema, a field of another type, and numbers that no run
// can have are refused with an error that names the field.
func Decode(data []byte) (*Result, error) {
	if err := wantSchema(data, Schema, SchemaV1); err != nil {
		return nil, err
	}
	r := &Result{}
	if err := decode(data, r); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	r.fillLists()
	if !r.Interrupted && strings.HasPrefix(r.StoppedBy, "--abort-on ") {
		r.Aborted = true // in a file from before that field, only the words say so
	}
	return r, nil
}
