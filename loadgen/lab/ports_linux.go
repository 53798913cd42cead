package lab

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listening is the addresses that the processes of a group listen on, by /proc/net/tcp and tcp6 (proc(5)).
func listening(group int) (addrs []string) {
	sockets := socketsOf(group)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if addr, inode, ok := parseSocket(line); ok && sockets[inode] {
				addrs = append(addrs, addr)
			}
		}
	}
	slices.Sort(addrs)
	return slices.Compact(addrs)
}

// socketsOf is the inodes of the sockets that a group's processes hold.
func socketsOf(group int) map[string]bool {
	inodes := map[string]bool{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		if of, _, ok := parseStat(stat); !ok || of != group {
			continue
		}
		fds, _ := filepath.Glob(filepath.Dir(name) + "/fd/*")
		for _, fd := range fds {
			if link, err := os.Readlink(fd); err == nil {
				if inode, ok := strings.CutPrefix(link, "socket:["); ok {
					inodes[strings.TrimSuffix(inode, "]")] = true
				}
			}
		}
	}
	return inodes
}

// parseSocket reads a line of /proc/net/tcp: its second field is ADDRESS:PORT, in hexadecimal and the host's byte order,
// its fourth the state, 0A being LISTEN, and its tenth the inode.
func parseSocket(line string) (addr, inode string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != "0A" {
		return "", "", false
	}
	host, port, _ := strings.Cut(fields[1], ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return "", "", false
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		for word := range slices.Chunk(raw, 4) {
			slices.Reverse(word)
		}
	}
	return net.JoinHostPort(net.IP(raw).String(), strconv.FormatUint(n, 10)), fields[9], true
}

// withEnvironment is the processes whose environment has a variable, given as NAME=VALUE.
func withEnvironment(variable string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range all {
		environ, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for v := range bytes.SplitSeq(environ, []byte{0}) {
			if string(v) == variable {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}
