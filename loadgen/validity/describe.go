package validity

import (
	"os"
	"runtime"

	"scalableappbackend/loadgen/result"
)

// Describe says what made the load: the program's version, the platform, the host's name and start
// (empty when they cannot be read) and the limits.
func Describe(version string, limits Limits) result.Generator {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = ""
	}
	return result.Generator{
		Version:          version,
		Go:               runtime.Version(),
		OS:               runtime.GOOS,
		Arch:             runtime.GOARCH,
		CPUs:             limits.HostCPUs,
		CPULimit:         limits.CPUs,
		CPULimitSource:   limits.Source,
		MemoryLimitBytes: limits.MemoryBytes,
		FileLimit:        limits.Files,
		Hostname:         hostname,
		BootID:           bootID(),
		Task:             limits.Task,
	}
}
