package lab

import (
	"bytes"
	"os"
	"strconv"
)

// knowsCPU says whether the CPU time of a program can be read here.
const knowsCPU = true

// ticksPerSecond is USER_HZ, 100 on every architecture that Go supports (proc(5), sysconf(_SC_CLK_TCK)).
const ticksPerSecond = 100

// groupsCPU is the CPU time used in each process group, in seconds: that of each process in it, with its children
// that have ended. So a program that works through others is measured with them.
func groupsCPU() map[int]float64 {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	groups := map[int]float64{}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		if group, ticks, ok := parseStat(stat); ok {
			groups[group] += float64(ticks) / ticksPerSecond
		}
	}
	return groups
}

// parseStat reads the process group and the CPU time, children included, from a line of /proc/PID/stat (proc(5): fields
// 5 and 14 to 17). The second field is the program's name in parentheses, which may hold anything.
func parseStat(stat []byte) (group int, ticks int64, ok bool) {
	after := bytes.LastIndexByte(stat, ')')
	if after < 0 {
		return 0, 0, false
	}
	fields := bytes.Fields(stat[after+1:]) // the first one is field 3
	if len(fields) < 15 {
		return 0, 0, false
	}
	group, err := strconv.Atoi(string(fields[2]))
	if err != nil {
		return 0, 0, false
	}
	for _, f := range fields[11:15] {
		n, err := strconv.ParseUint(string(f), 10, 60) // so that the sum cannot overflow
		if err != nil {
			return 0, 0, false
		}
		ticks += int64(n)
	}
	return group, ticks, true
}
