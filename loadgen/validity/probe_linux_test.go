package validity

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

// probeOf reads a tree twice, a second apart, with changes in between.
func probeOf(t *testing.T, limits Limits, files, changes map[string]string) result.Health {
	t.Helper()
	root := tree(t, map[string]string{
		"proc/stat":       "cpu  100 0 100 800 0 0 0 0 50 0\ncpu0 100 0 100 800 0 0 0 0 50 0\nintr 5\n",
		"proc/self/statm": "400 250 100 10 0 90 0\n",
		"proc/self/fd/0":  "", "proc/self/fd/1": "", "proc/self/fd/2": "",
	}, files)
	start := time.Now()
	probe := newProbe(limits, start, newSource(root))
	defer func() {
		if err := probe.Close(); err != nil {
			t.Error(err)
		}
	}()
	for name, text := range changes {
		write(t, root, name, text)
	}
	return probe.Read(start.Add(time.Second))
}

func TestThrottledTimeIsReadFromEachKindOfGroup(t *testing.T) {
	const cpu = "sys/fs/cgroup/cpu/"
	quota := Limits{CPUs: 0.5, Source: SourceCgroup2}
	task := Limits{CPUs: 0.5, Source: SourceECS}
	for _, c := range []struct {
		why            string
		limits         Limits
		files, changes map[string]string
		want           result.Reading
	}{
		{"v2, microseconds", quota, groupsV2Container,
			map[string]string{"sys/fs/cgroup/cpu.stat": "usage_usec 99\nthrottled_usec 1700000\n"}, 0.2},
		{"v2, a parent held the process back", quota, groupsV2Nested,
			map[string]string{"sys/fs/cgroup/load.slice/cpu.stat": "usage_usec 9\nthrottled_usec 800000\n"}, 0.1},
		{"v2 before Linux 5.8: the root has no figure", quota, without(groupsV2Nested, "sys/fs/cgroup/cpu.stat"),
			map[string]string{"sys/fs/cgroup/load.slice/cpu.stat": "usage_usec 9\nthrottled_usec 800000\n"}, 0.1},
		{"v1, nanoseconds", quota, groupsV1Container,
			map[string]string{cpu + "cpu.stat": "nr_throttled 4\nthrottled_time 2800000000\n"}, 0.3},
		{"hybrid: v1 has the cpu controller", quota, groupsHybrid,
			map[string]string{cpu + "cpu.stat": "throttled_time 10000000\n"}, 0.01},
		{"nothing happened", quota, groupsV2Container, nil, 0},
		{"the root group has no figure, because it has no quota", quota,
			merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.stat": "usage_usec 5\n"}), nil, 0},
		{"no control groups", quota, nil, nil, unknown},
		{"a group whose figure is not there to read", quota, without(groupsV2Container, "sys/fs/cgroup/cpu.stat"), nil, unknown},
		{"a figure that is no number", quota, groupsV2Container,
			map[string]string{"sys/fs/cgroup/cpu.stat": "throttled_usec much\n"}, unknown},
		{"what the group itself went through, groups above it included, where the kernel tells", quota,
			merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.stat.local": "throttled_usec 10\n"}),
			map[string]string{"sys/fs/cgroup/cpu.stat.local": "throttled_usec 400010\n", "sys/fs/cgroup/cpu.stat": "throttled_usec 9000000\n"}, 0.4},
		{"an empty cpu.stat.local: the controller is off in the group", quota,
			merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.stat.local": ""}),
			map[string]string{"sys/fs/cgroup/cpu.stat": "throttled_usec 1600000\n"}, 0.1},
		{"an ECS task's quota is above the container, out of sight", task, groupsV2Container, nil, unknown},
		{"the same, and the kernel tells", task,
			merged(groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.stat.local": "throttled_usec 10\n"}),
			map[string]string{"sys/fs/cgroup/cpu.stat.local": "throttled_usec 400010\n"}, 0.4},
		{"a limit could not be read, and may be above, too", Limits{CPUs: unknown}, groupsV2Container, nil, unknown},
	} {
		if got := probeOf(t, c.limits, c.files, c.changes).Throttled; !near(got, c.want) {
			t.Errorf("%s: throttled %v, want %v", c.why, got, c.want)
		}
	}
}

func TestStolenTimeIsAShareOfTheHostsTime(t *testing.T) {
	for _, c := range []struct {
		why, stat string
		want      result.Reading
	}{
		{"20 of 200 ticks; guests are part of user", "cpu  150 0 150 880 0 0 0 20 100 0\n", 0.1},
		{"none", "cpu  150 0 150 900 0 0 0 0 50 0\n", 0},
		{"an old kernel without the field", "cpu  150 0 150 880 0 0 0\n", unknown},
		{"no such line", "intr 5\n", unknown},
		{"not a number", "cpu  150 0 150 880 0 0 0 x 0 0\n", unknown},
		{"a clock that stands still", "cpu  100 0 100 800 0 0 0 0 50 0\n", unknown},
	} {
		if got := probeOf(t, Limits{}, nil, map[string]string{"proc/stat": c.stat}).Steal; !near(got, c.want) {
			t.Errorf("%s: steal %v, want %v", c.why, got, c.want)
		}
	}
}

func TestResidentMemoryIsInBytes(t *testing.T) {
	if got := probeOf(t, Limits{}, nil, nil).RSS; got != result.Reading(250*os.Getpagesize()) {
		t.Errorf("RSS %v", got)
	}
	for _, text := range []string{"", "400\n", "400 many\n"} {
		if got := probeOf(t, Limits{}, nil, map[string]string{"proc/self/statm": text}).RSS; got.Known() {
			t.Errorf("RSS %v of %q", got, text)
		}
	}
}

func TestWithoutProcAllIsUnknownButWhatTheProcessAsksItself(t *testing.T) {
	start := time.Now()
	probe := newProbe(Limits{CPUs: 1, Source: SourceHost}, start, newSource(t.TempDir()))
	h := probe.Read(start.Add(time.Second))
	if h.Throttled.Known() || h.Steal.Known() || h.RSS.Known() || h.OpenFiles.Known() {
		t.Errorf("read %+v where nothing is", h)
	}
	if !h.CPU.Known() || !h.GC.Known() {
		t.Errorf("CPU %v, GC %v", h.CPU, h.GC)
	}
	if err := probe.Close(); err != nil {
		t.Error(err)
	}
}

func TestDescriptorsAreCountedEitherWay(t *testing.T) {
	s := newSource("/")
	defer s.close()
	before := s.openFilesByCount()
	// More than one getdents call returns at a time.
	const opened = 2000
	for range opened {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skipf("this process may not open %d files: %v", opened, err)
		}
		defer f.Close()
	}
	counted, sized := s.openFilesByCount(), s.openFilesBySize()
	// Other tests do not run in parallel with this one, but the runtime may open its poller.
	if grown := counted - before; grown < opened || grown > opened+10 {
		t.Errorf("counted %v more after %d more were opened", grown, opened)
	}
	if s.sizes && sized != counted {
		t.Errorf("%v by size, %v by count", sized, counted)
	}

	// Many descriptors are counted now and then only.
	s.sizes = false
	first := s.openFiles()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for read := range 2 {
		if got := s.openFiles(); got != first {
			t.Errorf("read %d counted anew: %v, was %v", read, got, first)
		}
	}
	if got := s.openFiles(); got < first+1 {
		t.Errorf("%v counted after %v and one more", got, first)
	}
}

// The limit holds for the whole process; nothing else of this package runs meanwhile.
func TestProbesWorkWithoutADescriptorLeft(t *testing.T) {
	start := time.Now()
	probe := NewProbe(Limits{CPUs: 1, Source: SourceHost}, start)
	defer probe.Close()
	known := probe.Read(start.Add(time.Second))
	// The runtime's poller needs a descriptor when it starts.
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
	}

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lowest := limit
	lowest.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lowest); err != nil {
		t.Fatal(err)
	}
	_, openErr := os.Open(os.DevNull)
	exhausted := probe.Read(start.Add(2 * time.Second))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}

	if openErr == nil {
		t.Fatal("the limit did not hold")
	}
	// Steal is a share of ticks, of which none need have passed.
	if known.Throttled.Known() && !exhausted.Throttled.Known() {
		t.Error("throttling is unknown without a descriptor to spare")
	}
	if !exhausted.RSS.Known() || !exhausted.OpenFiles.Known() {
		t.Errorf("%v bytes resident, %v files open, without a descriptor to spare", exhausted.RSS, exhausted.OpenFiles)
	}
}

func TestEachReadingBeginsWhereTheLastOneEnded(t *testing.T) {
	root := tree(t, groupsV2Container, map[string]string{"proc/stat": "cpu 0 0 0 0 0 0 0 0 0 0\n"})
	start := time.Now()
	probe := newProbe(Limits{CPUs: 0.5, Source: SourceCgroup2}, start, newSource(root))
	defer probe.Close()
	for second, want := range []result.Reading{0.1, 0.4, 0} {
		write(t, root, "sys/fs/cgroup/cpu.stat", fmt.Sprintf("throttled_usec %d\n", 1_500_000+[]int{100_000, 500_000, 500_000}[second]))
		write(t, root, "proc/stat", fmt.Sprintf("cpu 0 0 0 0 0 0 0 %d 0 0\n", 100*(second+1)))
		h := probe.Read(start.Add(time.Duration(second+1) * time.Second))
		if !near(h.Throttled, want) || h.Steal != 1 {
			t.Errorf("second %d: throttled %v, want %v; steal %v, want 1", second, h.Throttled, want, h.Steal)
		}
	}
}

func TestProbeLeavesNoDescriptorOpen(t *testing.T) {
	s := newSource("/")
	defer s.close()
	without := tree(t, groupsV2Container, map[string]string{"sys/fs/cgroup/cpu.stat.local": ""})
	before := s.openFilesByCount()
	for range 10 {
		for _, root := range []string{"/", without} {
			probe := newProbe(Limits{CPUs: 1}, time.Now(), newSource(root))
			probe.Read(time.Now())
			if err := probe.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := s.openFilesByCount(); after != before {
		t.Errorf("%v descriptors before, %v after", before, after)
	}
}

func FuzzProc(f *testing.F) {
	f.Add([]byte("cpu  6721 0 3283 155472 444 0 251 12 0 0\ncpu0 1\n"))
	f.Add([]byte("nr_periods 0\nnr_throttled 0\nthrottled_time 18446744073709551615\n"))
	f.Add([]byte("throttled_usec\n"))
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x18\x00\x08.\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		steal, total := parseStat(text)
		if steal.Known() != total.Known() || steal < 0 || total < steal {
			t.Errorf("steal %v of %v", steal, total)
		}
		if throttled := parseThrottled(text); throttled < 0 {
			t.Errorf("throttled %v", throttled)
		}
		if n := countDirents(text); n < 0 || n > len(text) {
			t.Errorf("%d entries in %d bytes", n, len(text))
		}
	})
}

// BenchmarkReadManyFiles is a generator with as many connections as the default max-in-flight.
func BenchmarkReadManyFiles(b *testing.B) {
	for range 10_000 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			b.Skip(err)
		}
		defer f.Close()
	}
	for _, bySize := range []bool{true, false} {
		b.Run("size="+strconv.FormatBool(bySize), func(b *testing.B) {
			probe := NewProbe(Limits{CPUs: 1}, time.Now())
			defer probe.Close()
			if bySize && !probe.source.sizes {
				b.Skip("this kernel gives no size")
			}
			probe.source.sizes = bySize
			probe.source.skip = 0
			b.ReportAllocs()
			for b.Loop() {
				probe.Read(time.Now())
			}
		})
	}
}
