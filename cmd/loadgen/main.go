// Command loadgen puts a known load on an API and gives a result that can be trusted.
//
// It turns flags and variables into a plan, starts the run, and turns the result into text and
// an exit code; all else is package loadgen's and those below it. What goes where is said in output.go,
// how a flag, a variable and a plan file become one plan in resolve.go.
package main

import (
	"io"
	"log"
	"os"
)

func main() {
	// Of what a service sends unasked net/http writes a line each time to the standard log, which is nobody's here.
	log.SetOutput(io.Discard)
	env := system()
	os.Exit(int(run(env)))
}
