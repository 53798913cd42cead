package validity

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"scalableappbackend/loadgen/result"
)

func (m machine) readSystem() systemLimits {
	cgroup := readCgroupLimits(m.root)
	return systemLimits{
		hostCPUs: countCPUs(readText(m.root, "sys/devices/system/cpu/online")),
		cgroup:   cgroup.cpu,
		memory:   cgroup.memory,
		ports:    parsePortRange(readText(m.root, "proc/sys/net/ipv4/ip_local_port_range")),
		unread:   cgroup.unread,
	}
}

// readText is a file's text, empty when it cannot be read.
func readText(root, name string) string {
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return ""
	}
	return string(data)
}

// parsePortRange counts the ports in the kernel's "first last".
func parsePortRange(text string) result.Reading {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return result.Unknown()
	}
	first, err1 := strconv.ParseUint(fields[0], 10, 16)
	last, err2 := strconv.ParseUint(fields[1], 10, 16)
	if err1 != nil || err2 != nil || last < first {
		return result.Unknown()
	}
	return result.Reading(last - first + 1)
}
