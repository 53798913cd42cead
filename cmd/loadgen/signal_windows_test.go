package main

import "os"

// A process on Windows can only be killed by another.
func signalNames() map[string]os.Signal { return map[string]os.Signal{"KILL": os.Kill} }
