package validity

import (
	"context"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"

	"scalableappbackend/loadgen/result"
)

// Where a CPU limit was read. They are the values of Limits.Source.
const (
	SourceCgroup2  = "cgroup v2"
	SourceCgroup1  = "cgroup v1"
	SourceECS      = "ECS task"
	SourceAffinity = "affinity"
	SourceMaxProcs = "GOMAXPROCS"
	SourceHost     = "host"
)

// Limits is what the process may use. A Reading is unknown when it could not be read, and +Inf when
// it was read and there is no limit; both are null in JSON.
type Limits struct {
	// CPUs is the smallest of the limits that apply, e.g. 0.5. It is unknown when one that exists
	// could not be read: a share of a limit that is too large would look healthy.
	CPUs   result.Reading
	Source string // of CPUs, one of the Source constants; empty when CPUs is unknown

	HostCPUs       int            // logical CPUs of the host
	MemoryBytes    result.Reading // cgroup or ECS task
	Files          result.Reading // descriptors the process may open
	EphemeralPorts result.Reading // local ports for connections to one remote address and port
	Task           *result.Task   // on ECS, else nil

	// Unread names each limit that exists and could not be read, with the reason.
	Unread []string
}

// ReadLimits reads the limits as they are now; a later change of them goes unnoticed.
//
// ecsMetadataURI is the value of ECS_CONTAINER_METADATA_URI_V4, empty when not on ECS. With it,
// reading takes a request to a link-local address, 2 s at most; without it, only files are read.
func ReadLimits(ctx context.Context, ecsMetadataURI string) Limits {
	return readLimits(ctx, machine{
		root:     "/",
		cpus:     runtime.NumCPU(),
		maxProcs: runtime.GOMAXPROCS(0),
		files:    fileLimit(),
		metadata: metadataTransport(),
	}, ecsMetadataURI)
}

// machine is where limits are read from; tests describe another one.
type machine struct {
	root     string // directory that stands for /
	cpus     int    // that the affinity mask allows
	maxProcs int
	files    result.Reading
	metadata http.RoundTripper
}

// cpuLimit is one limit among those that apply. +Inf is none.
type cpuLimit struct {
	cpus   float64
	source string
}

// systemLimits is what the operating system says, in the files below a root.
type systemLimits struct {
	hostCPUs int // 0 when unknown
	cgroup   cpuLimit
	memory   result.Reading
	ports    result.Reading
	unread   []string
}

func readLimits(ctx context.Context, m machine, ecsMetadataURI string) Limits {
	system := m.readSystem()
	l := Limits{
		HostCPUs:       max(system.hostCPUs, m.cpus),
		MemoryBytes:    system.memory,
		Files:          m.files,
		EphemeralPorts: system.ports,
		Unread:         system.unread,
	}

	// On equal limits the first one gives its name.
	apply := []cpuLimit{system.cgroup}
	if ecsMetadataURI != "" {
		task, err := readTask(ctx, m.metadata, ecsMetadataURI)
		if err != nil {
			l.Unread = append(l.Unread, SourceECS+": "+err.Error())
		} else {
			l.Task = &task.Task
			l.MemoryBytes = smaller(l.MemoryBytes, task.memoryBytes)
			apply = append(apply, cpuLimit{task.cpus, SourceECS})
		}
	}
	if m.cpus < l.HostCPUs {
		apply = append(apply, cpuLimit{float64(m.cpus), SourceAffinity})
	}
	apply = append(apply, cpuLimit{float64(l.HostCPUs), SourceHost})
	if m.maxProcs > 0 {
		apply = append(apply, cpuLimit{float64(m.maxProcs), SourceMaxProcs})
	}

	if len(l.Unread) > 0 {
		l.CPUs = result.Unknown()
		return l
	}
	least := apply[0]
	for _, limit := range apply[1:] {
		if limit.cpus < least.cpus {
			least = limit
		}
	}
	l.CPUs, l.Source = result.Reading(least.cpus), least.source
	return l
}

// noLimit is the Reading of a limit that was read and is not set.
func noLimit() result.Reading { return result.Reading(math.Inf(1)) }

// smaller is the smaller of two limits, of which either may be unknown.
func smaller(a, b result.Reading) result.Reading {
	if !a.Known() || b < a {
		return b
	}
	return a
}

// countCPUs counts the CPUs of a kernel list such as "0-3,8"; 0 when text is no such list.
func countCPUs(text string) int {
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || to < from {
			return 0
		}
		n += int(to-from) + 1
	}
	return n
}
