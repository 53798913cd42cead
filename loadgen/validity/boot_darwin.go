package validity

import "syscall"

// bootID is the kernel's name for this start of the machine.
func bootID() string {
	id, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
