package validity

import (
	"os"
	"strings"
)

// bootID is the kernel's name for this start of the machine (man 4 random). Containers see their host's.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
