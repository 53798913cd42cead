package validity

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scalableappbackend/internal/mounts"
	"scalableappbackend/loadgen/result"
)

// The control groups of systems as they are found, each as the files that tell of them.
var (
	// A container of Docker on a host with control groups v2: its own group is all it sees.
	groupsV2Container = map[string]string{
		"proc/self/cgroup": "0::/\n",
		"proc/self/mountinfo": "571 570 0:30 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n" +
			"573 566 0:64 / /sys/firmware ro,relatime - tmpfs tmpfs ro\n",
		"sys/fs/cgroup/cpu.max":    "50000 100000\n",
		"sys/fs/cgroup/cpu.stat":   "usage_usec 90\nuser_usec 60\nsystem_usec 30\nnr_periods 5\nnr_throttled 2\nthrottled_usec 1500000\n",
		"sys/fs/cgroup/memory.max": "536870912\n",
	}
	// A service of systemd with a quota on the slice that it is in.
	groupsV2Nested = map[string]string{
		"proc/self/cgroup":                                               "0::/load.slice/load-gen.slice/run.service\n",
		"proc/self/mountinfo":                                            "35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
		"sys/fs/cgroup/cpu.stat":                                         "usage_usec 99\n",
		"sys/fs/cgroup/load.slice/cpu.max":                               "75000 50000\n",
		"sys/fs/cgroup/load.slice/cpu.stat":                              "usage_usec 9\nnr_throttled 2\nthrottled_usec 700000\n",
		"sys/fs/cgroup/load.slice/memory.max":                            "1073741824\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/cpu.max":                "max 100000\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/cpu.stat":               "usage_usec 9\nnr_throttled 0\nthrottled_usec 0\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/memory.max":             "max\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/run.service/cpu.max":    "200000 100000\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/run.service/cpu.stat":   "usage_usec 9\nnr_throttled 0\nthrottled_usec 100000\n",
		"sys/fs/cgroup/load.slice/load-gen.slice/run.service/memory.max": "2147483648\n",
	}
	// docker run --cpus 0.5 --memory 64m on a host with control groups v1, as Docker 20.10 does it: the
	// paths are the host's, and the mounts begin at the container's group.
	groupsV1Container = map[string]string{
		"proc/self/cgroup": "4:memory:/docker/5acf31\n2:cpuacct:/docker/5acf31\n1:cpu:/docker/5acf31\n0::/docker/5acf31\n",
		"proc/self/mountinfo": "79 78 0:46 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755\n" +
			"80 79 0:29 /docker/5acf31 /sys/fs/cgroup/cpu ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,cpu\n" +
			"81 79 0:30 /docker/5acf31 /sys/fs/cgroup/cpuacct ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,cpuacct\n" +
			"83 79 0:32 /docker/5acf31 /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,memory\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":            "50000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":           "100000\n",
		"sys/fs/cgroup/cpu/cpu.stat":                    "nr_periods 1\nnr_throttled 3\nthrottled_time 2500000000\nnr_bursts 0\nburst_time 0\n",
		"sys/fs/cgroup/cpuacct/cpuacct.usage":           "1\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":    "67108864\n",
		"sys/fs/cgroup/memory/memory.failcnt":           "0\n",
		"sys/fs/cgroup/cpuacct/docker/5acf31/unrelated": "",
	}
	// A virtual machine with v1 controllers and v2 beside them: cpu is the root group of v1, memory
	// a v1 group of its own, and v2 has neither.
	groupsHybrid = map[string]string{
		"proc/self/cgroup": "9:name=systemd:/\n4:memory:/process_api/daac0a\n3:cpuset:/\n2:cpuacct:/\n1:cpu:/\n0::/\n",
		"proc/self/mountinfo": "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" +
			"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n" +
			"33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n" +
			"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
			"40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n" +
			"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":                            "-1\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":                           "100000\n",
		"sys/fs/cgroup/cpu/cpu.stat":                                    "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
		"sys/fs/cgroup/unified/cpu.stat":                                "usage_usec 103065825\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":                    "9223372036854771712\n",
		"sys/fs/cgroup/memory/process_api/memory.limit_in_bytes":        "4294967296\n",
		"sys/fs/cgroup/memory/process_api/daac0a/memory.limit_in_bytes": "9223372036854771712\n",
	}
	// CentOS 7: controllers mounted together, under both names of one directory.
	groupsV1Joint = map[string]string{
		"proc/self/cgroup":                                       "11:cpuacct,cpu:/user.slice\n6:memory:/user.slice\n1:name=systemd:/user.slice/session-1.scope\n",
		"proc/self/mountinfo":                                    "30 22 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:13 - cgroup cgroup rw,cpuacct,cpu\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":             "-1\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":            "100000\n",
		"sys/fs/cgroup/cpu,cpuacct/cpu.stat":                     "throttled_time 0\n",
		"sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us":  "125000\n",
		"sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_period_us": "100000\n",
		"sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.stat":          "throttled_time 0\n",
	}
	eightCPUs = map[string]string{
		"sys/devices/system/cpu/online":            "0-7\n",
		"proc/sys/net/ipv4/ip_local_port_range":    "32768\t60999\n",
		"proc/sys/net/ipv4/ip_local_reserved_port": "\n",
	}
)

func TestTheSmallestCPULimitWins(t *testing.T) {
	const ecs = "http://169.254.170.2/v4/id"
	quarter := answer(200, `{"Cluster":"c","TaskARN":"arn:t","Family":"f","Limits":{"CPU":0.25,"Memory":512}}`)
	for _, c := range []struct {
		why      string
		files    map[string]string
		cpus     int // in the affinity mask; 0 for 8
		maxProcs int // 0 for 8
		uri      string
		metadata http.RoundTripper

		want   result.Reading
		source string
		memory result.Reading
		unread string
	}{
		{why: "v2, a container with half a CPU",
			files: groupsV2Container, want: 0.5, source: SourceCgroup2, memory: 512 << 20},
		{why: "v2, a parent is tighter than the process's own group",
			files: groupsV2Nested, want: 1.5, source: SourceCgroup2, memory: 1 << 30},
		{why: "v2, the process's own group is tighter than its parents",
			files: merged(groupsV2Nested, map[string]string{"sys/fs/cgroup/load.slice/load-gen.slice/run.service/cpu.max": "10000 100000\n"}),
			want:  0.1, source: SourceCgroup2, memory: 1 << 30},
		{why: "v2, no quota",
			files: merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n"}),
			want:  8, source: SourceHost, memory: noLimit()},
		{why: "v2, the root group has no cpu.max",
			files: map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": groupsV2Container["proc/self/mountinfo"], "sys/fs/cgroup/cpu.stat": ""},
			want:  8, source: SourceHost, memory: noLimit()},
		{why: "v2, the path is the host's and not below the mount: the mount's root is what there is",
			files: merged(groupsV2Container, map[string]string{"proc/self/cgroup": "0::/system.slice/docker-5acf31.scope\n"}),
			want:  0.5, source: SourceCgroup2, memory: 512 << 20},
		{why: "v2, the process was moved out of the namespace's group",
			files: merged(groupsV2Container, map[string]string{"proc/self/cgroup": "0::/../init.scope\n", "sys/fs/init.scope/cpu.max": "1000 100000\n"}),
			want:  0.5, source: SourceCgroup2, memory: 512 << 20},
		{why: "v2, a mount point with a space in its name",
			files: map[string]string{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": `35 24 0:30 / /mnt/my\040groups rw - cgroup2 none rw` + "\n", "mnt/my groups/a/cpu.max": "300000 100000\n"},
			want:  3, source: SourceCgroup2, memory: noLimit()},
		{why: "v2, mounted twice: the one that shows more of the way up counts",
			files: map[string]string{
				"proc/self/cgroup": "0::/pod/main\n",
				"proc/self/mountinfo": "1 0 0:30 /pod/main /inner ro - cgroup2 cgroup rw\n" +
					"2 0 0:30 / /outer ro - cgroup2 cgroup rw\n",
				"inner/cpu.max": "max 100000\n", "outer/pod/cpu.max": "100000 100000\n", "outer/pod/main/cpu.max": "max 100000\n",
			},
			want: 1, source: SourceCgroup2, memory: noLimit()},
		{why: "v1, a container with half a CPU",
			files: groupsV1Container, want: 0.5, source: SourceCgroup1, memory: 64 << 20},
		{why: "v1, no memory limit: the largest number there is",
			files: merged(groupsV1Container, map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}),
			want:  0.5, source: SourceCgroup1, memory: noLimit()},
		{why: "v1, another file system with an option of that name",
			files: merged(groupsV1Container, map[string]string{
				"proc/self/mountinfo":                "9 0 0:9 / /etc rw - fuse.top top rw,cpu\n" + groupsV1Container["proc/self/mountinfo"],
				"etc/docker/5acf31/cpu.cfs_quota_us": "1\n", "etc/docker/5acf31/cpu.cfs_period_us": "10\n",
			}),
			want: 0.5, source: SourceCgroup1, memory: 64 << 20},
		{why: "v1, controllers mounted together, a quota in the process's own group",
			files: groupsV1Joint, want: 1.25, source: SourceCgroup1, memory: unknown},
		{why: "hybrid, cpu in v1 without a quota",
			files: groupsHybrid, want: 8, source: SourceHost, memory: 4 << 30},
		{why: "hybrid, cpu in v1 with one: what v2 says does not count",
			files: merged(groupsHybrid, map[string]string{"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n", "sys/fs/cgroup/unified/cpu.max": "100000 100000\n"}),
			want:  4, source: SourceCgroup1, memory: 4 << 30},
		{why: "no control groups",
			want: 8, source: SourceHost, memory: unknown},
		{why: "groups that are mounted nowhere",
			files: map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": ""},
			want:  8, source: SourceHost, memory: unknown},
		{why: "no list of the host's CPUs: those of the mask are what is known",
			files: map[string]string{"sys/devices/system/cpu/online": ""}, want: 8, source: SourceHost, memory: unknown},
		{why: "an affinity mask of two CPUs",
			cpus: 2, want: 2, source: SourceAffinity, memory: unknown},
		{why: "a quota below the mask",
			files: groupsV2Container, cpus: 2, want: 0.5, source: SourceCgroup2, memory: 512 << 20},
		{why: "a mask below the quota",
			files: groupsV2Nested, cpus: 1, want: 1, source: SourceAffinity, memory: 1 << 30},
		{why: "GOMAXPROCS set by hand",
			maxProcs: 1, want: 1, source: SourceMaxProcs, memory: unknown},
		{why: "on ECS, a task of a quarter CPU whose container has no quota",
			uri: ecs, metadata: quarter, want: 0.25, source: SourceECS, memory: 512 << 20},
		{why: "on ECS, a container limited below its task",
			files: groupsV1Container, uri: ecs, metadata: answer(200, `{"Limits":{"CPU":2,"Memory":4096}}`),
			want: 0.5, source: SourceCgroup1, memory: 64 << 20},
		{why: "on ECS, a quota that is the task's own",
			files: groupsV2Container, uri: ecs, metadata: answer(200, `{"Limits":{"CPU":0.5}}`),
			want: 0.5, source: SourceCgroup2, memory: 512 << 20},
		{why: "on ECS, a task without limits",
			uri: ecs, metadata: answer(200, `{"Cluster":"c","TaskARN":"arn:t"}`), want: 8, source: SourceHost, memory: noLimit()},
		{why: "on ECS, no answer: there is a limit, and it is not known",
			files: groupsHybrid, uri: ecs, metadata: answer(500, ""),
			want: unknown, source: "", memory: 4 << 30, unread: "ECS task: the metadata endpoint answered 500"},
		{why: "a quota that makes no sense",
			files: merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.max": "plenty\n"}),
			want:  unknown, source: "", memory: 512 << 20, unread: "cgroup v2 CPU quota: not a quota"},
		{why: "a period of zero",
			files: merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.max": "50000 0\n"}),
			want:  unknown, source: "", memory: 512 << 20, unread: "cgroup v2 CPU quota: not a quota"},
		{why: "a quota that cannot be read",
			files: map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": groupsV2Container["proc/self/mountinfo"], "sys/fs/cgroup/cpu.max/is a directory": ""},
			want:  unknown, source: "", memory: noLimit(), unread: "cgroup v2 CPU quota: is a directory"},
		{why: "the process's groups cannot be read",
			files: map[string]string{"proc/self/cgroup/is a directory": ""},
			want:  unknown, source: "", memory: unknown, unread: "cgroup: is a directory"},
	} {
		t.Run(c.why, func(t *testing.T) {
			m := machine{root: tree(t, eightCPUs, c.files), cpus: 8, maxProcs: 8, files: 1024, metadata: c.metadata}
			if c.cpus > 0 {
				m.cpus = c.cpus
			}
			if c.maxProcs > 0 {
				m.maxProcs = c.maxProcs
			}
			got := readLimits(t.Context(), m, c.uri)
			if !same(got.CPUs, c.want) || got.Source != c.source {
				t.Errorf("%v CPUs by %q, want %v by %q", got.CPUs, got.Source, c.want, c.source)
			}
			if !same(got.MemoryBytes, c.memory) {
				t.Errorf("memory %v, want %v", got.MemoryBytes, c.memory)
			}
			if unread := strings.Join(got.Unread, "; "); !strings.HasPrefix(unread, c.unread) || (c.unread == "") != (unread == "") {
				t.Errorf("could not be read: %q, want %q", unread, c.unread)
			}
			if got.HostCPUs != 8 || got.Files != 1024 || got.EphemeralPorts != 28232 {
				t.Errorf("host CPUs %d, files %v, ports %v", got.HostCPUs, got.Files, got.EphemeralPorts)
			}
		})
	}
}

func TestPortRangeIsCounted(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      result.Reading
	}{
		{"the kernel's default", "32768\t60999\n", 28232},
		{"one port", "5000 5000\n", 1},
		{"nothing", "", unknown},
		{"one number", "32768\n", unknown},
		{"a range that ends before it begins", "2 1\n", unknown},
		{"no ports", "1 70000\n", unknown},
	} {
		if got := parsePortRange(c.text); !same(got, c.want) {
			t.Errorf("%s: parsePortRange(%q) = %v, want %v", c.why, c.text, got, c.want)
		}
	}
}

func TestQuotaIsDividedByItsPeriod(t *testing.T) {
	for _, c := range []struct {
		why, quota, period string
		want               result.Reading // unknown: refused
	}{
		{"half a CPU", "50000", "100000", 0.5},
		{"three CPUs in a short period", "30000", "10000", 3},
		{"none in v2", "max", "100000", noLimit()},
		{"none in v1", "-1", "100000", noLimit()},
		{"no period", "50000", "", unknown},
		{"a period below zero", "50000", "-1", unknown},
		{"nothing at all to use", "0", "100000", unknown},
		{"words", "half", "100000", unknown},
		{"empty", "", "", unknown},
	} {
		cpus, err := parseQuota(c.quota, c.period)
		got := result.Reading(cpus)
		if err != nil {
			got = unknown
		}
		if !same(got, c.want) {
			t.Errorf("%s: parseQuota(%q, %q) = %v, %v, want %v", c.why, c.quota, c.period, cpus, err, c.want)
		}
	}
}

func TestErrorsOfFilesNameNoPath(t *testing.T) {
	_, err := os.Open(filepath.Join(t.TempDir(), "absent"))
	if got := plainError(err); got != "no such file or directory" {
		t.Errorf("plainError = %q", got)
	}
	if got := plainError(errors.New("other")); got != "other" {
		t.Errorf("plainError = %q", got)
	}
}

func FuzzMountInfo(f *testing.F) {
	for _, groups := range []map[string]string{groupsV2Container, groupsV2Nested, groupsV1Container, groupsHybrid, groupsV1Joint} {
		f.Add(groups["proc/self/mountinfo"], groups["proc/self/cgroup"])
	}
	f.Add(`1 2 0:1 /\04 /\999 rw - cgroup2 x \`, "0::/../..")
	f.Add("1 2 0:1 / / rw - cgroup cpu cpu", ":::\n1:cpu:/a//b/\n0::")
	f.Fuzz(func(t *testing.T, table, memberships string) {
		g := cgroups{
			memberships: parseMemberships(memberships),
			mounts:      mounts.Parse(table),
			exists:      func(string) bool { return true },
		}
		for _, controller := range []string{"cpu", "memory"} {
			h, ok := g.find(controller)
			if ok != (len(h.dirs) > 0) || ok && h.version != 1 && h.version != 2 {
				t.Errorf("find(%q) = %v, %v", controller, h, ok)
			}
			for i := 1; i < len(h.dirs); i++ {
				if len(h.dirs[i]) > len(h.dirs[i-1]) {
					t.Errorf("the way up goes down: %q", h.dirs)
				}
			}
		}
	})
}
