package main

import (
	"os"
	"runtime/pprof"

	"github.com/spf13/pflag"

	"scalableappbackend/internal/input"
)

// defineProfile adds --cpuprofile, which is about this program and not about what it is told to do: no plan keeps it, and
// no variable sets it. A profile that is asked for begins with start, and is written when stop is called.
func defineProfile(flags *pflag.FlagSet) (start func() (stop func() error, err error)) {
	name := flags.String("cpuprofile", "", "write a CPU profile of loadgen itself to FILE, for go tool pprof")
	f := flags.Lookup("cpuprofile")
	annotate(f, noteGroup, groupResult)
	annotate(f, noteArg, "FILE")
	return func() (func() error, error) {
		if *name == "" {
			return func() error { return nil }, nil
		}
		file, err := os.Create(*name)
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			return nil, usage(&input.Error{Field: "--cpuprofile", Got: *name, Want: "a file that can be written: " + reason(err)})
		}
		return func() error {
			pprof.StopCPUProfile()
			return file.Close()
		}, nil
	}
}

// profiled runs what is to be profiled.
func profiled(start func() (func() error, error), run func() error) error {
	stop, err := start()
	if err != nil {
		return err
	}
	err = run()
	if failed := stop(); failed != nil && err == nil {
		err = failed
	}
	return err
}
