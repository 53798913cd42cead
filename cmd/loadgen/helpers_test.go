package main

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/exit"
)

// typedIn is what a command line gives in a world without terminals and with these variables alone.
func typedIn(t *testing.T, variables map[string]string, args ...string) (stdout, stderr string, code exit.Code) {
	t.Helper()
	var out, err bytes.Buffer
	e := env{
		args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &err,
		lookup:  func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		isTTY:   func(any) bool { return false },
		size:    func(any) (int, int) { return 0, 0 },
		signals: func() (<-chan os.Signal, func()) { return nil, func() {} },

		outlivePipes: func() {},
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		e.environ = append(e.environ, name+"="+variables[name])
	}
	code = run(e)
	return out.String(), err.String(), code
}
