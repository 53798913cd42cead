//go:build !linux

package main

import (
	"errors"
	"time"
)

func bareLoop(string, int, time.Duration) error { return errors.New("the barest loop is Linux's") }
