//go:build !linux && !darwin

package validity

import (
	"math"

	"scalableappbackend/loadgen/result"
)

// readSystem reads no job object or other group: the CPUs are the limit.
func (m machine) readSystem() systemLimits {
	return systemLimits{
		cgroup: cpuLimit{cpus: math.Inf(1)},
		memory: result.Unknown(),
		ports:  result.Unknown(),
	}
}
