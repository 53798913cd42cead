package report

import (
	"io"

	"scalableappbackend/loadgen/result"
)

// JSON writes the result as result.json holds it, byte for byte.
func JSON(w io.Writer, r *result.Result) error {
	data, err := result.Encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
