package validity

import (
	"math"
	"syscall"

	"scalableappbackend/loadgen/result"
)

// readSystem knows of no groups of processes on macOS: the CPUs are the limit.
func (m machine) readSystem() systemLimits {
	return systemLimits{
		cgroup: cpuLimit{cpus: math.Inf(1)},
		memory: result.Unknown(),
		ports:  portRange(),
	}
}

func portRange() result.Reading {
	first, err1 := syscall.SysctlUint32("net.inet.ip.portrange.first")
	last, err2 := syscall.SysctlUint32("net.inet.ip.portrange.last")
	if err1 != nil || err2 != nil || last < first {
		return result.Unknown()
	}
	return result.Reading(last - first + 1)
}
