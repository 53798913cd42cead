package validity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"scalableappbackend/loadgen/result"
)

// source reads /proc and the control groups through files that stay open.
type source struct {
	stat   *os.File // /proc/stat
	statm  *os.File // /proc/self/statm
	fds    *os.File // /proc/self/fd
	groups []*os.File
	above  bool // groups is one file that counts what groups above did, too

	buffer []byte

	sizes   bool           // the kernel gives the size of /proc/self/fd
	counted result.Reading // last count of descriptors, where it does not
	skip    int            // reads until the next count
}

func newSource(root string) *source {
	s := &source{buffer: make([]byte, 32<<10)}
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			return nil
		}
		return f
	}
	s.stat = open("proc/stat")
	s.statm = open("proc/self/statm")
	s.fds = open("proc/self/fd")
	s.sizes = s.openFilesBySize() > 0

	groups, err := readCgroups(root)
	if err != nil {
		return s
	}
	h, ok := groups.find("cpu")
	if !ok {
		return s
	}
	// cpu.stat.local (Linux 6.6) counts the time that this group was held back by whatever group
	// above it; it is empty where the controller is off.
	if local := open(filepath.Join(h.dirs[0], "cpu.stat.local")); local != nil {
		if bytes.Contains(s.text(local), []byte("throttled_")) {
			s.groups, s.above = []*os.File{local}, true
			return s
		}
		local.Close()
	}
	// Before Linux 5.8 the root of all groups has no cpu.stat, and no quota either. A file that is
	// there and cannot be opened stays in the list and is unknown.
	for _, dir := range h.dirs {
		f, err := os.Open(filepath.Join(root, dir, "cpu.stat"))
		if !errors.Is(err, fs.ErrNotExist) {
			s.groups = append(s.groups, f)
		}
	}
	return s
}

// seesAbove reports whether time withheld by groups that cannot be seen is counted nevertheless.
func (s *source) seesAbove() bool { return s.above }

func (s *source) read() counters {
	c := counters{
		cpu:       processCPU(),
		rss:       s.rss(),
		openFiles: s.openFiles(),
	}
	c.steal, c.host = parseStat(s.text(s.stat))
	for _, group := range s.groups {
		c.throttled = append(c.throttled, parseThrottled(s.text(group)))
	}
	return c
}

func (s *source) close() error {
	var errs []error
	for _, f := range append(s.groups, s.stat, s.statm, s.fds) {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// text is the beginning of a file as it is now, valid until the next call; nil when it cannot be read.
func (s *source) text(f *os.File) []byte {
	if f == nil {
		return nil
	}
	n, err := f.ReadAt(s.buffer[:4<<10], 0)
	if err != nil && err != io.EOF {
		return nil
	}
	return s.buffer[:n]
}

// parseStat finds the host's stolen and total CPU time in ticks in the first line of /proc/stat.
// Guests' time is part of user and nice and would count twice (man 5 proc_stat).
func parseStat(text []byte) (steal, total result.Reading) {
	const stealField, guestField = 7, 8
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) <= guestField || fields[0] != "cpu" {
		return result.Unknown(), result.Unknown()
	}
	for i, field := range fields[1 : guestField+1] {
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return result.Unknown(), result.Unknown()
		}
		total += result.Reading(ticks)
		if i == stealField {
			steal = result.Reading(ticks)
		}
	}
	return steal, total
}

// parseThrottled finds the seconds that a group was held back in its cpu.stat: throttled_usec (v2)
// or throttled_time in nanoseconds (v1). A group without either has no quota.
func parseThrottled(text []byte) result.Reading {
	if text == nil {
		return result.Unknown()
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		perSecond := 0.0
		switch name {
		case "throttled_usec":
			perSecond = 1e6
		case "throttled_time":
			perSecond = 1e9
		default:
			continue
		}
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return result.Unknown()
		}
		return result.Reading(float64(n) / perSecond)
	}
	return 0
}

// rss reads the second field of /proc/self/statm, in pages.
func (s *source) rss() result.Reading {
	fields := strings.Fields(string(s.text(s.statm)))
	if len(fields) < 2 {
		return result.Unknown()
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return result.Unknown()
	}
	return result.Reading(pages * uint64(os.Getpagesize()))
}

// filesPerRead is how many descriptors are counted a read, on average.
const filesPerRead = 1000

// openFiles takes the size of /proc/self/fd where the kernel gives it (Linux 6.2). Elsewhere they are
// counted, which takes 4 ms and more for ten thousand, and so the more there are the more rarely.
func (s *source) openFiles() result.Reading {
	if s.sizes {
		return s.openFilesBySize()
	}
	if s.skip > 0 {
		s.skip--
		return s.counted
	}
	s.counted = s.openFilesByCount()
	if s.counted.Known() {
		s.skip = int(s.counted) / filesPerRead
	}
	return s.counted
}

func (s *source) openFilesBySize() result.Reading {
	if s.fds == nil {
		return result.Unknown()
	}
	info, err := s.fds.Stat()
	if err != nil {
		return result.Unknown()
	}
	return result.Reading(info.Size())
}

// openFilesByCount counts directory entries without making names of them.
func (s *source) openFilesByCount() result.Reading {
	if s.fds == nil {
		return result.Unknown()
	}
	if _, err := s.fds.Seek(0, io.SeekStart); err != nil {
		return result.Unknown()
	}
	entries := 0
	for {
		n, err := syscall.ReadDirent(int(s.fds.Fd()), s.buffer)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return result.Unknown()
		case n <= 0:
			return result.Reading(max(entries-2, 0)) // without . and ..
		}
		entries += countDirents(s.buffer[:n])
	}
}

// countDirents counts the records of a getdents64 answer: inode and offset, 8 bytes each, then the
// record's length in 2 (man 2 getdents).
func countDirents(records []byte) int {
	const lengthAt, shortest = 16, 19
	n := 0
	for len(records) >= shortest {
		length := int(binary.NativeEndian.Uint16(records[lengthAt:]))
		if length < shortest || length > len(records) {
			break
		}
		records = records[length:]
		n++
	}
	return n
}
