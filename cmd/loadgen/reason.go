package main

import (
	"errors"
	"io/fs"
)

// reason is an error of the file system without operation and path, which the message has said.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}
