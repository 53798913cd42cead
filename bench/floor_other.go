//go:build !linux

package main

import (
	"errors"
	"io"
	"time"
)

func bareLoop(io.Writer, string, int, time.Duration) error {
	return errors.New("the barest loop is Linux's")
}
